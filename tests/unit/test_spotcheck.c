/* The draw of a spot check: what must be in it, how much of each caller, and that it can be drawn again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/spotcheck.h"

#define N 120

static const struct spot_rates rates = {5, 5, 60, 20, 3};
static struct spot_row rows[N], again[N];

/* Three callers of 40 records each: cai is new, the others are not. */
static void
fill(struct spot_row *r)
{
	static const char *const people[] = {"ann", "bob", "cai"};

	memset(r, 0, N * sizeof(*r));
	for (int i = 0; i < N; i++) {
		r[i].no = i + 1;
		snprintf(r[i].person, sizeof(r[i].person), "%s", people[i % 3]);
		snprintf(r[i].outcome, sizeof(r[i].outcome), "no-answer");
		snprintf(r[i].case_hex, sizeof(r[i].case_hex), "%032x", (unsigned)i);
		r[i].nth = i % 3 == 2 ? i / 3 + 1 : 100 + i;
		r[i].ob[0] = (uint8_t)(i % 3);
		r[i].seq = (uint64_t)i;
	}
	snprintf(r[0].outcome, sizeof(r[0].outcome), "withdraw-asked"); /* ann */
	snprintf(r[3].outcome, sizeof(r[0].outcome), "confirmed");      /* ann, 30 s */
	r[3].seconds = 30;
	snprintf(r[6].outcome, sizeof(r[0].outcome), "confirmed"); /* ann, long enough */
	r[6].seconds = 300;
}

static const struct spot_row *
row(int64_t no)
{
	for (int i = 0; i < N; i++)
		if (rows[i].no == no)
			return &rows[i];
	fail();
	return NULL;
}

static int
counted(const char *person, enum spot_stratum s)
{
	int n = 0;

	for (int i = 0; i < N; i++)
		n += rows[i].stratum == s && strcmp(rows[i].person, person) == 0;
	return n;
}

static void
what_is_at_risk_is_always_in_it(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 40; seed++) {
		fill(rows);
		spot_select(rows, N, seed, &rates);
		assert_int_equal(row(1)->stratum, SPOT_WITHDRAW);
		assert_true(row(1)->verify); /* 20 % of one is one */
		assert_int_equal(row(4)->stratum, SPOT_SHORT);
		assert_int_equal(counted("cai", SPOT_NEW), 5);
		for (int i = 0; i < 5; i++)
			assert_int_equal(row(3 * i + 3)->stratum, SPOT_NEW);
		assert_true(row(4)->verify != row(7)->verify); /* 3 % of two confirmed */
		assert_int_equal(counted("bob", SPOT_RANDOM), 2);
		assert_true(counted("cai", SPOT_RANDOM) == 2);
	}
}

static void
of_few_records_one_is_seen(void **state)
{
	(void)state;
	fill(rows);
	memmove(rows, rows + 1, sizeof(rows[0])); /* one of bob's */
	spot_select(rows, 1, 3, &rates);
	assert_int_equal(rows[0].stratum, SPOT_RANDOM);
}

static void
the_same_seed_draws_the_same_and_another_does_not(void **state)
{
	int differs = 0;

	(void)state;
	fill(rows);
	fill(again);
	for (int i = 0; i < N / 2; i++) { /* in whatever order they are read */
		struct spot_row t = again[i];

		again[i] = again[N - 1 - i];
		again[N - 1 - i] = t;
	}
	spot_select(rows, N, 77, &rates);
	spot_select(again, N, 77, &rates);
	for (int i = 0; i < N; i++) {
		assert_int_equal(rows[i].no, again[i].no);
		assert_int_equal(rows[i].stratum, again[i].stratum);
		assert_int_equal(rows[i].verify, again[i].verify);
	}
	spot_select(again, N, 78, &rates);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			differs += rows[i].no == again[j].no && rows[i].stratum != again[j].stratum;
	assert_true(differs > 0);
}

static void
a_commitment_tells_seeds_apart(void **state)
{
	char one[25], two[25];

	(void)state;
	spot_commitment(one, 5);
	spot_commitment(two, 5);
	assert_string_equal(one, two);
	assert_int_equal(strlen(one), 24);
	spot_commitment(two, 6);
	assert_string_not_equal(one, two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_at_risk_is_always_in_it),
	    cmocka_unit_test(of_few_records_one_is_seen),
	    cmocka_unit_test(the_same_seed_draws_the_same_and_another_does_not),
	    cmocka_unit_test(a_commitment_tells_seeds_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
