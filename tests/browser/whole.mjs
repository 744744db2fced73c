/* What several people do one after the other, each on the own page; and what happens to a page whose browser, clock or server
 * is taken away. */
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {resolve} from 'node:path';
import {attempts, name, nobody, someCase} from './desk.mjs';
import {axe, killed, logIn, newPage, openKept, picture, until} from './rig.mjs';

async function board(browser, stand, person, view) {
  const page = await newPage(browser);
  await page.goto(`${stand.office}/`);
  await page.locator('#person').fill(person);
  await page.locator('#pin').fill(stand.pin);
  await page.keyboard.press('Enter');
  await page.locator('.board nav').waitFor();
  await page.locator('#link.ok').waitFor();
  await page.goto(`${stand.office}/board#${view}`);
  return page;
}

/* The caller puts the photo in; the leader looks at it and signs; so does one of the data group. */
async function withdrawal(t, {browser, stand}) {
  const caller = await newPage(browser);
  await logIn(caller, stand, 'q02');
  await someCase(caller);
  const who = await name(caller);
  const photo = (await caller.screenshot({type: 'jpeg', quality: 70})).toString('base64');
  await caller.evaluate(b64 => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(b64), c => c.charCodeAt(0))], '退档.jpg', {type: 'image/jpeg'}));
    window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
  }, photo);
  await until('the photo has arrived', async () => (await caller.locator('.papers').innerText()).includes('已送到'));
  await nobody(caller);
  await caller.keyboard.press('F6');
  for (const box of await caller.locator('dialog input[type=checkbox]').all()) await box.check();
  await caller.locator('dialog .main').click();
  await until('the papers are in the ledger', async () => /退档材料.*已入账/.test(await caller.locator('#just').innerText()));
  await caller.context().close();

  const sign = async (person, view, table, n) => {
    const page = await board(browser, stand, person, view);
    await page.locator(`#${table} tbody tr`, {hasText: who}).click();
    await page.locator('.who', {hasText: who}).waitFor();
    await until('the photo is seen', async () => {
      const img = page.locator('.pictures img').first();
      if (await img.count() === 0) return false;
      const wide = await img.evaluate(e => e.complete && e.naturalWidth || 0);
      if (wide === 0) await img.evaluate(e => { e.src = `${e.src.split('&again')[0]}&again=${Math.random()}`; }); /* not archived yet */
      await page.waitForTimeout(100);
      return wide > 1000;
    });
    assert.deepEqual(await axe(page), []);
    await picture(page, `80-papers-${n}`);
    await nobody(page);
    await page.keyboard.press('g');
    await page.locator('.act[data-act=sign]').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.locator('.said li[data-state=effective]').waitFor();
    await until('it has left the list', async () => !(await page.locator(`#${table}`).innerText()).includes(who));
    assert.deepEqual(page.said, []);
    await page.context().close();
  };
  await sign('l01', 'team', 'waiting', 1);
  await sign('g01', 'data/papers', 'papers', 2);
  const rows = (await stand.say("sql SELECT person, items, cardinality(evidence) FROM hf.ledger WHERE items IS NOT NULL ORDER BY no DESC LIMIT 3")).rows;
  assert.deepEqual(rows.map(r => [r[0], r[1]]), [['g01', '63'], ['l01', '63'], ['q02', '63']]);
  await until('it is withdrawn', async () => (await stand.say('sql SELECT withdrawn FROM hf.v_figure WHERE case_ref = (SELECT case_ref FROM hf.ledger WHERE items IS NOT NULL ORDER BY no DESC LIMIT 1)')).rows[0][0] === 't');
}

/* The PC goes off in the middle of a word: the browser is killed, and so is what it had not yet written. Opened again it wants
 * the PIN; then the words are there, and so is the call that was being timed. */
async function powerCut(t, {stand}) {
  const dir = mkdtempSync(resolve(tmpdir(), 'hf-profile-')), running = [];
  const opened = async () => {
    const one = await openKept(dir);
    running.push(one.p);
    return one;
  };
  try {
    const first = await opened();
    await logIn(first.page, stand, 'p01');
    await someCase(first.page);
    const who = await name(first.page);
    await nobody(first.page);
    await first.page.keyboard.press('Space');
    await first.page.keyboard.press('4');
    await until('the words have the focus', () => first.page.evaluate(() => document.activeElement.id === 'words'));
    await first.page.keyboard.insertText('家里让我先');
    await until('the draft is on the disk', () => first.page.evaluate(async () => {
      const open = indexedDB.open((await indexedDB.databases()).find(d => d.name.startsWith('huifang-')).name);
      const db = await new Promise(r => { open.onsuccess = () => r(open.result); });
      const all = db.transaction('drafts').objectStore('drafts').getAll();
      const n = await new Promise(r => { all.onsuccess = () => r(all.result.length); });
      db.close();
      return n > 0;
    }));
    await first.page.keyboard.insertText('去看看'); /* on its way to the disk, or not */
    await killed(first.p);
    const second = await opened();
    await logIn(second.page, stand, 'p01');
    await second.page.locator('h2.name').waitFor();
    if (await name(second.page) !== who) await second.page.locator('.hands .chip', {hasText: who}).click();
    await until('the words are back', async () => await second.page.locator('#words').count() === 1 &&
      (await second.page.locator('#words').inputValue()).startsWith('家里让我先'));
    await picture(second.page, '81-after-the-power-cut');
    await second.page.locator('#words').fill('家里让我先去看看');
    const before = await attempts(stand, 'p01');
    await second.page.keyboard.press('Control+s');
    await until('it is in the ledger', async () => (await second.page.locator('#just').innerText()).match(new RegExp(`${who}.*已入账`)));
    assert.equal(await attempts(stand, 'p01'), before + 1);
  } finally {
    for (const p of running) await killed(p);
    rmSync(dir, {recursive: true, force: true, maxRetries: 20, retryDelay: 100});
  }
}

/* The office begins anew while somebody types: the words go on, the PIN is asked for when they are saved, and then they count. */
async function beginsAnew(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p01');
  await someCase(page);
  const who = await name(page), before = await attempts(stand, 'p01');
  await nobody(page);
  await page.keyboard.press('4');
  await until('the words have the focus', () => page.evaluate(() => document.activeElement.id === 'words'));
  await page.keyboard.insertText('想在');
  await stand.say('stop office');
  await page.locator('#link.bad').waitFor();
  assert.ok((await page.locator('#list .row.now').innerText()).includes('离线中，照常记录'));
  await stand.say('start office');
  await until('it says that it wants a login', async () => (await page.locator('#link').innerText()).includes('要再登录一次'));
  await page.keyboard.insertText('家里');
  assert.equal(await page.locator('#words').inputValue(), '想在家里');
  assert.deepEqual(await axe(page), []);
  await picture(page, '84-begins-anew');
  await page.keyboard.press('Control+s');
  await page.locator('#pin').waitFor();
  await page.keyboard.type(stand.pin);
  await page.keyboard.press('Enter');
  await until('it is in the ledger', async () => await page.locator('#just').count() === 1 && (await page.locator('#just').innerText()).match(new RegExp(`${who}.*已入账`)));
  assert.equal(await attempts(stand, 'p01'), before + 1);
  await page.context().close();
}

/* The PC believes in another year, and the own list has not come yet: the times offered are the server's all the same. */
async function wrongClock(t, {browser, stand}) {
  const page = await newPage(browser);
  await page.clock.install({time: new Date('2021-07-04T03:00:00Z')});
  await page.route('**/api/own', route => route.abort());
  await logIn(page, stand, 'p01');
  await someCase(page);
  await nobody(page);
  await page.keyboard.press('2');
  await page.locator('[data-times=decide_by] input[type=datetime-local]').waitFor();
  assert.match(await page.locator('[data-times=decide_by] input[type=datetime-local]').inputValue(), /^2026-03-1\d/);
  assert.match(await page.locator('.top time').innerText(), /^(09|1\d):/);
  await page.keyboard.press('5');
  await page.context().close();
}

/* A photo that is dropped while the office is away waits and goes up by itself. In a dialog Ctrl+Enter is the dialog's. */
async function photoWaits(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p01');
  await someCase(page);
  const who = await name(page), had = await page.locator('.papers li').count(), before = await attempts(stand, 'p01');
  await page.route('**/api/evidence**', route => route.abort());
  const photo = await page.screenshot({type: 'jpeg', quality: 50});
  await page.locator('#file').setInputFiles({name: '准考证.jpg', mimeType: 'image/jpeg', buffer: photo});
  await until('it waits', async () => /准考证.jpg.*待传/.test(await page.locator('.papers').innerText()));
  await picture(page, '82-photo-waits');
  await page.unroute('**/api/evidence**');
  await until('it is there', async () => /准考证.jpg.*(已存本机|已送到)/.test(await page.locator('.papers').innerText()));
  assert.equal(await page.locator('.papers li').count(), had + 1);
  await nobody(page);
  await page.keyboard.press('5');
  await page.keyboard.press('n');
  await page.locator('#digits').waitFor();
  await page.keyboard.press('Control+Enter');
  await page.locator('dialog .told', {hasText: '3 到 20 位'}).waitFor();
  await page.locator('#digits').fill('19900009999');
  await page.keyboard.press('Control+Enter');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  assert.equal(await name(page), who, 'the record behind the dialog is not saved by its keys');
  await page.keyboard.press('m');
  await page.keyboard.press('1');
  await until('the message has the name in it', async () => (await page.locator('.message').innerText()).includes(`${who}同学`));
  assert.deepEqual(await axe(page), []);
  await picture(page, '83-message');
  assert.equal(await attempts(stand, 'p01'), before);
  assert.deepEqual(page.said, []);
  await page.context().close();
}

export const whole = [['the power is cut in the middle of a word', powerCut], ['the office begins anew in the middle of a word', beginsAnew], ['the clock of the PC is wrong', wrongClock], ['a photo waits for the office, a dialog has its keys', photoWaits],
  ['a withdrawal: a photo and two signatures', withdrawal]];
