/* Finding somebody in the own list: by name, by the first letters or the whole of its pinyin, or by digits. */
import Pinyin from 'tiny-pinyin';

const known = new Map();

function sounds(name) {
  if (!known.has(name)) {
    const parts = Pinyin.isSupported() ? Pinyin.parse(name).map(t => t.target.toLowerCase()) : [];
    known.set(name, [parts.join(''), parts.map(p => p[0]).join('')]);
  }
  return known.get(name);
}

export function matches(row, words) {
  const want = words.trim().toLowerCase().replace(/\s+/g, '');
  if (!want) return true;
  const name = (row.name || '').toLowerCase();
  return name.includes(want) || sounds(name).some(s => s.startsWith(want)) || (row.no || '').includes(want) || (row.case || '').startsWith(want);
}
