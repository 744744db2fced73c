/* What opens over the desk: inbound look-up, a new number, giving back, today's records, help. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {addNumber, files, giveBack, look, paper, picked, take} from './actions.js';
import {Many} from './many.jsx';
import {News} from './news.jsx';
import {Pay} from './pay.jsx';
import {Phone} from './phone.jsx';
import {Print} from './print.jsx';
import {TypeIn} from './typein.jsx';
import {Qr} from './qr.jsx';
import {draftOf} from './drafts.js';
import {outcome, KEYS, more} from './outcomes.js';
import {timeOf, today} from './records.js';
import {table} from './keys.js';
import {S, say, set} from './store.js';
import {clock} from './time.js';
import {BACK, KINDS, STATES, VERDICT} from './words.js';

const close = () => set({dialog: null});

function Inbound() {
  const [digits, setDigits] = useState(''), seen = S.seen && S.seen.what === 'number' ? S.seen : null, clean = digits.replace(/\D/g, '');
  const find = e => {
    e.preventDefault();
    if (clean.length < 3) return say('号码至少 3 位', 'warn');
    set({seen: null});
    return look({what: 'number', number: clean});
  };
  return (
    <form onSubmit={find}>
      <label for="inbound">打来的号码（至少 3 位）</label>
      <p class="line"><input id="inbound" inputmode="tel" autocomplete="off" value={digits} onInput={e => setDigits(e.target.value)} autofocus /> <button type="submit" class="main">查</button></p>
      <div role="status">
        {seen && seen.code === 'not-found' && <p>没有这个号码</p>}
        {seen && seen.code === 'unavailable' && <p>现在查不了，请稍后再试</p>}
        {seen && seen.rows.length === 0 && seen.code === 'ok' && <p>没有这个号码</p>}
        {seen && seen.code === 'denied' && seen.rows.map(r => <p key={r.case}>是 <b>{r.owner || r.team || '别人'}</b> 的人，请转告{r.team ? `（${r.team}）` : ''}</p>)}
      </div>
      <ul class="found">
        {seen && seen.code === 'ok' && seen.rows.map(r => (
          <li key={r.case}><button type="button" onClick={() => take({case: r.case}, 'in')}><span lang="zh"><b>{r.name || r.case.slice(0, 8)}</b> {r.school || ''} {r.major || ''}</span> — 打开</button></li>
        ))}
      </ul>
    </form>
  );
}

function NewNumber({task}) {
  const [digits, setDigits] = useState(''), [kind, setKind] = useState('self'), [source, setSource] = useState('self'), [reason, setReason] = useState('');
  if (!task) return <p>先打开一个人</p>;
  const isNone = source === 'none', add = async e => {
    e.preventDefault();
    if (isNone) {
      if (!reason.trim()) return say('写为什么没有', 'warn');
      if (await addNumber({case: task.case, token: task.token, kind, none: reason.trim(), again: true})) close();
      return undefined;
    }
    const clean = digits.replace(/\D/g, '');
    if (clean.length < 3 || clean.length > 20) return say('号码要 3 到 20 位数字', 'warn');
    if (await addNumber({case: task.case, token: task.token, digits: clean, kind, source, again: true})) {
      say(`${task.name || ''} 的新号码已存`);
      close();
    }
    return undefined;
  };
  return (
    <form onSubmit={add}>
      <label for="digits">号码</label>
      <input id="digits" inputmode="tel" autocomplete="off" value={digits} onInput={e => setDigits(e.target.value)} autofocus />
      <label for="kind">是谁的</label>
      <select id="kind" value={kind} onChange={e => setKind(e.target.value)}>{Object.entries(KINDS).map(([c, text]) => <option key={c} value={c}>{text}</option>)}</select>
      <label for="source">从哪里来</label>
      <select id="source" value={source} onChange={e => setSource(e.target.value)}>
        {[['self', '本人给的'], ['family', '家里给的'], ['inbound', '打来的'], ['114', '114'], ['class-teacher', '班主任'], ['classmate', '同学'], ['other', '其他'], ['none', '没有这样的号码']].map(([c, text]) => <option key={c} value={c}>{text}</option>)}
      </select>
      {isNone && <label for="reason">为什么没有 <input id="reason" maxlength={40} value={reason} onInput={e => setReason(e.target.value)} /></label>}
      <p><button type="submit" class="main">存</button></p>
    </form>
  );
}

function Back({task}) {
  if (!task) return <p>手里没有人</p>;
  return (
    <div>
      <p><span lang="zh">{task.name}</span> 放回，不打。为什么？（不算你没打）</p>
      <ol class="found">
        {BACK.map(([c, text], i) => <li key={c}><button type="button" onClick={() => giveBack(c)}><kbd>{i + 1}</kbd> {text}</button></li>)}
      </ol>
    </div>
  );
}

const ITEMS = [[1, '申请书填全（省、年、姓名、考生号、本人意愿、日期）'], [2, '考生签名、手印'], [4, '家长签名、手印'], [8, '身份证'], [16, '准考证'], [32, '合在一张照片里']];

function Paper({task}) {
  const [items, setItems] = useState(0), [note, setNote] = useState('');
  if (!task) return <p>先打开一个人</p>;
  const photos = draftOf(task.case).evidence, all = items === 63 && photos.length > 0;
  const save = e => {
    e.preventDefault();
    if (items === 0 && photos.length === 0) return say('勾上收到了哪几样，或加上照片', 'warn');
    return paper(items, note);
  };
  return (
    <form onSubmit={save}>
      <p><span lang="zh">{task.name}</span> 的退档材料：收到的勾上。六样齐、有照片才算全，不全的还在你名下。</p>
      {ITEMS.map(([bit, text], i) => (
        <label key={bit}><input type="checkbox" autofocus={i === 0} checked={(items & bit) !== 0} onChange={() => setItems(items ^ bit)} /> {text}</label>
      ))}
      <p>照片 {photos.length} 份 <label class="file">加照片<input type="file" multiple accept="image/jpeg,image/png,application/pdf" onChange={e => { files(e.target.files); e.target.value = ''; }} /></label>
        {photos.map(p => <span key={p.hash} lang="zh"> · {p.name}</span>)}</p>
      <label for="paper-note">备注</label>
      <textarea id="paper-note" rows={2} maxlength={1300} value={note} onInput={e => setNote(e.target.value)} />
      <p><button type="submit" class="main">{all ? '存，送组长审' : '存（还不全）'}</button></p>
    </form>
  );
}

function Today() {
  const rows = today().reverse();
  return (
    <table>
      <thead><tr><th scope="col">时间</th><th scope="col">姓名</th><th scope="col">结果</th><th scope="col">到哪一步</th></tr></thead>
      <tbody>
        {rows.map(r => (
          <tr key={r.id}>
            <td>{clock(timeOf(r))}</td><td lang="zh">{r.name}</td><td>{r.what}</td>
            <td><span aria-hidden="true">{STATES[r.state][0]}</span> {STATES[r.state][1]}{r.verdict && r.verdict !== 'effective' ? ` · ${VERDICT[r.verdict] || r.verdict}` : ''}{r.error ? `：${r.error}` : ''}</td>
          </tr>
        ))}
        {rows.length === 0 && <tr><td colspan={4}>今天还没有记</td></tr>}
      </tbody>
    </table>
  );
}

const shown = k => k === ' ' ? '空格' : k.replace(/(^|\+)([a-z])$/, (all, plus, c) => plus + c.toUpperCase());

function Help() {
  const toggle = e => {
    localStorage.setItem('huifang-bare', e.target.checked ? 'on' : 'off');
    set({bare: e.target.checked});
  };
  return (
    <div class="help">
      <p><label><input type="checkbox" checked={S.bare} onChange={toggle} /> 单键快捷键（不按 Alt 也行，只在没有打字时）</label></p>
      <table>
        <thead><tr><th scope="col">键</th><th scope="col">做什么</th></tr></thead>
        <tbody>
          {[...KEYS, more(S.campaign.stage || 2)].map(k => (
            <tr key={k.key}><td><kbd>{k.key.toUpperCase()}</kbd></td><td>结果：{k.code ? outcome(k.code, S.campaign).text :
              `${k.text} › ${k.codes.map((c, i) => `${i + 1} ${outcome(c, S.campaign).text}`).join('　')}`}</td></tr>
          ))}
          {table.map(r => <tr key={r.key}><td><kbd>{shown(r.key)}</kbd>{r.bare && <span> 或 <kbd>{shown(r.alt || `Alt+${r.key}`)}</kbd></span>}</td><td>{r.text}</td></tr>)}
        </tbody>
      </table>
      <h3>一条记录的几步</h3>
      <p>✎ 草稿：只在这个浏览器里，重开、断电也在。⇡ 待送：保存了，还没到服务器。▣ 已存本机：服务器写进了磁盘。✓ 已受理：队列收下了。✓✓ 已入账：进了总账。</p>
    </div>
  );
}

/* A telephone dials the bare number: the 0 before it is the desk phone's. */
function Dial({task}) {
  const n = task && picked(task, draftOf(task.case));
  if (!n) return <p>先打开一个有号码的人</p>;
  return (
    <div class="dial">
      <p><b lang="zh">{task.name}</b> · {KINDS[n.kind] || n.kind || '号码'} <span class="num big">{n.digits}</span></p>
      <Qr text={`tel:${n.digits}`} label={`拨打 ${n.digits} 的二维码`} />
      <p class="soft">用手机相机扫，就在手机上拨号</p>
    </div>
  );
}

const PANELS = {pay: ['我的补贴', Pay], news: ['通知', News], phone: ['手机传照片', Phone], print: ['打印', Print], typein: ['补录', TypeIn],
  many: ['几个人一起记', Many], dial: ['用手机拨打', Dial], inbound: ['有人打回来了', Inbound], number: ['新增号码', NewNumber], back: ['放回', Back], paper: ['收到退档材料', Paper], today: ['今天记的', Today], help: ['帮助', Help]};

export function Dialog({name, task}) {
  const box = useRef(null), [title, Panel] = PANELS[name], since = useRef(S.notice), told = S.notice !== since.current && S.notice;
  useEffect(() => {
    const d = box.current;
    if (!d.open) d.showModal();
    const first = d.querySelector('[autofocus]');
    if (first) first.focus();
    return () => d.open && d.close();
  }, [name]);
  return (
    <dialog ref={box} aria-labelledby="h-dialog" onClose={() => S.dialog === name && close()}>
      <p class="bar"><span class="title" id="h-dialog" role="heading" aria-level={2}>{title}</span> <button type="button" onClick={close}>关闭</button></p>
      {told && told.kind !== 'ok' && <p role="alert" class="told"><b aria-hidden="true">▲</b> {told.text}</p>}
      <Panel task={task} />
    </dialog>
  );
}
