/* What everybody must have read: a new script, a new stage. Read marks are the person's, in this browser. */
import {S, changed} from './store.js';
import {clockNow, when} from './time.js';

const place = () => `huifang-read-${S.owner}`;

function marks() {
  try {
    return JSON.parse(localStorage.getItem(place())) || {};
  } catch (e) {
    return {};
  }
}

function read(id) {
  try {
    localStorage.setItem(place(), JSON.stringify({...marks(), [id]: clockNow()}));
  } catch (e) {
    /* It stays unread. */
  }
  changed();
}

function news() {
  const {script = {}, stage, pass, title} = S.campaign, out = [];
  if (script.version) out.push({id: `script ${title} ${script.version} ${stage || ''}`, text: `话术 ${script.version}`, more: script.by ? `${script.by} ${script.date || ''}` : '', lines: script.text || []});
  if (stage) out.push({id: `stage ${title} ${stage} ${pass || ''}`, text: `现在是阶段 ${stage}${pass ? `，第 ${pass} 批` : ''}`, lines: []});
  return out;
}

export const unread = () => {
  const m = marks();
  return news().filter(n => !m[n.id]).length;
};

export function News() {
  const m = marks(), all = news();
  return (
    <ul class="news">
      {all.map(n => (
        <li key={n.id}>
          <p class="bar"><b>{n.text} {n.more && <i lang="zh">{n.more}</i>}</b> {m[n.id] ? <span class="soft">✓ {when(m[n.id], clockNow())} 读过</span> : <button type="button" class="main" onClick={() => read(n.id)}>读过了</button>}</p>
          {n.lines.length > 0 && <ol>{n.lines.map((l, i) => <li key={i} lang="zh">{l.text || l}</li>)}</ol>}
        </li>
      ))}
      {all.length === 0 && <li>没有通知</li>}
    </ul>
  );
}
