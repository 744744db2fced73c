/* What a pass still wants: who has not signed off, whom only a ruling moves on, who is not settled; and the acts on them. */
import {B, changed, hasRole, use} from './state.js';
import {Acts} from './acts.jsx';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, laneText, moment, named} from './parts.jsx';
import {say, timeOf} from './say.js';
import {why} from '../words.js';

export const openOr = {name: 'open', head: '开或关', kind: 'choice', needed: true, first: '1', options: [['1', '打开'], ['0', '关闭']]};
export const passAct = {id: 'pass', key: 'b', text: '批', note: '关第三批以前，每人和组长都要签字，没定的人要裁定。', fields: [
  {name: 'n', head: '第几批', kind: 'number', needed: true, first: () => B.campaign.pass || ''}, openOr, {name: 'until', head: '到', kind: 'time'}],
say: (r, v) => say('pass', {n: Number(v.n), open: Number(v.open), until: timeOf(v.until)})};
export const signAct = {id: 'signoff', key: 's', text: '我的名单确认无误', fields: [{name: 'n', head: '第几批', kind: 'number', needed: true, first: () => B.campaign.pass || ''}],
  say: (r, v) => say('signoff', {n: Number(v.n)})};
const RULINGS = [['admitted-unconfirmed', '录取、未确认'], ['not-coming', '不来'], ['deferred', '缓报到'], ['strike', '交突击组'], ['resume', '继续回访']];
const rule = {id: 'ruling', key: 'a', text: '裁定这个人', fields: [{name: 'verdict', head: '裁定', kind: 'choice', needed: true, options: RULINGS}],
  say: (r, v) => say('ruling', {verdict: v.verdict}, {c: r.case})};
const ruleAll = {id: 'ruling-all', key: 'w', text: '全部裁定', note: '所有没定的人都算录取、未确认；回访负责人和数据组各说一次才算数。', fields: [
  {name: 'verdict', head: '裁定', kind: 'choice', needed: true, options: RULINGS.slice(0, 1)}], say: (r, v) => say('ruling', {verdict: v.verdict})};

const caseCols = [
  {key: 'name', head: '姓名', of: r => r.name || '…'}, {key: 'waits', head: '等裁定', of: r => r.waits ? `▲ ${_('等')}` : ''}, {key: 'owner', head: '归谁', of: r => r.owner || _('公共池')},
  {key: 'team', head: '小组'}, {key: 'why', head: '情况', of: r => why(r.why) || (r.lane ? laneText(r.lane) : '')}, {key: 'tries', head: '次', num: true},
  {key: 'school', head: '中学', wide: true},
];
const yes = signed => signed ? `✓ ${_('已签')}` : `… ${_('没签')}`;
const ownerCols = [{key: 'person', head: '人员'}, {key: 'team', head: '小组'}, {key: 'cases', head: '名下', num: true}, {key: 'signed', head: '签字', of: r => yes(r.signed)}];
const teamCols = [{key: 'team', head: '小组'}, {key: 'leaders', head: '组长', of: r => r.leaders.join(' ')}, {key: 'signed', head: '签字', of: r => r.signed ? `✓ ${r.signed}` : `… ${_('没签')}`}];

export function Pass() {
  const src = use('pass'), d = src.data || {owners: [], teams: [], cases: []}, all = hasRole(['data', 'callback-head', 'admin', 'operator', 'supervisor', 'leading']);
  const mine = r => all || r.team === B.me.person.team, seek = (B.finds.seek || '').replace(/\D/g, ''), sought = seek.length >= 4 ? use(`number:${seek}`) : null;
  const may = hasRole(['data', 'callback-head']), listed = d.cases.filter(mine);
  const cases = {id: 'open', title: sought ? '找到的人' : '没定的人', rows: sought ? sought.data || [] : named(listed, hasRole(['data', 'callback-head', 'supervisor', 'leader', 'deputy'])), src: sought || src, cols: caseCols,
    empty: sought ? '没有这个号码' : '都定了', file: '没定的人'};
  const owners = {id: 'owners', title: '每人签字', rows: d.owners.filter(mine), src, cols: ownerCols, name: r => r.person, empty: '没有', file: '签字'};
  const teams = {id: 'teams', title: '组长签字', rows: d.teams.filter(mine), src, cols: teamCols, name: r => r.team, empty: '没有', file: '组长签字'};
  const row = pickedIn(cases) || cases.rows[0], signed = d.owners.filter(o => o.signed).length, led = d.teams.filter(t => t.signed).length, lacks = d.owners.length - signed + d.teams.length - led;
  const acts = [...hasRole(['data']) ? [passAct] : [], ...may ? [ruleAll] : [], ...hasRole(['leader', 'deputy']) ? [signAct] : []];
  return (
    <div class="two">
      <div class="stack">
        {src.data && <p class={`zero ${lacks + d.open + d.waiting ? 'warn' : 'ok'}`} id="lacking"><b aria-hidden="true">{lacks + d.open + d.waiting ? '▲' : '✓'}</b> <b>{!d.pass ? _('批没有开') : B.lang === 'zh' ? `第 ${d.pass} 批` : `pass ${d.pass}`}</b>{d.pass_end ? ` · ${_('到')} ${moment(d.pass_end)}` : ''} · {_('签字')} <b>{signed}/{d.owners.length}</b> · {_('组长')} <b>{led}/{d.teams.length}</b> · {_('没定的人')} <b>{d.open}</b> · {_('等裁定')} <b>{d.waiting}</b></p>}
        <Sheet {...cases} /><div class="pair"><Sheet {...owners} /><Sheet {...teams} /></div>
      </div>
      <aside class="panel" aria-label={_('签字与裁定')}>
        <h2>{_('签字与裁定')}</h2>
        {acts.length > 0 && <Acts acts={acts} row={null} of="pass" />}
        {may && <p class="field"><label for="seek">{_('按号码找人')}</label><input id="seek" inputmode="numeric" autocomplete="off" value={B.finds.seek || ''} onInput={e => { B.finds.seek = e.target.value; changed(); }} /></p>}
        {row ? <Case key={row.case} c={row.case} row={row} acts={may ? [rule] : []} /> : <Hint>{_('没有要裁定的人。')}</Hint>}
      </aside>
    </div>
  );
}
