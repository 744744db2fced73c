/* Random lives of cases: whatever is recorded, in whatever order, each case is in exactly one place with a
 * next time, what is offered by machine is due inside the hours, an end is an end, and at most one strike
 * task is open. Seeded; the seed of a failing life is printed. */
#include "proto/meters.h"
#include "tests/unit/law_kit.h"

#include "base/text.h"

#ifndef LIVES
#define LIVES 1500
#endif
#define ACTS 60

static unsigned seed;

static unsigned
dice(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static const char *const people[] = {"ann", "bob", "lea", "max", "dan", "head"};

static void
random_act(struct law_act *a, struct kit *k)
{
	static const enum law_kind kinds[] = {LAW_ATTEMPT, LAW_ATTEMPT, LAW_ATTEMPT, LAW_ATTEMPT,
	    LAW_ATTEMPT, LAW_ATTEMPT, LAW_ATTEMPT, LAW_ATTEMPT, LAW_ATTEMPT, LAW_TIMER, LAW_NOTE,
	    LAW_NUMBER, LAW_PAPER, LAW_PAPER, LAW_HANDOVER, LAW_STAGE, LAW_PASS, LAW_RULING,
	    LAW_RULING, LAW_WAIVER, LAW_REOPEN, LAW_ADOPT, LAW_CORRECTION, LAW_ARRIVAL,
	    LAW_GIVE_BACK, LAW_FREE, LAW_MESSAGE, LAW_OTHER, LAW_RELEASE, LAW_IMPORT};
	int64_t now = k->ctx.now;

	law_act_init(a, kinds[dice(sizeof(kinds) / sizeof(kinds[0]))]);
	a->effective = dice(12) != 0;
	a->person = people[dice(6)];
	a->strike_team = a->person[0] == 'm';
	if (a->kind == LAW_ARRIVAL && dice(4) != 0)
		a->kind = LAW_ATTEMPT;
	if (dice(40) == 0)
		a->outcome = "nonsense";
	else
		a->outcome = outcome_code((enum outcome)dice(OUT_COUNT));
	if (a->kind == LAW_PAPER && dice(2) == 0)
		a->outcome = dice(2) == 0 ? "papers-received" : "withdrawn";
	a->result = outcome_code((enum outcome)dice(OUT_COUNT));
	a->was = outcome_code((enum outcome)dice(OUT_COUNT));
	a->what = dice(2) == 0 ? "resume" : dice(2) == 0 ? "strike" : dice(2) == 0 ? "sent" : "";
	a->number = dice(3) == 0 ? 0 : dice(12);
	a->seconds = dice(3) == 0 ? UINT32_MAX : dice(300);
	a->inbound = dice(4) == 0;
	a->ticks = dice(8);
	a->rung = (int)dice(14) - 1;
	if (dice(3) == 0)
		a->next_at =
		    dice(20) == 0 ? INT64_MAX : now + (int64_t)dice(200) * HOUR_MS - DAY_MS;
	if (dice(4) == 0)
		a->decide_by = now + (int64_t)dice(100) * HOUR_MS - DAY_MS;
	a->they_call = dice(5) == 0;
	a->signer = dice(4) != 0;
	a->items = dice(3) != 0 ? PAPER_ALL : dice(64);
	a->evidence = dice(4) != 0;
	a->stage = (int)dice(6);
	a->pass = (int)dice(5);
	a->until = dice(3) == 0 ? 0 : now + (int64_t)dice(100) * HOUR_MS;
	a->to = dice(8) == 0 ? "not a name" : dice(4) == 0 ? "" : people[dice(6)];
	a->to_team = dice(3) == 0 ? "strike" : "";
	a->credit = dice(3) == 0;
	a->special_master = dice(2) == 0;
	a->n_numbers = (int)dice(LAW_NUMBERS + 1);
	for (int i = 0; i < a->n_numbers; i++)
		a->numbers[i] = dice(12);
}

static void
random_ctx(struct kit *k)
{
	k->ctx.now +=
	    dice(3) == 0 ? (int64_t)dice(3000) * MINUTE_MS : (int64_t)dice(90) * MINUTE_MS;
	k->ctx.now += dice(1000);
	if (dice(20) == 0)
		k->ctx.presence = (enum presence)dice(3);
	k->ctx.absent_since = k->ctx.now - (int64_t)dice(48) * HOUR_MS;
	if (dice(30) == 0)
		k->ctx.team = dice(3) == 0 ? "" : "t1";
	if (dice(30) == 0) {
		k->ctx.pass = (int)dice(4);
		k->ctx.pass_end = dice(4) == 0 ? 0 : k->ctx.now + (int64_t)dice(60) * HOUR_MS;
	}
	if (dice(40) == 0)
		k->ctx.stage = 1 + (int)dice(4);
	if (dice(40) == 0)
		k->ctx.registration_from = k->ctx.now + (int64_t)dice(20) * DAY_MS;
	k->ctx.registration_until = k->ctx.registration_from + 3 * DAY_MS;
	k->ctx.held = dice(6) == 0;
	k->ctx.reserved_for = dice(2) == 0 ? "" : dice(4) == 0 ? "NO NAME" : "bob";
	k->ctx.special_master = dice(5) == 0;
	k->ctx.order = dice(1000);
}

static bool
well_formed(const char *lane)
{
	static const char *const plain[] = {"unreleased", "pool", "strike", "strike:hot", "papers",
	    "supervision", "parked", "resting", "terminal", "team:t1", "team:t1:hot"};
	const char *rest;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(lane, plain[i]) == 0)
			return true;
	if (strncmp(lane, "own:", 4) != 0 || (rest = strchr(lane + 4, ':')) == NULL ||
	    !text_is_id(lane + 4, (size_t)(rest - lane - 4)))
		return false;
	return strcmp(rest, ":promise") == 0 || strcmp(rest, ":asked") == 0 ||
	       strcmp(rest, ":first") == 0 || strcmp(rest, ":retry") == 0 ||
	       strcmp(rest, ":due") == 0;
}

#define HOLDS(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fail_msg("life %u, act %d (%d %s): %s; lane %s %s", life, n, (int)a.kind,  \
			    a.outcome, #cond, k.p.lane, reason_code(k.p.reason));                  \
	} while (0)

/* What a screen reads of the memory (proto/meters.h) is what the law wrote. */
static bool
shows(const struct law_case *c, struct span blob)
{
	uint64_t deadline = c->deadline == CALENDAR_NEVER ? 0 : (uint64_t)c->deadline;
	struct meters m;

	return meters_read(&m, blob) && m.attempts == c->attempts && m.contacts == c->contacts &&
	       m.seconds == c->seconds && m.since == (uint64_t)c->since && m.deadline == deadline &&
	       m.asked == c->asked;
}

static void
live(struct kit *k0, unsigned life)
{
	struct kit k = *k0;
	struct law_act a;
	bool was_terminal = false;
	int n;

	seed = life * 2654435761u + 1;
	k.calendar.policy = k.policy;
	k.ctx.calendar = &k.calendar;
	k.ctx.owner = k.owner;
	if (dice(2) == 0) {
		law_case_init(&k.c);
		k.owner[0] = '\0';
	}
	for (n = 0; n < ACTS; n++) {
		const struct law_case *c = &k.c;
		enum intent before = c->state;
		uint8_t blob[LAW_BLOB_MAX];
		struct law_case back;
		struct err err = ERR_INIT;
		size_t len;

		random_ctx(&k);
		random_act(&a, &k);
		a.at = dice(10) == 0 ? INT64_MIN : k.ctx.now - (int64_t)dice(100) * MINUTE_MS;
		memset(&k.p, 0x5a, sizeof(k.p));
		law_fold(&k.c, &k.ctx, &a);
		if (law_next(&k.c, &k.ctx, &a, &k.p, &err) != 0)
			fail_msg("life %u: %s", life, err.text);
		HOLDS(strlen(k.p.owner) <= LAW_NAME_MAX);
		strcpy(k.owner, k.p.owner);
		HOLDS(well_formed(k.p.lane));
		HOLDS(k.p.reason < REASONS);
		len = law_case_pack(blob, c);
		HOLDS(len <= LAW_BLOB_MAX);
		HOLDS(law_case_unpack(&back, span_of(blob, len), &err) == 0);
		HOLDS(memcmp(&back, c, sizeof(back)) == 0);
		HOLDS(shows(c, span_of(blob, len)));
		/* Machine-offered work is due inside the hours; nothing open is without a time. */
		if (c->place == PLACE_OWN || c->place == PLACE_TEAM || c->place == PLACE_STRIKE ||
		    c->place == PLACE_POOL) {
			HOLDS(k.p.due > 0 && k.p.due < CALENDAR_NEVER);
			HOLDS(calendar_is_open(&k.calendar,
			    strstr(k.p.lane, ":asked") != NULL ? HOURS_ASKED : HOURS_CALLING,
			    k.p.due));
		}
		if (c->place == PLACE_PAPERS || c->place == PLACE_SUPERVISION ||
		    c->place == PLACE_TEAM || c->place == PLACE_STRIKE)
			HOLDS(k.ctx.held || k.p.timer_at > k.ctx.now);
		HOLDS(k.p.timer_at == 0 || k.p.timer_at > k.ctx.now);
		if (c->no_dial)
			HOLDS(k.ctx.held || (c->place != PLACE_OWN && c->place != PLACE_POOL &&
			                        c->place != PLACE_STRIKE));
		/* Only one task, and only where strike tasks are. */
		HOLDS(c->place != PLACE_STRIKE || c->strike != STRIKE_NONE);
		HOLDS(c->strike == STRIKE_NONE || c->state == STATE_REGISTERED ||
		      c->place == PLACE_STRIKE || c->place == PLACE_SUPERVISION ||
		      c->place == PLACE_PARKED);
		HOLDS(
		    c->strike != STRIKE_LOST || ((c->rungs_done | c->rungs_waived) & 0xf0) == 0xf0);
		if (was_terminal && (a.kind != LAW_REOPEN || before == STATE_WITHDRAWN))
			HOLDS(c->place == PLACE_TERMINAL);
		if (was_terminal && before == STATE_WITHDRAWN)
			HOLDS(c->state == STATE_WITHDRAWN);
		was_terminal = c->place == PLACE_TERMINAL;
	}
	/* Looking again at the same moment changes nothing. */
	k.ctx.held = false;
	law_next(&k.c, &k.ctx, NULL, &k.p, NULL);
	struct law_case once = k.c;
	struct law_placement p = k.p;
	law_next(&k.c, &k.ctx, NULL, &k.p, NULL);
	HOLDS(memcmp(&once, &k.c, sizeof(once)) == 0);
	HOLDS(strcmp(p.lane, k.p.lane) == 0 && p.due == k.p.due && p.timer_at == k.p.timer_at);
}

static void
any_life_keeps_the_rules(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	for (unsigned life = 1; life <= LIVES; life++) {
		k.policy->set_n[SET_LADDER_TASKS] = (int32_t)(life & 1);
		live(&k, life);
	}
	kit_close(&k);
}

/* Time alone brings every open case forward: with nobody doing anything it never stands still unseen. */
static void
time_alone_leaves_nothing_unseen(void **state)
{
	static const char *const starts[] = {"needs-help", "considering", "papers-received",
	    "incident", "empty-number", "regret", "ask-leader", "data-error", "do-not-call",
	    "call-later"};
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		bool told = false;

		kit_open(&k);
		kit_say(&k, "2026-03-02 09:00", starts[i], 1);
		for (int n = 0; n < 12 && k.p.timer_at != 0; n++) {
			int64_t before = k.ctx.now;

			k.ctx.now = k.p.timer_at;
			assert_true(k.ctx.now > before);
			assert_int_equal(law_next(&k.c, &k.ctx, NULL, &k.p, NULL), 0);
			told = told || (k.p.alerts & ALERT_HEAD) != 0;
		}
		if (!told)
			/* An ordinary retry just stays due with its owner. */
			assert_string_equal(starts[i], "call-later");
		kit_close(&k);
	}
}

/* Every outcome in every place has a rule. */
static void
no_cell_of_the_table_is_empty(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int p = 0; p < PLACES; p++)
		for (int o = OUT_NONE + 1; o < OUT_COUNT; o++) {
			struct law_act a;
			struct err err = ERR_INIT;

			law_case_init(&k.c);
			k.c.place = (enum place)p;
			k.c.strike = p == PLACE_STRIKE ? STRIKE_LOST : STRIKE_NONE;
			k.c.strike_by = p == PLACE_STRIKE ? k.ctx.now / 1000 * 1000 : 0;
			k.c.due = k.ctx.now;
			k.c.deadline = k.ctx.now + HOUR_MS;
			k.c.then = p == PLACE_TEAM ? THEN_STRIKE : THEN_REPEAT;
			law_act_init(&a, LAW_ATTEMPT);
			a.person = "ann";
			a.outcome = outcome_code((enum outcome)o);
			a.result = "considering";
			law_fold(&k.c, &k.ctx, &a);
			if (law_next(&k.c, &k.ctx, &a, &k.p, &err) != 0)
				fail_msg(
				    "%s in %s: %s", a.outcome, place_name((enum place)p), err.text);
		}
	kit_close(&k);
}

/* A memory that is damaged in any one bit is refused. */
static void
a_damaged_memory_is_an_error(void **state)
{
	uint8_t blob[LAW_BLOB_MAX];
	struct law_case back;
	struct err err = ERR_INIT;
	struct kit k;
	size_t len;

	(void)state;
	kit_open(&k);
	for (uint64_t n = 1; n <= 9; n++)
		kit_say(&k, "2026-03-02 09:00", "no-answer", n * 0x123456789abcdefULL);
	assert_int_equal(k.c.n_numbers, LAW_NUMBERS);
	strcpy(k.c.hand, "a2345678901234567890123456789012");
	len = law_case_pack(blob, &k.c);
	assert_true(len <= LAW_BLOB_MAX);
	print_message("the largest memory has %zu bytes\n", len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(law_case_unpack(&back, span_of(blob, len), &err), -1);
		assert_int_equal(err.code, ERR_CORRUPT);
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(law_case_unpack(&back, span_of(blob, cut), &err), -1);
	assert_int_equal(law_case_unpack(&back, span_of(blob, len), &err), 0);
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_life_keeps_the_rules),
	    cmocka_unit_test(time_alone_leaves_nothing_unseen),
	    cmocka_unit_test(no_cell_of_the_table_is_empty),
	    cmocka_unit_test(a_damaged_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
