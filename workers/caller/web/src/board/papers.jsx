/* Papers of a withdrawal: looked at beside their photo, and signed by two. The leader signs first, in the list of what waits
 * for a leader; then whoever signs for the college finds them here. */
import {use} from './state.js';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, Left, left} from './parts.jsx';
import {ms} from '../time.js';
import {why} from '../words.js';

const ALL = 63;
export const isPapers = r => ['papers', 'signed-once'].includes(r.why) || r.class === 'papers';
export const PAPER_ACTS = [
  {id: 'sign', key: 'g', text: '签字', go: '六样齐，签字', note: '申请书、考生签名手印、家长签名手印、身份证、准考证，合在一张照片里：都看过才签。两个人签了就退档，退档撤不回。',
    fields: [], say: r => [{do: 'paper', case: r.case, items: ALL, what: 'signed'}]},
  {id: 'lacks', key: 'i', text: '材料不全', fields: [{name: 'note', head: '缺什么', kind: 'text', needed: true, most: 1000}],
    say: (r, v) => [{do: 'paper', case: r.case, items: 1, what: 'incomplete', note: v.note}]},
];

const columns = [
  {key: 'name', head: '姓名'}, {key: 'left', head: '时限', of: r => left(r.deadline), by: r => ms(r.deadline) || 9e15, show: r => <Left deadline={r.deadline} since={r.since} />},
  {key: 'why', head: '事由', of: r => _(why(r.why))}, {key: 'major', head: '专业'}, {key: 'school', head: '中学'},
];
export function Papers() {
  const src = use('papers'), s = {id: 'papers', title: '等签字的材料', rows: src.data || [], src, cols: columns, empty: '没有等签字的材料', file: '材料'}, row = pickedIn(s) || s.rows[0];
  return <div class="two"><Sheet {...s} /><aside class="panel" aria-label={_('选中的人')}>{row ? <Case key={row.case} c={row.case} row={row} acts={isPapers(row) ? PAPER_ACTS : []} /> :
    <Hint>{_('组长签过字的退档材料在这里，等第二个人签。')}</Hint>}</aside></div>;
}
