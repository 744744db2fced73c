/* The caller's page: one listener for keys, one for clicks, one tree. */
import {render} from 'preact';
import {lockIfIdle, start} from './actions.js';
import {App} from './app.jsx';
import {onClick, onKey} from './keys.js';
import {S, onChange} from './store.js';

const root = document.getElementById('app');
root.textContent = '';
S.bare = localStorage.getItem('huifang-bare') !== 'off';
onChange(() => render(<App />, root));
render(<App />, root);
window.addEventListener('keydown', onKey, true);
window.addEventListener('click', onClick);
window.addEventListener('beforeunload', e => {
  if (!S.keepsAlive && S.drafts.size > 0) e.preventDefault();
});
setInterval(lockIfIdle, 10000);
start();
