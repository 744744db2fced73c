/* 记一笔: the desk on a 390-pixel telephone. A list that is searched, a tap that opens somebody, a tap that dials, the
 * result, the next date, saved: fifteen seconds. What is behind it is the desk's own: drafts, records, keys of the outbox. */
import {choose, next, save, take, timer} from './actions.js';
import {Message, Ticks} from './case.jsx';
import {draftOf, edit, isRunning} from './drafts.js';
import {List} from './list.jsx';
import {rungOf} from './message.js';
import {missing, outcome} from './outcomes.js';
import {Just, Needs, NextStep, Outcomes, Text} from './record.jsx';
import {Last, Papers} from './side.jsx';
import {Stopwatch} from './stopwatch.jsx';
import {S, hand, set} from './store.js';
import {clockNow, ms, when} from './time.js';
import {Link} from './top.jsx';
import {Typed} from './typein.jsx';
import {CHANNELS, KINDS, why} from './words.js';

/* The call begins with the tap; it ends when the result is tapped. */
function dial(t, n) {
  edit(t.case, {number: n.n, channel: 'phone'});
  if (!isRunning(draftOf(t.case))) timer();
}

function Numbers({task: t}) {
  return (
    <ul class="quick-numbers" aria-label="号码">
      {(t.numbers || []).map(n => (
        <li key={n.n}><a class="main" href={`tel:${n.digits}`} onClick={() => dial(t, n)}>☎ {KINDS[n.kind] || '号码'} <span class="num">{n.digits}</span></a>
          {n.note && <span class="soft" lang="zh"> {n.note}</span>}</li>
      ))}
    </ul>
  );
}

function One({task: t}) {
  const d = draftOf(t.case), o = d.outcome ? outcome(d.outcome, S.campaign) : null, lacks = missing(d, o), question = o && o.needs.includes('question');
  const last = [...(t.last || [])].sort((a, b) => (b.at || 0) - (a.at || 0));
  const done = () => {
    if (lacks.length === 0) set({atList: true, find: ''});
    return save('only');
  };
  return (
    <main class="quick-one" id="case">
      <p class="bar"><button type="button" onClick={() => set({atList: true})}>‹ 名单</button> <Stopwatch case={t.case} /></p>
      <h2 class="name"><b lang="zh">{t.name || '(没有姓名)'}</b></h2>
      <p class="soft" lang="zh">{[t.major, t.school, t.area].filter(Boolean).join(' · ')}</p>
      <p class="whynow">{why(t.why)}<i lang="zh">{rungOf(t.why)}</i>{t.due ? ` · ${when(ms(t.due), clockNow())}` : ''}</p>
      <Message task={t} />
      <Numbers task={t} />
      <div class="record">
        <Typed task={t} d={d} />
        <Outcomes picked={d.outcome} />
        {o && !S.group && <div class="details">{o.needs.includes('ticks') && <Ticks task={t} />}<Needs task={t} d={d} o={o} /><NextStep task={t} d={d} o={o} /></div>}
        <Text task={t} d={d} id={question ? 'question' : 'note'} field="note" label={question ? '要写的（必填）' : '备注'} max={1300} />
        <label class="chip">途径 <select value={d.channel} onChange={e => edit(t.case, {channel: e.target.value})}>{CHANNELS.map(([c, text]) => <option key={c} value={c}>{text}</option>)}</select></label>
        <p class={lacks.length > 0 ? 'lacks' : 'lacks none'} id="lacks">{lacks.length > 0 ? <span><b aria-hidden="true">▲</b> 还差：{lacks.map(l => l[1]).join('、')}</span> : <span><b aria-hidden="true">✓</b> 可以保存</span>}</p>
        <p class="buttons">
          <button type="button" class="main" onClick={done}>保存</button>
          <button type="button" onClick={() => set({dialog: 'back'})}>放回，不打</button>
        </p>
      </div>
      <p class="line"><button type="button" onClick={() => set({dialog: 'number'})}>新增号码</button></p>
      <Papers task={t} phone />
      <details><summary>以前的联系（{last.length} 条）</summary><ul class="lasts">{last.map(r => <Last key={`${r.ob}-${r.seq}`} r={r} now={clockNow()} />)}</ul></details>
    </main>
  );
}

export function Quick({task: t, notice}) {
  const open = c => {
    set({atList: false});
    return hand().some(h => h.case === c) ? choose(c) : take({case: c});
  };
  return (
    <div class="quick">
      <header class={S.campaign.title === 'practice' ? 'top practice' : 'top'}>
        <h1>记一笔{S.campaign.title === 'practice' ? ' · 练习' : ''}</h1><Link />
        <button type="button" class="small" onClick={() => set({full: true})}>整页</button>
      </header>
      {notice}
      {t && !S.atList ? <One key={t.case} task={t} /> : (
        <main>
          <p class="buttons"><button type="button" class="main" disabled={S.wantNext} onClick={() => { set({atList: false}); next(); }}>{S.wantNext ? '正在打开…' : '下一位'}</button></p>
          <List open={open} />
        </main>
      )}
      <footer><Just /></footer>
    </div>
  );
}
