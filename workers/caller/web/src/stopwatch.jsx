/* The time of this call; said aloud once a minute, not each second. */
import {useEffect, useState} from 'preact/hooks';
import {draftOf, isRunning, secondsOf} from './drafts.js';
import {stopwatch} from './time.js';

export function Stopwatch({case: c}) {
  const d = draftOf(c), [, again] = useState(0);
  useEffect(() => {
    if (!isRunning(d)) return undefined;
    const t = setInterval(() => again(n => n + 1), 500);
    return () => clearInterval(t);
  }, [d.timer.from]);
  const s = secondsOf(d);
  return (
    <span class={isRunning(d) ? 'watch on' : 'watch'}>
      <span id="watch" class="num" role="timer">{isRunning(d) ? '● 通话中 ' : s > 0 ? '■ 通话 ' : '○ 未计时 '}{stopwatch(s)}</span>
      <span class="off-screen" aria-live="polite">{isRunning(d) && s >= 60 ? `已通话 ${Math.floor(s / 60)} 分钟` : ''}</span>
    </span>
  );
}
