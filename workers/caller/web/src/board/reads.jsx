/* Who has read which notice: the newest first, with those who have not. */
import {B, use} from './state.js';
import {Sheet, pickedIn} from './sheet.jsx';
import {_} from './lang.js';
import {Hint, moment} from './parts.jsx';
import {notices, noticeText} from '../notices.js';

const cols = [{key: 'text', head: '通知', wide: true}, {key: 'n', head: '读过', num: true}, {key: 'all', head: '要读', num: true},
  {key: 'missing', head: '还没读的', wide: true, of: r => r.missing.join(' ')}];
const whoCols = [{key: 'person', head: '人员'}, {key: 'team', head: '小组'}, {key: 'at', head: '读于', of: r => r.at ? `✓ ${moment(r.at)}` : `… ${_('还没读')}`, by: r => r.at || 9e15}];
export function Reads() {
  const src = use('reads'), d = src.data || {people: [], reads: []}, ids = [...new Set([...notices(B.campaign).map(n => n.id), ...[...d.reads].reverse().map(r => r.notice)])];
  const rows = ids.map(id => {
    const read = new Map(d.reads.filter(r => r.notice === id).map(r => [r.person, r.at]));
    return {id, text: noticeText(id), n: read.size, all: d.people.length, missing: d.people.filter(p => !read.has(p.person)).map(p => p.person), who: d.people.map(p => ({...p, at: read.get(p.person)}))};
  });
  const s = {id: 'reads', title: '通知', rows: src.data ? rows : [], src, cols, empty: '没有通知', file: '通知'}, row = pickedIn(s) || s.rows[0];
  return <div class="two"><Sheet {...s} /><div class="stack">{row ? <Sheet id="readers" title={row.text} rows={row.who} src={src} cols={whoCols} name={r => r.person} empty="没有" file="读过" /> : null}
    <Hint>{_('每个人在记录页按“读过了”，就是他自己的一条记录。')}</Hint></div></div>;
}
