/* The caller's page beyond the desk: a telephone, several people at once. */
import assert from 'node:assert/strict';
import {WAYS, attempts, name, nobody, someCase, work} from './desk.mjs';
import {TELEPHONE, axe, logIn, newPage, picture, until} from './rig.mjs';

/* An own list of at least n people, made by keyboard. */
async function ownPeople(page, n) {
  const rows = page.locator('#list [data-row]');
  await someCase(page);
  while (await rows.count() < n + 1) {
    await work(page, WAYS[0]);
    await page.keyboard.press('Control+Enter');
    await until('the next one', async () => await page.locator('h2.name').count() === 1 && (await page.locator('#lacks').innerText()).includes('先选结果'));
  }
}

const fits = async page => {
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide[0] <= wide[1], `${wide[0]} wide on a screen of ${wide[1]}`);
};

/* 记一笔: found by pinyin, a tap to dial, the result, the next date, saved; by taps alone. */
async function telephone(t, {browser, stand}) {
  const desk = await newPage(browser);
  await logIn(desk, stand, 'p02');
  await ownPeople(desk, 2);
  await desk.context().close();
  const page = await newPage(browser, TELEPHONE);
  await logIn(page, stand, 'p02');
  await until('a list or somebody in hand', async () => await page.locator('#list [data-row]').count() + await page.locator('.quick-one').count() > 0);
  if (await page.locator('.quick-one').count() > 0) await page.getByText('‹ 名单').tap();
  await page.locator('#list [data-row]').nth(1).waitFor();
  await fits(page);
  assert.deepEqual(await axe(page), []);
  await picture(page, '52-telephone-list');
  const who = await page.evaluate(() => [...document.querySelectorAll('#list .row:not(.hand) .row-name')].map(e => e.textContent.replace(/[▶✎!].*/, '').trim())[0]);
  await page.locator('#find').fill(who);
  await until('one row', async () => await page.locator('#list [data-row]').count() === 1);
  const before = await attempts(stand, 'p02');
  await page.locator('#list [data-row]').tap();
  await until('that person', async () => await page.locator('.quick-one').count() === 1 && (await name(page)) === who);
  assert.match(await page.locator('.quick-numbers a').first().getAttribute('href'), /^tel:(1990000\d{4}|0[2-9]\d{8,10})$/);
  await page.evaluate(() => document.querySelectorAll('.quick-numbers a').forEach(a => a.addEventListener('click', e => e.preventDefault()))); /* no telephone here */
  await page.locator('.quick-numbers a').first().tap();
  await page.locator('.watch.on').waitFor();
  await picture(page, '53-telephone-one');
  await page.locator('.outcome').nth(6).tap();
  await page.getByText('明天 10:00').tap();
  await until('it can be saved', async () => (await page.locator('#lacks').innerText()).includes('可以保存'));
  assert.equal(await page.locator('.watch.on').count(), 0, 'the call ends with the result');
  await fits(page);
  assert.deepEqual(await axe(page), []);
  await picture(page, '54-telephone-result');
  await page.locator('.buttons .main').tap();
  await until('it is in the ledger', async () => (await page.locator('#just').innerText()).match(new RegExp(`${who}.*已入账`)));
  await page.locator('#list').waitFor();
  assert.equal(await attempts(stand, 'p02'), before + 1);
  const rows = (await stand.say("sql SELECT outcome, extract(hour FROM to_timestamp(next_at / 1000) AT TIME ZONE 'Asia/Shanghai')::int FROM hf.ledger WHERE person = 'p02' AND kind = 1 ORDER BY seq DESC LIMIT 1")).rows;
  assert.deepEqual(rows, [['call-later', '10']]);
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* Two people, one result: two records. */
async function many(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await ownPeople(page, 3);
  const before = await attempts(stand, 'p02');
  await nobody(page);
  await page.keyboard.press('F10');
  await page.locator('dialog .marks input').nth(2).waitFor();
  const labels = page.locator('dialog .marks label');
  for (const i of [1, 2]) await labels.nth(i).locator('input').check();
  await page.locator('dialog').getByText('已发短信').click();
  await page.locator('dialog label.chip', {hasText: '明天 10:00'}).click();
  await page.locator('#many-note').fill('发了资助政策');
  assert.deepEqual(await axe(page), []);
  await picture(page, '55-many');
  await page.locator('dialog button[type=submit]').click();
  await page.getByText('2 位都记了').waitFor();
  await until('both in the ledger', async () => await attempts(stand, 'p02') === before + 2);
  const rows = (await stand.say("sql SELECT outcome, channel FROM hf.ledger WHERE person = 'p02' AND kind = 1 ORDER BY seq DESC LIMIT 2")).rows;
  assert.deepEqual(rows, [['sms-sent', 'sms'], ['sms-sent', 'sms']]);
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* All that the browser keeps, as whoever sits down there next could read it. */
const onDisk = page => page.evaluate(async () => {
  let text = JSON.stringify({...localStorage});
  for (const {name} of await indexedDB.databases()) {
    const open = indexedDB.open(name), db = await new Promise(r => { open.onsuccess = () => r(open.result); });
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      text += JSON.stringify(await new Promise(r => { all.onsuccess = () => r(all.result); }));
    }
    db.close();
  }
  return text;
});

/* Typed, then the office dies and a reset PIN is the way back in: unreadable meanwhile, and nothing is lost. */
async function sealedDrafts(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await someCase(page);
  const who = await name(page);
  await nobody(page);
  await page.keyboard.press('4');
  await until('the words have the focus', () => page.evaluate(() => document.activeElement.id === 'words'));
  await page.keyboard.insertText('家里让我复读');
  await until('it is on the disk', async () => (await onDisk(page)).includes('"sealed"'));
  const bytes = await onDisk(page);
  for (const plain of ['家里让我复读', 'withdraw-asked', who]) assert.ok(!bytes.includes(plain), plain);
  await stand.say('stop office');
  await page.locator('#link.bad').waitFor();
  await page.keyboard.insertText('，想好了');
  await until('the rest is on the disk too', async () => await onDisk(page) !== bytes);
  await stand.say('start office');
  await page.goto('about:blank'); /* the PC was switched off */
  await page.goto(stand.office);
  await page.getByText('加了密').waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '04-drafts-are-kept');
  assert.ok(!(await onDisk(page)).includes('复读'));
  await logIn(page, stand, 'p02');
  await page.locator('h2.name').waitFor();
  if (await name(page) !== who) await page.locator('.hands .chip', {hasText: who}).click();
  await until('the words are back', async () => await page.locator('#words').count() === 1 && await page.locator('#words').inputValue() === '家里让我复读，想好了');
  await page.locator('#words').fill('想复读');
  await page.keyboard.press('Control+s');
  await until('it is saved', async () => (await page.locator('#just').innerText()).includes(`${who}·申请退档`));
  assert.ok(!(await onDisk(page)).includes(who), 'a record on its way is sealed too');
  await page.context().close();
}

export const caller = [['drafts are sealed on the disk', sealedDrafts], ['a telephone is enough', telephone], ['several people with one result', many]];
