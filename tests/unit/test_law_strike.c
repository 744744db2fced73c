/* Unreachable, and the strike team: practice.md 5 and the end of 7. 2026-03-02 is a Monday. */
#include "tests/unit/law_acts_kit.h"

static void
unreachable_needs_three_attempts_in_two_dayparts(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 09:10", "no-answer", 1);
	kit_say(&k, "2026-03-02 09:20", "no-answer", 1);
	assert_false(law_unreachable(&k.c, k.policy)); /* three, but one daypart */
	kit_say(&k, "2026-03-02 09:30", "no-answer", 1);
	assert_placed(&k, "own:ann:due", "2026-03-02 12:00", "until-unreachable");
	kit_say(&k, "2026-03-02 12:00", "no-answer", 1);
	assert_true(law_unreachable(&k.c, k.policy));
	assert_placed(&k, "team:t1", "2026-03-02 12:00", "unreachable");
	assert_int_equal(k.c.state, STATE_UNREACHABLE);
	kit_close(&k);
	/* Two attempts in two dayparts are not enough; untouched is never lost. */
	kit_open(&k);
	assert_false(law_unreachable(&k.c, k.policy));
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:00", "no-answer", 1);
	assert_false(law_unreachable(&k.c, k.policy));
	kit_close(&k);
	/* Who was spoken to in this stage is not unreachable, but silent. */
	kit_open(&k);
	kit_say(&k, "2026-03-02 08:40", "withdraw-asked", 1);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 11:00", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:00", "no-answer", 1);
	kit_say(&k, "2026-03-03 12:00", "no-answer", 1);
	assert_placed(&k, "team:t1", "2026-03-03 12:00", "went-silent");
	assert_int_equal(k.c.then_strike, STRIKE_DIFFICULT);
	kit_close(&k);
}

static void
with_little_time_left_the_leader_comes_at_once(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.ctx.pass_end = k.c.pass_end = when("2026-03-02 18:00");
	kit_say(&k, "2026-03-02 11:50", "no-answer", 1);
	kit_say(&k, "2026-03-02 12:30", "no-answer", 1);
	assert_string_equal(k.p.lane, "own:ann:due");
	kit_say(&k, "2026-03-02 14:10", "busy", 1); /* 3:50 left, three attempts, two dayparts */
	assert_placed(&k, "team:t1", "2026-03-02 14:10", "time-short");
	assert_int_equal(k.c.rungs_waived, 0xf6);
	kit_close(&k);
}

static void
the_leaders_silence_leads_to_the_strike_team(void **state)
{
	struct kit k;

	(void)state;
	make_unreachable(&k);
	assert_placed(&k, "team:t1", "2026-03-03 12:00", "unreachable");
	assert_timer(&k, "2026-03-03 14:00"); /* half of 2 h: 13:00 is the end of a window */
	kit_tick(&k, "2026-03-03 14:00");
	assert_string_equal(k.p.lane, "team:t1:hot");
	/* The leader's own try changes nothing about the deadline. */
	kit_say_by(&k, "lea", "2026-03-03 14:20", "powered-off", 1);
	assert_placed(&k, "team:t1:hot", "2026-03-03 15:00", "retry"); /* not at once again */
	assert_timer(&k, "2026-03-03 15:00");
	kit_tick(&k, "2026-03-03 15:00");
	assert_placed(&k, "strike", "2026-03-03 15:00", "leader-silent");
	assert_int_equal(k.c.strike, STRIKE_LOST);
	assert_string_equal(k.p.owner, "ann");                     /* the credit stays */
	assert_int_equal(k.c.strike_by, when("2026-03-04 10:30")); /* 8 calling hours */
	kit_close(&k);
}

/* Found by the simulation: who hands up after one try, or had reached them, makes nobody lost. */
static void
lost_is_who_is_unreachable(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "no-answer";
	a.person = "ann";
	a.number = 1;
	a.hand_up = true;
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "team:t1", "2026-03-02 09:00", "hand-up");
	kit_tick(&k, "2026-03-02 11:00");
	assert_placed(&k, "strike", "2026-03-02 11:00", "leader-silent");
	assert_int_equal(k.c.strike, STRIKE_DIFFICULT);
	assert_int_equal(k.c.rungs_waived, 0);
	kit_close(&k);
}

/* Whoever still hesitates with the leader is not the leader's for ever. */
static void
a_leaders_talk_without_a_result_leads_to_the_strike_team(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	kit_say(&k, "2026-03-02 15:00", "considering", 1);
	kit_say(&k, "2026-03-03 15:00", "considering", 1);
	assert_string_equal(k.p.lane, "own:ann:due");
	kit_say(&k, "2026-03-04 15:00", "considering", 1);
	assert_placed(&k, "team:t1", "2026-03-04 15:00", "hand-up");
	kit_say(
	    &k, "2026-03-04 15:10", "considering", 1); /* the owner, once more: the leader has it */
	assert_placed(&k, "team:t1", "2026-03-04 15:00", "stays");
	kit_say_by(&k, "lea", "2026-03-04 15:30", "considering", 1);
	assert_placed(&k, "strike", "2026-03-04 15:30", "hand-up");
	assert_int_equal(k.c.strike, STRIKE_DIFFICULT);
	assert_string_equal(k.p.owner, "ann");
	kit_close(&k);
}

static void
a_strike_task_has_its_hours(void **state)
{
	struct kit k;

	(void)state;
	make_unreachable(&k);
	kit_tick(&k, "2026-03-03 15:00");
	assert_timer(&k, "2026-03-03 16:00"); /* take */
	kit_tick(&k, "2026-03-03 16:00");
	assert_string_equal(k.p.lane, "strike:hot");
	assert_int_equal(k.p.alerts, ALERT_STRIKE_HEAD);
	assert_timer(&k, "2026-03-03 17:00"); /* first act */
	/* Whoever acts first has it, and keeps it. */
	by_strike(&k, "2026-03-03 16:30", "no-answer");
	assert_string_equal(k.p.hand, "max");
	assert_string_equal(k.p.owner, "ann");
	assert_string_equal(k.p.lane, "own:max:promise"); /* hot */
	kit_tick(&k, "2026-03-03 20:00");
	assert_string_equal(k.p.hand, "max");
	assert_timer(&k, "2026-03-04 10:30");
	kit_tick(&k, "2026-03-04 10:30");
	assert_int_equal(k.p.reason, REASON_STRIKE_LATE);
	assert_true((k.p.alerts & ALERT_HEAD) != 0);
	assert_string_equal(k.p.hand, "max");
	assert_timer(&k, "2026-03-05 10:30"); /* and again */
	/* Found: back to the owner, whatever was said. */
	by_strike(&k, "2026-03-04 14:00", "considering");
	assert_placed(&k, "own:ann:due", "2026-03-04 18:00", "talk-again");
	assert_string_equal(k.p.hand, "");
	assert_int_equal(k.c.strike, STRIKE_NONE);
	assert_true((k.p.alerts & ALERT_OWNER) != 0);
	kit_close(&k);
	/* Near the pass's end: two hours before it. */
	make_unreachable(&k);
	k.c.pass_end = k.ctx.pass_end = when("2026-03-03 21:00");
	kit_tick(&k, "2026-03-03 15:00");
	assert_int_equal(k.c.strike_by, when("2026-03-03 19:00"));
	kit_close(&k);
}

static void
other_kinds_end_with_a_result(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "needs-help", 1);
	kit_tick(&k, "2026-03-02 11:00");
	assert_int_equal(k.c.strike, STRIKE_DIFFICULT);
	by_strike(&k, "2026-03-02 11:10", "considering"); /* no result yet: 4 h, with max */
	assert_placed(&k, "own:max:due", "2026-03-02 16:10", "strike-try");
	assert_int_equal(k.c.strike, STRIKE_DIFFICULT);
	by_strike(&k, "2026-03-02 16:10", "persuaded");
	assert_placed(&k, "resting", "2026-03-04 16:10", "rests");
	assert_int_equal(k.c.strike, STRIKE_NONE);
	kit_tick(&k, "2026-03-04 16:10");
	assert_placed(&k, "own:ann:due", "2026-03-04 16:10", "follow-up");
	kit_close(&k);
	/* Returned by the team. */
	make_unreachable(&k);
	kit_tick(&k, "2026-03-03 15:00");
	by_strike(&k, "2026-03-03 15:10", "no-answer");
	struct law_act a;
	law_act_init(&a, LAW_HANDOVER);
	a.person = "max";
	a.to = "ann";
	kit_act(&k, "2026-03-03 15:20", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-03 15:20", "moved");
	assert_int_equal(k.c.strike, STRIKE_NONE);
	kit_close(&k);
}

static void
at_most_one_strike_task_is_open(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	make_unreachable(&k);
	kit_tick(&k, "2026-03-03 15:00");
	law_act_init(&a, LAW_HANDOVER);
	a.person = "lea";
	a.to_team = "strike";
	kit_act(&k, "2026-03-03 15:30", &a);
	assert_int_equal(k.c.strike, STRIKE_LOST); /* the first one, with its dates */
	assert_int_equal(k.c.strike_by, when("2026-03-04 10:30"));
	/* An incident interrupts it; the ruling goes on with it. */
	by_strike(&k, "2026-03-03 16:00", "incident");
	assert_placed(&k, "supervision", "2026-03-03 16:00", "incident");
	ruled(&k, "2026-03-03 17:00", "", "strike");
	assert_int_equal(k.c.strike, STRIKE_LOST);
	assert_string_equal(k.p.lane, "strike");
	kit_close(&k);
}

static void
not_coming_ends_by_ruling_after_the_strike_team(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.ctx.stage = k.c.stage = 4;
	k.ctx.pass = k.c.pass = 0;
	k.ctx.pass_end = k.c.pass_end = 0;
	kit_say(&k, "2026-03-02 10:00", "not-coming", 1);
	ruled(&k, "2026-03-02 10:30", "not-coming", ""); /* too early */
	assert_string_equal(k.p.lane, "team:t1");
	kit_tick(&k, "2026-03-03 10:00");
	assert_string_equal(k.p.lane, "strike");
	by_strike(&k, "2026-03-03 11:00", "not-coming");
	assert_placed(&k, "own:max:due", "2026-03-04 11:00", "awaits-ruling");
	ruled(&k, "2026-03-03 12:00", "not-coming", "");
	assert_placed(&k, "terminal", "never", "ended");
	assert_int_equal(k.c.state, STATE_NOT_COMING);
	assert_timer(&k, "never");
	/* It can be opened again by one record. */
	act(&k, LAW_REOPEN, "head", "2026-03-03 13:00");
	assert_placed(&k, "own:ann:due", "2026-03-03 14:00", "reopened");
	kit_close(&k);
}

static void
ruled_unconfirmed_comes_back_as_a_strike_task(void **state)
{
	struct kit k;

	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		if (lost)
			make_unreachable(&k);
		else
			kit_open(&k);
		if (!lost)
			kit_say(&k, "2026-03-02 09:00", "considering", 1);
		ruled(&k, "2026-03-04 09:00", "admitted-unconfirmed", "");
		assert_placed(&k, "resting", "never", "ruled");
		pass_or_stage(&k, LAW_STAGE, 3, "2026-03-09 09:00", NULL);
		assert_placed(&k, "resting", "2026-03-10 09:00", "new-stage"); /* 1 d */
		kit_tick(&k, "2026-03-10 09:00");
		assert_placed(&k, "strike", "2026-03-10 09:00", "strike");
		assert_int_equal(k.c.strike, lost ? STRIKE_LOST : STRIKE_DIFFICULT);
		/* Weekly from then on. */
		kit_tick(&k, "2026-03-10 18:00");
		assert_int_equal(k.c.strike_by, when("2026-03-17 18:00"));
		kit_close(&k);
	}
}

static void
without_a_team_the_leader_is_passed_by(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.ctx.team = "";
	kit_say(&k, "2026-03-02 09:00", "needs-help", 1);
	assert_placed(&k, "strike", "2026-03-02 09:00", "no-team");
	assert_true((k.p.alerts & ALERT_HEAD) != 0);
	kit_close(&k);
}

static void
asked_at_the_police(struct kit *k, const char *at, const char *person, bool leader)
{
	struct law_act a;

	law_act_init(&a, LAW_ATTEMPT);
	a.person = person;
	a.strike_team = !leader;
	a.leader = leader;
	a.outcome = "rung-empty";
	a.rung = 9;
	kit_act(k, at, &a);
}

static void
the_police_station_is_asked_after_the_leader_agreed(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	make_unreachable(&k);
	act(&k, LAW_WAIVER, "lea", "2026-03-03 12:30"); /* no rung named: on to the strike team */
	assert_string_equal(k.p.lane, "strike");
	asked_at_the_police(&k, "2026-03-03 14:10", "max", false);
	assert_string_equal(reason_code(k.p.reason), "rung-9-asks");
	assert_int_equal(k.c.rungs_done >> 9 & 1, 0);
	assert_true(k.p.alerts & ALERT_LEADER);
	assert_string_equal(k.c.hand, "max"); /* the task goes on */
	/* A waiver is no agreement. */
	law_act_init(&a, LAW_WAIVER);
	a.person = "lea";
	a.rung = 9;
	a.agrees = true;
	kit_act(&k, "2026-03-03 14:20", &a);
	assert_string_equal(reason_code(k.p.reason), "rung-9");
	assert_int_equal(k.c.rungs_waived >> 9 & 1, 0);
	asked_at_the_police(&k, "2026-03-03 14:30", "max", false);
	assert_int_equal(k.c.rungs_done >> 9 & 1, 1);
	assert_true(k.p.reason != REASON_RUNG_9_ASKS);
	kit_close(&k);
	/* Who leads the team has agreed by doing it. */
	make_unreachable(&k);
	asked_at_the_police(&k, "2026-03-03 12:30", "lea", true);
	assert_int_equal(k.c.rungs_done >> 9 & 1, 1);
	kit_close(&k);
}

/* Stage 4: who hesitates or will not come goes to the strike team, always by the leader, and comes back to the owner
 * when persuaded. */
static void
stage_4_hands_up_who_hesitates_and_who_will_not_come(void **state)
{
	static const struct {
		const char *outcome;
		int times; /* until the owner's tries are used up */
		enum strike_kind kind;
	} rows[] = {{"considering", 4, STRIKE_DIFFICULT}, {"will-not-say", 3, STRIKE_DIFFICULT},
	    {"wavering", 4, STRIKE_DIFFICULT}, {"regret", 1, STRIKE_REGRET},
	    {"not-coming", 1, STRIKE_NOT_COMING}};
	struct law_act a;
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_open(&k);
		kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
		pass_or_stage(&k, LAW_STAGE, 3, "2026-03-02 10:00", NULL);
		pass_or_stage(&k, LAW_STAGE, 4, "2026-03-03 09:00", NULL);
		assert_string_equal(k.p.lane, "own:ann:due"); /* everybody is asked again */
		for (int n = 1; n <= rows[i].times; n++) {
			char at[32];

			(void)snprintf(at, sizeof(at), "2026-03-03 09:%02d", n);
			kit_say(&k, at, rows[i].outcome, 1);
			assert_string_equal(
			    k.p.lane, n < rows[i].times ? "own:ann:due" : "team:t1");
			assert_int_equal(k.c.strike, STRIKE_NONE); /* never past the leader */
		}
		kit_tick(&k, "2026-03-04 09:00");
		assert_int_equal(k.c.place, PLACE_TEAM);
		kit_tick(&k, "2026-03-04 09:05"); /* a working day of silence */
		assert_string_equal(k.p.lane, "strike");
		assert_int_equal(k.c.strike, rows[i].kind);
		assert_false(law_lost(&k.c));
		assert_string_equal(k.p.owner, "ann");
		law_act_init(&a, LAW_ATTEMPT);
		a.person = "max";
		a.strike_team = true;
		a.outcome = "persuaded";
		a.number = 1;
		kit_act(&k, "2026-03-04 11:00", &a);
		assert_int_equal(k.c.strike, STRIKE_NONE);
		assert_string_equal(k.p.lane, "resting");
		kit_tick(&k, "2026-03-06 11:00"); /* two days later the owner asks again */
		assert_string_equal(k.p.lane, "own:ann:due");
		kit_close(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_police_station_is_asked_after_the_leader_agreed),
	    cmocka_unit_test(unreachable_needs_three_attempts_in_two_dayparts),
	    cmocka_unit_test(with_little_time_left_the_leader_comes_at_once),
	    cmocka_unit_test(the_leaders_silence_leads_to_the_strike_team),
	    cmocka_unit_test(lost_is_who_is_unreachable),
	    cmocka_unit_test(a_leaders_talk_without_a_result_leads_to_the_strike_team),
	    cmocka_unit_test(a_strike_task_has_its_hours),
	    cmocka_unit_test(other_kinds_end_with_a_result),
	    cmocka_unit_test(at_most_one_strike_task_is_open),
	    cmocka_unit_test(not_coming_ends_by_ruling_after_the_strike_team),
	    cmocka_unit_test(ruled_unconfirmed_comes_back_as_a_strike_task),
	    cmocka_unit_test(stage_4_hands_up_who_hesitates_and_who_will_not_come),
	    cmocka_unit_test(without_a_team_the_leader_is_passed_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
