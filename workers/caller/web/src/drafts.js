/* What is being typed, a case each. Every change is written at once; it goes away only when a record has taken its place. */
import * as db from './db.js';
import {S, changed, say, tellTabs} from './store.js';

export function blank(c, number) {
  return {id: c, outcome: null, channel: 'phone', number: number || 1, direction: 'out', timer: {from: null, sum: 0}, spoke: null, ticks: [], concerns: [],
    decide_by: null, told: false, next: null, note: '', words: '', answered: '', touched: 0};
}

export const draftOf = c => S.drafts.get(c) || blank(c);
export const isTyped = c => S.drafts.has(c);

export async function readDrafts() {
  S.drafts = new Map((await db.all('drafts')).map(d => [d.id, d]));
  changed();
}

async function keep(act) {
  try {
    await act();
  } catch (e) {
    say('这台电脑的浏览器存不下草稿了（磁盘满？），请先保存，不要关页面', 'bad');
  }
}

export function edit(c, more) {
  const draft = {...draftOf(c), ...more, touched: Date.now()};
  S.drafts.set(c, draft);
  changed();
  return keep(() => db.put('drafts', draft)).then(() => tellTabs({draft: c}));
}

export function drop(c) {
  S.drafts.delete(c);
  changed();
  return keep(() => db.del('drafts', c)).then(() => tellTabs({draft: c}));
}

/* Another tab wrote: the newer one stands. */
export async function otherTab(c) {
  const theirs = (await db.all('drafts')).find(d => d.id === c), mine = S.drafts.get(c);
  if (!theirs) S.drafts.delete(c);
  else if (!mine || theirs.touched > mine.touched) S.drafts.set(c, theirs);
  changed();
}

/* ---- the stopwatch ---- */

export const isRunning = d => d.timer.from !== null;
export const secondsOf = d => Math.min(86400, d.timer.sum + (isRunning(d) ? Math.max(0, Math.round((Date.now() - d.timer.from) / 1000)) : 0));

export function toggleTimer(c) {
  const d = draftOf(c);
  return edit(c, {timer: isRunning(d) ? {from: null, sum: secondsOf(d)} : {from: Date.now(), sum: d.timer.sum}});
}
