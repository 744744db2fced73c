/* The own list: who first and why; found by name, pinyin or digits. What is in hand stands on top. */
import {take} from './actions.js';
import {isTyped} from './drafts.js';
import {S, hand, set} from './store.js';
import {classOf, ordered} from './order.js';
import {rungOf} from './message.js';
import {isWaiting} from './records.js';
import {matches} from './search.js';
import {clockNow, ms, when} from './time.js';
import {CLASSES, why} from './words.js';

function Row({row, now, open, first}) {
  const due = ms(row.due), inHand = hand().some(t => t.case === row.case), k = classOf(row, now), cut = S.office === 'gone' || S.link === 'down';
  const text = CLASSES.find(c => c[0] === k), name = row.name || '(没有姓名)', odd = /\?\?|？/.test(name);
  return (
    <li>
      <button type="button" data-row={row.case} class={`row ${inHand ? 'hand' : k} ${cut && inHand ? 'cut' : ''} ${S.current === row.case ? 'now' : ''}`} aria-current={S.current === row.case ? 'true' : undefined}
        tabindex={first || S.current === row.case ? 0 : -1} onClick={() => open(row.case)} disabled={cut && !inHand}>
        <span class="row-name">{inHand ? '▶ ' : ''}<b lang="zh">{name}</b>{odd && <em> ! 姓名缺字，先核对</em>}{isTyped(row.case) && <em> ✎草稿</em>}</span>
        <span class="row-due">{inHand ? cut ? '离线中，照常记录' : '在手' : isWaiting(row.case) ? '⇡ 已记，待送' : due ? `${k === 'due' ? '● ' : ''}${when(due, now)}` : ''}</span>
        <span class="row-why">{row.why ? why(row.why) : row.class_text || (text ? text[1] : '')}<i lang="zh">{rungOf(row.why)}</i>{!row.why && row.major && <i lang="zh"> · {row.major}</i>}{row.last_text ? ` · 上次 ${row.last_text}` : ''}</span>
        <span class="row-count">{row.tries > 0 ? `${row.contacts || 0}次 ${row.minutes || 0}分` : row.tries === 0 ? '还没打过' : ''}</span>
      </button>
    </li>
  );
}

export function List({open = c => take({case: c})}) {
  const now = clockNow(), rows = ordered(S.rows, now), shown = rows.filter(r => (!S.only || classOf(r, now) === S.only) && matches(r, S.find));
  const extra = hand().filter(t => !S.rows.some(r => r.case === t.case) && matches(t, S.find));
  const kinds = CLASSES.map(([k, text]) => [k, text, rows.filter(r => classOf(r, now) === k).length]).filter(k => k[2] > 0);
  return (
    <nav class="list" aria-labelledby="h-list">
      <h2 id="h-list">我的名单 {S.rows.length + hand().filter(t => !S.rows.some(r => r.case === t.case)).length}</h2>
      <label class="find" for="find"><kbd>/</kbd> 姓名、拼音、考生号
        <input id="find" type="search" autocomplete="off" spellcheck={false} value={S.find} onInput={e => set({find: e.target.value})} />
      </label>
      <p class="kinds">
        {kinds.map(([k, text, n]) => (
          <button key={k} type="button" class="chip" aria-pressed={S.only === k ? 'true' : 'false'} onClick={() => set({only: S.only === k ? null : k})}>{text} {n}</button>
        ))}
      </p>
      <ul id="list" aria-label="名单">
        {extra.map((t, i) => <Row key={t.case} row={{case: t.case, name: t.name, due: t.due, class: 'due', why: t.why}} now={now} open={open} first={i === 0} />)}
        {shown.slice(0, 200).map((r, i) => <Row key={r.case} row={r} now={now} open={open} first={i === 0 && extra.length === 0} />)}
        {shown.length + extra.length === 0 && <li class="hint">{S.find ? '名单里没有。别人打来的号码用 F2 查' : S.only ? '这一类没有人' : '名单还是空的：按 N 要下一位'}</li>}
      </ul>
      {shown.length > 200 && <p class="hint">还有 {shown.length - 200} 人，再打几个字就少了</p>}
      <p class="hint order">先后：在手 › 到点 › 未打 › 犹豫 › 失联</p>
      <div class="doors">
        <button type="button" onClick={() => set({dialog: 'inbound'})}><kbd>F2</kbd> 有人打回来了</button>
        <p class="two"><button type="button" onClick={() => set({dialog: 'many'})}><kbd>F10</kbd> 一起记</button> <button type="button" onClick={() => set({dialog: 'today'})}><kbd>F4</kbd> 今天记的</button>
          <button type="button" onClick={() => set({dialog: 'print'})}><kbd>P</kbd> 打印</button> <button type="button" onClick={() => set({dialog: 'typein'})}>补录</button></p>
      </div>
    </nav>
  );
}
