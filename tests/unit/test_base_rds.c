/* Redis in the loop against a private redis-server on a unix socket: each command completes exactly
 * once, whatever happens to the server, and the connection heals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/rds.h"

#define SECOND 1000000LL

struct fixture {
	char dir[64], address[128], acl[128];
	pid_t server;
	struct loop *loop;
	struct loop_timer *limit, *poll;
	struct rds *r;
	const char *user, *password;
	bool overran, want_up;
	int ups, downs;
	/* what commands told us */
	int replies, gone, late, other, want;
	bool again, destroy_in_callback;
	enum rds_type type;
	int64_t number;
	char text[256];
	int listener, accepted;
	struct loop_io *io;
};

/* ---- the server -------------------------------------------------------------------------------- */

static void
start_server(struct fixture *f)
{
	char sock[128], null[] = "/dev/null";
	pid_t parent = getpid();

	(void)snprintf(sock, sizeof(sock), "%s/r", f->dir);
	f->server = fork();
	CHECK(f->server >= 0);
	if (f->server == 0) {
		int fd = open(null, O_RDWR);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || fd < 0)
			_exit(1);
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", sock,
		    "--save", "", "--appendonly", "no", "--dir", f->dir, "--aclfile", f->acl,
		    "--enable-debug-command", "yes", (char *)NULL);
		_exit(127);
	}
}

static void
stop_server(struct fixture *f)
{
	int status;

	if (f->server <= 0)
		return;
	(void)kill(f->server, SIGKILL);
	CHECK(waitpid(f->server, &status, 0) == f->server);
	f->server = 0;
}

/* ---- the fixture ------------------------------------------------------------------------------- */

static void
on_limit(void *arg)
{
	struct fixture *f = arg;

	f->overran = true;
	loop_stop(f->loop);
}

static void
on_state(void *arg, bool up)
{
	struct fixture *f = arg;

	if (up)
		f->ups++;
	else
		f->downs++;
	if (up == f->want_up)
		loop_stop(f->loop);
}

static bool
run_for(struct fixture *f, int64_t us)
{
	f->overran = false;
	loop_timer_after(f->limit, us);
	loop_run(f->loop);
	loop_timer_stop(f->limit);
	return !f->overran;
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	FILE *acl;

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/hf-rds-XXXXXX");
	CHECK(mkdtemp(f->dir) != NULL);
	(void)snprintf(f->address, sizeof(f->address), "unix:%s/r", f->dir);
	(void)snprintf(f->acl, sizeof(f->acl), "%s/acl", f->dir);
	acl = fopen(f->acl, "w");
	CHECK(acl != NULL);
	CHECK(fputs("user default off\n"
	            "user root on >secret ~* &* +@all\n"
	            "user narrow on >small ~* -@all +get\n",
	          acl) >= 0);
	CHECK(fclose(acl) == 0);
	f->loop = loop_create();
	f->limit = loop_timer_create(f->loop, on_limit, f);
	f->user = "root";
	f->password = "secret";
	f->listener = f->accepted = -1;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[160];

	rds_destroy(f->r);
	loop_io_destroy(f->io);
	loop_timer_destroy(f->limit);
	loop_timer_destroy(f->poll);
	loop_destroy(f->loop);
	stop_server(f);
	if (f->listener >= 0)
		(void)close(f->listener);
	if (f->accepted >= 0)
		(void)close(f->accepted);
	(void)unlink(f->acl);
	(void)snprintf(path, sizeof(path), "%s/r", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void
open_redis(struct fixture *f)
{
	f->want_up = true;
	f->r = rds_create(f->loop, f->address, f->user, f->password, on_state, f);
}

static void
start_and_open(struct fixture *f)
{
	start_server(f);
	open_redis(f);
	assert_true(run_for(f, 10 * SECOND));
	assert_true(rds_connected(f->r));
	assert_string_equal(rds_trouble(f->r), "");
}

static void cmd(struct fixture *f, int64_t timeout_us, const char *line);

static void
on_done(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct fixture *f = arg;

	if (err == NULL) {
		f->replies++;
		f->type = rds_type(reply);
		f->number = rds_int(reply);
		(void)snprintf(f->text, sizeof(f->text), "%.*s", (int)rds_str(reply).len,
		    (const char *)rds_str(reply).data);
	} else {
		assert_null(reply);
		f->gone += err->code == ERR_GONE;
		f->late += err->code == ERR_LATE;
		f->other += err->code != ERR_GONE && err->code != ERR_LATE;
		(void)snprintf(f->text, sizeof(f->text), "%.200s", err->text);
	}
	if (f->again && f->gone < 5)
		cmd(f, SECOND, "PING");
	if (f->destroy_in_callback)
		rds_destroy(f->r);
	if (f->replies + f->gone + f->late + f->other >= f->want)
		loop_stop(f->loop);
}

/* Words apart by one space. */
static void
cmd(struct fixture *f, int64_t timeout_us, const char *line)
{
	struct span argv[8];
	size_t n = 0;

	while (*line != '\0') {
		size_t len = strcspn(line, " ");

		argv[n++] = span_of(line, len);
		line += len + (line[len] == ' ');
	}
	rds_cmd(f->r, argv, n, timeout_us, on_done, f);
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void
replies_come_in_order_with_their_types(void **state)
{
	struct fixture *f = *state;

	start_and_open(f);
	f->want = 1;
	cmd(f, SECOND, "INCRBY n -7");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->type, RDS_INT);
	assert_true(f->number == -7);
	f->want = 2;
	cmd(f, SECOND, "GET nothing");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->type, RDS_NIL);
	f->want = 3;
	cmd(f, SECOND, "NOSUCH command");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->type, RDS_ERROR);
	f->want = 1003;
	for (int i = 0; i < 1000; i++)
		cmd(f, 5 * SECOND, "INCR n");
	assert_true(run_for(f, 10 * SECOND));
	assert_true(f->number == 993);
	assert_int_equal(f->replies, 1003);
	assert_int_equal(f->ups, 1);
	assert_int_equal(f->downs, 0);
}

static void
while_down_commands_fail_from_the_loop(void **state)
{
	struct fixture *f = *state;

	open_redis(f);
	f->want = 2;
	cmd(f, SECOND, "PING");
	cmd(f, SECOND, "PING");
	assert_int_equal(f->gone, 0);
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->gone, 2);
	assert_non_null(strstr(f->text, "not connected"));
	assert_int_equal(f->ups + f->downs, 0);
	assert_string_not_equal(rds_trouble(f->r), "");
}

/* The retry of a failed command must not spin inside one turn. */
static void
a_callback_may_issue_again_while_down(void **state)
{
	struct fixture *f = *state;

	open_redis(f);
	f->again = true;
	f->want = 5;
	cmd(f, SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->gone, 5);
}

static void
it_connects_when_the_server_comes_and_again_after_it_died(void **state)
{
	struct fixture *f = *state;

	open_redis(f);
	(void)run_for(f, 50000);
	start_server(f);
	assert_true(run_for(f, 10 * SECOND));
	assert_int_equal(f->ups, 1);
	f->want = 100;
	/* The server stops answering, commands are in flight, then it dies. */
	assert_int_equal(kill(f->server, SIGSTOP), 0);
	for (int i = 0; i < 100; i++)
		cmd(f, 20 * SECOND, "PING");
	(void)run_for(f, 20000);
	stop_server(f);
	assert_true(run_for(f, 10 * SECOND));
	assert_int_equal(f->gone, 100);
	assert_int_equal(f->replies + f->late + f->other, 0);
	f->want_up = false;
	if (f->downs == 0)
		assert_true(run_for(f, 10 * SECOND));
	assert_int_equal(f->downs, 1);
	assert_false(rds_connected(f->r));
	f->want_up = true;
	start_server(f);
	assert_true(run_for(f, 10 * SECOND));
	assert_int_equal(f->ups, 2);
	f->want = 101;
	cmd(f, SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	assert_string_equal(f->text, "PONG");
	assert_int_equal(f->replies, 1);
}

static void
a_late_command_hears_so_and_the_others_are_gone(void **state)
{
	struct fixture *f = *state;
	int64_t start;

	start_and_open(f);
	assert_int_equal(kill(f->server, SIGSTOP), 0);
	f->want = 3;
	start = clock_boot_us();
	cmd(f, 20 * SECOND, "PING");
	cmd(f, 100000, "PING");
	cmd(f, 20 * SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	assert_true(clock_boot_us() - start >= 100000);
	assert_true(clock_boot_us() - start < 5 * SECOND);
	assert_int_equal(f->late, 1);
	assert_int_equal(f->gone, 2);
	assert_false(rds_connected(f->r));
	assert_int_equal(kill(f->server, SIGCONT), 0);
	f->want_up = true;
	assert_true(run_for(f, 10 * SECOND));
	f->want = 4;
	cmd(f, SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->replies, 1);
	assert_string_equal(f->text, "PONG");
}

static void
destroy_completes_what_is_pending_once(void **state)
{
	struct fixture *f = *state;

	start_and_open(f);
	for (int i = 0; i < 10; i++)
		cmd(f, SECOND, "PING");
	f->want = 1000;
	rds_destroy(f->r);
	f->r = NULL;
	assert_int_equal(f->gone, 10);
	(void)run_for(f, 20000);
	assert_int_equal(f->gone + f->replies + f->late + f->other, 10);
}

static void
destroy_inside_a_reply_is_allowed(void **state)
{
	struct fixture *f = *state;

	start_and_open(f);
	f->destroy_in_callback = true;
	f->want = 10;
	for (int i = 0; i < 10; i++)
		cmd(f, SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	f->r = NULL;
	assert_int_equal(f->replies, 1);
	assert_int_equal(f->gone, 9);
	(void)run_for(f, 20000);
	assert_int_equal(f->replies + f->gone + f->late + f->other, 10);
}

static void
destroy_inside_a_failure_is_allowed(void **state)
{
	struct fixture *f = *state;

	start_and_open(f);
	f->destroy_in_callback = true;
	f->want = 10;
	assert_int_equal(kill(f->server, SIGSTOP), 0);
	for (int i = 0; i < 10; i++)
		cmd(f, i < 5 ? 30000 : SECOND, "PING");
	assert_true(run_for(f, 5 * SECOND));
	f->r = NULL;
	assert_int_equal(f->late, 1);
	assert_int_equal(f->gone, 9);
	(void)run_for(f, 20000);
	assert_int_equal(f->replies + f->gone + f->late + f->other, 10);
}

static void
a_wrong_password_is_trouble_not_a_connection(void **state)
{
	struct fixture *f = *state;

	start_server(f);
	f->password = "guess";
	open_redis(f);
	assert_false(run_for(f, SECOND));
	assert_false(rds_connected(f->r));
	assert_int_equal(f->ups + f->downs, 0);
	assert_non_null(strstr(rds_trouble(f->r), "WRONGPASS"));
	assert_null(strstr(rds_trouble(f->r), "guess"));
}

static void
a_user_who_may_not_ping_connects(void **state)
{
	struct fixture *f = *state;

	f->user = "narrow";
	f->password = "small";
	start_and_open(f);
	f->want = 1;
	cmd(f, SECOND, "GET x");
	assert_true(run_for(f, 5 * SECOND));
	assert_int_equal(f->type, RDS_NIL);
	assert_int_equal(f->replies, 1);
}

static void
an_address_that_is_none_never_connects(void **state)
{
	static const char *const bad[] = {"", "/tmp/x", "unix:", "tcp:host", "tcp::1", "tcp:h:0",
	    "tcp:h:70000",
	    "unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
	    "012345678901234567890123456789012345678901234567890123456789"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rds *r = rds_create(f->loop, bad[i], NULL, NULL, NULL, NULL);

		assert_string_not_equal(rds_trouble(r), "");
		rds_destroy(r);
	}
}

/* ---- a server that is not one ------------------------------------------------------------------ */

static void
on_accept(void *arg, int events)
{
	struct fixture *f = arg;

	(void)events;
	if (f->accepted >= 0)
		(void)close(f->accepted);
	f->accepted = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
}

static void
a_server_that_says_nothing_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/r", f->dir);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(f->listener, 5), 0);
	f->io = loop_io_create(f->loop, f->listener, LOOP_READ, on_accept, f);
	open_redis(f);
	assert_false(run_for(f, 3300000));
	assert_non_null(strstr(rds_trouble(f->r), "no answer while connecting"));
	assert_int_equal(f->ups, 0);
}

/* ---- waiting tools ----------------------------------------------------------------------------- */

static void
the_waiting_client_answers_and_breaks_for_good(void **state)
{
	struct fixture *f = *state;
	struct span ping = span_str("PING"),
	            mget[3] = {span_str("MGET"), span_str("a"), span_str("b")};
	struct span bad = span_str("NOSUCH");
	const struct rds_reply *reply = NULL;
	struct rds_sync *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(rds_sync_open(&s, f->address, "root", "secret", SECOND, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	start_and_open(f);
	assert_int_equal(rds_sync_open(&s, f->address, "root", "guess", SECOND, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_int_equal(rds_sync_open(&s, f->address, "root", "secret", 200000, &err), 0);
	assert_int_equal(rds_sync_cmd(s, mget, 3, &reply, &err), 0);
	assert_int_equal(rds_len(reply), 2);
	assert_int_equal(rds_type(rds_at(reply, 1)), RDS_NIL);
	assert_null(rds_at(reply, 2));
	rds_sync_free(reply);
	assert_int_equal(rds_sync_cmd(s, &bad, 1, &reply, &err), 0);
	assert_int_equal(rds_type(reply), RDS_ERROR);
	rds_sync_free(reply);
	assert_int_equal(kill(f->server, SIGSTOP), 0);
	assert_int_equal(rds_sync_cmd(s, &ping, 1, &reply, &err), -1);
	assert_int_equal(err.code, ERR_LATE);
	assert_int_equal(kill(f->server, SIGCONT), 0);
	assert_int_equal(rds_sync_cmd(s, &ping, 1, &reply, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	rds_sync_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- pushing ----------------------------------------------------------------------------------- */

/* What n is, asked on a connection of its own while the loop stands still. */
static bool
becomes(struct fixture *f, const char *want)
{
	struct span get[2] = {span_str("GET"), span_str("n")};
	const struct rds_reply *reply = NULL;
	struct rds_sync *s = NULL;
	struct err err = ERR_INIT;
	int64_t until = clock_boot_us() + 10 * SECOND;
	bool is = false;

	assert_int_equal(rds_sync_open(&s, f->address, "root", "secret", SECOND, &err), 0);
	while (!is && clock_boot_us() < until) {
		assert_int_equal(rds_sync_cmd(s, get, 2, &reply, &err), 0);
		is = span_eq_str(rds_str(reply), want);
		rds_sync_free(reply);
	}
	rds_sync_close(s);
	return is;
}

static void
what_is_pushed_is_written_before_the_loop_turns(void **state)
{
	struct fixture *f = *state;
	int status;

	start_and_open(f);
	f->want = 1;
	cmd(f, 30 * SECOND, "SET n 1");
	rds_push(f->r);
	assert_true(becomes(f, "1"));
	assert_int_equal(f->replies, 0);
	rds_push(f->r); /* nothing to write */
	assert_true(run_for(f, 30 * SECOND));
	assert_int_equal(f->replies, 1);
	f->want = 2;
	cmd(f, 30 * SECOND, "INCR n"); /* the next is written as ever */
	assert_true(run_for(f, 30 * SECOND));
	assert_int_equal(f->number, 2);
	assert_int_equal(kill(f->server, SIGKILL), 0);
	assert_int_equal(waitpid(f->server, &status, 0), f->server);
	f->server = 0;
	f->want = 3;
	cmd(f, 30 * SECOND, "INCR n");
	rds_push(f->r); /* fails; said once, from the loop */
	assert_int_equal(f->gone, 0);
	assert_true(run_for(f, 30 * SECOND));
	assert_int_equal(f->gone, 1);
	rds_push(f->r); /* down */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(replies_come_in_order_with_their_types),
	    TEST(while_down_commands_fail_from_the_loop),
	    TEST(a_callback_may_issue_again_while_down),
	    TEST(it_connects_when_the_server_comes_and_again_after_it_died),
	    TEST(a_late_command_hears_so_and_the_others_are_gone),
	    TEST(destroy_completes_what_is_pending_once),
	    TEST(destroy_inside_a_reply_is_allowed),
	    TEST(destroy_inside_a_failure_is_allowed),
	    TEST(a_wrong_password_is_trouble_not_a_connection),
	    TEST(a_user_who_may_not_ping_connects),
	    TEST(an_address_that_is_none_never_connects),
	    TEST(a_server_that_says_nothing_is_given_up),
	    TEST(the_waiting_client_answers_and_breaks_for_good),
	    TEST(what_is_pushed_is_written_before_the_loop_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
