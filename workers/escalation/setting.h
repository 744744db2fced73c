/* setting.h - the named settings of a policy: name, type, least, most, meaning. All must stand in the
 * policy file; the table is parser, ranges and manual at once.
 * Types: STEP a stretch of time (min, h, d, wd), COUNT a number, SHARE per cent, YES yes or no. */
#ifndef ESCALATION_SETTING_H
#define ESCALATION_SETTING_H

#define SETTING_TABLE(X)                                                                           \
	X(HALVE, "delay.halve-before-end", STEP, 0, 0, "批次结束前这么久以内,等待减半")            \
	X(LAST_TRY, "delay.last-try-before-end", STEP, 0, 0, "本批最后一次拨打至少提前多久")       \
	X(DAYPART_FAILURES, "daypart.failures", COUNT, 1, 9, "同一时段失败几次后换时段")           \
	X(DAYPART_GAP, "daypart.gap", STEP, 0, 0, "换时段时与上一次至少隔多久")                    \
	X(FREE_HOURS, "retry.prefer-free-within", STEP, 0, 0, "为等本人空闲时间,重拨最多推迟多久") \
	X(NEXT_MOST, "next.at-most", STEP, 0, 0, "约定的下一次最远多久以后")                       \
	X(RETRY_LATE, "retry.late", STEP, 0, 0, "第一批的重拨迟这么久后与约定同级")                \
	X(DECIDE_WITHIN, "decide.within", STEP, 0, 0, "还要考虑、不表态:多久内必须答复")           \
	X(DECIDE_BEFORE_END, "decide.before-end", STEP, 0, 0, "答复时限至少早于批次结束多久")      \
	X(DECIDE_LATE, "decide.late", STEP, 0, 0, "答复时限过后多久没打转组长")                    \
	X(PROMISE_LATE, "promise.late", STEP, 0, 0, "约定的电话迟这么久转组长")                    \
	X(LEADER_QUESTION, "leader.question", STEP, 0, 0, "问组长")                                \
	X(LEADER_HAND_UP, "leader.hand-up", STEP, 0, 0, "转组长")                                  \
	X(LEADER_HAND_UP_3, "leader.hand-up.pass-3", STEP, 0, 0, "转组长,第三批")                  \
	X(LEADER_LATER, "leader.hand-up.stage-3-4", STEP, 0, 0, "转组长,录取后与报到阶段")         \
	X(LEADER_DAY, "leader.hand-up.registration-day", STEP, 0, 0, "转组长,报到当天")            \
	X(LEADER_PAPERS, "leader.papers", STEP, 0, 0, "组长看退档材料")                            \
	X(LEADER_PAPERS_3, "leader.papers.pass-3", STEP, 0, 0, "组长看退档材料,第三批")            \
	X(DATA_PAPERS, "data.papers", STEP, 0, 0, "数据组看退档材料")                              \
	X(DATA_ERROR, "data.error", STEP, 0, 0, "数据组改错")                                      \
	X(SUPERVISION, "supervision.incident", STEP, 0, 0, "督查组接投诉、舆情")                   \
	X(HOT, "deadline.hot-after", SHARE, 1, 100, "时限过了百分之几算急")                        \
	X(RESERVE_BOARD, "reserve.board", STEP, 0, 0, "报备的考生多久没打上组长看板")              \
	X(RESERVE_POOL, "reserve.pool", STEP, 0, 0, "报备的考生多久没打回公共池")                  \
	X(PULL_WINDOW, "pull.window", STEP, 0, 0, "放号后多久内限量领取")                          \
	X(PULL_FACTOR, "pull.factor", SHARE, 100, 1000, "限量:人均量的百分之几")                   \
	X(PULL_UNFIRST, "pull.without-result", COUNT, 1, 1000, "限量:没有首次结果的最多几人")      \
	X(ABSENCE_BOARD, "absence.board", STEP, 0, 0, "缺席多少空闲小时上组长看板")                \
	X(ABSENCE_NEAR, "absence.near-end", STEP, 0, 0, "批次结束前多久内缺席即移交")              \
	X(ABSENCE_AFTER, "absence.after", STEP, 0, 0, "其余缺席多久后移交")                        \
	X(TALK_SECONDS, "talk.seconds", COUNT, 0, 3600, "稍后再打:通话多少秒起算联系上")           \
	X(LOST_ATTEMPTS, "unreachable.attempts", COUNT, 1, 99, "联系不上:至少尝试几次")            \
	X(LOST_DAYPARTS, "unreachable.dayparts", COUNT, 1, 4, "联系不上:至少跨几个时段")           \
	X(LADDER_TASKS, "ladder.tasks", YES, 0, 1, "联系不上后逐级找人(否:直接转组长)")            \
	X(LADDER_BESIDE, "ladder.side-by-side", STEP, 0, 0, "离批次结束多久内4-7级并行")           \
	X(LADDER_STRAIGHT, "ladder.straight", STEP, 0, 0, "离批次结束多久内直接到第8级")           \
	X(IM_DAILY, "ladder.im-daily", COUNT, 0, 1000, "每人每天最多加几个微信/QQ")                \
	X(STRIKE_TAKE, "strike.take", STEP, 0, 0, "突击:多久内接手")                               \
	X(STRIKE_FIRST, "strike.first-act", STEP, 0, 0, "突击:多久内第一次行动")                   \
	X(STRIKE_RESULT, "strike.result", STEP, 0, 0, "突击:多久内出结果")                         \
	X(STRIKE_BEFORE_END, "strike.before-end", STEP, 0, 0, "突击:结果至少早于批次结束多久")     \
	X(RULING_REMIND, "ruling.remind", STEP, 0, 0, "等裁定的多久提醒一次")                      \
	X(FOLLOW_ADMISSION, "follow.admission", STEP, 0, 0, "录取后多久跟进(缴费、宿舍、群)")      \
	X(FOLLOW_NOTICE, "follow.notice", STEP, 0, 0, "通知书寄出后多久跟进")                      \
	X(FOLLOW_MONTHLY, "follow.monthly", STEP, 0, 0, "每月跟进的间隔")                          \
	X(FOLLOW_BEFORE_1, "follow.before-registration.1", STEP, 0, 0, "报到前跟进,第一次")        \
	X(FOLLOW_BEFORE_2, "follow.before-registration.2", STEP, 0, 0, "报到前跟进,第二次")        \
	X(FOLLOW_MASTER, "follow.special-master", STEP, 0, 0, "专硕意向跟进的间隔,直到缴费")       \
	X(FOLLOW_RULED, "follow.ruled-unconfirmed", STEP, 0, 0, "未确认录取的每周复查间隔")        \
	X(METER_CONTACTS, "meter.contacts", COUNT, 0, 99, "人均联系次数(平均值,只提示)")           \
	X(METER_MINUTES, "meter.minutes", COUNT, 0, 999, "人均通话分钟(平均值,只提示)")            \
	X(VOLUME_MINIMUM, "volume.minimum-share", SHARE, 0, 100,                                   \
	    "最低工作量:人均投档量的百分之几")                                                     \
	X(CLOSE_NUMBERS, "close.numbers", YES, 0, 1,                                               \
	    "关第三批前,已确认的要有本人和家长的号码,或说明为什么没有")                            \
	X(NUMBER_SHARED, "number.shared-from", COUNT, 2, 99, "一个号码在几名考生名下算共用")       \
	X(SPOT_DAILY, "spot.daily", SHARE, 0, 100, "每日抽查比例")                                 \
	X(SPOT_NEW, "spot.new-caller", COUNT, 0, 99, "新回访员的前几条全查")                       \
	X(SPOT_SHORT, "spot.short-confirm", COUNT, 0, 3600, "确认通话短于多少秒必查")              \
	X(SPOT_WITHDRAWN, "spot.verify-withdrawn", SHARE, 0, 100, "退档核实电话比例")              \
	X(SPOT_CONFIRMED, "spot.verify-confirmed", SHARE, 0, 100, "确认核实电话比例")              \
	X(SPOT_WEEKLY, "spot.weekly", SHARE, 0, 100, "录取后每周抽查比例")

enum setting {
#define SETTING_ENUM(id, name, type, least, most, doc) SET_##id,
	SETTING_TABLE(SETTING_ENUM)
#undef SETTING_ENUM
	    SETTING_COUNT
};
enum setting_type { SETTING_STEP, SETTING_COUNT_OF, SETTING_SHARE, SETTING_YES };

#endif
