/* What several views show: a clock that runs out, the case beside its row, words of records. */
import {B, called, use} from './state.js';
import {Acts} from './acts.jsx';
import {_} from './lang.js';
import {clockNow, ms, when} from '../time.js';
import {KINDS, SEX, why} from '../words.js';

export const outcomeText = code => {
  const o = (B.campaign.outcomes || []).find(x => x.code === code);
  return o ? o.text : code || '';
};
const hm = t => `${Math.floor(t / 3600000)}:${String(Math.floor(t / 60000) % 60).padStart(2, '0')}`;
/* "还剩 1:23", "超时 0:05": a sign and words, the colour only repeats them. */
export function left(deadline) {
  if (!deadline) return '';
  const t = ms(deadline) - clockNow();
  return t < 0 ? `${_('超时')} ${hm(-t)}` : `${_('还剩')} ${hm(t)}`;
}
export function Left({deadline, since}) {
  if (!deadline) return <span class="soft">—</span>;
  const t = ms(deadline) - clockNow(), whole = since ? ms(deadline) - ms(since) : 3600000;
  const [sign, kind] = t < 0 ? ['✗', 'bad'] : t < whole / 4 ? ['▲', 'warn'] : ['●', 'ok'];
  return <span class={`left ${kind}`}><b aria-hidden="true">{sign}</b> {left(deadline)}</span>;
}
export const moment = t => t ? when(ms(t), clockNow()) : '';
/* Who can be given something: who makes calls, of the own team where one has a team. */
export const asPeople = () => ((use('reads').data || {}).people || []).filter(r => !B.me.person.team || r.team === B.me.person.team)
  .map(r => [r.person, `${called(r.person)}${r.team ? ` · ${r.team}` : ''}`]);

/* Rows of cases with what the office may see of each: of the first ones, the rest as they came. */
const NAMED = 60;
export const named = (rows, may) => rows.map((r, i) => {
  const t = may && i < NAMED ? use(`case:${r.case}`).data : null;
  return t ? {...r, name: t.name, school: t.school, major: t.major} : r;
});

const Pair = ({head, children}) => children ? <span><span class="soft">{_(head)}</span> {children}</span> : null;

const bits = n => [1, 2, 4, 8, 16, 32].filter(b => n & b).length;

/* Photos and papers as they are archived: a look is enough for most, a click opens it whole. */
function Pictures({c, of}) {
  return of.length === 0 ? null : (
    <span class="pictures">
      {of.map((hash, i) => (
        <a key={hash} href={`/api/evidence?case=${c}&hash=${hash}`} target="_blank" rel="noreferrer">
          <img src={`/api/evidence?case=${c}&hash=${hash}`} alt={`${_('照片')} ${i + 1}`} loading="lazy" />
        </a>
      ))}
    </span>
  );
}

export function Case({c, acts, row}) {
  const src = use(`case:${c}`), t = src.data;
  return (
    <div class="panel-case">
      {src.error && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> {src.error}</p>}
      <h2 class="who">{t ? t.name : row && row.name || '…'} {t && <span class="soft">{SEX[t.sex] || ''} {t.major} {t.minor ? _('未成年') : ''}</span>}</h2>
      {row && row.question && <p class="question"><q>{row.question}</q> <span class="soft">{called(row.asked_by)}</span></p>}
      <Acts acts={acts} row={row} of={c} />
      {t && <p class="facts"><Pair head="考生号">{t.no}</Pair><Pair head="中学">{t.school}</Pair><Pair head="住址">{t.address}</Pair>
        <Pair head="批次">{t.batch}</Pair><Pair head="位置">{why(row && row.why) || laneText(t.lane)}</Pair></p>}
      {t && <ul class="nums">{(t.numbers || []).map(n => <li key={n.n}><span class="num">{n.dial || n.digits}</span> {KINDS[n.kind] || n.kind} <span class="soft">{n.note || ''}</span></li>)}</ul>}
      {t && <ol class="lasts">{(t.last || []).map(r => <li key={`${r.ob}${r.seq}`}><b>{outcomeText(r.outcome) || WORD[r.kind] || r.kind}</b> <span class="soft num">{called(r.person)} {moment(r.at)}{r.seconds ? ` · ${Math.round(r.seconds / 60)} ${_('分')}` : ''}</span>
        {[r.words, r.answered, r.note || r.reason].filter(Boolean).map((text, i) => <q key={i}>{text}</q>)}{r.items !== undefined && <span class="soft"> {_('材料')} {bits(r.items)}/6</span>}<Pictures c={c} of={r.evidence || []} /></li>)}</ol>}
    </div>
  );
}
const LANES = {hand: '在手上', promise: '约好的', asked: '约在晚上', first: '还没打过', due: '到点', retry: '再打', team: '组长处', strike: '突击组', papers: '退档材料', pool: '公共池', resting: '暂时不用打',
  terminal: '已结束', supervision: '督查处理', parked: '待管理员看', triage: '正在安排', doubt: '正在核对', unreleased: '未放号'};
/* "own:p01:due" -> "p01 · 到点" */
export function laneText(lane) {
  const [a, b, c] = (lane || '').split(':');
  return a === 'own' ? `${b} · ${_(LANES[c] || c || '')}` : `${_(LANES[a] || a)}${b ? ` · ${b}` : ''}`;
}
export const WORD = {ATTEMPT: '回访', NOTE: '备注', NUMBER: '号码', PAPER: '材料', HANDOVER: '转交', FINDING: '认定', WAIVER: '免除', REOPEN: '重开', ADOPT: '采用',
  DISMISS: '不采用', APPROVAL: '审批', DECISION: '裁决', MESSAGE: '网关消息', RULING: '裁定', CORRECTION: '更正', DISPUTE: '异议', SIGNOFF: '签字', REVEAL: '查看证件号', ABSENCE: '请假',
  IMPORT: '导入', RELEASE: '放号', STAGE: '阶段', PASS: '批', POLICY: '规则', DRAW: '抽查', PAUSE: '暂停'};

/* The lines for what only the server's own shell may do. */
export function Shell({text, children}) {
  return <p class="shell"><span class="soft">{_(text)}</span> <code>{children}</code></p>;
}
export const Hint = ({children}) => <p class="hint">{children}</p>;
