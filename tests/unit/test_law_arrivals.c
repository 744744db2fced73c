/* Registered comes from the arrivals file, wherever the case is; a corrected file puts it back there. */
#include "tests/unit/law_acts_kit.h"

static void
arrives(struct kit *k, const char *at, const char *what)
{
	struct law_act a;

	law_act_init(&a, LAW_ARRIVAL);
	a.what = what;
	kit_act(k, at, &a);
}

/* What brought the case where it is, and where that is. */
static const struct {
	const char *outcome;
	enum place place;
	enum intent state;
} before[] = {
    {"confirmed", PLACE_RESTING, STATE_CONFIRMED},
    {"considering", PLACE_OWN, STATE_CONSIDERING},
    {"no-answer", PLACE_OWN, STATE_IN_PROGRESS},
    {"needs-help", PLACE_TEAM, STATE_IN_PROGRESS},
    {"incident", PLACE_SUPERVISION, STATE_IN_PROGRESS},
    {"nonsense", PLACE_PARKED, STATE_NEW},
    {"deferred", PLACE_RESTING, STATE_DEFERRED},
    {"papers-received", PLACE_TEAM, STATE_WITHDRAW_ASKED},
};

static void
a_correction_puts_it_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct law_placement was;
		uint8_t old[LAW_BLOB_MAX], back[LAW_BLOB_MAX];
		size_t n_old, n_back;
		struct kit k;

		kit_open(&k);
		kit_say(&k, "2026-03-02 09:00", before[i].outcome, 1);
		assert_int_equal(k.c.place, before[i].place);
		was = k.p;
		n_old = law_case_pack(old, &k.c);
		arrives(&k, "2026-03-02 09:01", "");
		assert_placed(&k, "terminal", "never", "registered");
		assert_int_equal(k.c.state, STATE_REGISTERED);
		assert_int_equal(k.p.timer_at, 0);
		/* Once more says nothing new, and nobody is called on the way. */
		arrives(&k, "2026-03-02 09:02", "");
		assert_placed(&k, "terminal", "never", "registered");
		arrives(&k, "2026-03-02 09:03", "no");
		n_back = law_case_pack(back, &k.c);
		assert_string_equal(k.p.lane, was.lane);
		assert_int_equal(k.p.due, was.due);
		assert_int_equal(k.c.state, before[i].state);
		assert_int_equal(n_old, n_back);
		assert_memory_equal(old, back, n_old);
		kit_close(&k);
	}
}

static void
a_no_for_who_never_came_changes_nothing(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
	arrives(&k, "2026-03-02 09:01", "no");
	assert_placed(&k, "resting", "never", "stays");
	assert_int_equal(k.c.state, STATE_CONFIRMED);
	kit_close(&k);
}

static void
who_was_withdrawn_is_told_not_moved(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "papers-received", 0);
	signs(&k, "lea", "2026-03-02 09:10");
	signs(&k, "dan", "2026-03-02 09:20");
	arrives(&k, "2026-03-02 10:00", "");
	assert_placed(&k, "terminal", "never", "after-end");
	assert_int_equal(k.c.state, STATE_WITHDRAWN);
	assert_true(k.p.alerts != 0);
	kit_close(&k);
}

/* Stage 4 opened while it counted as registered: taken back, it is called in stage 4. */
static void
what_opened_meanwhile_is_joined(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "considering", 1);
	arrives(&k, "2026-03-02 09:01", "");
	pass_or_stage(&k, LAW_STAGE, 4, "2026-03-02 10:00", NULL);
	assert_placed(&k, "terminal", "never", "registered");
	arrives(&k, "2026-03-02 11:00", "no");
	assert_placed(&k, "own:ann:due", "2026-03-02 11:00", "not-registered");
	assert_int_equal(k.c.stage, 4);
	kit_close(&k);
}

static void
reopened_it_forgets_where_it_was(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_say(&k, "2026-03-02 09:00", "confirmed", 1);
	arrives(&k, "2026-03-02 09:01", "");
	act(&k, LAW_REOPEN, "head", "2026-03-02 09:02");
	assert_placed(&k, "own:ann:due", "2026-03-02 09:02", "reopened");
	assert_int_equal(k.c.former, 0);
	assert_int_equal(k.c.former_state, 0);
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_correction_puts_it_back_as_it_was),
	    cmocka_unit_test(a_no_for_who_never_came_changes_nothing),
	    cmocka_unit_test(who_was_withdrawn_is_told_not_moved),
	    cmocka_unit_test(what_opened_meanwhile_is_joined),
	    cmocka_unit_test(reopened_it_forgets_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
