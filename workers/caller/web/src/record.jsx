/* The bar at the foot: the result in two keys at most, what it needs, the next step, and saving in one stroke. */
import {useEffect, useState} from 'preact/hooks';
import {letter, next, pick, press, save, toggleIn, undo} from './actions.js';
import {draftOf, edit} from './drafts.js';
import {DEFAULT_NEXT, KEYS, missing, more, outcome} from './outcomes.js';
import {undoable, UNDO_MS} from './records.js';
import {S, set} from './store.js';
import {Typed} from './typein.jsx';
import {at, clockNow, local, parseLocal, when} from './time.js';
import {CHANNELS, CONCERNS, SPOKE, STATES, STEPS} from './words.js';

const MINUTE = 60000, HOUR = 3600000;

export function Outcomes({picked}) {
  const keys = [...KEYS, more(S.campaign.stage || 2)], g = S.group;
  return (
    <div class="outcomes">
      <p role="group" aria-label="结果">
        {keys.map(k => {
          const on = k.code ? k.code === picked : k.codes.includes(picked);
          const text = k.code ? outcome(k.code, S.campaign).text : on ? outcome(picked, S.campaign).text : k.text;
          return (
            <button key={k.key} type="button" class="outcome" aria-pressed={on ? 'true' : 'false'} aria-expanded={k.codes ? g && g.key === k.key ? 'true' : 'false' : undefined}
              onClick={() => press(k)}><kbd>{k.key.toUpperCase()}</kbd> {on && <span aria-hidden="true">✓</span>}{text}{k.codes ? ' ›' : ''}</button>
          );
        })}
      </p>
      {g && (
        <p role="group" aria-label={g.text} class="group">
          <span>{g.text} ›</span>
          {g.codes.map((c, i) => (
            <button key={c} type="button" class="outcome" aria-pressed={c === picked ? 'true' : 'false'} onClick={() => pick(c)}><kbd>{i + 1}</kbd> {outcome(c, S.campaign).text}</button>
          ))}
        </p>
      )}
    </div>
  );
}

/* A time by preset or by hand. Presets that have gone by are left out. */
function Times({id, label, value, presets, onPick, rule}) {
  const now = clockNow(), near = t => value && Math.abs(value - t) < MINUTE;
  return (
    <fieldset class="times" data-times={id}>
      <legend>{label}</legend>
      {rule && <label class="chip"><input type="radio" name={id} checked={!value} onChange={() => onPick(null)} /> {rule}</label>}
      {presets.filter(p => p[1] > now).map(([text, t], i) => (
        <label key={text} class="chip"><input type="radio" name={id} id={i === 0 ? id : undefined} checked={!!near(t)} onChange={() => onPick(t)} /> {text}</label>
      ))}
      <label class="chip">另定 <input type="datetime-local" min={local(now)} value={value ? local(value) : ''} onChange={e => onPick(parseLocal(e.target.value))} /></label>
      {value && <span class="soft">{when(value, now)}</span>}
    </fieldset>
  );
}

export function NextStep({task, d, o}) {
  const now = clockNow(), nx = d.next || {}, set1 = m => edit(task.case, {next: m});
  if (o.final) return <p class="step soft">下一步：系统按「{o.text}」安排，不用填</p>;
  if (o.to) return <p class="step soft">下一步：{o.to}</p>;
  const presets = [['半小时后', now + HOUR / 2], ['1 小时后', now + HOUR], ['今天 19:00', at(now, 0, 19)], ['明天 10:00', at(now, 1, 10)],
    ['明天 19:00', at(now, 1, 19)]].map(p => [p[0], Math.ceil(p[1] / MINUTE) * MINUTE]);
  const needs = o.needs.includes('time');
  return (
    <div class="step">
      <Times id={needs ? 'time' : 'next'} label={needs ? '下一步（必填）：对方说的时间' : '下一步'} value={nx.at} presets={presets}
        rule={needs ? null : `按规则：${DEFAULT_NEXT[o.code] || '到时派给你'}`}
        onPick={t => set1(t ? {do: nx.do || 'call', at: t} : needs ? null : {rule: true})} />
      {nx.at && (
        <label class="chip">做什么
          <select value={nx.do || 'call'} onChange={e => set1({...nx, do: e.target.value})}>{STEPS.map(([c, text]) => <option key={c} value={c}>{text}</option>)}</select>
        </label>
      )}
    </div>
  );
}

function Spoke({task, d}) {
  return (
    <fieldset>
      <legend>谁接的</legend>
      {SPOKE.map(([c, text, key], i) => (
        <label key={c} class="chip"><input type="radio" name="spoke" data-need={i === 0 ? 'spoke' : undefined} checked={d.spoke === c} onChange={() => letter(key)} /> <kbd>{key.toUpperCase()}</kbd> {text}</label>
      ))}
    </fieldset>
  );
}

/* The campaign's own, when it says any. */
const concerns = () => S.campaign.concerns && S.campaign.concerns.length ? S.campaign.concerns.map(c => [c.code, c.text]) : CONCERNS;

const rowsFor = text => Math.min(4, text.split('\n').reduce((n, l) => n + 1 + Math.floor(l.length / 50), 0));

export function Text({task, d, id, field, label, max}) {
  return (
    <label class="text" for={id}><span>{label}</span>
      <textarea id={id} rows={rowsFor(d[field])} maxlength={max} value={d[field]} onInput={e => edit(task.case, {[field]: e.target.value})} />
    </label>
  );
}

export function Needs({task, d, o}) {
  const now = clockNow(), need = n => o.needs.includes(n), by = [['今天 20:00', at(now, 0, 20)], ['明天中午', at(now, 1, 12)], ['明天此时', Math.ceil((now + 24 * HOUR) / MINUTE) * MINUTE]];
  return (
    <div class="needs">
      {(need('spoke') || o.contact) && <Spoke task={task} d={d} />}
      {need('decide_by') && <Times id="decide_by" label="答复时限（必填）" value={d.decide_by} presets={by} onPick={t => edit(task.case, {decide_by: t})} />}
      {need('concerns') && (
        <fieldset>
          <legend>顾虑（必填，可多选）</legend>
          {concerns().map(([c, text], i) => (
            <label key={c} class="chip"><input type="checkbox" data-need={i === 0 ? 'concerns' : undefined} checked={d.concerns.includes(c)} onChange={() => toggleIn('concerns', c)} /> {text}</label>
          ))}
        </fieldset>
      )}
      {need('told') && <label class="chip"><input id="told" type="checkbox" checked={d.told} onChange={e => edit(task.case, {told: e.target.checked})} /> 已告知答复时限（必填）</label>}
      {need('words') && <Text task={task} d={d} id="words" field="words" label="对方原话（必填，不写评价）" max={300} />}
      {need('answered') && <Text task={task} d={d} id="answered" field="answered" label={o.code === 'third-party' ? '接的是谁（必填）' : '问的、接的是谁（必填）'} max={300} />}
    </div>
  );
}

export function Just() {
  const rec = S.records[S.records.length - 1], can = undoable(), [, again] = useState(0);
  useEffect(() => {
    if (!can) return undefined;
    const t = setInterval(() => again(n => n + 1), 500);
    return () => clearInterval(t);
  }, [can && can.id]);
  if (!rec) return <p class="just soft">还没有记录</p>;
  const [sign, text] = STATES[rec.state], left = can ? Math.ceil((UNDO_MS - (Date.now() - rec.at)) / 1000) : 0;
  return (
    <p class="just" role="status" id="just">刚才：<span lang="zh">{rec.name}</span>·{rec.what} <b><span aria-hidden="true">{sign}</span> {text}</b>
      {can && <button type="button" class="small" onClick={undo}><kbd>F8</kbd> 撤销 <span aria-hidden="true">{left} 秒</span></button>}</p>
  );
}

export function Record({task}) {
  if (!task) return <footer class="record"><Just /></footer>;
  const d = draftOf(task.case), o = d.outcome ? outcome(d.outcome, S.campaign) : null, lacks = missing(d, o);
  const question = o && o.needs.includes('question');
  return (
    <footer class="record" aria-label="记录">
      <Typed task={task} d={d} />
      <Outcomes picked={d.outcome} />
      {o && !S.group && (
        <div class="details">
          <Needs task={task} d={d} o={o} />
          <NextStep task={task} d={d} o={o} />
        </div>
      )}
      <div class="saving">
        <Text task={task} d={d} id={question ? 'question' : 'note'} field="note" max={1300}
          label={question ? `${o.code === 'data-error' ? '哪一项不对' : o.code.startsWith('papers') ? '材料情况' : '要问的事'}（必填）` : '备注'} />
        <label class="chip">途径
          <select value={d.channel} onChange={e => edit(task.case, {channel: e.target.value})}>{CHANNELS.map(([c, text]) => <option key={c} value={c}>{text}</option>)}</select>
        </label>
        <label class="chip"><input type="checkbox" checked={d.direction === 'in'} onChange={e => edit(task.case, {direction: e.target.checked ? 'in' : 'out'})} /> 对方打来的</label>
        <p class="buttons">
          <button type="button" class="main" onClick={() => save('next')}><kbd>Ctrl+Enter</kbd> 保存，下一位</button>
          <button type="button" onClick={() => save('only')}><kbd>Ctrl+S</kbd> 只保存</button>
          <button type="button" onClick={() => save('again')}><kbd>F7</kbd> 存，再打别的号码</button>
          <button type="button" onClick={() => set({dialog: 'back'})}><kbd>F9</kbd> 放回，不打</button>
          <button type="button" onClick={next} disabled={S.wantNext}>再要一位</button>
        </p>
        <p class={lacks.length > 0 ? 'lacks' : 'lacks none'} id="lacks">{lacks.length > 0 ? <span><b aria-hidden="true">▲</b> 还差：{lacks.map(l => l[1]).join('、')}</span> : <span><b aria-hidden="true">✓</b> 可以保存</span>}</p>
        <Just />
      </div>
    </footer>
  );
}
