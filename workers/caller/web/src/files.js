/* Photos and papers of a case: to the office at once, sealed there; the draft keeps their hashes for the record. */
import * as api from './api.js';
import {draftOf, edit} from './drafts.js';
import {S, changed, say, set} from './store.js';

const TYPES = ['image/jpeg', 'image/png', 'application/pdf'], MOST = 10 << 20, COUNT = 8;

/* Could not be sent now: this page holds it, and sends it as soon as there is a server. */
const waiting = [], RETRY_MS = 3000;
let retry = null;
export const waitingOf = c => waiting.filter(w => !c || w.c === c);

function later(c, file, again) {
  waiting.push({c, file});
  retry = retry || setTimeout(sendAgain, RETRY_MS);
  if (!again) say(`${file.name} 待传：连上服务器自动传，这一页先不要关`, 'warn');
}

async function sendAgain() {
  const all = waiting.splice(0);
  retry = null;
  for (const w of all) await one(w.c, w.file, true);
}

async function one(c, file, again) {
  if (!TYPES.includes(file.type)) return say(`${file.name}：只收 JPEG、PNG、PDF`, 'warn');
  if (file.size > MOST) return say(`${file.name}：超过 10 MB，请压缩后再传`, 'warn');
  if (draftOf(c).evidence.length >= COUNT) return say('一条记录最多 8 份', 'warn');
  S.uploading = (S.uploading || 0) + 1;
  changed();
  try {
    const said = await api.upload(c, file);
    if (said.error) return say(`${file.name}：${said.error.text}`, 'bad');
    const got = said.evidence, had = draftOf(c).evidence;
    if (!had.some(e => e.hash === got.hash)) await edit(c, {evidence: [...had, {hash: got.hash, name: file.name, size: got.size}]});
    if (again) say(`${file.name} 传上去了`);
  } catch (e) {
    if (e.kind === 'login') set({phase: 'locked', office: 'up', dialog: null});
    if (e.kind === 'login' || e.kind === 'gone') later(c, file, again);
    else say(`${file.name} 没传上去：${e.message}`, 'bad');
  } finally {
    S.uploading -= 1;
    changed();
  }
  return undefined;
}

export async function attach(c, list) {
  for (const file of list) await one(c, file);
}

/* One that came by telephone, or was sent from another tab. */
export async function arrived(got) {
  const had = draftOf(got.case).evidence;
  if (had.some(e => e.hash === got.hash) || had.length >= COUNT || S.uploading > 0) return;
  await edit(got.case, {evidence: [...had, {hash: got.hash, name: '手机传来的照片', size: got.size}]});
  say('手机传来一张照片');
}

export const detach = (c, hash) => edit(c, {evidence: draftOf(c).evidence.filter(e => e.hash !== hash)});
