/* English by a switch. The page is written in Chinese; when English is on, each text that is drawn is looked up in en.json:
 * whole, then its longer phrases, then word by word between signs. What people wrote or are called stands in an element with
 * lang="zh" and stays. One place, so that no view knows of it. */
import {options} from 'preact';
import {changed, say} from './store.js';

const CHINESE = /[\u4e00-\u9fff]/, SIGNS = /([\d\s·，、：；。（）()「」›‹▲●○■▣✓✎✗↑⇡☎…!！?？]+)/, PLACE = 'huifang-english';
const ATTRIBUTES = ['aria-label', 'title', 'placeholder', 'label'];
const HALF = {'：': ': ', '，': ', ', '；': '; ', '。': '. ', '（': ' (', '）': ') ', '、': ', ', '「': '“', '」': '”'};
let words = null, phrases = null;

export const isEnglish = () => words !== null;

function lookUp(text) {
  if (!CHINESE.test(text)) return text;
  const core = text.trim();
  if (core in words) return text.replace(core, words[core]);
  return text.replace(phrases, p => ` ${words[p]} `).replace(/(\d+)月(\d+)日/g, '$1/$2').split(SIGNS).map(t => t in words ? ` ${words[t]} ` : t).join('').replace(/[：，；。（）、「」]/g, c => HALF[c]).replace(/ +([,:;.)])/g, '$1').replace(/ {2,}/g, ' ');
}

const child = c => typeof c === 'string' ? lookUp(c) : c;

const before = options.vnode;
options.vnode = v => {
  const p = v.props;
  if (words && typeof v.type === 'string' && p.lang !== 'zh') {
    if (typeof p.children === 'string') p.children = lookUp(p.children);
    else if (Array.isArray(p.children)) p.children = p.children.map(child);
    for (const a of ATTRIBUTES) if (typeof p[a] === 'string') p[a] = lookUp(p[a]);
  }
  if (before) before(v);
};

function keep(on) {
  try {
    localStorage.setItem(PLACE, on ? 'on' : 'off');
  } catch (e) {
    /* Chinese again next time. */
  }
}

export async function english(on) {
  keep(on);
  if (on && !words) {
    try {
      words = await (await fetch('/en.json', {cache: 'no-cache'})).json();
    } catch (e) {
      return say('英文的词表现在拿不到', 'warn');
    }
    phrases = new RegExp(Object.keys(words).filter(w => w.length > 4).sort((a, b) => b.length - a.length).map(w => w.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'g');
  } else if (!on) {
    words = null;
  }
  document.documentElement.lang = words ? 'en' : 'zh-CN';
  return changed();
}

export function startLanguage() {
  try {
    if (localStorage.getItem(PLACE) === 'on') english(true);
  } catch (e) {
    /* Chinese. */
  }
}
