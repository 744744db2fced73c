/* The whole table: every outcome in every stage and pass, try after try, where it goes, when, and why. The lines of
 * tests/golden/law_table.txt are what the shipped policy says; a change of policy or law shows here line by line,
 * and is taken over, once it was read, with HF_GOLDEN=write.
 *
 * Each case is ann's with one number, since Monday, 2026-03-02 09:00; each try happens when the one before was due.
 * Passes end on that Monday at 17:30 (pass 1), Wednesday 21:00 (2), Monday 15:00 (3). */
#include <stdlib.h>

#include "base/file.h"
#include "tests/unit/law_kit.h"

#define TABLE "tests/golden/law_table.txt"
#define TRIES 5

static const struct {
	const char *name;
	int stage, pass;
	const char *end;
} whens[] = {{"stage-1", 1, 0, NULL}, {"pass-1", 2, 1, "2026-03-02 17:30"},
    {"pass-2", 2, 2, "2026-03-04 21:00"}, {"pass-3", 2, 3, "2026-03-02 15:00"},
    {"stage-3", 3, 0, NULL}, {"stage-4", 4, 0, NULL}};

static void
begin(struct kit *k, size_t w)
{
	struct law_act a;

	kit_open(k);
	k->ctx.stage = k->c.stage = (uint8_t)whens[w].stage;
	k->ctx.pass = k->c.pass = (uint8_t)whens[w].pass;
	k->ctx.pass_end = k->c.pass_end = whens[w].end == NULL ? 0 : when(whens[w].end);
	k->ctx.stage_opened_at = when("2026-03-02 08:00");
	if (whens[w].stage == 4) {
		k->ctx.registration_from = when("2026-03-02 00:00");
		k->ctx.registration_until = when("2026-03-04 00:00");
	}
	law_act_init(&a, LAW_IMPORT);
	a.n_numbers = 1;
	a.numbers[0] = 1;
	law_fold(&k->c, &k->ctx, &a);
}

static void
tries(struct buf *out, size_t w, enum outcome o)
{
	char now[20] = "2026-03-02 09:00";
	struct kit k;

	begin(&k, w);
	for (int t = 1; t <= TRIES; t++) {
		char due[20] = "never";
		struct law_act a;

		law_act_init(&a, LAW_ATTEMPT);
		a.outcome = outcome_code(o);
		a.result = o == OUT_IM_TALK ? "considering" : "";
		a.person = "ann";
		a.number = 1;
		a.ticks = 7;
		a.evidence = 1;
		kit_act(&k, now, &a);
		if (k.p.due != CALENDAR_NEVER)
			clock_text(due, k.p.due);
		buf_addf(out, "%-20s %-7s %d  %-16s %-16s %-16s %s\n", outcome_code(o),
		    whens[w].name, t, now, k.p.lane, due, reason_code(k.p.reason));
		if (k.c.place != PLACE_OWN || k.p.due == CALENDAR_NEVER)
			break;
		if (k.p.due > k.ctx.now)
			memcpy(now, due, sizeof(now));
	}
	kit_close(&k);
}

/* The first line that differs, as it is and as it should be. */
static void
differ(const char *is, const char *should)
{
	while (*is != '\0' || *should != '\0') {
		size_t n = strcspn(is, "\n"), m = strcspn(should, "\n");

		if (n != m || memcmp(is, should, n) != 0)
			fail_msg("%s:\n is        %.*s\n should be %.*s\nIf it is right: "
			         "HF_GOLDEN=write "
			         "build/tests/unit/test_law_table",
			    TABLE, (int)n, is, (int)m, should);
		is += n + (is[n] != '\0');
		should += m + (should[m] != '\0');
	}
}

static void
every_outcome_in_every_stage_try_by_try(void **state)
{
	struct buf is = BUF_INIT, should = BUF_INIT;
	const char *mode = getenv("HF_GOLDEN");
	struct err err = ERR_INIT;

	(void)state;
	for (int o = OUT_NONE + 1; o < OUT_COUNT; o++)
		for (size_t w = 0; w < sizeof(whens) / sizeof(whens[0]); w++)
			tries(&is, w, (enum outcome)o);
	if (mode != NULL && strcmp(mode, "write") == 0) {
		FILE *f = fopen(TABLE, "w");

		assert_non_null(f);
		assert_int_equal(fwrite(is.data, 1, is.len, f), is.len);
		assert_int_equal(fclose(f), 0);
	}
	if (file_read(&should, TABLE, 1 << 20, &err) != 0)
		fail_msg("%s", err.text);
	differ((char *)is.data, (char *)should.data);
	buf_done(&is);
	buf_done(&should);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_outcome_in_every_stage_try_by_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
