/* The operators' page: it passes axe, and it notices a broker that died. */
import assert from 'node:assert/strict';
import {PLAIN, axe, newPage, picture, until} from './rig.mjs';

async function looks(t, {browser, stand}) {
  const page = await newPage(browser, PLAIN);
  await page.goto(stand.dashboard);
  await until('it is live', async () => (await page.locator('#age').innerText()).includes('实时'));
  assert.deepEqual(await axe(page), []);
  await picture(page, '60-operators');
  assert.deepEqual(page.said, []);
  await page.context().close();
}

export const operators = [['the operators\' page passes axe', looks]];
