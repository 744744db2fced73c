/* The archive killed at every write, fsync, unlink and rename, with what was not synced torn: what was
 * called released is there, it verifies, and it goes on. And any byte that is changed is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/recorder/archive.h"
#include "workers/recorder/verify.h"

#define SEGMENTS    5
#define PER_SEGMENT 4
#define ENTRIES     (SEGMENTS * PER_SEGMENT)
#define KEY_ENTRIES 2 /* agent and outbox come first */

static char dir[64];
static uint8_t pk[32], sk[64], agent_pk[32], agent_sk[64], agent[16];
static const uint8_t ob[16] = {5, 5}, curve_pk[32] = {3};
static int first_now = 7;  /* campaign time of the first entry */
static int countdown = -1; /* calls until the cut; -1: no cut */
static unsigned tear;
static int torn_fd = -1;
static off_t synced;

static void
step(void)
{
	struct stat st;

	if (countdown <= 0 || --countdown > 0)
		return;
	if (torn_fd >= 0 && fstat(torn_fd, &st) == 0 && st.st_size > synced)
		(void)syscall(SYS_ftruncate, torn_fd,
		    synced + (off_t)((uint64_t)(st.st_size - synced) * tear / 4));
	_exit(42);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	struct stat st;
	ssize_t n;

	if (countdown < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, data, len);
	step();
	torn_fd = fd;
	synced = st.st_size;
	n = syscall(SYS_write, fd, data, len);
	step();
	return n;
}

int
fsync(int fd)
{
	int rc;

	step();
	rc = (int)syscall(SYS_fsync, fd);
	if (fd == torn_fd)
		torn_fd = -1;
	step();
	return rc;
}

int
rename(const char *from, const char *to)
{
	int rc;

	step();
	rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	step();
	return rc;
}

/* ---- a log ------------------------------------------------------------------------------------------ */

struct made {
	char id[32], head[64];
	struct buf detail, f0;
	struct span pair[10];
	struct raw_entry raw;
};

/* Entry no of a log that is always the same: agent, outbox, then records 1, 2, 3 … */
static void
make(struct made *m, uint64_t no, uint8_t h[32])
{
	struct frame f = {.kind = MSG_RECORD};
	struct msg_record *r = &f.u.record;
	static const uint8_t body[40] = {9, 9};
	const char *type = no == 1 ? "agent" : no == 2 ? "outbox" : "record";
	char hex[65], hex_of_agent[33];

	memset(m, 0, sizeof(*m));
	hex_encode(hex_of_agent, agent, 16);
	hex_encode(hex, ob, 16);
	snprintf(m->id, sizeof(m->id), "1-%ju", (uintmax_t)no);
	snprintf(
	    m->head, sizeof(m->head), "%s %ju %d 7", type, (uintmax_t)no, no == 1 ? first_now : 7);
	if (no == 1) {
		buf_addf(&m->detail, "%s ", hex_of_agent);
		hex_encode(hex, curve_pk, 32);
		buf_addf(&m->detail, "%s ", hex);
		hex_encode(hex, agent_pk, 32);
		buf_addf(&m->detail, "%s active", hex);
	} else if (no == 2) {
		buf_addf(&m->detail, "%s %s", hex, hex_of_agent);
	} else {
		memcpy(r->ob, ob, 16);
		r->seq = no - KEY_ENTRIES;
		memcpy(r->prev_h, h, 32);
		r->header = span_str("header");
		chain_body_hash(r->bc, span_of(body, sizeof(body)));
		chain_next(h, r->prev_h, ob, r->seq, r->header, r->bc);
		memcpy(r->h, h, 32);
		crypt_sign(r->sig, agent_sk, span_of(h, 32));
		frame_encode(&m->f0, &f);
		buf_addf(&m->detail, "%s %ju 0 - li 2", hex, (uintmax_t)r->seq);
	}
	m->pair[0] = span_str("e");
	m->pair[1] = span_str(m->head);
	m->pair[2] = span_str("d");
	m->pair[3] = buf_span(&m->detail);
	m->pair[4] = span_str("r");
	m->pair[5] = buf_span(&m->f0);
	m->pair[6] = span_str("b");
	m->pair[7] = span_of(body, sizeof(body));
	m->pair[8] = span_str("s");
	m->raw = (struct raw_entry){span_str(m->id), m->pair, 10};
}

static void
done(struct made *m)
{
	buf_done(&m->detail);
	buf_done(&m->f0);
}

/* Archives what is missing up to the last entry; tells the pipe after each seal what is released. */
static void
story(int promise)
{
	struct archive *a = NULL;
	uint8_t h[32] = {0}, said;
	size_t n;

	if (archive_open(&a, dir, "demo", sk, NULL, NULL) != 0)
		_exit(1);
	archive_said(a);
	for (uint64_t no = 1; no <= ENTRIES; no++) {
		struct made m;

		make(&m, no, h);
		if (no > archive_read_upto(a).no && archive_add(a, &m.raw, NULL) != 0)
			_exit(2);
		done(&m);
		if (no % PER_SEGMENT != 0)
			continue;
		if (archive_seal(a, NULL) != 0)
			_exit(3);
		if (archive_sealed(a, &n) == NULL || n != 1)
			continue; /* was sealed before */
		said = (uint8_t)archive_sealed(a, &n)[0].upto;
		archive_said(a);
		if (syscall(SYS_write, promise, &said, 1) != 1)
			_exit(4);
	}
	archive_close(a);
}

static bool
run(int cut_at, unsigned how, uint64_t *ret_promised)
{
	int fd[2], status;
	uint8_t said;
	pid_t pid;

	*ret_promised = 0;
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fd[0]);
		tear = how;
		countdown = cut_at;
		story(fd[1]);
		_exit(0);
	}
	(void)close(fd[1]);
	while (read(fd[0], &said, 1) == 1)
		*ret_promised = said;
	(void)close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 42;
}

static void
empty(void)
{
	char path[192];

	for (int i = 1; i <= SEGMENTS; i++) {
		snprintf(path, sizeof(path), "%s/records/demo/%012d.seg", dir, i);
		(void)unlink(path);
		snprintf(path, sizeof(path), "%s/records/demo/%012d.seg.tmp", dir, i);
		(void)unlink(path);
	}
	snprintf(path, sizeof(path), "%s/records/demo", dir);
	(void)rmdir(path);
	snprintf(path, sizeof(path), "%s/records", dir);
	(void)rmdir(path);
}

static int
verify(char *ret_text, size_t size)
{
	FILE *out = fmemopen(ret_text, size, "w");
	int rc;

	assert_non_null(out);
	rc = verify_archive(dir, pk, out, NULL);
	(void)fclose(out);
	return rc;
}

static void
test_killed_at_every_step(void **state)
{
	uint64_t promised, more;
	int cuts = 0;
	bool cut = true;

	(void)state;
	for (int at = 1; cut; at++) {
		for (unsigned how = 0; how <= 4; how++) {
			struct archive *a = NULL;
			char text[512] = "";

			empty();
			cut = run(at, how, &promised);
			cuts += cut;
			assert_int_equal(archive_open(&a, dir, "demo", sk, NULL, NULL), 0);
			assert_true(
			    archive_read_upto(a).no >= promised + (promised > 0 ? KEY_ENTRIES : 0));
			archive_close(a);
			if (promised > 0)
				assert_int_equal(verify(text, sizeof(text)), 0);
			assert_false(run(0, 0, &more));
			memset(text, 0, sizeof(text));
			assert_int_equal(verify(text, sizeof(text)), 0);
			assert_non_null(strstr(text, "5 segments, 18 records, log up to 1-20"));
		}
	}
	assert_true(cuts > SEGMENTS * 6 * 5);
	empty();
}

static void
test_any_byte_that_is_changed_is_noticed(void **state)
{
	char path[192], text[512] = "";
	struct buf file = BUF_INIT;
	uint64_t promised;
	size_t named = 0;

	(void)state;
	empty();
	assert_false(run(0, 0, &promised));
	assert_int_equal(promised, ENTRIES - KEY_ENTRIES);
	snprintf(path, sizeof(path), "%s/records/demo/%012d.seg", dir, 3);
	assert_int_equal(file_read(&file, path, 1 << 20, NULL), 0);
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_equal(file_replace(path, buf_span(&file), 0600, NULL), 0);
		memset(text, 0, sizeof(text));
		if (verify(text, sizeof(text)) != 1 || strstr(text, "ALTERED") == NULL)
			fail_msg("byte %zu changed, and: %s", i, text);
		named += strstr(text, "record ") != NULL;
		file.data[i] ^= (uint8_t)(1u << (i % 8));
	}
	assert_true(named > file.len / 3); /* what lies in F0 and F1 names its record */
	assert_int_equal(file_replace(path, buf_span(&file), 0600, NULL), 0);
	assert_int_equal(verify(text, sizeof(text)), 0);
	assert_int_equal(unlink(path), 0); /* a whole segment is missing */
	assert_int_equal(verify(text, sizeof(text)), 1);
	buf_done(&file);
	empty();
}

/* Both are signed, and the records in them are the same: only the chain of the segments tells. */
static void
test_a_segment_of_another_archive_is_noticed(void **state)
{
	char path[192], text[512] = "";
	struct buf other = BUF_INIT;
	uint64_t promised;

	(void)state;
	snprintf(path, sizeof(path), "%s/records/demo/%012d.seg", dir, 3);
	empty();
	first_now = 8;
	assert_false(run(0, 0, &promised));
	assert_int_equal(file_read(&other, path, 1 << 20, NULL), 0);
	empty();
	first_now = 7;
	assert_false(run(0, 0, &promised));
	assert_int_equal(file_replace(path, buf_span(&other), 0600, NULL), 0);
	assert_int_equal(verify(text, sizeof(text)), 1);
	assert_non_null(strstr(text, "000000000003.seg: it does not hang on the one before"));
	buf_done(&other);
	empty();
}

static void
test_missing_entries_are_refused(void **state)
{
	struct archive *a = NULL;
	struct err err = ERR_INIT;
	uint8_t h[32] = {0};
	struct made m;

	(void)state;
	assert_int_equal(archive_open(&a, dir, "demo", sk, NULL, NULL), 0);
	make(&m, 1, h);
	assert_int_equal(archive_add(a, &m.raw, NULL), 0);
	done(&m);
	make(&m, 3, h);
	assert_int_equal(archive_add(a, &m.raw, &err), -1);
	assert_int_equal(err.code, ERR_STALE);
	done(&m);
	archive_close(a);
	empty();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_killed_at_every_step),
	    cmocka_unit_test(test_any_byte_that_is_changed_is_noticed),
	    cmocka_unit_test(test_a_segment_of_another_archive_is_noticed),
	    cmocka_unit_test(test_missing_entries_are_refused),
	};
	int rc;

	CHECK(crypt_init(NULL) == 0);
	snprintf(dir, sizeof(dir), "/tmp/hf-archive-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	crypt_sign_keypair(pk, sk);
	crypt_sign_keypair(agent_pk, agent_sk);
	chain_agent_id(agent, curve_pk, agent_pk);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
