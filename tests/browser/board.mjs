/* The board: a leader answers, returns and splits by keyboard alone, strike takes, a supervisor finds, data opens and
 * pauses; each view passes axe on an office PC and at 200 %, and its table exports what it shows. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {resolve} from 'node:path';
import {gzipSync} from 'node:zlib';
import {nobody, someCase, work} from './desk.mjs';
import {LIMIT, OFFICE_PC, ZOOMED, axe, logIn, newPage, picture, root, until} from './rig.mjs';

export async function enter(browser, stand, person, how = OFFICE_PC) {
  const page = await newPage(browser, how);
  await page.goto(`${stand.office}/`); /* the caller's door leads to the board who makes no calls */
  await page.locator('#person').fill(person);
  await page.locator('#pin').fill(stand.pin);
  await page.keyboard.press('Enter');
  await page.locator('.board nav').waitFor();
  await page.locator('#link.ok').waitFor();
  return page;
}
export const rows = (page, id) => page.locator(`#${id} tbody tr`).count();
export const cells = async (page, id) => page.locator(`#${id}`).innerText();
export const said = (page, word, n = 1) => until(`${n} said ${word}`, async () => await page.locator(`.said li[data-state="${word}"]`).count() >= n);
export const focused = (page, name) => until(`${name} has the focus`, () => page.evaluate(n => document.activeElement && document.activeElement.getAttribute('name') === n, name));
export const typed = (page, name, text) => focused(page, name).then(() => page.keyboard.insertText(text));
export const chosen = (page, id, value) => until(`${id} is ${value}`, async () => await page.locator(`#f-${id}`).inputValue() === value);

/* Three cases of q01: a question, a hand-up, another one. */
async function prepare(browser, stand) {
  const page = await newPage(browser);
  await logIn(page, stand, 'q01');
  for (const [n, way] of [['ask-leader', '0', '1', '"能不能换专业'], ['needs-help', '0', '2', '"父亲要组长回电'], ['needs-help', '0', '2', '"三次打不通']].entries()) {
    await someCase(page);
    await work(page, way);
    await page.keyboard.press('Control+s');
    await until('it is in the ledger', async () => Number(/已入账 (\d+)/.exec(await page.locator('#counts').innerText())[1]) >= n + 1);
    await nobody(page);
  }
  await page.context().close();
}

async function leader(t, {browser, stand}) {
  await prepare(browser, stand);
  const page = await enter(browser, stand, 'l01');
  await until('three wait', async () => await rows(page, 'waiting') === 3 && (await cells(page, 'waiting')).includes('能不能换专业'));
  await until('the clocks of all three', async () => /还剩 0:(30|2\d)[\s\S]*还剩 (2:00|1:5\d)/.test(await cells(page, 'waiting')));
  assert.deepEqual(await axe(page), []);
  await page.locator('.panel .question').waitFor();
  await picture(page, '70-team');

  await nobody(page); /* the question is the most urgent: it is picked */
  await page.keyboard.press('a');
  await focused(page, 'note');
  await page.keyboard.press('Control+Enter'); /* nothing written: said here, nothing sent */
  await until('it says what is missing', async () => (await page.locator('.act .error').innerText()).includes('还缺'));
  await picture(page, '71-missing');
  await page.keyboard.insertText('开学后可以申请');
  /* A key of the input method is not ours. */
  await page.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, keyCode: 229, bubbles: true})));
  await page.keyboard.press('Alt+3'); /* another view, and back: what was typed is there */
  await page.locator('#leave').waitFor();
  await page.keyboard.press('1');
  await page.locator('#waiting').waitFor();
  await nobody(page);
  await page.keyboard.press('a');
  await until('the answer is still there', async () => await page.locator('#f-note').inputValue() === '开学后可以申请');
  await page.keyboard.press('Control+Enter');
  await said(page, 'effective');
  await until('the question is gone', async () => await rows(page, 'waiting') === 2);

  await nobody(page);
  await page.keyboard.press('ArrowDown');
  await until('a row has the focus', () => page.evaluate(() => document.activeElement.classList.contains('pick')));
  await page.keyboard.press('b');
  await chosen(page, 'to', 'q01');
  await page.keyboard.press('Control+Enter');
  await said(page, 'effective', 2);
  await until('it went back', async () => await rows(page, 'waiting') === 1);
  await nobody(page);
  await page.keyboard.press('s');
  await typed(page, 'reason', '多次联系不上');
  await page.keyboard.press('Control+Enter');
  await said(page, 'effective', 3);
  await until('nobody waits', async () => await rows(page, 'waiting') === 0);
  await picture(page, '72-nobody-waits');

  await nobody(page);
  await page.keyboard.press('2');
  await until('q01 is there', async () => (await cells(page, 'people')).includes('q01'));
  await until('the figures have come', async () => /^t2 战报 03-09.*（暂计）\n全组：名下3 打过3.*\nq01：名下3/.test(await page.locator('#battle').innerText()));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.keyboard.press('c');
  await until('it is copied', async () => (await page.evaluate(() => navigator.clipboard.readText())).startsWith('t2 战报'));
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('e')]);
  assert.match(readFileSync(await file.path(), 'utf8'), /^\ufeff人员,小组,名下,打过,[^\n]*\r\nq01,t2,3,3,/);
  await picture(page, '73-people');
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* q01 is ill: what would go where is seen before it goes. */
async function absence(t, {browser, stand}) {
  const page = await enter(browser, stand, 'l01');
  await page.keyboard.press('3');
  await until('q01 is there', async () => (await cells(page, 'leave')).includes('q01'));
  await page.keyboard.press('n');
  await chosen(page, 'subject', 'q01');
  const moved = Number(await until('the preview', async () => (await page.locator('#preview p b').count()) && page.locator('#preview p b').innerText()));
  assert.ok(moved >= 2, String(moved));
  assert.match(await page.locator('#preview').innerText(), /q02/);
  assert.deepEqual(await axe(page), []);
  await picture(page, '74-absence');
  await focused(page, 'subject');
  await page.keyboard.press('Control+Enter');
  await until('all is said', async () => (await page.locator('.said li[data-state=effective]').count()) >= Math.min(moved + 1, 4), LIMIT);
  await until('q02 has them', async () => {
    const {out} = await stand.say('ctl --json queue ls');
    return JSON.parse(out).lanes.filter(l => l.lane.startsWith('own:q02:')).reduce((n, l) => n + l.cases, 0) === moved;
  });
  await nobody(page);
  await page.keyboard.press('2');
  await until('somebody is picked', async () => await page.locator('[data-open=pin]').count() === 1);
  await page.keyboard.press('k');
  await chosen(page, 'person', 'q01');
  await page.locator('#f-pin').fill(stand.pin);
  await page.keyboard.press('Control+Enter');
  await until('this office is not set up for it, and says so here', async () => (await page.locator('.act .error').innerText()).includes('reset-pin'));
  await page.context().close();
}

async function strike(t, {browser, stand}) {
  const page = await enter(browser, stand, 's01');
  await until('the dossier is there', async () => await rows(page, 'strike') === 1);
  await page.locator('.lasts').waitFor();
  await until('it is counted', async () => /等人接手 1/.test(await page.locator('#zero').innerText()));
  await picture(page, '75-strike');
  await nobody(page);
  await page.keyboard.press('a');
  await page.locator('.act[data-act=take]').waitFor();
  await until('the button has the focus', () => page.evaluate(() => !!document.activeElement.closest('.act')));
  await page.keyboard.press('Control+Enter');
  await until('it is in hand', async () => (await page.locator('#zero').innerText()).includes('在我手里 1'));
  await picture(page, '76-strike-in-hand');
  await nobody(page);
  await page.keyboard.press('b');
  await page.locator('.act[data-act=back]').waitFor();
  await until('the button has the focus', () => page.evaluate(() => !!document.activeElement.closest('.act')));
  await page.keyboard.press('Control+Enter');
  await until('it waits again', async () => /等人接手 1 · 在我手里 0/.test(await page.locator('#zero').innerText()));
  await page.context().close();
}

async function finds(t, {browser, stand}) {
  const page = await enter(browser, stand, 'v01');
  await nobody(page);
  await page.keyboard.press('3');
  await page.locator('#findings').waitFor();
  await page.keyboard.press('n');
  await focused(page, 'what');
  await page.locator('#f-reason').fill('长'.repeat(17)); /* 51 bytes: too long for a reason */
  await page.keyboard.press('Control+Enter');
  await until('it says so here', async () => (await page.locator('.act .error').innerText()).includes('太长了'));
  await page.locator('#f-reason').fill('三号房没有人');
  await page.keyboard.press('Control+Enter');
  await said(page, 'effective');
  await until('it is listed', async () => await rows(page, 'findings') >= 1);
  await picture(page, '77-findings');
  await page.context().close();
}

async function data(t, {browser, stand}) {
  const page = await enter(browser, stand, 'g01');
  await until('it adds up', async () => (await page.locator('#adds').innerText()).includes('对得上'));
  await nobody(page);
  for (const [open, word] of [['false', '已暂停'], ['true', '']]) {
    await page.keyboard.press('u');
    await typed(page, 'reason', '电话线路检修');
    await page.locator('#f-open').selectOption(open);
    await page.keyboard.press('Control+Enter');
    await said(page, 'effective', word ? 1 : 2);
    if (word) await until('it is paused', async () => (await page.locator('#adds').innerText()).includes(word));
    if (word) await picture(page, '78-paused');
    await nobody(page);
  }
  await page.context().close();
}

/* A roster with a bad row, then a good one: chosen, looked at and imported by keyboard; gone when it is dropped. */
async function imports(t, {browser, stand}) {
  const dir = mkdtempSync(resolve(tmpdir(), 'hf-roster-')), page = await enter(browser, stand, 'g01');
  const cases = async () => JSON.parse((await stand.say('ctl --json queue ls')).out).cases, before = await cases();
  const choose = async file => {
    await nobody(page);
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('a')]);
    await chooser.setFiles(resolve(dir, file));
  };
  page.on('filechooser', () => {}); /* from now on, not only while one is waited for: the key may be faster */
  const state = word => until(`it is ${word}`, async () => await page.locator('#import-state').getAttribute('data-state') === word);
  try {
    writeFileSync(resolve(dir, 'bad.csv'), '考生号,姓名,中学,专业,本人电话,父亲电话\n26990001,测一一,一中,软件,19900007701,19900007702\n26990002,测二,一中,软件,1990000,\n');
    spawnSync(resolve(process.env.HF_BIN || resolve(root, 'build/bin'), 'hf-sample'), ['--rows', '40', '--seed', '78', '--out', resolve(dir, 'good.xlsx')]);
    await page.keyboard.press('3');
    await page.locator('#first').waitFor();
    await choose('bad.csv');
    await state('looked');
    assert.match(await cells(page, 'errors'), /3[\s\S]*本人电话/);
    assert.match(await cells(page, 'first'), /2699\*\*01[\s\S]*测\*\*[\s\S]*199\*\*\*\*7701/);
    assert.match(await page.locator('#go').innerText(), /只导入没有错的 1/);
    assert.deepEqual(await axe(page), []);
    await picture(page, '78-import-bad');
    await nobody(page);
    await page.keyboard.press('d');
    await state('none');
    await choose('good.xlsx');
    await state('looked');
    await picture(page, '78-import-looked');
    assert.equal(await cases(), before);
    await nobody(page);
    await page.keyboard.press('s');
    await state('made');
    assert.equal(await cases(), before + 40);
    await picture(page, '78-import-made');
    assert.deepEqual(page.said, []);
  } finally {
    rmSync(dir, {recursive: true});
    await page.context().close();
  }
}

/* Everybody's every view: axe, no sideways scrolling, English, pictures. */
async function everyView(t, {browser, stand}) {
  const seen = new Set();
  for (const person of ['l01', 's01', 'v01', 'g01', 'f01', 'b01', 'z01', 'h01']) {
    const page = await enter(browser, stand, person, person === 'l01' ? ZOOMED : OFFICE_PC);
    const views = await page.locator('nav a[href^="#"]').evaluateAll(all => all.map(a => a.getAttribute('href')));
    for (const view of views.filter(v => !seen.has(v))) {
      seen.add(view);
      await page.goto(`${stand.office}/board${view}`);
      await until(`${view} is marked`, async () => await page.locator('nav a[aria-current]').getAttribute('href') === view);
      await until('nothing is asked any more', async () => !(await page.locator('main').innerText()).includes('正在取'));
      assert.equal(await page.locator('main .notice.warn').count(), 0, `${person} ${view}: ${await page.locator('main').innerText()}`);
      assert.deepEqual(await axe(page), [], `${person} ${view}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${person} ${view} scrolls sideways`);
      await picture(page, `79-${person}${view.replace('#', '-').replace('/', '-')}`);
    }
    await nobody(page);
    await page.keyboard.press('l');
    await until('English', async () => await page.evaluate(() => document.documentElement.lang) === 'en');
    const chinese = await page.locator('nav, .outs, thead, .acts').allInnerTexts();
    assert.doesNotMatch(chinese.join(' ').replace('中文', ''), /[\u4e00-\u9fff]/);
    await picture(page, `79-${person}-english`);
    assert.deepEqual(page.said, []);
    await page.context().close();
  }
  const back = await enter(browser, stand, 'b01');
  await back.goto(`${stand.office}/board#office`);
  await back.locator('#asked').fill('19912345678');
  await until('an answer', async () => (await back.locator('#whose').innerText()).includes('没有'));
  await back.context().close();
  const leading = await enter(browser, stand, 'z01'); /* begins with the teams */
  await leading.locator('#funnel').waitFor();
  await picture(leading, '79-z01-begins');
  await leading.context().close();
  const finance = await enter(browser, stand, 'f01');
  await finance.goto(`${stand.office}/board#finance`);
  await finance.locator('#explain li').first().waitFor();
  await finance.emulateMedia({media: 'print'});
  assert.equal(await finance.locator('nav').isVisible(), false);
  await picture(finance, '79-f01-print');
  assert.ok(gzipSync(readFileSync(resolve(root, 'build/share/office/board.js'))).length < 60000);
  await finance.context().close();
}

export const board = [['a leader answers, returns, hands over by keyboard', leader], ['a leader splits an absent caller\'s cases', absence], ['strike takes and gives back', strike],
  ['a supervisor notes a patrol', finds], ['the data group pauses', data], ['the data group imports', imports], ['every view of the board', everyView]];
