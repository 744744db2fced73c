/* The ladder as the owner's tasks (ladder.tasks on): which rung is due when, what closes it, and that nobody is
 * called lost before each rung was done or waived. */
#include "tests/unit/law_acts_kit.h"

#define RUNGS 0xf0

static void
switch_on(struct kit *k)
{
	k->policy->set_n[SET_LADDER_TASKS] = 1;
}

static void
empty(struct kit *k, const char *at, int rung)
{
	struct law_act a;

	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "rung-empty";
	a.person = "ann";
	a.rung = rung;
	kit_act(k, at, &a);
}

/* Three tries in two dayparts and a fourth: unreachable on Tuesday 12:00. */
static void
reach_rung_4(struct kit *k)
{
	kit_open(k);
	switch_on(k);
	kit_say(k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(k, "2026-03-02 11:00", "no-answer", 1);
	kit_say(k, "2026-03-02 12:00", "no-answer", 1);
	kit_say(k, "2026-03-02 12:05", "sms-sent", 1);
	kit_say(k, "2026-03-02 12:10", "im-requested", 1);
	kit_say(k, "2026-03-03 12:00", "no-answer", 1);
}

static void
each_rung_is_the_owners_and_then_comes_the_leader(void **state)
{
	static const struct {
		int rung;
		const char *at, *due;
	} rows[] = {{4, "2026-03-03 14:30", "2026-03-03 14:30"},
	    {5, "2026-03-03 15:00", "2026-03-03 15:00"},
	    {6, "2026-03-03 18:00", "2026-03-03 18:00"}};
	struct kit k;

	(void)state;
	reach_rung_4(&k);
	assert_placed(&k, "own:ann:due", "2026-03-03 12:00", "rung");
	assert_int_equal(k.c.rung, 4);
	assert_timer(&k, "2026-03-03 14:00"); /* an hour of calling time, past the noon rest */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		empty(&k, rows[i].at, rows[i].rung);
		assert_int_equal(k.c.rung, rows[i].rung + 1);
		assert_string_equal(reason_code(k.p.reason), "rung");
		if (rows[i].rung != 5)
			assert_placed(&k, "own:ann:due", rows[i].due, "rung");
		else /* the school's hours */
			assert_placed(&k, "own:ann:due", "2026-03-03 15:00", "rung");
	}
	empty(&k, "2026-03-04 09:00", 7);
	assert_placed(&k, "team:t1", "2026-03-04 09:00", "unreachable");
	assert_int_equal(k.c.rungs_done & RUNGS, RUNGS);
	kit_tick(&k, "2026-03-04 11:00"); /* the leader's two hours */
	assert_string_equal(k.p.lane, "strike");
	assert_int_equal(k.c.strike, STRIKE_LOST);
	kit_close(&k);
}

static void
a_late_rung_tells_the_leader_and_stays(void **state)
{
	struct kit k;

	(void)state;
	reach_rung_4(&k);
	kit_tick(&k, "2026-03-03 14:00");
	assert_placed(&k, "own:ann:promise", "2026-03-03 12:00", "rung");
	assert_true((k.p.alerts & ALERT_LEADER) != 0);
	kit_tick(&k, "2026-03-05 12:00");
	assert_int_equal(k.c.rung, 4);
	assert_string_equal(k.p.lane, "own:ann:promise");
	kit_close(&k);
}

static void
a_waiver_closes_a_rung(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	reach_rung_4(&k);
	law_act_init(&a, LAW_WAIVER);
	a.person = "lea";
	for (a.rung = 4; a.rung <= 6; a.rung++) {
		kit_act(&k, "2026-03-03 15:00", &a);
		assert_int_equal(k.c.rung, a.rung + 1);
	}
	kit_act(&k, "2026-03-03 15:00", &a);
	assert_placed(&k, "team:t1", "2026-03-03 15:00", "unreachable");
	assert_int_equal(k.c.rungs_waived, RUNGS);
	kit_close(&k);
}

static void
a_found_number_is_dialled_and_a_talk_ends_the_search(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	reach_rung_4(&k);
	law_act_init(&a, LAW_NUMBER);
	a.person = "ann";
	a.number = 77;
	a.rung = 4;
	kit_act(&k, "2026-03-03 14:30", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-03 14:30", "new-number");
	kit_say(&k, "2026-03-03 14:40", "considering", 77);
	assert_int_equal(k.c.rung, 0);
	assert_string_equal(reason_code(k.p.reason), "talk-again");
	kit_close(&k);
}

static void
message(struct kit *k, const char *at, int rung, const char *what)
{
	struct law_act a;

	law_act_init(&a, LAW_MESSAGE);
	a.person = "router";
	a.rung = rung;
	a.what = what;
	kit_act(k, at, &a);
}

static void
a_message_is_wanted_once_and_closes_its_rung(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	assert_false(law_wants_message(&k.c, k.policy, 1)); /* nobody called yet */
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	assert_true(law_wants_message(&k.c, k.policy, 1) && law_wants_message(&k.c, k.policy, 2));
	message(&k, "2026-03-02 09:01", 1, "sent");
	assert_false(law_wants_message(&k.c, k.policy, 1));
	assert_true(law_wants_message(&k.c, k.policy, 2));
	assert_placed(
	    &k, "own:ann:due", "2026-03-02 11:00", "stays"); /* the next call is where it was */
	assert_int_equal(k.c.attempts, 1);                   /* it is no call of ann's */
	kit_say(&k, "2026-03-02 11:00", "considering", 1);
	assert_false(law_wants_message(&k.c, k.policy, 2)); /* somebody got through */
	kit_close(&k);
}

static void
a_message_that_is_the_task_leads_to_the_next_rung(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	for (int i = 0; i < 4; i++) {
		static const char *const at[] = {
		    "2026-03-02 09:00", "2026-03-02 11:00", "2026-03-02 12:00", "2026-03-03 12:00"};

		kit_say(&k, at[i], "no-answer", 1);
	}
	assert_int_equal(k.c.rung, 1);
	message(&k, "2026-03-03 12:01", 1, "failed"); /* it stays with the owner's own phone */
	assert_int_equal(k.c.rung, 1);
	assert_false(law_wants_message(&k.c, k.policy, 1));
	kit_say(&k, "2026-03-03 12:05", "sms-sent", 1);
	assert_int_equal(k.c.rung, 2);
	k.c.by_hand = false;
	assert_true(law_wants_message(&k.c, k.policy, 2));
	message(&k, "2026-03-03 12:06", 2, "sent");
	assert_int_equal(k.c.rung, 4);
	kit_close(&k);
}

static void
nobody_is_written_to_who_asked_not_to_be_called(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	k.c.no_dial = true;
	assert_false(law_wants_message(&k.c, k.policy, 1));
	k.c.no_dial = false;
	k.c.numbers[0].state = NUMBER_DEAD;
	assert_false(law_wants_message(&k.c, k.policy, 1));
	kit_close(&k);
}

static void
time_waives_what_it_does_not_leave_room_for(void **state)
{
	struct kit k;

	(void)state;
	reach_rung_4(&k);
	k.ctx.pass_end = k.c.pass_end = when("2026-03-03 20:00");
	kit_tick(&k, "2026-03-03 15:59");
	assert_int_equal(k.c.rung, 4);
	assert_timer(&k, "2026-03-03 16:00");
	empty(&k, "2026-03-03 15:59", 4);
	kit_tick(&k, "2026-03-03 16:01");
	assert_placed(&k, "team:t1", "2026-03-03 16:01", "time-short");
	assert_int_equal(k.c.rungs_waived, RUNGS & ~0x10);
	kit_close(&k);
}

/* With less than eight hours left all open rungs are due at once, and the longest sets the time. */
static void
near_the_end_the_rungs_are_side_by_side(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 11:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:05", "sms-sent", 1);
	kit_say(&k, "2026-03-02 12:10", "im-requested", 1);
	k.ctx.pass_end = k.c.pass_end = when("2026-03-03 20:00");
	kit_say(&k, "2026-03-03 12:00", "no-answer", 1); /* seven hours of calling time left */
	assert_int_equal(k.c.rung, 4);
	assert_int_equal(k.c.rung_by, when("2026-03-03 17:00"));
	empty(&k, "2026-03-03 14:10", 7); /* in any order */
	assert_int_equal(k.c.rung, 4);
	empty(&k, "2026-03-03 14:20", 4);
	assert_int_equal(k.c.rung, 5);
	kit_close(&k);
}

/* Nobody wrote to them yet: that comes before the search, and what was done beside the calls counts. */
static void
messages_come_before_the_search(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	assert_int_equal(k.c.rungs_done, 0x01); /* no other number */
	kit_say(&k, "2026-03-02 11:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:00", "no-answer", 1);
	assert_int_equal(k.c.rungs_done, 0x09); /* and another daypart */
	kit_say(&k, "2026-03-03 12:00", "no-answer", 1);
	assert_placed(&k, "own:ann:due", "2026-03-03 12:00", "rung");
	assert_int_equal(k.c.rung, 1);
	kit_say(&k, "2026-03-03 12:05", "im-requested", 1); /* in any order */
	assert_int_equal(k.c.rung, 1);
	kit_say(&k, "2026-03-03 12:10", "sms-sent", 1);
	assert_int_equal(k.c.rung, 4);
	assert_string_equal(reason_code(k.p.reason), "rung");
	empty(&k, "2026-03-03 12:20", -1); /* not said which: the one in work */
	assert_int_equal(k.c.rung, 5);
	kit_close(&k);
}

static void
to_bad_numbers_nobody_writes(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	kit_say(&k, "2026-03-02 09:00", "empty-number", 1);
	assert_int_equal(k.c.rung, 4);
	kit_close(&k);
}

/* A caller hands it up at once and the leader says nothing: that is no search. */
static void
silence_is_no_waiver_for_who_is_lost(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	switch_on(&k);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "no-answer";
	a.person = "ann";
	a.number = 1;
	a.hand_up = true;
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_string_equal(k.p.lane, "team:t1");
	assert_int_equal(k.c.then_strike, STRIKE_LOST);
	kit_tick(&k, "2026-03-02 11:00");
	assert_int_equal(k.c.strike, STRIKE_NONE);
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "until-unreachable");
	/* Unreachable by now, and handed up again: the search begins. */
	a.hand_up = false;
	kit_act(&k, "2026-03-02 12:00", &a);
	a.hand_up = true;
	kit_act(&k, "2026-03-02 14:00", &a);
	assert_string_equal(k.p.lane, "team:t1");
	kit_tick(&k, "2026-03-02 16:00");
	assert_int_equal(k.c.strike, STRIKE_NONE);
	assert_int_equal(k.c.rung, 1);
	assert_placed(&k, "own:ann:due", "2026-03-02 16:00", "rung");
	/* The other kinds go on without rungs. */
	kit_close(&k);
	kit_open(&k);
	switch_on(&k);
	a.outcome = "rejected";
	kit_act(&k, "2026-03-02 09:00", &a);
	kit_tick(&k, "2026-03-02 11:00");
	assert_int_equal(k.c.strike, STRIKE_REFUSES);
	/* Nor does it wait when the pass ends soon. */
	kit_close(&k);
	kit_open(&k);
	switch_on(&k);
	k.ctx.pass_end = k.c.pass_end = when("2026-03-02 13:30");
	a.outcome = "no-answer";
	kit_act(&k, "2026-03-02 09:00", &a);
	kit_tick(&k, "2026-03-02 11:00");
	assert_int_equal(k.c.place, PLACE_STRIKE);
	assert_int_equal(k.c.strike, STRIKE_DIFFICULT); /* one try makes nobody lost */
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rung_is_the_owners_and_then_comes_the_leader),
	    cmocka_unit_test(messages_come_before_the_search),
	    cmocka_unit_test(to_bad_numbers_nobody_writes),
	    cmocka_unit_test(silence_is_no_waiver_for_who_is_lost),
	    cmocka_unit_test(a_late_rung_tells_the_leader_and_stays),
	    cmocka_unit_test(a_waiver_closes_a_rung),
	    cmocka_unit_test(a_message_is_wanted_once_and_closes_its_rung),
	    cmocka_unit_test(a_message_that_is_the_task_leads_to_the_next_rung),
	    cmocka_unit_test(nobody_is_written_to_who_asked_not_to_be_called),
	    cmocka_unit_test(a_found_number_is_dialled_and_a_talk_ends_the_search),
	    cmocka_unit_test(near_the_end_the_rungs_are_side_by_side),
	    cmocka_unit_test(time_waives_what_it_does_not_leave_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
