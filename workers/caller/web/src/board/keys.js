/* The board's keys, one listener. Keys of an input method are passed over; bare keys act outside of fields only, their
 * Alt form always; Escape and Ctrl+Z are nobody's. */
import {composing} from '../ime.js';
import {doors, here, other} from './app.jsx';
import {print, save, visible} from './sheet.jsx';
import {B, refresh, set, touched} from './state.js';

const TEXT = 'textarea, select, input:not([type=checkbox]):not([type=radio])';

/* The sheet that was used last, else the first on the page. */
const sheet = () => B.sheets.get(B.sheet) || [...B.sheets.values()][0];
const general = {
  e: () => sheet() && save(sheet()), p: () => sheet() && print(sheet()), r: () => refresh(true), l: other,
  '/': () => {
    const f = sheet() && document.querySelector(`[data-find="${sheet().id}"]`);
    if (f) f.focus();
  },
};

function walk(e) {
  const s = sheet(), inFind = e.target.matches('[data-find]');
  if (!s || e.target.matches(TEXT) && !inFind) return false;
  const rows = [...document.querySelectorAll(`[data-pick="${inFind ? e.target.dataset.find : s.id}"]`)];
  if (!rows.length || !visible(s).length) return false;
  const at = rows.findIndex(x => x.getAttribute('aria-pressed') === 'true'), on = rows.includes(document.activeElement);
  const to = !on ? Math.max(at, 0) : at + (e.key === 'ArrowDown' ? 1 : -1);
  (rows[to] || rows[Math.max(at, 0)]).focus();
  return true;
}

export function onKey(e) {
  if (composing(e)) return;
  touched();
  if (B.phase !== 'board') return;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key, form = document.querySelector('form.act');
  let run = null;
  if ((e.ctrlKey || e.metaKey) && key === 'Enter') run = form && (() => form.requestSubmit());
  else if (e.ctrlKey || e.metaKey) return;
  else if (key === 'F1') run = () => set({help: !B.help});
  else if (key === 'ArrowDown' || key === 'ArrowUp') {
    if (walk(e)) e.preventDefault();
    return;
  } else if (e.altKey || !e.target.matches || !e.target.matches(TEXT)) {
    const own = B.keys.find(k => k.key === key), door = doors().find(d => d.key && d.key === key && d.id !== here().id);
    run = own ? own.run : door ? () => { location.hash = door.id; } : general[key];
  }
  if (!run) return;
  e.preventDefault();
  if (!e.repeat) run();
}
