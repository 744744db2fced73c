/* The key store's messages (proto/keys.h) and its two files (workers/recorder/keystore.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/crypt.h"
#include "base/file.h"
#include "proto/keys.h"
#include "workers/recorder/keyfile.h"
#include "workers/recorder/keystore.h"

#define SLOT 128

static char dir[] = "/tmp/hf-keys-XXXXXX";
static char store_path[PATH_MAX], copy_path[PATH_MAX];
static const uint8_t kek[32] = {7, 7, 7};

static int
make_dir(void **state)
{
	(void)state;
	assert_int_equal(crypt_init(NULL), 0);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(store_path, sizeof(store_path), "%s/store", dir);
	snprintf(copy_path, sizeof(copy_path), "%s/copy", dir);
	return 0;
}

static int
no_files(void **state)
{
	(void)state;
	unlink(store_path);
	unlink(copy_path);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)no_files(state);
	return rmdir(dir);
}

static struct keys_row
row(uint8_t which)
{
	struct keys_row r;

	memset(&r, 0, sizeof(r));
	memset(r.case_id, which, sizeof(r.case_id));
	memset(r.key, 100 + which, sizeof(r.key));
	return r;
}

static struct keystore *
open_both(struct keystore_health *health)
{
	struct keystore *k;
	struct keystore_health h;

	assert_int_equal(
	    keystore_open(&k, store_path, copy_path, false, health == NULL ? &h : health, NULL), 0);
	assert_int_equal(keystore_set_kek(k, kek, NULL), 0);
	return k;
}

static void
add_one(struct keystore *k, const char *campaign, uint8_t which)
{
	struct keys_row r = row(which);
	size_t fresh = 9;

	assert_int_equal(keystore_add(k, campaign, &r, 1, &fresh, NULL), 0);
	assert_int_equal(fresh, 1);
}

/* Is this case's newest row the key of row(which)? -1 none, 0 shredded, 1 yes. */
static int
state_of(struct keystore *k, const char *campaign, uint8_t which)
{
	struct keys_row want = row(which), got;
	uint64_t at = 0;
	int found = -1;

	while (keystore_next(k, campaign, at, &got, &at, NULL) == 1) {
		if (memcmp(got.case_id, want.case_id, sizeof(got.case_id)) != 0)
			continue;
		found = got.shredded ? 0 : memcmp(got.key, want.key, sizeof(got.key)) == 0;
		assert_true(got.shredded || found == 1);
	}
	return found;
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t b;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 0x10;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

static bool
file_holds(const char *path, const void *what, size_t len)
{
	struct buf text = BUF_INIT;
	bool found;

	assert_int_equal(file_read(&text, path, 1 << 20, NULL), 0);
	found = memmem(text.data, text.len, what, len) != NULL;
	buf_done(&text);
	return found;
}

/* ---- messages ----------------------------------------------------------------------------------- */

static void
a_load_reads_as_it_was_written(void **state)
{
	static const uint8_t golden[] = {
	    0x93, 0xa4, 'l', 'o', 'a', 'd', 0xa2, 'c', '1', 0xcd, 0x03, 0xe8};
	struct buf out = BUF_INIT;
	struct keys_msg m;

	(void)state;
	keys_encode_load(&out, "c1", 1000);
	assert_int_equal(out.len, sizeof(golden));
	assert_memory_equal(out.data, golden, sizeof(golden));
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_int_equal(m.kind, KEYS_LOAD);
	assert_string_equal(m.campaign, "c1");
	assert_int_equal(m.from, 1000);
	buf_done(&out);
}

static void
rows_come_back_and_an_empty_key_means_shredded(void **state)
{
	struct keys_row a = row(1), b = row(2), got;
	struct buf out = BUF_INIT;
	struct keys_msg m;

	(void)state;
	b.shredded = true;
	keys_encode_rows(&out, 5, true, 2);
	keys_encode_row(&out, &a);
	keys_encode_row(&out, &b);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_int_equal(m.kind, KEYS_ROWS);
	assert_int_equal(m.next, 5);
	assert_true(m.done);
	assert_true(keys_row_next(&m, &got));
	assert_memory_equal(got.key, a.key, 32);
	assert_false(got.shredded);
	assert_true(keys_row_next(&m, &got));
	assert_memory_equal(got.case_id, b.case_id, 16);
	assert_true(got.shredded);
	assert_false(keys_row_next(&m, &got));
	buf_done(&out);
}

static void
every_cut_and_every_extra_byte_is_refused(void **state)
{
	struct keys_row a = row(1);
	struct buf out = BUF_INIT;
	struct keys_msg m;

	(void)state;
	keys_encode_add(&out, "c1", 1);
	keys_encode_row(&out, &a);
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(keys_decode(&m, span_of(out.data, n), NULL), -1);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	buf_addc(&out, 0);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), -1);
	buf_done(&out);
}

static void
a_key_of_31_bytes_is_refused(void **state)
{
	struct buf out = BUF_INIT;
	struct keys_msg m;
	uint8_t bytes[32] = {0};

	(void)state;
	keys_encode_add(&out, "c1", 1);
	enc_array(&out, 2);
	enc_b(&out, bytes, 16);
	enc_b(&out, bytes, 31);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), -1);
	buf_done(&out);
}

static void
small_answers_come_back(void **state)
{
	struct buf out = BUF_INIT;
	struct keys_msg m;
	uint8_t ref[16];

	(void)state;
	keys_reserved(ref, KEYS_REF_RECEIPT);
	assert_int_equal(ref[15], 2);
	keys_encode_shred(&out, "c1", ref);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_memory_equal(m.case_id, ref, 16);
	buf_clear(&out);
	keys_encode_added(&out, 7);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_int_equal(m.n, 7);
	buf_clear(&out);
	keys_encode_shredded(&out);
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_int_equal(m.kind, KEYS_SHREDDED);
	buf_clear(&out);
	keys_encode_error(&out, "no");
	assert_int_equal(keys_decode(&m, buf_span(&out), NULL), 0);
	assert_string_equal(m.text, "no");
	buf_done(&out);
}

/* ---- the store ---------------------------------------------------------------------------------- */

static void
keys_survive_a_new_opening(void **state)
{
	struct keystore *k = open_both(NULL);

	(void)state;
	add_one(k, "c1", 1);
	add_one(k, "c2", 1);
	add_one(k, "c1", 2);
	keystore_close(k);
	k = open_both(NULL);
	assert_int_equal(keystore_end(k), 3);
	assert_int_equal(state_of(k, "c1", 1), 1);
	assert_int_equal(state_of(k, "c1", 2), 1);
	assert_int_equal(state_of(k, "c2", 1), 1);
	assert_int_equal(state_of(k, "c2", 2), -1);
	keystore_close(k);
}

static void
the_same_key_again_is_no_error_and_another_key_is_refused_whole(void **state)
{
	struct keystore *k = open_both(NULL);
	struct keys_row rows[2] = {row(1), row(2)};
	struct err err = ERR_INIT;
	size_t fresh;

	(void)state;
	add_one(k, "c1", 1);
	assert_int_equal(keystore_add(k, "c1", rows, 2, &fresh, NULL), 0);
	assert_int_equal(fresh, 1);
	rows[0] = row(3);
	rows[1].key[0] ^= 1;
	assert_int_equal(keystore_add(k, "c1", rows, 2, &fresh, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(state_of(k, "c1", 3), -1);
	assert_int_equal(keystore_end(k), 2);
	keystore_close(k);
	k = open_both(NULL);
	assert_int_equal(keystore_end(k), 2);
	keystore_close(k);
}

static void
a_shredded_key_is_gone_from_both_files(void **state)
{
	struct keystore *k = open_both(NULL);
	struct keyfile *f;
	struct keyslot s;
	struct err err = ERR_INIT;
	struct keys_row r = row(1);
	size_t fresh;

	(void)state;
	add_one(k, "c1", 1);
	add_one(k, "c1", 2);
	keystore_close(k);
	assert_int_equal(keyfile_open(&f, store_path, false, NULL), 0);
	assert_int_equal(keyfile_read(f, 0, &s, NULL), 0);
	keyfile_close(f);
	assert_true(file_holds(copy_path, s.sealed, sizeof(s.sealed)));

	k = open_both(NULL);
	assert_int_equal(keystore_shred(k, "c1", r.case_id, NULL), 0);
	assert_int_equal(keystore_shred(k, "c1", r.case_id, NULL), 0);
	assert_false(file_holds(store_path, s.sealed + 24, 16));
	assert_false(file_holds(copy_path, s.sealed + 24, 16));
	assert_int_equal(state_of(k, "c1", 1), 0);
	assert_int_equal(state_of(k, "c1", 2), 1);
	assert_int_equal(keystore_add(k, "c1", &r, 1, &fresh, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_int_equal(keystore_end(k), 3);
	keystore_close(k);
	k = open_both(NULL);
	assert_int_equal(state_of(k, "c1", 1), 0);
	assert_int_equal(state_of(k, "c1", 2), 1);
	keystore_close(k);
}

static void
a_tombstone_without_its_blank_is_finished_at_the_next_opening(void **state)
{
	struct keystore *k = open_both(NULL);
	struct keyfile *f;
	struct keyslot s, tomb = {.type = KEYSLOT_TOMB, .campaign = "c1"};
	struct keys_row r = row(1);

	(void)state;
	add_one(k, "c1", 1);
	keystore_close(k);
	memcpy(tomb.case_id, r.case_id, sizeof(tomb.case_id));
	assert_int_equal(keyfile_open(&f, copy_path, false, NULL), 0);
	assert_int_equal(keyfile_read(f, 0, &s, NULL), 0);
	assert_int_equal(keyfile_append(f, &tomb, 1, NULL), 0);
	keyfile_close(f);
	k = open_both(NULL);
	assert_int_equal(state_of(k, "c1", 1), 0);
	keystore_close(k);
	assert_false(file_holds(store_path, s.sealed + 24, 16));
	assert_false(file_holds(copy_path, s.sealed + 24, 16));
}

static void
a_lost_file_comes_back_from_the_other(void **state)
{
	struct keystore_health h;
	struct keystore *k = open_both(NULL);

	(void)state;
	for (uint8_t i = 1; i < 20; i++)
		add_one(k, "c1", i);
	keystore_close(k);
	unlink(store_path);
	k = open_both(&h);
	assert_int_equal(h.restored, 19);
	assert_int_equal(state_of(k, "c1", 19), 1);
	keystore_close(k);
	unlink(copy_path);
	k = open_both(&h);
	assert_int_equal(h.restored, 19);
	keystore_close(k);
}

static void
a_damaged_slot_is_taken_from_the_other_file(void **state)
{
	struct keystore_health h;
	struct keystore *k = open_both(NULL);

	(void)state;
	add_one(k, "c1", 1);
	add_one(k, "c1", 2);
	keystore_close(k);
	flip(store_path, SLOT + 60);
	k = open_both(&h);
	assert_int_equal(h.restored, 1);
	assert_int_equal(h.damaged, 0);
	assert_int_equal(state_of(k, "c1", 1), 1);
	keystore_close(k);
	flip(store_path, SLOT + 60);
	flip(copy_path, SLOT + 61);
	k = open_both(&h);
	assert_int_equal(h.damaged, 1);
	assert_int_equal(state_of(k, "c1", 1), -1);
	assert_int_equal(state_of(k, "c1", 2), 1);
	keystore_close(k);
}

static void
a_torn_tail_was_never_acknowledged_and_is_cut(void **state)
{
	struct keystore *k = open_both(NULL);
	int fd;

	(void)state;
	add_one(k, "c1", 1);
	keystore_close(k);
	fd = open(store_path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "torn, and longer than the crc", 29), 29);
	close(fd);
	k = open_both(NULL);
	assert_int_equal(keystore_end(k), 1);
	add_one(k, "c1", 2);
	keystore_close(k);
	k = open_both(NULL);
	assert_int_equal(state_of(k, "c1", 2), 1);
	keystore_close(k);
}

static void
a_damaged_head_loses_no_key(void **state)
{
	struct keystore *k = open_both(NULL);

	(void)state;
	add_one(k, "c1", 1);
	add_one(k, "c1", 2);
	keystore_close(k);
	flip(store_path, 10);
	k = open_both(NULL);
	assert_int_equal(keystore_end(k), 2);
	assert_int_equal(state_of(k, "c1", 2), 1);
	keystore_close(k);
}

static void
files_of_two_histories_are_not_mixed(void **state)
{
	struct keystore *k = open_both(NULL);
	struct keystore_health h;
	struct err err = ERR_INIT;
	char other[PATH_MAX + 8];

	(void)state;
	add_one(k, "c1", 1);
	keystore_close(k);
	snprintf(other, sizeof(other), "%s.other", copy_path);
	assert_int_equal(rename(copy_path, other), 0);
	unlink(store_path);
	k = open_both(NULL);
	add_one(k, "c1", 2);
	keystore_close(k);
	assert_int_equal(rename(other, copy_path), 0);
	assert_int_equal(keystore_open(&k, store_path, copy_path, false, &h, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
}

static void
the_wrong_kek_is_refused_and_without_one_nothing_is_handed_out(void **state)
{
	struct keystore *k = open_both(NULL);
	struct keystore_health h;
	struct err err = ERR_INIT;
	struct keys_row r;
	uint8_t wrong[32] = {8};
	uint64_t next;

	(void)state;
	add_one(k, "c1", 1);
	keystore_close(k);
	assert_int_equal(keystore_open(&k, store_path, NULL, false, &h, NULL), 0);
	assert_int_equal(keystore_set_kek(k, wrong, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_false(keystore_has_kek(k));
	assert_int_equal(keystore_next(k, "c1", 0, &r, &next, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(keystore_next(k, "c9", 0, &r, &next, &err), 0);
	keystore_close(k);
}

static void
a_second_opener_is_told_that_it_is_in_use(void **state)
{
	struct keystore *k = open_both(NULL), *other;
	struct keystore_health h;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(keystore_open(&other, store_path, NULL, false, &h, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	keystore_close(k);
}

int
main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup(f, no_files)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_load_reads_as_it_was_written),
	    cmocka_unit_test(rows_come_back_and_an_empty_key_means_shredded),
	    cmocka_unit_test(every_cut_and_every_extra_byte_is_refused),
	    cmocka_unit_test(a_key_of_31_bytes_is_refused),
	    cmocka_unit_test(small_answers_come_back),
	    STORE_TEST(keys_survive_a_new_opening),
	    STORE_TEST(the_same_key_again_is_no_error_and_another_key_is_refused_whole),
	    STORE_TEST(a_shredded_key_is_gone_from_both_files),
	    STORE_TEST(a_tombstone_without_its_blank_is_finished_at_the_next_opening),
	    STORE_TEST(a_lost_file_comes_back_from_the_other),
	    STORE_TEST(a_damaged_slot_is_taken_from_the_other_file),
	    STORE_TEST(a_torn_tail_was_never_acknowledged_and_is_cut),
	    STORE_TEST(a_damaged_head_loses_no_key),
	    STORE_TEST(files_of_two_histories_are_not_mixed),
	    STORE_TEST(the_wrong_kek_is_refused_and_without_one_nothing_is_handed_out),
	    STORE_TEST(a_second_opener_is_told_that_it_is_in_use),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
