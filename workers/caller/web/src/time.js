/* Times as the college writes them: Asia/Shanghai, by the server's clock, whatever the PC believes. */
const HOUR = 3600000, ZONE = 8 * HOUR;
const two = n => String(n).padStart(2, '0');

let ahead = 0;
/* What the server's clock said just now. */
export const clockSaid = t => { ahead = t - Date.now(); };
export const clockNow = () => Date.now() + ahead;

export const ms = t => t === null || t === undefined || t === '' ? null : typeof t === 'number' ? t : Date.parse(t);

const day = t => Math.floor((t + ZONE) / (24 * HOUR));
export const isToday = t => day(t) === day(clockNow());

export function clock(t) {
  const d = new Date(t + ZONE);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

/* 今天 14:30, 昨天, 明天, else 3月9日 14:30 */
export function when(t, now) {
  const d = new Date(t + ZONE), away = day(t) - day(now);
  const name = away === 0 ? '' : away === 1 ? '明天 ' : away === -1 ? '昨天 ' : away === 2 ? '后天 ' :
    `${d.getUTCMonth() + 1}月${d.getUTCDate()}日 `;
  return name + clock(t);
}

/* For <input type="datetime-local">, and for the wire. */
export function local(t) {
  return new Date(t + ZONE).toISOString().slice(0, 16);
}
export const parseLocal = text => text ? Date.parse(text + ':00+08:00') : null;
export const wire = t => local(t).replace('T', ' ');

/* hour:00 of the day that is `days` after now's. */
export const at = (now, days, hour) => (day(now) + days) * 24 * HOUR - ZONE + hour * HOUR;

export function span(seconds) {
  return seconds < 60 ? `${seconds} 秒` : `${Math.floor(seconds / 60)} 分 ${two(seconds % 60)} 秒`;
}
export const stopwatch = seconds => `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
