/* The operators' page: it passes axe in every view, its tables export what they show, and it notices a broker that died. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {PLAIN, axe, newPage, picture, until} from './rig.mjs';

async function looks(t, {browser, stand}) {
  const page = await newPage(browser, PLAIN);
  await page.goto(stand.dashboard);
  await until('it is live', async () => (await page.locator('#age').innerText()).includes('实时'));
  assert.deepEqual(await axe(page), []);
  await picture(page, '60-operators');
  const n = (await page.locator('#funnel').innerText()).match(/\d+/g).map(Number);
  assert.equal(n[0], n[1] + n[2], 'everybody was called or was not');
  assert.equal(n[3], n.slice(4).reduce((a, b) => a + b, 0), 'who was called is counted once');
  assert.equal(n[2], n[3]);
  assert.deepEqual(page.said, []);
  await page.context().close();
}

const VIEWS = [['lanes', '#lanes'], ['people', '#people'], ['nights', '#nights'], ['parts', '#parts']];

async function views(t, {browser, stand}) {
  const page = await newPage(browser, PLAIN);
  await stand.say('ctl reconcile run');
  for (const [view, table] of VIEWS) {
    await page.goto(`${stand.dashboard}/#${view}`);
    await page.locator(`${table} tbody tr`).first().waitFor();
    await until('the view is marked', async () => await page.locator('nav a[aria-current]').getAttribute('href') === `#${view}`);
    assert.deepEqual(await axe(page), [], view);
    await picture(page, `62-operators-${view}`);
  }
  await page.goto(`${stand.dashboard}/#people`);
  await until('the team is there', async () => (await page.locator('#people tbody').innerText()).includes('t1'));
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#people button').click()]);
  const csv = readFileSync(await file.path(), 'utf8');
  assert.ok(csv.startsWith('\ufeff小组,人员,在岗,在手'), csv);
  assert.match(csv, /^t1,2,/m);
  await page.goto(`${stand.dashboard}/?tv=1`);
  await until('it is live', async () => (await page.locator('#age').innerText()).includes('实时'));
  assert.equal(await page.locator('#h-lanes').isVisible(), false);
  assert.equal(await page.locator('#h-problems').isVisible(), true);
  assert.deepEqual(await axe(page), []);
  await picture(page, '63-operators-tv');
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
  assert.match(await problems(), /^归档与存储在同一块盘上/);   // a private stack has one disk
  await stand.say('stop hf-broker');
  await until('it is said', async () => (await problems()).includes('broker 连不上'));
  assert.match(await headline.innerText(), /需要处理 2 件/);
  assert.deepEqual(await axe(page), []);
  await picture(page, '61-broker-died');
  await stand.say('start hf-broker');
  await until('all is well again', async () => (await headline.innerText()) === '需要处理 1 件');
  await page.context().close();
}

export const operators = [['the operators\' page passes axe', looks], ['every view of the operators\' page, its sheet, the wall', views], ['the operators\' page notices a broker that died', brokerDies]];
