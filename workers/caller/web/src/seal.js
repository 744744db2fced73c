/* What the browser keeps is sealed under a key of the person's that the office hands out after the login and that is kept
 * in memory only: whoever sits down at this PC next finds bytes. The cipher is not WebCrypto's, which answers later: a
 * draft must be on its way to the disk before the key that changed it is up. */
import {xchacha20poly1305} from '@noble/ciphers/chacha';

let key = null;

const base64 = bytes => btoa(Array.from(bytes, b => String.fromCharCode(b)).join(''));
const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

export function setKey(hex) {
  key = hex ? Uint8Array.from(hex.match(/../g), x => parseInt(x, 16)) : null;
}

export function seal(value) {
  const nonce = crypto.getRandomValues(new Uint8Array(24)), words = new TextEncoder();
  const body = xchacha20poly1305(key, nonce, words.encode(value.id)).encrypt(words.encode(JSON.stringify(value)));
  return {id: value.id, sealed: base64(nonce) + base64(body)};
}

/* null: under another key. What was written before there was a key comes as it is. */
export function unseal(row) {
  if (!row.sealed) return row;
  try {
    const nonce = bytesOf(row.sealed.slice(0, 32)), body = bytesOf(row.sealed.slice(32));
    return JSON.parse(new TextDecoder().decode(xchacha20poly1305(key, nonce, new TextEncoder().encode(row.id)).decrypt(body)));
  } catch (e) {
    return null;
  }
}
