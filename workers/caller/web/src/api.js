/* The office's HTTP interface. A call ends in the answer, or throws {kind}: gone (no server), login (session over),
 * csrf, or refused with the server's own words. */
let csrf = '';

class ApiError extends Error {
  constructor(kind, error, status) {
    super(error && error.text || kind);
    this.kind = kind;
    this.error = error || {};
    this.status = status;
  }
}

const LIMIT_MS = 20000, UPLOAD_MS = 180000;

async function ask(path, options, limit = LIMIT_MS) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), limit);
  let response, body = {};
  try {
    response = await fetch(path, {credentials: 'same-origin', cache: 'no-store', signal: stop.signal, ...options});
    const text = await response.text();
    if (text) body = JSON.parse(text);
  } catch (e) {
    throw new ApiError('gone');
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return body;
  const s = response.status;
  throw new ApiError(s === 401 ? 'login' : s === 403 ? 'csrf' : s >= 500 ? 'gone' : 'refused', body.error, s);
}

function post(path, body) {
  return ask(path, {method: 'POST', headers: {'Content-Type': 'application/json', 'X-HF-CSRF': csrf}, body: JSON.stringify(body)});
}

function known(me) {
  csrf = me.csrf;
  return me;
}

export const me = async () => known(await ask('/api/me'));
export const login = async (person, pin) => known(await post('/api/login', {person, pin}));
export const logout = () => post('/api/logout', {});
export const own = () => ask('/api/own');
export const phoneTicket = c => post('/api/phone-ticket', {case: c});
export const caseRow = c => ask(`/api/list/case?case=${c}`);
export const myPay = () => ask('/api/report/my-pay');
export const draftKey = () => ask('/api/draft-key');
export const campaign = () => ask('/api/campaign');
/* The board's: lists with names by the page, figures by their name. */
const query = args => Object.entries(args || {}).filter(([, v]) => v !== '' && v !== null && v !== undefined)
  .map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
const SLOW_MS = 60000;
export const list = (what, args) => ask(`/api/list/${what}?${query(args)}`, {}, SLOW_MS);
export const report = (name, args) => ask(`/api/report/${name}?${query(args)}`, {}, SLOW_MS);
export const resetPin = (person, pin) => post('/api/reset-pin', {person, pin});
export const reports = () => ask('/api/reports');
export const draw = what => post('/api/draw', what);
export const people = () => ask('/api/people');
export const importState = () => ask('/api/import');
export const importFile = file => ask('/api/import', {method: 'POST', headers: {'Content-Type': 'application/octet-stream', 'X-HF-CSRF': csrf}, body: file}, UPLOAD_MS);
export const importGo = (hash, partial) => post('/api/import/go', {hash, partial});
export const importDrop = () => post('/api/import/drop', {});

/* A token that is no longer right is asked for once more before the command counts as failed. */
export async function command(what) {
  try {
    return await post('/api/do', what);
  } catch (e) {
    if (e.kind !== 'csrf') throw e;
    await me();
    return post('/api/do', what);
  }
}

export const upload = (c, file) => ask(`/api/evidence?case=${c}`,
  {method: 'POST', headers: {'Content-Type': file.type, 'X-HF-CSRF': csrf}, body: file}, UPLOAD_MS);

/* UUID, version 7: the time first, so that what was written first sorts first. */
export function uuid7() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  let ms = Date.now();
  for (let i = 5; i >= 0; i--) {
    b[i] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  b[6] = b[6] & 0x0f | 0x70;
  b[8] = b[8] & 0x3f | 0x80;
  const hex = [...b].map(x => x.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
