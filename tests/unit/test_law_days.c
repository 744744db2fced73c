/* Days off that come in later: what was reckoned by the old calendar is reckoned anew. 2026-03-02 is a Monday. */
#include "tests/unit/law_acts_kit.h"

static void
day_off(struct kit *k, const char *date, bool calling, const char *now)
{
	struct calendar was = k->calendar;

	assert_true(calendar_set_day(&k->calendar, calendar_day(when(date)), calling, false));
	law_new_days(&k->c, &was, &k->calendar, when(now));
	kit_tick(k, now);
}

static void
a_retry_waits_as_long_in_calling_time(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 12:00", "suspended", 1); /* 1 d */
	assert_placed(&k, "own:ann:due", "2026-03-03 12:00", "retry");
	day_off(&k, "2026-03-03 00:00", false, "2026-03-02 12:10");
	assert_int_equal(k.p.due, when("2026-03-04 12:00"));
	day_off(&k, "2026-03-10 00:00", false, "2026-03-02 12:20"); /* far behind it */
	assert_int_equal(k.p.due, when("2026-03-04 12:00"));
	kit_close(&k);
}

static void
what_was_promised_stays(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_act_init(&a, LAW_ATTEMPT);
	a.person = "ann";
	a.outcome = "call-later";
	a.number = 1;
	a.next_at = when("2026-03-03 10:00");
	kit_act(&k, "2026-03-02 12:00", &a);
	assert_int_equal(k.p.due, when("2026-03-03 10:00"));
	day_off(&k, "2026-03-03 00:00", false, "2026-03-02 12:10");
	assert_int_equal(k.c.promised_at, when("2026-03-03 10:00"));
	assert_int_equal(k.p.due, when("2026-03-03 10:00"));
	kit_close(&k);
}

static void
a_leaders_deadline_moves_with_its_timer(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 20:00", "needs-help", 1); /* 2 h: 1 h tonight, 1 h tomorrow */
	assert_int_equal(k.c.deadline, when("2026-03-03 09:30"));
	day_off(&k, "2026-03-03 00:00", false, "2026-03-02 20:10");
	assert_int_equal(k.c.deadline, when("2026-03-04 09:30"));
	kit_close(&k);
	/* In stage 3 it has a working day: one that is off for schools, though we call, moves it too. */
	kit_open(&k);
	k.c.stage = 3;
	k.c.pass = 0;
	k.c.pass_end = k.ctx.pass_end = 0;
	k.ctx.stage = 3;
	kit_say(&k, "2026-03-02 10:00", "needs-help", 1);
	assert_int_equal(k.c.deadline, when("2026-03-03 10:00"));
	day_off(&k, "2026-03-03 00:00", true, "2026-03-02 10:10");
	assert_int_equal(k.c.deadline, when("2026-03-04 10:00"));
	kit_close(&k);
}

static void
the_end_of_a_pass_and_a_date_of_rest_stay(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 12:00", "suspended", 1);
	k.c.place = PLACE_RESTING;
	k.c.due = when("2026-03-05 10:00");
	day_off(&k, "2026-03-04 00:00", false, "2026-03-02 12:10");
	assert_int_equal(k.c.due, when("2026-03-05 10:00"));
	day_off(&k, "2026-03-05 00:00", false, "2026-03-02 12:20");
	assert_int_equal(k.c.due, when("2026-03-06 08:30")); /* it is a day off itself */
	assert_int_equal(k.c.pass_end, when("2026-03-20 21:00"));
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_retry_waits_as_long_in_calling_time),
	    cmocka_unit_test(what_was_promised_stays),
	    cmocka_unit_test(a_leaders_deadline_moves_with_its_timer),
	    cmocka_unit_test(the_end_of_a_pass_and_a_date_of_rest_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
