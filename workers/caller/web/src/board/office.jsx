/* The back office: which numbers are wanted, by whom and until when; answers; whose a number is; who came and asked. */
import {B, changed, hasRole, use} from './state.js';
import {Acts} from './acts.jsx';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, Left, laneText, left, moment, named} from './parts.jsx';
import {say} from './say.js';
import {ms} from '../time.js';

const KIND = {name: 'kind', head: '谁的', kind: 'choice', needed: true, first: 'home', options: [['self', '本人'], ['father', '父亲'], ['mother', '母亲'], ['home', '家里'], ['class-teacher', '班主任'], ['school', '中学'], ['village', '村委'], ['other', '其他']]};
const answers = [
  {id: 'found', key: 'a', text: '回一个号码', note: '号码进这个人的资料，回访员马上看到', fields: [{name: 'digits', head: '号码', needed: true}, KIND,
    {name: 'source', head: '从哪里来', kind: 'choice', needed: true, first: 'school', options: [['school', '中学'], ['class-teacher', '班主任'], ['roster', '报名材料'], ['classmate', '同学'], ['114', '114'], ['inbound', '打来的'], ['other', '其他']]}],
  say: (r, v) => [{do: 'number', case: r.case, digits: v.digits.replace(/[\s-]/g, ''), kind: v.kind, source: v.source, rung: 5}]},
  {id: 'none', key: 's', text: '回一句话', note: '没有查到，或查到了老师：写给回访员', fields: [{name: 'note', head: '说什么', kind: 'text', needed: true}],
    say: (r, v) => [{do: 'note', case: r.case, note: v.note}]},
];
const inquiry = [{id: 'inquiry', key: 'n', text: '有人来问', note: '家长或考生找到后台：记下来', fields: [{name: 'outcome', head: '哪种', kind: 'choice', needed: true, first: 'asked', options: [['asked', '来问情况'], ['complaint', '投诉'], ['other', '其他']]}, {name: 'note', head: '说了什么', kind: 'text', needed: true}],
  say: (r, v) => say('inquiry', {outcome: v.outcome, direction: 'in'}, {note: v.note})}];

const wantedCols = [
  {key: 'name', head: '姓名', of: r => r.name || '…'}, {key: 'school', head: '中学', wide: true}, {key: 'owner', head: '谁要'}, {key: 'team', head: '小组'},
  {key: 'since', head: '等了', of: r => moment(r.since), by: r => r.since}, {key: 'left', head: '时限', of: r => left(r.deadline), by: r => r.deadline || 9e15, show: r => <Left deadline={r.deadline} since={r.since} />},
  {key: 'answered', head: '回了', of: r => r.answered ? `✓ ${r.answered.by} ${moment(r.answered.at)}` : ''},
];
export function Wanted() {
  const src = use('wanted'), rows = Array.isArray(src.data) ? src.data : [], here = hasRole(['back-office']);
  const s = {id: 'wanted', title: '要查的号码', rows: named([...rows].sort((a, b) => !!a.answered - !!b.answered || (ms(a.deadline) || 9e15) - (ms(b.deadline) || 9e15)), here), src, cols: wantedCols, empty: '没有人等号码', file: '要查的号码'};
  const row = pickedIn(s) || s.rows[0];
  return <div class="two"><Sheet {...s} /><aside class="panel" aria-label={_('要查的号码')}>
    {row ? here ? <Case key={row.case} c={row.case} row={row} acts={answers} /> : <Hint>{_('号码由招办后台查。')}</Hint> : <div><h2>{_('要查的号码')}</h2><Hint>{_('号码全坏、联系不上的人到了第 4、5 级，就在这里等一个新号码。')}</Hint></div>}</aside></div>;
}

const whoseCols = [{key: 'name', head: '姓名', of: r => r.name || '—'}, {key: 'owner', head: '归谁', of: r => r.owner || (r.lane ? laneText(r.lane) : '')}, {key: 'team', head: '小组'}, {key: 'school', head: '中学', wide: true}, {key: 'case', head: '记录号'}];
export function Office() {
  const asked = (B.finds.asked || '').replace(/\D/g, ''), src = asked.length >= 4 ? use(`number:${asked}`) : {};
  const s = {id: 'whose', title: '号码是谁的', rows: src.data || [], src, cols: whoseCols, empty: asked.length >= 4 ? '没有这个号码' : '输入号码，至少四位', file: '号码'};
  return <div class="two"><div class="stack"><p class="field"><label for="asked">{_('号码')}</label><input id="asked" inputmode="numeric" autocomplete="off" value={B.finds.asked || ''}
    onInput={e => { B.finds.asked = e.target.value; changed(); }} /></p><Sheet {...s} /></div>
  <aside class="panel" aria-label={_('后台')}><h2>{_('后台')}</h2><Acts acts={inquiry} row={null} of="office" /></aside></div>;
}
