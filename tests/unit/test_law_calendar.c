/* Calling time, with the shipped hours: 08:30-21:00, quiet 13:00-14:00, schools on working days. 2026-03-02
 * is a Monday; 03-07 a Saturday. */
#include "tests/unit/law_kit.h"

static struct policy *policy;
static struct calendar cal;

static int
setup(void **state)
{
	(void)state;
	policy = kit_policy();
	calendar_init(&cal, policy);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static void
is_at(int64_t at, const char *want, const char *what)
{
	char is[32] = "never";

	if (at != CALENDAR_NEVER)
		clock_text(is, at);
	if (strcmp(is, want) != 0)
		fail_msg("%s: is %s, should be %s", what, is, want);
}

static void
delays_run_in_calling_time(void **state)
{
	static const struct {
		const char *at;
		int minutes;
		const char *want;
	} rows[] = {
	    {"2026-03-02 09:00", 120, "2026-03-02 11:00"},
	    {"2026-03-02 12:00", 120, "2026-03-02 15:00"}, /* over the quiet hour */
	    {"2026-03-02 12:00", 60, "2026-03-02 14:00"},  /* an end is the next begin */
	    {"2026-03-02 13:20", 10, "2026-03-02 14:10"},  /* counts from 14:00 */
	    {"2026-03-02 19:30", 120, "2026-03-03 09:00"}, /* 1.5 h, then the night */
	    {"2026-03-02 21:00", 1, "2026-03-03 08:31"},
	    {"2026-03-02 03:00", 0, "2026-03-02 08:30"},
	    {"2026-03-06 20:59", 2, "2026-03-07 08:31"},   /* Saturday is a calling day */
	    {"2026-03-02 08:30", 690, "2026-03-03 08:30"}, /* one whole day: 11.5 h */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_at(calendar_add(
		          &cal, HOURS_CALLING, when(rows[i].at), rows[i].minutes * MINUTE_MS),
		    rows[i].want, rows[i].at);
}

static void
going_back_leaves_the_time_between(void **state)
{
	(void)state;
	is_at(calendar_sub(&cal, HOURS_CALLING, when("2026-03-02 18:00"), 4 * HOUR_MS),
	    "2026-03-02 14:00", "4 h");
	is_at(calendar_sub(&cal, HOURS_CALLING, when("2026-03-02 15:00"), 2 * HOUR_MS),
	    "2026-03-02 12:00", "over quiet");
	is_at(calendar_sub(&cal, HOURS_CALLING, when("2026-03-02 09:00"), HOUR_MS),
	    "2026-03-01 20:30", "over night");
	assert_int_equal(calendar_between(&cal, HOURS_CALLING, when("2026-03-01 20:30"),
	                     when("2026-03-02 09:00")),
	    HOUR_MS);
	assert_int_equal(calendar_between(&cal, HOURS_CALLING, when("2026-03-02 09:00"),
	                     when("2026-03-02 09:00")),
	    0);
	/* The two are each other's inverse. */
	for (int64_t at = when("2026-03-02 08:30"); at < when("2026-03-02 13:00");
	     at += 7 * MINUTE_MS) {
		int64_t back = calendar_sub(&cal, HOURS_CALLING, at, 5 * HOUR_MS);

		assert_int_equal(calendar_between(&cal, HOURS_CALLING, back, at), 5 * HOUR_MS);
	}
}

static void
a_day_is_the_same_time_on_the_next_calling_day(void **state)
{
	struct calendar c = cal;

	(void)state;
	is_at(calendar_days(&c, HOURS_CALLING, when("2026-03-02 16:10"), 1), "2026-03-03 16:10",
	    "1 d");
	is_at(calendar_days(&c, HOURS_CALLING, when("2026-03-02 22:30"), 1), "2026-03-04 08:30",
	    "late evening");
	assert_true(calendar_set_day(&c, calendar_day(when("2026-03-03 00:00")), false, false));
	is_at(calendar_days(&c, HOURS_CALLING, when("2026-03-02 16:10"), 1), "2026-03-04 16:10",
	    "over a holiday");
	is_at(calendar_days(&c, HOURS_CALLING, when("2026-03-02 16:10"), 0), "2026-03-02 16:10",
	    "none");
	is_at(calendar_open(&c, HOURS_CALLING, when("2026-03-02 21:00")), "2026-03-04 08:30",
	    "night before a holiday");
	is_at(calendar_morning(&c, when("2026-03-02 08:00")), "2026-03-04 08:30", "morning");
	/* A day said twice: the later word wins. */
	assert_true(calendar_set_day(&c, calendar_day(when("2026-03-03 00:00")), true, true));
	is_at(calendar_morning(&c, when("2026-03-02 08:00")), "2026-03-03 08:30", "morning");
	assert_int_equal(c.n_days, 1);
}

static void
schools_have_their_own_days(void **state)
{
	struct calendar c = cal;

	(void)state;
	is_at(calendar_open(&c, HOURS_OFFICE, when("2026-03-06 17:00")), "2026-03-09 08:30",
	    "weekend");
	is_at(
	    calendar_open(&c, HOURS_OFFICE, when("2026-03-06 12:00")), "2026-03-06 14:00", "noon");
	is_at(calendar_days(&c, HOURS_OFFICE, when("2026-03-06 10:00"), 1), "2026-03-09 10:00",
	    "Friday + 1 wd");
	assert_true(calendar_set_day(&c, calendar_day(when("2026-03-07 00:00")), true, true));
	is_at(calendar_days(&c, HOURS_OFFICE, when("2026-03-06 10:00"), 1), "2026-03-07 10:00",
	    "a Saturday that is worked");
}

static void
dayparts_follow_each_other(void **state)
{
	(void)state;
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 06:00")), 0);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 11:59")), 0);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 12:00")), 1);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 13:30")), 1);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 14:00")), 2);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 17:30")), 3);
	assert_int_equal(calendar_daypart(&cal, when("2026-03-02 23:00")), 3);
	is_at(calendar_next_daypart(&cal, when("2026-03-02 09:00"), 15), "2026-03-02 12:00", "a");
	is_at(calendar_next_daypart(&cal, when("2026-03-02 12:30"), 15), "2026-03-02 14:00", "b");
	is_at(calendar_next_daypart(&cal, when("2026-03-02 18:00"), 15), "2026-03-03 08:30", "d");
	is_at(
	    calendar_next_daypart(&cal, when("2026-03-02 09:00"), 8), "2026-03-02 17:30", "only d");
	is_at(calendar_next_daypart(&cal, when("2026-03-02 17:30"), 8), "2026-03-03 17:30",
	    "strictly after");
}

static void
the_gate_says_until_when(void **state)
{
	static const struct {
		const char *at;
		enum gate gate;
		const char *until, *opens;
	} rows[] = {
	    {"2026-03-02 03:00", GATE_CLOSED, "2026-03-02 08:30", "2026-03-02 08:30"},
	    {"2026-03-02 08:30", GATE_OPEN, "2026-03-02 13:00", "2026-03-02 08:30"},
	    {"2026-03-02 13:00", GATE_CLOSED, "2026-03-02 14:00", "2026-03-02 14:00"},
	    {"2026-03-02 20:59", GATE_OPEN, "2026-03-02 21:00", "2026-03-02 20:59"},
	    {"2026-03-02 21:00", GATE_ASKED, "2026-03-02 21:30", "2026-03-03 08:30"},
	    {"2026-03-02 21:30", GATE_CLOSED, "2026-03-03 08:30", "2026-03-03 08:30"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate_state g = calendar_gate(&cal, when(rows[i].at));

		assert_int_equal(g.gate, rows[i].gate);
		is_at(g.until, rows[i].until, rows[i].at);
		is_at(g.opens, rows[i].opens, rows[i].at);
	}
}

static void
no_open_day_and_no_sane_time_still_end(void **state)
{
	static const int64_t odd[] = {INT64_MIN, -1, 0, CALENDAR_NEVER, INT64_MAX};
	struct policy none = *policy;
	struct calendar c;

	(void)state;
	none.calling_days = 0;
	calendar_init(&c, &none);
	assert_int_equal(calendar_add(&c, HOURS_CALLING, 0, 1), CALENDAR_NEVER);
	assert_int_equal(calendar_days(&c, HOURS_CALLING, 0, 1), CALENDAR_NEVER);
	assert_int_equal(calendar_next_daypart(&c, 0, 15), CALENDAR_NEVER);
	assert_int_equal(calendar_gate(&c, 0).gate, GATE_CLOSED);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_true(calendar_open(&cal, HOURS_CALLING, odd[i]) >= 0);
		assert_true(calendar_add(&cal, HOURS_CALLING, odd[i], 1) > 0);
		assert_true(calendar_sub(&cal, HOURS_CALLING, odd[i], HOUR_MS) >= 0);
		assert_true(calendar_days(&cal, HOURS_OFFICE, odd[i], 200) > 0);
		assert_true(calendar_between(&cal, HOURS_CALLING, odd[i], INT64_MAX) >= 0);
		assert_in_range(calendar_daypart(&cal, odd[i]), 0, 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delays_run_in_calling_time),
	    cmocka_unit_test(going_back_leaves_the_time_between),
	    cmocka_unit_test(a_day_is_the_same_time_on_the_next_calling_day),
	    cmocka_unit_test(schools_have_their_own_days),
	    cmocka_unit_test(dayparts_follow_each_other),
	    cmocka_unit_test(the_gate_says_until_when),
	    cmocka_unit_test(no_open_day_and_no_sane_time_still_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
