/* The campaign's text of a message to this person; '' when none is due. */
import {S} from './store.js';

const KIND = {'sms-sent': 'sms', 'im-requested': 'im'};

export function messageOf(task, d) {
  const kind = KIND[d.outcome] || !d.outcome && {1: 'sms', 2: 'im'}[task.rung], text = kind && (S.campaign.templates || {})[kind];
  return text ? text.replace('{姓名}', task.name || '').replace('{批次}', task.batch || '').replace('{专业}', task.major || '') : '';
}
