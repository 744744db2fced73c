/* The leader's and the deputy's: what waits for them with its clock, the people, leave, what came late, the battle report. */
import {B, say as tell, use} from './state.js';
import {Acts} from './acts.jsx';
import {Sheet, pickedIn, print} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, Left, asPeople, left, moment, outcomeText} from './parts.jsx';
import {PAPER_ACTS, isPapers} from './papers.jsx';
import {resetPin} from '../api.js';
import {REASON, ref, say, timeOf} from './say.js';
import {LEASE} from '../words.js';
import {at, clockNow, local, ms, wire} from '../time.js';

const reason = {name: 'reason', head: '理由', needed: true, most: REASON, options: [['忙不过来'], ['请假'], ['家长要求换人'], ['方言不通'], ['多次联系不上']].map(o => [o[0], ''])};
export const CASE_ACTS = [
  {id: 'answer', key: 'a', text: '答复', note: '答复写进记录；提问的人马上又看到这个人',
    fields: [{name: 'note', head: '答复', kind: 'text', needed: true, most: 4000}], say: (r, v) => [{do: 'note', case: r.case, note: v.note}]},
  {id: 'back', key: 'b', text: '退回本人', fields: [{name: 'to', head: '退给', needed: true, first: r => r.asked_by || '', options: asPeople},
    {...reason, first: '请继续回访'}], say: (r, v) => say('handover', {to: v.to, reason: v.reason}, {c: r.case})},
  {id: 'give', key: 'h', text: '转给别人', fields: [{name: 'to', head: '转给', needed: true, kind: 'choice', options: asPeople}, reason,
    {name: 'credit', head: '业绩', kind: 'choice', options: [['true', '连业绩一起转（要第二人同意）']]}],
  say: (r, v) => say('handover', {to: v.to, reason: v.reason, credit: v.credit === 'true' ? true : ''}, {c: r.case})},
  {id: 'take', key: 't', text: '自己打', note: '接到手里，在记录页打、记结果', fields: [], say: r => [{do: 'take', case: r.case}]},
  {id: 'strike', key: 's', text: '转突击组', fields: [reason], say: (r, v) => say('handover', {to_team: 'strike', reason: v.reason}, {c: r.case})},
  {id: 'waive', key: 'w', text: '免除一级', fields: [{name: 'rung', head: '第几级', kind: 'number', needed: true}, reason],
    say: (r, v) => say('waiver', {rung: Number(v.rung), reason: v.reason}, {c: r.case})},
];

const waitsCols = [
  {key: 'name', head: '姓名'},
  {key: 'left', head: '时限', of: r => left(r.deadline), by: r => ms(r.deadline) || 9e15, show: r => <Left deadline={r.deadline} since={r.since} />},
  {key: 'what', head: '事由', of: r => _(r.kindOf)},
  {key: 'asked_by', head: '谁'},
  {key: 'question', head: '问题', wide: true},
  {key: 'tries', head: '次', num: true},
  {key: 'minutes', head: '分', num: true},
];

/* Questions leave the case with its owner, so their rows lack what a list has; the case says it. */
function waiting() {
  const team = use('team'), asked = use('questions');
  const ups = (team.data || []).map(r => ({...r, kindOf: isPapers(r) ? '退档材料' : '上交'}));
  const questions = (asked.data || []).map(q => {
    const t = use(`case:${q.case}`).data || {}, note = (t.last || []).find(x => x.outcome === 'ask-leader') || {};
    return {...t, case: q.case, asked_by: q.person, since: q.since, deadline: q.deadline, kindOf: '提问', question: note.note || ''};
  });
  return {src: {...asked, ...team, error: team.error || asked.error, busy: team.busy || asked.busy},
    rows: [...questions, ...ups].sort((a, b) => (ms(a.deadline) || 9e15) - (ms(b.deadline) || 9e15))};
}

export function Team() {
  const {src, rows} = waiting();
  const s = {id: 'waiting', title: '等我处理的', rows, src, cols: waitsCols, empty: '没有人在等', file: '待办'}, row = pickedIn(s) || rows[0];
  return <div class="two"><Sheet {...s} /><aside class="panel" aria-label={_('选中的人')}>{row ? <Case key={row.case} c={row.case} row={row} acts={isPapers(row) ? [...PAPER_ACTS, ...CASE_ACTS.filter(a => ['back', 'take'].includes(a.id))] : CASE_ACTS} /> :
    <Hint>{_('没有人在等。有提问或上交时，这里按时限排好。')}</Hint>}</aside></div>;
}

export const rateRows = () => {
  const src = use('rates?by=caller'), team = B.me.person.team;
  const rows = ((src.data || {}).rows || []).filter(r => r.who && (!team || r.team === team));
  return {src, rows: [...rows].sort((a, b) => b.missing_93 - a.missing_93)};
};
export const rateCols = [
  {key: 'who', head: '人员'}, {key: 'team', head: '小组'}, {key: 'cases', head: '名下', num: true}, {key: 'attempted', head: '打过', num: true},
  {key: 'unfirst', head: '没打', num: true, of: r => r.cases - r.attempted},
  {key: 'contacts', head: '接通', num: true}, {key: 'talk', head: '通话分', num: true, of: r => Math.round(r.seconds / 60)},
  {key: 'confirmed', head: '确认', num: true}, {key: 'considering', head: '犹豫', num: true}, {key: 'withdrawn', head: '退档', num: true},
  {key: 'unreachable', head: '联系不上', num: true}, {key: 'missing_93', head: '还差93%', num: true}, {key: 'missing_95', head: '还差95%', num: true},
];

export function battle() {
  const {rows} = rateRows(), sum = k => rows.reduce((n, r) => n + r[k], 0);
  const line = (who, of) => `${who}：名下${of('cases')} 打过${of('attempted')} 确认${of('confirmed')} 犹豫${of('considering')} 退档${of('withdrawn')} 联系不上${of('unreachable')} 还差${of('missing_93')}`;
  const d = wire(clockNow());
  return [`${B.me.person.team || ''} 战报 ${d.slice(5)}（暂计）`, line('全组', sum), ...rows.map(r => line(r.who, k => r[k]))].join('\n');
}
export async function copyBattle() {
  const text = battle();
  try {
    await navigator.clipboard.writeText(text);
    tell(_('战报已复制，粘到群里就行'));
  } catch (e) {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    tell(done ? _('战报已复制，粘到群里就行') : _('浏览器不让复制，请从下面选中'), done ? 'ok' : 'warn');
  }
}

/* The new PIN is shown once, and only here. */
const newPin = {id: 'pin', key: 'k', text: '重设口令', note: '新口令只显示一次，抄下来交给本人；本人的浏览器会退出', fields: [
  {name: 'person', head: '谁', needed: true, first: r => r ? r.who : ''}, {name: 'pin', head: '我的口令', kind: 'pin', needed: true}],
run: async (r, v) => {
  const got = await resetPin(v.person, v.pin);
  tell(`${got.person} ${_('的新口令')}：${got.pin}`);
}};

export function People() {
  const {src, rows} = rateRows(), s = {id: 'people', title: '按人', rows, src, cols: rateCols, name: r => r.who, file: '小组'}, row = pickedIn(s) || rows[0];
  B.keys.push({key: 'c', text: '复制战报', run: copyBattle});
  return (
    <div class="two">
      <Sheet {...s} />
      <aside class="panel" aria-label={_('战报')}>
        <h2>{_('战报')}</h2>
        <p class="buttons"><button type="button" class="main" id="battle-copy" onClick={copyBattle}><kbd>c</kbd> {_('复制战报')}</button>
          <button type="button" onClick={() => print(null)}>{_('打印本页（周报）')}</button></p>
        <pre class="battle" id="battle" tabIndex={0} aria-label={_('战报')}>{battle()}</pre>
        <Hint>{_('按还差的人数排，不按报到率：冻结以前率会变。')}</Hint>
        {row && <Acts acts={[newPin]} row={row} of={row.who} />}
      </aside>
    </div>
  );
}

function Preview({v}) {
  if (!v.subject || !v.until) return <Hint>{_('选好人和时间，这里先看分给谁')}</Hint>;
  const src = use(previewKey(v)), d = src.data;
  if (src.error) return <p class="notice warn" role="status"><b aria-hidden="true">▲</b> {src.error}</p>;
  if (!d) return <Hint>{_('正在算…')}</Hint>;
  return <div id="preview"><p>{_('要移动')} <b>{d.cases}</b> {_('个')}</p><table><thead><tr><th scope="col">{_('给谁')}</th><th scope="col" class="num">{_('个数')}</th><th scope="col" class="num">{_('约好的')}</th></tr></thead>
    <tbody>{d.moves.map(m => <tr key={m.to}><th scope="row">{m.to}</th><td class="num">{m.cases}</td><td class="num">{m.promises}</td></tr>)}</tbody></table></div>;
}
const previewKey = v => `absence-preview?${new URLSearchParams({person: v.subject, until: timeOf(v.until), to: v.to || 'split'})}`;
const leave = {id: 'leave', key: 'n', text: '记请假', go: '记下并移动', fields: [
  {name: 'subject', head: '谁请假', kind: 'choice', needed: true, first: r => r ? r.who : '', options: asPeople},
  {name: 'until', head: '到', kind: 'time', needed: true, first: () => local(at(clockNow(), 1, 18))},
  {name: 'reason', head: '理由', needed: true, most: REASON, first: '病假', options: [['病假', ''], ['事假', ''], ['出差', '']]},
  {name: 'to', head: '交给', kind: 'choice', options: asPeople},
], note: '“交给”空着：平分给全组。业绩不动。', preview: (r, v) => <Preview v={v} />,
say: async (r, v) => {
  const d = use(previewKey(v)).data;
  if (!v.to && !d) throw new Error(_('还没算好分给谁，请等一下再按'));
  const moves = v.to ? [] : d.moves.flatMap(m => m.which.map(c => ({do: 'act', kind: 'handover', case: c, fields: {to: m.to, reason: v.reason}})));
  return [...say('absence', {subject: v.subject, until: timeOf(v.until), reason: v.reason, to: v.to}), ...moves];
}};

export function Leave() {
  const {src, rows} = rateRows(), s = {id: 'leave', title: '组员', rows, src, cols: rateCols.filter(c => ['who', 'team', 'cases', 'unfirst', 'considering', 'missing_93'].includes(c.key)), name: r => r.who, file: '请假'};
  const row = pickedIn(s) || rows[0];
  return <div class="two"><Sheet {...s} /><aside class="panel" aria-label={_('请假')}><h2>{_('请假')} {row ? row.who : ''}</h2>
    <Acts acts={[leave]} row={row} of={row ? row.who : 'leave'} /></aside></div>;
}

const lateCols = [
  {key: 'no', head: '号', num: true}, {key: 'person', head: '谁记的'}, {key: 'what', head: '结果', of: r => outcomeText(r.what)}, {key: 'owner', head: '现在归'},
  {key: 'why', head: '为什么迟', of: r => LEASE[r.why] || r.why}, {key: 'at', head: '时间', of: r => moment(r.at), by: r => r.at},
];
const lateActs = [
  {id: 'adopt', key: 'a', text: '采用', fields: [], say: r => say('adopt', ref(r), {c: r.case})},
  {id: 'dismiss', key: 'd', text: '不采用', fields: [], say: r => say('dismiss', ref(r), {c: r.case})},
];
export function Late() {
  const src = use('late'), s = {id: 'late', title: '迟到的记录', rows: src.data || [], src, cols: lateCols, name: r => `${r.ob}${r.seq}`, empty: '没有迟到的记录', file: '迟到'};
  const row = pickedIn(s) || s.rows[0];
  return <div class="two"><Sheet {...s} /><aside class="panel" aria-label={_('选中的记录')}>{row ? <div><Acts acts={lateActs} row={row} of={`${row.ob}${row.seq}`} />
    <Case key={row.case} c={row.case} row={{case: row.case}} acts={[]} /></div> : <Hint>{_('断线太久又补上的记录在这里，由本人或组长采用。')}</Hint>}</aside></div>;
}
