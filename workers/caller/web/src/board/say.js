/* How an act is said to the office. */
import {parseLocal, wire} from '../time.js';

export const bytes = t => new TextEncoder().encode(String(t)).length;
export const REASON = 48; /* bytes of a reason; what is longer goes into the note as well */

const clean = fields => Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== '' && v !== null && v !== undefined));
export function say(kind, fields, {c, note} = {}) {
  const o = {do: 'act', kind, fields: clean(fields)};
  if (c) o.case = c;
  if (note) o.note = note;
  return [o];
}
export const timeOf = text => text ? wire(parseLocal(text)) : '';
export const ref = row => ({ref_ob: row.ob, ref_seq: row.seq});
