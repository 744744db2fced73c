/* What every browser test needs: the installation (stand.py), Chromium, a page that is logged in, pictures and axe. */
import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(resolve(root, 'build/browser/package.json'));
const {chromium} = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const screens = resolve(root, 'build/test/screens');
export const LIMIT = 60000;

export async function openStand() {
  const p = spawn('/usr/bin/python3', [resolve(root, 'tests/browser/stand.py')], {stdio: 'pipe',
    env: {...process.env, HF_BIN: process.env.HF_BIN || resolve(root, 'build/bin')}});
  let said = '';
  p.stderr.on('data', more => { said = (said + more).slice(-3000); });
  const ended = new Promise(done => p.on('exit', done));
  p.stdin.on('error', () => {}); /* it ended: hear() says so */
  const lines = createInterface({input: p.stdout})[Symbol.asyncIterator](), hear = async () => {
    const {value, done} = await lines.next();
    if (done) throw new Error(`stand.py ended: ${said}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  const stand = await hear();
  let last = Promise.resolve();
  stand.say = text => (last = last.catch(() => {}).then(() => {
    p.stdin.write(text + '\n');
    return hear();
  }));
  stand.close = () => {
    p.stdin.end();
    setTimeout(() => p.kill(), 30000).unref();
    return ended;
  };
  return stand;
}

const LAUNCH = {
  executablePath: process.env.HF_CHROMIUM || '/usr/lib/chromium/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--disable-dev-shm-usage'],
};
export const openBrowser = () => chromium.launch(LAUNCH);

/* A browser of its own, whose profile is in `dir`: a page of it, and the process. */
export async function openKept(dir) {
  const port = await freePort(), p = spawn(LAUNCH.executablePath, [...LAUNCH.args, '--headless', `--user-data-dir=${dir}`, `--remote-debugging-port=${port}`,
    '--window-size=1366,768', 'about:blank'], {stdio: 'ignore', detached: true});
  const browser = await until('the browser listens', () => chromium.connectOverCDP(`http://127.0.0.1:${port}`).catch(() => null));
  const page = await browser.contexts()[0].newPage();
  page.setDefaultTimeout(LIMIT);
  return {page, p};
}

/* As when the power is cut: nothing of it may say goodbye. */
export function killed(p) {
  const ended = p.exitCode !== null || p.signalCode !== null ? null : new Promise(done => p.on('exit', done));
  if (ended) process.kill(-p.pid, 'SIGKILL');
  return ended;
}

const freePort = () => new Promise(done => {
  const s = createServer().listen(0, '127.0.0.1', () => {
    const {port} = s.address();
    s.close(() => done(port));
  });
});

/* 1366x768 at 125 %: what an office PC shows. */
export const OFFICE_PC = {viewport: {width: 1093, height: 614}, deviceScaleFactor: 1.25, locale: 'zh-CN', timezoneId: 'Asia/Shanghai'};
export const PLAIN = {viewport: {width: 1366, height: 768}, deviceScaleFactor: 1, locale: 'zh-CN', timezoneId: 'Asia/Shanghai'};
/* The same screen at 200 % browser zoom. */
export const ZOOMED = {viewport: {width: 683, height: 384}, deviceScaleFactor: 2, locale: 'zh-CN', timezoneId: 'Asia/Shanghai'};
export const TELEPHONE = {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true, isMobile: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai'};

export async function newPage(browser, how = OFFICE_PC) {
  const context = await browser.newContext(how), page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  page.said = [];
  page.on('pageerror', e => page.said.push(`error: ${e.message}`));
  page.on('console', m => m.type() === 'error' && !/Failed to load resource|ERR_/.test(m.text()) && page.said.push(`console: ${m.text()}`));
  return page;
}

export async function logIn(page, stand, person = 'p01') {
  await page.goto(stand.office);
  await page.locator('#person').waitFor();
  await page.keyboard.type(person);
  await page.keyboard.press('Tab');
  await page.keyboard.type(stand.pin);
  await page.keyboard.press('Enter');
  await page.locator('.desk, .quick').first().waitFor();
  await page.locator('#link.ok[data-heard=yes]').waitFor();
}

export async function picture(page, name) {
  mkdirSync(screens, {recursive: true});
  await page.screenshot({path: resolve(screens, `${name}.png`)});
}

/* What every page still open shows when a test has failed: a picture, and its words to the test's output. */
export async function tell(browser, what) {
  let n = 0;
  for (const page of browser.contexts().flatMap(c => c.pages())) {
    await picture(page, `failed-${what.replace(/\W+/g, '-')}-${++n}`).catch(() => {});
    const text = await page.locator('body').innerText({timeout: 5000}).catch(e => e.message);
    console.error(`# page ${n}: ${text.replace(/\s+/g, ' ').slice(0, 1500)}`);
  }
}

/* What a reader of QR codes sees there. */
export async function decoded(page, where) {
  const file = resolve(mkdtempSync(resolve(tmpdir(), 'hf-qr-')), 'code.png');
  await page.locator(where).screenshot({path: file});
  const read = spawnSync('zbarimg', ['-q', '--raw', file], {encoding: 'utf8'});
  rmSync(dirname(file), {recursive: true});
  return read.stdout.trim();
}

/* What axe-core finds wrong, a line each. */
export async function axe(page) {
  if (!await page.evaluate(() => !!window.axe)) await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.impact}): ${n.target.join(' ')} ${n.failureSummary.split('\n')[1] || ''}`));
}

/* Waits for the event itself, asking often. */
export async function until(what, condition, limit = LIMIT) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`did not happen within ${limit} ms: ${what}`);
    await new Promise(r => setTimeout(r, 25));
  }
}
