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

/* Every two seconds the page's server asks; nobody has to reload anything. */
async function brokerDies(t, {browser, stand}) {
  const page = await newPage(browser, PLAIN);
  await page.goto(stand.dashboard);
  const headline = page.locator('#headline');
  const problems = async () => page.locator('#problems').innerText();
  await until('it is live', async () => /一切正常|需要处理/.test(await headline.innerText()));
  assert.equal(await problems(), '');
  await stand.say('stop hf-broker');
  await until('it is said', async () => (await problems()).includes('broker 连不上'));
  assert.match(await headline.innerText(), /需要处理 1 件/);
  assert.deepEqual(await axe(page), []);
  await picture(page, '61-broker-died');
  await stand.say('start hf-broker');
  await until('all is well again', async () => await problems() === '' && (await headline.innerText()) === '一切正常');
  await page.context().close();
}

export const operators = [['the operators\' page passes axe', looks], ['the operators\' page notices a broker that died', brokerDies]];
