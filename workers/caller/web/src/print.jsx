/* Paper: what is printed is drawn beside the desk and shown to the printer alone (app.css, @media print), A4. */
import {useState} from 'preact/hooks';
import * as api from './api.js';
import {classOf, ordered} from './order.js';
import {outcome} from './outcomes.js';
import {S, hand, say, set} from './store.js';
import {clockNow, ms, span, when} from './time.js';
import {CHANNELS, CLASSES, KINDS, SEX, why} from './words.js';

const CHANNEL = Object.fromEntries(CHANNELS);
const classText = (r, now) => hand().some(t => t.case === r.case) ? '在手' : (CLASSES.find(c => c[0] === classOf(r, now)) || [0, r.class_text || ''])[1];
const lastText = r => r.last ? outcome(r.last, S.campaign).text : '';
const who = () => `${S.me.person.name || S.me.person.id}${S.me.person.team ? ` · ${S.me.person.team}` : ''} · ${when(clockNow(), clockNow() - 9 * 86400000)}`;

/* ---- the own ledger, on paper and as a sheet ---- */

const COLUMNS = ['姓名', '专业', '中学', '现在', '下次', '最近日期', '次数', '联系上', '总时长(分)', '途径', '结果'];
const dayOf = t => t ? when(t, t - 9 * 86400000) : '';
const channelOf = r => r.newest && r.newest.channel ? CHANNEL[r.newest.channel] || r.newest.channel : '';
const cells = (r, now) => [r.name || '', r.major || '', r.school || '', classText(r, now), r.due ? when(ms(r.due), now) : '', r.newest ? dayOf(ms(r.newest.at)) : '', r.tries, r.contacts, r.minutes, channelOf(r), lastText(r)].map(v => v === undefined || v === null ? '' : String(v));

/* A cell that begins like a formula is text. */
const quoted = v => `"${(/^[=+@-]/.test(v) ? `'${v}` : v).replace(/"/g, '""')}"`;

function download() {
  const now = clockNow(), lines = [COLUMNS, ...ordered(S.rows, now).map(r => cells(r, now))].map(row => row.map(quoted).join(','));
  const url = URL.createObjectURL(new Blob(['\ufeff', lines.join('\r\n'), '\r\n'], {type: 'text/csv'})), a = document.createElement('a');
  a.href = url;
  a.download = `台账-${S.me.person.id}.csv`;
  a.click();
  URL.revokeObjectURL(url);
}

function Ledger() {
  const now = clockNow(), rows = ordered(S.rows, now);
  return (
    <section class="sheet land">
      <h1>回访台账</h1><p>{S.campaign.title} · {who()} · {rows.length} 人</p>
      <table><thead><tr><th>序</th>{COLUMNS.map(c => <th key={c}>{c}</th>)}</tr></thead>
        <tbody>{rows.map((r, i) => <tr key={r.case}><td>{i + 1}</td>{cells(r, now).map((v, j) => <td key={j}>{v}</td>)}</tr>)}</tbody></table>
    </section>
  );
}

/* ---- to work on when the server is down ---- */

function Blank({rows}) {
  const now = clockNow();
  return (
    <section class="sheet wide">
      <h1>断线登记表</h1>
      <p>{S.campaign.title} · {who()} · 服务器停了用这张纸记，恢复后按「补录」逐条录入；录完当面销毁。</p>
      <p class="codes">结果写数字：1 确认就读（三项告知讲全才写） 2 还要考虑 3 不表态 4 申请退档 5 没人接 6 打不通（写关机、停机、空号、错号、占线） 7 稍后再打 8 他人接听 9 拒绝 0 求助</p>
      <table><thead><tr><th>序</th><th>姓名</th><th>号码</th><th class="cause">为什么打</th><th class="cell">打的时间</th><th class="cell">分钟</th><th class="cell">结果</th><th class="cell">下次时间</th><th class="room">原话、备注</th></tr></thead>
        <tbody>
          {rows.map((r, i) => (
            <tr key={r.case}><td>{i + 1}</td><td>{r.name}<br /><small>{r.major}</small></td>
              <td>{(r.numbers || []).map(n => <div key={n.n}>{KINDS[n.kind] || ''} {n.digits}</div>)}</td><td>{why(r.why)}{r.due ? ` ${when(ms(r.due), now)}` : ''}</td><td /><td /><td /><td /><td /></tr>
          ))}
          {[1, 2, 3].map(n => <tr key={`x${n}`}>{Array.from({length: 9}, (_, i) => <td key={i}>&nbsp;</td>)}</tr>)}
        </tbody></table>
    </section>
  );
}

const LEFT = ['due', 'first', 'asked', 'thinking', 'unreachable', 'later'];

/* The own list has no numbers: they are asked for, one after the other, of those who are still to be called. */
async function withNumbers(step) {
  const now = clockNow(), out = [...hand()], held = new Set(out.map(t => t.case));
  for (const r of ordered(S.rows, now).filter(x => !held.has(x.case) && LEFT.includes(classOf(x, now))).slice(0, 80)) {
    step(out.length + 1);
    const got = await api.caseRow(r.case).catch(() => null);
    out.push({...r, ...(got && got.rows && got.rows[0] || {}), why: r.why, due: r.due});
  }
  return out;
}

/* ---- of the person in hand ---- */

function Withdrawal({task: t}) {
  const province = (/^(.*?(?:省|自治区|市))/.exec(t.province || t.address || '') || [])[1], line = text => text || '　　　　　　';
  return (
    <section class="sheet letter">
      <h1>退档申请书</h1>
      <p class="to">＿＿＿＿＿＿＿＿学院：</p>
      <p>本人是 <u>{line(province)}</u> 的 <u>{new Date(clockNow() + 8 * 3600000).getUTCFullYear()}</u> 年考生，姓名：<u>{line(t.name)}</u>，考生号：<u>{line(t.no)}</u>，由于个人原因自愿放弃贵校录取，特此申请退档，退档后一切责任由考生本人自己承担。</p>
      <p class="sign">考生签名：＿＿＿＿＿＿＿＿（摁手印）</p><p class="sign">家长签名：＿＿＿＿＿＿＿＿（摁手印）</p><p class="sign">　　　　年　　月　　日</p>
      <p class="small-print">附：退档申请、身份证、准考证放在同一张照片内。</p>
    </section>
  );
}

/* Which rungs the system knows to be tried: those before the one that is due, and what the records say. */
function tried(t, last) {
  const part = at => [12, 13, 17.5].filter(h => new Date(at + 8 * 3600000).getUTCHours() >= h).length, calls = last.filter(r => r.outcome);
  const facts = {0: (t.numbers || []).filter(n => n.note).length > 1, 1: calls.some(r => r.outcome === 'sms-sent' || r.channel === 'sms'),
    2: calls.some(r => r.outcome === 'im-requested' || ['wechat', 'qq'].includes(r.channel)), 3: new Set(calls.map(r => part(ms(r.at) || 0))).size > 1};
  return n => facts[n] || n > 3 && n < (t.rung || 0);
}

function HandOver({task: t}) {
  const isStrike = /^strike/.test(t.why || ''), end = ms(S.campaign.pass_end);
  const now = clockNow(), row = S.rows.find(r => r.case === t.case) || {}, last = [...(t.last || [])].sort((a, b) => (b.at || 0) - (a.at || 0)), done = tried(t, last);
  return (
    <section class="sheet">
      <h1>{isStrike ? '突击档案' : '转突击组交接单'}</h1><p>{S.campaign.title} · {who()}{end ? ` · 本批到 ${when(end, now)} 为止` : ''}</p>
      <table class="facts-table"><tbody>
        <tr><th>姓名</th><td>{t.name} {SEX[t.sex] || ''}</td><th>考生号</th><td>{t.no}</td></tr>
        <tr><th>专业</th><td>{t.major}</td><th>中学</th><td>{t.school}</td></tr>
        <tr><th>地区</th><td>{t.area}</td><th>地址</th><td>{t.address}</td></tr>
        <tr><th>已试</th><td>{row.tries === undefined ? last.length : row.tries} 次，联系上 {row.contacts || 0} 次，{row.minutes || 0} 分</td><th>为什么</th><td>{why(t.why)}</td></tr>
      </tbody></table>
      <h2>号码</h2>
      <table><thead><tr><th>谁的</th><th>号码</th><th>打过怎样</th></tr></thead><tbody>{(t.numbers || []).map(n => <tr key={n.n}><td>{KINDS[n.kind] || ''}</td><td>{n.digits}</td><td>{n.note || ''}</td></tr>)}</tbody></table>
      <h2>联系记录（最近 {last.length} 条）</h2>
      <table><thead><tr><th>时间</th><th>途径</th><th>结果</th><th>原话、备注</th></tr></thead><tbody>{last.length === 0 && <tr><td colspan={4}>还没有联系过</td></tr>}{last.map(r => <tr key={`${r.ob}-${r.seq}`}><td>{r.at ? when(ms(r.at), now) : ''}</td><td>{CHANNEL[r.channel] || r.channel || ''}{r.seconds ? ` ${span(r.seconds)}` : ''}</td><td>{r.outcome ? outcome(r.outcome, S.campaign).text : ''}</td><td>{[r.words && `「${r.words}」`, r.note, r.answered].filter(Boolean).join('；')}</td></tr>)}</tbody></table>
      <h2>办法（系统看得出试过的已勾；别的试过的，手写勾上）</h2>
      <ul class="rungs">{(S.campaign.rungs || []).filter(r => r.n < 11).map(r => <li key={r.n}>{done(r.n) ? '☑' : '□'} {r.n} {r.text}</li>)}</ul>
      <h2>补充</h2><p class="lines" />
      <p class="sign">交出：＿＿＿＿＿＿　接收：＿＿＿＿＿＿　时间：＿＿＿＿＿＿</p>
    </section>
  );
}

const SHEETS = {ledger: Ledger, blank: Blank, withdrawal: Withdrawal, handover: HandOver};

export function Paper() {
  const p = S.paper, Sheet = p && SHEETS[p.kind];
  return Sheet ? <div class="paper" aria-hidden="true"><Sheet {...p} /></div> : null;
}

function print(paper) {
  set({paper, dialog: null});
  setTimeout(() => window.print(), 50); /* after it is drawn */
}

export function Print({task}) {
  const [step, setStep] = useState(0);
  const blank = async () => {
    if (S.office === 'gone' || S.link === 'down') say('现在连不上：只有在手的人有号码', 'warn');
    print({kind: 'blank', rows: await withNumbers(setStep)});
  };
  return (
    <ul class="found">
      <li><button type="button" autofocus onClick={() => print({kind: 'ledger'})}>我的台账（{S.rows.length} 人）</button></li>
      <li><button type="button" onClick={download}>我的台账，存成表格（CSV，Excel 能开）</button></li>
      <li><button type="button" disabled={step > 0} onClick={blank}>{step > 0 ? `正在取号码 ${step}…` : '断线登记表：服务器停了在纸上记'}</button></li>
      <li><button type="button" disabled={!task} onClick={() => print({kind: 'withdrawal', task})}>退档申请书{task ? <span lang="zh">：{task.name}</span> : '（先打开一个人）'}</button></li>
      <li><button type="button" disabled={!task} onClick={() => print({kind: 'handover', task})}>交接单、突击档案{task ? <span lang="zh">：{task.name}</span> : '（先打开一个人）'}</button></li>
    </ul>
  );
}
