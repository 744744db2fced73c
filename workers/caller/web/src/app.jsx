/* What is on the screen: the door, or the desk with list, case, side and record bar. */
import {Case} from './case.jsx';
import {Dialog} from './dialogs.jsx';
import {List} from './list.jsx';
import {Login} from './login.jsx';
import {Paper} from './print.jsx';
import {Quick} from './quick.jsx';
import {Record} from './record.jsx';
import {Side} from './side.jsx';
import {S, set, task} from './store.js';
import {Top} from './top.jsx';

function Notice() {
  const n = S.notice;
  const signs = {ok: '✓', warn: '▲', bad: '✗'};
  return (
    <div class="notices">
      <p role="status" class={n && n.kind !== 'bad' ? `notice ${n.kind}` : 'empty'}>
        {n && n.kind !== 'bad' && <span key={n.no}><b aria-hidden="true">{signs[n.kind]}</b> {n.text}</span>}
      </p>
      <p role="alert" class={n && n.kind === 'bad' ? 'notice bad' : 'empty'}>
        {n && n.kind === 'bad' && <span key={n.no}><b aria-hidden="true">✗</b> {n.text} <button type="button" onClick={() => set({notice: null})}>知道了</button></span>}
      </p>
    </div>
  );
}

export function App() {
  if (S.phase === 'start') return <p class="loading">正在打开…</p>;
  if (S.phase === 'login' || S.phase === 'locked') return <Login />;
  const t = task();
  if (S.narrow && !S.full) return <div><Paper /><Quick task={t} notice={<Notice />} />{S.dialog && <Dialog key={S.dialog} name={S.dialog} task={t} />}</div>;
  return (
    <div class="desk">
      <Paper />
      <Top />
      <Notice />
      <List />
      <Case key={t ? t.case : 'none'} task={t} />
      <Side task={t} />
      <Record key={t ? `r-${t.case}` : 'r-none'} task={t} />
      {S.dialog && <Dialog key={S.dialog} name={S.dialog} task={t} />}
    </div>
  );
}
