/* What the browser keeps for one person, sealed (seal.js): drafts and records not yet in the ledger. A write is asked to reach the disk
 * (strict) before it counts. Without IndexedDB (private windows) the same calls work in memory, and say so. */
import {seal, unseal} from './seal.js';

const STORES = ['drafts', 'records'];
let db = null, memory = null;

const memoryOf = store => memory[store] || (memory[store] = new Map());

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export async function open(person) {
  db = memory = null;
  try {
    const request = indexedDB.open(`huifang-${person}`, 1);
    request.onupgradeneeded = () => STORES.forEach(s => request.result.createObjectStore(s, {keyPath: 'id'}));
    db = await asked(request);
    db.onversionchange = () => db.close();
    return true;
  } catch (e) {
    memory = {};
    return false;
  }
}

function write(store, act) {
  return new Promise((resolve, reject) => {
    const t = db.transaction(store, 'readwrite', {durability: 'strict'});
    act(t.objectStore(store));
    t.oncomplete = () => resolve();
    t.onabort = t.onerror = () => reject(t.error);
  });
}

/* Rows that this person's key does not open: kept, for the key may come back. */
const shut = new Map();
export const unreadable = () => [...shut.values()].reduce((a, b) => a + b, 0);

export async function all(store) {
  if (memory) return [...memoryOf(store).values()];
  const rows = db ? await asked(db.transaction(store).objectStore(store).getAll()) : [], open = rows.map(unseal).filter(Boolean);
  shut.set(store, rows.length - open.length);
  return open;
}

export async function put(store, value) {
  if (memory) memoryOf(store).set(value.id, value);
  else if (db) await write(store, s => s.put(seal(value)));
}

export async function del(store, id) {
  if (memory) memoryOf(store).delete(id);
  else if (db) await write(store, s => s.delete(id));
}
