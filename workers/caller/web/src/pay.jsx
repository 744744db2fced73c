/* The own line of the pay sheet as the ledger stands, with how it came about: a forecast, until the sheet is closed. */
import {useEffect, useState} from 'preact/hooks';
import * as api from './api.js';
import {clock, ms} from './time.js';

const AWAY = {'no-home': '这个办公室不在服务器上，看不到试算', busy: '正在算别人的，请稍后再看'};

export function Pay() {
  const [got, setGot] = useState(null), [error, setError] = useState('');
  useEffect(() => {
    api.myPay().then(setGot, e => setError(AWAY[e.error && e.error.code] || '现在算不出来，请稍后再看'));
  }, []);
  if (error) return <p role="status">{error}</p>;
  if (!got) return <p role="status">正在算…</p>;
  const row = (got.data.rows || [])[0];
  if (!row) return <p role="status">现在还没有你的补贴（要有名下的人）</p>;
  return (
    <div class="pay">
      <p class="big">{row.pay || '0.00'} 元{got.data.provisional ? '（试算，还会变）' : ''}</p>
      <p>{row.rate && <span>比例 <b>{row.rate}</b> · </span>}{row.standard && <span>标准 <b>{row.standard}</b> · </span>}{row.leader_bonus && Number(row.leader_bonus) > 0 && <span>组长补贴 <b>{row.leader_bonus}</b> · </span>}<span class="soft">{clock(ms(got.asof))} 算的</span></p>
      {row.one_more && Number(row.one_more) > 0 && <p>再多报到 1 人 <b>+{row.one_more}</b> 元</p>}
      <h3>怎么算的</h3>
      <ol lang="zh">{(row.explain || []).map((l, i) => <li key={i}>{l}</li>)}</ol>
    </div>
  );
}
