/* The gate before "withdrawn": every item of the checklist, the photo, two other persons. */
#include "tests/unit/law_acts_kit.h"

static void
paper(struct kit *k, const char *person, const char *at, const char *outcome, uint32_t items,
    int photos)
{
	struct law_act a;

	law_act_init(&a, LAW_PAPER);
	a.outcome = outcome;
	a.person = person;
	a.items = items;
	a.evidence = photos;
	a.signer = strcmp(person, "bob") != 0;
	kit_act(k, at, &a);
}

static void
papers_lack_one_thing(void **state)
{
	(void)state;
	for (uint32_t item = 1; item < PAPER_ALL; item <<= 1) {
		struct kit k;

		kit_open(&k);
		paper(&k, "ann", "2026-03-02 09:00", "papers-received", PAPER_ALL & ~item, 1);
		assert_placed(&k, "own:ann:first", "2026-03-02 11:00", "talk-again");
		assert_false(k.c.papers);
		/* Nobody signs what is not there. */
		signs(&k, "lea", "2026-03-02 09:10");
		signs(&k, "dan", "2026-03-02 09:20");
		assert_string_equal(k.p.lane, "own:ann:first");
		assert_int_equal(k.p.reason, REASON_NO_PAPERS);
		/* The rest came: now the leader has it, and two persons end it. */
		paper(&k, "ann", "2026-03-02 10:00", "papers-received", PAPER_ALL, 1);
		assert_placed(&k, "team:t1", "2026-03-02 10:00", "papers");
		signs(&k, "lea", "2026-03-02 10:10");
		signs(&k, "dan", "2026-03-02 10:20");
		assert_placed(&k, "terminal", "never", "ended");
		kit_close(&k);
	}
}

static void
no_photo_no_papers(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	paper(&k, "ann", "2026-03-02 09:00", "papers-received", PAPER_ALL, 0);
	assert_placed(&k, "own:ann:first", "2026-03-02 11:00", "talk-again");
	assert_false(k.c.papers);
	kit_close(&k);
}

static void
a_signature_under_half_a_checklist_is_none(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	paper(&k, "ann", "2026-03-02 09:00", "papers-received", PAPER_ALL, 1);
	for (uint32_t item = 1; item < PAPER_ALL; item <<= 1) {
		paper(&k, "lea", "2026-03-02 09:10", "withdrawn", PAPER_ALL & ~item, 1);
		assert_placed(&k, "team:t1", "2026-03-02 09:00", "checklist");
		assert_int_equal(k.c.signer, 0);
	}
	/* Another caller's name under it is none either. */
	paper(&k, "bob", "2026-03-02 09:15", "withdrawn", PAPER_ALL, 1);
	assert_placed(&k, "team:t1", "2026-03-02 09:00", "no-signer");
	assert_int_equal(k.c.signer, 0);
	signs(&k, "lea", "2026-03-02 09:20");
	paper(&k, "dan", "2026-03-02 09:30", "withdrawn", PAPER_ALL & ~PAPER_PARENT, 1);
	assert_placed(&k, "papers", "2026-03-02 09:20", "checklist");
	signs(&k, "dan", "2026-03-02 09:40");
	assert_placed(&k, "terminal", "never", "ended");
	kit_close(&k);
}

/* The data group finds a fault after the first signature: the owner asks again, and both sign anew. */
static void
found_incomplete_both_sign_anew(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	paper(&k, "ann", "2026-03-02 09:00", "papers-received", PAPER_ALL, 1);
	signs(&k, "lea", "2026-03-02 09:10");
	paper(
	    &k, "dan", "2026-03-02 09:20", "papers-incomplete", PAPER_ALL & ~PAPER_EXAM_TICKET, 0);
	assert_placed(&k, "own:ann:due", "2026-03-02 11:20", "talk-again");
	signs(&k, "dan", "2026-03-02 09:30");
	assert_int_equal(k.p.reason, REASON_NO_PAPERS);
	paper(&k, "ann", "2026-03-02 10:00", "papers-received", PAPER_ALL, 1);
	signs(&k, "dan", "2026-03-02 10:10");
	assert_string_equal(k.p.lane, "papers");
	signs(&k, "lea", "2026-03-02 10:20");
	assert_placed(&k, "terminal", "never", "ended");
	kit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(papers_lack_one_thing),
	    cmocka_unit_test(no_photo_no_papers),
	    cmocka_unit_test(a_signature_under_half_a_checklist_is_none),
	    cmocka_unit_test(found_incomplete_both_sign_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
