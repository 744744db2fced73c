/* A table: sorted by its heads, filtered by /, walked with the arrows, exported and printed as it stands. */
import {B, called, changed, set} from './state.js';
import {_} from './lang.js';
import {clock, ms} from '../time.js';

const text = v => v === null || v === undefined ? '' : String(v);
/* What is in a cell for sorting and for the sheet; a column shows something else by `show`. */
const PERSONS = ['person', 'who', 'owner', 'asked_by', 'checker', 'by', 'subject', 'to'];
const value = (col, row) => {
  const v = col.of ? col.of(row) : row[col.key];
  return PERSONS.includes(col.key) ? called(v) : v;
};

export function visible(s) {
  const find = (B.finds[s.id] || '').trim().toLowerCase(), sort = B.sorts[s.id];
  let rows = s.rows || [];
  if (find) rows = rows.filter(r => s.cols.some(c => text(value(c, r)).toLowerCase().includes(find)));
  if (!sort) return rows;
  const col = s.cols.find(c => c.key === sort.key) || s.cols[0], way = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = col.by ? col.by(a) : value(col, a), y = col.by ? col.by(b) : value(col, b);
    return way * (col.num && x !== '' && y !== '' && !isNaN(x) && !isNaN(y) ? Number(x) - Number(y) : typeof x === 'number' && typeof y === 'number' ? x - y : text(x).localeCompare(text(y), 'zh-CN'));
  });
}

/* A cell that a spreadsheet would take for a formula gets an apostrophe, a long number stays text. */
function cell(v) {
  let t = text(v);
  if (/^[=+\-@\t]/.test(t) && !/^-?\d+(\.\d+)?$/.test(t)) t = `'${t}`;
  if (/^\d{12,}$/.test(t)) t = `\t${t}`;
  return /[",\n\r\t]/.test(t) ? `"${t.replace(/"/g, '""')}"` : t;
}
export const csv = s => '\ufeff' + [s.cols.map(c => cell(_(c.head))), ...visible(s).map(r => s.cols.map(c => cell(value(c, r))))]
  .map(line => line.join(',')).join('\r\n') + '\r\n';

export function save(s) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([csv(s)], {type: 'text/csv'}));
  a.download = `${s.file || s.id}.csv`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
export function print(s) {
  document.body.dataset.print = s ? s.id : '';
  window.print();
}
window.addEventListener('afterprint', () => { delete document.body.dataset.print; });

export const keyOf = (s, row) => s.name ? s.name(row) : row.case || row.id || row.person || JSON.stringify(row);
export const pickedIn = s => {
  const rows = visible(s);
  return rows.find(r => keyOf(s, r) === B.picked[s.id]) || null;
};
export function pick(s, row) {
  B.picked[s.id] = keyOf(s, row);
  set({sheet: s.id, act: B.act && B.act.key === keyOf(s, row) ? B.act : null});
}

function sortBy(s, col) {
  const had = B.sorts[s.id];
  B.sorts[s.id] = had && had.key === col.key ? {key: col.key, down: !had.down} : {key: col.key, down: !!col.num};
  changed();
}

function Head({s, col}) {
  const sort = B.sorts[s.id], on = sort && sort.key === col.key;
  return (
    <th scope="col" class={col.num ? 'num' : ''} aria-sort={on ? sort.down ? 'descending' : 'ascending' : undefined}>
      <button type="button" class="sort" onClick={() => sortBy(s, col)}>{_(col.head)}<span aria-hidden="true">{on ? sort.down ? ' ▾' : ' ▴' : ''}</span></button>
    </th>
  );
}

export function Sheet(s) {
  B.sheets.set(s.id, s);
  const rows = visible(s), first = rows[0] && keyOf(s, rows[0]), on = rows.some(r => keyOf(s, r) === B.picked[s.id]) ? B.picked[s.id] : first, all = (s.rows || []).length, src = s.src || {};
  return (
    <section class="sheet" id={s.id} aria-labelledby={`h-${s.id}`}>
      <div class="sheet-head">
        <h2 id={`h-${s.id}`}>{_(s.title)} <span class="soft num">{rows.length === all ? all : `${rows.length}/${all}`}</span></h2>
        <label class="finder"><span class="off-screen">{_('筛选')} {_(s.title)}</span>
          <input type="search" data-find={s.id} placeholder={`/ ${_('筛选')}`} value={B.finds[s.id] || ''}
            onInput={e => { B.finds[s.id] = e.target.value; changed(); }} /></label>
        {src.asof && <span class="soft asof">{_('截至')} {clock(ms(src.asof))}</span>}
        <button type="button" class="small" onClick={() => save(s)}><kbd>e</kbd> {_('导出')}</button>
        <button type="button" class="small" onClick={() => print(s)}><kbd>p</kbd> {_('打印')}</button>
      </div>
      {src.error && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> {src.error}</p>}
      <div class="rows" tabIndex={-1}>
        <table>
          <caption class="off-screen">{_(s.title)}</caption>
          <thead><tr>{s.cols.map(c => <Head key={c.key} s={s} col={c} />)}</tr></thead>
          <tbody>
            {rows.map(r => {
              const key = keyOf(s, r), now = key === on;
              return (
                <tr key={key} data-row={key} data-sheet={s.id} class={now ? 'now' : ''} onClick={() => pick(s, r)}>
                  {s.cols.map((c, i) => {
                    const inner = c.show ? c.show(r) : text(value(c, r));
                    return i === 0 ? <th scope="row" key={c.key}><button type="button" class="pick" data-pick={s.id} aria-pressed={now}
                      onFocus={() => B.picked[s.id] !== key && pick(s, r)}><span class="mark" aria-hidden="true">{now ? '▶' : ''}</span>{inner}</button></th> :
                      <td key={c.key} class={c.num ? 'num' : c.wide ? 'wide' : ''}>{inner}</td>;
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
        {rows.length === 0 && <p class="hint none">{src.busy && !src.at ? _('正在取…') : src.error ? '' : _(s.empty || '没有')}</p>}
      </div>
    </section>
  );
}
