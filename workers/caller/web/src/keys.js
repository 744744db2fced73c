/* Every key of the page, in one listener. Keys of an input method are passed over (ime.js). Bare keys act only outside
 * of fields, and can be switched off; each has an Alt form that always acts. Escape and Ctrl+Z are nobody's. */
import * as act from './actions.js';
import {draftOf} from './drafts.js';
import {KEYS, more} from './outcomes.js';
import {composing} from './ime.js';
import {S, set, task} from './store.js';
import {BACK, SPOKE, TICKS} from './words.js';

const TEXT = 'textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button])';
const PRESSED_BY_SPACE = 'button, summary, a, input, [role=option]';

const focusFind = () => document.getElementById('find') && document.getElementById('find').focus();
const scroll = way => {
  const box = document.getElementById('case');
  box.scrollBy(0, way * box.clientHeight * 0.8);
};
const open = name => () => set({dialog: S.dialog === name ? null : name});

/* key: as nameOf() says it. bare: needs no modifier, and so has an Alt form. */
const rows = () => [
  {key: 'Ctrl+Enter', text: '保存，下一位', run: () => act.save('next')},
  {key: 'Ctrl+s', text: '只保存', run: () => act.save('only')},
  {key: 'F7', text: '保存，接着打别的号码', run: () => act.save('again')},
  {key: 'F8', text: '撤销刚才的保存（8 秒内）', run: act.undo},
  {key: 'F9', text: '放回，不打', run: () => task() && open('back')()},
  {key: 'F6', text: '收到退档材料', run: () => task() && open('paper')()},
  {key: 'F2', text: '有人打回来了：查号码', run: open('inbound')},
  {key: 'F4', text: '看我今天记的', run: open('today')},
  {key: 'F10', text: '几个人一起记', run: open('many')},
  {key: 'F3', text: '通知', run: open('news')},
  {key: 'y', bare: true, text: '我的补贴（试算）', run: open('pay')},
  {key: 'p', bare: true, text: '打印', run: open('print')},
  {key: 'F1', text: '帮助', run: open('help')},
  {key: 'n', bare: true, text: '下一位；有人在手时：新增号码', run: () => task() ? open('number')() : act.next()},
  {key: '/', bare: true, text: '在名单里找', run: focusFind},
  {key: ' ', bare: true, alt: 'Alt+t', text: '开始、停止计时', run: act.timer},
  {key: 'c', bare: true, text: '复制要拨的号码', run: () => task() && act.copy(act.dialString(task(), draftOf(task().case)))},
  {key: 'o', bare: true, text: '座机拨手机号，前面加不加 0', run: () => act.zero(!S.zero)},
  {key: 'q', bare: true, text: '二维码：用手机拨这个号码', run: () => task() && open('dial')()},
  {key: 'PageDown', scrolls: true, text: '这个人的资料、话术往下', run: () => scroll(1)},
  {key: 'PageUp', scrolls: true, text: '往上', run: () => scroll(-1)},
  {key: '[', bare: true, text: '在手的上一位', run: () => act.turn(-1)},
  {key: ']', bare: true, text: '在手的下一位', run: () => act.turn(1)},
  ...TICKS.map(t => ({key: t[2], bare: true, text: `告知：${t[1]}`, run: () => act.letter(t[2])})),
  ...SPOKE.map(s => ({key: s[2], bare: true, text: `接电话的：${s[1]}`, run: () => act.letter(s[2])})),
];
export const table = rows();

function nameOf(e) {
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  return (e.ctrlKey || e.metaKey ? 'Ctrl+' : '') + (e.altKey ? 'Alt+' : '') + key;
}

/* In a dialog these mean the dialog's own form, never the record behind it. */
const IN_FORM = ['Ctrl+Enter', 'Ctrl+s', 'F7', 'F8'];
function submit(name) {
  const form = document.querySelector('dialog[open] form');
  if (form && name.startsWith('Ctrl')) form.requestSubmit();
}

/* An open group takes the digits; a digit that it does not have closes it. */
function digit(n) {
  if (S.dialog === 'back') return BACK[n - 1] && act.giveBack(BACK[n - 1][0]);
  if (!S.group) return act.press(KEYS.find(k => k.key === n));
  const code = S.group.codes[Number(n) - 1];
  return code ? act.pick(code) : set({group: null});
}

function find(e, name) {
  const bare = name.replace(/^Alt\+/, ''), hasAlt = bare !== name, target = e.target;
  const inText = target.matches && target.matches(TEXT);
  const onButton = target.matches && target.matches(PRESSED_BY_SPACE);
  const inDialog = !!document.querySelector('dialog[open]'), bareActs = !inText && S.bare && !inDialog;
  if (inDialog && IN_FORM.includes(name)) return () => submit(name);
  if (/^[0-9]$/.test(bare) && (hasAlt || bareActs || inDialog && S.dialog === 'back')) return () => digit(bare);
  if (bare === 'm' && (hasAlt || bareActs)) return () => act.press(more(S.campaign.stage || 2));
  for (const r of table) {
    if (r.key === name && !r.bare) return r.scrolls && inDialog ? null : r.run;
    if (r.bare && (hasAlt ? name === (r.alt || `Alt+${r.key}`) : name === r.key && bareActs && !(r.key === ' ' && onButton))) return r.run;
  }
  return null;
}

/* The list is walked with the arrows; from the search field down into it. */
function walk(e) {
  const items = [...document.querySelectorAll('#list [data-row]')], at = items.indexOf(e.target);
  if (at < 0 && e.target.id !== 'find') return false;
  const to = at + (e.key === 'ArrowDown' ? 1 : -1);
  (items[to] || (to < 0 ? document.getElementById('find') : items[at])).focus();
  return true;
}

export function onKey(e) {
  if (composing(e)) return;
  act.touched();
  if (S.phase !== 'desk') return;
  if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && walk(e)) return e.preventDefault();
  if (e.key === 'Enter' && e.target.id === 'find') {
    const first = document.querySelector('#list [data-row]');
    if (first) first.click();
    return e.preventDefault();
  }
  const run = find(e, nameOf(e));
  if (!run || e.repeat && !['[', ']', 'PageUp', 'PageDown'].includes(e.key)) return run && e.preventDefault();
  e.preventDefault();
  run();
}

/* A button that the mouse pressed does not keep the focus: the next Space is the stopwatch's. */
export function onClick(e) {
  act.touched();
  const b = e.target.closest && e.target.closest('button');
  if (b && e.detail > 0 && !b.closest('dialog, [role=dialog]')) b.blur();
}
