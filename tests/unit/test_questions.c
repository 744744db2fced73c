/* test_questions.c - the 21 questions that the campaign's documents leave open: each is a named setting of the policy,
 * takes its words and no others, and each other reading moves what its row says: somebody's pay, where cases go, what
 * pay refuses to be computed by, or nothing. A dry run counts by the same functions. */
#include "tests/unit/law_kit.h"

#include "base/file.h"
#include "proto/roles.h"
#include "workers/escalation/campaign.h"
#include "workers/escalation/compare.h"
#include "workers/reconciliation/readings.h"
#include "workers/reconciliation/trypolicy.h"

enum moves { NOTHING, PAY, CASES, RESERVED, REFUSED };

/* usual, the other readings, and what each of them moves. */
static const struct {
	const char *usual;
	const char *others[4];
	enum moves moves;
} questions[POLICY_QUESTIONS + 1] = {
    [1] = {"literal", {"strict", "inclusive"}, PAY},
    [2] = {"every-tier", {"from-task"}, PAY},
    [3] = {"needs-minimum", {"auto", "approved-only", "off"}, PAY},
    [4] = {"own-row", {"strict-93"}, PAY},
    [5] = {"none", {NULL}, NOTHING},
    [6] = {"each-paid-student", {"shortfall", "each-called"}, PAY},
    [7] = {"pooled", {"mean"}, PAY},
    [8] = {"caller-average", {NULL}, NOTHING},
    [9] = {"frozen-owner", {NULL}, NOTHING},
    [10] = {"leader-among-six", {"leader-on-top"}, NOTHING}, /* both call: test_law_offer */
    [11] = {"reported-then-random", {"random-only"}, RESERVED},
    [12] = {"through-leader", {"through-liaison"}, CASES},
    [13] = {"no-switch", {NULL}, NOTHING},
    [14] = {"by-threshold", {NULL}, NOTHING},
    [15] = {"same-group", {NULL}, NOTHING},
    [16] = {"shown-and-sampled", {NULL}, NOTHING},
    [17] = {"college-text", {NULL}, NOTHING},
    [18] = {"still-payable", {"original"}, PAY},
    [19] = {"named-only", {"team"}, REFUSED},
    [20] = {"set-by-leading-group", {NULL}, NOTHING},
    [21] = {"not-counted", {"counted"}, REFUSED},
};

static struct buf shipped;

static int
load(void **state)
{
	(void)state;
	return file_read(&shipped, DEFAULT_POLICY, POLICY_FILE_MAX, NULL);
}

static int
unload(void **state)
{
	(void)state;
	buf_done(&shipped);
	return 0;
}

/* The shipped policy with this word for question q. */
static struct buf
with_reading(int q, const char *word)
{
	struct buf out = BUF_INIT;
	char from[96];
	const char *at, *text = (const char *)shipped.data;

	(void)snprintf(from, sizeof(from), q < 10 ? "question | Q%d  | " : "question | Q%d | ", q);
	at = strstr(text, from);
	assert_non_null(at);
	at += strlen(from);
	buf_add(&out, text, (size_t)(at - text));
	buf_adds(&out, word);
	at += strlen(questions[q].usual);
	buf_adds(&out, at);
	return out;
}

static struct policy *
read_it(int q, const char *word)
{
	struct buf text = with_reading(q, word), problems = BUF_INIT;
	struct policy *p = NULL;

	if (policy_read(&p, "x", buf_span(&text), &problems, NULL) != 0)
		fail_msg("Q%d %s: %s", q, word, (const char *)problems.data);
	buf_done(&text);
	buf_done(&problems);
	return p;
}

static void
each_has_its_words_and_no_others(void **state)
{
	struct policy *p;

	(void)state;
	for (int q = 1; q <= POLICY_QUESTIONS; q++) {
		struct buf text = with_reading(q, "nonsense"), problems = BUF_INIT;

		p = read_it(q, questions[q].usual);
		assert_true(policy_reads(p, q, questions[q].usual));
		policy_free(p);
		for (int w = 0; questions[q].others[w] != NULL; w++) {
			p = read_it(q, questions[q].others[w]);
			assert_true(policy_reads(p, q, questions[q].others[w]));
			policy_free(p);
		}
		assert_int_equal(policy_read(&p, "x", buf_span(&text), &problems, NULL), -1);
		assert_non_null(strstr((const char *)problems.data, questions[q].usual));
		buf_done(&text);
		buf_done(&problems);
	}
}

/* ---- pay ---- */

/* Rows on which the readings part: domain.md a.13 and its like. */
static const struct pay_row rows[] = {
    {.rate = {99, 100}, .called = 100}, /* 99 exactly: Q1 strict */
    {.rate = {93, 100}, .called = 100}, /* 93 exactly: Q1 inclusive … */
    {.rate = {37, 40}, .called = 40},   /* 92.5: Q2, Q4 */
    {.rate = {19, 20}, .called = 20, .minimum = 25, .slack = true}, /* Q3, Q6 */
    {.rate = {29, 30}, .called = 30},
    {.rate = {28, 29}, .called = 29, .wrong_withdrawal = true, .deduction = 20},
};

static struct readings
readings_of(int q, const char *word)
{
	struct buf text = with_reading(q, word);
	struct readings r;

	assert_int_equal(readings_of_policy(&r, buf_span(&text), NULL), 0);
	buf_done(&text);
	return r;
}

/* A team of six with 44/50 and five of 10/10: 94 pooled, 98 the mean of them (domain.md a.13, 17). */
static int64_t
bonus(const struct readings *r)
{
	struct pay_row team[6] = {{.rate = {44, 50}, .leader = true}};
	struct pay_team t;

	for (int i = 1; i < 6; i++)
		team[i] = (struct pay_row){.rate = {10, 10}};
	t = pay_team_of(team, 6);
	return pay_bonus(&r->policy, &t, &team[0]);
}

static bool
moves_pay(const struct readings *was, const struct readings *next)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pay_of(&was->policy, &rows[i]).amount != pay_of(&next->policy, &rows[i]).amount)
			return true;
	return bonus(was) != bonus(next);
}

static void
a_reading_of_pay_moves_pay_and_the_others_do_not(void **state)
{
	(void)state;
	for (int q = 1; q <= POLICY_QUESTIONS; q++)
		for (int w = 0; questions[q].others[w] != NULL; w++) {
			struct readings was = readings_of(q, questions[q].usual),
			                next = readings_of(q, questions[q].others[w]);

			if (moves_pay(&was, &next) != (questions[q].moves == PAY))
				fail_msg("Q%d %s", q, questions[q].others[w]);
			if ((next.unable[0] != '\0') != (questions[q].moves == REFUSED))
				fail_msg("Q%d %s: %s", q, questions[q].others[w], next.unable);
		}
}

static void
two_sheets_are_compared_by_person(void **state)
{
	json_t
	    *was = json_loads(
	        "{\"rules\":{\"version\":1,\"Q1\":\"literal\",\"Q2\":\"every-tier\"},\"rows\":["
	        "{\"person\":\"a\",\"team\":\"t1\",\"pay\":\"10.00\",\"leader_bonus\":null},"
	        "{\"person\":\"b\",\"team\":\"t1\",\"pay\":\"20.00\",\"leader_bonus\":\"1000.00\"},"
	        "{\"person\":\"c\",\"team\":\"t1\",\"pay\":\"30.00\"}]}",
	        0, NULL),
	    *next = json_loads(
	        "{\"rules\":{\"version\":2,\"Q1\":\"literal\",\"Q2\":\"from-task\"},\"minimum\":5,"
	        "\"provisional\":true,\"rows\":["
	        "{\"person\":\"a\",\"team\":\"t1\",\"pay\":\"11.00\",\"leader_bonus\":null},"
	        "{\"person\":\"b\",\"team\":\"t1\",\"pay\":\"20.00\",\"leader_bonus\":\"1500.00\"},"
	        "{\"person\":\"c\",\"team\":\"t1\",\"pay\":\"30.00\"}]}",
	        0, NULL),
	    *o = trypolicy_compare(was, next), *first;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(o, "rows")), 2);
	first = json_array_get(json_object_get(o, "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "person")), "a");
	assert_string_equal(json_string_value(json_object_get(first, "pay_next")), "11.00");
	assert_int_equal(json_array_size(json_object_get(o, "readings")), 1);
	assert_int_equal(json_integer_value(json_object_get(o, "minimum")), 5);
	json_decref(was);
	json_decref(next);
	json_decref(o);
}

/* Q10: 48 or 56 people. Whoever is there is counted, leaders with them: no figure goes by the word. */
static void
a_leader_is_one_of_those_who_call(void **state)
{
	struct rperson p = {
	    .person = "lea", .team = "t1", .roles = ROLE_LEADER, .qualified = true, .active = true};

	(void)state;
	assert_true(people_is_caller(&p));
	p.roles = ROLE_SUPERVISOR;
	assert_false(people_is_caller(&p));
}

/* ---- cases ---- */

/* Lost, all rungs of the owner's done but the last one: the next empty one ends the owner's part. */
static void
at_the_last_rung(struct kit *k)
{
	kit_open(k);
	k->policy->set_n[SET_LADDER_TASKS] = 1;
	k->c.state = STATE_UNREACHABLE;
	k->c.stage_attempts = 4;
	k->c.attempts = 4;
	k->c.parts_tried = 3;
	k->c.rungs_done = 0x7f;
	k->c.rung = 7;
	k->c.last = OUT_RUNG_EMPTY;
	k->c.due = k->ctx.now;
}

static bool
moves_cases(int q, const char *word)
{
	struct policy *next = read_it(q, word);
	struct calendar days;
	struct kit k;
	bool moved;

	at_the_last_rung(&k);
	calendar_init(&days, next);
	moved = policy_concerns(&k.c, &k.ctx, next, &days);
	kit_close(&k);
	policy_free(next);
	return moved;
}

static void
only_the_way_to_the_strike_team_moves_a_case(void **state)
{
	(void)state;
	for (int q = 1; q <= POLICY_QUESTIONS; q++)
		for (int w = 0; questions[q].others[w] != NULL; w++)
			if (moves_cases(q, questions[q].others[w]) != (questions[q].moves == CASES))
				fail_msg("Q%d %s", q, questions[q].others[w]);
}

/* Q12: who is lost goes with its dossier to the strike team, or by the leader first; nobody skips a rung. */
static void
the_liaison_takes_the_dossier_without_the_leader(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	for (int liaison = 0; liaison < 2; liaison++) {
		at_the_last_rung(&k);
		if (liaison)
			strcpy(k.policy->question[12], "through-liaison");
		law_act_init(&a, LAW_ATTEMPT);
		a.outcome = "rung-empty";
		a.person = "ann";
		a.rung = 7;
		kit_act(&k, "2026-03-03 09:00", &a);
		assert_string_equal(k.p.lane, liaison ? "strike" : "team:t1");
		assert_int_equal(k.c.rungs_done & 0xf6, 0xf6);
		assert_int_equal(k.c.strike, liaison ? STRIKE_LOST : STRIKE_NONE);
		kit_close(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_has_its_words_and_no_others),
	    cmocka_unit_test(a_reading_of_pay_moves_pay_and_the_others_do_not),
	    cmocka_unit_test(two_sheets_are_compared_by_person),
	    cmocka_unit_test(a_leader_is_one_of_those_who_call),
	    cmocka_unit_test(only_the_way_to_the_strike_team_moves_a_case),
	    cmocka_unit_test(the_liaison_takes_the_dossier_without_the_leader),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
