/* Towards the end of a pass, after the callers' tests: numbers, what came late, second persons, spot checks, sign-offs. */
import assert from 'node:assert/strict';
import {cells, chosen, enter, focused, rows, said, typed} from './board.mjs';
import {nobody, someCase, work} from './desk.mjs';
import {axe, logIn, newPage, picture, until} from './rig.mjs';

const pressed = async (page, key) => {
  await nobody(page);
  await page.keyboard.press(key);
};
const send = page => page.keyboard.press('Control+Enter');
/* Somebody works a case, new or of the own list, to the ledger. */
async function caseOf(page, ...way) {
  const settled = async () => Number(/已入账 (\d+)/.exec(await page.locator('#counts').innerText())[1]), before = await settled();
  await someCase(page);
  await work(page, way);
  await page.keyboard.press('Control+s');
  await until('it is in the ledger', async () => await settled() > before);
  await nobody(page);
}

/* All numbers bad: a number is wanted; the back office answers, the owner's case is due at once. */
async function numbers(t, {browser, stand}) {
  const q = await newPage(browser);
  await logIn(q, stand, 'q02');
  const wanted = async () => JSON.parse((await stand.say('ctl --json number wanted')).out);
  for (let n = 0; (await wanted()).length === 0; n++) {
    assert.ok(n < 12, 'nobody wants a number');
    await caseOf(q, 'empty-number', '6', '3');
  }
  const page = await enter(browser, stand, 'b01');
  await until('it is listed', async () => await rows(page, 'wanted') === 1);
  await until('by name', async () => !(await cells(page, 'wanted')).includes('…'));
  assert.deepEqual(await axe(page), []);
  await picture(page, '80-wanted');
  await pressed(page, 's');
  await typed(page, 'note', '已托中学教务处');
  await send(page);
  await said(page, 'effective');
  await until('it says so', async () => (await cells(page, 'wanted')).includes('✓ b01'));
  await pressed(page, 'a');
  await typed(page, 'digits', '199 0000 9911');
  await page.locator('#f-kind').selectOption('class-teacher');
  await send(page);
  await said(page, 'effective', 2);
  await until('nobody waits for a number', async () => await rows(page, 'wanted') === 0);
  await picture(page, '81-no-number-wanted');
  assert.deepEqual(page.said, []);
  await page.context().close();
  await q.context().close();
}

/* Told after somebody else had it: it moves nothing until the leader adopts or dismisses it. */
async function late(t, {browser, stand}) {
  const q = await newPage(browser), page = await enter(browser, stand, 'l01');
  await logIn(q, stand, 'q01');
  for (const [n, key] of ['a', 'd'].entries()) {
    await someCase(q);
    await work(q, ['needs-help', '0', '2', '"请组长回电']);
    await stand.say('lose q01');
    await q.keyboard.press('Control+s');
    await pressed(page, '4');
    await until('it is in the late inbox', async () => await rows(page, 'late') === 1);
    await stand.say('returned');
    await picture(page, `82-late-${n}`);
    await pressed(page, key);
    await page.locator('.act').waitFor();
    await until('the button has the focus', () => page.evaluate(() => !!document.activeElement.closest('.act')));
    await send(page);
    await said(page, 'effective', n + 1);
    await until('the inbox is empty', async () => await rows(page, 'late') === 0);
    await nobody(q);
  }
  await q.context().close();
  await page.context().close();
}

/* A second person approves: a leader gives a case away with its credit, the callback head says yes. */
async function second(t, {browser, stand}) {
  const q = await newPage(browser), page = await enter(browser, stand, 'l01'), head = await enter(browser, stand, 'h01');
  await logIn(q, stand, 'q01');
  await caseOf(q, 'needs-help', '0', '2', '"请组长接手');
  await q.context().close();
  await until('it waits for the leader', async () => await rows(page, 'waiting') >= 1);
  await pressed(page, 'h');
  await chosen(page, 'to', '');
  await page.locator('#f-to').selectOption('q02');
  await page.locator('#f-credit').selectOption('true');
  await page.locator('#f-reason').fill('原来就是他的');
  await send(page);
  await said(page, 'effective');
  await head.goto(`${stand.office}/board#data/approvals`);
  await until('it waits for a second person', async () => await rows(head, 'approvals') === 1);
  assert.deepEqual(await axe(head), []);
  await picture(head, '83-approvals');
  await pressed(head, 'a');
  await focused(head, 'verdict');
  await head.locator('#f-verdict').selectOption('give');
  await send(head);
  await said(head, 'effective');
  await until('nothing waits', async () => await rows(head, 'approvals') === 0);
  await page.context().close();
  await head.context().close();
}

/* Who has not signed, who awaits a ruling, and the next pass: all from the data group's screen. */
async function passes(t, {browser, stand}) {
  const q = await newPage(browser);
  await logIn(q, stand, 'q01');
  await caseOf(q, 'incident', '0', '4', '"要去教育局');
  await q.context().close();
  const page = await enter(browser, stand, 'g01'), leader = await enter(browser, stand, 'l01');
  await page.keyboard.press('2');
  await until('somebody awaits a ruling', async () => /等裁定 1/.test(await page.locator('#lacking').innerText()));
  await until('by name', async () => !(await page.locator('#open tbody tr').first().innerText()).includes('…'));
  assert.match(await page.locator('#open tbody tr').first().innerText(), /▲ 等/);
  assert.match(await cells(page, 'owners'), /q01[\s\S]*没签/);
  assert.deepEqual(await axe(page), []);
  await picture(page, '84-pass');
  await leader.goto(`${stand.office}/board#data/pass`);
  await leader.locator('#teams tbody tr').first().waitFor();
  assert.doesNotMatch(await cells(leader, 'owners'), /p01/); /* the own team only */
  await pressed(leader, 's');
  await chosen(leader, 'n', '1');
  await send(leader);
  await said(leader, 'effective');
  await until('the data group sees it', async () => (await cells(page, 'teams')).includes('✓ l01'));
  await pressed(page, 'a');
  await focused(page, 'verdict');
  await page.locator('#f-verdict').selectOption('resume');
  await send(page);
  await said(page, 'effective');
  await until('nobody awaits a ruling', async () => /等裁定 0/.test(await page.locator('#lacking').innerText()));
  for (const [n, open, until_] of [['1', '0', ''], ['2', '1', '2026-03-12T20:00']]) {
    await pressed(page, 'b');
    await focused(page, 'n');
    await page.locator('#f-n').fill(n);
    await page.locator('#f-open').selectOption(open);
    if (until_) await page.locator('#f-until').fill(until_);
    await send(page);
    await said(page, 'effective', 2);
    await until(`pass ${n}`, async () => JSON.parse((await stand.say('ctl --json pass show')).out).pass === (open === '1' ? Number(n) : 0));
  }
  await until('the page says so', async () => (await page.locator('.top h1').innerText()).includes('第 2 批') && (await page.locator('#lacking').innerText()).includes('第 2 批'));
  await picture(page, '85-next-pass');
  assert.deepEqual(page.said, []);
  await page.context().close();
  await leader.context().close();
}

/* A supervisor fixes a draw, draws it when its time has come, notes what was found and that it was corrected. */
async function draws(t, {browser, stand}) {
  const page = await enter(browser, stand, 'v01');
  await page.keyboard.press('2');
  await page.locator('#draws').waitFor();
  await pressed(page, 'c');
  await focused(page, 'until');
  const [h, m] = (await page.locator('.top time').innerText()).split(':').map(Number), end = h * 60 + m + 5;
  const day = (await page.locator('#f-until').inputValue()).slice(0, 11);
  await page.locator('#f-until').fill(`${day}${String(Math.floor(end / 60)).padStart(2, '0')}:${String(end % 60).padStart(2, '0')}`);
  await send(page);
  const hash = await until('the commitment is published', async () => /[0-9a-f]{24}/.exec(await page.locator('.notice.ok').innerText())?.[0]);
  await until('it stands in the list', async () => (await cells(page, 'draws')).includes(hash));
  await pressed(page, 'd');
  await page.locator('.act[data-act=draw]').waitFor();
  await send(page);
  await until('it is too early', async () => (await page.locator('.act .error').innerText()).includes('才能抽'));
  assert.deepEqual(await axe(page), []);
  await picture(page, '86-draw-committed');
  await stand.say('clock 6');
  await until('its time has come', async () => {
    if (await page.locator('.act[data-act=draw]').count() === 0) return true;
    await send(page);
    return false;
  });
  await until('it fits', async () => (await cells(page, 'draws')).includes('与承诺相符'));
  await until('the sample', async () => await rows(page, 'sample') > 0 && (await page.locator('#replay').innerText()).startsWith('✓'));
  await pressed(page, 'y');
  await until('computed again', async () => await page.locator('#again').isEnabled());
  assert.ok(await rows(page, 'sample') > 0);
  assert.deepEqual(await axe(page), []);
  await picture(page, '87-drawn');
  await pressed(page, 'f');
  await focused(page, 'what');
  await page.locator('#f-what').selectOption('record');
  await page.locator('#f-reason').fill('时间对不上');
  await send(page);
  await said(page, 'effective');
  await until('it was looked at', async () => /1$/m.test((await page.locator('#sample tbody tr').first().innerText()).trim()));
  await pressed(page, '3');
  await until('it is open', async () => /记录不实[\s\S]*未决/.test(await cells(page, 'findings')));
  await page.locator('#findings tbody tr', {hasText: '未决'}).last().locator('.pick').focus();
  await pressed(page, 'c');
  await typed(page, 'note', '已经改过');
  await send(page);
  await said(page, 'effective', 2);
  await until('it is corrected', async () => (await cells(page, 'findings')).includes('已改正'));
  await picture(page, '88-corrected');
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* Who is flagged says a word first; who has read the notices is seen by the leader. */
async function ownWord(t, {browser, stand}) {
  const own = await newPage(browser), page = await enter(browser, stand, 'v01');
  const who = 'q02';
  await logIn(own, stand, who);
  for (let n = 0; n < 4; n++) await caseOf(own, 'needs-help', '0', '2', '"家长要求组长亲自回电话说明'); /* the same note again and again is flagged */
  await own.goto(`${stand.office}/board#mine`);
  await until('the own flags', async () => await rows(own, 'mine-flags') > 0);
  assert.deepEqual(await axe(own), []);
  await pressed(own, 'f');
  await typed(own, 'note', '前面已经谈过，两家说的一样');
  await picture(own, '89-own-flag');
  await send(own);
  await said(own, 'effective');
  await until('it is there', async () => (await cells(own, 'mine-flags')).includes('✓ 有'));
  await until('the supervisor sees it', async () => (await cells(page, 'flags')).includes('✓ 有'));
  await page.locator('#flags tbody tr', {hasText: '✓ 有'}).first().locator('.pick').focus();
  await until('and what was said', async () => (await page.locator('.panel').innerText()).includes('前面已经谈过'));
  await picture(page, '90-flags');
  await own.goto(stand.office);
  await own.locator('#news').waitFor(); /* the desk is there, and has its keys */
  await pressed(own, 'F3');
  await own.locator('.news').waitFor();
  const unread = own.locator('.news button');
  while (await unread.count() > 0) await unread.first().click();
  const leader = await enter(browser, stand, 'h01');
  await leader.goto(`${stand.office}/board#team/reads`);
  await until('it is read', async () => new RegExp(`${who}\\s+t\\d\\s+✓`).test(await cells(leader, 'readers')));
  assert.deepEqual(await axe(leader), []);
  await picture(leader, '91-reads');
  for (const p of [own, page, leader]) await p.context().close();
}

export const closing = [['the back office answers who wants a number', numbers], ['a leader adopts and dismisses what came late', late], ['a second person approves', second], ['a supervisor fixes and draws a spot check', draws], ['the own word on a flag, and read marks', ownWord], ['a pass is signed, ruled, closed', passes]];
