/* What is being typed, a case each. Every change is written at once, twice: into localStorage, which a reload in the same
 * instant cannot overtake, and into IndexedDB, which is asked to reach the disk. The newer one counts. A draft goes away only
 * when a record has taken its place. Both are sealed (seal.js): after a reload they are opened by the login. */
import * as db from './db.js';
import {seal, unseal} from './seal.js';
import {S, changed, say, tellTabs} from './store.js';

export function blank(c, number) {
  return {id: c, outcome: null, channel: 'phone', number: number || 1, direction: 'out', timer: {from: null, sum: 0}, spoke: null, ticks: [], concerns: [],
    decide_by: null, told: false, evidence: [], next: null, note: '', words: '', answered: '', typed: null, touched: 0};
}

/* The number that is dialled first: another one than before, when that is why the case came. */
function firstNumber(t) {
  const list = t && t.numbers || [], fresh = list.find(n => !n.note);
  return t && t.why === 'other-number' && list.length > 1 ? (fresh || list[1]).n : 1;
}

export const draftOf = c => ({...blank(c, firstNumber(S.tasks.get(c))), ...S.drafts.get(c)});
export const isTyped = c => S.drafts.has(c);

const quick = c => `huifang-draft-${S.owner}-${c}`;

function quickOnes() {
  const prefix = quick(''), out = [];
  for (let i = 0; i < localStorage.length; i++) {
    const k = localStorage.key(i);
    if (k.startsWith(prefix)) out.push(unseal(JSON.parse(localStorage.getItem(k))));
  }
  return out.filter(Boolean);
}

function quickly(act) {
  try {
    act();
  } catch (e) {
    /* Full, or forbidden: IndexedDB has it. */
  }
}

const newest = all => all.reduce((m, d) => (!m.has(d.id) || m.get(d.id).touched < d.touched ? m.set(d.id, d) : m), new Map());

export async function readDrafts() {
  const slow = await db.all('drafts');
  let fast = [];
  quickly(() => { fast = quickOnes(); });
  S.drafts = newest([...slow, ...fast]);
  changed();
}

/* One write at a time; what changed meanwhile is written after it, once. */
const waiting = new Map();
let writing = null;

function write(c, draft) {
  waiting.set(c, draft);
  if (!writing) writing = writeAll().finally(() => { writing = null; });
  return writing;
}

async function writeAll() {
  while (waiting.size > 0) {
    const [c, draft] = waiting.entries().next().value;
    waiting.delete(c);
    await keep(() => draft ? db.put('drafts', draft) : db.del('drafts', c));
    tellTabs({draft: c});
  }
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
  quickly(() => localStorage.setItem(quick(c), JSON.stringify(seal(draft))));
  return write(c, draft);
}

export function drop(c) {
  S.drafts.delete(c);
  changed();
  quickly(() => localStorage.removeItem(quick(c)));
  return write(c, null);
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
