/* Several people of the own list with one result: a message to ten parents is one thing to note. Each is still a record of
 * its own, with a lease of its own; who has something typed already, or cannot be opened, is left out and named. */
import {useState} from 'preact/hooks';
import {command} from './actions.js';
import {blank, edit, isTyped} from './drafts.js';
import {ordered} from './order.js';
import {outcome} from './outcomes.js';
import * as records from './records.js';
import {matches} from './search.js';
import {S, hand, say, set} from './store.js';
import {at, clockNow, parseLocal, local, when, ms} from './time.js';

/* What needs nothing but itself. */
const CODES = [['sms-sent', 'im-requested', 'no-answer', 'busy', 'powered-off', 'suspended', 'no-signal', 'screened'],
  ['following', 'sms-sent', 'im-requested', 'no-answer', 'powered-off', 'suspended', 'no-signal']];
const LIMIT_MS = 30000;

async function until(condition) {
  const end = Date.now() + LIMIT_MS;
  while (!condition() && Date.now() < end) await new Promise(r => setTimeout(r, 50));
  return condition();
}

/* The task of a case that is in hand now, or is taken; null when it may not be. */
async function inHand(c) {
  const held = () => hand().find(t => t.case === c);
  if (held()) return held();
  set({none: null});
  if (!await command({do: 'take', case: c})) return null;
  await until(() => held() || S.none);
  return held() || null;
}

async function one(c, code, next, note) {
  if (isTyped(c)) return '有草稿，请单独记';
  const t = await inHand(c);
  if (!t) return S.none ? S.none.text : '打不开';
  await edit(c, {...blank(c, 1), outcome: code, channel: outcome(code, S.campaign).channel || 'phone', next: next ? {do: 'call', at: next} : {rule: true}, note});
  await records.save(t, 'only');
  await until(() => !S.inhand.includes(c));
  return null;
}

async function all(rows, code, next, note, step) {
  const left = [];
  set({many: true});
  try {
    for (const [i, r] of rows.entries()) {
      step(i + 1);
      const why = await one(r.case, code, next, note);
      if (why) left.push(`${r.name || '?'}（${why}）`);
    }
  } finally {
    set({many: false});
  }
  return left;
}

export function Many() {
  const [marked, setMarked] = useState([]), [find, setFind] = useState(''), [code, setCode] = useState(''), [next, setNext] = useState(null), [note, setNote] = useState(''), [step, setStep] = useState(0);
  const now = clockNow(), rows = ordered(S.rows, now).filter(r => matches(r, find)), codes = CODES[(S.campaign.stage || 2) >= 3 ? 1 : 0];
  const toggle = c => setMarked(marked.includes(c) ? marked.filter(x => x !== c) : [...marked, c]);
  const save = async e => {
    e.preventDefault();
    if (marked.length === 0 || !code) return say('先勾人，再选结果', 'warn');
    const chosen = S.rows.filter(r => marked.includes(r.case)), left = await all(chosen, code, next, note, setStep);
    set({dialog: null});
    return say(left.length ? `记了 ${chosen.length - left.length} 位；没记：${left.join('、')}` : `${chosen.length} 位都记了：${outcome(code, S.campaign).text}`, left.length ? 'warn' : 'ok');
  };
  return (
    <form onSubmit={save} class="many">
      <label for="many-find">找人 <input id="many-find" type="search" autocomplete="off" value={find} onInput={e => setFind(e.target.value)} autofocus /></label>
      <ul class="marks" aria-label="勾人">
        {rows.slice(0, 100).map(r => (
          <li key={r.case}><label><input type="checkbox" checked={marked.includes(r.case)} onChange={() => toggle(r.case)} /> <b lang="zh">{r.name || '?'}</b> <span class="soft">{r.due ? when(ms(r.due), now) : r.class_text || ''}</span></label></li>
        ))}
      </ul>
      <fieldset>
        <legend>结果</legend>
        {codes.map(c => <label key={c} class="chip"><input type="radio" name="many-code" checked={code === c} onChange={() => setCode(c)} /> {outcome(c, S.campaign).text}</label>)}
      </fieldset>
      <fieldset>
        <legend>下一步</legend>
        <label class="chip"><input type="radio" name="many-next" checked={!next} onChange={() => setNext(null)} /> 按规则</label>
        {[['明天 10:00', at(now, 1, 10)], ['明天 19:00', at(now, 1, 19)]].map(([text, t]) => <label key={text} class="chip"><input type="radio" name="many-next" checked={next === t} onChange={() => setNext(t)} /> {text}</label>)}
        <label class="chip">另定 <input type="datetime-local" min={local(now)} value={next ? local(next) : ''} onChange={e => setNext(parseLocal(e.target.value))} /></label>
      </fieldset>
      <label for="many-note">备注 <textarea id="many-note" rows={1} maxlength={1300} value={note} onInput={e => setNote(e.target.value)} /></label>
      <p><button type="submit" class="main" disabled={S.many}>{S.many ? `正在记第 ${step} 位…` : `记 ${marked.length} 位`}</button></p>
    </form>
  );
}
