/* The page's state, one object; whoever changes it says so, and the page is drawn again. Other tabs of the same person are
 * told that drafts or records changed, and read them again. */
import {changed, onChange} from './draw.js';

export {changed, onChange};
export const S = {
  phase: 'start', /* start, login, desk, locked */
  me: null, owner: '', office: 'up', link: 'up', /* office: up, gone, door: it wants a login */ campaign: {}, keepsAlive: true,
  tasks: new Map(), inhand: [], leaving: new Set(), current: null,
  rows: [], none: null, wantNext: false,
  drafts: new Map(), records: [], marks: {stored: 0, accepted: 0, settled: 0, released: 0},
  notice: null, dialog: null, group: null, seen: null, revealed: null, sent: new Set(),
  paper: null, find: '', only: null, bare: true, zero: false, /* a 0 before mobile numbers on this desk phone */
  heard: false, /* what is in hand is known: the stream said its first status */
  narrow: false, full: false, atList: false, many: false, /* 记一笔 on a telephone; the whole page all the same; its list is shown; several are being noted */
};

export function set(more) {
  Object.assign(S, more);
  changed();
}

let noticeNo = 0;
/* kind: ok, warn, bad. Shown until the next one, or until closed. */
export const say = (text, kind = 'ok') => set({notice: {text, kind, no: ++noticeNo, at: Date.now()}});

/* The cases in hand, as the office says, without those whose record is on its way. */
export const hand = () => S.inhand.filter(c => S.tasks.has(c) && !S.leaving.has(c)).map(c => S.tasks.get(c));
export const task = () => hand().find(t => t.case === S.current) || null;

let channel = null, onTab = () => {};
export function joinTabs(person, heard) {
  if (channel) channel.close();
  onTab = heard;
  channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`huifang-${person}`);
  if (channel) channel.onmessage = e => onTab(e.data);
}
export const tellTabs = what => channel && channel.postMessage(what);
