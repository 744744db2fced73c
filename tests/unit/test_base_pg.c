/* PostgreSQL against a private server (as the user postgres when we are root): what a failure is
 * called, no value in its words, pipelines that end clean, COPY, and a server that stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/pg.h"

static char dir[64], conninfo[256];
static pid_t server;
static struct pg *p;

/* ---- the server -------------------------------------------------------------------------------- */

static const char *
pg_bin(void)
{
	const char *given = getenv("HF_PG_BIN");

	return given != NULL ? given : "/usr/lib/postgresql/15/bin";
}

/* PostgreSQL refuses root. */
static void
become_postgres(void)
{
	const struct passwd *pw = getpwnam("postgres");

	if (geteuid() != 0)
		return;
	CHECK(pw != NULL && setgroups(0, NULL) == 0);
	CHECK(setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0);
}

/* The child's stderr comes back through *ret_fd. */
static pid_t
start(const char *const *argv, int *ret_fd)
{
	int fds[2];
	pid_t parent = getpid(), pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], 1);
		(void)dup2(fds[1], 2);
		become_postgres();
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || chdir(dir) != 0 || setenv("LC_ALL", "C", 1) != 0)
			_exit(1);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static void
read_until(int fd, const char *words, int64_t limit_us)
{
	int64_t until = clock_boot_us() + limit_us;
	char text[8192] = "";
	size_t len = 0;

	while (words == NULL || strstr(text, words) == NULL) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		ssize_t n;

		CHECK(clock_boot_us() < until);
		if (poll(&pfd, 1, 100) < 1)
			continue;
		if (len > sizeof(text) / 2)
			len = 0;
		n = read(fd, text + len, sizeof(text) / 2 - 1);
		if (n <= 0) {
			CHECK(words == NULL);
			return;
		}
		len += (size_t)n;
		text[len] = '\0';
	}
}

static int
group_setup(void **state)
{
	char program[2][256], data[96];
	const char *initdb[] = {program[0], "-D", data, "-A", "trust", "-U", "hf", "-N", "-E",
	    "UTF8", "--locale=C", NULL};
	const char *postgres[] = {program[1], "-D", data, "-k", dir, "-c",
	    "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=10", "-c",
	    "shared_buffers=8MB", NULL};
	const struct passwd *pw = getpwnam("postgres");
	int fd, status;
	pid_t pid;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/hf-pg-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK(geteuid() != 0 || (pw != NULL && chown(dir, pw->pw_uid, pw->pw_gid) == 0));
	(void)snprintf(data, sizeof(data), "%s/data", dir);
	(void)snprintf(program[0], sizeof(program[0]), "%s/initdb", pg_bin());
	(void)snprintf(program[1], sizeof(program[1]), "%s/postgres", pg_bin());
	(void)snprintf(conninfo, sizeof(conninfo), "host=%s user=hf dbname=postgres", dir);
	pid = start(initdb, &fd);
	read_until(fd, NULL, 60000000);
	(void)close(fd);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	server = start(postgres, &fd);
	read_until(fd, "ready to accept connections", 60000000);
	/* fd stays open: the server goes on writing there. */
	return 0;
}

static int
group_teardown(void **state)
{
	char command[128];
	int status;

	(void)state;
	if (server > 0) {
		(void)kill(server, SIGINT);
		CHECK(waitpid(server, &status, 0) == server);
	}
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int
setup(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	CHECK(pg_open(&p, conninfo, &err) == 0);
	CHECK(pg_script(p,
	          "DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, name text, "
	          "data bytea, flag boolean, CONSTRAINT small CHECK (id < 1000000))",
	          &err) == 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pg_close(p);
	p = NULL;
	return 0;
}

static int64_t
count(const char *sql)
{
	struct pg_result *r = NULL;
	int64_t n;

	assert_int_equal(pg_exec(p, sql, NULL, 0, &r, NULL), 0);
	n = pg_get_i64(r, 0, 0);
	pg_free(r);
	return n;
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void
values_come_back_as_they_went(void **state)
{
	static const uint8_t bytes[] = {0, 1, '\\', '\'', 255, 0};
	struct pg_param in[] = {pg_i64(-0), pg_text_span(span_of("a'b\\c\txyz", 6)),
	    pg_bytes(bytes, sizeof(bytes)), pg_bool(true)};
	struct pg_param nulls[] = {pg_i64(-5), pg_text(NULL), pg_null(), pg_bool(false)};
	struct pg_result *r = NULL;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(pg_exec(p, "INSERT INTO t VALUES ($1,$2,$3,$4)", in, 4, &r, NULL), 0);
	assert_true(pg_affected(r) == 1);
	pg_free(r);
	assert_int_equal(pg_exec(p, "INSERT INTO t VALUES ($1,$2,$3,$4)", nulls, 4, NULL, NULL), 0);
	assert_int_equal(pg_exec(p, "SELECT * FROM t ORDER BY id DESC", NULL, 0, &r, NULL), 0);
	assert_int_equal(pg_rows(r), 2);
	assert_true(span_eq(pg_get(r, 0, 1), span_of("a'b\\c\t", 6)));
	assert_int_equal(pg_get_bytes(r, 0, 2, &out, NULL), 0);
	assert_true(span_eq(buf_span(&out), span_of(bytes, sizeof(bytes))));
	assert_int_equal(pg_get_bytes(r, 0, 1, &out, NULL), -1);
	assert_true(span_eq_str(pg_get(r, 0, 3), "t"));
	assert_true(pg_get_i64(r, 1, 0) == -5);
	assert_true(pg_is_null(r, 1, 1) && pg_is_null(r, 1, 2));
	assert_false(pg_is_null(r, 1, 3));
	pg_free(r);
	buf_done(&out);
}

static void
failures_have_a_kind_and_no_values(void **state)
{
	struct pg_param in[] = {pg_i64(77), pg_text("SECRETNAME")};
	struct pg_param big[] = {pg_i64(7777777), pg_text("SECRETNAME")};
	struct pg_param nul = pg_text_span(span_of("a\0b", 3));
	static const char insert[] = "INSERT INTO t (id, name) VALUES ($1, $2)";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pg_exec(p, insert, in, 2, NULL, &err), 0);
	assert_int_equal(pg_exec(p, insert, in, 2, NULL, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err.text, "postgres: SQLSTATE 23505 constraint t_pkey");
	assert_int_equal(pg_exec(p, insert, big, 2, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, "postgres: SQLSTATE 23514 constraint small");
	assert_int_equal(pg_exec(p, "SELECT $1::text::int", in + 1, 1, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(strstr(err.text, "SECRET"));
	assert_int_equal(pg_exec(p, "SELECT nothing FROM t", NULL, 0, NULL, &err), -1);
	assert_non_null(strstr(err.text, "column \"nothing\" does not exist"));
	assert_int_equal(pg_exec(p, "SELECT $1", &nul, 1, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(pg_exec(p, "SET statement_timeout = '20ms'", NULL, 0, NULL, &err), 0);
	assert_int_equal(pg_exec(p, "SELECT pg_sleep(5)", NULL, 0, NULL, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	assert_true(pg_ok(p));
	assert_int_equal(pg_script(p, "SELECT 1; SELECT broken; SELECT 2", &err), -1);
	assert_true(count("SELECT 1") == 1);
}

static void
a_pipeline_gives_each_result_in_order(void **state)
{
	struct pg_result *r[500] = {NULL};

	(void)state;
	assert_int_equal(
	    pg_prepare(p, "ins", "INSERT INTO t (id, name) VALUES ($1, $2) RETURNING id", NULL), 0);
	assert_int_equal(pg_pipe_begin(p, NULL), 0);
	for (int i = 0; i < 500; i++) {
		char name[5000];
		struct pg_param in[2];

		memset(name, 'x', sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		in[0] = pg_i64(i);
		in[1] = pg_text(name);
		assert_int_equal(pg_pipe_add(p, "ins", in, 2, NULL), 0);
	}
	assert_int_equal(pg_pipe_end(p, r, 500, NULL), 0);
	for (int i = 0; i < 500; i++) {
		assert_true(pg_get_i64(r[i], 0, 0) == i);
		pg_free(r[i]);
	}
	assert_true(count("SELECT count(*) FROM t") == 500);
}

/* The connection of p: nothing tells its number. */
static void
cut_connection(void)
{
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_un at = {0};
		socklen_t size = sizeof(at);

		if (getpeername(fd, (struct sockaddr *)&at, &size) == 0 &&
		    at.sun_family == AF_UNIX && strstr(at.sun_path, ".s.PGSQL.") != NULL)
			(void)shutdown(fd, SHUT_RDWR);
	}
}

static void
a_pipeline_that_breaks_in_the_middle_is_an_error_and_no_end(void **state)
{
	struct pg_result *r[500] = {NULL};
	struct err err = ERR_INIT;
	struct pg_param in[2];
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    pg_prepare(p, "ins", "INSERT INTO t (id, name) VALUES ($1, $2) RETURNING id", NULL), 0);
	assert_int_equal(pg_pipe_begin(p, NULL), 0);
	cut_connection();
	in[1] = pg_text("x");
	while (n < 500) {
		in[0] = pg_i64((int64_t)n);
		if (pg_pipe_add(p, "ins", in, 2, NULL) != 0)
			break;
		n++;
	}
	assert_true(n < 500);
	assert_int_equal(pg_pipe_end(p, r, n, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
}

/* Both sides full at once: each waits for the other unless we read while we write. */
static void
a_pipeline_with_big_answers_does_not_lock_up(void **state)
{
	struct pg_param in[1];
	char *name = xmalloc(100001);

	(void)state;
	memset(name, 'y', 100000);
	name[100000] = '\0';
	in[0] = pg_text(name);
	assert_int_equal(pg_prepare(p, "echo", "SELECT $1::text || $1::text", NULL), 0);
	assert_int_equal(pg_pipe_begin(p, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pg_pipe_add(p, "echo", in, 1, NULL), 0);
	assert_int_equal(pg_pipe_end(p, NULL, 0, NULL), 0);
	free(name);
}

static void
a_failing_pipeline_tells_the_first_story_and_leaves_no_trace(void **state)
{
	struct pg_result *r[3] = {NULL};
	struct pg_param in[1];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pg_prepare(p, "ins", "INSERT INTO t (id) VALUES ($1)", NULL), 0);
	for (int open = 0; open < 2; open++) {
		if (open)
			assert_int_equal(pg_exec(p, "BEGIN", NULL, 0, NULL, NULL), 0);
		assert_int_equal(pg_pipe_begin(p, NULL), 0);
		for (int i = 0; i < 3; i++) {
			in[0] = pg_i64(i == 2 ? 2 : 1);
			assert_int_equal(pg_pipe_add(p, "ins", in, 1, NULL), 0);
		}
		assert_int_equal(pg_pipe_end(p, r, 3, &err), -1);
		assert_int_equal(err.code, ERR_EXISTS);
		assert_non_null(strstr(err.text, "t_pkey"));
		assert_null(r[0]);
		assert_true(count("SELECT count(*) FROM t") == 0);
		assert_int_equal(pg_exec(p, "BEGIN", NULL, 0, NULL, NULL), 0);
		assert_int_equal(pg_exec(p, "COMMIT", NULL, 0, NULL, NULL), 0);
	}
	assert_int_equal(pg_pipe_begin(p, NULL), 0);
	assert_int_equal(pg_pipe_end(p, NULL, 0, &err), 0);
}

static void
copy_escapes_what_it_must(void **state)
{
	static const uint8_t bytes[] = {0, '\\', '\t'};
	struct pg_param row[4];
	struct pg_result *r = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pg_copy_begin(p, "COPY t FROM STDIN", &err), 0);
	for (int i = 0; i < 2000; i++) {
		row[0] = pg_i64(i);
		row[1] = i == 1 ? pg_null() : pg_text("a\tb\nc\\N\r");
		row[2] = pg_bytes(bytes, sizeof(bytes));
		row[3] = pg_bool(i % 2 == 0);
		assert_int_equal(pg_copy_row(p, row, 4, &err), 0);
	}
	assert_int_equal(pg_copy_end(p, &err), 0);
	assert_true(count("SELECT count(*) FROM t") == 2000);
	assert_int_equal(pg_exec(p, "SELECT name, data, flag FROM t WHERE id < 2 ORDER BY id", NULL,
	                     0, &r, NULL),
	    0);
	assert_true(span_eq_str(pg_get(r, 0, 0), "a\tb\nc\\N\r"));
	assert_int_equal(pg_get_bytes(r, 0, 1, &out, NULL), 0);
	assert_true(span_eq(buf_span(&out), span_of(bytes, sizeof(bytes))));
	assert_true(pg_is_null(r, 1, 0));
	pg_free(r);
	buf_done(&out);
	/* All or nothing. */
	assert_int_equal(pg_copy_begin(p, "COPY t (id) FROM STDIN", &err), 0);
	row[0] = pg_i64(5000);
	assert_int_equal(pg_copy_row(p, row, 1, &err), 0);
	row[0] = pg_i64(1);
	assert_int_equal(pg_copy_row(p, row, 1, &err), 0);
	assert_int_equal(pg_copy_end(p, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_true(count("SELECT count(*) FROM t") == 2000);
	assert_int_equal(pg_copy_begin(p, "SELECT 1", &err), -1);
	assert_true(count("SELECT 1") == 1);
}

static void
nobody_there_is_gone(void **state)
{
	struct pg *other = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pg_open(&other, "host=/tmp/hf-no-such-dir dbname=x", &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_null(other);
}

static void
a_killed_backend_is_gone_and_stays_gone(void **state)
{
	struct pg *other = NULL;
	struct pg_param pid[1];
	struct pg_result *r = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pg_open(&other, conninfo, &err), 0);
	assert_int_equal(pg_exec(other, "SELECT pg_backend_pid()", NULL, 0, &r, NULL), 0);
	pid[0] = pg_i64(pg_get_i64(r, 0, 0));
	pg_free(r);
	assert_int_equal(
	    pg_exec(p, "SELECT pg_terminate_backend($1, 5000)", pid, 1, NULL, &err), 0);
	assert_int_equal(pg_exec(other, "SELECT 1", NULL, 0, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_false(pg_ok(other));
	assert_int_equal(pg_exec(other, "SELECT 1", NULL, 0, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_int_equal(pg_pipe_begin(other, &err), -1);
	assert_int_equal(pg_copy_begin(other, "COPY t FROM STDIN", &err), -1);
	pg_close(other);
}

static void
a_backend_killed_in_a_pipeline_is_gone(void **state)
{
	struct pg *other = NULL;
	struct pg_param in[1];
	struct pg_result *r = NULL;
	struct err err = ERR_INIT;
	int rc = 0;

	(void)state;
	assert_int_equal(pg_open(&other, conninfo, &err), 0);
	assert_int_equal(pg_exec(other, "SELECT pg_backend_pid()", NULL, 0, &r, NULL), 0);
	in[0] = pg_i64(pg_get_i64(r, 0, 0));
	pg_free(r);
	assert_int_equal(pg_prepare(other, "die", "SELECT pg_terminate_backend($1)", &err), 0);
	assert_int_equal(pg_pipe_begin(other, &err), 0);
	for (int i = 0; rc == 0 && i < 100; i++)
		rc = pg_pipe_add(other, "die", in, 1, &err); /* it may die before all were added */
	if (rc == 0)
		rc = pg_pipe_end(other, NULL, 0, &err);
	else
		(void)pg_pipe_end(other, NULL, 0, NULL);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_false(pg_ok(other));
	pg_close(other);
}

static void
a_stopped_server_is_given_up_after_the_patience(void **state)
{
	struct pg *other = NULL;
	struct pg_result *r = NULL;
	struct err err = ERR_INIT;
	int64_t start_us;
	pid_t backend;

	(void)state;
	assert_int_equal(pg_open(&other, conninfo, &err), 0);
	assert_int_equal(pg_exec(other, "SELECT pg_backend_pid()", NULL, 0, &r, NULL), 0);
	backend = (pid_t)pg_get_i64(r, 0, 0);
	pg_free(r);
	pg_patience(other, 100000);
	assert_int_equal(kill(backend, SIGSTOP), 0);
	start_us = clock_boot_us();
	assert_int_equal(pg_exec(other, "SELECT 1", NULL, 0, NULL, &err), -1);
	assert_int_equal(kill(backend, SIGCONT), 0);
	assert_int_equal(err.code, ERR_GONE);
	assert_true(clock_boot_us() - start_us >= 100000);
	assert_false(pg_ok(other));
	assert_int_equal(pg_exec(other, "SELECT 1", NULL, 0, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	pg_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(values_come_back_as_they_went),
	    TEST(failures_have_a_kind_and_no_values),
	    TEST(a_pipeline_gives_each_result_in_order),
	    TEST(a_pipeline_that_breaks_in_the_middle_is_an_error_and_no_end),
	    TEST(a_pipeline_with_big_answers_does_not_lock_up),
	    TEST(a_failing_pipeline_tells_the_first_story_and_leaves_no_trace),
	    TEST(copy_escapes_what_it_must),
	    TEST(nobody_there_is_gone),
	    TEST(a_killed_backend_is_gone_and_stays_gone),
	    TEST(a_backend_killed_in_a_pipeline_is_gone),
	    TEST(a_stopped_server_is_given_up_after_the_patience),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
