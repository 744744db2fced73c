/* law_parts.h - inside of the law: what its files share. Nobody else includes it. */
#ifndef ESCALATION_LAW_PARTS_H
#define ESCALATION_LAW_PARTS_H

#include "workers/escalation/law.h"

/* One run of the law: the case being decided and what is found out on the way. `out` holds reason,
 * alerts, hints and owner; lane, due and timer are filled from the case at the end. */
struct law {
	struct law_case *c;
	const struct law_ctx *ctx;
	const struct law_act *act; /* NULL or TIMER: no record */
	struct law_placement *out;
	enum presence presence; /* of whoever works the case */
	int64_t at;             /* when it happened: the record's time, never after now */
};

/* law_fold.c */
enum outcome law_outcome_of(
    const struct law_act *a); /* of im-talk: its result; OUT_NONE unreadable */
#define LAW_POLICE 9          /* the rung of the household police station */
bool law_not_agreed(const struct law_case *c, const struct law_act *a);
bool law_number_usable(enum number_state s);
bool law_all_bad(const struct law_case *c);
bool law_other_number(const struct law_case *c); /* a usable one not tried in this round */
void law_new_series(struct law_case *c);

/* law_time.c: all results are whole seconds */
int64_t law_whole(int64_t at);
int64_t law_after(const struct law *l, int64_t at, enum setting s);
int64_t law_length(const struct law *l, enum setting s); /* ms of calling time */
int64_t law_left(const struct law *l, int64_t at); /* calling time to the pass's end, -1 no pass */
int64_t law_open(const struct law *l, int64_t at); /* first calling instant from `at` or now on */
int64_t law_due(const struct law *l, struct step s, bool failed, bool office);
int64_t law_agreed(const struct law *l, int64_t at); /* a time that somebody named */
int64_t law_decide_by(const struct law *l, int64_t wanted);
int64_t law_follow_up(const struct law *l);
int64_t law_dated_follow_up(const struct law *l, int64_t best);

bool law_is_name(const char *person);
void law_set_hand(struct law_case *c, const char *person); /* "" or no name: nobody */

/* law_move.c: each puts the case somewhere, with reason */
void law_stay(struct law *l, enum reason r);
void law_to_own(struct law *l, enum own_class cls, int64_t due, enum reason r);
void law_to_pool(struct law *l, enum reason r);
void law_to_leader(
    struct law *l, bool papers, enum then_kind then, enum strike_kind k, enum reason r);
void law_to_strike(struct law *l, enum strike_kind k, enum reason r);
void law_to_papers(struct law *l, enum setting deadline, enum reason r);
void law_to_supervision(struct law *l);
void law_to_rest(
    struct law *l, int64_t until, enum then_kind then, enum strike_kind k, enum reason r);
void law_to_end(struct law *l, enum intent s);
void law_to_parked(struct law *l);
void law_leader_silent(struct law *l); /* the deadline of a hand-up or of papers passed */
void law_resume(struct law *l, enum reason r);
enum own_class law_class(const struct law *l);
enum own_class law_asked(const struct law *l, enum own_class cls, int64_t due);

/* law_table.c: the place decides what an outcome may do */
int law_decide(struct law *l, enum outcome o, struct err *err);

/* law_plan.c: what an outcome asks for */
void law_plan(struct law *l, enum outcome o);
void law_enter_rung(struct law *l, int rung, enum strike_kind k);
void law_end_round(struct law_case *c);
void law_failed(struct law *l, enum outcome o); /* the sitting is over, nobody was reached */
int law_tries(const struct law_case *c, enum outcome o); /* of its series, this one included */

/* law_ladder.c: with ladder.tasks on, rungs 1, 2 and 4 to 7 are the owner's tasks */
bool law_has_rung(const struct law *l);
bool law_rung_closed(const struct law *l); /* the one in work was done beside */
bool law_ladder_open(const struct law *l); /* a rung and time for it are left */
void law_waive_rest(struct law_case *c);
void law_climb(struct law *l, enum strike_kind k);
void law_no_time_left(struct law *l, enum strike_kind k);
bool law_rung_clock(struct law *l); /* true: it moved */
int64_t law_rung_time(const struct law *l);

/* law_strike.c */
void law_strike_try(struct law *l, enum outcome o);
void law_strike_talk(struct law *l, enum outcome o);
void law_strike_clock(struct law *l);
int64_t law_strike_time(const struct law *l);

/* law_acts.c: records that are no outcome */
int law_act_on(struct law *l, struct err *err);
void law_join_pass(struct law *l, int pass, int64_t until);

/* law_clock.c */
void law_clock(struct law *l);
int64_t law_next_time(const struct law *l);

#endif
