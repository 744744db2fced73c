/* Rules of practice.md 3, 4 and 5 that are about time: halving, the pass's end, dayparts, promises, free
 * hours, decide-by, the leader's deadlines, absence, reservations. All times are worked out by hand. */
#include "tests/unit/law_kit.h"

static void
near_the_end_of_a_pass_delays_halve(void **state)
{
	static const struct {
		const char *at, *end, *outcome, *due;
	} rows[] = {
	    /* 8 calling hours left, or more: as in the table. */
	    {"2026-03-02 09:00", "2026-03-02 18:00", "no-answer", "2026-03-02 11:00"},
	    {"2026-03-02 09:01", "2026-03-02 18:00", "no-answer", "2026-03-02 10:01"},
	    {"2026-03-02 09:01", "2026-03-02 18:00", "no-signal", "2026-03-02 09:31"},
	    /* Half a day is half of 11.5 h: 5:45 from 09:01, over the quiet hour. */
	    {"2026-03-02 09:01", "2026-03-02 18:00", "suspended", "2026-03-02 15:46"},
	    /* What would fall after the end moves half an hour before it. */
	    {"2026-03-02 15:00", "2026-03-02 18:00", "suspended", "2026-03-02 17:30"},
	    {"2026-03-02 17:00", "2026-03-02 18:00", "no-answer", "2026-03-02 17:30"},
	    {"2026-03-02 17:45", "2026-03-02 18:00", "no-answer", "2026-03-02 17:45"},
	    /* Over: the pass rules no more. */
	    {"2026-03-02 18:00", "2026-03-02 18:00", "no-answer", "2026-03-02 20:00"},
	};
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_open(&k);
		k.ctx.pass_end = k.c.pass_end = when(rows[i].end);
		kit_say(&k, rows[i].at, rows[i].outcome, 1);
		assert_placed(&k, "own:ann:due", rows[i].due, "retry");
		kit_close(&k);
	}
}

static void
after_two_failures_another_daypart(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-signal", 1); /* 1 h */
	assert_placed(&k, "own:ann:due", "2026-03-02 10:00", "retry");
	kit_say(&k, "2026-03-02 10:00", "busy", 1); /* 10:10 is a again, which failed twice */
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "retry");
	kit_say(&k, "2026-03-02 12:00", "busy", 1); /* 12:30 is b, once */
	assert_placed(&k, "own:ann:due", "2026-03-02 12:30", "retry");
	/* A talk ends the series: a is as good as before. */
	kit_say(&k, "2026-03-02 12:30", "considering", 1);
	kit_say(&k, "2026-03-03 08:30", "busy", 1);
	assert_placed(&k, "own:ann:due", "2026-03-03 08:40", "retry");
	kit_close(&k);
}

static void
all_numbers_of_a_sitting_are_one_try(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_act_init(&a, LAW_IMPORT);
	a.n_numbers = 3;
	a.numbers[0] = 1;
	a.numbers[1] = 2;
	a.numbers[2] = 3;
	law_fold(&k.c, &k.ctx, &a);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:00", "other-number");
	kit_say(&k, "2026-03-02 09:01", "powered-off", 2);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:01", "other-number");
	assert_int_equal(k.c.fails, 0);
	/* The last one is nobody's: the silence of the second decides, 3 h. */
	kit_say(&k, "2026-03-02 09:02", "empty-number", 3);
	assert_int_equal(k.c.fails, 1);
	assert_int_equal(k.c.numbers[2].state, NUMBER_DEAD);
	assert_placed(&k, "own:ann:due", "2026-03-02 12:02", "retry");
	/* A new round, and the dead number is no other number. */
	kit_say(&k, "2026-03-02 12:02", "no-answer", 2);
	assert_placed(&k, "own:ann:promise", "2026-03-02 12:02", "other-number");
	kit_say(&k, "2026-03-02 12:03", "no-answer", 1);
	assert_int_equal(k.c.fails, 2);
	assert_placed(&k, "own:ann:due", "2026-03-02 14:00", "other-daypart");
	kit_close(&k);
}

static void
promise(struct kit *k, const char *at, const char *next_at, bool they_call)
{
	struct law_act a;

	kit_open(k);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "call-later";
	a.person = "ann";
	a.number = 1;
	a.next_at = when(next_at);
	a.they_call = they_call;
	kit_act(k, at, &a);
}

static void
a_promised_time_is_kept_or_goes_to_the_leader(void **state)
{
	struct kit k;

	(void)state;
	promise(&k, "2026-03-02 09:00", "2026-03-02 19:00", false);
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "agreed-time");
	assert_timer(&k, "2026-03-02 19:30");
	kit_tick(&k, "2026-03-02 19:29");
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "stays");
	kit_tick(&k, "2026-03-02 19:30");
	assert_placed(&k, "team:t1", "2026-03-02 19:30", "late-promise");
	assert_int_equal(k.p.alerts, ALERT_LEADER | ALERT_OWNER);
	kit_close(&k);
	/* Somebody who held the case at that moment is not disturbed. */
	promise(&k, "2026-03-02 09:00", "2026-03-02 19:00", false);
	k.ctx.held = true;
	kit_tick(&k, "2026-03-02 20:00");
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "stays");
	kit_close(&k);
	/* They asked for 21:15: then, but not at 21:40, and never in the quiet hour. */
	promise(&k, "2026-03-02 09:00", "2026-03-02 21:15", false);
	assert_placed(&k, "own:ann:asked", "2026-03-02 21:15", "agreed-time");
	kit_close(&k);
	promise(&k, "2026-03-02 09:00", "2026-03-02 21:40", false);
	assert_placed(&k, "own:ann:promise", "2026-03-03 08:30", "agreed-time");
	kit_close(&k);
	promise(&k, "2026-03-02 09:00", "2026-03-02 13:20", false);
	assert_placed(&k, "own:ann:promise", "2026-03-02 14:00", "agreed-time");
	kit_close(&k);
	/* A time gone by is now; one beyond the pass comes before its end; one far away is cut. */
	promise(&k, "2026-03-02 09:00", "2026-03-01 19:00", false);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:00", "agreed-time");
	kit_close(&k);
	promise(&k, "2026-03-02 09:00", "2026-03-25 10:00", false);
	assert_placed(&k, "own:ann:promise", "2026-03-20 20:30", "agreed-time");
	kit_close(&k);
	/* "I'll call back" is not believed: we call then, as an ordinary try. */
	promise(&k, "2026-03-02 09:00", "2026-03-02 19:00", true);
	assert_placed(&k, "own:ann:due", "2026-03-02 19:00", "agreed-time");
	assert_timer(&k, "2026-03-20 21:00");
	kit_close(&k);
}

static void
a_step_beside_leaves_the_promise(void **state)
{
	struct kit k;

	(void)state;
	promise(&k, "2026-03-02 09:00", "2026-03-02 19:00", false);
	kit_say(&k, "2026-03-02 09:05", "sms-sent", 1);
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "agreed-time");
	kit_say(&k, "2026-03-02 09:06", "ask-leader", 0);
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "asked");
	assert_timer(&k, "2026-03-02 09:36");
	kit_tick(&k, "2026-03-02 09:36");
	assert_placed(&k, "own:ann:promise", "2026-03-02 19:00", "stays");
	assert_int_equal(k.p.alerts, ALERT_HEAD | ALERT_OWNER);
	/* A call does end it. */
	kit_say(&k, "2026-03-02 10:00", "no-answer", 1);
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "retry");
	kit_close(&k);
}

static void
retries_wait_a_little_for_free_hours(void **state)
{
	struct span_of_time free[] = {{when("2026-03-02 08:00"), when("2026-03-02 10:00")},
	    {when("2026-03-02 14:30"), when("2026-03-02 16:00")}};
	struct kit k;

	(void)state;
	kit_open(&k);
	k.ctx.free = free;
	k.ctx.n_free = 2;
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1); /* 11:00 -> 14:30: 2.5 calling hours */
	assert_placed(&k, "own:ann:due", "2026-03-02 14:30", "retry");
	kit_close(&k);
	kit_open(&k);
	k.ctx.free = free;
	k.ctx.n_free = 2;
	kit_say(&k, "2026-03-02 08:40", "screened", 1); /* 09:10 is free */
	assert_placed(&k, "own:ann:due", "2026-03-02 09:10", "retry");
	free[1] = (struct span_of_time){when("2026-03-02 18:00"), when("2026-03-02 20:00")};
	kit_say(&k, "2026-03-02 09:10", "screened", 1); /* 11:10->b 12:00; 18:00 is too far */
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "retry");
	kit_close(&k);
}

static void
undecided_has_a_deadline(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	assert_placed(&k, "own:ann:due", "2026-03-02 14:00", "talk-again");
	assert_int_equal(k.c.decide_by, when("2026-03-03 09:00"));
	assert_timer(&k, "2026-03-03 09:00");
	kit_tick(&k, "2026-03-03 09:00");
	assert_placed(&k, "own:ann:promise", "2026-03-02 14:00", "decide-now");
	assert_timer(&k, "2026-03-03 11:00"); /* two hours to make that call */
	kit_tick(&k, "2026-03-03 11:00");
	assert_placed(&k, "team:t1", "2026-03-03 11:00", "decide-by");
	kit_close(&k);
	/* Never later than four hours before the pass's end, whoever says so. */
	for (int i = 0; i < 2; i++) {
		kit_open(&k);
		k.ctx.pass_end = k.c.pass_end = when("2026-03-02 21:00");
		law_act_init(&a, LAW_ATTEMPT);
		a.outcome = i == 0 ? "considering" : "will-not-say";
		a.person = "ann";
		a.decide_by = when("2026-03-02 20:00");
		kit_act(&k, "2026-03-02 09:00", &a);
		assert_int_equal(k.c.decide_by, when("2026-03-02 17:00"));
		kit_close(&k);
	}
	/* The call comes by the deadline even where the delay is longer. */
	kit_open(&k);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "considering";
	a.person = "ann";
	a.decide_by = when("2026-03-02 12:00");
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "talk-again");
	/* A decision ends the deadline. */
	kit_say(&k, "2026-03-02 11:00", "confirmed", 1);
	assert_int_equal(k.c.decide_by, 0);
	assert_placed(&k, "resting", "never", "rests");
	kit_close(&k);
}

static void
leaders_have_deadlines_by_pass_and_stage(void **state)
{
	static const struct {
		int stage, pass;
		const char *outcome, *at, *hot, *until, *lane;
	} rows[] = {
	    {2, 1, "needs-help", "2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00",
	        "strike"},
	    {2, 2, "needs-help", "2026-03-02 20:00", "2026-03-03 08:30", "2026-03-03 09:30",
	        "strike"},
	    {2, 3, "needs-help", "2026-03-02 09:00", "2026-03-02 09:15", "2026-03-02 09:30",
	        "strike"},
	    /* One working day; Friday to Monday. Half of it is 17.25 calling hours. */
	    {3, 0, "regret", "2026-03-06 10:00", "2026-03-07 16:45", "2026-03-09 10:00", "strike"},
	    {4, 0, "not-coming", "2026-03-02 10:00", "2026-03-02 16:45", "2026-03-03 10:00",
	        "strike"},
	    {2, 2, "papers-received", "2026-03-02 09:00", "2026-03-02 11:00", "2026-03-02 14:00",
	        "papers"},
	    {2, 3, "papers-received", "2026-03-02 09:00", "2026-03-02 09:30", "2026-03-02 10:00",
	        "papers"},
	};
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_open(&k);
		k.ctx.stage = k.c.stage = (uint8_t)rows[i].stage;
		k.ctx.pass = k.c.pass = (uint8_t)rows[i].pass;
		if (rows[i].stage != 2)
			k.ctx.pass_end = k.c.pass_end = 0;
		kit_say(&k, rows[i].at, rows[i].outcome, 1);
		assert_string_equal(k.p.lane, "team:t1");
		assert_timer(&k, rows[i].hot);
		kit_tick(&k, rows[i].hot);
		assert_string_equal(k.p.lane, "team:t1:hot");
		assert_timer(&k, rows[i].until);
		kit_tick(&k, rows[i].until);
		assert_placed(&k, rows[i].lane, rows[i].until, "leader-silent");
		assert_true((k.p.alerts & ALERT_HEAD) != 0);
		kit_close(&k);
	}
	/* On the day of registration one hour. */
	kit_open(&k);
	k.ctx.stage = k.c.stage = 4;
	k.ctx.pass = k.c.pass = 0;
	k.ctx.pass_end = k.c.pass_end = 0;
	k.ctx.registration_from = when("2026-03-02 08:00");
	k.ctx.registration_until = when("2026-03-03 18:00");
	kit_say(&k, "2026-03-02 09:00", "not-coming", 1);
	kit_tick(&k, "2026-03-02 09:59");
	assert_string_equal(k.p.lane, "team:t1:hot");
	kit_tick(&k, "2026-03-02 10:00");
	assert_placed(&k, "strike", "2026-03-02 10:00", "leader-silent");
	assert_int_equal(k.c.strike, STRIKE_NOT_COMING);
	kit_close(&k);
}

static void
a_question_leaves_the_case_with_its_owner(void **state)
{
	struct law_act note;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	kit_say(&k, "2026-03-02 09:05", "ask-leader", 0);
	assert_placed(&k, "own:ann:due", "2026-03-02 09:35", "asked");
	assert_true((k.p.alerts & ALERT_LEADER) != 0);
	/* The leader's note answers it. */
	law_act_init(&note, LAW_NOTE);
	note.person = "lea";
	kit_act(&k, "2026-03-02 09:15", &note);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:15", "answered");
	/* Silence brings it back too, and the callback head hears of it. */
	kit_say(&k, "2026-03-02 09:20", "ask-leader", 0);
	kit_tick(&k, "2026-03-02 09:50");
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:50", "not-answered");
	assert_true((k.p.alerts & ALERT_HEAD) != 0);
	kit_close(&k);
}

static void
a_late_retry_of_pass_1_comes_first(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.c.pass = 1;
	k.ctx.pass = 1;
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	assert_placed(&k, "own:ann:retry", "2026-03-02 11:00", "retry");
	assert_timer(&k, "2026-03-02 16:00"); /* 4 calling hours later */
	kit_tick(&k, "2026-03-02 16:00");
	assert_placed(&k, "own:ann:promise", "2026-03-02 11:00", "late-retry");
	assert_timer(&k, "2026-03-20 21:00");
	kit_close(&k);
}

static void
a_reservation_lapses(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_case_init(&k.c);
	k.owner[0] = '\0';
	k.ctx.reserved_for = "rita";
	k.ctx.pass = 1;
	law_act_init(&a, LAW_RELEASE);
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "own:rita:first", "2026-03-02 09:00", "reserved");
	assert_string_equal(k.p.owner, ""); /* a reservation is no ownership */
	assert_timer(&k, "2026-03-02 14:00");
	kit_tick(&k, "2026-03-02 14:00");
	assert_string_equal(k.p.lane, "own:rita:first");
	assert_int_equal(k.p.alerts, ALERT_LEADER);
	assert_timer(&k, "2026-03-02 18:00");
	kit_tick(&k, "2026-03-02 18:00");
	assert_placed(&k, "pool", "2026-03-02 18:00", "reserve-passed");
	/* The first record binds, whoever it was. */
	kit_say_by(&k, "bob", "2026-03-02 18:10", "no-answer", 1);
	assert_placed(&k, "own:bob:retry", "2026-03-02 20:10", "retry");
	assert_string_equal(k.p.owner, "bob");
	kit_close(&k);
	/* Called in time it is the reporter's for good. */
	kit_open(&k);
	law_case_init(&k.c);
	k.owner[0] = '\0';
	k.ctx.reserved_for = "rita";
	kit_act(&k, "2026-03-02 09:00", &a);
	kit_say_by(&k, "rita", "2026-03-02 09:30", "no-signal", 1);
	assert_string_equal(k.p.owner, "rita");
	assert_string_equal(k.p.hand, "");
	kit_tick(&k, "2026-03-02 14:00");
	assert_string_equal(k.p.lane, "own:rita:retry");
	assert_int_equal(k.p.alerts, 0);
	kit_close(&k);
}

static void
an_absent_owners_case_moves_in_time(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1); /* due 11:00 */
	k.ctx.presence = ABSENT;
	k.ctx.absent_since = when("2026-03-02 10:00");
	kit_tick(&k, "2026-03-02 12:00");
	assert_placed(&k, "own:ann:due", "2026-03-02 11:00", "stays");
	assert_timer(&k, "2026-03-03 10:00"); /* one working day */
	kit_tick(&k, "2026-03-03 10:00");
	assert_placed(&k, "team:t1", "2026-03-03 10:00", "owner-away");
	/* Nobody follows the leader here: it is asked again, and the head told. */
	kit_tick(&k, "2026-03-03 12:00");
	assert_string_equal(k.p.lane, "team:t1:hot");
	assert_true((k.p.alerts & ALERT_HEAD) != 0);
	kit_close(&k);
	/* Within eight calling hours of the pass's end at once. */
	kit_open(&k);
	k.ctx.pass_end = k.c.pass_end = when("2026-03-02 20:00");
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	k.ctx.presence = ABSENT;
	k.ctx.absent_since = when("2026-03-02 10:00");
	kit_tick(&k, "2026-03-02 12:00");
	assert_placed(&k, "team:t1", "2026-03-02 12:00", "owner-away");
	kit_close(&k);
	/* Gone for good: the leader gives it on. */
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	k.ctx.presence = GONE;
	kit_tick(&k, "2026-03-02 09:10");
	assert_placed(&k, "team:t1", "2026-03-02 09:10", "owner-away");
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(near_the_end_of_a_pass_delays_halve),
	    cmocka_unit_test(after_two_failures_another_daypart),
	    cmocka_unit_test(all_numbers_of_a_sitting_are_one_try),
	    cmocka_unit_test(a_promised_time_is_kept_or_goes_to_the_leader),
	    cmocka_unit_test(a_step_beside_leaves_the_promise),
	    cmocka_unit_test(retries_wait_a_little_for_free_hours),
	    cmocka_unit_test(undecided_has_a_deadline),
	    cmocka_unit_test(leaders_have_deadlines_by_pass_and_stage),
	    cmocka_unit_test(a_question_leaves_the_case_with_its_owner),
	    cmocka_unit_test(a_late_retry_of_pass_1_comes_first),
	    cmocka_unit_test(a_reservation_lapses),
	    cmocka_unit_test(an_absent_owners_case_moves_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
