/* The page shows the newest state and its age. A missed sequence number asks for the whole state again; a hidden
 * tab closes its stream and opens it when it is seen again. */
'use strict';

const $ = id => document.getElementById(id);
const LANES = {unreleased: '未放出', pool: '公共池', strike: '突击组', 'strike:hot': '突击组(急)', papers: '材料', supervision: '督查组', triage: '待分派',
  doubt: '存疑', parked: '搁置', resting: '休眠', terminal: '已办结'};
let last = null, seenAt = 0, source = null;

function laneName(lane) {
  if (lane.startsWith('own:')) return '各人名单';
  if (lane.startsWith('team:')) return '组长处';
  return LANES[lane] || lane;
}

function wait(seconds) {
  if (!seconds) return '-';
  const h = Math.floor(seconds / 3600), m = Math.floor(seconds % 3600 / 60);
  return h > 0 ? `${h} 小时 ${m} 分` : m > 0 ? `${m} 分` : `${seconds} 秒`;
}

function el(tag, text, cls) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (cls) e.className = cls;
  return e;
}

/* In these lanes nothing is due: a case waits there for an act or a date of its own. */
const STILL = ['unreleased', 'resting', 'terminal'];

/* 48 people's lanes are one row: the page is for queues, not for people. */
function grouped(lanes) {
  const rows = new Map();
  for (const l of lanes) {
    const name = laneName(l.lane), row = rows.get(name) || {name, cases: 0, age: 0};
    row.cases += l.cases;
    if (!STILL.includes(l.lane)) row.age = Math.max(row.age, l.age);
    rows.set(name, row);
  }
  return [...rows.values()];
}

function showLanes(s) {
  const body = $('lanes'), rows = grouped(s.lanes);
  body.replaceChildren(...rows.map(r => {
    const tr = document.createElement('tr');
    tr.append(el('td', r.name), el('td', r.cases), el('td', wait(r.age)));
    return tr;
  }));
  const held = document.createElement('tr');
  held.append(el('td', '在手'), el('td', s.leases), el('td', ''));
  const sum = s.lanes.reduce((n, l) => n + l.cases, 0) + s.leases, all = document.createElement('tr');
  all.className = 'sum';
  all.append(el('td', '合计'), el('td', sum), el('td', ''));
  body.append(held, all);
  $('census').textContent = `导入 ${s.cases} 件 ${sum === s.cases ? '= 队列加在手,对得上' : `≠ ${sum},对不上!`}`;
}

function showFunnel(s) {
  const l = s.ledger, share = l.admitted > 0 ? Math.floor(l.registered * 100000 / l.admitted) / 1000 : null;
  $('funnel').textContent = `导入 ${l.cases} · 打过 ${l.attempted} · 联系上过 ${l.attempted - l.unreachable} = 确认 ${l.confirmed} + 犹豫 ${l.considering}` +
    ` + 其他 ${l.attempted - l.unreachable - l.confirmed - l.considering} · 打过还没联系上 ${l.unreachable} · 退档 ${l.withdrawn}`;
  $('bar-done').style.width = `${share || 0}%`;
  $('rate').textContent = share === null ? '报到率: 还没有人' :
    `报到率 ${share.toFixed(3)} % (${l.registered}/${l.admitted}) · 基本任务 93 % 还差 ${Math.max(0, Math.ceil(93 * l.admitted / 100) - l.registered)} 人` +
    ` · 目标 95 % 还差 ${Math.max(0, Math.ceil(95 * l.admitted / 100) - l.registered)} 人`;
  const top = Math.max(1, ...l.per_minute), svg = $('spark');
  svg.replaceChildren(...l.per_minute.map((n, i) => {
    const r = document.createElementNS('http://www.w3.org/2000/svg', 'rect'), h = Math.round(46 * n / top);
    for (const [k, v] of Object.entries({x: i * 10 + 1, y: 47 - h, width: 8, height: h + 1, fill: '#2f6feb'})) r.setAttribute(k, v);
    return r;
  }));
  $('per-minute').textContent = `最近一分钟 ${l.per_minute[l.per_minute.length - 1]} 条,最多 ${top} 条;账本共 ${l.records} 条`;
}

function showProblems(s) {
  const n = s.problems.length;
  $('headline').textContent = n === 0 ? '一切正常' : `需要处理 ${n} 件`;
  $('headline').className = n === 0 ? 'good' : 'bad';
  document.title = n === 0 ? '回访运行台' : `(${n}) 回访运行台`;
  $('nothing').hidden = n > 0;
  $('problems').replaceChildren(...s.problems.map(p => {
    const li = document.createElement('li');
    li.append(el('b', p.what), el('div', `影响: ${p.effect}`), el('div', '现在: '));
    li.lastChild.append(el('code', p.now));
    return li;
  }));
}

function showParts(s) {
  const mode = ['发放中', '恢复中', '已停'][s.mode] || '?';
  const rows = [['Redis', s.redis ? '正常' : '连不上'], ['PostgreSQL', s.ledger.up ? '正常' : '连不上'], ['broker', s.brokers === 0 ? '没有按地址配置' : s.brokers_up === s.brokers ? '正常' : `${s.brokers} 个里连得上 ${s.brokers_up} 个`], ['队列', mode],
    ['纪元', s.epoch], ['日志到', s.log], ['路由到', s.router || '-'], ['机器', s.agents], ['人员', s.persons],
    ['开放', s.gate > s.now ? `到 ${clock(s.gate)} 开放` : '拨打时间内'], ['活动时间', clock(s.now)], ['版本', s.version]];
  $('parts').replaceChildren(...rows.flatMap(([k, v]) => [el('dt', k), el('dd', v)]));
}

function clock(ms) {
  return new Date(ms + 8 * 3600000).toISOString().slice(0, 16).replace('T', ' ');
}

function show(s) {
  last = s;
  seenAt = Date.now();
  $('campaign').textContent = s.campaign;
  showProblems(s);
  showLanes(s);
  showFunnel(s);
  showParts(s);
  tick();
}

function tick() {
  const age = last ? Math.round((Date.now() - seenAt) / 1000) : null;
  $('age').textContent = age === null ? '还没有数据' : age < 3 ? '● 实时' : `数据是 ${age} 秒前的`;
  $('age').className = age !== null && age >= 5 ? 'age old' : 'age';
}

function open() {
  if (source) source.close();
  source = new EventSource('/events');
  source.addEventListener('state', e => {
    const s = JSON.parse(e.data);
    if (last && s.seq > last.seq + 1) fetch('/state').then(r => r.json()).then(show).catch(() => {});
    else show(s);
  });
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    if (source) source.close();
    source = null;
  } else {
    open();
  }
});
setInterval(tick, 1000);
open();
