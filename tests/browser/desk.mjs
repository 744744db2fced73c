/* The caller's desk: worked by keyboard, never losing what was typed. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {gzipSync} from 'node:zlib';
import {OFFICE_PC, PLAIN, ZOOMED, axe, decoded, logIn, newPage, picture, root, until} from './rig.mjs';

export const name = page => page.evaluate(() => { /* '' when nobody is on the screen */
  const e = document.querySelector('h2.name');
  return e ? e.firstChild.textContent.trim() : '';
});
const counts = async page => Object.fromEntries([...(await page.locator('#counts').innerText()).matchAll(/(\S+) (\d+)/g)].map(m => [m[1], Number(m[2])]));
export const attempts = async (stand, who) => Number((await stand.say(`sql SELECT count(*) FROM hf.v_contact WHERE person = '${who}'`)).rows[0][0]);
export const nobody = page => page.evaluate(() => document.activeElement && document.activeElement.blur());

/* A case on the screen, by keyboard. */
export async function someCase(page) {
  await page.locator('#link[data-heard=yes]').waitFor(); /* else the key comes before the case that is in hand */
  if (await page.locator('h2.name').count() === 0) {
    await nobody(page);
    await page.keyboard.press('n');
  }
  await page.locator('h2.name').waitFor();
}

const settled = (page, n) => until(`${n} records in the ledger`, async () => (await counts(page)).已入账 >= n);

/* Each result by its keys, with what it needs. */
export const WAYS = [
  ['no-answer', '5'],
  ['confirmed', '1', 'a', 's', 'd', 'z'],
  ['powered-off', '6', '1'],
  ['considering', '2', ' ', 'F'],
  ['call-later', '7', ' '],
  ['third-party', '8', '"奶奶'],
  ['will-not-say', '3', ' '],
  ['withdraw-asked', '4', '"想复读一年'],
  ['rejected', '9', '1'],
  ['ask-leader', '0', '1', '"能不能换专业'],
  ['busy', '6', '5'],
  ['wrong-number', '6', '4', '"说打错了'],
];

export async function work(page, [code, ...keys]) {
  await nobody(page);
  await page.keyboard.press('Space');
  for (const k of keys) {
    if (k === 'F') continue;
    if (k.startsWith('"')) {
      await until('a field has the focus', () => page.evaluate(() => document.activeElement.tagName === 'TEXTAREA'));
      await page.keyboard.insertText(k.slice(1));
    } else if (k === ' ') {
      await until('a choice has the focus', () => page.evaluate(() => document.activeElement.tagName === 'INPUT'));
      await page.keyboard.press('Space');
    } else {
      await page.keyboard.press(k);
    }
  }
  await until(`${code} can be saved`, async () => (await page.locator('#lacks').innerText()).includes('可以保存'));
}

async function twentyCases(t, {browser, stand}) {
  const page = await newPage(browser);
  await page.goto(`${stand.office}/#p01`); /* as the code on a slip says */
  await page.locator('#pin').waitFor();
  assert.equal(await page.locator('#person').inputValue(), 'p01');
  await page.goto('about:blank');
  await page.goto(stand.office);
  await page.locator('#pin').waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '01-login');
  await page.keyboard.type('p01');
  await page.keyboard.press('Tab');
  await page.keyboard.type('000000');
  await page.keyboard.press('Enter');
  await page.getByText('工号或口令不对').waitFor();
  await picture(page, '02-wrong-pin');
  await logIn(page, stand);
  await picture(page, '03-nobody-in-hand');
  await someCase(page);
  const done = new Map();
  let n = 0;
  while (done.size < 20) {
    const way = WAYS[n % WAYS.length], who = await name(page), token = await page.locator('.num.big').first().innerText();
    await work(page, way);
    if (n < WAYS.length) await picture(page, `10-${String(n).padStart(2, '0')}-${way[0]}`);
    await page.keyboard.press('Control+Enter');
    n++;
    done.set(who, token);
    await until('it is saved', async () => (await page.locator('#just').innerText()).includes(who));
    await until('the next one', async () => await page.locator('h2.name').count() === 1 && (await page.locator('#lacks').innerText()).includes('先选结果'));
    assert.ok(n < 80, 'the same people come again and again');
  }
  await settled(page, n);
  assert.equal(await attempts(stand, 'p01'), n);
  const rows = (await stand.say("sql SELECT DISTINCT outcome FROM hf.v_contact WHERE person = 'p01' ORDER BY 1")).rows.map(r => r[0]);
  assert.deepEqual(rows, WAYS.map(w => w[0]).sort());
  const sure = (await stand.say("sql SELECT spoke, ticks FROM hf.v_contact WHERE outcome = 'confirmed' LIMIT 1")).rows[0];
  assert.equal(sure[0], 'self');
  assert.match(sure[1], /7|cost/);
  assert.deepEqual(page.said, []);
  await picture(page, '11-after-twenty');
  return page;
}

async function pictures(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const view = async n => {
    assert.deepEqual(await axe(page), [], n);
    await picture(page, n);
  };
  for (const [key, n] of [['F1', 'help'], ['F2', 'inbound'], ['F4', 'today'], ['F9', 'give-back'], ['n', 'new-number'], ['q', 'dial']]) {
    await nobody(page);
    await page.keyboard.press(key);
    await page.locator('dialog[open]').waitFor();
    await view(`20-${n}`);
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({state: 'detached'});
  }
  for (const key of ['1', '2', '6', '7', '0', 'm']) {
    await nobody(page);
    await page.keyboard.press(key);
    await view(`21-result-${key}`);
    if ('60m'.includes(key)) await page.keyboard.press(key);
  }
  for (const [how, n] of [[PLAIN, '100'], [OFFICE_PC, '125'], [ZOOMED, '200']]) {
    const other = await newPage(browser, how);
    await logIn(other, stand);
    await other.locator('h2.name').waitFor();
    await other.keyboard.press('2');
    const wide = await other.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide[0] <= wide[1], `at ${n} % it is ${wide[0]} wide on a screen of ${wide[1]}`);
    assert.deepEqual(await axe(other), []);
    await picture(other, `22-desk-at-${n}`);
    await other.context().close();
  }
  await page.context().close();
}

/* An input method's keys are its own, before and after compositionend; the very same key without it is ours. */
async function inputMethod(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const chosen = () => page.locator('.outcome[aria-pressed=true]').count(), cdp = await page.context().newCDPSession(page);
  await nobody(page);
  await page.keyboard.press('5');
  await page.keyboard.press('5');
  const who = await name(page), before = (await counts(page)).已入账;
  const press = init => page.evaluate(i => {
    const e = new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...i});
    document.activeElement.dispatchEvent(e);
    return e.defaultPrevented;
  }, init);
  await page.locator('#note').focus();
  await cdp.send('Input.imeSetComposition', {text: 'xiawu', selectionStart: 5, selectionEnd: 5});
  assert.equal(await press({key: 'Enter', ctrlKey: true, isComposing: true}), false);
  await cdp.send('Input.dispatchKeyEvent', {type: 'rawKeyDown', key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229, modifiers: 2});
  for (const key of ['Enter', 's', 'F8', 'F9', 'F2', 'Escape']) assert.equal(await press({key, ctrlKey: key === 's', keyCode: 229}), false, key);
  await cdp.send('Input.insertText', {text: '下午再打'});
  assert.equal(await press({key: 'Enter', ctrlKey: true, keyCode: 229}), false, 'the committing Enter after compositionend');
  assert.equal(await page.locator('#note').inputValue(), '下午再打');
  await nobody(page);
  assert.equal(await press({key: '1', keyCode: 229}), false);
  assert.equal(await page.locator('dialog[open]').count(), 0);
  assert.equal(await chosen(), 1);
  assert.equal(await name(page), who);
  assert.equal((await counts(page)).已入账, before);
  assert.equal(await press({key: '2', keyCode: 50}), true, 'without an input method the key is ours');
  await page.locator('#note').focus();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Escape');
  assert.equal(await name(page), who);
  await page.locator('#note').fill('');
  await page.context().close();
}

/* Typed, the page reloaded in the middle: text and result are there; also when the disk takes no more. */
async function reload(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await someCase(page);
  const who = await name(page);
  await page.keyboard.press('Space');
  await page.keyboard.press('4');
  await until('the words have the focus', () => page.evaluate(() => document.activeElement.id === 'words'));
  await page.keyboard.insertText('家里让我去成都上学');
  await page.locator('#note').focus();
  await page.keyboard.type('half a sentence');
  await page.reload();
  await page.locator('h2.name').waitFor();
  await until('the draft is back', async () => await page.locator('#words').count() === 1);
  assert.equal(await name(page), who);
  assert.equal(await page.locator('#words').inputValue(), '家里让我去成都上学');
  assert.equal(await page.locator('#note').inputValue(), 'half a sentence');
  assert.equal((await counts(page)).草稿, 1);
  await picture(page, '30-draft-after-reload');
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.locator('#note').focus();
  await page.keyboard.press('End');
  await page.keyboard.type(', and the rest');
  await page.getByText('存不下草稿').waitFor();
  await page.reload();
  await until('the draft is back', async () => await page.locator('#note').count() === 1 && (await page.locator('#note').inputValue()) !== '');
  assert.equal(await page.locator('#note').inputValue(), 'half a sentence, and the rest');
  await page.context().close();
}

/* Two tabs of one person: what is typed in one stands in the other; saved in one, it is gone in both, and counts once. */
async function twoTabs(t, {browser, stand}) {
  const one = await newPage(browser);
  await logIn(one, stand, 'p02');
  await someCase(one);
  const two = await one.context().newPage();
  two.setDefaultTimeout(60000);
  await two.goto(stand.office);
  await two.locator('h2.name').waitFor();
  const who = await name(one), before = await attempts(stand, 'p02');
  assert.equal(await name(two), who);
  await nobody(one);
  await one.keyboard.press('5');
  await one.locator('#note').focus();
  await one.keyboard.insertText('两个标签');
  await until('the other tab shows it', async () => await two.locator('#note').inputValue() === '两个标签');
  await one.keyboard.press('Control+s');
  for (const page of [one, two]) {
    await until('it is gone', async () => await page.locator('h2.name').count() === 0 || await name(page) !== who);
    await until('it is in the ledger', async () => (await page.locator('#just').innerText()).includes('已入账'));
  }
  assert.equal(await attempts(stand, 'p02'), before + 1);
  assert.deepEqual((await counts(two)).草稿, 0);
  await one.context().close();
}

async function takeBack(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await someCase(page);
  const who = await name(page);
  await page.keyboard.press('5');
  await page.locator('#note').focus();
  await page.keyboard.insertText('按错了');
  await page.keyboard.press('Control+s');
  await until('it is stored', async () => /已存本机|已受理|已入账/.test(await page.locator('#just').innerText()));
  await page.keyboard.press('F8');
  await until('it is on the screen again', async () => await page.locator('h2.name').count() === 1 && await name(page) === who &&
    await page.locator('#note').inputValue() === '按错了');
  await picture(page, '31-taken-back');
  await page.keyboard.press('F9');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('1');
  await until('it is given back', async () => await page.locator('h2.name').count() === 0 || await name(page) !== who);
  await page.context().close();
}

/* The broker away: the case in hand is recorded as usual. The office away: what is saved waits in the browser. Both come
 * into the ledger, once. */
async function cutOff(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await someCase(page);
  const before = await attempts(stand, 'p02');
  await stand.say('stop hf-broker');
  await until('it says so', async () => (await page.locator('#link').innerText()).includes('离线中'));
  await nobody(page);
  await page.keyboard.press('5');
  await picture(page, '40-broker-away');
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Control+Enter');
  await until('it is on the office\'s disk', async () => (await page.locator('#just').innerText()).includes('已存本机'));
  await stand.say('start hf-broker');
  await until('it is in the ledger', async () => (await page.locator('#just').innerText()).includes('已入账'));
  await page.locator('h2.name').waitFor();
  await stand.say('stop office');
  await until('it says so', async () => (await page.locator('#link').innerText()).includes('服务器断开'));
  const who = await name(page);
  await page.keyboard.press('6');
  await page.keyboard.press('2');
  await page.keyboard.press('Control+Enter');
  await until('it waits', async () => (await page.locator('#link').innerText()).includes('未上传 1'));
  await picture(page, '41-office-away');
  await stand.say('start office');
  await page.locator('#pin').waitFor();
  await picture(page, '42-locked');
  await page.keyboard.type(stand.pin);
  await page.keyboard.press('Enter');
  await page.locator('.desk').waitFor();
  await until('it is in the ledger', async () => /已入账/.test(await page.locator('#just').innerText()));
  assert.ok((await page.locator('#just').innerText()).includes(who));
  assert.equal(await attempts(stand, 'p02'), before + 2);
  await picture(page, '43-back');
  await page.context().close();
}

/* The list by pinyin, somebody who rings in by digits, several at once. */
async function finding(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const rows = page.locator('#list [data-row]');
  while (await rows.count() < 3) {
    await work(page, WAYS[0]);
    await page.keyboard.press('Control+Enter');
    await until('the next one', async () => await page.locator('h2.name').count() === 1 && (await page.locator('#lacks').innerText()).includes('先选结果'));
  }
  const label = await page.evaluate(() => [...document.querySelectorAll('#list .row:not(.hand):not(:disabled) .row-name')].map(e => e.textContent.replace(/[▶✎].*/, '').trim())[0]);
  await nobody(page);
  await page.keyboard.press('/');
  await page.keyboard.insertText(label);
  await until('one row', async () => await rows.count() === 1);
  await page.locator('#find').fill('zzzz');
  await until('none', async () => await rows.count() === 0);
  await page.locator('#find').fill('');
  const digits = (await page.locator('.numbers .big').first().innerText()).replace(/\D/g, '');
  await page.keyboard.press('F2');
  await page.locator('#inbound').fill(digits);
  await page.keyboard.press('Enter');
  await page.locator('dialog .found button').first().waitFor();
  await picture(page, '50-inbound-found');
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await page.locator('#find').fill(label);
  await page.locator('#find').press('Enter');
  await until('two in hand', async () => await page.locator('.hands .chip').count() === 2);
  await page.locator('#find').fill('');
  await nobody(page);
  const now = await name(page);
  await page.keyboard.press(']');
  await until('the other one', async () => await name(page) !== now);
  await picture(page, '51-two-in-hand');
  assert.deepEqual(await axe(page), []);
  await page.context().close();
}

/* A photo chosen, one dropped; then the papers of a withdrawal with both. */
async function papers(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const photo = await page.screenshot({type: 'jpeg', quality: 60});
  await page.locator('#file').setInputFiles({name: '申请书.jpg', mimeType: 'image/jpeg', buffer: photo});
  await until('it is on the office\'s disk', async () => /申请书.jpg.*(已存本机|已送到)/.test(await page.locator('.papers').innerText()));
  const png = (await page.screenshot()).toString('base64');
  await page.evaluate(b64 => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(b64), c => c.charCodeAt(0))], '身份证.png', {type: 'image/png'}));
    data.items.add(new File(['no photo'], '说明.txt', {type: 'text/plain'}));
    window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
  }, png);
  await until('both', async () => await page.locator('.papers li').count() === 2);
  await page.getByText('只收 JPEG、PNG、PDF').waitFor();
  await picture(page, '33-photos');
  const who = await name(page);
  await nobody(page);
  await page.keyboard.press('F6');
  await page.locator('dialog[open]').waitFor();
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
  }
  assert.deepEqual(await axe(page), []);
  await picture(page, '34-papers');
  await page.locator('dialog button[type=submit]').press('Enter');
  await until('it is in the ledger', async () => (await page.locator('#just').innerText()).includes(`${who}·退档材料`) &&
    (await page.locator('#just').innerText()).includes('已入账'));
  const rows = (await stand.say('sql SELECT items, cardinality(evidence) FROM hf.ledger WHERE items IS NOT NULL')).rows;
  assert.deepEqual(rows, [['63', '2']]);
  await page.context().close();
}

/* The office has the record, but its answer is lost on the way: the browser sends it again, and it counts once. */
async function lostAnswer(t, {browser, stand}) {
  const page = await newPage(browser);
  await page.addInitScript(() => {
    const Real = window.EventSource;
    window.EventSource = class extends Real {
      constructor(url) {
        super(url);
        window.stream = this;
      }
    };
  });
  await logIn(page, stand);
  await someCase(page);
  const before = await attempts(stand, 'p01');
  let sent = 0;
  await page.route('**/api/do', async route => {
    if (!(route.request().postData() || '').includes('"record"')) return route.continue();
    sent++;
    if (sent > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.evaluate(() => window.stream.close());
  await nobody(page);
  await page.keyboard.press('6');
  await page.keyboard.press('1');
  await page.keyboard.press('Control+s');
  await until('it is sent again', () => sent >= 2);
  await page.reload();
  await page.locator('.desk').waitFor();
  await until('it is in the ledger', async () => (await page.locator('#just').innerText()).includes('已入账'));
  assert.equal(await attempts(stand, 'p01'), before + 1);
  await page.context().close();
}

/* Bare keys can be switched off (WCAG 2.1.4); the Alt form stays. */
async function bareKeys(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const picked = async key => await page.locator('.outcome[aria-pressed=true]').innerText().catch(() => '').then(x => x.includes(key));
  await nobody(page);
  await page.keyboard.press('2');
  await until('a bare key', () => picked('还要考虑'));
  await page.keyboard.press('F1');
  await page.locator('dialog input[type=checkbox]').uncheck();
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  await nobody(page);
  await page.keyboard.press('5');
  assert.ok(await picked('还要考虑'));
  await page.keyboard.press('Alt+5');
  await until('Alt+5', () => picked('没人接'));
  await page.context().close();
}

/* The code on the screen is the number that is picked, without the 0 that this desk phone wants and that is copied. */
async function dialByTelephone(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand);
  await someCase(page);
  const n = await page.locator('.numbers li').count();
  await page.locator('.numbers input[type=radio]').nth(n - 1).check();
  const digits = (await page.locator('.numbers .big').nth(n - 1).innerText()).replaceAll(' ', '');
  await nobody(page);
  await page.keyboard.press('q');
  await page.locator('dialog .qr').waitFor();
  assert.equal(await decoded(page, 'dialog .qr'), `tel:${digits}`);
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  const wants = /^1/.test(digits) ? `0${digits}` : digits;
  await page.keyboard.press('o');
  await page.locator('.numbers li').nth(n - 1).getByText(wants, {exact: true}).waitFor();
  await page.keyboard.press('c');
  await page.locator('.notice', {hasText: `已复制 ${wants}`}).or(page.locator('.notice', {hasText: '请手抄'})).waitFor();
  await page.keyboard.press('q');
  await page.locator('dialog .qr').waitFor();
  assert.equal(await decoded(page, 'dialog .qr'), `tel:${digits}`);
  await page.context().close();
}

/* The practice campaign is not to be mistaken for the real one. */
async function practice(t, {browser, stand}) {
  const page = await newPage(browser);
  await page.route('**/api/campaign', async route => {
    const real = await route.fetch();
    await route.fulfill({response: real, json: {...await real.json(), title: 'practice'}});
  });
  await logIn(page, stand);
  await page.getByText('人和号码都是编的').waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '05-practice');
  await page.context().close();
}

function size() {
  const bytes = gzipSync(readFileSync(resolve(root, 'build/share/office/app.js')), {level: 9}).length;
  assert.ok(bytes < 60000, `${bytes} bytes of script, gzipped`);
}

export const desk = [
  ['twenty cases by keyboard alone', twentyCases], ['every view passes axe and fits', pictures], ['an input method keeps its keys', inputMethod],
  ['a reload keeps the draft', reload], ['two tabs are one desk', twoTabs], ['a record is taken back', takeBack],
  ['cut off, work goes on, and counts once', cutOff], ['finding by pinyin and by number', finding], ['photos and papers', papers], ['an answer that is lost counts once', lostAnswer],
  ['bare keys can be switched off', bareKeys],
  ['a code to dial by telephone', dialByTelephone], ['practice is marked', practice],
  ['the script is small', size],
];
