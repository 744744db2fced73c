/* The order of work: what is in hand, what is due, then class by class, as practice has it. */
import {hand} from './store.js';
import {ms} from './time.js';
import {CLASSES} from './words.js';

const ALIKE = {promise: 'due', retry: 'due', new: 'first', hand: 'later'};
const rank = k => {
  const i = CLASSES.findIndex(c => c[0] === k);
  return i < 0 ? CLASSES.length : i;
};

export function classOf(row, now) {
  const k = ALIKE[row.class] || row.class || 'due', due = ms(row.due);
  return k === 'due' && due !== null && due > now ? 'later' : k;
}

export function ordered(rows, now) {
  const held = new Set(hand().map(t => t.case)), key = r => {
    const k = classOf(r, now);
    return held.has(r.case) ? -2 : rank(k);
  };
  return [...rows].sort((a, b) => key(a) - key(b) || (ms(a.due) || 0) - (ms(b.due) || 0) || (a.case < b.case ? -1 : 1));
}
