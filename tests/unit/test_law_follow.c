/* Follow-up dates of stages 3 and 4, also of a case that rests already when a date becomes known. */
#include "tests/unit/law_acts_kit.h"

/* A case confirmed on the 2nd, stage 3 from the 3rd, and "following" said on `said`. */
static const struct {
	const char *said, *notice, *from, *due;
	bool master;
} rows[] = {
    {"2026-03-04 09:00", NULL, NULL, "2026-03-06 09:00", false}, /* admission + 3 d */
    {"2026-03-06 09:00", NULL, NULL, "2026-04-05 09:00", false}, /* monthly */
    {"2026-03-06 09:00", "2026-03-05", NULL, "2026-03-10 08:30", false},
    {"2026-03-12 09:00", "2026-03-05", NULL, "2026-04-11 09:00", false},
    {"2026-03-06 09:00", NULL, "2026-03-25", "2026-03-11 08:30", false}, /* - 14 d */
    {"2026-03-11 08:30", NULL, "2026-03-25", "2026-03-23 08:30", false}, /* - 2 d */
    {"2026-03-23 08:30", NULL, "2026-03-25", "2026-04-22 08:30", false},
    {"2026-03-06 09:00", NULL, NULL, "2026-03-20 09:00", true}, /* every 14 days */
};

static int64_t
midnight(const char *day)
{
	char text[32];

	snprintf(text, sizeof(text), "%s 00:00", day);
	return when(text);
}

static void
begin(struct kit *k, size_t i)
{
	kit_open(k);
	kit_say(k, "2026-03-02 09:00", "confirmed", 1);
	pass_or_stage(k, LAW_STAGE, 3, "2026-03-03 09:00", NULL);
	assert_placed(k, "resting", "2026-03-06 09:00", "new-stage");
	k->ctx.special_master = rows[i].master;
}

static void
dates(struct kit *k, size_t i)
{
	if (rows[i].notice != NULL)
		k->ctx.notice_sent_at = midnight(rows[i].notice);
	if (rows[i].from != NULL) {
		k->ctx.registration_from = midnight(rows[i].from);
		k->ctx.registration_until = k->ctx.registration_from + DAY_MS;
	}
}

static void
each_date_in_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit k;

		begin(&k, i);
		dates(&k, i);
		kit_say(&k, rows[i].said, "following", 1);
		assert_placed(&k, "resting", rows[i].due, "rests");
		kit_close(&k);
	}
}

static void
a_date_that_becomes_known_wakes_who_rests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit k;

		begin(&k, i);
		kit_say(&k, rows[i].said, "following", 1);
		dates(&k, i);
		kit_tick(&k, rows[i].said);
		assert_int_equal(k.p.due, when(rows[i].due));
		assert_int_equal(k.p.timer_at, k.p.due);
		kit_close(&k);
	}
}

/* Nobody whom a date does not concern: deferred, ruled unconfirmed, not to be called. */
static void
others_sleep_on(void **state)
{
	static const char *const outcomes[] = {"deferred", "do-not-call"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct kit k;
		int64_t due;

		begin(&k, 4);
		kit_say(&k, "2026-03-06 09:00", outcomes[i], 1);
		kit_say_by(&k, "lea", "2026-03-06 09:05", "sms-sent", 1);
		assert_string_equal(k.p.lane, "resting");
		due = k.p.due;
		dates(&k, 4);
		kit_tick(&k, "2026-03-06 10:00");
		assert_int_equal(k.p.due, due);
		kit_close(&k);
	}
}

/* The intention that was said is asked after every two weeks, until they have paid. */
static void
a_special_masters_intention_is_followed_until_it_is_paid(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	kit_open(&k);
	law_act_init(&a, LAW_NOTE);
	a.person = "ann";
	a.special_master = true;
	a.effective = false;
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_false(k.c.special_master);
	a.effective = true;
	kit_act(&k, "2026-03-02 09:05", &a);
	assert_true(k.c.special_master);
	assert_int_equal(k.c.attempts, 0); /* a note is no call and moves nothing */
	assert_string_equal(k.p.lane, "own:ann:first");
	law_act_init(&a, LAW_ATTEMPT);
	a.person = "ann";
	a.outcome = "following";
	a.number = 1;
	a.paid = true;
	kit_act(&k, "2026-03-02 10:00", &a);
	assert_false(k.c.special_master);
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_special_masters_intention_is_followed_until_it_is_paid),
	    cmocka_unit_test(each_date_in_turn),
	    cmocka_unit_test(a_date_that_becomes_known_wakes_who_rests),
	    cmocka_unit_test(others_sleep_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
