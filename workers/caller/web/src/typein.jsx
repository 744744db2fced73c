/* 补录: what was written on paper while the server was down. It is the desk's own form with two fields more; the record says
 * that it was typed later, and when the call was. After each the next one is chosen here again. */
import {useState} from 'preact/hooks';
import {take} from './actions.js';
import {edit} from './drafts.js';
import {ordered} from './order.js';
import {matches} from './search.js';
import {S, hand, set} from './store.js';
import {clockNow, local, ms, parseLocal, when} from './time.js';

export function TypeIn() {
  const [find, setFind] = useState(''), now = clockNow(), held = hand(), rows = [...held, ...ordered(S.rows, now).filter(r => !held.some(t => t.case === r.case))].filter(r => matches(r, find));
  const open = c => {
    edit(c, {typed: {at: Math.floor(clockNow() / 60000) * 60000, minutes: 0}});
    set({atList: false});
    take({case: c});
  };
  const first = e => {
    e.preventDefault();
    if (rows.length > 0) open(rows[0].case);
  };
  return (
    <form onSubmit={first}>
      <p>纸上记的，一条一条录：选人，填打的时间、分钟和结果，Ctrl+S 保存，接着选下一个。</p>
      <label for="typein-find">找人（回车打开第一个） <input id="typein-find" type="search" autocomplete="off" value={find} onInput={e => setFind(e.target.value)} autofocus /></label>
      <ul class="found marks">
        {rows.slice(0, 60).map(r => <li key={r.case}><button type="button" onClick={() => open(r.case)}><b lang="zh">{r.name || '?'}</b> <span class="soft">{r.due ? when(ms(r.due), now) : ''}</span></button></li>)}
      </ul>
    </form>
  );
}

export function Typed({task, d}) {
  if (!d.typed) return null;
  const put = more => edit(task.case, {typed: {...d.typed, ...more}});
  return (
    <fieldset class="typed">
      <legend>补录</legend>
      <label class="chip">打的时间 <input type="datetime-local" max={local(clockNow())} value={local(d.typed.at)} onChange={e => e.target.value && put({at: parseLocal(e.target.value)})} /></label>
      <label class="chip">通话 <input type="number" min={0} max={600} value={d.typed.minutes} onInput={e => put({minutes: Math.max(0, Math.min(600, Number(e.target.value) || 0))})} /> 分</label>
      <button type="button" class="small" onClick={() => edit(task.case, {typed: null})}>不是补录</button>
    </fieldset>
  );
}
