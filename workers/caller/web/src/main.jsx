/* The caller's page: one listener for keys, one for clicks, one tree. */
import {render} from 'preact';
import {files, lockIfIdle, start} from './actions.js';
import {waitingOf} from './files.js';
import {App} from './app.jsx';
import {onClick, onKey} from './keys.js';
import {startLanguage} from './lang.js';
import {S, onChange, set} from './store.js';

const root = document.getElementById('app');
root.textContent = '';
const narrow = window.matchMedia('(max-width: 480px)');
S.narrow = narrow.matches;
narrow.addEventListener('change', e => set({narrow: e.matches}));
S.zero = localStorage.getItem('huifang-zero') === 'on';
S.bare = localStorage.getItem('huifang-bare') !== 'off';
onChange(() => render(<App />, root));
render(<App />, root);
window.addEventListener('keydown', onKey, true);
window.addEventListener('click', onClick);
window.addEventListener('dragover', e => e.preventDefault());
window.addEventListener('drop', e => {
  e.preventDefault();
  if (S.phase === 'desk') files(e.dataTransfer.files);
});
window.addEventListener('paste', e => {
  if (S.phase === 'desk' && e.clipboardData && files(e.clipboardData.files)) e.preventDefault();
});
window.addEventListener('beforeunload', e => {
  const isAlone = S.phase === 'desk' && S.office === 'gone' && S.inhand.length > 0; // the page could not be opened again
  if (isAlone || waitingOf().length > 0 || !S.keepsAlive && S.drafts.size > 0) {
    e.preventDefault();
    e.returnValue = ''; // Chromium before 119 asks for it
  }
});
startLanguage();
setInterval(lockIfIdle, 10000);
start();
