/* words.h - the words that the lists of a policy file may hold, and the readings of Q1-Q21. */
#ifndef ESCALATION_WORDS_H
#define ESCALATION_WORDS_H

/* What the screen suggests beside the next step. Bit 1 << value. */
#define HINT_TABLE(X)                                                                              \
	X(CALL, "call")                                                                            \
	X(SMS, "sms")                                                                              \
	X(IM, "im")                                                                                \
	X(OTHER_LINE, "other-line")                                                                \
	X(OTHER_NUMBER, "other-number")                                                            \
	X(SAME_NUMBER, "same-number")                                                              \
	X(BEST_TIME, "best-time")                                                                  \
	X(PAYMENT, "payment")                                                                      \
	X(DORMITORY, "dormitory")                                                                  \
	X(GROUP, "group")                                                                          \
	X(SIGN_OFF, "sign-off")                                                                    \
	X(DEADLINE, "deadline")                                                                    \
	X(LEADER, "leader")                                                                        \
	X(TEMPLATE, "template")                                                                    \
	X(PAPERS_TASK, "papers-task")                                                              \
	X(ONE_MESSAGE, "one-message")                                                              \
	X(NUMBER_TASK, "number-task")                                                              \
	X(NEVER_AGAIN, "never-again-here")                                                         \
	X(TEACHER, "class-teacher")                                                                \
	X(RUNG_BESIDE, "rung-beside")                                                              \
	X(NEXT_RUNG, "next-rung")                                                                  \
	X(CORRECT, "correct")                                                                      \
	X(RULING, "ruling")                                                                        \
	X(TWO_SIGNATURES, "two-signatures")                                                        \
	X(LIST_MISSING, "list-missing")                                                            \
	X(UPLOAD, "upload")                                                                        \
	X(CHECKLIST, "checklist")

enum hint {
#define HINT_ENUM(id, name) HINT_##id,
	HINT_TABLE(HINT_ENUM)
#undef HINT_ENUM
	    HINT_COUNT
};

/* What a record must bring along. Bit 1 << value. */
#define EVIDENCE_TABLE(X)                                                                          \
	X(TICKS, "ticks")                                                                          \
	X(SCRIPT, "script")                                                                        \
	X(SPOKE, "spoke")                                                                          \
	X(DECIDE_BY, "decide-by")                                                                  \
	X(CONCERN, "concern")                                                                      \
	X(DEADLINE_TOLD, "deadline-told")                                                          \
	X(WORDS, "words")                                                                          \
	X(QUESTION, "question")                                                                    \
	X(TIME, "time")                                                                            \
	X(RELATION, "relation")                                                                    \
	X(LINE, "line")                                                                            \
	X(WHO, "who")                                                                              \
	X(TEMPLATE, "template")                                                                    \
	X(ACCOUNT, "account")                                                                      \
	X(FILE_OR_PLACE, "file-or-place")                                                          \
	X(SOURCE, "source")                                                                        \
	X(RUNG, "rung")                                                                            \
	X(WHOM, "whom")                                                                            \
	X(FIELD, "field")                                                                          \
	X(PHOTO, "photo")                                                                          \
	X(CHECKLIST, "checklist")                                                                  \
	X(MISSING, "missing")                                                                      \
	X(TWO_PERSONS, "two-persons")                                                              \
	X(RULING, "ruling")                                                                        \
	X(ITEMS, "items")                                                                          \
	X(DATE, "date")                                                                            \
	X(DOCUMENT, "document")                                                                    \
	X(ARRIVALS, "arrivals")                                                                    \
	X(WHEN, "when")

enum evidence {
#define EVIDENCE_ENUM(id, name) EVIDENCE_##id,
	EVIDENCE_TABLE(EVIDENCE_ENUM)
#undef EVIDENCE_ENUM
	    EVIDENCE_COUNT
};

/* Q1-Q21 (domain.md a.12): the readings that may be chosen, the first being the default. */
#define QUESTION_TABLE(X)                                                                          \
	X(1, "literal strict inclusive", "93、94…98 的大于与大于等于")                             \
	X(2, "every-tier from-task", "每0.1%加0.5元用于哪些档")                                    \
	X(3, "needs-minimum auto approved-only off", "可根据回访量:加不加")                        \
	X(4, "own-row strict-93", "未完成目标不发放:按本人的档,还是低于93%不发")                   \
	X(5, "none", "报到率取整:不取整")                                                          \
	X(6, "each-paid-student shortfall each-called", "扣除5元/生")                              \
	X(7, "pooled mean", "小组平均报到率")                                                      \
	X(8, "caller-average", "人均4次、20分钟")                                                  \
	X(9, "frozen-owner", "分母:第三批冻结时的名单归属")                                        \
	X(10, "leader-among-six leader-on-top", "48人还是56人")                                    \
	X(11, "reported-then-random random-only", "随机与谁报备谁回访")                            \
	X(12, "through-leader through-liaison", "转突击的路径")                                    \
	X(13, "no-switch", "有没有电话系统:没有")                                                  \
	X(14, "by-threshold", "档位按界限认,不按序号")                                             \
	X(15, "same-group", "督查组与督察组是一个组")                                              \
	X(16, "shown-and-sampled", "劝退抬高报到率:并列显示,多抽查")                               \
	X(17, "college-text", "法律后果的话术由学校定")                                            \
	X(18, "still-payable original", "扣20%-100%的基数")                                        \
	X(19, "named-only team", "误退处罚涉及谁")                                                 \
	X(20, "set-by-leading-group", "报到截止日由领导小组定")                                    \
	X(21, "not-counted counted", "保留资格、报到后离校算不算报到")

#endif
