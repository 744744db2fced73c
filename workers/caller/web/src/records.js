/* Records on their way: written here first, then sent until the office has them on its disk (stored), then followed by
 * their number to Redis (accepted) and the ledger (settled). Every one has a UUID of its own, so that sending it
 * twice is sending it once. A record that the office refuses becomes a draft again, and says why. */
import * as api from './api.js';
import * as db from './db.js';
import {blank, draftOf, drop, edit, secondsOf} from './drafts.js';
import {outcome} from './outcomes.js';
import {S, changed, say, set, tellTabs} from './store.js';
import {clockNow, isToday, wire} from './time.js';

export const UNDO_MS = 8000;
const RETRY_MS = 2000;
const ORDER = ['pending', 'stored', 'accepted', 'settled'];

let sending = false, retry = null;

async function keep(rec) {
  try {
    await db.put('records', rec);
    tellTabs({records: true});
  } catch (e) {
    say('这台电脑的浏览器写不进磁盘，记录只在内存里，请不要关页面', 'bad');
  }
}

function put(rec, more) {
  Object.assign(rec, more);
  /* What was said is forgotten here as soon as it is safe elsewhere and can no longer be taken back. */
  if (rec.state === 'settled' && Date.now() - rec.at > UNDO_MS) rec.cmd = rec.draft = null;
  changed();
  return keep(rec);
}

/* Today's, by the server's clock; `at` is this PC's, for spans of time alone. */
export const timeOf = rec => rec.when || rec.at;
export const today = () => S.records.filter(r => isToday(timeOf(r)) || r.state === 'pending' || r.state === 'refused');

/* What was saved of this case waits for the office: there it still stands as before. */
export const isWaiting = c => S.records.some(r => r.case === c && r.state === 'pending' && r.how !== 'again');

export async function readRecords() {
  const day = Date.now() - 20 * 3600000, kept = [];
  for (const r of await db.all('records')) {
    if (r.at > day || r.state === 'pending' || r.state === 'refused') kept.push(r);
    else await db.del('records', r.id);
  }
  S.records = kept.sort((a, b) => a.at - b.at);
  changed();
}

/* Somebody leaves this computer: names of what is safe elsewhere need not stay here. Drafts do. */
export async function forgetSettled() {
  for (const r of S.records) if (['settled', 'undone'].includes(r.state)) await db.del('records', r.id).catch(() => {});
}

const given = o => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== null && v !== undefined && v !== '' && !(Array.isArray(v) && v.length === 0)));

/* The wire has no time of the call but that of the machine it was typed on, so the note says it. */
const noteOf = d => d.typed ? `【补录】${wire(d.typed.at)} 打的。${d.note.trim()}` : d.note.trim();

export function commandOf(task, d, how) {
  const o = outcome(d.outcome, S.campaign), script = S.campaign.script || {}, byNumber = d.channel === 'phone' || d.channel === 'sms';
  const next = d.next && !d.next.rule ? given({do: d.next.do, at: d.next.at ? wire(d.next.at) : null}) : {};
  return given({
    do: 'record', case: task.case, token: task.token, outcome: d.outcome, channel: d.channel, number: byNumber && (task.numbers || []).length ? d.number : null,
    seconds: d.typed ? d.typed.minutes * 60 : secondsOf(d), spoke: d.spoke, ticks: o.needs.includes('ticks') ? d.ticks : null, script: o.needs.includes('ticks') ? script.version : null,
    concerns: d.concerns, decide_by: o.needs.includes('decide_by') && d.decide_by ? wire(d.decide_by) : null, what: d.told ? 'deadline-told' : null,
    next_step: Object.keys(next).length ? next : null, direction: d.direction === 'in' ? 'in' : null, note: noteOf(d), words: d.words.trim(),
    answered: d.answered.trim(), evidence: (d.evidence || []).map(e => e.hash).slice(0, 8), then: how === 'next' ? 'next' : null, again: how === 'again' ? true : null, id: api.uuid7(),
  });
}

/* how: next, only, again */
export function save(task, how) {
  const d = draftOf(task.case);
  return saveAs(task, commandOf(task, d, how), outcome(d.outcome, S.campaign).text, how);
}

export const savePaper = (task, items, note) => saveAs(task, given({do: 'paper', case: task.case, token: task.token, items, note: note.trim(),
  evidence: draftOf(task.case).evidence.map(e => e.hash).slice(0, 8), id: api.uuid7()}), '退档材料', 'only');

async function saveAs(task, cmd, what, how) {
  const d = draftOf(task.case), rec = {id: cmd.id, case: task.case, name: task.name || '', what, seconds: cmd.seconds || 0, at: Date.now(), when: clockNow(), state: 'pending', cmd, draft: d, how};
  S.records.push(rec);
  if (how === 'again') {
    const count = (task.numbers || []).length || 1, next = d.number % count + 1;
    await keep(rec);
    await drop(task.case);
    await edit(task.case, blank(task.case, next));
  } else {
    S.leaving.add(task.case);
    set({wantNext: how === 'next', none: null});
    await keep(rec);
    await drop(task.case);
  }
  changed();
  setTimeout(changed, UNDO_MS + 50);
  return send();
}

async function refused(rec, error) {
  await put(rec, {state: 'refused', error: error.text || error.code});
  S.leaving.delete(rec.case);
  if (rec.draft && !S.drafts.has(rec.case)) await edit(rec.case, rec.draft);
  say(`${rec.name}·${rec.what} 没收下：${rec.error}。写的都还在草稿里`, 'bad');
}

/* Sends what waits, in order, one at a time; ends at the first that cannot be sent now. */
export async function send() {
  if (sending) return;
  sending = true;
  clearTimeout(retry);
  try {
    for (let rec; (rec = S.records.find(r => r.state === 'pending'));) {
      const said = await api.command(rec.cmd);
      if (said.error) await refused(rec, said.error);
      else await stored(rec, said.stored || {});
      set({office: 'up'});
    }
  } catch (e) {
    const rec = S.records.find(r => r.state === 'pending');
    if (e.kind === 'login') set({phase: 'locked', office: 'up', dialog: null});
    else if (e.kind === 'refused' && e.status !== 429 && rec) await refused(rec, e.error);
    else set({office: e.kind === 'gone' ? 'gone' : S.office});
    retry = setTimeout(send, RETRY_MS);
  } finally {
    sending = false;
  }
}

function stateBy(seq, atLeast) {
  const by = seq <= S.marks.settled ? 'settled' : seq <= S.marks.accepted ? 'accepted' : 'stored';
  return ORDER.indexOf(by) > ORDER.indexOf(atLeast) ? by : atLeast;
}

const stored = (rec, said) => put(rec, {state: stateBy(said.seq || Infinity, 'stored'), seq: said.seq});

/* ---- what the office says of them ---- */

export function onStored(said) {
  const rec = S.records.find(r => r.id === said.id && r.state === 'pending');
  if (rec) stored(rec, said);
}

export function onAccepted(said) {
  const rec = S.records.find(r => r.seq === said.seq);
  if (!rec || !ORDER.includes(rec.state)) return;
  put(rec, {verdict: said.verdict, state: stateBy(rec.seq, 'accepted')});
  if (said.verdict === 'quarantined') say(`${rec.name}·${rec.what}：系统收了，但要请人看（${said.why || '存疑'}）`, 'warn');
}

export function onMarks(marks) {
  for (const k of Object.keys(S.marks)) if (marks[k] !== undefined) S.marks[k] = marks[k];
  for (const rec of S.records) {
    if (!rec.seq || !ORDER.includes(rec.state)) continue;
    const state = stateBy(rec.seq, rec.state);
    if (state !== rec.state) put(rec, {state});
  }
  changed();
}

export function onError(error) {
  const rec = error.id && S.records.find(r => r.id === error.id && r.state === 'pending');
  if (rec) refused(rec, error);
  return !!rec;
}

/* ---- taking back ---- */

export const undoable = () => {
  const rec = S.records[S.records.length - 1];
  return rec && rec.draft && rec.cmd && rec.cmd.do === 'record' && Date.now() - rec.at < UNDO_MS && ORDER.includes(rec.state) ? rec : null;
};

export async function undo() {
  const rec = undoable();
  if (!rec) return say('没有可以撤销的（保存后 8 秒内才行）', 'warn');
  const draft = rec.draft, wasSent = !(rec.state === 'pending' && !sending);
  if (rec.state === 'pending' && !sending) {
    await put(rec, {state: 'undone', cmd: null, draft: null});
  } else {
    try {
      const said = await api.command({do: 'undo', seq: rec.seq});
      if (said.error) return say(`没有撤销：${said.error.text}`, 'bad');
    } catch (e) {
      return say('没有撤销：现在连不上服务器，记录照旧', 'bad');
    }
    await put(rec, {state: 'undone', cmd: null, draft: null});
  }
  if (!wasSent) S.leaving.delete(rec.case);
  await edit(rec.case, draft);
  say(`已撤销 ${rec.name}·${rec.what}，写的放回草稿`);
  return {case: rec.case, ended: wasSent && rec.how !== 'again'};
}
