/* The case in hand: who, why now, the numbers as this desk phone wants them, the script with its three ticks. */
import {useEffect, useRef} from 'preact/hooks';
import {choose, copy, dialOf, letter, next, timer, zero} from './actions.js';
import {Stopwatch} from './stopwatch.jsx';
import {draftOf, edit, isTyped} from './drafts.js';
import {S, hand, set} from './store.js';
import {clockNow, ms, when} from './time.js';
import {messageOf, rungOf} from './message.js';
import {KINDS, SEX, TICKS, why} from './words.js';

const masked = no => no && no.length > 10 ? `${no.slice(0, 6)}****${no.slice(-4)}` : no;
const grouped = d => /^1\d{10}$/.test(d) ? `${d.slice(0, 3)} ${d.slice(3, 7)} ${d.slice(7)}` : d;

function Hands() {
  const all = hand();
  if (all.length < 2) return null;
  return (
    <p class="hands" role="group" aria-label="在手的几位">
      <span class="soft">在手 {all.length} 位 <kbd>[</kbd> <kbd>]</kbd></span>
      {all.map(t => (
        <button key={t.case} type="button" class="chip" aria-pressed={t.case === S.current ? 'true' : 'false'} onClick={() => choose(t.case)}>
          <span lang="zh">{t.name || '?'}</span>{isTyped(t.case) ? ' ✎' : ''}{draftOf(t.case).timer.from !== null ? ' ● 通话中' : ''}
        </button>
      ))}
    </p>
  );
}

/* The full number is on the screen only while it is pressed. */
function Masked({no}) {
  const show = on => () => set({peek: on ? no : null});
  return (
    <span>考生号 <b class="num">{S.peek === no ? no : masked(no)}</b>{' '}
      <button type="button" class="small" onPointerDown={show(true)} onPointerUp={show(false)} onPointerLeave={show(false)} onBlur={show(false)}
        onFocus={show(false)} onClick={e => e.detail === 0 && set({peek: S.peek ? null : no})}>按住看全号</button>
    </span>
  );
}

function Numbers({task}) {
  const d = draftOf(task.case), list = (task.numbers || []).filter(n => n.digits), none = Object.entries(task.none || {});
  const lacks = (task.missing || []).map(k => k === 'self' ? '本人的' : '父母的').join('、');
  return (
    <section aria-labelledby="h-numbers">
      <h3 id="h-numbers">号码 <span class="soft">已留 {list.length} 个{lacks && `，还差${lacks}`}{none.map(([k, why]) => <span key={k}> · {KINDS[k] || k} ✗ <i lang="zh">{why}</i></span>)}</span>
        {' '}<label class="chip zero"><input type="checkbox" checked={S.zero} onChange={e => zero(e.target.checked)} /> <kbd>O</kbd> 座机加 0</label></h3>
      <ul class="numbers">
        {list.map(n => (
          <li key={n.n} class={d.number === n.n ? 'picked' : ''}>
            <label><input type="radio" name="number" checked={d.number === n.n} onChange={() => edit(task.case, {number: n.n})} />
              {n.n} {KINDS[n.kind] || n.kind || '号码'}</label>
            <span class="num big">{grouped(n.digits)}</span>
            <span class="soft">{dialOf(n) !== n.digits && <span>话机拨 <b class="num">{dialOf(n)}</b> </span>}{n.note && <i lang="zh">{n.note}</i>}</span>
            <a class="tel" href={`tel:${n.digits}`}>拨打<span class="off-screen">第 {n.n} 个号码</span></a>
            <button type="button" class="small" onClick={() => copy(dialOf(n))}>{d.number === n.n && <kbd>C</kbd>} 复制<span class="off-screen">第 {n.n} 个号码</span></button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const TEXT = {
  cost: '民办高校；学费、住宿费、资助政策都讲到',
  'one-school': '不能再被别的学校录取',
  consequences: '不报到、不退档各有什么后果',
};

function Script({task}) {
  const script = S.campaign.script || {}, box = useRef(null);
  return (
    <section aria-labelledby="h-script" class="script">
      <h3 id="h-script">话术 <span class="soft">{script.version ? `版本 ${script.version}` : '三件事必须说清'}{script.by && <i lang="zh"> · {script.by} {script.date}</i>}</span></h3>
      {script.text && script.text.length > 0 && <ol ref={box}>{script.text.map((line, i) => <li key={i} lang="zh">{line.text || line}</li>)}</ol>}
      <Ticks task={task} />
    </section>
  );
}

export function Ticks({task}) {
  const d = draftOf(task.case);
  return (
    <ul class="ticks">
      {TICKS.map(([code, text, key]) => (
        <li key={code}>
          <label><input type="checkbox" checked={d.ticks.includes(code)} onChange={() => letter(key)} data-need={code === 'cost' ? 'ticks' : undefined} />
            <kbd>{key.toUpperCase()}</kbd> {text}</label>
          <span class="soft">{TEXT[code]}</span>
        </li>
      ))}
    </ul>
  );
}

/* What the campaign wants to be written, when a message is this rung's task or this record's result. */
export function Message({task}) {
  const text = messageOf(task, draftOf(task.case));
  if (!text) return null;
  return <p class="message"><span><b>消息照抄：</b><i lang="zh">{text}</i></span> <button type="button" class="small" onClick={() => copy(text, '消息已复制')}>复制消息</button></p>;
}

function Nobody() {
  return (
    <main class="case nobody" id="case">
      <h2>手里没有人</h2>
      {S.none && <p role="status"><b aria-hidden="true">▲</b> {S.none.text}</p>}
      {S.wantNext && !S.none && <p role="status">正在要下一位…</p>}
      {(S.office === 'gone' || S.link === 'down') && <p role="status"><b aria-hidden="true">▲</b> 现在离线：新的人要等连上，已记的会自己补送</p>}
      <button type="button" class="main" id="next" onClick={next} disabled={S.wantNext}><kbd>N</kbd> 下一位</button>
    </main>
  );
}

export function Case({task: t}) {
  const head = useRef(null), now = clockNow();
  useEffect(() => {
    const box = document.getElementById('case');
    if (box) box.scrollTop = 0;
  }, []);
  if (!t) return <Nobody />;
  const d = draftOf(t.case), due = ms(t.due), more = Object.entries(t.extra || {});
  return (
    <main class="case" id="case" tabindex={-1}>
      <Hands />
      <p class="off-screen" role="status"><span lang="zh">{t.name || ''}</span>，{why(t.why)}</p>
      <h2 ref={head} class="name"><b lang="zh">{t.name || '(没有姓名)'}</b> <span>{SEX[t.sex] || t.sex || ''}{t.minor ? ' · 未成年，要家长' : ''}<i lang="zh">{t.area ? ` · ${t.area}` : ''}{t.school ? ` · ${t.school}` : ''}</i></span></h2>
      {/\?\?|？/.test(t.name || '') && <p class="notice warn"><b aria-hidden="true">!</b> 姓名缺字，先核对姓名</p>}
      <p class="facts">
        {t.no && <Masked no={t.no} />}
        {t.major && <span>预录 <b lang="zh">{t.major}</b>{t.choice ? `（第 ${t.choice} 志愿）` : ''}</span>}
        {t.rural && <span>农村</span>}
        {t.reporter && <span>报备 <i lang="zh">{t.reporter}</i></span>}
        {t.address && <span>寄通知书 <i lang="zh">{t.address}</i></span>}
        {more.map(([k, v]) => <span key={k} lang="zh">{k} {v}</span>)}
      </p>
      <p class="whynow"><b>为什么现在打：</b>{why(t.why)}<i lang="zh">{rungOf(t.why)}</i>{due ? ` · ${when(due, now)} 到点` : ''}
        {t.lease === 'expired' && <em> ▲ 租约断了，照常记录</em>}</p>
      <Message task={t} />
      <Numbers task={t} />
      <p class="timer">
        <button type="button" class={d.timer.from !== null ? 'main running' : 'main'} onClick={timer}><kbd>空格</kbd> {d.timer.from !== null ? '结束通话' : '开始通话'}</button>
        <Stopwatch case={t.case} />
        <button type="button" onClick={() => set({dialog: 'dial'})}><kbd>Q</kbd> 扫码拨打</button>
        <button type="button" onClick={() => set({dialog: 'number'})}><kbd>N</kbd> 新增号码</button>
      </p>
      <Script task={t} />
    </main>
  );
}
