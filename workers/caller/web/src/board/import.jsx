/* A roster is looked at before it is imported: counts, the first rows masked, each bad row with its line and reason.
 * The bytes lie in the office's memory only; who leaves, drops or imports them leaves nothing behind. */
import {useEffect} from 'preact/hooks';
import {B, changed, set} from './state.js';
import {Sheet} from './sheet.jsx';
import {_} from './lang.js';
import {Hint, Shell} from './parts.jsx';
import {KINDS, SEX} from '../words.js';
import * as api from '../api.js';

const I = {at: null, error: '', sent: '', off: false, busy: false};
const POLL_MS = 700;

async function take(asked) {
  I.busy = true;
  changed();
  try {
    I.at = await asked();
    I.error = '';
    I.off = false;
  } catch (e) {
    if (e.kind === 'login') set({phase: 'locked'});
    I.off = e.error.code === 'off';
    I.error = e.error.text || _('连不上服务器，请再试一次');
  }
  I.busy = false;
  changed();
}
const look = () => take(api.importState);
const moves = () => I.at && ['looking', 'making'].includes(I.at.state);

function upload(e) {
  const file = e.target.files[0];
  e.target.value = '';
  if (!file) return;
  I.sent = file.name;
  take(() => api.importFile(file));
}
const go = partial => () => !I.busy && I.at && I.at.state === 'looked' && take(() => api.importGo(I.at.hash, partial));
const drop = () => !I.busy && take(api.importDrop);

const errorCols = [{key: 'row', head: '行', num: true}, {key: 'column', head: '列'}, {key: 'text', head: '哪里不对，怎样改', wide: true}];
const firstCols = [{key: 'row', head: '行', num: true}, {key: 'no', head: '考生号'}, {key: 'name', head: '姓名'}, {key: 'sex', head: '性别', of: r => SEX[r.sex] || r.sex || ''},
  {key: 'school', head: '中学', wide: true}, {key: 'major', head: '专业'}, {key: 'numbers', head: '号码', wide: true, of: r => (r.numbers || []).map(n => `${KINDS[n.kind] || n.kind} ${n.digits}`).join('，')}];
const STATE = {looking: ['…', '正在检查，还没有改动'], making: ['…', '正在写入，请等它做完'], made: ['✓', '已导入'], failed: ['✗', '没有读成，什么也没有改']};

function Counts({s}) {
  const part = (head, n, sign) => <li><span class="num">{sign && n > 0 ? `${sign} ` : ''}{n}</span> {_(head)}</li>;
  return <ul class="funnel" id="counts">{part('总行数', s.rows)}{part('新增', s.imported)}{part('已有，更新', s.updated)}{part('有错', s.rejected, '✗')}{part('提醒', s.warnings)}</ul>;
}

export function Import() {
  useEffect(() => { look(); }, []);
  useEffect(() => {
    if (!moves()) return undefined;
    const t = setTimeout(look, POLL_MS);
    return () => clearTimeout(t);
  });
  const at = I.at || {state: 'none'}, seen = at.seen, ready = at.state === 'looked', bad = seen ? seen.rejected : 0, good = seen ? seen.imported + seen.updated : 0;
  const errors = {id: 'errors', title: '有错的行', rows: seen ? seen.errors : [], cols: errorCols, name: r => `${r.row}${r.column || ''}${r.code}`, empty: seen ? '没有错' : '选了文件以后在这里', file: '名单有错的行'};
  const first = {id: 'first', title: '前几行（遮盖）', rows: seen ? seen.first : [], cols: firstCols, name: r => String(r.row), empty: '选了文件以后在这里', file: '名单前几行'};
  const pickFile = () => document.getElementById('file').click();
  B.keys.push({key: 'a', text: '选文件', run: pickFile});
  if (ready && good > 0) B.keys.push(bad ? {key: 's', text: '只导入没有错的', run: go(true)} : {key: 's', text: '导入', run: go(false)});
  if (at.state !== 'none') B.keys.push({key: 'd', text: '撤掉', run: drop});
  const [sign, text] = STATE[at.state] || [];
  return (
    <div class="two">
      <div class="stack"><Sheet {...errors} /><Sheet {...first} /></div>
      <aside class="panel" aria-label={_('导入名单')}>
        <h2>{_('导入名单')}</h2>
        <p class="buttons"><button type="button" disabled={moves() || I.busy} onClick={pickFile}><kbd>a</kbd> {_('选文件')}</button>
          <input id="file" type="file" class="off-screen" tabIndex={-1} aria-label={_('名单文件')} accept=".xlsx,.csv,.dbf" onChange={upload} /> <span class="soft">{I.sent || '.xlsx .csv .dbf'}{at.size ? ` · ${Math.ceil(at.size / 1024)} kB` : ''}</span></p>
        <p class="error" role="alert">{I.error && <span><b aria-hidden="true">✗</b> {I.error}</span>}</p>
        {I.off && <Shell text="在服务器上：">hfctl roster import --dry-run FILE</Shell>}
        <p id="import-state" role="status" data-state={at.state}>{text && <span><b aria-hidden="true">{sign}</b> {_(text)}{at.why ? `：${at.why}` : ''}</span>}</p>
        {seen && <Counts s={seen} />}
        {ready && bad > 0 && <Hint>{_('改好文件再传最好；也可以只导入没有错的行。')}</Hint>}
        {ready && good === 0 && <Hint>{_('没有可以导入的行。')}</Hint>}
        <p class="buttons">
          {ready && good > 0 && <button type="button" class="main" id="go" disabled={I.busy} onClick={go(bad > 0)}><kbd>s</kbd> {_(bad ? '只导入没有错的' : '导入')} {good} {_('人')}</button>}
          {at.state !== 'none' && at.state !== 'making' && <button type="button" onClick={drop}><kbd>d</kbd> {_(at.state === 'made' ? '收起' : '撤掉')}</button>}
        </p>
        <Hint>{_('名单只在内存里：导入、撤掉、退出以后，文件就没有了。认识的考生号更新，不认识的新增，没变的不动。')}</Hint>
      </aside>
    </div>
  );
}
