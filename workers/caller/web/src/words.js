/* Words of the wire as people read them. A word that is not known is shown as it came. */
export const WHY = {
  imported: '已导入，等放号', released: '公共池里轮到，还没有人打过', reserved: '你报备的，等首次回访', 'other-number': '先打别的号码',
  retry: '到了再打的时间', 'other-daypart': '换个时段再打', 'until-unreachable': '还不算联系不上，换时段再打', 'agreed-time': '约好这时候打',
  'talk-again': '约好再谈', 'decide-by': '答复时限已过', 'decide-now': '答复时限到了，请马上打', 'late-retry': '重拨迟了，请先打',
  'late-promise': '约定的电话没打', 'rang-in': '对方打来过，请回电', 'hand-up': '转给组长', unreachable: '联系不上，转组长', 'time-short': '批次将尽，直接转组长',
  'went-silent': '谈过以后再打不通', asked: '已问组长，仍归你', answered: '组长已答复，请继续', 'not-answered': '组长没有答复，请继续',
  'leader-silent': '组长时限已过', 'no-team': '没有小组', strike: '在突击组，等人接手', 'strike-try': '突击继续', 'strike-found': '突击组找到了，交回给你',
  'strike-late': '突击时限已过', 'strike-returned': '突击组交回', papers: '退档材料待审', 'signed-once': '已有一人签字', 'data-error': '信息不符，等更正',
  incident: '停止拨打，等裁定', rests: '休息到日期', 'rests-no-calls': '对方要求别再打', 'ticks-missing': '三项告知没有勾全，还不能算确认',
  'follow-up': '跟进日期到了', 'call-all': '这一批全部再打一遍', 'new-pass': '进入新的一批', 'new-stage': '进入新的阶段', 'new-number': '有新号码，马上打',
  moved: '换到你这里', 'owner-away': '本人不在', ruled: '已裁定', 'awaits-ruling': '等裁定', resumed: '裁定后继续', reopened: '重新打开',
  corrected: '已更正，请重新记录', freed: '已放回', stays: '不变', 'late-record': '有迟到的记录', ended: '已终结', 'after-end': '终结之后又有联系',
  registered: '已报到', 'not-registered': '报到已更正', tick: '三项告知没有勾全',
};
export const why = code => {
  const rung = /^rung-(\d+)$/.exec(code || '');
  return rung ? `找人第 ${rung[1]} 级` : WHY[code] || code || '';
};

export const KINDS = {self: '本人', father: '父亲', mother: '母亲', home: '家里', 'class-teacher': '班主任', school: '中学', village: '村委',
  neighbour: '邻居', other: '其他'};
export const SEX = {male: '男', female: '女'};
export const SPOKE = [['self', '本人', 'z'], ['father', '父亲', 'x'], ['mother', '母亲', 'v'], ['guardian', '监护人', 'b'], ['other', '其他人', 'h']];
export const CHANNELS = [['phone', '电话'], ['wechat', '微信'], ['qq', 'QQ'], ['sms', '短信'], ['visit', '上门'], ['other', '其他']];
export const CONCERNS = [['fees', '学费'], ['distance', '路远'], ['must-discuss', '要和家里商量'], ['other-school', '想去别校'], ['major', '专业'],
  ['private', '民办'], ['repeat', '想复读'], ['work', '想打工']];
export const STEPS = [['call', '打电话'], ['sms', '发短信'], ['im', '加微信/QQ'], ['other-number', '打别的号码'], ['leader', '转组长'], ['papers', '收材料']];
export const BACK = [['class', '上课去了'], ['break', '休息一下'], ['leave', '下班离开'], ['hours', '时间不合适'], ['idle', '没在电脑旁'], ['other', '别的原因']];
export const TICKS = [['cost', '民办，费用讲清了', 'a'], ['one-school', '确认后只能读我校', 's'], ['consequences', '后果照学院的话讲了', 'd']];

export const NONE = {
  empty: '现在没有到点的人，有了会自动派来', 'closed-until': '不在拨打时间，到时会自动派来', paused: '派号暂停了，恢复后会自动派来',
  embargo: '还没有放号', limit: '手里的人够多了，先把在手的记完', backlog: '没有首次结果的人太多，先打名单里的', unqualified: '还没有标记为合格的回访员，请找组长',
  held: '正在别人手里', denied: '这个人不归你', 'not-found': '没有这个人或号码', 'closed-case': '已经办结',
};
export const VERDICT = {effective: '有效', late: '迟到，等采用', quarantined: '存疑，等人看'};
export const ROLES = {caller: '回访员', leader: '组长', deputy: '副组长', strike: '突击组', 'strike-head': '突击组长', supervisor: '督查', data: '数据组',
  'back-office': '招办后台', 'callback-head': '回访负责人', operator: '操作员', admin: '管理员', finance: '财务', leading: '领导小组', designated: '专人'};
/* In the order of work. `later` is due, retry or a promise whose time has not come. */
export const CLASSES = [['due', '到点'], ['first', '未打'], ['asked', '约在晚上'], ['thinking', '犹豫'], ['unreachable', '失联'], ['later', '未到点'], ['papers', '材料'],
  ['team', '在组长处'], ['strike', '在突击组'], ['resting', '已定'], ['terminal', '办结']];
export const LEASE = {expired: '断开太久，租约到期；照常记录', held: '又在手里了', restored: '又在手里了', 'granted-on': '已经派给别人', moved: '被组长移走了',
  'given-back': '已放回', unknown: '系统里不再算在手', done: '已记录'};
export const STATES = {draft: ['✎', '草稿'], pending: ['⇡', '待送'], stored: ['▣', '已存本机'], accepted: ['✓', '已受理'], settled: ['✓✓', '已入账'],
  refused: ['✗', '没收下'], undone: ['↶', '已撤销']};
