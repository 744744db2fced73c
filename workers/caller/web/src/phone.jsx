/* A photo from a telephone that is not logged in: the code on the screen is a link for this case, one photo, ten minutes. */
import {useEffect, useState} from 'preact/hooks';
import * as api from './api.js';
import {draftOf} from './drafts.js';
import {Qr} from './qr.jsx';

export function Phone({task}) {
  const [ticket, setTicket] = useState(null), [error, setError] = useState(''), had = task ? draftOf(task.case).evidence.length : 0, [first] = useState(had);
  useEffect(() => {
    if (task) api.phoneTicket(task.case).then(setTicket, e => setError(e.kind === 'gone' ? '现在连不上服务器，连上后再开' : e.message));
  }, [task && task.case]);
  if (!task) return <p>先打开一个人</p>;
  return (
    <div class="dial">
      <p><span lang="zh">{task.name}</span> 的照片、材料：用手机扫码，选一张传上来，不用登录。</p>
      {ticket && <Qr text={location.origin + ticket.path} label="手机上传的二维码" />}
      <p role="status">{error || (had > first ? `✓ 到了 ${had - first} 张；再传一张请关掉重开` : ticket ? `${Math.round(ticket.seconds / 60)} 分钟内有效，只传一张` : '正在要…')}</p>
    </div>
  );
}
