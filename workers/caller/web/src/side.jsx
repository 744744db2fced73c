/* What happened with this person before, how far the meters are, and the id number with a reason. */
import {files, reveal} from './actions.js';
import {draftOf} from './drafts.js';
import {detach, waitingOf} from './files.js';
import {outcome} from './outcomes.js';
import {timeOf, today} from './records.js';
import {S, set} from './store.js';
import {clock, clockNow, ms, span, when} from './time.js';
import {CHANNELS, STATES} from './words.js';

const CHANNEL = Object.fromEntries(CHANNELS);
const KIND = {attempt: '', note: '备注', number: '新号码', paper: '材料', handover: '移交', correction: '更正', reveal: '看了身份证号', approval: '审批', waiver: '免除',
  reopen: '重新打开', timer: '系统到时', ruling: '裁定'};

function Meter({name, value, most, unit}) {
  return (
    <p class="meter">
      <label><span>{name} <b>{value}</b> / {most} {unit}</span><meter min={0} max={most} low={most / 2} optimum={most} value={Math.min(value, most)} aria-label={name} /></label>
    </p>
  );
}

export function Last({r, now}) {
  const kind = (r.kind || '').toLowerCase(), o = r.outcome ? outcome(r.outcome, S.campaign).text : KIND[kind] === undefined ? kind : KIND[kind];
  const head = [r.at ? when(ms(r.at), now) : '', r.channel ? CHANNEL[r.channel] || r.channel : '', r.seconds ? span(r.seconds) : '', r.person || ''].filter(Boolean);
  return (
    <li>
      <span class="soft">{head.join(' · ')}</span><br />
      <b>{o}</b>{r.note && <span lang="zh">：{r.note}</span>}{r.words && <q lang="zh">{r.words}</q>}{r.answered && <span lang="zh">（{r.answered}）</span>}
      {r.next_at && <span class="soft"> → {when(ms(r.next_at), now)}</span>}
    </li>
  );
}

const size = n => n >= 1 << 20 ? `${(n / (1 << 20)).toFixed(1)} MB` : `${Math.ceil(n / 1024)} kB`;

/* phone: it is the telephone's own page, which takes photos itself. */
export function Papers({task, phone}) {
  const list = draftOf(task.case).evidence || [];
  return (
    <section aria-labelledby="h-papers" class="papers">
      <h3 id="h-papers">照片、材料 {!phone && <span class="soft">拖进来或粘贴也行</span>}</h3>
      <ul>
        {list.map(e => (
          <li key={e.hash}><span lang="zh">{e.name}</span> <span class="soft">{size(e.size)} · {S.sent.has(e.hash) ? '✓ 已送到' : '▣ 已存本机'}</span>{' '}
            <button type="button" class="small" onClick={() => detach(task.case, e.hash)}>去掉<span class="off-screen" lang="zh">{e.name}</span></button></li>
        ))}
        {waitingOf(task.case).map((w, i) => <li key={`w${i}`}><span lang="zh">{w.file.name}</span> <span class="soft">{size(w.file.size)} · ⇡ 待传</span></li>)}
      </ul>
      <p class="line">
        <label class="file">{phone ? '拍照、选文件' : '选文件'}<input id="file" type="file" multiple accept="image/jpeg,image/png,application/pdf" onChange={e => { files(e.target.files); e.target.value = ''; }} /></label>
        {!phone && <button type="button" class="small" onClick={() => set({dialog: 'phone'})}>手机扫码传</button>}
        <button type="button" class="small" onClick={() => set({dialog: 'paper'})}><kbd>F6</kbd> 退档材料</button>
        {S.uploading > 0 && <span role="status">正在传…</span>}
      </p>
    </section>
  );
}

export function Side({task: t}) {
  const now = clockNow();
  if (!t) {
    return (
      <aside class="side" aria-labelledby="h-side">
        <h2 id="h-side">刚才记的</h2>
        <ul class="lasts">
          {today().slice(-10).reverse().map(r => (
            <li key={r.id}><span class="soft">{clock(timeOf(r))}</span> <b lang="zh">{r.name}</b> {r.what} <span class="soft"><span aria-hidden="true">{STATES[r.state][0]}</span> {STATES[r.state][1]}</span></li>
          ))}
        </ul>
        <p class="soft">{today().length > 0 ? '按 F4 看今天全部' : '今天还没有记'}</p>
      </aside>
    );
  }
  const row = S.rows.find(r => r.case === t.case) || {}, last = [...(t.last || [])].sort((a, b) => (b.at || 0) - (a.at || 0));
  const talked = last.filter(r => r.outcome && ['confirmed', 'considering', 'will-not-say', 'withdraw-asked', 'needs-help', 'data-error', 'following', 'wavering'].includes(r.outcome));
  const contacts = row.contacts === undefined ? talked.length : row.contacts;
  const minutes = row.minutes === undefined ? Math.round(last.reduce((n, r) => n + (r.seconds || 0), 0) / 60) : row.minutes;
  const id = S.revealed && S.revealed.case === t.case ? S.revealed.id_no : null;
  return (
    <aside class="side" aria-labelledby="h-side">
      <h2 id="h-side">联系记录 {last.length > 0 ? `${last.length} 条` : ''}</h2>
      <Meter name="联系" value={contacts} most={4} unit="次" />
      <Meter name="通话" value={minutes} most={20} unit="分" />
      <p class="hint">是人均要求，只作提示</p>
      <ul class="lasts">{last.map(r => <Last key={`${r.ob}-${r.seq}`} r={r} now={now} />)}</ul>
      {last.length === 0 && <p class="soft">还没有联系过</p>}
      <Papers task={t} />
      {t.id_no && (
        <p class="id">身份证号 <b class="num">{id || t.id_no}</b>{' '}
          {!id && <button type="button" class="small" onClick={() => reveal(t)}>看全号（留痕）</button>}</p>
      )}
    </aside>
  );
}
