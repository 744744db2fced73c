/* The door. It also covers a desk whose session is over or that nobody touched: what was typed is still there. */
import {useLayoutEffect, useState} from 'preact/hooks';
import {login, logout} from './actions.js';
import {LanguageSwitch} from './langswitch.jsx';
import {S} from './store.js';

/* The code on a slip opens the page with the id after the #. */
const fromSlip = () => (/^#([a-z0-9][a-z0-9_-]{0,31})$/.exec(location.hash) || [])[1] || '';

const kept = () => {
  try {
    return Object.keys(localStorage).filter(k => k.startsWith('huifang-draft-')).length;
  } catch (e) {
    return 0;
  }
};

export function Login() {
  const locked = S.phase === 'locked';
  const [person, setPerson] = useState(locked && S.me ? S.me.person.id : fromSlip()), [pin, setPin] = useState('');
  const [error, setError] = useState(''), [busy, setBusy] = useState(false);
  useLayoutEffect(() => document.getElementById(locked || person ? 'pin' : 'person').focus(), [locked]);
  const enter = async e => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError('');
    try {
      await login(person.trim(), pin);
    } catch (err) {
      setError(err.kind === 'gone' ? '连不上服务器，请稍后再试' : err.message);
      setBusy(false);
      document.getElementById('pin').select();
    }
  };
  return (
    <main class="door">
      <div class="bar"><h1>回访 · 登录</h1> <LanguageSwitch /></div>
      {locked && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> 登录到期或久未操作，请再输一次口令。写了一半的都还在。</p>}
      {!locked && kept() > 0 && <p class="notice" role="status"><b aria-hidden="true">✎</b> 这台电脑上有没写完的草稿，加了密；本人登录后接着写</p>}
      {S.office === 'gone' && <p class="notice warn" role="status"><b aria-hidden="true">▲</b> 服务器现在连不上，连上了就能登录</p>}
      <form onSubmit={enter}>
        <label for="person">工号</label>
        <input id="person" name="person" autocomplete="username" autocapitalize="off" spellcheck={false} required readOnly={locked && !!S.me}
          value={person} onInput={e => setPerson(e.target.value)} />
        <label for="pin">口令</label>
        <input id="pin" name="pin" type="password" autocomplete="current-password" required value={pin} onInput={e => setPin(e.target.value)} />
        <p class="error" role="alert">{error && <span><b aria-hidden="true">✗</b> {error}</span>}</p>
        <button type="submit" class="main" disabled={busy}>{busy ? '正在登录…' : '登录'}</button>
      </form>
      {locked && <button type="button" class="plain" onClick={logout}>换人登录</button>}
    </main>
  );
}
