/* Who, when, whether it is connected, and what became of today's records. */
import {useEffect, useState} from 'preact/hooks';
import {logout, toDoor} from './actions.js';
import {LanguageSwitch} from './langswitch.jsx';
import {classOf} from './order.js';
import {unread} from './news.jsx';
import {isWaiting, today} from './records.js';
import {S, set} from './store.js';
import {clock, clockNow, ms, when} from './time.js';
import {ROLES} from './words.js';

function Clock() {
  const [, again] = useState(0);
  useEffect(() => {
    const t = setInterval(() => again(n => n + 1), 5000);
    return () => clearInterval(t);
  }, []);
  return <time>{clock(clockNow())}</time>;
}

export function Link() {
  const waiting = S.records.filter(r => r.state === 'pending').length;
  const [sign, text, kind] = S.office === 'door' ? ['▲', '要再登录一次 · 手里的人先写完', 'warn'] : S.office === 'gone' ? ['✗', '服务器断开 · 手里的人照常记录', 'bad'] :
    S.link === 'down' ? ['▲', '离线中 · 照常记录，连上自动补送', 'warn'] : ['●', '已连接', 'ok'];
  return (
    <p class={`link ${kind}`} role="status" id="link" data-heard={S.heard ? 'yes' : 'no'}>
      <b aria-hidden="true">{sign}</b> {text}{waiting > 0 && ` · 未上传 ${waiting}`}{S.office === 'door' && <button type="button" class="small" onClick={toDoor}>登录</button>}
    </p>
  );
}

function average(rows, of) {
  const tried = rows.filter(r => r.tries > 0);
  return tried.length > 0 ? tried.reduce((n, r) => n + (r[of] || 0), 0) / tried.length : null;
}

function Due() {
  const now = clockNow(), due = S.rows.filter(r => classOf(r, now) === 'due' && !isWaiting(r.case)).length;
  const later = S.rows.filter(r => classOf(r, now) === 'later').map(r => ms(r.due)).filter(t => t > now).sort((a, b) => a - b)[0];
  useEffect(() => { document.title = due > 0 ? `(${due} 到点) 回访` : '回访'; }, [due]);
  return <span>到点 <b>{due}</b>{later ? `，下一个 ${when(later, now)}` : ''}</span>;
}

function Figures() {
  const done = today().filter(r => r.state !== 'undone' && r.state !== 'refused');
  const minutes = Math.round(done.reduce((n, r) => n + (r.seconds || 0), 0) / 60);
  const contacts = average(S.rows, 'contacts'), talk = average(S.rows, 'minutes'), typed = S.drafts.size;
  const by = state => today().filter(r => r.state === state).length;
  return (
    <p class="figures">
      <Due />
      <span>今天(本机) <b>{done.length}</b> 条 · 通话 <b>{minutes}</b> 分</span>
      {contacts !== null && <span>我的人均 <b>{contacts.toFixed(1)}</b> 次 / <b>{(talk || 0).toFixed(0)}</b> 分（要求 4 次 / 20 分）</span>}
      <span id="counts">✎ 草稿 <b>{typed}</b> · ⇡ 待送 <b>{by('pending')}</b> · ▣ 已存本机 <b>{by('stored')}</b> · ✓ 已受理 <b>{by('accepted')}</b> · ✓✓ 已入账 <b>{by('settled')}</b></span>
    </p>
  );
}

/* The campaign that deploy/practice makes. */
const isPractice = () => S.campaign.title === 'practice';

export function Top() {
  const p = S.me.person, c = S.campaign;
  return (
    <header class={isPractice() ? 'top practice' : 'top'}>
      {isPractice() && <p class="practising"><b>练习</b> 人和号码都是编的，不算数</p>}
      <h1>{isPractice() ? '回访' : c.title || '回访'}{c.stage ? ` · 阶段 ${c.stage}` : ''}{c.pass ? ` · 第 ${c.pass} 批` : ''}</h1>
      <p class="who">{p.name || p.id} · {ROLES[p.role] || p.role || ''}{p.team ? ` · ${p.team}` : ''}</p>
      <Clock />
      <Link />
      <p class="doors">
        {(p.roles || []).some(r => r !== 'caller') && <a href="/board">看板</a>}
        <button type="button" onClick={() => set({dialog: 'pay'})}><kbd>Y</kbd> 补贴</button>
        <button type="button" onClick={() => set({dialog: 'news'})} id="news"><kbd>F3</kbd> 通知{unread() > 0 && <b> ● {unread()} 未读</b>}</button>
        <button type="button" onClick={() => set({dialog: 'help'})}><kbd>F1</kbd> 帮助</button>
        <LanguageSwitch />
        <button type="button" onClick={logout}>退出</button>
      </p>
      <Figures />
    </header>
  );
}
