/* The result keys, and what each result must have before it can be saved (the default policy's outcome table). The campaign's
 * own table, when the server gives it, wins for the names and for `final`. */
const row = (code, text, needs = [], more = {}) => ({code, text, needs, ...more});

const TABLE = [
  row('confirmed', '确认就读', ['ticks', 'spoke'], {final: true}),
  row('considering', '还要考虑', ['decide_by', 'concerns'], {contact: true}),
  row('will-not-say', '不表态', ['told'], {contact: true}),
  row('withdraw-asked', '申请退档', ['words'], {contact: true}),
  row('needs-help', '求助组长', ['question'], {contact: true, to: '转组长，2 小时内答复'}),
  row('ask-leader', '问组长', ['question'], {to: '组长 30 分钟内答复，人仍归你'}),
  row('call-later', '稍后再打', ['time']),
  row('third-party', '他人接听', ['answered']),
  row('no-answer', '没人接'),
  row('busy', '占线'),
  row('rejected', '挂断拒接'),
  row('do-not-call', '要求别再打', ['words'], {final: true, contact: true}),
  row('powered-off', '关机'),
  row('suspended', '停机'),
  row('no-signal', '无法接通'),
  row('screened', '被拦截'),
  row('empty-number', '空号'),
  row('wrong-number', '错号', ['answered']),
  row('school-closed', '学校无人'),
  row('sms-sent', '已发短信', [], {channel: 'sms'}),
  row('im-requested', '已加微信/QQ', [], {channel: 'wechat'}),
  row('rung-empty', '此法无果', ['answered']),
  row('data-error', '信息不符', ['question'], {contact: true, to: '数据组 4 小时内更正'}),
  row('incident', '投诉/舆情', ['words'], {contact: true, to: '停止拨打，督查组 15 分钟内接'}),
  row('papers-received', '材料收到', ['question'], {to: '组长、数据组先后审'}),
  row('papers-incomplete', '材料不全', ['question']),
  row('withdraw-cancelled', '撤回退档', ['words'], {contact: true}),
  row('following', '跟进正常', [], {final: true, contact: true}),
  row('wavering', '动摇', ['concerns'], {contact: true}),
  row('regret', '反悔不来', ['words'], {contact: true, to: '组长 1 个工作日内接'}),
  row('on-the-way', '在路上', ['time'], {contact: true}),
  row('late-arrival', '延迟报到', ['time'], {contact: true}),
  row('not-coming', '明确不来', ['words'], {contact: true, to: '转组长'}),
  row('persuaded', '已劝回', ['answered'], {final: true, contact: true}),
];
const BY_CODE = new Map(TABLE.map(o => [o.code, o]));

/* The ten keys: a code, or a group of codes with a digit each. Two keys at most. */
export const KEYS = [
  {key: '1', code: 'confirmed'}, {key: '2', code: 'considering'}, {key: '3', code: 'will-not-say'}, {key: '4', code: 'withdraw-asked'},
  {key: '5', code: 'no-answer'},
  {key: '6', text: '打不通', codes: ['powered-off', 'suspended', 'empty-number', 'wrong-number', 'busy', 'no-signal', 'screened']},
  {key: '7', code: 'call-later'}, {key: '8', code: 'third-party'},
  {key: '9', text: '拒绝', codes: ['rejected', 'do-not-call']},
  {key: '0', text: '求助', codes: ['ask-leader', 'needs-help', 'data-error', 'incident']},
];
const MORE = [
  ['sms-sent', 'im-requested', 'school-closed', 'rung-empty', 'papers-received', 'papers-incomplete', 'withdraw-cancelled'],
  ['following', 'wavering', 'regret', 'on-the-way', 'late-arrival', 'not-coming', 'persuaded', 'papers-received', 'withdraw-cancelled'],
];
export const more = stage => ({key: 'm', text: '其他', codes: MORE[stage >= 3 ? 1 : 0]});

export function outcome(code, campaign) {
  const mine = BY_CODE.get(code) || row(code, code);
  const theirs = campaign && (campaign.outcomes || []).find(o => o.code === code);
  return theirs ? {...mine, text: theirs.text || mine.text, final: theirs.final === undefined ? mine.final : theirs.final} : mine;
}

export const DEFAULT_NEXT = {'no-answer': '2 小时后，换时段', busy: '10 分钟后', rejected: '2 小时后，换线路', 'powered-off': '3 小时后', suspended: '1 天后',
  'no-signal': '1 小时后', screened: '30 分钟后，换线路', 'empty-number': '马上打别的号码', 'wrong-number': '马上打别的号码', 'third-party': '2 小时后',
  considering: '4 小时后', 'will-not-say': '4 小时后', 'withdraw-asked': '4 小时后，收材料', 'sms-sent': '2 小时后', 'im-requested': '4 小时后',
  'school-closed': '下一个工作日', wavering: '1 天后'};

/* What is still missing, as [field, what to do]; empty: it can be saved. */
export function missing(draft, o) {
  if (!o) return [['outcome', '先选结果']];
  const has = {
    ticks: (draft.ticks || []).length === 3, spoke: !!draft.spoke, decide_by: !!draft.decide_by, concerns: (draft.concerns || []).length > 0,
    told: !!draft.told, words: !!(draft.words || '').trim(), question: !!(draft.note || '').trim(), answered: !!(draft.answered || '').trim(),
    time: !!(draft.next && draft.next.at),
  };
  const say = {ticks: '三项告知要勾全', spoke: '选是谁接的', decide_by: '选答复时限', concerns: '选顾虑', told: '勾上已告知时限', words: '写对方原话',
    question: o.code === 'data-error' ? '写哪一项不对' : o.code.startsWith('papers') ? '写材料情况' : '写要问的事',
    answered: o.code === 'third-party' ? '写接的是谁' : '写问的是谁', time: '选下一步的时间'};
  const out = o.needs.filter(n => !has[n]).map(n => [n, say[n]]);
  if (!o.final && !o.needs.includes('time') && !(draft.next && (draft.next.at || draft.next.rule))) out.push(['next', '选下一步']);
  return out;
}
