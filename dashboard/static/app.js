/* The page shows the newest state and its age. A missed sequence number asks for the whole state again; a hidden
 * tab closes its stream and opens it when it is seen again. */
'use strict';

const $ = id => document.getElementById(id);
const LANES = {unreleased: '未放出', pool: '公共池', strike: '突击组', 'strike:hot': '突击组(急)', papers: '材料', supervision: '督查组', triage: '待分派',
  doubt: '存疑', parked: '搁置', resting: '休眠', terminal: '已办结'};
const EXPORTS = {ledger: '台账', pay: '补贴', audit: '审计', daily: '每日战报', weekly: '周报', personal: '个人台账', admission: '录取表', withdrawals: '退档名单'};
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

/* In these lanes nothing is due: a case waits there for an act or a date of its own. */
const STILL = ['unreleased', 'resting', 'terminal'];

/* 48 people's lanes are one row: the page is for queues, not for people. */
function grouped(lanes) {
  const rows = new Map();
  for (const l of lanes) {
    const name = laneName(l.lane), row = rows.get(name) || {name, kind: l.lane.split(':')[0], cases: 0, age: 0};
    row.cases += l.cases;
    if (!STILL.includes(l.lane)) row.age = Math.max(row.age, l.age);
    rows.set(name, row);
  }
  return [...rows.values()];
}

function flow(s, kind) {
  const minutes = s.ledger.flows[kind];
  if (!minutes) return ['', ''];
  const ten = minutes.slice(-10).reduce((n, m) => n + m, 0);
  return [`${(ten / 10).toFixed(1)}`, {text: minutes.join(' '), draw: spark(minutes, `近 30 分钟每分钟派出: ${minutes.join(' ')}`)}];
}

function showLanes(s) {
  const sum = s.lanes.reduce((n, l) => n + l.cases, 0) + s.leases;
  const rows = grouped(s.lanes).map(r => [r.name, r.cases, wait(r.age), ...flow(s, r.kind)]);
  rows.push(['在手', s.leases, '', '', ''], ['合计', sum, '', '', '']);
  showTable('lanes', ['队列', '件数', '最久到点未办', '每分钟派出 (近 10 分)', '近 30 分钟'], rows, 1);
  $('census').textContent = `导入 ${s.cases} 件 ${sum === s.cases ? '= 队列加在手,对得上' : `≠ ${sum},对不上!`}`;
}

const TEAM = ['people', 'working', 'held', 'due', 'records', 'cases', 'untouched', 'confirmed'];

function showPeople(s) {
  const teams = s.figures.teams, rows = teams.map(t => [t.team, ...TEAM.map(k => t[k])]);
  if (rows.length > 1) rows.push(['合计', ...TEAM.map(k => teams.reduce((n, t) => n + t[k], 0))]);
  showTable('people', ['小组', '人员', '在岗', '在手', '到点未办', '近 30 分记录', '名下', '未打', '确认'], rows, rows.length > 1 ? 1 : 0);
}

function showNights(s) {
  const {nights, exports} = s.ledger;
  $('no-nights').hidden = nights.length > 0;
  $('no-exports').hidden = exports.length > 0;
  showTable('nights', ['夜晚', '完成', '用时 (秒)', '新记录', '个案', '不一致', '久等', '已修', '补做'], nights.map(n => [n.day, clock(n.at), Math.round(n.took / 1000),
    n.records, n.imported, n.differences, n.notices, n.mended, n.late ? '是' : '']));
  showTable('exports', ['种类', '时间', '行数', '账本到', '遮盖', '清单指纹'], exports.map(e => [EXPORTS[e.kind] || e.kind, clock(e.at), e.rows, e.ledger_no, e.masked ? '是' : '否',
    {text: e.manifest, draw: el('code', e.manifest.slice(0, 16))}]));
}

function showFunnel(s) {
  const l = {...s.ledger, ...s.figures}, share = l.admitted > 0 ? Math.floor(l.registered * 100000 / l.admitted) / 1000 : null;
  /* Everybody is counted once. Others: reached, or not, without a result that decides: no answer, to be called later, refused. */
  const other = l.attempted - l.confirmed - l.considering - l.withdrawn - l.unreachable;
  $('funnel').textContent = `导入 ${l.cases} = 没打过 ${l.cases - l.attempted} + 打过 ${l.attempted};打过 ${l.attempted} = 确认 ${l.confirmed} + 犹豫或不表态 ${l.considering}` +
    ` + 退档 ${l.withdrawn} + 三次以上没联系上 ${l.unreachable} + 其他 ${other}${other < 0 ? ' (对不上!)' : ''}`;
  $('bar-done').style.width = `${share || 0}%`;
  $('rate').textContent = share === null ? '报到率: 还没有人' :
    `报到率 ${share.toFixed(3)} % (${l.registered}/${l.admitted}) · 基本任务 93 % 还差 ${Math.max(0, Math.ceil(93 * l.admitted / 100) - l.registered)} 人` +
    ` · 目标 95 % 还差 ${Math.max(0, Math.ceil(95 * l.admitted / 100) - l.registered)} 人`;
  const top = Math.max(...l.per_minute), bars = spark(l.per_minute, `每分钟入账的记录: ${l.per_minute.join(' ')}`);
  bars.id = 'spark';
  bars.classList.add('tall');
  $('spark').replaceWith(bars);
  $('per-minute').textContent = `最近一分钟 ${l.per_minute[l.per_minute.length - 1]} 条,最多 ${top} 条;账本共 ${l.records} 条`;
  const old = Math.round((s.wall - s.figures.at) / 1000);
  $('counted').textContent = s.figures.at === 0 ? '进度还没有数过' : old > 30 ? `进度是 ${wait(old)}前数的` : '';
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
    li.append(el('div', `找谁: ${p.who}`));
    return li;
  }));
}

function showParts(s) {
  const mode = ['发放中', '恢复中', '已停'][s.mode] || '?';
  const rows = [['Redis', s.redis ? '正常' : '连不上'], ['PostgreSQL', s.ledger.up ? '正常' : '连不上'], ['broker', s.brokers === 0 ? '没有按地址配置' : s.brokers_up === s.brokers ? '正常' : `${s.brokers} 个里连得上 ${s.brokers_up} 个`], ['队列', mode],
    ['纪元', s.epoch], ['日志到', s.log], ['路由到', s.router || '-'], ['机器', s.agents], ['人员', s.persons],
    ['发件箱', s.ledger.frozen > 0 ? `${s.ledger.outboxes} (冻结 ${s.ledger.frozen})` : s.ledger.outboxes], ['待归档的记录', s.ledger.unreleased],
    ['开放', s.gate > s.now ? `到 ${clock(s.gate)} 开放` : '拨打时间内'], ['活动时间', clock(s.now)], ['版本', s.version]];
  showTable('parts', ['部件', '状态'], rows.map(r => r.map(String)));
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
  showPeople(s);
  showNights(s);
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
/* Every view is an address; ?tv=1 is the wall's: problems and progress alone, large. */
function showView() {
  const tv = new URLSearchParams(location.search).get('tv') === '1', hash = location.hash.slice(1) || 'now';
  const sections = [...document.querySelectorAll('[data-view]')], has = e => e.dataset.view.split(' ');
  const view = tv ? 'tv' : sections.some(e => has(e).includes(hash)) ? hash : 'now';
  document.body.className = view;
  for (const e of sections) e.hidden = !has(e).includes(view);
  for (const a of document.querySelectorAll('nav a')) {
    if (a.hash === `#${view}`) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
}

addEventListener('hashchange', showView);
showView();
setInterval(tick, 1000);
open();
