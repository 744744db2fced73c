/* The caller's page beyond the desk: a telephone, several people at once. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {WAYS, attempts, name, nobody, someCase, work} from './desk.mjs';
import {OFFICE_PC, TELEPHONE, axe, decoded, logIn, newPage, picture, until} from './rig.mjs';

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
  await page.locator('.outcome').nth(0).tap();
  for (const tick of await page.locator('.quick-one .ticks input').all()) await tick.tap();
  assert.equal(await page.locator('.quick-one .ticks input:checked').count(), 3);
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

/* The wire between the browser and the office, which can be cut. */
async function wireTo(office) {
  const {hostname, port} = new URL(office), sockets = new Set(), wire = {isCut: false};
  const server = createServer(socket => {
    if (wire.isCut) return socket.destroy();
    const far = connect(Number(port), hostname), both = [socket, far];
    for (const s of both) {
      sockets.add(s);
      s.on('error', () => {});
      s.on('close', () => {
        sockets.delete(s);
        both.forEach(x => x.destroy());
      });
    }
    socket.pipe(far).pipe(socket);
    return undefined;
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  wire.address = `http://127.0.0.1:${server.address().port}`;
  wire.cut = () => {
    wire.isCut = true;
    sockets.forEach(s => s.destroy());
  };
  wire.mend = () => { wire.isCut = false; };
  wire.close = () => {
    wire.cut();
    server.close();
  };
  return wire;
}

/* The network goes for ten minutes in mid-call: the call is timed on, noted, kept here, sent afterwards, and counts once. */
async function cutInMidCall(t, {browser, stand}) {
  const wire = await wireTo(stand.office), page = await newPage(browser);
  try {
    await page.clock.install();
    await logIn(page, {...stand, office: wire.address}, 'p02');
    await someCase(page);
    const who = await name(page), before = await attempts(stand, 'p02');
    await nobody(page);
    await page.keyboard.press('Space');
    await page.locator('.watch.on').waitFor();
    wire.cut();
    await page.locator('#link.bad').waitFor();
    await page.clock.fastForward(600000);
    await page.locator('.watch.on').waitFor();
    assert.equal(await name(page), who, 'the case stays on the screen');
    assert.deepEqual(await axe(page), []);
    await picture(page, '44-cut-in-mid-call');
    await page.keyboard.press('4');
    await until('the words have the focus', () => page.evaluate(() => document.activeElement.id === 'words'));
    await page.keyboard.insertText('打到一半断网了');
    await page.keyboard.press('Control+s');
    await until('it waits here', async () => (await page.locator('#link').innerText()).includes('未上传 1'));
    assert.equal(await attempts(stand, 'p02'), before);
    wire.mend();
    await until('it is in the ledger', async () => {
      await page.clock.runFor(1000);
      return (await page.locator('#just').innerText()).includes('已入账');
    });
    const rows = (await stand.say("sql SELECT seconds FROM hf.v_contact WHERE person = 'p02' AND outcome = 'withdraw-asked' ORDER BY seq DESC LIMIT 1")).rows;
    assert.ok(Number(rows[0][0]) >= 600, `${rows[0][0]} seconds`);
    assert.equal(await attempts(stand, 'p02'), before + 1);
    await page.context().close();
  } finally {
    wire.close();
  }
}

/* Somebody is on the line when another one's mother rings in: she is found by her number, noted as ringing in, and the
 * first call goes on where it was. */
async function motherRingsIn(t, {browser, stand}) {
  const page = await newPage(browser), rows = page.locator('#list [data-row]');
  await logIn(page, stand, 'p02');
  await someCase(page);
  const her = await name(page), numbers = page.locator('.numbers .big');
  const digits = (await numbers.nth(await numbers.count() - 1).innerText()).replace(/\D/g, '');
  await work(page, WAYS[4]); /* to be called later */
  await page.keyboard.press('Control+Enter');
  await until('another one', async () => await page.locator('h2.name').count() === 1 && await name(page) !== her);
  const him = await name(page);
  await until('she is on the own list', async () => (await rows.allInnerTexts()).some(text => text.includes(her)));
  await nobody(page);
  await page.keyboard.press('Space');
  await page.locator('#note').focus();
  await page.keyboard.insertText('刚说到学费');
  await page.keyboard.press('F2');
  await page.locator('#inbound').waitFor();
  await page.keyboard.insertText(digits);
  await page.keyboard.press('Enter');
  const found = page.locator('dialog .found button', {hasText: her});
  await found.waitFor();
  await found.press('Enter');
  await until('she is on the screen', async () => await page.locator('h2.name').count() === 1 && await name(page) === her);
  assert.ok((await page.locator('.hands').innerText()).includes('通话中'), 'his call goes on');
  assert.ok(await page.getByLabel('对方打来的').isChecked());
  await picture(page, '45-mother-rings-in');
  await work(page, WAYS[5]); /* the grandmother */
  await page.keyboard.press('Control+s');
  await until('he is back', async () => await page.locator('h2.name').count() === 1 && await name(page) === him);
  assert.equal(await page.locator('#note').inputValue(), '刚说到学费');
  await page.locator('.watch.on').waitFor();
  await nobody(page);
  await page.keyboard.press('5');
  await page.keyboard.press('Control+s');
  await until('both are in the ledger', async () => (await page.locator('#just').innerText()).match(new RegExp(`${him}.*已入账`)));
  const said = (await stand.say("sql SELECT outcome, coalesce(direction, '-') FROM hf.v_contact WHERE person = 'p02' ORDER BY seq DESC LIMIT 2")).rows;
  assert.equal(said[0][0], 'no-answer');
  assert.deepEqual(said[1], ['third-party', 'in']);
  assert.deepEqual(page.said, []);
  await page.context().close();
}

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC', 'base64');

/* The code on the screen is read by a telephone that is not logged in; its photo is on the desk. */
async function photoByTelephone(t, {browser, stand}) {
  const page = await newPage(browser), phone = await newPage(browser, TELEPHONE);
  await logIn(page, stand, 'p02');
  await someCase(page);
  const had = await page.locator('.papers li').count();
  await page.getByText('手机扫码传').click();
  await page.locator('dialog .qr').waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '35-photo-by-telephone');
  const address = await decoded(page, 'dialog .qr');
  assert.ok(address.startsWith(`${stand.office}/u/`), address);
  await phone.goto(address);
  await phone.locator('#file').setInputFiles({name: 'a.png', mimeType: 'image/png', buffer: PNG});
  await page.locator('dialog').getByText('到了 1 张').waitFor();
  await page.keyboard.press('Escape');
  await until('it is on the desk', async () => await page.locator('.papers li').count() === had + 1);
  await page.locator('.papers li button').last().click();
  await phone.context().close();
  await page.context().close();
}

/* Paper: what the printer gets, and nothing else; then what was written on it is typed in. */
async function onPaper(t, {browser, stand}) {
  const page = await newPage(browser);
  await page.addInitScript(() => {
    window.printed = 0;
    window.print = () => { window.printed++; };
  });
  await logIn(page, stand, 'p02');
  await ownPeople(page, 2);
  const who = await name(page);
  const printed = async (n, what) => {
    await nobody(page);
    await page.keyboard.press('p');
    await page.locator('dialog[open]').waitFor();
    if (n === 0) assert.deepEqual(await axe(page), []);
    if (n === 0) await picture(page, '70-print');
    const before = await page.evaluate(() => window.printed);
    await page.locator('dialog .found button').nth(n).click();
    await until('it is printed', async () => await page.evaluate(() => window.printed) > before);
    await page.emulateMedia({media: 'print'});
    await page.setViewportSize({width: 794, height: 1123}); /* A4 at 96 dots an inch */
    await picture(page, `71-paper-${what}`);
    const text = await page.locator('.paper').innerText();
    assert.equal(await page.locator('.top').isVisible(), false);
    assert.ok((await page.pdf({preferCSSPageSize: true})).length > 1000);
    await page.emulateMedia({media: 'screen'});
    await page.setViewportSize(OFFICE_PC.viewport);
    return text;
  };
  const ledger = await printed(0, 'ledger'), names = (await page.locator('#list .row-name').allInnerTexts()).map(x => x.replace(/[▶✎!].*/, '').trim()).filter(Boolean);
  assert.ok(names.filter(x => ledger.includes(x)).length >= 2, ledger);
  const digits = (await page.locator('.numbers .big').first().innerText()).replace(/\D/g, '');
  const blank = await printed(2, 'blank');
  assert.ok(blank.includes(digits) && (blank.match(/1990000\d{4}|0\d{9,11}/g) || []).length >= 3, 'numbers of more than who is in hand');
  const no = await page.locator('.facts b').first().innerText(), letter = await printed(3, 'withdrawal');
  assert.ok(letter.includes(who) && letter.includes(no.slice(0, 6)) && !letter.includes('*'), letter);
  assert.ok((await printed(4, 'hand-over')).includes(who));
  await page.keyboard.press('p');
  const [sheet] = await Promise.all([page.waitForEvent('download'), page.locator('dialog .found button').nth(1).click()]);
  const csv = readFileSync(await sheet.path(), 'utf8');
  assert.ok(csv.startsWith('\ufeff"姓名"') && names.some(x => csv.includes(x)), csv);
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  await page.getByText('补录', {exact: true}).click();
  await page.locator('#typein-find').fill(who);
  await page.keyboard.press('Enter');
  await page.locator('.typed').waitFor();
  assert.equal(await name(page), who);
  await page.locator('.typed input[type=number]').fill('7');
  await nobody(page);
  await page.keyboard.press('5');
  assert.deepEqual(await axe(page), []);
  await picture(page, '72-typed-in');
  await page.keyboard.press('Control+s');
  await page.locator('#typein-find').waitFor();
  await until('it is in the ledger', async () => (await page.locator('#just').innerText()).match(new RegExp(`${who}.*已入账`)));
  assert.deepEqual((await stand.say("sql SELECT outcome, seconds FROM hf.v_contact WHERE person = 'p02' ORDER BY seq DESC LIMIT 1")).rows, [['no-answer', '420']]);
  await page.keyboard.press('Escape');
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* The script is news until it is read, and says which it is. */
async function newsIsRead(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await page.locator('#news', {hasText: '未读'}).waitFor();
  await nobody(page);
  await page.keyboard.press('F3');
  const buttons = page.locator('dialog .news button');
  await buttons.first().waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '73-news');
  while (await buttons.count() > 0) await buttons.first().click();
  await page.keyboard.press('Escape');
  await until('all is read', async () => !(await page.locator('#news').innerText()).includes('未读'));
  await page.reload();
  await page.locator('.desk').waitFor();
  await page.locator('#link.ok').waitFor();
  await someCase(page);
  await page.locator('.script ol li').first().waitFor();
  assert.match(await page.locator('#h-script').innerText(), /版本 v1/);
  assert.ok(!(await page.locator('#news').innerText()).includes('未读'), 'it stays read');
  await page.context().close();
}

/* English by a switch: no Chinese but what people wrote or are called; and back. */
async function inEnglish(t, {browser, stand}) {
  const page = await newPage(browser), left = () => page.evaluate(() => {
    const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n; (n = walk.nextNode());) if (/[\u4e00-\u9fff]/.test(n.data) && !n.parentElement.closest('[lang=zh], .notices, noscript')) out.push(n.data);
    for (const e of document.querySelectorAll('[aria-label]')) if (/[\u4e00-\u9fff]/.test(e.getAttribute('aria-label'))) out.push(e.getAttribute('aria-label'));
    return out;
  });
  await logIn(page, stand, 'p02');
  await ownPeople(page, 2);
  await page.getByRole('button', {name: 'English'}).click();
  await page.locator('html[lang=en]').waitFor();
  await until('the desk is English', async () => (await left()).length === 0).catch(async () => assert.deepEqual(await left(), []));
  assert.deepEqual(await axe(page), []);
  for (const key of ['F1', 'y', 'F2', 'F3', 'F4', 'F6', 'F9', 'F10', 'n', 'q', 'p']) {
    await nobody(page);
    await page.keyboard.press(key);
    await page.locator('dialog[open]').waitFor();
    assert.deepEqual(await left(), [], key);
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({state: 'detached'});
  }
  for (const key of ['1', '2', '3', '4', '7', '8']) {
    await nobody(page);
    await page.keyboard.press(key);
    await page.locator('.outcome[aria-pressed=true]').waitFor();
    assert.deepEqual(await left(), [], key);
  }
  await picture(page, '74-english');
  await page.reload();
  await page.locator('html[lang=en]').waitFor();
  await page.getByRole('button', {name: '中文'}).click();
  await page.locator('.outcome', {hasText: '确认就读'}).waitFor();
  assert.deepEqual(page.said, []);
  await page.context().close();
}

/* Somebody falls due while the page is open: said once, by name. */
async function reminded(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await ownPeople(page, 2);
  await work(page, WAYS[4]); /* in half an hour */
  const who = await name(page);
  await page.keyboard.press('Control+s');
  await until('it waits on the list', async () => (await page.locator('#list .row', {hasText: who}).allInnerTexts()).some(x => !x.includes('在手') && !x.includes('●')));
  await stand.say('clock 40');
  await page.locator('.notice.warn', {hasText: '到点了'}).waitFor();
  await page.context().close();
}

/* The own pay, with how it came about; and why there is no number of a parent. */
async function ownPay(t, {browser, stand}) {
  const page = await newPage(browser);
  await logIn(page, stand, 'p02');
  await someCase(page);
  await nobody(page);
  await page.keyboard.press('y');
  await page.locator('dialog').getByText(/元|还没有你的补贴/).first().waitFor();
  assert.deepEqual(await axe(page), []);
  await picture(page, '75-own-pay');
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  await page.keyboard.press('n');
  await page.locator('#source').selectOption('none');
  await page.locator('#kind').selectOption('father');
  await page.locator('#reason').fill('父母外出，没有手机');
  await page.locator('#reason').press('Enter');
  await page.locator('dialog[open]').waitFor({state: 'detached'});
  assert.deepEqual(page.said, []);
  await page.context().close();
}

export const caller = [['own pay', ownPay],
  ['who falls due is said', reminded],
  ['English by a switch', inEnglish],
  ['a photo by telephone', photoByTelephone], ['on paper, and typed in', onPaper], ['news is read once', newsIsRead],
  ['the network goes in mid-call', cutInMidCall], ['a mother rings in', motherRingsIn],
  ['drafts are sealed on the disk', sealedDrafts], ['a telephone is enough', telephone], ['several people with one result', many]];
