/* The board's page: everybody's who is more than a caller. One listener for keys, one tree. */
import {render} from 'preact';
import {App} from './app.jsx';
import {onKey} from './keys.js';
import {B, changed, lockIfIdle, onChange, refresh, set, start, touched} from './state.js';

const root = document.getElementById('app');
root.textContent = '';
const draw = () => render(<App />, root);
/* A key's table is that of what is drawn: drawn twice is drawn the same. */
onChange(draw);
draw();
window.addEventListener('keydown', onKey, true);
window.addEventListener('click', touched);
window.addEventListener('hashchange', () => set({act: null, sheet: null, notice: null}));
window.addEventListener('beforeunload', e => {
  if ([...B.typed.values()].some(t => Object.values(t.values).some(v => v))) e.preventDefault();
});
setInterval(() => {
  lockIfIdle();
  if (B.phase === 'board' && !document.hidden) {
    refresh(false);
    changed();
  }
}, 5000);
start();
