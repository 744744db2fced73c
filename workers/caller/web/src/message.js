/* What the campaign says of a rung, and what it wants to be written to this person. */
import {S} from './store.js';

const KIND = {'sms-sent': 'sms', 'im-requested': 'im'};

/* A rung of the search is a task: which one, in the campaign's words. */
export function rungOf(why) {
  const n = Number((/^rung-(\d+)$/.exec(why || '') || [])[1]), r = (S.campaign.rungs || []).find(x => x.n === n);
  return r ? `：${r.text}` : '';
}

/* '' when none is due. */
export function messageOf(task, d) {
  const kind = KIND[d.outcome] || !d.outcome && {1: 'sms', 2: 'im'}[task.rung], text = kind && (S.campaign.templates || {})[kind];
  return text ? text.replace('{姓名}', task.name || '').replace('{批次}', task.batch || '').replace('{专业}', task.major || '') : '';
}
