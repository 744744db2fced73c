/* Where cases go beside the outcome table: withdrawal, incidents, rest and waking, passes and stages,
 * late records, hand-overs. 2026-03-02 is a Monday. */
#include "tests/unit/law_acts_kit.h"

static void
a_withdrawal_takes_papers_and_two_other_persons(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "withdraw-asked", 1);
	signs(&k, "lea", "2026-03-02 09:10");
	assert_placed(&k, "own:ann:due", "2026-03-02 14:00", "no-papers");
	kit_say(&k, "2026-03-02 10:00", "papers-received", 0);
	assert_placed(&k, "team:t1", "2026-03-02 10:00", "papers");
	signs(&k, "ann", "2026-03-02 10:05"); /* not on one's own case */
	assert_placed(&k, "team:t1", "2026-03-02 10:00", "same-signer");
	signs(&k, "lea", "2026-03-02 10:10");
	assert_placed(&k, "papers", "2026-03-02 10:10", "signed-once");
	signs(&k, "lea", "2026-03-02 10:15"); /* not twice */
	assert_placed(&k, "papers", "2026-03-02 10:10", "same-signer");
	signs(&k, "dan", "2026-03-02 10:20");
	assert_placed(&k, "terminal", "never", "ended");
	assert_int_equal(k.c.state, STATE_WITHDRAWN);
	/* The only outcome that nothing takes back. */
	act(&k, LAW_REOPEN, "head", "2026-03-02 11:00");
	assert_placed(&k, "terminal", "never", "ended");
	act(&k, LAW_ARRIVAL, "dan", "2026-03-02 11:00");
	assert_int_equal(k.c.state, STATE_WITHDRAWN);
	assert_true(k.p.alerts != 0);
	kit_close(&k);
	/* Taken back between the signatures: both are needed again. */
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "papers-received", 0);
	signs(&k, "lea", "2026-03-02 10:10");
	kit_say(&k, "2026-03-02 10:20", "withdraw-cancelled", 1);
	assert_placed(&k, "own:ann:promise", "2026-03-02 10:20", "talk-again");
	signs(&k, "dan", "2026-03-02 10:30");
	assert_int_equal(k.p.reason, REASON_NO_PAPERS);
	kit_close(&k);
	/* A silent leader is passed by, and the data group is told until it signs. */
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "papers-received", 0);
	kit_tick(&k, "2026-03-02 14:00");
	assert_placed(&k, "papers", "2026-03-02 14:00", "leader-silent");
	assert_timer(&k, "2026-03-02 18:00");
	kit_tick(&k, "2026-03-02 18:00");
	assert_string_equal(k.p.lane, "papers");
	assert_int_equal(k.p.alerts, ALERT_DATA | ALERT_HEAD);
	/* The papers lack something: back to the owner. */
	kit_say_by(&k, "dan", "2026-03-02 18:10", "papers-incomplete", 0);
	assert_placed(&k, "own:ann:first", "2026-03-02 20:10", "talk-again");
	kit_close(&k);
}

static void
registered_comes_from_the_arrivals_alone(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
	kit_say(&k, "2026-03-02 10:00", "registered", 1);
	assert_placed(&k, "resting", "never", "not-by-call");
	act(&k, LAW_ARRIVAL, "dan", "2026-03-02 11:00");
	assert_placed(&k, "terminal", "never", "registered");
	assert_int_equal(k.c.state, STATE_REGISTERED);
	/* A call after the end counts, moves nothing, and is told. */
	kit_say(&k, "2026-03-02 12:00", "considering", 1);
	assert_placed(&k, "terminal", "never", "registered");
	assert_true(k.p.alerts != 0);
	assert_int_equal(k.c.state, STATE_REGISTERED);
	kit_close(&k);
}

static void
an_incident_stops_the_dialling(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "incident", 1);
	assert_placed(&k, "supervision", "2026-03-02 09:00", "incident");
	assert_timer(&k, "2026-03-02 09:15");
	kit_tick(&k, "2026-03-02 09:15");
	assert_string_equal(k.p.lane, "supervision");
	assert_int_equal(k.p.alerts, ALERT_SUPERVISION | ALERT_HEAD);
	kit_say(&k, "2026-03-02 09:20", "considering", 1);
	assert_string_equal(k.p.lane, "supervision");
	pass_or_stage(&k, LAW_PASS, 3, "2026-03-02 09:30", "2026-03-03 12:00");
	assert_string_equal(k.p.lane, "supervision");
	ruled(&k, "2026-03-02 10:00", "", "resume");
	assert_placed(&k, "own:ann:due", "2026-03-02 10:00", "resumed");
	kit_close(&k);
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "incident", 1);
	ruled(&k, "2026-03-02 10:00", "", "strike");
	assert_int_equal(k.c.strike, STRIKE_INCIDENT);
	kit_close(&k);
}

static void
who_asks_not_to_be_called_is_not_called(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "do-not-call", 1);
	assert_placed(&k, "team:t1", "2026-03-02 09:00", "hand-up");
	/* The leader's one message, and rest. */
	kit_say_by(&k, "lea", "2026-03-02 10:00", "sms-sent", 1);
	assert_placed(&k, "resting", "never", "rests-no-calls");
	pass_or_stage(&k, LAW_PASS, 3, "2026-03-02 11:00", "2026-03-03 12:00");
	assert_string_equal(k.p.lane, "resting");
	pass_or_stage(&k, LAW_STAGE, 3, "2026-03-05 11:00", NULL);
	assert_string_equal(k.p.lane, "resting");
	/* They ring in and leave a word: the leader decides. */
	law_act_init(&a, LAW_NOTE);
	a.person = "bob";
	a.inbound = true;
	kit_act(&k, "2026-03-05 12:00", &a);
	assert_placed(&k, "team:t1", "2026-03-05 12:00", "rang-in");
	/* They ring in and talk: as usual from then on. */
	law_act_init(&a, LAW_ATTEMPT);
	a.person = "ann";
	a.outcome = "considering";
	a.inbound = true;
	kit_act(&k, "2026-03-05 12:30", &a);
	assert_placed(&k, "own:ann:due", "2026-03-05 17:30", "talk-again");
	kit_close(&k);
	/* A leader who does nothing: it rests all the same, and the head hears of it. */
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "do-not-call", 1);
	kit_tick(&k, "2026-03-02 11:00");
	assert_placed(&k, "resting", "never", "rests-no-calls");
	assert_true((k.p.alerts & ALERT_HEAD) != 0);
	kit_close(&k);
}

static void
confirmed_rests_until_everybody_is_called_again(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	k.ctx.pass = k.c.pass = 1;
	kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
	assert_placed(&k, "resting", "never", "rests");
	pass_or_stage(&k, LAW_PASS, 2, "2026-03-02 18:00", "2026-03-04 12:00");
	assert_placed(&k, "resting", "never", "new-pass"); /* pass 2 calls who is open */
	/* Somebody rings in and another person notes it: awake, with its owner. */
	law_act_init(&a, LAW_NOTE);
	a.person = "bob";
	kit_act(&k, "2026-03-02 18:10", &a);
	assert_placed(&k, "resting", "never", "stays");
	assert_int_equal(k.p.alerts, ALERT_OWNER);
	a.inbound = true;
	kit_act(&k, "2026-03-02 18:20", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-02 18:20", "rang-in");
	kit_say(&k, "2026-03-02 18:30", "confirmed", 1);
	/* An unanswered call to a resting case does not wake it. */
	kit_say(&k, "2026-03-02 18:40", "no-answer", 1);
	assert_placed(&k, "resting", "never", "stays");
	assert_int_equal(k.c.state, STATE_CONFIRMED);
	pass_or_stage(&k, LAW_PASS, 3, "2026-03-04 14:00", "2026-03-05 12:00");
	assert_placed(&k, "own:ann:due", "2026-03-04 14:00", "call-all");
	kit_say(&k, "2026-03-04 15:00", "confirmed", 1);
	pass_or_stage(&k, LAW_STAGE, 3, "2026-03-09 09:00", NULL);
	assert_placed(&k, "resting", "2026-03-12 09:00", "new-stage"); /* 3 d */
	kit_tick(&k, "2026-03-12 09:00");
	assert_placed(&k, "own:ann:due", "2026-03-12 09:00", "follow-up");
	pass_or_stage(&k, LAW_STAGE, 4, "2026-08-20 09:00", NULL);
	assert_placed(&k, "own:ann:due", "2026-08-20 09:00", "new-stage");
	kit_close(&k);
}

static void
unticked_is_not_confirmed(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_act_init(&a, LAW_ATTEMPT);
	a.person = "ann";
	a.outcome = "confirmed";
	a.ticks = 5;
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:00", "ticks-missing");
	assert_int_equal(k.c.contacts, 1); /* the call did take place */
	assert_int_equal(k.c.state, STATE_IN_PROGRESS);
	a.ticks = 7;
	kit_act(&k, "2026-03-02 09:05", &a);
	assert_placed(&k, "resting", "never", "rests");
	kit_close(&k);
}

static void
each_case_has_its_own_pass(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	/* Released in pass 1 it ends with it. */
	kit_open(&k);
	law_case_init(&k.c);
	k.owner[0] = '\0';
	k.ctx.pass = 1;
	k.ctx.pass_end = when("2026-03-02 18:00");
	k.ctx.order = 7;
	law_act_init(&a, LAW_RELEASE);
	kit_act(&k, "2026-03-02 07:00", &a);
	assert_string_equal(k.p.lane, "pool");
	assert_int_equal(k.p.due, when("2026-03-02 08:30") + 7); /* the seeded order */
	assert_int_equal(k.c.pass_end, when("2026-03-02 18:00"));
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	assert_string_equal(k.p.owner, "ann");
	pass_or_stage(&k, LAW_PASS, 2, "2026-03-02 19:00", "2026-03-04 12:00");
	assert_placed(&k, "own:ann:due", "2026-03-02 19:00", "new-pass");
	assert_int_equal(k.c.pass, 2);
	assert_int_equal(k.c.pass_end, when("2026-03-04 12:00"));
	kit_close(&k);
	/* A late batch begins in pass 1, for 8 calling hours, and then joins the campaign's pass. */
	kit_open(&k);
	law_case_init(&k.c);
	k.owner[0] = '\0';
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_int_equal(k.c.pass, 1);
	assert_int_equal(k.c.pass_end, when("2026-03-02 18:00"));
	kit_say(&k, "2026-03-02 10:00", "no-answer", 1); /* 7 h left: 1 h */
	assert_placed(&k, "own:ann:retry", "2026-03-02 11:00", "retry");
	k.ctx.pass = 2;
	kit_tick(&k, "2026-03-02 18:00");
	assert_placed(&k, "own:ann:due", "2026-03-02 18:00", "new-pass");
	assert_int_equal(k.c.pass, 2);
	kit_close(&k);
	/* Nobody called it in pass 1: it stays in its first pass while pass 2 runs. */
	kit_open(&k);
	law_case_init(&k.c);
	k.owner[0] = '\0';
	k.ctx.pass = 1;
	k.ctx.pass_end = when("2026-03-02 18:00");
	kit_act(&k, "2026-03-02 09:00", &a);
	pass_or_stage(&k, LAW_PASS, 2, "2026-03-02 19:00", "2026-03-04 12:00");
	assert_string_equal(k.p.lane, "pool");
	assert_int_equal(k.c.pass, 1);
	assert_int_equal(k.c.pass_end, when("2026-03-03 15:30"));
	kit_close(&k);
	/* A promise stands over the change of passes. */
	kit_open(&k);
	k.ctx.pass = k.c.pass = 1;
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "call-later";
	a.person = "ann";
	a.next_at = when("2026-03-03 10:00");
	kit_act(&k, "2026-03-02 09:00", &a);
	pass_or_stage(&k, LAW_PASS, 2, "2026-03-02 19:00", "2026-03-04 12:00");
	assert_placed(&k, "own:ann:promise", "2026-03-03 10:00", "new-pass");
	kit_close(&k);
}

static void
a_late_record_counts_and_moves_nothing(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "confirmed";
	a.person = "bob";
	a.ticks = 7;
	a.effective = false;
	kit_act(&k, "2026-03-02 09:30", &a);
	assert_placed(&k, "own:ann:due", "2026-03-02 11:00", "late-record");
	assert_int_equal(k.c.attempts, 2);
	assert_int_equal(k.c.contacts, 1);
	assert_int_equal(k.c.state, STATE_IN_PROGRESS);
	/* Adopted it moves the case, and is not counted twice. */
	a.kind = LAW_ADOPT;
	a.effective = true;
	kit_act(&k, "2026-03-02 10:00", &a);
	assert_placed(&k, "resting", "never", "rests");
	assert_int_equal(k.c.attempts, 2);
	assert_string_equal(k.p.owner, "ann");
	kit_close(&k);
}

static void
a_slip_is_taken_back(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
	law_act_init(&a, LAW_CORRECTION);
	a.person = "ann";
	a.was = "confirmed";
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-02 09:00", "corrected");
	assert_int_equal(k.c.attempts, 0);
	assert_int_equal(k.c.contacts, 0);
	a.was = "no-answer";
	a.outcome = "considering";
	kit_say(&k, "2026-03-02 09:01", "no-answer", 1);
	kit_act(&k, "2026-03-02 09:02", &a);
	assert_placed(&k, "own:ann:due", "2026-03-02 14:02", "talk-again");
	assert_int_equal(k.c.attempts, 1);
	assert_int_equal(k.c.contacts, 1);
	assert_int_equal(k.c.fails, 0);
	kit_close(&k);
}

static void
work_and_credit_are_handed_over_apart(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	law_act_init(&a, LAW_HANDOVER);
	a.person = "lea";
	a.to = "bob";
	kit_act(&k, "2026-03-02 09:30", &a);
	assert_placed(&k, "own:bob:due", "2026-03-02 11:00", "moved");
	assert_string_equal(k.p.owner, "ann");
	assert_string_equal(k.p.hand, "bob");
	kit_say_by(&k, "bob", "2026-03-02 11:00", "considering", 1);
	assert_placed(&k, "own:bob:due", "2026-03-02 16:00", "talk-again");
	a.credit = true;
	kit_act(&k, "2026-03-02 11:30", &a);
	assert_string_equal(k.p.owner, "bob");
	assert_string_equal(k.p.hand, "");
	/* From the leader's lane to somebody's hands. */
	kit_say_by(&k, "bob", "2026-03-02 12:00", "needs-help", 1);
	assert_string_equal(k.p.lane, "team:t1");
	a.credit = false;
	a.to = "cid";
	kit_act(&k, "2026-03-02 12:30", &a);
	assert_placed(&k, "own:cid:promise", "2026-03-02 12:30", "moved");
	assert_string_equal(k.p.owner, "bob");
	kit_close(&k);
}

static void
odd_records_are_parked_not_lost(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "no-such-code", 1);
	assert_placed(&k, "parked", "2026-03-02 09:00", "not-readable");
	assert_true(k.p.alerts != 0);
	law_act_init(&a, LAW_FREE);
	a.person = "lea";
	kit_act(&k, "2026-03-02 10:00", &a);
	assert_placed(&k, "own:ann:first", "2026-03-02 10:00", "freed");
	kit_close(&k);
}

static void
a_new_number_is_dialled_now(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "empty-number", 1);
	assert_string_equal(k.p.lane, "team:t1");
	law_act_init(&a, LAW_NUMBER);
	a.person = "ofi";
	a.number = 2;
	kit_act(&k, "2026-03-02 10:00", &a);
	assert_placed(&k, "own:ann:promise", "2026-03-02 10:00", "new-number");
	assert_int_equal(k.c.n_numbers, 2);
	assert_false(law_unreachable(&k.c, k.policy));
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_withdrawal_takes_papers_and_two_other_persons),
	    cmocka_unit_test(registered_comes_from_the_arrivals_alone),
	    cmocka_unit_test(an_incident_stops_the_dialling),
	    cmocka_unit_test(who_asks_not_to_be_called_is_not_called),
	    cmocka_unit_test(confirmed_rests_until_everybody_is_called_again),
	    cmocka_unit_test(unticked_is_not_confirmed),
	    cmocka_unit_test(each_case_has_its_own_pass),
	    cmocka_unit_test(a_late_record_counts_and_moves_nothing),
	    cmocka_unit_test(a_slip_is_taken_back),
	    cmocka_unit_test(work_and_credit_are_handed_over_apart),
	    cmocka_unit_test(odd_records_are_parked_not_lost),
	    cmocka_unit_test(a_new_number_is_dialled_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
