/* The outbox: what was stored is there again, what was torn is not, what is damaged is put aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "proto/chain.h"
#include "workers/link/outbox.h"

static char dir[64];
static bool disk_fails;

/* Stands before libc's: a disk that fails when told to. */
int
fdatasync(int fd)
{
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return fsync(fd);
}

static void
remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *child = xasprintf("%s/%s", path, e->d_name);
		struct stat st;

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    lstat(child, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				remove_tree(child);
			else
				(void)unlink(child);
		}
		free(child);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(path);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/hf-outbox-XXXXXX");
	return mkdtemp(dir) != NULL && crypt_init(NULL) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

static struct outbox *
reopen(struct outbox_report *rep)
{
	struct err err = ERR_INIT;
	struct outbox *o = NULL;

	if (outbox_open(&o, dir, "demo", rep, &err) != 0)
		fail_msg("%s", err.text);
	return o;
}

static void
id_of(uint8_t id[16], uint64_t n)
{
	memset(id, 0x5a, 16);
	be64_put(id, n);
}

static int
add(struct outbox *o, const char *header, size_t body_len, struct err *err)
{
	struct fold_stored r = {.header = span_str(header)};
	uint8_t bc[32], prev[32];
	uint8_t *body = xcalloc(1, body_len + 1);
	int rc;

	memset(body, (int)body_len, body_len);
	r.body = span_of(body, body_len);
	r.seq = outbox_tip(o, prev) + 1;
	id_of(r.id, r.seq);
	memset(r.sig, (int)r.seq, sizeof(r.sig));
	chain_body_hash(bc, r.body);
	chain_next(r.h, prev, outbox_id(o), r.seq, r.header, bc);
	rc = outbox_add_record(o, &r, err);
	free(body);
	return rc;
}

static void
store(struct outbox *o, const char *header, size_t body_len)
{
	struct err err = ERR_INIT;

	if (add(o, header, body_len, &err) != 0 || outbox_commit(o, &err) != 0)
		fail_msg("%s", err.text);
}

static void
mark(struct outbox *o, unsigned which, uint64_t upto, uint64_t verdict)
{
	struct fold_marking m = {
	    .which = which, .upto = upto, .verdict = verdict, .epoch = 3, .opseq = 100 + upto};

	assert_true(fold_hash_at(outbox_state(o), upto, m.h));
	outbox_add_mark(o, &m);
}

static char *
segment_file(uint64_t no)
{
	return xasprintf("%s/outbox/%016llx.seg", dir, (unsigned long long)no);
}

static void
load_file(struct buf *b, const char *path)
{
	assert_int_equal(file_read(b, path, 64u << 20, NULL), 0);
}

static void
save_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static size_t
count_named(const char *prefix)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void
what_was_stored_is_there_after_a_restart(void **state)
{
	struct outbox_report rep;
	struct outbox *o = reopen(&rep);
	struct hold h = {.token = 77, .version = 4, .due = 5, .pulled = true}, *again;
	struct buf bytes = BUF_INIT;
	struct fold_stored r;
	uint8_t ob[16], tip[32], tip2[32], key[32] = {9}, id[16];
	uint64_t seq;

	(void)state;
	assert_true(rep.created);
	memcpy(ob, outbox_id(o), 16);
	memset(h.case_id, 0xc1, 16);
	memset(h.key, 0x11, 32);
	strcpy(h.person, "w01");
	strcpy(h.why, "约定时间到");
	buf_adds(&h.ticket, "ticket");
	buf_adds(&h.task, "task");
	outbox_add_hold(o, &h);
	outbox_add_next_no(o, "w01", 12);
	outbox_add_campaign_key(o, key);
	assert_int_equal(add(o, "one", 10, NULL), 0);
	assert_int_equal(add(o, "two", 0, NULL), 0);
	assert_true(outbox_find_id(o, (id_of(id, 2), id), &seq));
	assert_false(fold_find_id(outbox_state(o), id, &seq));
	assert_int_equal(fold_head(outbox_state(o)), 0);
	assert_int_equal(outbox_commit(o, NULL), 0);
	mark(o, MARK_ACCEPTED, 1, 1);
	outbox_close(o);
	buf_done(&h.ticket);
	buf_done(&h.task);

	o = reopen(&rep);
	assert_false(rep.created);
	assert_int_equal(rep.cut, 0);
	assert_memory_equal(outbox_id(o), ob, 16);
	assert_int_equal(outbox_tip(o, tip), 2);
	assert_int_equal(outbox_read(o, 1, &bytes, &r, NULL), 0);
	assert_true(span_eq_str(r.header, "one"));
	assert_int_equal(r.body.len, 10);
	assert_int_equal(r.sig[63], 1);
	assert_int_equal(outbox_read(o, 2, &bytes, &r, NULL), 0);
	assert_memory_equal(r.h, tip, 32);
	assert_int_equal(outbox_read(o, 3, &bytes, &r, NULL), -1);
	assert_int_equal(fold_next_no(outbox_state(o), "w01"), 12);
	assert_int_equal(fold_next_no(outbox_state(o), "w02"), 0);
	assert_memory_equal(outbox_state(o)->campaign_key, key, 32);
	assert_int_equal(outbox_state(o)->mark[MARK_ACCEPTED].upto, 1);
	assert_int_equal(outbox_state(o)->epoch, 3);
	assert_int_equal(outbox_state(o)->opseq, 101);
	assert_int_equal(fold_record(outbox_state(o), 1)->verdict, 1);
	assert_int_equal(fold_record(outbox_state(o), 2)->verdict, FOLD_UNKNOWN);
	again = fold_hold(outbox_state(o), h.case_id, 77);
	assert_non_null(again);
	assert_true(again->pulled);
	assert_string_equal(again->why, "约定时间到");
	assert_true(span_eq_str(buf_span(&again->ticket), "ticket"));
	assert_true(span_eq_str(buf_span(&again->task), "task"));
	assert_null(fold_hold(outbox_state(o), h.case_id, 78));
	store(o, "three", 3);
	assert_int_equal(outbox_tip(o, tip2), 3);
	outbox_close(o);
	buf_done(&bytes);
}

static void
a_finished_hold_is_forgotten_when_its_records_are_released(void **state)
{
	struct outbox *o = reopen(NULL);
	struct hold h = {.token = 5};

	(void)state;
	strcpy(h.person, "w01");
	outbox_add_hold(o, &h);
	store(o, "one", 1);
	outbox_end_hold(o, h.case_id, 5);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_true(fold_hold(outbox_state(o), h.case_id, 5)->ended);
	mark(o, MARK_SETTLED, 1, FOLD_UNKNOWN);
	assert_non_null(fold_hold(outbox_state(o), h.case_id, 5));
	mark(o, MARK_RELEASED, 1, FOLD_UNKNOWN);
	assert_null(fold_hold(outbox_state(o), h.case_id, 5));
	outbox_close(o);
	o = reopen(NULL);
	assert_null(fold_hold(outbox_state(o), h.case_id, 5));
	outbox_close(o);
}

static void
a_mark_that_does_not_fit_the_chain_is_ignored(void **state)
{
	struct outbox *o = reopen(NULL);
	struct fold_marking m = {.which = MARK_RELEASED, .upto = 1, .verdict = FOLD_UNKNOWN};

	(void)state;
	store(o, "one", 1);
	memset(m.h, 1, 32);
	outbox_add_mark(o, &m);
	m.upto = 2;
	outbox_add_mark(o, &m);
	assert_int_equal(outbox_state(o)->mark[MARK_RELEASED].upto, 0);
	assert_false(outbox_has_news(o));
	outbox_close(o);
}

/* The last write of two records and a hold, cut at every byte: either all of it or nothing. */
static void
a_tail_torn_at_any_byte_is_cut_off(void **state)
{
	struct outbox *o = reopen(NULL);
	char *path = segment_file(1);
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct hold h = {.token = 5};

	(void)state;
	store(o, "kept", 20);
	load_file(&before, path);
	strcpy(h.person, "w01");
	outbox_add_hold(o, &h);
	assert_int_equal(add(o, "torn", 30, NULL), 0);
	store(o, "torn too", 9);
	load_file(&after, path);
	outbox_close(o);
	for (size_t len = before.len; len <= after.len; len++) {
		struct outbox_report rep;
		bool whole = len == after.len;

		save_file(path, after.data, len);
		o = reopen(&rep);
		assert_string_equal(rep.kept_as, "");
		assert_int_equal(rep.cut, whole ? 0 : len - before.len);
		assert_int_equal(fold_head(outbox_state(o)), whole ? 3 : 1);
		assert_int_equal(fold_hold(outbox_state(o), h.case_id, 5) != NULL, whole);
		store(o, "next", 1);
		outbox_close(o);
		o = reopen(&rep);
		assert_int_equal(rep.cut, 0);
		assert_int_equal(fold_head(outbox_state(o)), whole ? 4 : 2);
		outbox_close(o);
	}
	buf_done(&before);
	buf_done(&after);
	free(path);
}

/* The file had grown, but some of the last write's blocks never arrived. */
static void
a_tail_of_zeros_is_cut_off(void **state)
{
	struct outbox *o = reopen(NULL);
	char *path = segment_file(1);
	struct buf file = BUF_INIT;
	struct outbox_report rep;
	size_t good;

	(void)state;
	store(o, "kept", 20);
	load_file(&file, path);
	good = file.len;
	store(o, "torn", 600);
	buf_clear(&file);
	load_file(&file, path);
	outbox_close(o);
	memset(file.data + good + 8, 0, 200);
	save_file(path, file.data, file.len);
	o = reopen(&rep);
	assert_int_equal(rep.cut, file.len - good);
	assert_int_equal(fold_head(outbox_state(o)), 1);
	outbox_close(o);
	buf_done(&file);
	free(path);
}

static void
damage_in_the_middle_puts_the_outbox_aside(void **state)
{
	struct outbox *o = reopen(NULL);
	char *path = segment_file(1), *kept;
	struct buf before = BUF_INIT, file = BUF_INIT, now = BUF_INIT;
	struct outbox_report rep;
	uint8_t ob[16];

	(void)state;
	store(o, "one", 20);
	load_file(&before, path);
	store(o, "two", 20);
	store(o, "three", 20);
	memcpy(ob, outbox_id(o), 16);
	load_file(&file, path);
	outbox_close(o);
	file.data[before.len + 30] ^= 1;
	save_file(path, file.data, file.len);
	o = reopen(&rep);
	assert_true(rep.created);
	assert_int_not_equal(rep.kept_as[0], 0);
	assert_non_null(strstr(rep.why, "damage"));
	assert_int_equal(fold_head(outbox_state(o)), 0);
	assert_memory_not_equal(outbox_id(o), ob, 16);
	outbox_close(o);
	kept = xasprintf("%s/%016x.seg", rep.kept_as, 1);
	load_file(&now, kept);
	assert_int_equal(now.len, file.len);
	assert_memory_equal(now.data, file.data, file.len);
	assert_int_equal(count_named("outbox.quarantined-"), 1);
	buf_done(&before);
	buf_done(&file);
	buf_done(&now);
	free(path);
	free(kept);
}

static void
a_missing_file_in_the_middle_is_damage(void **state)
{
	struct outbox *o = reopen(NULL);
	struct outbox_report rep;
	char *path = segment_file(2);

	(void)state;
	while (access(path, F_OK) != 0 || fold_head(outbox_state(o)) < 40)
		store(o, "big", 60000);
	outbox_close(o);
	assert_int_equal(unlink(path), 0);
	o = reopen(&rep);
	assert_int_not_equal(rep.kept_as[0], 0);
	outbox_close(o);
	free(path);
}

static void
files_go_when_their_records_are_released_and_ids_stay(void **state)
{
	struct outbox *o = reopen(NULL);
	char *first = segment_file(1);
	struct buf bytes = BUF_INIT;
	struct fold_stored r;
	uint8_t tip[32], tip2[32], id[16];
	struct hold h = {.token = 5};
	uint64_t head, seq;

	(void)state;
	strcpy(h.person, "w01");
	outbox_add_hold(o, &h);
	for (int i = 0; i < 60; i++)
		store(o, "big", 60000);
	head = outbox_tip(o, tip);
	mark(o, MARK_ACCEPTED, 3, FOLD_UNKNOWN);
	mark(o, MARK_RELEASED, 3, FOLD_UNKNOWN);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_int_equal(access(first, F_OK), 0);
	assert_int_equal(outbox_read(o, 1, &bytes, &r, NULL), 0);
	mark(o, MARK_RELEASED, 50, FOLD_UNKNOWN);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_int_equal(
	    access(first, F_OK), 0); /* what became of 4 to 50 was not heard: it is asked again */
	mark(o, MARK_ACCEPTED, 50, FOLD_UNKNOWN);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_int_equal(access(first, F_OK), -1);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(outbox_read(o, 1, &bytes, &r, NULL), -1);
		assert_int_equal(outbox_read(o, 51, &bytes, &r, NULL), 0);
		assert_int_equal(outbox_tip(o, tip2), head);
		assert_memory_equal(tip, tip2, 32);
		assert_true(outbox_find_id(o, (id_of(id, 2), id), &seq));
		assert_int_equal(seq, 2);
		assert_int_equal(outbox_state(o)->mark[MARK_RELEASED].upto, 50);
		assert_non_null(fold_hold(outbox_state(o), h.case_id, 5));
		outbox_close(o);
		o = reopen(NULL);
	}
	mark(o, MARK_RELEASED, 60, FOLD_UNKNOWN);
	store(o, "last", 1);
	assert_int_equal(outbox_read(o, 61, &bytes, &r, NULL), 0);
	outbox_close(o);
	buf_done(&bytes);
	free(first);
}

static void
old_ids_are_forgotten_only_when_released_and_many(void **state)
{
	struct outbox *o = reopen(NULL);
	uint8_t id[16];
	uint64_t seq;

	(void)state;
	for (int i = 0; i < FOLD_IDS_KEPT + 500; i++) {
		assert_int_equal(add(o, "h", 0, NULL), 0);
		if (i % 1000 == 999)
			assert_int_equal(outbox_commit(o, NULL), 0);
	}
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_true(outbox_find_id(o, (id_of(id, 1), id), &seq));
	mark(o, MARK_RELEASED, FOLD_IDS_KEPT + 500, FOLD_UNKNOWN);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_false(outbox_find_id(o, (id_of(id, 500), id), &seq));
	outbox_close(o);
	o = reopen(NULL);
	assert_false(outbox_find_id(o, (id_of(id, 500), id), &seq));
	assert_true(outbox_find_id(o, (id_of(id, 501), id), &seq));
	assert_true(outbox_find_id(o, (id_of(id, FOLD_IDS_KEPT + 500), id), &seq));
	outbox_close(o);
}

static void
no_room_stores_nothing_and_the_outbox_goes_on(void **state)
{
	struct rlimit was, small;
	struct outbox *o = reopen(NULL);
	struct outbox_report rep;
	struct err err = ERR_INIT;
	struct stat st;
	char *path = segment_file(1);

	(void)state;
	store(o, "one", 100);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = (rlim_t)st.st_size + 300; /* a part of the next write fits */
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(add(o, "two", 100, &err), 0);
	assert_int_equal(add(o, "three", 1000, &err), 0);
	assert_int_equal(outbox_commit(o, &err), -1);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(fold_head(outbox_state(o)), 1);
	assert_false(outbox_has_news(o));
	store(o, "two again", 10);
	outbox_close(o);
	o = reopen(&rep);
	assert_int_equal(rep.cut, 0);
	assert_int_equal(fold_head(outbox_state(o)), 2);
	outbox_close(o);
	free(path);
}

static void
after_a_failed_sync_it_is_read_only_until_restart(void **state)
{
	struct outbox *o = reopen(NULL);
	struct err err = ERR_INIT;
	struct outbox_report rep;

	(void)state;
	store(o, "one", 100);
	disk_fails = true;
	assert_int_equal(add(o, "two", 100, &err), 0);
	assert_int_equal(outbox_commit(o, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	disk_fails = false;
	assert_int_equal(add(o, "three", 1, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	outbox_add_next_no(o, "w01", 1);
	assert_int_equal(outbox_commit(o, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	outbox_close(o);
	o = reopen(&rep);
	assert_int_equal(fold_head(outbox_state(o)), 1);
	assert_string_equal(rep.kept_as, "");
	store(o, "two", 1);
	outbox_close(o);
}

static void
a_second_process_is_refused(void **state)
{
	struct outbox *o = reopen(NULL), *second = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(outbox_open(&second, dir, "demo", NULL, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	outbox_close(o);
	assert_int_equal(outbox_open(&second, dir, "other", NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(count_named("outbox.quarantined-"), 0);
}

static void
a_retired_outbox_is_kept_and_a_new_one_begins(void **state)
{
	struct outbox *o = reopen(NULL);
	struct outbox_report rep;
	uint8_t ob[16];

	(void)state;
	store(o, "one", 100);
	memcpy(ob, outbox_id(o), 16);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(outbox_retire(o, "retired", &rep, NULL), 0);
		assert_int_equal(count_named("outbox.retired-"), i);
		assert_memory_not_equal(outbox_id(o), ob, 16);
		assert_int_equal(fold_head(outbox_state(o)), 0);
		assert_string_equal(outbox_state(o)->campaign, "demo");
		store(o, "one", 1);
	}
	outbox_close(o);
	o = reopen(&rep);
	assert_int_equal(fold_head(outbox_state(o)), 1);
	outbox_close(o);
}

static void
a_half_made_outbox_is_made_again(void **state)
{
	char *path = xasprintf("%s/outbox.new", dir), *file = xasprintf("%s/x.seg.tmp", path);
	struct outbox *o;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	save_file(file, "half", 4);
	o = reopen(NULL);
	store(o, "one", 1);
	outbox_close(o);
	free(path);
	free(file);
}

int
main(void)
{
#define EACH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    EACH(what_was_stored_is_there_after_a_restart),
	    EACH(a_finished_hold_is_forgotten_when_its_records_are_released),
	    EACH(a_mark_that_does_not_fit_the_chain_is_ignored),
	    EACH(a_tail_torn_at_any_byte_is_cut_off),
	    EACH(a_tail_of_zeros_is_cut_off),
	    EACH(damage_in_the_middle_puts_the_outbox_aside),
	    EACH(a_missing_file_in_the_middle_is_damage),
	    EACH(files_go_when_their_records_are_released_and_ids_stay),
	    EACH(old_ids_are_forgotten_only_when_released_and_many),
	    EACH(no_room_stores_nothing_and_the_outbox_goes_on),
	    EACH(after_a_failed_sync_it_is_read_only_until_restart),
	    EACH(a_second_process_is_refused),
	    EACH(a_retired_outbox_is_kept_and_a_new_one_begins),
	    EACH(a_half_made_outbox_is_made_again),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
