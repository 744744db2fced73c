/* test_readings.c - the readings of a policy file reach the law of pay, and those of a closed sheet come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "workers/reconciliation/readings.h"

static void
the_default_policy_is_the_default(void **state)
{
	struct buf text = BUF_INIT;
	struct readings r;

	(void)state;
	assert_int_equal(file_read(&text, "deploy/policy/default.policy", 1 << 20, NULL), 0);
	assert_int_equal(readings_of_policy(&r, buf_span(&text), NULL), 0);
	assert_true(readings_are_default(&r));
	assert_int_equal(r.version, 1);
	assert_int_equal(r.minimum_share, 80);
	assert_true(readings_usual_share(&r));
	assert_string_equal(r.unable, "");
	buf_done(&text);
}

static void
every_reading_reaches_pay_and_comes_back(void **state)
{
	static const char text[] =
	    "# x\npolicy | 7 | 2026-03-05 | x\r\nquestion | Q1 | strict | y\n"
	    "question|Q2|from-task\nquestion | Q3 | off\nquestion | Q4 | strict-93\n"
	    "question | Q6 | shortfall\nquestion | Q7 | mean\nquestion | Q18 | original\n"
	    "set | volume.minimum-share | 75% | y";
	struct readings r, back;
	json_t *o;

	(void)state;
	assert_int_equal(readings_of_policy(&r, span_str(text), NULL), 0);
	assert_false(readings_are_default(&r));
	assert_int_equal(r.version, 7);
	assert_int_equal(r.minimum_share, 75);
	assert_int_equal(r.policy.tier, PAY_TIER_STRICT);
	assert_int_equal(r.policy.step_in, PAY_STEP_FROM_93);
	assert_int_equal(r.policy.step, PAY_STEP_OFF);
	assert_int_equal(r.policy.n2, PAY_N2_STRICT93);
	assert_int_equal(r.policy.n1, PAY_N1_PER_SHORT);
	assert_int_equal(r.policy.team_rate, PAY_TEAM_MEAN);
	assert_int_equal(r.policy.n5, PAY_N5_OF_TOTAL);
	assert_string_equal(readings_sql(&r, 3), "strict93");
	o = readings_json(&r);
	assert_int_equal(readings_of_json(&back, o, NULL), 0);
	assert_int_equal(memcmp(back.word, r.word, sizeof(r.word)), 0);
	assert_int_equal(back.version, 7);
	json_object_set_new(o, "Q7", json_string("median"));
	assert_int_equal(readings_of_json(&back, o, NULL), -1);
	json_decref(o);
}

static void
nothing_is_guessed(void **state)
{
	struct err err = ERR_INIT;
	struct readings r;

	(void)state;
	assert_int_equal(
	    readings_of_policy(&r, span_str("policy | 2\n\nquestion | Q4 | generous\n"), &err), -1);
	assert_non_null(strstr(err.text, "第 3 行"));
	assert_int_equal(readings_of_policy(&r, span_str("question | Q19 | team\n"), NULL), 0);
	assert_string_equal(r.unable, "Q19 team");
	assert_int_equal(readings_of_policy(&r, span_str(""), NULL), 0);
	assert_true(readings_are_default(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_default_policy_is_the_default),
	    cmocka_unit_test(every_reading_reaches_pay_and_comes_back),
	    cmocka_unit_test(nothing_is_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
