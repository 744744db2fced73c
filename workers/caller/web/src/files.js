/* Photos and papers of a case: to the office at once, sealed there; the draft keeps their hashes for the record. */
import * as api from './api.js';
import {draftOf, edit} from './drafts.js';
import {S, changed, say, set} from './store.js';

const TYPES = ['image/jpeg', 'image/png', 'application/pdf'], MOST = 10 << 20, COUNT = 8;

async function one(c, file) {
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
  } catch (e) {
    if (e.kind === 'login') set({phase: 'locked', office: 'up', dialog: null});
    else say(`${file.name} 没传上去：${e.kind === 'gone' ? '连不上服务器，连上后再传（文件还在这台电脑上）' : e.message}`, 'bad');
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
