/* test_pay.c - what of the law of pay is no row of a table: cuts, teams, what one more is worth, and what holds in every
 * reading. The worked examples and boundaries are in test_pay_examples.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "workers/reconciliation/pay.h"

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

/* Exactly at each threshold, one below and one above, out of 10^6; out of 1000 it is in the table. */
static void
boundaries(void **state)
{
	struct pay_policy p = reading(A);

	(void)state;
	for (int percent = 92; percent <= 99; percent++) {
		int64_t adm = PAY_COUNT_MAX, reg = adm / 100 * percent;
		struct pay_row below = row_of(reg - 1, adm), at = row_of(reg, adm),
		               above = row_of(reg + 1, adm);

		assert_true(pay_of(&p, &below).base < pay_of(&p, &above).base);
		assert_int_equal(pay_of(&p, &at).base, percent == 92 || percent == 99
		                                           ? pay_of(&p, &above).base
		                                           : pay_of(&p, &below).base);
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
	    cmocka_unit_test(cuts),
	    cmocka_unit_test(boundaries),
	    cmocka_unit_test(same_in_all_readings),
	    cmocka_unit_test(approved_only),
	    cmocka_unit_test(teams),
	    cmocka_unit_test(one_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
