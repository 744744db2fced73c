/* test_pay.c - the worked examples of domain.md a.13 and practice.md 13 under every reading that they name, all
 * boundaries, and what floating point would get wrong. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "workers/reconciliation/pay.h"

#define NEVER (-1)

enum reading { A, B, NONE, STRICT, AUTO, SHORT, CALLED, TOTAL, INCLUSIVE, EXCLUSIVE, NO_TOP };

static struct pay_policy
reading(enum reading r)
{
	struct pay_policy p = pay_policy_default();

	switch (r) {
	case A: break;
	case B: p.step_in = PAY_STEP_FROM_93; break;
	case NONE: p.step = PAY_STEP_OFF; break;
	case STRICT: p.n2 = PAY_N2_STRICT93; break;
	case AUTO: p.step = PAY_STEP_AUTO; break;
	case SHORT: p.n1 = PAY_N1_PER_SHORT; break;
	case CALLED: p.n1 = PAY_N1_PER_CALLED; break;
	case TOTAL: p.n5 = PAY_N5_OF_TOTAL; break;
	case INCLUSIVE: p.tier = PAY_TIER_INCLUSIVE; break;
	case EXCLUSIVE: p.tier = PAY_TIER_STRICT; break;
	case NO_TOP: p.step_in_top = false; break;
	}
	return p;
}

static struct pay_row
row_of(int64_t registered, int64_t admitted)
{
	return (struct pay_row){
	    .rate = {registered, admitted}, .called = admitted, .slack = true, .approved = true};
}

static void
examples(void **state)
{
	static const struct {
		int example;
		int64_t registered, admitted;
		enum reading reading;
		int64_t fen;
	} rows[] = {
	    {1, 30, 30, A, 315000},
	    {1, 30, 30, NONE, 300000},
	    {1, 30, 30, NO_TOP, 300000},
	    {2, 99, 100, A, 990000},
	    {2, 99, 100, EXCLUSIVE, 891000},
	    {3, 95, 96, A, 850250},
	    {3, 95, 96, NONE, 807500},
	    {4, 50, 51, A, 425000},
	    {4, 50, 51, B, 425000},
	    {4, 50, 51, NONE, 425000},
	    {5, 98, 100, A, 833000},
	    {5, 98, 100, NONE, 784000},
	    {6, 97, 100, A, 776000},
	    {6, 97, 100, NONE, 727500},
	    {7, 29, 30, A, 226200},
	    {7, 29, 30, NONE, 217500},
	    {8, 38, 40, A, 266000},
	    {8, 38, 40, NONE, 247000},
	    {9, 47, 50, A, 305500},
	    {9, 47, 50, NONE, 282000},
	    {10, 93, 100, A, 558000},
	    {10, 93, 100, B, 558000},
	    {10, 93, 100, NONE, 511500},
	    {10, 93, 100, STRICT, 558000},
	    {11, 27, 29, A, 163350},
	    {11, 27, 29, NONE, 162000},
	    {12, 929, 1000, A, 5527550},
	    {12, 929, 1000, B, 5109500},
	    {12, 929, 1000, STRICT, 0},
	    {13, 37, 40, A, 212750},
	    {13, 37, 40, B, 203500},
	    {13, 37, 40, STRICT, 0},
	    {14, 23, 25, A, 126500},
	    {14, 23, 25, STRICT, 0},
	    {14, 23, 25, EXCLUSIVE, 0},
	    {15, 26, 29, A, 0},
	    {21, 29, 30, A, 226200},
	    {21, 29, 32, A, 0},
	    {22, 0, 0, A, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pay_policy p = reading(rows[i].reading);
		struct pay_row row = row_of(rows[i].registered, rows[i].admitted);
		int64_t got = pay_of(&p, &row).amount;

		if (got != rows[i].fen)
			fail_msg("example %d, reading %d: %" PRId64 " instead of %" PRId64,
			    rows[i].example, (int)rows[i].reading, got, rows[i].fen);
	}
}

static void
workload(void **state)
{
	static const struct {
		int example;
		int64_t registered, admitted, called;
		bool slack;
		enum reading reading;
		int64_t fen;
	} rows[] = {
	    {16, 19, 20, 20, true, A, 114000},
	    {16, 19, 20, 20, true, SHORT, 121000},
	    {16, 19, 20, 20, true, CALLED, 113500},
	    {16, 19, 20, 20, true, AUTO, 123500},
	    {24, 19, 20, 27, true, A, 133000},
	    {25, 19, 20, 20, false, A, 133000},
	    {26, 20, 29, 20, true, A, 0},
	    {26, 20, 29, 20, true, SHORT, 0},
	    {26, 20, 29, 20, true, CALLED, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pay_policy p = reading(rows[i].reading);
		struct pay_row row = row_of(rows[i].registered, rows[i].admitted);
		int64_t got;

		row.called = rows[i].called;
		row.minimum = 25;
		row.slack = rows[i].slack;
		got = pay_of(&p, &row).amount;
		if (got != rows[i].fen)
			fail_msg("example %d, reading %d: %" PRId64 " instead of %" PRId64,
			    rows[i].example, (int)rows[i].reading, got, rows[i].fen);
	}
}

static void
cuts(void **state)
{
	struct pay_policy p = reading(A), total = reading(TOTAL);
	struct pay_row row = row_of(28, 29);
	struct pay_team team;

	(void)state;
	row.wrong_withdrawal = true; /* example 19 */
	assert_int_equal(pay_of(&p, &row).amount, 108500);
	row.deduction = 20;
	assert_int_equal(pay_of(&p, &row).amount, 86800);
	assert_int_equal(pay_of(&total, &row).amount, 65100); /* Q18's other base */
	row.deduction = 100;
	assert_int_equal(pay_of(&p, &row).amount, 0);
	assert_int_equal(pay_of(&total, &row).amount, 0);
	row = row_of(27, 29); /* example 20 */
	row.wrong_withdrawal = true;
	row.deduction = 33;
	assert_int_equal(pay_of(&p, &row).amount, 54722);
	row = row_of(29, 30); /* example 23 */
	row.deduction = 20;
	row.leader = true;
	team = (struct pay_team){.by_pooled = 100000, .by_mean = 100000};
	assert_int_equal(pay_of(&p, &row).amount, 180960);
	assert_int_equal(pay_bonus(&p, &team, &row), 80000);
	row.leader = false;
	assert_int_equal(pay_bonus(&p, &team, &row), 0);
}

/* Exactly at each threshold, one below, one above, out of 1000 and of 10^6. */
static void
boundaries(void **state)
{
	static const struct {
		int percent;
		int64_t below, at, above; /* fen a person, without steps */
	} rows[] = {
	    {92, 0, 5500, 5500},
	    {93, 5500, 5500, 6000},
	    {94, 6000, 6000, 6500},
	    {95, 6500, 6500, 7000},
	    {96, 7000, 7000, 7500},
	    {97, 7500, 7500, 8000},
	    {98, 8000, 8000, 8500},
	    {99, 8500, 10000, 10000},
	    {100, 10000, 10000, NEVER},
	};
	struct pay_policy p = reading(A), inclusive = reading(INCLUSIVE);

	(void)state;
	for (int64_t adm = 1000; adm <= PAY_COUNT_MAX; adm *= 1000) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			int64_t reg = adm / 100 * rows[i].percent;
			struct pay_row below = row_of(reg - 1, adm), at = row_of(reg, adm),
			               above = row_of(reg + 1, adm);

			assert_int_equal(pay_of(&p, &below).base, rows[i].below);
			assert_int_equal(pay_of(&p, &at).base, rows[i].at);
			if (rows[i].above == NEVER)
				continue;
			assert_int_equal(pay_of(&p, &above).base, rows[i].above);
			assert_int_equal(pay_of(&inclusive, &at).base, rows[i].above);
		}
	}
}

/* (r - t) / 0.001 in binary gives one step less than there is. */
static void
floating_point_traps(void **state)
{
	static const struct {
		int64_t registered, admitted;
		int steps;
	} rows[] = {{47, 50, 10}, {94, 100, 10}, {141, 150, 10}, {118, 125, 4}};
	struct pay_policy p = reading(A);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct pay_row row = row_of(rows[i].registered, rows[i].admitted);

		assert_int_equal(pay_of(&p, &row).steps, rows[i].steps);
	}
}

/* Examples 4, 15 and 22 are the same in every reading; nobody admitted divides by nothing in any. */
static void
same_in_all_readings(void **state)
{
	(void)state;
	for (int r = A; r <= NO_TOP; r++) {
		struct pay_policy p = reading((enum reading)r);
		struct pay_row four = row_of(50, 51), fifteen = row_of(26, 29), none = row_of(0, 0);

		assert_int_equal(pay_of(&p, &four).amount, 425000);
		assert_int_equal(pay_of(&p, &fifteen).amount, 0);
		assert_int_equal(pay_of(&p, &none).amount, 0);
	}
}

static void
approved_only(void **state)
{
	struct pay_policy p = reading(A);
	struct pay_row row = row_of(29, 30);

	(void)state;
	p.step = PAY_STEP_APPROVED;
	assert_int_equal(pay_of(&p, &row).standard, 7800);
	row.approved = false;
	assert_int_equal(pay_of(&p, &row).standard, 7500);
}

static void
teams(void **state)
{
	struct pay_policy p = reading(A);
	struct pay_row rows[PAY_TEAM_MAX];
	struct pay_team team;

	(void)state;
	rows[0] = row_of(44, 50); /* example 17 */
	rows[0].leader = true;
	for (int i = 1; i < 6; i++)
		rows[i] = row_of(10, 10);
	team = pay_team_of(rows, 6);
	assert_int_equal(team.by_pooled, 100000);
	assert_int_equal(team.by_mean, 150000);
	assert_true(team.differ);
	assert_int_equal(pay_bonus(&p, &team, &rows[0]), 100000);
	p.team_rate = PAY_TEAM_MEAN;
	assert_int_equal(pay_bonus(&p, &team, &rows[0]), 150000);
	rows[0] = rows[5] = row_of(58, 60); /* example 18 */
	for (int i = 1; i < 5; i++)
		rows[i] = row_of(18, 20);
	team = pay_team_of(rows, 6);
	assert_int_equal(team.by_pooled, 100000);
	assert_int_equal(team.by_mean, 0);
	assert_true(team.differ);
	/* 1/3 + 2/3 with 85 whole ones: exactly 95 of 100, which no decimal reaches */
	rows[0] = row_of(1, 3);
	rows[1] = row_of(2, 3);
	for (int i = 2; i < 20; i++)
		rows[i] = row_of(i < 2 + 18 ? 7 : 0, 7);
	assert_int_equal(pay_team_of(rows, 20).by_mean, 150000);
	rows[19] = row_of(999998, 999999);
	assert_int_equal(pay_team_of(rows, 20).by_mean, 100000);
	for (int i = 0; i < PAY_TEAM_MAX; i++)
		rows[i] = row_of(PAY_COUNT_MAX - 1, PAY_COUNT_MAX);
	assert_int_equal(pay_team_of(rows, PAY_TEAM_MAX).by_mean, 150000);
	for (int i = 0; i < 3; i++)
		rows[i] = row_of(0, 0);
	team = pay_team_of(rows, 3);
	assert_int_equal(team.by_pooled + team.by_mean, 0);
}

/* domain.md a.13: what one more registration is worth with 29 candidates. */
static void
one_more(void **state)
{
	struct pay_policy p = reading(A);
	struct pay_row row = row_of(26, 29);

	(void)state;
	assert_int_equal(pay_one_more(&p, &row), 163350);
	row = row_of(27, 29);
	assert_int_equal(pay_one_more(&p, &row), 217000 - 163350);
	row = row_of(28, 29);
	assert_int_equal(pay_one_more(&p, &row), 304500 - 217000);
	row = row_of(29, 29);
	assert_int_equal(pay_one_more(&p, &row), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(examples),
	    cmocka_unit_test(workload),
	    cmocka_unit_test(cuts),
	    cmocka_unit_test(boundaries),
	    cmocka_unit_test(floating_point_traps),
	    cmocka_unit_test(same_in_all_readings),
	    cmocka_unit_test(approved_only),
	    cmocka_unit_test(teams),
	    cmocka_unit_test(one_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
