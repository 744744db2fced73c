/* A text as a QR code, for a telephone that is held before the screen. */
import {encode} from 'uqr';

export function Qr({text, label}) {
  const q = encode(text, {ecc: 'M', border: 4});
  const path = q.data.map((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : '').join('')).join('');
  return (
    <svg class="qr" role="img" aria-label={label} data-text={text} viewBox={`0 0 ${q.size} ${q.size}`} shape-rendering="crispEdges">
      <path fill="#fff" d={`M0 0h${q.size}v${q.size}h-${q.size}z`} /><path d={path} />
    </svg>
  );
}
