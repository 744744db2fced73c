/* What the board knows: who looks, what was loaded, what is being typed. One object; a change draws the page again.
 * What is typed lives here and not in the fields: another view, a lost session, an error leave it where it is. */
import {changed, onChange} from '../draw.js';
import * as api from '../api.js';
import {clockSaid} from '../time.js';

export {changed, onChange};
export const B = {
  phase: 'start', me: null, campaign: {}, mayAsk: new Set(), home: true, link: 'up', office: 'up',
  view: '', data: new Map(), sorts: {}, finds: {}, picked: {}, sheet: null, act: null, typed: new Map(), acts: [], hand: new Map(),
  fresh: 0 /* until then figures are asked for anew: something was said */, notice: null, help: false, keys: [], sheets: new Map(), lang: localStorage.getItem('huifang-lang') || 'zh', print: null,
};

export function set(more) {
  Object.assign(B, more);
  changed();
}
export const say = (text, kind = 'ok') => set({notice: {text, kind}});
export const roles = () => B.me && B.me.person.roles || [];
export const hasRole = list => roles().some(r => list.includes(r));

/* ---- loading: what a view uses is asked for when it is shown, and again while it is ---- */

const SOURCES = {
  team: () => allPages('team'), strike: () => allPages('strike'), papers: () => allPages('papers'), mine: () => allPages('own'), me: () => api.list('me'), people: () => api.people().then(o => ({data: new Map(o.people.map(p => [p.id, p.name]))})), campaign: () => api.campaign().then(data => ({data})),
};
async function allPages(what) {
  const rows = [];
  let got, page = 0;
  do {
    got = await api.list(what, {page});
    rows.push(...got.rows);
    page++;
  } while (page < got.pages && page < 40);
  return {asof: got.asof, data: rows};
}
/* `key` is a list's name, `case:HEX`, or a report's with its arguments: `rates?by=caller`. */
function ask(key) {
  if (SOURCES[key]) return SOURCES[key]();
  if (key.startsWith('case:')) return api.list('case', {case: key.slice(5)}).then(o => ({asof: o.asof, data: o.rows[0]}));
  if (key.startsWith('number:')) return api.list('number', {number: key.slice(7)}).then(o => ({asof: o.asof, data: o.rows}));
  const [name, args] = key.split('?');
  return api.report(name, {...Object.fromEntries(new URLSearchParams(args || '')), fresh: Date.now() < B.fresh ? 1 : ''});
}

export async function load(key) {
  const had = B.data.get(key) || {};
  if (had.busy) return;
  B.data.set(key, {...had, busy: true});
  try {
    const got = await ask(key);
    if (got.asof) clockSaid(Date.parse(got.asof));
    B.data.set(key, {data: got.data, asof: got.asof, at: Date.now()});
  } catch (e) {
    if (e.kind === 'login') set({phase: B.me ? 'locked' : 'login'});
    B.data.set(key, {...had, busy: false, error: e.error && e.error.text || '连不上服务器', at: Date.now()});
  }
  changed();
}

const FRESH_MS = 15000;
let used = new Set();
export const beginDraw = () => { used = new Set(); };
/* {data, asof, error}; asks when it is not there yet. */
export function use(key) {
  used.add(key);
  if (!B.data.has(key)) load(key);
  return B.data.get(key) || {busy: true};
}
/* What a person is called, where this office knows it. */
export const called = id => {
  const names = B.data.get('people'), name = names && names.data && names.data.get(id);
  return name ? `${name} ${id}` : id;
};
export function refresh(all) {
  for (const key of used) {
    const had = B.data.get(key);
    if (all || !had || Date.now() - (had.at || 0) > (key.startsWith('case:') ? 4 : 1) * FRESH_MS) load(key);
  }
}

/* ---- acts: said by the person, stored by the office, accepted by the broker ---- */

const early = new Map(); /* the broker's word may come before the office's own answer: by seq of the person's outbox */
const holder = token => token && ([...B.hand.values()].find(t => t.token === token) || {}).case;
export async function act(title, commands) {
  for (const [i, c] of commands.entries()) {
    const id = api.uuid7(), held = c.case || holder(c.token);
    const said = await api.command(['act', 'note', 'number', 'paper'].includes(c.do) ? {...c, id} : c);
    if (said.error) throw Object.assign(new Error(said.error.text), {kind: 'refused', error: said.error, done: i});
    B.acts.unshift({id, seq: said.stored && said.stored.seq, title, is: c.do, c: held, at: Date.now(), state: 'stored'});
    if (c.do === 'take' && B.hand.has(held) || c.do === 'give-back' && !B.hand.has(held)) B.acts[0].state = 'effective';
    if (early.has(B.acts[0].seq)) heard(early.get(B.acts[0].seq));
  }
  B.acts.length = Math.min(B.acts.length, 40);
  changed();
}

/* Something was said: figures follow it. */
export function soon() {
  B.fresh = Date.now() + 8000;
  for (const ms of [100, 700, 1500, 3000, 6000]) setTimeout(() => refresh(true), ms);
}

function heard(o) {
  if (o.task) {
    B.hand.set(o.task.case, o.task);
    for (const a of B.acts) if (a.state === 'stored' && a.c === o.task.case && a.is === 'take') a.state = 'effective';
    refresh(true);
    changed();
  }
  const it = o.accepted || o.error || o.refused;
  const a = it && B.acts.find(x => it.id ? x.id === it.id : it.seq !== undefined && x.seq === it.seq);
  if (!a && o.accepted) early.set(it.seq, o);
  if (!a) return;
  a.state = o.accepted ? it.verdict : 'refused';
  a.why = it.text || it.why || '';
  changed();
  soon();
}

let stream = null;
export function listen() {
  if (stream) stream.close();
  stream = new EventSource('/api/events');
  stream.addEventListener('line', e => heard(JSON.parse(e.data)));
  stream.addEventListener('status', e => {
    const s = JSON.parse(e.data);
    for (const c of B.hand.keys()) if (!s.inhand.includes(c)) B.hand.delete(c);
    for (const a of B.acts) if (a.is === 'give-back' && a.state === 'stored' && !s.inhand.includes(a.c)) a.state = 'effective';
    set({link: s.link, office: 'up'});
    setTimeout(() => refresh(true), 500);
  });
  stream.onopen = () => set({office: 'up'});
  stream.onerror = () => set({office: 'gone'});
}
export const deaf = () => stream && stream.close();

/* ---- in and out ---- */

async function inside(me) {
  set({me, phase: 'board'});
  listen();
  try {
    const [campaign, reports] = await Promise.all([api.campaign(), api.reports()]);
    set({campaign, mayAsk: new Set(reports.reports.map(r => r.name)), home: reports.home});
  } catch (e) {
    say('连不上服务器', 'bad');
  }
  load('me'); /* and the server's clock with it */
  refresh(true);
}
export async function start() {
  try {
    await inside(await api.me());
  } catch (e) {
    set({phase: 'login', office: e.kind === 'gone' ? 'gone' : 'up'});
  }
}
export async function login(person, pin) {
  const me = await api.login(person, pin);
  if (B.me && B.me.person.id !== me.person.id) {
    B.data.clear();
    B.typed.clear();
    B.hand.clear();
    set({act: null, acts: [], picked: {}});
  }
  await inside(me);
}
export async function logout() {
  await api.logout().catch(() => {});
  deaf();
  B.data.clear();
  B.typed.clear();
  B.hand.clear();
  set({me: null, phase: 'login', act: null, acts: [], picked: {}});
}
let last = Date.now();
export const touched = () => { last = Date.now(); };
export function lockIfIdle() {
  if (B.phase !== 'board' || Date.now() - last < (B.me.lock_after_s || 1800) * 1000) return;
  deaf();
  api.logout().catch(() => {});
  set({phase: 'locked'});
}
