/* The agent's talk with its brokers, against answers written by hand: greeting, asking, holding, and
 * every fault that a real broker cannot be made to show on demand. */
#include "tests/lib/agent_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"

static void
nothing_is_asked_before_welcome(void **state)
{
	const struct frame *f = agent_sent(MSG_HELLO);

	(void)state;
	assert_non_null(f);
	assert_memory_equal(f->u.hello.ob, outbox_id(t.outbox), 16);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_null(agent_sent(MSG_NEXT));
	agent_welcome(0);
	assert_int_equal(agent_times_told(LINK_ONLINE), 1);
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 1);
	assert_string_equal(agent_sent(MSG_NEXT)->u.next.person, "ann");
}

/* Who logs in while a HELLO is out is named by the next one only. */
static void
a_welcome_to_an_older_hello_is_passed_over(void **state)
{
	(void)state;
	lists.n_persons = 1;
	strcpy(lists.persons[0].person, "bob");
	lists.persons[0].ok = 1;
	agent_welcome(0);
	assert_null(agent_told(LINK_ONLINE));
	assert_null(agent_told(LINK_PERSON));
	agent_welcome(0);
	assert_int_equal(agent_times_told(LINK_ONLINE), 1);
	assert_int_equal(agent_times_told(LINK_PERSON), 2);
}

static void
tickets_are_signed_and_hello_carries_them(void **state)
{
	struct hello_lists *l = xcalloc(1, sizeof(*l));
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(hello_lists_decode(l, buf_span(&t.sent[0].f1), NULL), 0);
	assert_int_equal(l->n_persons, 2);
	chain_login_bytes(&b, "demo", "ann", t.id.agent, outbox_id(t.outbox), l->persons[0].from,
	    l->persons[0].until);
	assert_true(crypt_verify(l->persons[0].sig, t.ann.pk, buf_span(&b)));
	assert_true(l->persons[0].until - l->persons[0].from <= LOGIN_MAX_MS);
	buf_done(&b);
	free(l);
}

static void
two_silences_turn_to_the_next_broker(void **state)
{
	(void)state;
	agent_pass(2 * S);
	assert_int_equal(agent_count(MSG_HELLO), 2);
	assert_int_equal(t.connects, 1);
	agent_pass(2 * S);
	assert_int_equal(t.connects, 2);
	assert_int_equal(t.endpoint, 1);
	assert_int_equal(agent_times_told(LINK_OFFLINE), 1);
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_pass(5 * S);
	assert_int_equal(t.endpoint, 0);
	assert_int_equal(agent_times_told(LINK_OFFLINE), 2);
	agent_forget_sent();
	agent_welcome(0);
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 1);
}

static void
a_broker_that_hands_nothing_out_is_left_but_not_too_often(void **state)
{
	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_none("ann", 1, "backlog");
	assert_int_equal(agent_times_told(LINK_NONE), 1);
	assert_int_equal(t.endpoint, 1);
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_none("ann", 2, "backlog"); /* nor does this one: the stores are behind */
	assert_int_equal(t.endpoint, 1);
	agent_welcome(0);
	t.now += 5 * S;
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_none("ann", 3, "backlog");
	assert_int_equal(t.endpoint, 0);
}

static void
a_connection_that_cannot_send_is_silent_too(void **state)
{
	(void)state;
	t.deaf = true;
	agent_pass(20 * S);
	assert_true(t.connects >= 4);
	t.deaf = false;
	agent_pass(S);
	assert_non_null(agent_sent(MSG_HELLO));
}

static void
the_hold_is_durable_before_the_case_is_shown(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	assert_non_null(fold_hold(outbox_state(t.outbox), agent_case_no(9), 9));
	assert_int_equal(session_lease(t.s, 9)->state, LEASE_HELD);
}

static void
a_lease_is_renewed_and_its_deadline_counts_from_the_sending(void **state)
{
	int64_t asked;

	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	assert_int_equal(session_lease(t.s, 9)->deadline_us, t.now + LEASE_MS * 1000);
	agent_forget_sent();
	asked = t.now + LEASE_MS * 1000 / 6;
	t.now = asked;
	agent_end_turn();
	assert_int_equal(agent_sent(MSG_RENEW)->u.renew.rseq, 0);
	t.now += S; /* the answer takes a second */
	agent_renewed(9, 1);
	assert_int_equal(session_lease(t.s, 9)->deadline_us, asked + LEASE_MS * 1000);
	agent_renewed(9, 1); /* a repeat moves nothing */
	assert_int_equal(session_lease(t.s, 9)->deadline_us, asked + LEASE_MS * 1000);
}

static void
an_answer_to_a_stale_renewal_number_extends_nothing(void **state)
{
	int64_t before;

	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	before = session_lease(t.s, 9)->deadline_us;
	t.now += LEASE_MS * 1000 / 6;
	agent_end_turn();
	agent_renewed(9, 5);
	assert_int_equal(session_lease(t.s, 9)->deadline_us, before);
	assert_int_equal(agent_sent(MSG_RENEW)->u.renew.rseq, 5);
	agent_renewed(9, 6);
	assert_true(session_lease(t.s, 9)->deadline_us > before);
}

static void
a_passed_deadline_is_told_and_the_record_is_still_taken(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	t.deaf = true;
	agent_pass(LEASE_MS * 1000);
	assert_string_equal(agent_told(LINK_LEASE)->reason, "expired");
	assert_int_equal(session_lease(t.s, 9)->state, LEASE_EXPIRED);
	(void)agent_record("ann", 9, false);
	agent_end_turn();
	assert_null(session_lease(t.s, 9));
	t.deaf = false;
	agent_pass(3 * S);
	agent_welcome(0);
	assert_non_null(agent_sent(MSG_RECORD));
}

static void
a_grant_behind_its_deadline_goes_back_unseen(void **state)
{
	uint64_t no;

	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	no = agent_sent(MSG_NEXT)->u.next.next_no;
	t.now += LEASE_MS * 1000;
	agent_forget_sent();
	agent_grant("ann", no, 9);
	assert_null(agent_told(LINK_GRANTED));
	assert_int_equal(agent_sent(MSG_GIVEBACK)->u.giveback.token, 9);
	assert_null(agent_sent(MSG_NEXT)); /* not before the case went back */
	agent_lost(9, "given-back");
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, no + 1);
	assert_null(agent_told(LINK_LEASE));
}

static void
a_grant_to_a_waiting_next_is_proved_before_it_is_shown(void **state)
{
	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_none("ann", 1, "empty");
	assert_int_equal(agent_told(LINK_NONE)->e.seq, 1);
	agent_pass(300 * S);
	agent_forget_sent();
	agent_welcome(0);
	agent_grant("ann", 1, 9);
	assert_null(agent_told(LINK_GRANTED));
	assert_int_equal(agent_sent(MSG_RENEW)->u.renew.token, 9);
	agent_renewed(9, 1);
	assert_int_equal(agent_told(LINK_GRANTED)->token, 9);
	assert_int_equal(agent_times_told(LINK_NONE), 1);
}

static void
a_pushed_grant_that_is_gone_already_asks_anew(void **state)
{
	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_none("ann", 1, "empty");
	agent_grant("ann", 1, 9);
	agent_lost(9, "granted-on");
	assert_null(agent_told(LINK_GRANTED));
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 2);
	assert_true(fold_hold(outbox_state(t.outbox), agent_case_no(9), 9) == NULL);
}

static void
a_repeated_next_keeps_its_number_and_its_first_sending(void **state)
{
	int64_t first;

	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	first = t.now;
	agent_pass(2 * S);
	assert_int_equal(agent_count(MSG_NEXT), 2);
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 1);
	agent_grant("ann", 1, 9);
	agent_grant("ann", 1, 9);
	assert_int_equal(agent_times_told(LINK_GRANTED), 1);
	assert_int_equal(session_lease(t.s, 9)->deadline_us, first + LEASE_MS * 1000);
	assert_null(agent_sent(MSG_GIVEBACK));
}

static void
next_numbers_go_on_after_a_restart(void **state)
{
	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_restart();
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 2);
}

static void
a_lease_that_nobody_here_knows_is_given_back(void **state)
{
	(void)state;
	lists.n_persons = 1;
	strcpy(lists.persons[0].person, "ann");
	lists.persons[0].ok = 1;
	lists.n_leases = 1;
	memcpy(lists.leases[0].case_id, agent_case_no(9), 16);
	lists.leases[0].token = 9;
	lists.leases[0].pulled = 1;
	strcpy(lists.leases[0].person, "ann");
	agent_welcome(0);
	assert_int_equal(agent_sent(MSG_GIVEBACK)->u.giveback.token, 9);
}

static void
a_limit_with_empty_hands_is_looked_into(void **state)
{
	(void)state;
	agent_welcome(0);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	agent_pass(S);
	agent_forget_sent();
	agent_none("ann", 1, "limit");
	agent_pass(S);
	assert_null(agent_told(LINK_NONE));
	assert_non_null(agent_sent(MSG_HELLO));
	lists.n_persons = 1;
	strcpy(lists.persons[0].person, "ann");
	lists.persons[0].ok = 1;
	lists.n_leases = 1;
	memcpy(lists.leases[0].case_id, agent_case_no(9), 16);
	lists.leases[0].token = 9;
	lists.leases[0].pulled = 1;
	strcpy(lists.leases[0].person, "ann");
	agent_welcome(0);
	assert_null(agent_sent(MSG_NEXT));
	agent_lost(9, "given-back");
	assert_non_null(agent_sent(MSG_NEXT));
	agent_none("ann", 1, "limit");
	assert_string_equal(agent_told(LINK_NONE)->reason, "limit");
}

static void
a_case_in_hand_comes_back_after_a_restart(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_restart();
	assert_int_equal(session_lease(t.s, 9)->state, LEASE_RESTORED);
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	lists.n_persons = 1;
	strcpy(lists.persons[0].person, "ann");
	lists.persons[0].ok = 1;
	lists.n_leases = 1;
	memcpy(lists.leases[0].case_id, agent_case_no(9), 16);
	lists.leases[0].token = 9;
	lists.leases[0].rseq = 3;
	strcpy(lists.leases[0].person, "ann");
	agent_welcome(0);
	assert_int_equal(agent_sent(MSG_RENEW)->u.renew.rseq, 3);
	assert_null(agent_told(LINK_GRANTED));
	agent_renewed(9, 4);
	assert_int_equal(agent_told(LINK_GRANTED)->token, 9);
	assert_null(agent_sent(MSG_NEXT));
}

static void
a_case_lost_over_a_restart_makes_room_for_the_next(void **state)
{
	(void)state;
	agent_welcome(0);
	agent_hold_a_case(9);
	agent_restart();
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_welcome(0);
	agent_lost(9, "granted-on");
	assert_int_equal(agent_sent(MSG_NEXT)->u.next.next_no, 2);
	assert_non_null(
	    fold_hold(outbox_state(t.outbox), agent_case_no(9), 9)); /* its call may be recorded */
}

static void
a_person_who_may_not_act_is_told_and_others_go_on(void **state)
{
	(void)state;
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	assert_int_equal(session_next(t.s, "bob", NULL), 0);
	agent_end_turn();
	lists.n_persons = 2;
	strcpy(lists.persons[0].person, "ann");
	strcpy(lists.persons[0].why, "revoked");
	strcpy(lists.persons[1].person, "bob");
	lists.persons[1].ok = 1;
	agent_welcome(0);
	assert_string_equal(agent_told(LINK_REFUSED)->reason, "revoked");
	assert_string_equal(agent_told(LINK_REFUSED)->person, "ann");
	assert_string_equal(agent_sent(MSG_NEXT)->u.next.person, "bob");
	assert_int_equal(agent_count(MSG_NEXT), 1);
	assert_int_equal(session_next(t.s, "ann", NULL), -1);
}

static void
a_ticket_called_expired_is_made_once_more(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		agent_forget_sent();
		lists.n_persons = 1;
		strcpy(lists.persons[0].person, "ann");
		strcpy(lists.persons[0].why, "expired");
		t.now += S;
		agent_welcome(0);
		agent_pass(S);
	}
	assert_null(agent_sent(MSG_HELLO));
	assert_string_equal(agent_told(LINK_PERSON)->reason, "expired");
}

int
main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, agent_setup, agent_teardown)
	const struct CMUnitTest tests[] = {
	    EACH(nothing_is_asked_before_welcome),
	    EACH(a_welcome_to_an_older_hello_is_passed_over),
	    EACH(tickets_are_signed_and_hello_carries_them),
	    EACH(two_silences_turn_to_the_next_broker),
	    EACH(a_broker_that_hands_nothing_out_is_left_but_not_too_often),
	    EACH(a_connection_that_cannot_send_is_silent_too),
	    EACH(the_hold_is_durable_before_the_case_is_shown),
	    EACH(a_lease_is_renewed_and_its_deadline_counts_from_the_sending),
	    EACH(an_answer_to_a_stale_renewal_number_extends_nothing),
	    EACH(a_passed_deadline_is_told_and_the_record_is_still_taken),
	    EACH(a_grant_behind_its_deadline_goes_back_unseen),
	    EACH(a_grant_to_a_waiting_next_is_proved_before_it_is_shown),
	    EACH(a_pushed_grant_that_is_gone_already_asks_anew),
	    EACH(a_repeated_next_keeps_its_number_and_its_first_sending),
	    EACH(next_numbers_go_on_after_a_restart),
	    EACH(a_lease_that_nobody_here_knows_is_given_back),
	    EACH(a_limit_with_empty_hands_is_looked_into),
	    EACH(a_case_in_hand_comes_back_after_a_restart),
	    EACH(a_case_lost_over_a_restart_makes_room_for_the_next),
	    EACH(a_person_who_may_not_act_is_told_and_others_go_on),
	    EACH(a_ticket_called_expired_is_made_once_more),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
