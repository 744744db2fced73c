/* why.h - why a case is where it is: the codes of GRANT, SEEN and the log's `place` entries, and their text for people.
 * Codes are stable: others count by them. Texts hold no personal data. */
#ifndef PROTO_WHY_H
#define PROTO_WHY_H

/* clang-format off */
#define WHY_TABLE(X)                                                                            \
	X(NONE, "none", "")                                                                        \
	X(IMPORTED, "imported", "已导入，等放号")                                                  \
	X(RELEASED, "released", "已放号，在公共池")                                                \
	X(RESERVED, "reserved", "报备给本人，等首次回访")                                          \
	X(RESERVE_PASSED, "reserve-passed", "报备人没有打，回到公共池")                            \
	X(OTHER_NUMBER, "other-number", "先打别的号码")                                            \
	X(RETRY, "retry", "到时再打")                                                              \
	X(OTHER_DAYPART, "other-daypart", "换时段再打")                                            \
	X(UNTIL_UNREACHABLE, "until-unreachable", "还不算联系不上，换时段再打")                    \
	X(AGREED, "agreed-time", "按约定时间打")                                                   \
	X(FOLLOW_TALK, "talk-again", "约好再谈")                                                   \
	X(DECIDE, "decide-by", "答复时限已过，转组长")                                             \
	X(DECIDE_NOW, "decide-now", "答复时限已到，请马上打")                                      \
	X(LATE_RETRY, "late-retry", "重拨已迟，提前")                                              \
	X(LATE_PROMISE, "late-promise", "约定的电话没打，转组长")                                  \
	X(RANG_IN, "rang-in", "对方打来过，请回电")                                                \
	X(HAND_UP, "hand-up", "转组长")                                                            \
	X(UNREACHABLE, "unreachable", "联系不上，转组长")                                          \
	X(TIME_SHORT, "time-short", "联系不上且批次将尽，直接转组长")                              \
	X(WENT_SILENT, "went-silent", "谈过以后再打不通，转组长")                                  \
	X(ASKED, "asked", "已问组长，仍归本人")                                                    \
	X(ANSWERED, "answered", "组长已答复，请继续")                                              \
	X(NOT_ANSWERED, "not-answered", "组长没有答复，请继续；已报回访组长")                      \
	X(LEADER_SILENT, "leader-silent", "组长时限已过，自动往下走")                              \
	X(NO_TEAM, "no-team", "没有小组，直接往下走")                                              \
	X(STRIKE, "strike", "在突击组，等人接手")                                                  \
	X(STRIKE_TRY, "strike-try", "突击组继续")                                                  \
	X(STRIKE_FOUND, "strike-found", "突击组已找到，交回本人")                                  \
	X(STRIKE_LATE, "strike-late", "突击组时限已过")                                            \
	X(STRIKE_RETURNED, "strike-returned", "突击组交回")                                        \
	X(PAPERS, "papers", "退档材料待审")                                                        \
	X(SIGNED_ONCE, "signed-once", "已有一人签字，等第二人")                                    \
	X(SAME_SIGNER, "same-signer", "同一人不能签两次，经办人不能自签")                          \
	X(NO_PAPERS, "no-papers", "没有材料不能退档")                                              \
	X(NO_SIGNER, "no-signer", "签字的只能是组长、专人或数据组")                                \
	X(CHECKLIST, "checklist", "清单没有勾全，签字不算")                                        \
	X(DATA_ERROR, "data-error", "信息不符，等数据组更正")                                      \
	X(INCIDENT, "incident", "停止拨打，等督查组裁定")                                          \
	X(RESTS, "rests", "休息到日期，有人打来就醒")                                              \
	X(RESTS_NO_CALLS, "rests-no-calls", "对方要求别再打")                                      \
	X(TICKS_MISSING, "ticks-missing", "三项告知没有勾全，还不能算确认")                        \
	X(FOLLOW_UP, "follow-up", "跟进日期已到")                                                  \
	X(CALL_ALL, "call-all", "本批（阶段）全部再打一遍")                                        \
	X(NEW_PASS, "new-pass", "进入新的一批")                                                    \
	X(NEW_STAGE, "new-stage", "进入新的阶段")                                                  \
	X(NEW_NUMBER, "new-number", "有新号码，马上打")                                            \
	X(RUNG, "rung", "找人的下一步")                                                            \
	X(RUNG_9, "rung-9", "组长同意问户籍派出所")                                                \
	X(RUNG_9_ASKS, "rung-9-asks", "问户籍派出所要组长先同意，这次不算")                        \
	X(MOVED, "moved", "已换人")                                                                \
	X(OWNER_AWAY, "owner-away", "本人不在，转组长")                                            \
	X(RULED, "ruled", "已裁定")                                                                \
	X(AWAITS_RULING, "awaits-ruling", "等裁定")                                                \
	X(RESUMED, "resumed", "裁定后继续")                                                        \
	X(REOPENED, "reopened", "重新打开")                                                        \
	X(CORRECTED, "corrected", "已更正，请重新记录")                                            \
	X(FREED, "freed", "已放回")                                                                \
	X(STAYS, "stays", "不变")                                                                  \
	X(LATE_RECORD, "late-record", "迟到的记录，等采用或驳回")                                  \
	X(NOT_BY_CALL, "not-by-call", "这个结果不能由电话得出")                                    \
	X(NOT_READABLE, "not-readable", "记录看不懂，请人看")                                      \
	X(ENDED, "ended", "已终结")                                                                \
	X(AFTER_END, "after-end", "终结之后又有联系，请看")                                        \
	X(REGISTERED, "registered", "已报到")                                                      \
	X(NOT_REGISTERED, "not-registered", "报到已更正，回到原处")
/* clang-format on */

#endif
