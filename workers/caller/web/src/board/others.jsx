/* Strike team, supervision, data group, money, back office, leading group, and everybody's own page. */
import {B, hasRole, use} from './state.js';
import {Acts} from './acts.jsx';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Case, Hint, Left, WORD, left, laneText, moment, outcomeText} from './parts.jsx';
import {rateCols} from './team.jsx';
import {openOr, passAct, signAct} from './pass.jsx';
import {REASON, ref, say} from './say.js';
import {clockNow, ms} from '../time.js';
import {why} from '../words.js';

const keyRef = r => `${r.ob}${r.seq}`;
const reason = {name: 'reason', head: '理由', needed: true, most: REASON};
const verdict = {name: 'verdict', head: '决定', kind: 'choice', needed: true, options: [['give', '同意'], ['refuse', '不同意']]};

/* A sheet with the panel of its picked row. */
function Pair({sheet, label, children}) {
  const row = pickedIn(sheet) || sheet.rows[0];
  return <div class="two"><Sheet {...sheet} /><aside class="panel" aria-label={_(label)}>{children(row)}</aside></div>;
}

/* ---- strike ---- */

const strikeCols = [
  {key: 'name', head: '姓名'},
  {key: 'since', head: '等了', of: r => moment(r.since || r.due), by: r => ms(r.since || r.due)},
  {key: 'left', head: '时限', of: r => left(r.deadline), by: r => ms(r.deadline) || 9e15, show: r => <Left deadline={r.deadline} since={r.since} />},
  {key: 'why', head: '情况', of: r => r.held ? `☎ ${_('在我手里')}` : why(r.why)}, {key: 'school', head: '中学', wide: true}, {key: 'major', head: '专业'},
  {key: 'tries', head: '次', num: true}, {key: 'minutes', head: '分', num: true},
];
const inHandActs = [{id: 'back', key: 'b', text: '放回', fields: [], say: r => [{do: 'give-back', token: B.hand.get(r.case).token, reason: 'other'}]}];
const strikeActs = [{id: 'take', key: 'a', text: '接手', note: '接到手里，在记录页打电话、记结果；放回也在那里', fields: [], say: r => [{do: 'take', case: r.case}]}];
export function Strike() {
  const src = use('strike'), held = [...B.hand.values()], waits = (src.data || []).filter(r => !B.hand.has(r.case));
  const rows = [...held.map(t => ({...t, held: true})), ...waits];
  const s = {id: 'strike', title: '突击单', rows, src, cols: strikeCols, empty: '失联清零：没有等人接手的', file: '突击单'};
  const late = rows.filter(r => r.deadline && ms(r.deadline) < clockNow()).length;
  return (
    <div class="stack">
      <p class={`zero ${rows.length ? 'warn' : 'ok'}`} id="zero"><b aria-hidden="true">{rows.length ? '▲' : '✓'}</b> {_('失联清零板')}：{_('等人接手')} <b>{waits.length}</b> · {_('在我手里')} <b>{held.length}</b> · {_('超时')} <b>{late}</b> · <a href="/">{_('去记录页（手里的人）')}</a></p>
      <Pair sheet={s} label="突击单">{row => row ? <Case key={row.case} c={row.case} row={row} acts={row.held ? inHandActs : strikeActs} /> : <Hint>{_('没有等人接手的单子。')}</Hint>}</Pair>
    </div>
  );
}

/* ---- supervision ---- */

const flagCols = [
  {key: 'no', head: '号', num: true}, {key: 'person', head: '人员'}, {key: 'text', head: '疑点', wide: true}, {key: 'value', head: '数', num: true},
  {key: 'day', head: '日期'}, {key: 'told', head: '本人说明', of: r => r.explained ? `✓ ${_('有')} ${r.explained}` : `… ${_('还没有')}`},
];
export const findingActs = [{id: 'finding', key: 'f', text: '写认定', note: '扣减要由回访负责人或领导小组再定', fields: [
  {name: 'what', head: '哪种', kind: 'choice', needed: true, first: 'record', options: [['record', '记录不实'], ['slack', '懈怠'], ['wrong-withdrawal', '错误退档'], ['deduction', '扣减']]},
  {name: 'subject', head: '谁', needed: true, first: r => r ? r.person || '' : ''}, {name: 'count', head: '扣减 %', kind: 'number'},
  {name: 'reason', head: '理由', needed: true, most: REASON}, {name: 'note', head: '经过', kind: 'text'}],
say: (r, v) => say('finding', {what: v.what, subject: v.subject, reason: v.reason, count: v.count === '' ? '' : Number(v.count), ...r && r.ob ? ref(r) : {}}, {note: v.note, c: r && r.ob && r.case})}];
export function Flags() {
  const src = use('flags'), rows = (src.data || {}).rows || [];
  const s = {id: 'flags', title: '真实性核验板', rows, src, cols: flagCols, name: r => `${r.no}${r.flag}`, empty: '没有疑点', file: '核验'};
  return <Pair sheet={s} label="选中的疑点">{row => <div><h2>{row ? `${row.person} · ${row.text}` : _('认定')}</h2>
    {hasRole(['supervisor']) && <Acts acts={findingActs} row={row} of={row ? `${row.no}${row.flag}` : 'new'} />}
    <Hint>{_('本人先看到自己的疑点，可以先说明；说明以后再认定。')}</Hint>
    {row && <Case key={row.case} c={row.case} acts={[]} />}</div>}</Pair>;
}

const patrolActs = [{id: 'patrol', key: 'n', text: '记一次巡查', fields: [
  {name: 'what', head: '哪种', kind: 'choice', needed: true, first: 'record', options: [['record', '巡查发现'], ['slack', '懈怠']]},
  {name: 'subject', head: '谁（没有就空着）'}, {name: 'reason', head: '一句话', needed: true, most: REASON}, {name: 'note', head: '经过、地点', kind: 'text'}],
say: (r, v) => say('finding', {what: v.what, subject: v.subject, reason: v.reason}, {note: v.note})}];
const anyCols = (rows, first) => {
  const keys = [...new Set(rows.flatMap(r => Object.keys(r)))].filter(k => !['ob', 'seq', 'case'].includes(k) && rows.some(r => r[k] === null || typeof r[k] !== 'object'));
  return [...first.filter(k => keys.includes(k)), ...keys.filter(k => !first.includes(k))].map(k => ({key: k, head: HEADS[k] || k, num: rows.some(r => typeof r[k] === 'number') && k !== 'at' && k !== 'until',
    of: k === 'what' || k === 'state' || k === 'verdict' || k === 'to' ? r => _(SAYS[r[k]] || r[k] || '') : k === 'at' || k === 'until' ? r => moment(r[k]) : k === 'kind' ? r => _(WORD[r.kind] || r.kind || '') : undefined}));
};
const SAYS = {record: '记录不实', slack: '懈怠', 'wrong-withdrawal': '错误退档', deduction: '扣减', open: '未决', give: '同意', refuse: '不同意', given: '同意', refused: '不同意', decided: '已定', late: '过了期限', counts: '算数', corrected: '已改正', lifted: '已撤销', 'in-force': '生效', undecided: '等裁定', signed: '签了字', checked: '核对过', withdrawn: '退档', ok: '没有问题', upheld: '成立', own: '本人', leader: '组长', heads: '负责人'};
const HEADS = {due: '改正限', misses: '逾期次', overdue: '逾期', to: '报给', percent: '扣减%', night: '夜', no: '号', person: '谁', subject: '对谁', what: '内容', kind: '哪种', n: '数', at: '时间', until: '期限', reason: '理由', count: '数量', verdict: '决定', by: '谁定', state: '状态', note: '说明', open: '未决', digits: '号码', cases: '人数'};
/* What is open is corrected; what is in force is lifted again, when a head says so too. */
const correct = {id: 'correct', key: 'c', text: '已改正', note: '台账已经改正，或撤销这条认定', fields: [{name: 'note', head: '说明', kind: 'text'}],
  say: (r, v) => say('finding', {what: r.state === 'open' ? 'corrected' : 'lifted', subject: r.subject, ...ref(r)}, {note: v.note})};
export function Findings() {
  const src = use('findings'), rows = Array.isArray(src.data) ? src.data : (src.data || {}).rows || [];
  const s = {id: 'findings', title: '认定', rows, src, cols: rows.length ? anyCols(rows, ['no', 'person', 'subject', 'what', 'reason']) : [{key: 'no', head: '号'}, {key: 'subject', head: '对谁'}], name: r => r.ob ? keyRef(r) : String(r.no), empty: '还没有认定', file: '认定'};
  return <Pair sheet={s} label="认定与巡查">{row => <div><h2>{_('巡查与认定')}</h2>
    {row && hasRole(['supervisor']) && ['open', 'in-force'].includes(row.state) && <div><h3>{row.no} · {row.subject} · {_(SAYS[row.what] || row.what)}</h3><Acts acts={[correct]} row={row} of={keyRef(row)} /></div>}
    {hasRole(['supervisor']) ? <Acts acts={[...patrolActs, ...findingActs]} row={null} of="patrol" /> : <Hint>{_('认定由督查写。')}</Hint>}
    <Hint>{_('巡查针对人或房间，不针对考生。')}</Hint></div>}</Pair>;
}

/* ---- approvals, disputes: data group, heads, leaders ---- */

const approvalActs = [
  {id: 'approve', key: 'a', text: '审批', fields: [verdict, {name: 'reason', head: '理由', most: REASON}],
    say: (r, v) => r.case ? say('approval', {...ref(r), verdict: v.verdict}, {c: r.case}) :
      hasRole(['callback-head', 'leading']) ? say('decision', {...ref(r), verdict: v.verdict, reason: v.reason}) : say('approval', {...ref(r), verdict: v.verdict})},
];
const APPROVAL_COLS = [{key: 'no', head: '号', num: true}, {key: 'kind', head: '哪种', of: r => _(WORD[r.kind] || r.kind || '')}, {key: 'person', head: '谁提出'}, {key: 'subject', head: '对谁'}, {key: 'what', head: '内容', wide: true, of: r => r.kind === 'HANDOVER' ? `${_('转给')} ${r.what}，${_('连业绩')}` : _(SAYS[r.what] || r.what || '')}];
export function Approvals() {
  const src = use('approvals'), rows = Array.isArray(src.data) ? src.data : [];
  const s = {id: 'approvals', title: '等审批的', rows, src, cols: APPROVAL_COLS, name: keyRef, empty: '没有等审批的', file: '审批'};
  return <Pair sheet={s} label="审批">{row => row ? <div><h2>{_(WORD[row.kind] || row.kind || '')} · {row.person}</h2><Acts acts={approvalActs} row={row} of={keyRef(row)} />
    {row.case && <Case key={row.case} c={row.case} acts={[]} />}</div> : <Hint>{_('转业绩、退档材料、规则、认定，都要第二个人同意。')}</Hint>}</Pair>;
}

/* ---- data group ---- */

const dataActs = [
  {id: 'release', key: 'a', text: '放号', note: '0 是全部。种子写下来，谁都能重算次序。', fields: [{name: 'count', head: '放多少', kind: 'number', needed: true}, {name: 'seed', head: '种子', kind: 'number', needed: true}],
    say: (r, v) => say('release', {count: Number(v.count), seed: Number(v.seed)})},
  {id: 'stage', key: 's', text: '阶段', fields: [{name: 'n', head: '阶段', kind: 'number', needed: true, first: () => B.campaign.stage || ''}, openOr], say: (r, v) => say('stage', {n: Number(v.n), open: Number(v.open)})},
  passAct,
  {id: 'pause', key: 'u', text: '暂停或继续', fields: [reason, {name: 'open', head: '怎样', kind: 'choice', needed: true, options: [['false', '暂停派号'], ['true', '继续派号']]}],
    say: (r, v) => say('pause', {reason: v.reason, open: v.open === 'true'})},
];
const laneCols = [{key: 'lane', head: '队列', of: r => laneText(r.lane)}, {key: 'cases', head: '人数', num: true}, {key: 'first', head: '最早', of: r => r.first_due > 0 && r.first_due < 4e12 ? moment(r.first_due) : '', by: r => r.first_due},
  {key: 'oldest', head: '最久（分）', num: true, of: r => Math.round(r.oldest_seconds / 60)}];
export function Lanes() {
  const src = use('queue'), d = src.data || {}, c = B.campaign;
  const s = {id: 'lanes', title: '队列', rows: (d.lanes || []).filter(l => l.cases > 0), src, cols: laneCols, name: r => r.lane, file: '队列'};
  return <Pair sheet={s} label="活动">{() => <div><h2>{_('活动')} </h2>
    {src.data && <p id="adds" class={d.adds_up ? 'left ok' : 'left bad'}><b aria-hidden="true">{d.adds_up ? '✓' : '✗'}</b> {_('队列')} {d.cases - d.leases} + {_('在手')} {d.leases} = {d.cases} {d.adds_up ? _('对得上') : _('对不上')}{d.paused ? ` · ‖ ${_('已暂停')}` : ''}</p>}
    {hasRole(['data', 'callback-head', 'operator', 'admin']) && <Acts acts={hasRole(['data']) ? dataActs : dataActs.slice(3)} row={null} of="campaign" />}</div>}</Pair>;
}

/* ---- money: counts and payees, no applicants ---- */

const payCols = [
  {key: 'person', head: '人员'}, {key: 'team', head: '小组'}, {key: 'called', head: '回访量', num: true}, {key: 'admitted', head: '录取', num: true}, {key: 'registered', head: '报到', num: true},
  {key: 'rate', head: '报到率', num: true, of: r => r.rate === null ? '—' : r.rate}, {key: 'standard', head: '标准', num: true}, {key: 'deduction_percent', head: '扣减%', num: true},
  {key: 'pay', head: '应发', num: true}, {key: 'leader_bonus', head: '组长奖', num: true}, {key: 'sign', head: '签名', of: () => ''},
];
export function Money() {
  const src = use('pay'), d = src.data || {};
  const s = {id: 'pay', title: '补贴', rows: d.rows || [], src, cols: payCols, name: r => r.person, file: '补贴'};
  return <Pair sheet={s} label="怎么算的">{row => <div><h2>{_('怎么算的')} {row ? row.person : ''}</h2>
    {d.as_of_ledger !== undefined && <p class="soft">{d.provisional ? `… ${_('暂计，未冻结')}` : `✓ ${_('已冻结')}`} · {_('最低工作量')} {d.minimum ?? '—'} · {_('未决异议')} {d.open_disputes} · {_('未决认定')} {d.open_findings}</p>}
    {row && <ol class="explain" id="explain">{row.explain.map((line, i) => <li key={i}>{line}</li>)}</ol>}</div>}</Pair>;
}
export function Disputes() {
  const src = use('disputes'), rows = Array.isArray(src.data) ? src.data : (src.data || {}).rows || [];
  const s = {id: 'disputes', title: '异议', rows, src, cols: rows.length ? anyCols(rows, ['no', 'person', 'what']) : [{key: 'no', head: '号'}, {key: 'person', head: '谁'}], name: r => r.ob ? keyRef(r) : String(r.no), empty: '没有异议', file: '异议'};
  return <Pair sheet={s} label="异议">{row => row && row.ob && hasRole(['callback-head', 'leading']) ? <Acts acts={[{id: 'decide', key: 'a', text: '裁决', fields: [verdict, reason],
    say: (r, v) => say('decision', {...ref(r), verdict: v.verdict, reason: v.reason})}]} row={row} of={keyRef(row)} /> : <Hint>{_('异议五个工作日内有效；由回访负责人或领导小组裁决。')}</Hint>}</Pair>;
}

/* ---- leading group, and rates for who watches ---- */

export function Rates() {
  const src = use('rates?by=team'), rows = ((src.data || {}).rows || []).map(r => ({...r, who: r.who || _('公共池')}));
  const all = use('rates?by=campaign'), whole = ((all.data || {}).rows || [])[0];
  const s = {id: 'rates', title: '各组', rows: [...rows].sort((a, b) => b.missing_93 - a.missing_93), src, cols: rateCols.filter(c => c.key !== 'team').map(c => c.key === 'who' ? {...c, head: '小组'} : c), name: r => r.who, file: '各组'};
  const part = (head, n) => <li><span class="num">{n}</span> {_(head)}</li>;
  return <div class="stack">{whole && <ul class="funnel" id="funnel">{part('名下', whole.cases)}{part('打过', whole.attempted)}{part('确认', whole.confirmed)}{part('犹豫', whole.considering)}{part('退档', whole.withdrawn)}{part('联系不上', whole.unreachable)}{part('报到', whole.registered)}{part('还差93%', whole.missing_93)}{part('还差95%', whole.missing_95)}</ul>}
    <Sheet {...s} /></div>;
}
const nightCols = rows => rows.length ? anyCols(rows, ['night', 'day', 'state']).slice(0, 10) : [{key: 'night', head: '夜'}];
export function Nights() {
  const src = use('nights'), rows = Array.isArray(src.data) ? src.data : (src.data || {}).nights || [];
  return <Sheet id="nights" title="夜间对账" rows={rows} src={src} cols={nightCols(rows)} name={r => String(r.night || r.id || r.day)} empty="还没有夜间对账" file="夜间" />;
}

/* ---- everybody's own ---- */

const mine = [
  signAct,
  {id: 'dispute', key: 'd', text: '提异议', fields: [{name: 'what', head: '对什么', needed: true, most: 24}, {name: 'note', head: '说明', kind: 'text', needed: true}],
    say: (r, v) => say('dispute', {what: v.what}, {note: v.note})},
];
/* Everybody sees the own flags first, and says what there is to say before supervision judges. */
const explain = {id: 'explain', key: 'f', text: '说明情况', fields: [{name: 'note', head: '说明', kind: 'text', needed: true}],
  say: (r, v) => say('note', {what: 'explain', ...ref(r)}, {c: r.case, note: v.note})};
export function Mine() {
  const p = B.me.person, src = use(`flags?person=${encodeURIComponent(p.id)}`), rows = (src.data || {}).rows || [];
  const s = {id: 'mine-flags', title: '我的疑点', rows, src, cols: flagCols.filter(c => c.key !== 'person'), name: r => `${r.no}${r.flag}`, empty: '没有疑点', file: '我的疑点'};
  return <Pair sheet={s} label="我的">{row => <div><h2>{p.name || p.id} {p.team ? `· ${p.team}` : ''}</h2><Acts acts={mine} row={null} of="mine" />
    {row && <div><h3>{row.text}</h3><Acts acts={[explain]} row={row} of={`${row.no}${row.flag}`} /><Case key={row.case} c={row.case} acts={[]} /></div>}</div>}</Pair>;
}
