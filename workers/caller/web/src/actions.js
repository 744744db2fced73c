/* What the page does: logging in, the stream of the office's words, and the commands behind the keys. */
import * as api from './api.js';
import * as db from './db.js';
import {classOf} from './order.js';
import {draftOf, edit, isTyped, otherTab, readDrafts, toggleTimer} from './drafts.js';
import {missing, outcome, DEFAULT_NEXT} from './outcomes.js';
import * as records from './records.js';
import {arrived, attach} from './files.js';
import {setKey} from './seal.js';
import {S, changed, hand, joinTabs, say, set, task} from './store.js';
import {clockNow, clockSaid, ms} from './time.js';
import {LEASE, NONE, SPOKE, TICKS} from './words.js';

const DAY = 86400000, CALM_MS = 300000, OWN_MS = 20000, CAMPAIGN_MS = 60000;
let source = null, again = null, ownTimer = null, ownAt = 0, lastInput = Date.now(), lastTold = Date.now(), lockAfter = 0;

/* ---- coming in ----------------------------------------------------------------------------------- */

export async function start() {
  try {
    await enter(await api.me());
  } catch (e) {
    set({phase: 'login', office: e.kind === 'gone' ? 'gone' : 'up'});
    if (e.kind === 'gone') again = setTimeout(start, 2000);
  }
}

export async function login(person, pin) {
  clearTimeout(again);
  const same = S.me && S.me.person.id === person;
  const me = await api.login(person, pin), roles = me.person.roles || [];
  if (!same && roles.length > 0 && !roles.includes('caller')) return location.assign('/board'); /* no calls: the board is the desk */
  await enter(me, same);
}

async function enter(me, same) {
  lastInput = lastTold = Date.now();
  lockAfter = (me.lock_after_s || 0) * 1000;
  if (me.now) clockSaid(me.now); // before anything is drawn: what this PC believes counts for nothing
  if (!same) {
    setKey((await api.draftKey()).key);
    S.owner = me.person.id;
    S.keepsAlive = await db.open(me.person.id);
    await readDrafts();
    await otherTabSaved();
    joinTabs(me.person.id, heard => heard.draft ? otherTab(heard.draft) : heard.records ? otherTabSaved() : null);
  }
  set({me, phase: 'desk', office: 'up', notice: null});
  if (db.unreadable() > 0) say(`这台电脑上有 ${db.unreadable()} 份东西是换钥匙以前写的，打不开了；都还留着`, 'warn');
  if (!S.keepsAlive) say('这个浏览器不肯存草稿（无痕窗口？）：关掉页面，没保存的字会丢', 'warn');
  listen();
  askCampaign();
  own(0);
  records.send();
}

async function otherTabSaved() {
  await records.readRecords();
  for (const r of S.records) if (r.state === 'pending' && r.how !== 'again') S.leaving.add(r.case);
  changed();
}

export async function logout() {
  if (S.records.some(r => r.state === 'pending')) return say('还有记录没送到服务器，先不要退出', 'bad');
  if (source) source.close();
  await records.forgetSettled();
  await api.logout().catch(() => {});
  location.reload();
}

/* A desk that nobody touches is covered; what is typed stays under the cover. */
export function touched() {
  lastInput = Date.now();
  if (S.phase !== 'desk' || lastInput - lastTold < CALM_MS) return;
  lastTold = lastInput; // the office locks a desk of which it hears nothing
  api.me().catch(() => {});
}
export function lockIfIdle() {
  if (S.phase === 'desk' && lockAfter > 0 && Date.now() - lastInput > lockAfter) set({phase: 'locked', dialog: null});
  if (S.phase === 'desk' && S.office === 'door') sessionOver();
  if (Date.now() - ownAt > OWN_MS) own(); // what others move on to this list, and the server's clock, no event tells
  remind();
  changed(); /* what is due changes with the time */
}

/* Who becomes due by the time that passes is said once; what is due at once stands on top of the list anyway. */
const waiting = new Set();
function remind() {
  if (S.phase !== 'desk') return;
  const now = clockNow(), held = new Set(hand().map(t => t.case)), fresh = [];
  for (const r of S.rows.filter(x => x.due)) {
    const at = `${r.case} ${r.due}`, k = classOf(r, now);
    if (k === 'later') waiting.add(at);
    else if (k === 'due' && waiting.delete(at) && !held.has(r.case)) fresh.push(r.name || '?');
  }
  if (fresh.length > 0) say(`到点了：${fresh.slice(0, 3).join('、')}${fresh.length > 3 ? ` 等 ${fresh.length} 位` : ''}`, 'warn');
}

/* The office knows this desk no longer (it began anew). Who is in the middle of a call is not interrupted: what is done next
 * with the office, or a pause, asks for the PIN. */
const PAUSE_MS = 120000;
function sessionOver() {
  if (hand().length > 0 && Date.now() - lastInput < PAUSE_MS) set({office: 'door'});
  else set({phase: 'locked', office: 'up', dialog: null});
}
export const toDoor = () => set({phase: 'locked', office: 'up', dialog: null});

/* ---- the stream ---------------------------------------------------------------------------------- */

function listen() {
  S.heard = false;
  if (source) source.close();
  clearTimeout(again);
  source = new EventSource('/api/events');
  source.onopen = async () => {
    set({office: 'up'});
    own();
    await records.send();
    if (S.wantNext && !S.records.some(r => r.state === 'pending')) askAgain();
  };
  source.onerror = async () => {
    set({office: 'gone'});
    if (source.readyState !== EventSource.CLOSED) return;
    again = setTimeout(() => api.me().then(listen).catch(e => {
      if (e.kind === 'login') sessionOver();
      else source.onerror();
    }), 2000);
  };
  source.addEventListener('line', e => onLine(JSON.parse(e.data)));
  source.addEventListener('status', e => onStatus(JSON.parse(e.data)));
}

function onStatus(s) {
  S.link = s.link;
  S.heard = true;
  S.inhand = s.inhand || [];
  for (const c of S.leaving) if (!S.inhand.includes(c)) S.leaving.delete(c);
  records.onMarks(s);
  settleCurrent();
}

/* Somebody must be on the screen if somebody is in hand. */
function settleCurrent() {
  if (!task()) {
    const first = hand()[0];
    S.current = first ? first.case : null;
  }
  changed();
}

function onTask(t) {
  backAgain = null;
  const isNew = !S.tasks.has(t.case) || S.tasks.get(t.case).token !== t.token;
  S.tasks.set(t.case, t);
  if (isNew) S.leaving.delete(t.case);
  if (!S.inhand.includes(t.case)) S.inhand.push(t.case);
  if (!t.last) look({what: 'case', case: t.case}); // in hand since before the office began anew
  if (S.many) {
    settleCurrent();
  } else if (S.wantNext || !task()) {
    set({wantNext: false, none: null});
    choose(t.case);
  } else if (isNew && S.heard) {
    say(`派来一位：${t.name || ''}（在上面一排里）`);
  }
  changed();
}

function onLease(l) {
  const t = S.tasks.get(l.case), text = LEASE[l.state];
  if (['granted-on', 'moved'].includes(l.state) && t) say(`${t.name || ''}：${text}${isTyped(l.case) ? '。写的还在草稿里' : ''}`, 'warn');
  if (t) S.tasks.set(l.case, {...t, lease: l.state});
  own();
}

export function onLine(said) {
  if (said.task) onTask(said.task);
  else if (said.none) onNone(said.none);
  else if (said.stored) records.onStored(said.stored);
  else if (said.accepted) records.onAccepted(said.accepted);
  else if (said.settled) records.onMarks({settled: said.settled.upto});
  else if (said.released) records.onMarks({released: said.released.upto});
  else if (said.lease) onLease(said.lease);
  else if (said.seen) onSeen(said.seen);
  else if (said.revealed) set({revealed: said.revealed});
  else if (said.evidence) arrived(said.evidence);
  else if (said['evidence-sent']) S.sent.add(said['evidence-sent'].hash);
  else if (said.link) set({link: said.link.state === 'online' ? 'up' : 'down'});
  else if (said.error && !records.onError(said.error)) say(said.error.text || said.error.code, 'bad');
  if (said.accepted) own();
}

function onSeen(seen) {
  const row = seen.what === 'case' && seen.rows[0], t = row && S.tasks.get(row.case);
  if (t && !t.last) S.tasks.set(row.case, {...t, last: row.last});
  set({seen});
}

function onNone(none) {
  const back = backAgain;
  if (back && back.tries > 0 && ['held', 'denied', 'not-found'].includes(none.reason)) return takeSoon(back);
  backAgain = null;
  const waits = ['empty', 'closed-until', 'paused'].includes(none.reason);
  set({none: {...none, text: NONE[none.reason] || none.reason}, wantNext: waits && S.wantNext});
  if (!waits && !S.many) say(NONE[none.reason] || none.reason, 'warn');
}

/* Stage, pass and script change while the page is open. */
let campaignAt = 0;
function askCampaign() {
  campaignAt = Date.now();
  api.campaign().then(campaign => set({campaign})).catch(() => {});
}

/* ---- the own list -------------------------------------------------------------------------------- */

/* Asked for at once, then not again for a while; not at all while nobody touches the desk. */
export function own(after = 400) {
  if (ownTimer || S.phase !== 'desk' || Date.now() - lastInput > CALM_MS) return;
  ownAt = Date.now();
  ownTimer = setTimeout(async () => {
    ownTimer = null;
    try {
      const got = await api.own();
      if (ms(got.asof)) clockSaid(ms(got.asof));
      set({rows: got.rows || []});
      remind();
      if (Date.now() - campaignAt > CAMPAIGN_MS) askCampaign();
    } catch (e) {
      if (e.kind === 'login') sessionOver();
    }
  }, after);
}

/* ---- commands ------------------------------------------------------------------------------------ */

export async function command(what) {
  try {
    const said = await api.command(what);
    if (said.error) say(said.error.text || said.error.code, 'bad');
    return !said.error;
  } catch (e) {
    if (e.kind === 'login') set({phase: 'locked', office: 'up', dialog: null});
    else if (e.kind === 'gone') set({office: 'gone'});
    say(e.kind === 'gone' ? '现在连不上服务器；手里的人照常记录，记录会自己补送' : e.message, 'bad');
    return false;
  }
}

export function choose(c) {
  const n = S.notice, stale = n && n.kind === 'ok' && Date.now() - n.at > 2000; // it was about the one before
  set({notice: stale ? null : n, current: c, group: null, revealed: null, dialog: null});
  const at = document.activeElement;
  if (at && at !== document.body) at.blur();
}

export function next() {
  if (S.wantNext) return;
  set({wantNext: true, none: null});
  command({do: 'next'}).then(ok => ok || set({wantNext: false}));
}

/* What was asked for may have been lost with the connection; the office says `busy` if it was not. */
async function askAgain() {
  const said = await api.command({do: 'next'}).catch(() => ({}));
  if (said.error && said.error.code !== 'busy') set({wantNext: false});
}

/* direction: in, when that person rang; the record will say so. */
export function take(what, direction) {
  const there = what.case && hand().find(t => t.case === what.case);
  if (direction && what.case) edit(what.case, {direction});
  if (there) return choose(there.case);
  set({wantNext: true, dialog: null, none: null});
  command({do: 'take', ...what}).then(ok => ok || set({wantNext: false}));
}

export const look = what => command({do: 'look', ...what});
export const note = what => command({do: 'note', id: api.uuid7(), ...what});
export const addNumber = what => command({do: 'number', id: api.uuid7(), ...what});
export const reveal = t => command({do: 'reveal', case: t.case, token: t.token, reason: 'check-identity', id: api.uuid7()});

export async function giveBack(reason) {
  const t = task();
  set({dialog: null});
  if (t && await command({do: 'give-back', token: t.token, reason})) {
    S.leaving.add(t.case);
    say(`已放回 ${t.name || ''}`);
    settleCurrent();
  }
}

export function paper(items, note) {
  const t = task();
  set({dialog: null});
  if (!t) return;
  records.savePaper(t, items, note);
  settleCurrent();
}

/* Photos that are dropped on the page, pasted, or chosen belong to the case in hand. */
export function files(list) {
  if (!list || list.length === 0) return false;
  if (task()) attach(task().case, [...list]);
  else say('手里没有人，不知道照片是谁的', 'warn');
  return true;
}

export function turn(step) {
  const all = hand(), at = all.findIndex(t => t.case === S.current);
  if (all.length > 0) choose(all[(at + step + all.length) % all.length].case);
}

/* ---- filling in ---------------------------------------------------------------------------------- */

const focusOn = id => setTimeout(() => {
  const e = document.getElementById(id) || document.querySelector(`[data-need="${id}"]`);
  if (e) e.focus();
}, 0);

/* On a small screen, or at 200 %, the key's effect is further down. */
const showRecord = () => setTimeout(() => {
  const e = document.querySelector('.record');
  if (e) e.scrollIntoView({block: 'nearest'});
}, 0);

export function pick(code) {
  const t = task();
  set({group: null});
  if (!t) return;
  const o = outcome(code, S.campaign), d = draftOf(t.case);
  const more = {outcome: code, next: o.needs.includes('time') ? null : {rule: true}};
  if (o.needs.includes('time') && d.next && d.next.at) more.next = d.next;
  if (o.needs.includes('decide_by') && !d.decide_by) more.decide_by = clockNow() + DAY;
  if (o.channel && d.channel === 'phone') more.channel = o.channel;
  const running = d.timer.from !== null;
  edit(t.case, more);
  if (running) toggleTimer(t.case);
  const first = missing(draftOf(t.case), o)[0];
  showRecord();
  if (first && !['ticks', 'spoke'].includes(first[0])) focusOn(first[0]);
}

export function press(entry) {
  if (!task()) return;
  if (entry.codes) showRecord();
  if (entry.codes) set({group: S.group && S.group.key === entry.key ? null : entry});
  else pick(entry.code);
}

export function toggleIn(field, value) {
  const t = task();
  if (!t) return;
  const had = draftOf(t.case)[field];
  edit(t.case, {[field]: had.includes(value) ? had.filter(v => v !== value) : [...had, value]});
}

export function letter(key) {
  const t = task(), tick = TICKS.find(x => x[2] === key), who = SPOKE.find(x => x[2] === key);
  if (t && tick) toggleIn('ticks', tick[0]);
  if (t && who) edit(t.case, {spoke: who[0]});
}

export function timer() {
  if (task()) toggleTimer(task().case);
}

export async function save(how) {
  const t = task();
  if (!t) return how === 'next' ? next() : undefined;
  const d = draftOf(t.case);
  if (d.timer.from !== null) await toggleTimer(t.case);
  const lacks = missing(draftOf(t.case), d.outcome && outcome(d.outcome, S.campaign));
  if (lacks.length > 0) {
    say(`还不能保存：${lacks.map(l => l[1]).join('、')}`, 'warn');
    return focusOn(lacks[0][0]);
  }
  set({notice: null});
  const wasTyped = !!draftOf(t.case).typed, sent = records.save(t, how);
  if (how === 'again') document.activeElement.blur();
  else settleCurrent();
  if (wasTyped && how === 'only') set({dialog: 'typein'});
  return sent;
}

export async function undo() {
  const back = await records.undo();
  if (!back) return;
  if (back.ended) takeBack(back.case, 60);
  else choose(back.case);
}

/* The record ended the lease: the case is taken again, as soon as the router has put it back. */
let backAgain = null;
function takeBack(c, tries) {
  const back = backAgain = {case: c, tries};
  set({wantNext: true, none: null});
  command({do: 'take', case: c}).then(ok => {
    if (ok || backAgain !== back) return;
    if (tries > 0) takeSoon(back);
    else set({wantNext: false});
  });
}

function takeSoon(back) {
  setTimeout(() => backAgain === back && takeBack(back.case, back.tries - 1), 500);
}

/* navigator.clipboard is there only on https and localhost. */
export function copy(text, what = `已复制 ${text}`) {
  const done = ok => say(ok ? what : '浏览器不让复制，请手抄', ok ? 'ok' : 'warn');
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => done(true), () => done(old(text)));
  return done(old(text));
}

function old(text) {
  const area = document.createElement('textarea'), back = document.activeElement;
  area.value = text;
  area.className = 'off-screen';
  document.body.append(area);
  area.select();
  const ok = document.execCommand('copy');
  area.remove();
  if (back && back.focus) back.focus();
  return ok;
}

export const picked = (t, d) => (t.numbers || []).find(x => x.n === d.number) || (t.numbers || [])[0];
/* As the desk telephone wants it: many want a 0 before a mobile number from elsewhere. Which one this is only the caller
 * hears, so it is a switch of this PC. */
export const dialOf = n => {
  const digits = n.dial || n.digits;
  return S.zero && /^1\d{10}$/.test(digits) ? `0${digits}` : digits;
};
export const dialString = (t, d) => {
  const n = picked(t, d);
  return n ? dialOf(n) : '';
};
export function zero(on) {
  set({zero: on});
  try {
    localStorage.setItem('huifang-zero', on ? 'on' : 'off');
  } catch (e) {
    /* Until the page is closed. */
  }
}
export {DEFAULT_NEXT};
