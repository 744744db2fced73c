/* The board: who, which views, the view, what was said. A view is an address; who may not see it does not have its door. */
import {useState} from 'preact/hooks';
import {B, beginDraw, hasRole, login, logout, refresh, set, use} from './state.js';
import {Said} from './acts.jsx';
import {_} from './lang.js';
import {Late, Leave, People, Team} from './team.jsx';
import {Approvals, Disputes, Findings, Flags, Lanes, Mine, Money, Nights, Rates, Strike} from './others.jsx';
import {Draws} from './draws.jsx';
import {Reads} from './reads.jsx';
import {Import} from './import.jsx';
import {Office, Wanted} from './office.jsx';
import {Pass} from './pass.jsx';
import {Papers} from './papers.jsx';
import {clock, clockNow} from '../time.js';
import {ROLES} from '../words.js';

const LEAD = ['leader', 'deputy'], HEADS = ['callback-head', 'leading'];
export const VIEWS = [
  ['team', '待办', Team, LEAD], ['team/people', '按人·战报', People, LEAD], ['team/leave', '请假', Leave, LEAD], ['team/late', '迟到', Late, LEAD], ['team/reads', '通知', Reads, [...LEAD, 'callback-head']],
  ['strike', '突击', Strike, ['strike', 'strike-head']],
  ['data', '活动', Lanes, ['data', 'operator', 'admin', 'callback-head']],
  ['data/pass', '签字·裁定', Pass, ['data', 'callback-head', 'operator', 'admin', 'leading', ...LEAD]], ['data/import', '导入', Import, ['data']],
  ['data/papers', '材料', Papers, ['data', 'designated', 'callback-head']],
  ['supervision', '核验板', Flags, ['supervisor']], ['supervision/draws', '抽查', Draws, ['supervisor', 'leading', 'data']],
  ['supervision/findings', '巡查·认定', Findings, ['supervisor', ...HEADS]],
  ['leading', '各组', Rates, [...HEADS, 'data', 'supervisor', 'finance', 'strike-head', 'operator', 'admin']],
  ['data/approvals', '审批', Approvals, [...LEAD, 'data', 'admin', ...HEADS]],
  ['finance', '补贴', Money, ['finance', ...HEADS, 'supervisor']], ['finance/disputes', '异议', Disputes, ['finance', ...HEADS]],
  ['data/nights', '夜间', Nights, ['data', 'operator', 'admin', 'leading']],
  ['office/wanted', '要查的号码', Wanted, ['back-office', 'data', ...LEAD]], ['office', '后台', Office, ['back-office', 'designated']], ['mine', '我的', Mine, null],
];
export const doors = () => VIEWS.filter(v => !v[3] || hasRole(v[3])).map(([id, text, View], i) => ({id, text, View, key: i < 9 ? String(i + 1) : ''}));
/* Where a person begins who came to no view in particular: the first door, but for these. */
const BEGINS = {finance: 'finance', leading: 'leading', 'callback-head': 'leading'};
export const here = () => {
  const all = doors(), begins = (B.me.person.roles || []).map(r => BEGINS[r]).find(v => v);
  return all.find(d => d.id === location.hash.slice(1)) || !hasRole(LEAD) && all.find(d => d.id === begins) || all[0];
};

function Door() {
  const locked = B.phase === 'locked';
  const [person, setPerson] = useState(locked && B.me ? B.me.person.id : ''), [pin, setPin] = useState(''), [error, setError] = useState(''), [busy, setBusy] = useState(false);
  const enter = async e => {
    e.preventDefault();
    setBusy(true);
    setError('');
    try {
      await login(person.trim(), pin);
    } catch (err) {
      setError(err.kind === 'gone' ? _('连不上服务器，请稍后再试') : err.message);
      setBusy(false);
    }
  };
  return (
    <main class="door">
      <h1>{_('回访')} · {_('登录')}</h1>
      {locked && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> {_('登录到期或久未操作，请再输一次口令。写了一半的都还在。')}</p>}
      <form onSubmit={enter}>
        <label for="person">{_('工号')}</label>
        <input id="person" autocomplete="username" autocapitalize="off" spellcheck={false} required readOnly={locked} value={person} onInput={e => setPerson(e.target.value)} ref={e => e && !person && !document.activeElement.closest('form') && e.focus()} />
        <label for="pin">{_('口令')}</label>
        <input id="pin" type="password" autocomplete="current-password" required value={pin} onInput={e => setPin(e.target.value)} />
        <p class="error" role="alert">{error && <span><b aria-hidden="true">✗</b> {error}</span>}</p>
        <button type="submit" class="main" disabled={busy}>{_('登录')}</button>
      </form>
      {locked && <button type="button" class="plain" onClick={logout}>{_('换人登录')}</button>}
    </main>
  );
}

export const other = () => {
  const lang = B.lang === 'zh' ? 'en' : 'zh';
  localStorage.setItem('huifang-lang', lang);
  set({lang});
};

function Help() {
  const all = [...B.keys, {key: '↑ ↓', text: '上一行、下一行'}, {key: 'Ctrl+Enter', text: '送出这张表'}];
  return <section class="help" id="help" aria-label={_('按键')}><h2>{_('按键')}</h2><ul>{all.map(k => <li key={k.key + k.text}><kbd>{k.key}</kbd> {_(k.text)}</li>)}</ul></section>;
}

export function App() {
  document.documentElement.lang = B.lang === 'zh' ? 'zh-CN' : 'en';
  B.keys = [];
  B.sheets = new Map();
  beginDraw();
  if (B.phase === 'start') return <p class="loading">{_('正在打开…')}</p>;
  if (B.phase !== 'board') return <Door />;
  use('people');
  B.campaign = use('campaign').data || B.campaign; /* stage and pass move on */
  const view = here(), p = B.me.person, View = view.View, c = B.campaign;
  const [sign, text, kind] = B.office === 'gone' ? ['✗', '服务器断开', 'bad'] : B.link === 'down' ? ['▲', '离线中，记下的会补送', 'warn'] : ['●', '已连接', 'ok'];
  document.title = `${_(view.text)} · ${_('回访')}`;
  return (
    <div class="board">
      <header class="top">
        <h1>{c.title || _('回访')}{c.stage ? ` · ${_('阶段')} ${c.stage}` : ''}{c.pass ? ` · ${B.lang === 'zh' ? `第 ${c.pass} 批` : `pass ${c.pass}`}` : ''}</h1>
        <p class="me">{p.name ? `${p.name} ${p.id}` : p.id} · {(p.roles || []).map(r => B.lang === 'zh' ? ROLES[r] || r : r).join(' ')}{p.team ? ` · ${p.team}` : ''}</p>
        <time>{clock(clockNow())}</time>
        <p class={`link ${kind}`} id="link" role="status"><b aria-hidden="true">{sign}</b> {_(text)}</p>
        <p class="outs">
          <button type="button" class="small" onClick={() => refresh(true)}><kbd>r</kbd> {_('刷新')}</button>
          <button type="button" class="small" id="lang" onClick={other}><kbd>l</kbd> {B.lang === 'zh' ? 'English' : '中文'}</button>
          <button type="button" class="small" aria-pressed={B.help} onClick={() => set({help: !B.help})}><kbd>F1</kbd> {_('按键')}</button>
          <button type="button" class="small" onClick={logout}>{_('退出')}</button>
        </p>
      </header>
      <nav aria-label={_('页面')}>{doors().map(d => <a key={d.id} href={`#${d.id}`} aria-current={d.id === view.id ? 'page' : undefined}>{d.key && <kbd>{d.key}</kbd>} {_(d.text)}</a>)}
        {hasRole(['caller', 'leader', 'deputy', 'strike', 'strike-head']) && <a href="/">{_('记录页')}</a>}</nav>
      {!B.home && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> {_('这台机器不是服务器，报表看不到；名单和操作照常。')}</p>}
      <p class={B.notice ? `notice ${B.notice.kind}` : 'empty'} role="status">{B.notice && B.notice.text}</p>
      <Said />
      <main><View key={view.id} /></main>
      {B.help && <Help />}
    </div>
  );
}
