/* What everybody must have read: a new script, a new stage. A read mark is the person's own record; this browser remembers it
 * too, and sends again what did not go out. */
import {useEffect} from 'preact/hooks';
import {S, changed} from './store.js';
import {notices} from './notices.js';
import {clockNow, when} from './time.js';
import * as api from './api.js';

const place = () => `huifang-read-${S.owner}`;

/* id -> {at, sent} */
function marks() {
  try {
    return JSON.parse(localStorage.getItem(place())) || {};
  } catch (e) {
    return {};
  }
}

function keep(id, mark) {
  try {
    localStorage.setItem(place(), JSON.stringify({...marks(), [id]: mark}));
  } catch (e) {
    /* It stays unread. */
  }
  changed();
}

async function tell(id, at) {
  try {
    const said = await api.command({do: 'act', kind: 'note', fields: {what: `read:${id}`}, id: api.uuid7()});
    if (said.stored) keep(id, {at, sent: true});
  } catch (e) {
    /* Told the next time. */
  }
}

function read(id) {
  const at = clockNow();
  keep(id, {at, sent: false});
  tell(id, at);
}

/* What was read in another browser; what was read here and not told. */
async function compare() {
  for (const [id, m] of Object.entries(marks())) if (m.sent === false) tell(id, m.at);
  try {
    for (const r of (await api.report('reads', {person: S.owner})).data.reads) if (!marks()[r.notice]) keep(r.notice, {at: r.at, sent: true});
  } catch (e) {
    /* This machine is not the server: what is known here counts. */
  }
}

export const unread = () => {
  const m = marks();
  return notices(S.campaign).filter(n => !m[n.id]).length;
};

export function News() {
  const m = marks(), all = notices(S.campaign);
  useEffect(() => { compare(); }, []);
  return (
    <ul class="news">
      {all.map(n => (
        <li key={n.id}>
          <p class="bar"><b>{n.text} {n.more && <i lang="zh">{n.more}</i>}</b> {m[n.id] ? <span class="soft">✓ {when(m[n.id].at, clockNow())} 读过</span> : <button type="button" class="main" onClick={() => read(n.id)}>读过了</button>}</p>
          {n.lines.length > 0 && <ol>{n.lines.map((l, i) => <li key={i} lang="zh">{l.text || l}</li>)}</ol>}
        </li>
      ))}
      {all.length === 0 && <li>没有通知</li>}
    </ul>
  );
}
