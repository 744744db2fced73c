/* Records on their way, what rides on them, receipts, copies of an outbox, and hostile bytes. */
#include "tests/lib/agent_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"

static void
the_lease_of_a_record_on_its_way_is_not_given_back(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	(void)agent_record("ann", 9, false);
	agent_end_turn();
	agent_forget_sent();
	agent_nack("HELLO", MSG_RECORD, 1, 0);
	agent_pass(S);
	lists.n_persons = 1;
	strcpy(lists.persons[0].person, "ann");
	lists.persons[0].ok = 1;
	lists.n_leases = 1;
	memcpy(lists.leases[0].case_id, agent_case_no(9), 16);
	lists.leases[0].token = 9;
	strcpy(lists.leases[0].person, "ann");
	agent_welcome(0);
	assert_non_null(agent_sent(MSG_RECORD));
	assert_null(agent_sent(MSG_GIVEBACK));
}

static void
records_flow_in_a_window_and_go_back_on_silence(void **state)
{
	(void)state;
	for (int i = 0; i < 70; i++)
		(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	assert_int_equal(agent_count(MSG_RECORD), 64);
	assert_int_equal(agent_sent(MSG_RECORD)->u.record.seq, 64);
	agent_forget_sent();
	agent_accept(1, VERDICT_EFFECTIVE);
	agent_accept(3, VERDICT_EFFECTIVE); /* the answer to 2 was lost */
	assert_int_equal(session_accepted(t.s), 1);
	assert_int_equal(agent_times_told(LINK_ACCEPTED), 1);
	agent_pass(2 * S);
	assert_int_equal(t.sent[1].f.u.record.seq, 2);
	agent_accept(2, VERDICT_LATE);
	assert_int_equal(session_accepted(t.s), 3);
	assert_int_equal(agent_times_told(LINK_ACCEPTED), 3);
	assert_int_equal(fold_record(outbox_state(t.outbox), 2)->verdict, VERDICT_LATE);
	for (uint64_t seq = 4; seq <= 70; seq++)
		agent_accept(seq, VERDICT_EFFECTIVE);
	assert_int_equal(session_accepted(t.s), 70);
	agent_forget_sent();
	agent_pass(10 * S);
	assert_int_equal(agent_count(MSG_RECORD), 0);
}

static void
a_gap_sends_from_there_once(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	agent_forget_sent();
	agent_nack("GAP", MSG_RECORD, 3, 2);
	agent_nack("GAP", MSG_RECORD, 4, 2);
	agent_nack("GAP", MSG_RECORD, 5, 2);
	assert_int_equal(agent_count(MSG_RECORD), 5); /* from 1: its verdict was not heard */
	for (uint64_t seq = 1; seq <= 5; seq++)
		agent_accept(seq, VERDICT_EFFECTIVE);
	assert_int_equal(session_accepted(t.s), 5);
}

/* The answers to 1 to 3 were lost in a cut that was longer than the archive takes; the store has forgotten two. */
static void
released_records_whose_verdict_nobody_knows_are_stepped_over(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	for (int i = 0; i < 4; i++) {
		uint64_t seq = agent_record("ann", i == 1 ? 9 : 0, false);

		if (i == 1)
			assert_int_equal(session_ride(t.s, "ann", seq, NULL), 0);
	}
	agent_end_turn();
	agent_nack("GAP", MSG_RECORD, 1, 4);
	agent_nack("GAP", MSG_RECORD, 2, 4);
	assert_int_equal(session_accepted(t.s), 0);
	agent_receipt(LEVEL_RELEASED, 2, true);
	agent_forget_sent();
	agent_pass(2 * S);
	assert_int_equal(t.sent[0].f.u.record.seq, 1);
	agent_nack("GAP", MSG_RECORD, 1, 4);
	assert_int_equal(session_accepted(t.s), 2); /* 3 is not released: its answer will come */
	agent_accept(3, VERDICT_LATE);
	agent_accept(4, VERDICT_EFFECTIVE);
	assert_int_equal(session_accepted(t.s), 4);
	assert_int_equal(agent_times_told(LINK_ACCEPTED), 2);
	agent_pass(2 * S);
	assert_int_equal(
	    agent_sent(MSG_NEXT)->u.next.next_no, 2); /* what rode on 2 is asked alone */
}

static void
after_a_lost_store_records_go_out_again_and_are_told_once(void **state)
{
	struct frame f = {.kind = MSG_SYNCED};

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	for (uint64_t seq = 1; seq <= 5; seq++)
		agent_accept(seq, VERDICT_EFFECTIVE);
	agent_forget_sent();
	memcpy(f.u.synced.ob, outbox_id(t.outbox), 16);
	f.u.synced.accepted_upto = 2;
	(void)fold_hash_at(outbox_state(t.outbox), 2, f.u.synced.accepted_h);
	f.u.synced.epoch = 2;
	t.now += S;
	agent_hear(&f, NULL);
	assert_non_null(agent_sent(MSG_HELLO));
	agent_welcome(2);
	assert_int_equal(agent_count(MSG_RECORD), 3);
	for (uint64_t seq = 3; seq <= 5; seq++)
		agent_accept(seq, VERDICT_EFFECTIVE);
	assert_int_equal(agent_times_told(LINK_ACCEPTED), 5);
}

static void
what_was_stored_goes_out_after_a_restart(void **state)
{
	(void)state;
	(void)agent_record("ann", 0, false);
	(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	agent_accept(1, VERDICT_EFFECTIVE);
	agent_restart();
	agent_welcome(2); /* both arrived, but the verdict of 2 was never heard */
	assert_int_equal(agent_count(MSG_RECORD), 1);
	assert_int_equal(agent_sent(MSG_RECORD)->u.record.seq, 2);
	agent_accept(2, VERDICT_LATE);
	assert_int_equal(agent_told(LINK_ACCEPTED)->e.seq, 2);
	assert_int_equal(agent_told(LINK_ACCEPTED)->e.verdict, VERDICT_LATE);
}

static void
a_restarted_broker_is_greeted_once_and_soon(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	t.now += S;
	agent_forget_sent();
	for (uint64_t seq = 1; seq <= 30; seq++)
		agent_nack("HELLO", MSG_RECORD, seq, 0);
	agent_pass(S / 10);
	assert_int_equal(agent_count(MSG_HELLO), 1);
	agent_welcome(0);
	assert_int_equal(agent_count(MSG_RECORD), 30);
}

static void
a_next_rides_on_its_record_and_goes_alone_when_only_its_answer_is_missing(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_forget_sent();
	assert_int_equal(session_ride(t.s, "ann", agent_record("ann", 9, false), NULL), 0);
	agent_end_turn();
	assert_null(agent_sent(MSG_NEXT));
	assert_true(agent_sent(MSG_RECORD)->u.record.has_next);
	assert_int_equal(agent_sent(MSG_RECORD)->u.record.next_no, 2);
	agent_accept(1, VERDICT_EFFECTIVE);
	assert_null(agent_sent(MSG_NEXT));
	agent_pass(2 * S);
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 2);
	agent_grant("ann", 2, 10);
	assert_int_equal(agent_told(LINK_GRANTED)->token, 10);
}

static void
a_next_waits_until_the_record_before_it_was_accepted(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_forget_sent();
	(void)agent_record("ann", 9, false);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_null(agent_sent(MSG_NEXT));
	agent_accept(1, VERDICT_EFFECTIVE);
	assert_non_null(agent_sent(MSG_NEXT));
}

static void
a_worked_case_is_given_back_before_the_next(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_forget_sent();
	(void)agent_record("ann", 9, true);
	agent_end_turn();
	agent_accept(1, VERDICT_EFFECTIVE);
	assert_int_equal(session_lease(t.s, 9)->state, LEASE_HELD);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_int_equal(agent_sent(MSG_GIVEBACK)->u.giveback.token, 9);
	assert_null(agent_sent(MSG_NEXT));
	agent_lost(9, "given-back");
	assert_non_null(agent_sent(MSG_NEXT));
	assert_null(session_lease(t.s, 9));
}

static void
receipts_count_only_with_the_recorders_signature(void **state)
{
	(void)state;
	(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_welcome(0);
	agent_accept(1, VERDICT_EFFECTIVE);
	agent_receipt(LEVEL_SETTLED, 1, false);
	assert_null(agent_told(LINK_SETTLED));
	agent_receipt(LEVEL_SETTLED, 1, true);
	agent_receipt(LEVEL_SETTLED, 1, true);
	assert_int_equal(agent_times_told(LINK_SETTLED), 1);
	agent_receipt(LEVEL_RELEASED, 1, true);
	assert_int_equal(agent_told(LINK_RELEASED)->e.seq, 1);
	assert_int_equal(outbox_state(t.outbox)->mark[MARK_RELEASED].upto, 1);
}

static void
a_copy_of_an_outbox_stops(void **state)
{
	struct frame f = {.kind = MSG_WELCOME};
	struct buf f1 = BUF_INIT;
	struct outbox_report rep;

	(void)state;
	(void)agent_record("ann", 0, false);
	agent_end_turn();
	agent_forget_sent();
	strcpy(f.u.welcome.campaign, "demo");
	f.u.welcome.accepted_upto = 1; /* its hash is zeros: another history */
	welcome_lists_encode(&f1, &lists);
	agent_hear(&f, &f1);
	buf_done(&f1);
	assert_non_null(agent_told(LINK_CLONED));
	agent_pass(60 * S);
	assert_int_equal(t.n_sent, 0);
	assert_int_equal(outbox_retire(t.outbox, "retired", &rep, NULL), 0);
	session_retired(t.s, t.now);
	agent_end_turn();
	assert_memory_equal(agent_sent(MSG_HELLO)->u.hello.ob, outbox_id(t.outbox), 16);
	assert_int_equal(agent_sent(MSG_HELLO)->u.hello.head_seq, 0);
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 1);
}

static void
a_busy_store_is_asked_again_later(void **state)
{
	(void)state;
	agent_welcome(0);
	(void)agent_record("ann", 0, false);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_forget_sent();
	agent_nack("RETRY", MSG_NEXT, 1, 0);
	agent_nack("RETRY", MSG_RECORD, 1, 0);
	assert_int_equal(t.n_sent, 0);
	agent_pass(250000);
	assert_int_equal(agent_count(MSG_NEXT), 1);
	assert_int_equal(agent_count(MSG_RECORD), 1);
	agent_none("ann", 1, "embargo");
	agent_nack("HALTED", MSG_RECORD, 1, 0);
	agent_forget_sent();
	agent_pass(4 * S);
	assert_int_equal(agent_count(MSG_RECORD), 0);
	agent_pass(2 * S);
	assert_int_equal(agent_count(MSG_RECORD), 1);
}

static void
a_look_is_repeated_and_then_given_up(void **state)
{
	struct frame f = {.kind = MSG_SEEN};
	uint64_t no;

	(void)state;
	no = session_look(t.s, "ann", "own", 0, NULL, NULL, t.now);
	agent_welcome(0);
	assert_int_equal(agent_sent(MSG_LOOK)->u.look.look_no, no);
	f.u.seen.look_no = no;
	strcpy(f.u.seen.what, "own");
	strcpy(f.u.seen.code, "ok");
	agent_hear(&f, NULL);
	assert_non_null(agent_told(LINK_SEEN)->e.seen);
	agent_hear(&f, NULL);
	assert_int_equal(agent_times_told(LINK_SEEN), 1);
	(void)session_look(t.s, "ann", "own", 0, NULL, NULL, t.now);
	agent_pass(11 * S);
	assert_int_equal(agent_times_told(LINK_SEEN), 2);
	assert_null(agent_told(LINK_SEEN)->e.seen);
}

static void
garbage_changes_nothing(void **state)
{
	uint8_t junk[200];

	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_forget_sent();
	for (int i = 0; i < 2000; i++) {
		crypt_random(junk, sizeof(junk));
		session_message(
		    t.s, span_of(junk, (size_t)i % sizeof(junk)), span_of(junk, 50), t.now);
	}
	agent_end_turn();
	assert_int_equal(t.n_sent, 0);
	assert_int_equal(session_lease(t.s, 9)->state, LEASE_HELD);
}

static void
every_step_of_the_tables_leads_to_a_state(void **state)
{
	(void)state;
	for (int s = 0; s < CONN_STATES; s++)
		for (int e = 0; e < CONN_EVENTS; e++)
			assert_in_range(conn_move((enum conn_state)s, (enum conn_event)e).next, 0,
			    CONN_STATES - 1);
	for (int s = 0; s < ASK_STATES; s++)
		for (int e = 0; e < ASK_EVENTS; e++)
			assert_in_range(
			    ask_move((enum ask_state)s, (enum ask_event)e).next, 0, ASK_STATES - 1);
	for (int s = 1; s < LEASE_STATES; s++) {
		bool ends = false;

		for (int e = 0; e < LEASE_EVENTS; e++)
			ends = ends ||
			       (int)lease_move((enum lease_state)s, (enum lease_event)e).next != s;
		assert_true(ends); /* nobody holds a case for ever */
	}
	assert_int_equal(lease_move(LEASE_LOST, LEASE_EV_RENEWED).next, LEASE_LOST);
}

int
main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, agent_setup, agent_teardown)
	const struct CMUnitTest tests[] = {
	    EACH(the_lease_of_a_record_on_its_way_is_not_given_back),
	    EACH(records_flow_in_a_window_and_go_back_on_silence),
	    EACH(a_gap_sends_from_there_once),
	    EACH(released_records_whose_verdict_nobody_knows_are_stepped_over),
	    EACH(after_a_lost_store_records_go_out_again_and_are_told_once),
	    EACH(what_was_stored_goes_out_after_a_restart),
	    EACH(a_restarted_broker_is_greeted_once_and_soon),
	    EACH(a_next_rides_on_its_record_and_goes_alone_when_only_its_answer_is_missing),
	    EACH(a_next_waits_until_the_record_before_it_was_accepted),
	    EACH(a_worked_case_is_given_back_before_the_next),
	    EACH(receipts_count_only_with_the_recorders_signature),
	    EACH(a_copy_of_an_outbox_stops),
	    EACH(a_busy_store_is_asked_again_later),
	    EACH(a_look_is_repeated_and_then_given_up),
	    EACH(garbage_changes_nothing),
	    EACH(every_step_of_the_tables_leads_to_a_state),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
