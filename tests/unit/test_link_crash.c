/* An outbox killed at every single system call that changes the disk, with the unsynced end of the file
 * torn as a power cut would: what was promised is there, in order, and the outbox goes on.
 *
 * The child runs one story; the N-th call of write, fsync, rename and so on is its last. What it had
 * been promised before, it had told through a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"
#include "workers/link/outbox.h"

#define COMMITS 18
#define BIG     65000 /* so that files fill up and are followed by new ones */

static char dir[64];
static int countdown = -1; /* calls until the cut; -1: no cut */
static unsigned tear;      /* which part of the unsynced bytes arrives */
static int torn_fd = -1;   /* the segment written last */
static off_t synced;       /* of it */

/* The machine loses its power: of what was never synced, only some part reached the disk. */
static void
power_cut(void)
{
	struct stat st;

	if (torn_fd >= 0 && fstat(torn_fd, &st) == 0 && st.st_size > synced)
		(void)syscall(SYS_ftruncate, torn_fd,
		    synced + (off_t)((uint64_t)(st.st_size - synced) * tear / 4));
	_exit(42);
}

static void
step(void)
{
	if (countdown > 0 && --countdown == 0)
		power_cut();
}

ssize_t
write(int fd, const void *data, size_t len)
{
	struct stat st;
	ssize_t n;

	if (countdown < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, data, len);
	step();
	if (fd != torn_fd) {
		torn_fd = fd;
		synced = st.st_size;
	}
	n = syscall(SYS_write, fd, data, len);
	step();
	return n;
}

static int
sync_it(int fd, long number)
{
	struct stat st;
	int rc;

	step();
	rc = (int)syscall(number, fd);
	if (fd == torn_fd && fstat(fd, &st) == 0)
		synced = st.st_size;
	step();
	return rc;
}

int
fsync(int fd)
{
	return sync_it(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return sync_it(fd, SYS_fdatasync);
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

int
unlink(const char *path)
{
	int rc;

	step();
	rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	step();
	return rc;
}

/* ---- the story ----------------------------------------------------------------------------------- */

static int
add(struct outbox *o, size_t body_len)
{
	struct fold_stored r = {.header = span_str("h")};
	uint8_t bc[32], prev[32], *body = xcalloc(1, body_len + 1);
	int rc;

	r.body = span_of(body, body_len);
	r.seq = outbox_tip(o, prev) + 1;
	be64_put(r.id, r.seq);
	chain_body_hash(bc, r.body);
	chain_next(r.h, prev, outbox_id(o), r.seq, r.header, bc);
	rc = outbox_add_record(o, &r, NULL);
	free(body);
	return rc;
}

static void
mark(struct outbox *o, unsigned which, uint64_t upto)
{
	struct fold_marking m = {.which = which, .upto = upto, .verdict = FOLD_UNKNOWN};

	if (fold_hash_at(outbox_state(o), upto, m.h))
		outbox_add_mark(o, &m);
}

/* Writes to the pipe what it was promised: the head after each commit. */
static void
story(int promise)
{
	struct outbox *o = NULL;
	struct hold h = {.token = 5, .person = "w01"};

	if (outbox_open(&o, dir, "demo", NULL, NULL) != 0)
		_exit(1);
	for (uint64_t i = 1; i <= COMMITS; i++) {
		uint8_t said;

		if (i == 2)
			outbox_add_hold(o, &h);
		if (i == 10)
			outbox_end_hold(o, h.case_id, 5);
		if (add(o, BIG) != 0 || add(o, i % 5 == 0 ? 10 : BIG) != 0)
			_exit(2);
		if (outbox_commit(o, NULL) != 0)
			_exit(3);
		said = (uint8_t)fold_head(outbox_state(o));
		if (syscall(SYS_write, promise, &said, 1) != 1)
			_exit(4);
		if (i == 13)
			mark(o, MARK_RELEASED, fold_head(outbox_state(o)) - 1);
	}
	outbox_close(o);
}

/* Runs the story up to the cut; returns whether it was cut, and the last promise. */
static bool
run(int cut_at, unsigned how, uint64_t *ret_promised)
{
	int pipe_fd[2], status;
	uint8_t said;
	pid_t pid;

	*ret_promised = 0;
	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(pipe_fd[0]);
		tear = how;
		countdown = cut_at;
		story(pipe_fd[1]);
		_exit(0);
	}
	(void)close(pipe_fd[1]);
	while (read(pipe_fd[0], &said, 1) == 1)
		*ret_promised = said;
	(void)close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 42;
}

static void
empty_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *child = xasprintf("%s/%s", path, e->d_name);

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    syscall(SYS_unlinkat, AT_FDCWD, child, 0) != 0) {
			empty_dir(child);
			(void)rmdir(child);
		}
		free(child);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* What a restart finds: all that was promised, nothing put aside, and it goes on. */
static void
check(uint64_t promised)
{
	struct outbox_report rep;
	struct buf store = BUF_INIT;
	struct fold_stored r;
	struct outbox *o = NULL;
	struct err err = ERR_INIT;
	const struct fold *f;
	uint64_t head, seq;

	if (outbox_open(&o, dir, "demo", &rep, &err) != 0)
		fail_msg("%s", err.text);
	if (rep.kept_as[0] != '\0')
		fail_msg("taken for damage: %s", rep.why);
	f = outbox_state(o);
	head = fold_head(f);
	assert_true(head >= promised);
	for (seq = f->base_seq + 1; seq <= head; seq++) {
		uint8_t id[16] = {0};
		uint64_t found = 0;

		assert_int_equal(outbox_read(o, seq, &store, &r, NULL), 0);
		be64_put(id, seq);
		assert_true(outbox_find_id(o, id, &found));
		assert_int_equal(found, seq);
	}
	if (promised >= 4 && promised < 18) {
		uint8_t no_case[16] = {0};

		assert_non_null(fold_hold(f, no_case, 5));
	}
	for (seq = 1; seq <= f->base_seq; seq++) { /* forgotten records keep their ids */
		uint8_t id[16] = {0};
		uint64_t found = 0;

		be64_put(id, seq);
		assert_true(outbox_find_id(o, id, &found));
	}
	assert_int_equal(add(o, 5), 0);
	assert_int_equal(outbox_commit(o, NULL), 0);
	assert_int_equal(fold_head(outbox_state(o)), head + 1);
	outbox_close(o);
	buf_done(&store);
}

static void
every_point_of_a_power_cut_keeps_what_was_promised(void **state)
{
	uint64_t promised;
	int points = 0;

	(void)state;
	for (int at = 1;; at++) {
		bool cut = run(at, (unsigned)at % 5, &promised);

		check(promised);
		empty_dir(dir);
		if (!cut)
			break;
		points++;
	}
	print_message("%d points\n", points);
	assert_true(points >= 90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_point_of_a_power_cut_keeps_what_was_promised)};
	int rc;

	strcpy(dir, "/tmp/hf-crash-XXXXXX");
	if (mkdtemp(dir) == NULL || crypt_init(NULL) != 0)
		return 1;
	rc = cmocka_run_group_tests_name("crash", tests, NULL, NULL);
	empty_dir(dir);
	(void)rmdir(dir);
	return rc;
}
