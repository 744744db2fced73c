/* One installation and one Chromium for all of them, one after the other. */
import {after, before, test} from 'node:test';
import {board} from './board.mjs';
import {caller} from './caller.mjs';
import {closing} from './closing.mjs';
import {desk} from './desk.mjs';
import {operators} from './operators.mjs';
import {openBrowser, openStand, tell} from './rig.mjs';
import {whole} from './whole.mjs';

const has = {};
before(async () => {
  has.browser = await openBrowser();
  has.stand = await openStand();
});
after(async () => {
  if (has.browser) await has.browser.close();
  if (has.stand) await has.stand.close();
});

for (const [name, run] of [...board, ...desk, ...caller, ...whole, ...closing, ...operators]) {
  test(name, {timeout: 180000}, async t => {
    try {
      await run(t, has);
    } catch (e) {
      await tell(has.browser, name);
      throw e;
    } finally {
      for (const context of has.browser.contexts()) await context.close();
    }
  });
}
