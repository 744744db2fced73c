/* An act at a row: its keys, its form, its error where it was made. */
import {useLayoutEffect} from 'preact/hooks';
import {B, act, changed, set} from './state.js';
import {_} from './lang.js';
import {bytes} from './say.js';

/* An act: {key, id, text, fields: [{name, head, kind, options, needed, first}], say(row, values) -> commands, note}. */
export const typedOf = (a, key) => {
  const id = `${a.id}|${key}`;
  if (!B.typed.has(id)) B.typed.set(id, {values: {}, error: '', busy: false});
  return B.typed.get(id);
};
const first = () => document.querySelector('.act [name], .act button');

/* The form takes the focus when it is painted (ActForm), or now if it is there already. */
export function open(a, row, key) {
  set({act: {id: a.id, key}});
  if (document.querySelector(`.act[data-act="${a.id}"]`)) first().focus();
}

const valuesOf = (a, row, t) => Object.fromEntries(a.fields.map(f => [f.name, t.values[f.name] !== undefined ? t.values[f.name] :
  typeof f.first === 'function' ? f.first(row) : f.first !== undefined ? f.first : '']));

export async function send(a, row, key) {
  const t = typedOf(a, key), values = valuesOf(a, row, t);
  if (t.busy) return;
  const lacks = a.fields.find(f => f.needed && !String(values[f.name]).trim());
  const long = a.fields.find(f => f.most && bytes(values[f.name]) > f.most);
  if (lacks || long) {
    t.error = lacks ? `${_('还缺')}：${_(lacks.head)}` : `${_('太长了')}：${_(long.head)}`;
    changed();
    const field = document.querySelector(`.act [name="${(lacks || long).name}"]`);
    if (field) field.focus();
    return;
  }
  t.busy = true;
  t.error = '';
  changed();
  try {
    if (a.run) await a.run(row, values);
    else await act(`${_(a.text)}${row && (row.name || row.person) ? ` · ${row.name || row.person}` : ''}`, await a.say(row, values));
    B.typed.delete(`${a.id}|${key}`);
    set({act: null});
    const back = document.querySelector('tr.now .pick') || document.querySelector('.pick');
    if (back) back.focus();
  } catch (e) {
    t.busy = false;
    t.error = e.kind === 'gone' && !e.error.text ? _('连不上服务器，写的都还在，请再按一次') : e.kind === 'login' ? _('登录到期，写的都还在') : e.message;
    if (e.done) t.error += `（${_('已做')} ${e.done}）`;
    if (e.kind === 'login') set({phase: 'locked'});
    changed();
  }
}

function Field({f, value, onValue}) {
  const id = `f-${f.name}`, common = {id, name: f.name, value, 'aria-required': !!f.needed, onInput: e => onValue(e.target.value)};
  const options = typeof f.options === 'function' ? f.options() : f.options;
  return (
    <p class="field">
      <label for={id}>{_(f.head)}{f.needed && <span aria-hidden="true"> *</span>}</label>
      {f.kind === 'text' ? <textarea {...common} rows={3} /> :
        f.kind === 'choice' ? <select {...common}>{!f.needed || !options.some(o => o[0] === value) ? <option value="">—</option> : null}
          {options.map(([v, name]) => <option key={v} value={v}>{_(name)}</option>)}</select> :
          <input {...common} type={f.kind === 'time' ? 'datetime-local' : f.kind === 'number' ? 'number' : f.kind === 'pin' ? 'password' : 'text'} list={options ? `${id}-l` : undefined} autocomplete="off" />}
      {options && f.kind !== 'choice' && <datalist id={`${id}-l`}>{options.map(([v, name]) => <option key={v} value={v}>{name}</option>)}</datalist>}
    </p>
  );
}

export function ActForm({a, row, of}) {
  const t = typedOf(a, of), values = valuesOf(a, row, t);
  useLayoutEffect(() => first().focus(), [a.id, of]);
  return (
    <form class="act" data-act={a.id} onSubmit={e => { e.preventDefault(); send(a, row, of); }} aria-label={_(a.text)}>
      <h3>{_(a.text)}</h3>
      {a.note && <p class="hint">{_(a.note)}</p>}
      {a.fields.map(f => <Field key={f.name} f={f} value={values[f.name]} onValue={v => { t.values[f.name] = v; t.error = ''; changed(); }} />)}
      {a.preview && a.preview(row, values)}
      <p class="error" role="alert">{t.error && <span><b aria-hidden="true">✗</b> {t.error}</span>}</p>
      <p class="line">
        <button type="submit" class="main" disabled={t.busy}><kbd>Ctrl+Enter</kbd> {_(a.go || a.text)}</button>
        <button type="button" onClick={() => set({act: null})}>{_('收起')}</button>
      </p>
    </form>
  );
}

/* The buttons of a row, or of a view (row null), and the form that is open. */
export function Acts({acts, row, of}) {
  B.keys.push(...acts.map(a => ({key: a.key, text: a.text, run: () => open(a, row, of)})));
  const now = B.act && B.act.key === of && acts.find(a => a.id === B.act.id);
  return (
    <div class="acts">
      <p class="buttons">
        {acts.map(a => <button key={a.id} type="button" data-open={a.id} aria-pressed={!!now && now.id === a.id} onClick={() => open(a, row, of)}>
          <kbd>{a.key}</kbd> {_(a.text)}{B.typed.has(`${a.id}|${of}`) && Object.keys(B.typed.get(`${a.id}|${of}`).values).length ? ' ✎' : ''}</button>)}
      </p>
      {now && <ActForm a={now} row={row} of={of} />}
    </div>
  );
}

/* What became of the acts of this session. */
const STATE = {stored: ['▣', '已存'], effective: ['✓', '已受理'], late: ['▲', '迟到，没有移动'], quarantined: ['▲', '存疑'], refused: ['✗', '没收下']};
export function Said() {
  return (
    <ul class="said" aria-label={_('刚才做的')} aria-live="polite">
      {B.acts.slice(0, 4).map(a => <li key={a.id} data-state={a.state}><b aria-hidden="true">{STATE[a.state] ? STATE[a.state][0] : '?'}</b> {_(STATE[a.state] ? STATE[a.state][1] : a.state)} {a.title}{a.why ? ` (${a.why})` : ''}</li>)}
    </ul>
  );
}
