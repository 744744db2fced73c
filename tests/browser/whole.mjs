/* What several people do one after the other, each on the own page; and what happens to a page whose browser, clock or server
 * is taken away. */
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {resolve} from 'node:path';
import {attempts, name, nobody, someCase, work} from './desk.mjs';
import {OFFICE_PC, axe, killed, logIn, newPage, openKept, picture, until} from './rig.mjs';

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

const saved = (page, what) => until(`${what} is in the ledger`, async () => (await page.locator('#just').innerText()).includes('已入账'));

/* The caller asks what is wanted and puts the photo in; the leader looks at it and signs; so does one of the data group. */
async function withdrawal(t, {browser, stand}) {
  const caller = await newPage(browser);
  await logIn(caller, stand, 'q02');
  await someCase(caller);
  const who = await name(caller);
  await work(caller, ['withdraw-asked', '4', '"想复读一年']);
  await caller.keyboard.press('Control+s');
  await saved(caller, 'the wish');
  await caller.locator('#list [data-row]', {hasText: who}).click();
  await until('it is in hand again', async () => await name(caller) === who);
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
  await until('it is withdrawn', async () => (await stand.say('sql SELECT count(*) FROM hf.v_figure WHERE withdrawn')).rows[0][0] === '1');
}

export const whole = [['a withdrawal: a photo and two signatures', withdrawal]];
