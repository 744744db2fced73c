/* Records that wait for their evidence: what is held, what is let go, and that a restart changes neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/record.h"
#include "workers/recorder/waiting.h"

static char top[] = "/tmp/hf-waiting-XXXXXX";
static struct buf header[64];
static uint8_t file_hash[4][32];

static struct span
file(unsigned i)
{
	static const char *const texts[] = {"first photo", "second photo", "third", "fourth"};

	return span_str(texts[i]);
}

static int
set_up(void **state)
{
	(void)state;
	if (crypt_init(NULL) != 0 || mkdtemp(top) == NULL)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		struct span one = file(i);

		crypt_hash(file_hash[i], &one, 1);
	}
	return 0;
}

static int
clean_up(void **state)
{
	char command[80];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		buf_done(&header[i]);
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static struct waiting *
opened(void)
{
	struct waiting *w = NULL;

	assert_int_equal(waiting_open(&w, top, "demo", NULL), 0);
	return w;
}

/* Record seq of outbox ob; h is seq repeated, prev_h the one before. which: files named, a bit each. */
static struct msg_record
record(uint8_t ob, uint8_t seq, unsigned which)
{
	struct msg_record r = {.seq = seq};
	struct record_header h = {.kind = REC_NOTE, .person = "p01"};

	memset(r.ob, ob, 16);
	memset(r.h, seq, 32);
	memset(r.prev_h, seq - 1, 32);
	memset(h.id, seq, 16);
	for (unsigned i = 0; i < 4; i++)
		if (which & 1u << i)
			field_add(&h, F_evidence, file_hash[i], 32);
	buf_clear(&header[seq]);
	record_header_encode(&header[seq], &h);
	r.header = buf_span(&header[seq]);
	return r;
}

static bool
note(struct waiting *w, uint8_t ob, uint8_t seq, unsigned which)
{
	struct msg_record r = record(ob, seq, which);

	return waiting_note(w, &r);
}

static void
settles(struct waiting *w, uint64_t upto)
{
	size_t n;
	const struct box *b = waiting_settle(w, &n);

	if (upto == 0) {
		assert_int_equal(n, 0);
		return;
	}
	assert_int_equal(n, 1);
	assert_int_equal(b[0].upto, upto);
	assert_int_equal(b[0].h[0], upto);
}

static void
what_names_nothing_missing_waits_for_nothing(void **state)
{
	struct waiting *w = opened();

	(void)state;
	assert_false(note(w, 1, 1, 0));
	assert_int_equal(waiting_keep(w, file_hash[3], file(3), NULL), 0);
	assert_false(note(w, 1, 2, 8));
	settles(w, 0);
	waiting_close(w);
}

static void
a_record_and_what_follows_it_wait_and_a_restart_changes_nothing(void **state)
{
	struct waiting *w = opened();

	(void)state;
	assert_false(note(w, 1, 3, 0));
	assert_true(note(w, 1, 4, 1));
	assert_true(note(w, 1, 5, 0));
	assert_false(note(w, 2, 7, 0)); /* another outbox */
	assert_true(note(w, 1, 6, 2));
	assert_int_equal(waiting_save(w, NULL), 0);
	settles(w, 0);
	waiting_close(w);

	w = opened(); /* the newest segment is noted again */
	assert_false(note(w, 1, 3, 0));
	assert_true(note(w, 1, 4, 1));
	assert_true(note(w, 1, 5, 0));
	assert_true(note(w, 1, 6, 2));
	assert_true(note(w, 1, 7, 0));
	settles(w, 0);
	assert_int_equal(waiting_keep(w, file_hash[0], file(0), NULL), 0);
	settles(w, 5); /* up to the next that waits */
	settles(w, 0);
	assert_int_equal(waiting_save(w, NULL), 0);
	waiting_close(w);

	w = opened();
	assert_int_equal(waiting_keep(w, file_hash[1], file(1), NULL), 0);
	settles(w, 7);
	assert_int_equal(waiting_save(w, NULL), 0);
	assert_false(note(w, 1, 8, 0));
	waiting_close(w);
}

static void
the_first_record_of_an_outbox_may_wait_too(void **state)
{
	struct waiting *w = opened();

	(void)state;
	assert_true(note(w, 3, 1, 4));
	assert_int_equal(waiting_keep(w, file_hash[2], file(2), NULL), 0);
	settles(w, 1);
	waiting_close(w);
}

static void
bytes_that_are_not_the_hash_are_refused(void **state)
{
	struct waiting *w = opened();
	struct err err = ERR_INIT;
	uint8_t other[32] = {1};

	(void)state;
	assert_int_equal(waiting_keep(w, other, file(0), &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_false(waiting_is_here(w, other));
	waiting_close(w);
}

static void
a_damaged_list_stops_the_archive(void **state)
{
	struct waiting *w = NULL;
	struct err err = ERR_INIT;
	char path[80];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/evidence/demo.waiting", top);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "not a row\n");
	fclose(f);
	assert_int_equal(waiting_open(&w, top, "demo", &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(remove(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_names_nothing_missing_waits_for_nothing),
	    cmocka_unit_test(a_record_and_what_follows_it_wait_and_a_restart_changes_nothing),
	    cmocka_unit_test(the_first_record_of_an_outbox_may_wait_too),
	    cmocka_unit_test(bytes_that_are_not_the_hash_are_refused),
	    cmocka_unit_test(a_damaged_list_stops_the_archive),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
