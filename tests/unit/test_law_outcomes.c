/* The default outcome table (practice.md 6), one row here for each row there, its delays in order. The
 * case is ann's, in pass 2, which ends two weeks later; it has one number unless the row says more. Each
 * try happens when the one before was due. Hours 08:30-21:00, quiet 13:00-14:00; 2026-03-02 is a Monday. */
#include "tests/unit/law_kit.h"

#define TRIES 5
#define D     "2026-03-0"

struct row {
	const char *outcome;
	int numbers;
	int stage; /* 0: stage 2, pass 2 */
	struct {
		const char *at, *lane, *due, *reason;
	} tries[TRIES];
};

static const struct row rows[] = {
    {"confirmed", 1, 0, {{D "2 09:00", "resting", "never", "rests"}}},
    {"confirmed", 1, 3, {{D "2 09:00", "resting", D "5 08:30", "rests"}}}, /* admission + 3 d */
    {"considering", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 14:00", "talk-again"}, /* 4 h, over quiet */
            {D "2 14:00", "own:ann:due", D "3 14:00", "talk-again"},
            {D "3 14:00", "own:ann:due", D "4 14:00", "talk-again"},
            {D "4 14:00", "team:t1", D "4 14:00", "hand-up"}}},
    {"will-not-say", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 14:00", "talk-again"},
            {D "2 14:00", "own:ann:due", D "2 18:00", "talk-again"},
            {D "2 18:00", "team:t1", D "2 18:00", "hand-up"}}},
    {"withdraw-asked", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 14:00", "talk-again"},
            {D "2 14:00", "own:ann:due", D "3 14:00", "talk-again"},
            {D "3 14:00", "team:t1", D "3 14:00", "hand-up"}}},
    {"needs-help", 1, 0, {{D "2 09:00", "team:t1", D "2 09:00", "hand-up"}}},
    {"ask-leader", 1, 0, {{D "2 09:00", "own:ann:first", D "2 09:30", "asked"}}},
    {"call-later", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 10:00", "talk-again"},
            {D "2 10:00", "own:ann:due", D "2 12:00", "talk-again"},
            {D "2 12:00", "own:ann:due", D "3 12:00", "talk-again"},
            {D "3 12:00", "own:ann:due", D "3 15:00", "retry"}, /* as no-answer: 2 h */
            {D "3 15:00", "own:ann:due", D "3 17:30", "other-daypart"}}},
    {"third-party", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 11:00", "retry"},
            {D "2 11:00", "own:ann:due", D "2 12:00", "other-daypart"},
            {D "2 12:00", "own:ann:due", D "3 12:00", "retry"},
            {D "3 12:00", "team:t1", D "3 12:00", "unreachable"}}},
    {"no-answer", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 11:00", "retry"},
            {D "2 11:00", "own:ann:due", D "2 12:00", "other-daypart"},
            {D "2 12:00", "own:ann:due", D "3 12:00", "retry"},
            {D "3 12:00", "team:t1", D "3 12:00", "unreachable"}}},
    {"no-answer", 2, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "other-number"}}},
    {"busy", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 09:10", "retry"},
            {D "2 09:10", "own:ann:due", D "2 12:00", "retry"}, /* 09:40 is the tired daypart */
            {D "2 12:00", "own:ann:due", D "2 15:00", "retry"},
            {D "2 15:00", "own:ann:due", D "2 17:00", "retry"}}}, /* as no-answer: 2 h */
    {"rejected", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 11:00", "retry"},
            {D "2 11:00", "own:ann:due", D "2 12:00", "other-daypart"},
            {D "2 12:00", "own:ann:due", D "3 12:00", "retry"},
            {D "3 12:00", "team:t1", D "3 12:00", "hand-up"}}},
    {"do-not-call", 1, 0, {{D "2 09:00", "team:t1", D "2 09:00", "hand-up"}}},
    {"powered-off", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 12:00", "retry"},
            {D "2 12:00", "own:ann:due", D "2 14:00", "other-daypart"},
            {D "2 14:00", "own:ann:due", D "3 14:00", "retry"},
            {D "3 14:00", "team:t1", D "3 14:00", "unreachable"}}},
    {"powered-off", 2, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "other-number"}}},
    {"suspended", 1, 0,
        {{D "2 09:00", "own:ann:due", D "3 09:00", "retry"},
            {D "3 09:00", "own:ann:due", D "4 12:00", "retry"}, /* a failed twice: b */
            {D "4 12:00", "team:t1", D "4 12:00", "unreachable"}}},
    {"suspended", 2, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "other-number"}}},
    {"no-signal", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 10:00", "retry"},
            {D "2 10:00", "own:ann:due", D "2 14:00", "retry"}, /* 3 h over quiet */
            {D "2 14:00", "own:ann:due", D "3 14:00", "retry"},
            {D "3 14:00", "team:t1", D "3 14:00", "unreachable"}}},
    {"screened", 1, 0,
        {{D "2 09:00", "own:ann:due", D "2 09:30", "retry"},
            {D "2 09:30", "own:ann:due", D "2 12:00", "retry"}, /* 11:30 is a, which failed twice */
            {D "2 12:00", "own:ann:due", D "3 12:00", "retry"},
            {D "3 12:00", "team:t1", D "3 12:00", "unreachable"}}},
    {"empty-number", 2, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "other-number"}}},
    {"empty-number", 1, 0, {{D "2 09:00", "team:t1", D "2 09:00", "unreachable"}}},
    {"wrong-number", 2, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "other-number"}}},
    {"wrong-number", 1, 0, {{D "2 09:00", "team:t1", D "2 09:00", "unreachable"}}},
    {"school-closed", 1, 0,
        {{"2026-03-06 18:00", "own:ann:due", "2026-03-09 08:30", "retry"}, /* Friday evening */
            {"2026-03-09 08:30", "own:ann:due", "2026-03-11 08:30", "retry"},
            {"2026-03-11 14:00", "team:t1", "2026-03-11 14:00", "unreachable"}}},
    {"sms-sent", 1, 0,
        {{D "2 09:00", "own:ann:first", D "2 11:00", "retry"},
            {D "2 11:00", "own:ann:first", D "2 14:00", "retry"}}},
    {"im-requested", 1, 0,
        {{D "2 09:00", "own:ann:first", D "2 14:00", "retry"},
            {D "2 14:00", "own:ann:first", D "3 14:00", "retry"},
            {D "3 14:00", "own:ann:first", D "3 14:00", "rung"}}},
    {"number-found", 1, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "new-number"}}},
    {"rung-empty", 1, 0, {{D "2 09:00", "own:ann:first", D "2 09:00", "rung"}}},
    {"data-error", 1, 0, {{D "2 09:00", "papers", D "2 09:00", "data-error"}}},
    {"incident", 1, 0, {{D "2 09:00", "supervision", D "2 09:00", "incident"}}},
    {"papers-received", 1, 0, {{D "2 09:00", "team:t1", D "2 09:00", "papers"}}},
    {"papers-incomplete", 1, 0,
        {{D "2 09:00", "own:ann:first", D "2 11:00", "talk-again"},
            {D "2 11:00", "own:ann:first", D "3 11:00", "talk-again"},
            {D "3 11:00", "team:t1", D "3 11:00", "hand-up"}}},
    {"withdraw-cancelled", 1, 0, {{D "2 09:00", "own:ann:promise", D "2 09:00", "talk-again"}}},
    {"withdrawn", 1, 0, {{D "2 09:00", "own:ann:first", D "2 09:00", "no-papers"}}},
    {"admitted-unconfirmed", 1, 0, {{D "2 09:00", "own:ann:first", D "2 09:00", "not-by-call"}}},
    {"following", 1, 3, {{D "2 09:00", "resting", D "5 08:30", "rests"}}},
    {"wavering", 1, 3,
        {{D "2 09:00", "own:ann:due", D "3 09:00", "talk-again"},
            {D "3 09:00", "own:ann:due", D "6 09:00", "talk-again"},
            {D "6 09:00", "own:ann:due", "2026-03-13 09:00", "talk-again"},
            {"2026-03-13 09:00", "team:t1", "2026-03-13 09:00", "hand-up"}}},
    {"regret", 1, 3, {{D "2 09:00", "team:t1", D "2 09:00", "hand-up"}}},
    {"on-the-way", 1, 4,
        {{D "2 09:00", "own:ann:due", D "2 14:00", "talk-again"},
            {D "2 14:00", "own:ann:due", D "3 08:30", "talk-again"},
            {D "3 08:30", "own:ann:due", D "4 08:30", "talk-again"}}},
    {"late-arrival", 1, 4, {{D "2 09:00", "own:ann:due", D "3 08:30", "talk-again"}}},
    {"deferred", 1, 4, {{D "2 09:00", "resting", "never", "rests"}}},
    {"not-coming", 1, 4, {{D "2 09:00", "team:t1", D "2 09:00", "hand-up"}}},
    {"persuaded", 1, 4, {{D "2 09:00", "resting", D "4 09:00", "rests"}}},
    {"registered", 1, 4, {{D "2 09:00", "own:ann:first", D "2 09:00", "not-by-call"}}},
};

static void
begin(struct kit *k, const struct row *row)
{
	struct law_act a;

	kit_open(k);
	if (row->stage != 0) {
		k->ctx.stage = k->c.stage = (uint8_t)row->stage;
		k->ctx.pass = k->c.pass = 0;
		k->ctx.pass_end = k->c.pass_end = 0;
		k->ctx.stage_opened_at = when("2026-03-02 08:00");
	}
	k->c.due = when("2026-03-02 09:00");
	law_act_init(&a, LAW_IMPORT);
	a.n_numbers = row->numbers;
	for (int i = 0; i < row->numbers; i++)
		a.numbers[i] = (uint64_t)i + 1;
	law_fold(&k->c, &k->ctx, &a);
}

static void
every_row_and_every_delay(void **state)
{
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		begin(&k, row);
		for (int t = 0; t < TRIES && row->tries[t].at != NULL; t++) {
			print_message("%s, try %d\n", row->outcome, t + 1);
			kit_say(&k, row->tries[t].at, row->outcome, 1);
			assert_placed(
			    &k, row->tries[t].lane, row->tries[t].due, row->tries[t].reason);
		}
		kit_close(&k);
	}
}

/* The rows above name every outcome but the chat, which goes by its result. */
static void
no_row_is_missing(void **state)
{
	(void)state;
	for (int o = OUT_NONE + 1; o < OUT_COUNT; o++) {
		size_t i = 0;

		while (i < sizeof(rows) / sizeof(rows[0]) &&
		       strcmp(rows[i].outcome, outcome_code((enum outcome)o)) != 0)
			i++;
		if (i == sizeof(rows) / sizeof(rows[0]) && o != OUT_IM_TALK)
			fail_msg("no row for %s", outcome_code((enum outcome)o));
	}
}

/* Which outcome is an attempt, which a contact, and what becomes of the number. */
static void
attempts_contacts_and_numbers(void **state)
{
	static const struct {
		const char *outcome;
		int attempt, contact;
		enum number_state number;
	} counts[] = {{"confirmed", 1, 1, NUMBER_GOOD}, {"considering", 1, 1, NUMBER_GOOD},
	    {"will-not-say", 1, 1, NUMBER_GOOD}, {"withdraw-asked", 1, 1, NUMBER_GOOD},
	    {"needs-help", 1, 1, NUMBER_GOOD}, {"ask-leader", 0, 0, NUMBER_NEW},
	    {"call-later", 1, 0, NUMBER_GOOD}, {"third-party", 1, 0, NUMBER_RELAY},
	    {"no-answer", 1, 0, NUMBER_SILENT}, {"busy", 1, 0, NUMBER_NEW},
	    {"rejected", 1, 0, NUMBER_REFUSED}, {"do-not-call", 1, 1, NUMBER_BLOCKED},
	    {"powered-off", 1, 0, NUMBER_OFF}, {"suspended", 1, 0, NUMBER_SUSPENDED},
	    {"no-signal", 1, 0, NUMBER_SILENT}, {"screened", 1, 0, NUMBER_SILENT},
	    {"empty-number", 1, 0, NUMBER_DEAD}, {"wrong-number", 1, 0, NUMBER_WRONG},
	    {"school-closed", 1, 0, NUMBER_OFF_HOURS}, {"sms-sent", 1, 0, NUMBER_NEW},
	    {"im-requested", 1, 0, NUMBER_NEW}, {"number-found", 0, 0, NUMBER_NEW},
	    {"rung-empty", 0, 0, NUMBER_NEW}, {"data-error", 1, 1, NUMBER_GOOD},
	    {"incident", 1, 1, NUMBER_NEW}, {"papers-received", 0, 0, NUMBER_NEW},
	    {"papers-incomplete", 0, 0, NUMBER_NEW}, {"withdraw-cancelled", 1, 1, NUMBER_GOOD},
	    {"withdrawn", 0, 0, NUMBER_RETIRED}, {"admitted-unconfirmed", 0, 0, NUMBER_NEW},
	    {"following", 1, 1, NUMBER_GOOD}, {"wavering", 1, 1, NUMBER_GOOD},
	    {"regret", 1, 1, NUMBER_GOOD}, {"on-the-way", 1, 1, NUMBER_GOOD},
	    {"late-arrival", 1, 1, NUMBER_GOOD}, {"deferred", 1, 1, NUMBER_GOOD},
	    {"not-coming", 1, 1, NUMBER_GOOD}, {"persuaded", 1, 1, NUMBER_GOOD},
	    {"registered", 0, 0, NUMBER_NEW}};
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		begin(&k, &(struct row){.numbers = 2});
		print_message("%s\n", counts[i].outcome);
		kit_say(&k, "2026-03-02 09:00", counts[i].outcome, 1);
		assert_int_equal(k.c.attempts, counts[i].attempt);
		assert_int_equal(k.c.contacts, counts[i].contact);
		assert_int_equal(k.c.numbers[0].state, counts[i].number);
		assert_int_equal(k.c.numbers[1].state, NUMBER_NEW);
		kit_close(&k);
	}
	assert_int_equal(sizeof(counts) / sizeof(counts[0]), OUT_COUNT - 2); /* im-talk apart */
}

static void
call_later_is_a_contact_from_a_minute_on(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	begin(&k, &rows[0]);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "call-later";
	a.person = "ann";
	a.seconds = 59;
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_int_equal(k.c.contacts, 0);
	a.seconds = 60;
	kit_act(&k, "2026-03-02 10:00", &a);
	assert_int_equal(k.c.contacts, 1);
	assert_int_equal(k.c.seconds, 119);
	kit_close(&k);
}

static void
a_chat_goes_as_its_result_says(void **state)
{
	struct law_act a;
	struct kit k;

	(void)state;
	begin(&k, &rows[0]);
	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = "im-talk";
	a.result = "considering";
	a.person = "ann";
	kit_act(&k, "2026-03-02 09:00", &a);
	assert_placed(&k, "own:ann:due", "2026-03-02 14:00", "talk-again");
	assert_int_equal(k.c.contacts, 1);
	kit_close(&k);
	/* Without a readable result a person must look: it is not lost, and not guessed. */
	static const char *const odd[] = {"", "im-talk", "no-answer", "bogus"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		begin(&k, &rows[0]);
		a.result = odd[i];
		kit_act(&k, "2026-03-02 09:00", &a);
		assert_placed(&k, "parked", "2026-03-02 09:00", "not-readable");
		kit_close(&k);
	}
}

static void
the_screen_is_told_what_to_do_beside(void **state)
{
	struct kit k;

	(void)state;
	begin(&k, &rows[0]);
	kit_say(&k, "2026-03-02 09:00", "no-answer", 1);
	assert_int_equal(k.p.hints, 1u << HINT_SMS | 1u << HINT_IM);
	kit_say(&k, "2026-03-02 11:00", "rejected", 1);
	assert_int_equal(
	    k.p.hints, 1u << HINT_SMS | 1u << HINT_OTHER_NUMBER | 1u << HINT_OTHER_LINE);
	assert_string_equal(k.p.text, "上次：拒接（共2次，联系上0次）；换时段再打");
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_and_every_delay),
	    cmocka_unit_test(no_row_is_missing),
	    cmocka_unit_test(attempts_contacts_and_numbers),
	    cmocka_unit_test(call_later_is_a_contact_from_a_minute_on),
	    cmocka_unit_test(a_chat_goes_as_its_result_says),
	    cmocka_unit_test(the_screen_is_told_what_to_do_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
