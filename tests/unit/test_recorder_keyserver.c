/* The key store as its clients see it: a served store in a child process, workers/link/keyclient.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/zsock.h"
#include "workers/link/keyclient.h"
#include "workers/recorder/keyserver.h"

static char top[] = "/tmp/hf-keyserver-XXXXXX";
static struct home home;
static pid_t server;

static void
say_ready(void *arg)
{
	ssize_t unused = write(*(int *)arg, "r", 1);

	(void)unused;
}

/* The child becomes a new program at once: a client's threads run in this one, and what is forked beside
 * threads may find the allocator's locks taken for ever. */
static void
start_server(void)
{
	char self[] = "/proc/self/exe", word[] = "serve", ready[16];
	char *argv[] = {self, word, top, ready, NULL};
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	snprintf(ready, sizeof(ready), "%d", fds[1]);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(self, argv);
		_exit(127);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
}

static int
stop_server(int sig)
{
	int status = 0;

	kill(server, sig);
	assert_int_equal(waitpid(server, &status, 0), server);
	return status;
}

static void
write_kek(void)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/kek", home.secrets);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 32; i++)
		fprintf(f, "%02x", i);
	fclose(f);
}

static void
name_home(void)
{
	snprintf(home.dir, sizeof(home.dir), "%s", top);
	snprintf(home.archive, sizeof(home.archive), "%s/archive", top);
	snprintf(home.secrets, sizeof(home.secrets), "%s/secrets", top);
	snprintf(home.keys, sizeof(home.keys), "ipc://%s/s", top);
}

/* What start_server's child does: serve the store of `dir` until a signal comes. */
static int
serve(const char *dir, int ready)
{
	if (crypt_init(NULL) != 0 || strlen(dir) >= sizeof(top))
		return 2;
	snprintf(top, sizeof(top), "%s", dir);
	name_home();
	log_init("keys", LOG_LVL_ERROR);
	return keyserver_run(&home, true, say_ready, &ready, NULL) == 0 ? 0 : 1;
}

static int
set_up(void **state)
{
	(void)state;
	if (crypt_init(NULL) != 0 || mkdtemp(top) == NULL)
		return -1;
	name_home();
	if (mkdir(home.secrets, 0700) != 0)
		return -1;
	write_kek();
	start_server();
	return 0;
}

static int
clean_up(void **state)
{
	char command[128];

	(void)state;
	(void)stop_server(SIGKILL);
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static struct keys_row
row(uint32_t n)
{
	struct keys_row r;

	memset(&r, 0, sizeof(r));
	memcpy(r.case_id, &n, sizeof(n));
	r.case_id[15] = 0xff;
	memset(r.key, (int)(n % 251) + 1, sizeof(r.key));
	return r;
}

static void
count_row(void *arg, const struct keys_row *r)
{
	size_t *n = arg;

	if (!r->shredded)
		assert_true(r->key[0] != 0);
	(*n)++;
}

static void
thousands_of_keys_go_in_and_come_out(void **state)
{
	struct keyclient *c = keyclient_create(home.keys);
	struct keys_row *rows = xcalloc(2500, sizeof(*rows)), one = row(2400);
	uint8_t key[32];
	uint64_t fresh = 0;
	size_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 2500; i++)
		rows[i] = row(i);
	assert_int_equal(keyclient_add(c, "big", rows, 2500, &fresh, NULL), 0);
	assert_int_equal(fresh, 2500);
	assert_int_equal(keyclient_add(c, "big", rows, 2500, &fresh, NULL), 0);
	assert_int_equal(fresh, 0);
	assert_int_equal(keyclient_load(c, "big", count_row, &n, NULL), 0);
	assert_int_equal(n, 2500);
	n = 0;
	assert_int_equal(keyclient_load(c, "other", count_row, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(keyclient_get(c, "big", one.case_id, key, NULL), 0);
	assert_memory_equal(key, one.key, 32);
	free(rows);
	keyclient_destroy(c);
}

static void
what_is_refused_says_why_and_the_client_goes_on(void **state)
{
	struct keyclient *c = keyclient_create(home.keys);
	struct keys_row r = row(1);
	struct err err = ERR_INIT;
	uint8_t key[32];

	(void)state;
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, NULL), 0);
	r.key[0] ^= 1;
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.text, "another key"));
	assert_int_equal(keyclient_shred(c, "c1", r.case_id, NULL), 0);
	assert_int_equal(keyclient_get(c, "c1", r.case_id, key, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, &err), -1);
	assert_non_null(strstr(err.text, "shredded"));
	keyclient_destroy(c);
}

static void
a_restart_of_the_store_is_survived(void **state)
{
	struct keyclient *c = keyclient_create(home.keys);
	struct keys_row r = row(50);
	uint8_t key[32];

	(void)state;
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, NULL), 0);
	assert_int_equal(stop_server(SIGKILL), SIGKILL);
	start_server();
	assert_int_equal(keyclient_get(c, "c1", r.case_id, key, NULL), 0);
	assert_memory_equal(key, r.key, 32);
	assert_int_equal(stop_server(SIGTERM), 0);
	start_server();
	assert_int_equal(keyclient_get(c, "c1", r.case_id, key, NULL), 0);
	keyclient_destroy(c);
}

static void
the_socket_and_the_files_are_for_the_group_and_the_owner_alone(void **state)
{
	struct stat st;
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(stat(home.keys + 6, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0770);
	snprintf(path, sizeof(path), "%s/keys/store", home.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/keys", home.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* ---- a follower ---------------------------------------------------------------------------------- */

struct watch {
	struct loop *loop;
	size_t rows, shredded, wanted;
	bool level, late;
};

static void
on_row(void *arg, const struct keys_row *r)
{
	struct watch *w = arg;

	w->rows++;
	w->shredded += r->shredded;
	if (w->level && w->rows >= w->wanted)
		loop_stop(w->loop);
}

static void
on_level(void *arg)
{
	struct watch *w = arg;

	w->level = true;
	loop_stop(w->loop);
}

static void
on_late(void *arg)
{
	struct watch *w = arg;

	w->late = true;
	loop_stop(w->loop);
}

static void
run_until_rows(struct watch *w, struct loop_timer *limit, size_t wanted)
{
	w->wanted = wanted;
	loop_timer_after(limit, 10000000);
	if (w->rows < wanted)
		loop_run(w->loop);
	assert_false(w->late);
}

static void
a_follower_hears_what_is_new_what_is_shredded_and_what_came_while_the_store_was_away(void **state)
{
	struct keyclient *c = keyclient_create(home.keys);
	struct watch w = {.loop = loop_create()};
	struct loop_timer *limit = loop_timer_create(w.loop, on_late, &w);
	struct zctx *z = zctx_create(1, 8);
	struct keys_row rows[3] = {row(71), row(72), row(73)};
	struct keyfollow *f;

	(void)state;
	assert_int_equal(keyclient_add(c, "followed", &rows[0], 1, NULL, NULL), 0);
	f = keyfollow_create(z, w.loop, home.keys, "followed", on_row, on_level, &w, NULL);
	assert_non_null(f);
	loop_timer_after(limit, 10000000);
	loop_run(w.loop);
	assert_true(w.level);
	assert_int_equal(w.rows, 1);

	assert_int_equal(keyclient_add(c, "followed", &rows[1], 1, NULL, NULL), 0);
	run_until_rows(&w, limit, 2);
	assert_int_equal(keyclient_shred(c, "followed", rows[0].case_id, NULL), 0);
	run_until_rows(&w, limit, 3);
	assert_int_equal(w.shredded, 1);

	(void)stop_server(SIGKILL);
	start_server();
	assert_int_equal(keyclient_add(c, "followed", &rows[2], 1, NULL, NULL), 0);
	run_until_rows(&w, limit, 4);
	keyfollow_destroy(f);
	loop_timer_destroy(limit);
	zctx_destroy(z);
	loop_destroy(w.loop);
	keyclient_destroy(c);
}

static void
without_a_kek_keys_are_refused_until_it_is_there(void **state)
{
	struct keyclient *c = keyclient_create(home.keys);
	struct keys_row r = row(90);
	struct err err = ERR_INIT;
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/kek", home.secrets);
	(void)stop_server(SIGTERM);
	assert_int_equal(unlink(path), 0);
	start_server();
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, &err), -1);
	assert_non_null(strstr(err.text, "kek"));
	write_kek();
	assert_int_equal(keyclient_add(c, "c1", &r, 1, NULL, NULL), 0);
	keyclient_destroy(c);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(thousands_of_keys_go_in_and_come_out),
	    cmocka_unit_test(what_is_refused_says_why_and_the_client_goes_on),
	    cmocka_unit_test(a_restart_of_the_store_is_survived),
	    cmocka_unit_test(the_socket_and_the_files_are_for_the_group_and_the_owner_alone),
	    cmocka_unit_test(
	        a_follower_hears_what_is_new_what_is_shredded_and_what_came_while_the_store_was_away),
	    cmocka_unit_test(without_a_kek_keys_are_refused_until_it_is_there),
	};

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], atoi(argv[3]));
	return cmocka_run_group_tests(tests, set_up, clean_up);
}
