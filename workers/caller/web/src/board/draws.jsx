/* Spot checks: fixed before the records are made, drawn when the time has come, computed again by whoever wants to. */
import {B, hasRole, load, say as tell, soon, use} from './state.js';
import {Acts} from './acts.jsx';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, Shell, outcomeText} from './parts.jsx';
import {REASON, ref, say, timeOf} from './say.js';
import {at, clockNow, local} from '../time.js';
import * as api from '../api.js';

const drawCols = [
  {key: 'n', head: '第几次', num: true}, {key: 'by', head: '谁承诺'}, {key: 'until', head: '到'},
  {key: 'state', head: '状态', of: r => !r.drawn ? `… ${_('还没抽')}` : r.fits ? `✓ ${_('已抽，与承诺相符')}` : `✗ ${_('已抽，与承诺不符')}`},
  {key: 'commitment', head: '承诺'},
];
const sampleCols = [
  {key: 'no', head: '号', num: true}, {key: 'person', head: '人员'}, {key: 'outcome', head: '结果', of: r => outcomeText(r.outcome)}, {key: 'seconds', head: '秒', num: true},
  {key: 'why', head: '抽中的原因'}, {key: 'verify', head: '核实电话', of: r => r.verify ? `☎ ${_('要')}` : '—'}, {key: 'checker', head: '谁查'},
  {key: 'found', head: '认定', num: true, of: r => (r.findings || []).length},
];
const fix = {id: 'fix', key: 'c', text: '承诺一次抽查', note: '先定下抽到几点；种子锁在服务器里，只公布它的指纹', fields: [
  {name: 'until', head: '到', kind: 'time', needed: true, first: () => local(at(clockNow(), 0, 21))}, {name: 'weekly', head: '比例', kind: 'choice', needed: true, first: '0', options: [['0', '按日'], ['1', '按周']]}],
run: async (r, v) => {
  const got = await api.draw({until: timeOf(v.until), weekly: v.weekly === '1'});
  tell(`${_('承诺已公布')}：${got.commitment}`);
  soon();
}};
const drawIt = {id: 'draw', key: 'd', text: '到时抽', note: '公布种子；抽到哪些，谁都能按账目重算', fields: [], run: async r => {
  await api.draw({commitment: r.commitment});
  tell(`${_('种子已公布')}：${r.commitment}`);
  soon();
}};
const found = {id: 'found', key: 'f', text: '记查到什么', note: '没有问题也要记', fields: [{name: 'what', head: '查到', kind: 'choice', needed: true, first: 'ok', options: [['ok', '没有问题'], ['record', '记录不实'], ['slack', '懈怠'], ['wrong-withdrawal', '错误退档']]},
  {name: 'reason', head: '理由', most: REASON}, {name: 'note', head: '经过', kind: 'text'}],
say: (r, v) => say('finding', {what: v.what, subject: r.person, reason: v.reason, ...ref(r)}, {c: r.case, note: v.note})};

function Drawn({row, data}) {
  return (
    <div id="drawn">
      <h3>{_('第几次')} {row.n} · {row.by} · {_('到')} {row.until}</h3>
      <p class="soft">{_('承诺')}</p><p><code class="big">{row.commitment}</code></p>
      {data && <p id="replay" class={data.fits ? 'left ok' : 'left bad'}><b aria-hidden="true">{data.fits ? '✓' : '✗'}</b> {_('记录')} {data.records} · {_('抽中')} {data.sample.length} · {_(data.fits ? '已抽，与承诺相符' : '已抽，与承诺不符')}</p>}
      {data && <p class="soft">{_('种子')} <code>{data.seed_text}</code></p>}
      {data && <Shell text="自己重算，在服务器上：">hfctl spotcheck list {row.n}</Shell>}
    </div>
  );
}

export function Draws() {
  const src = use('spotcheck'), rows = Array.isArray(src.data) ? src.data : [], may = hasRole(['supervisor', 'leading']);
  const s = {id: 'draws', title: '抽查', rows: [...rows].reverse(), src, cols: drawCols, name: r => String(r.n), empty: '还没有承诺过抽查', file: '抽查'};
  const row = pickedIn(s) || s.rows[0], key = row && row.drawn ? `spotcheck?n=${row.n}` : '', sample = key ? use(key) : null, again = () => key && load(key);
  const list = {id: 'sample', title: '抽中的记录', rows: sample && sample.data && sample.data.sample || [], src: sample || {}, cols: sampleCols, name: r => String(r.no), empty: '抽了以后在这里', file: '抽中'};
  const it = pickedIn(list) || list.rows[0];
  if (key) B.keys.push({key: 'y', text: '按账目重算', run: again});
  return <div class="two"><div class="stack"><Sheet {...s} /><Sheet {...list} /></div><aside class="panel" aria-label={_('抽查')}>
    <h2>{_('抽查')}</h2><Hint>{_('先公布种子的承诺，到时再抽：谁也挑不了，谁都能重算。')}</Hint>
    {may && <Acts acts={row && !row.drawn ? [fix, drawIt] : [fix]} row={row} of={row ? `draw${row.n}` : 'draw'} />}
    {row && <Drawn row={row} data={sample && sample.data} />}
    {key && <p class="buttons"><button type="button" id="again" disabled={sample.busy} onClick={again}><kbd>y</kbd> {_('按账目重算')}</button></p>}
    {it && <div><h3>{it.no} · {it.person} · {outcomeText(it.outcome)}</h3>{hasRole(['supervisor']) && <Acts acts={[found]} row={it} of={`s${it.no}`} />}
      <Case key={it.case} c={it.case} acts={[]} /></div>}</aside></div>;
}
