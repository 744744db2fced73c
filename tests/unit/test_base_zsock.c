/* ZeroMQ in the loop over ipc in a private folder: nothing that was sent stays asleep in a socket,
 * nobody gets in whom ZAP does not know, and sends never wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/zsock.h"

enum { BUDGET = 4 };

struct fixture {
	struct loop *loop;
	struct zctx *ctx;
	struct zap *zap;
	struct zsock *server, *client;
	struct loop_timer *limit;
	char dir[64], endpoint[128], bound[256];
	uint8_t server_pk[32], server_sk[32], client_pk[32], client_sk[32];
	uint8_t allowed[32], last_id[64];
	size_t last_id_len;
	int got, want, answered, asked, fd, parts;
	bool echo, overran, destroy_in_ready;
	char user_id[68];
};

static void
on_limit(void *arg)
{
	struct fixture *f = arg;

	f->overran = true;
	loop_stop(f->loop);
}

/* Answers whether what we waited for came within the limit. */
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

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/hf-zsock-XXXXXX");
	CHECK(mkdtemp(f->dir) != NULL);
	(void)snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/s", f->dir);
	f->loop = loop_create();
	f->ctx = zctx_create(1, 64);
	f->limit = loop_timer_create(f->loop, on_limit, f);
	f->fd = -1;
	zsock_curve_keypair(f->server_pk, f->server_sk);
	zsock_curve_keypair(f->client_pk, f->client_sk);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	zsock_destroy(f->client);
	zsock_destroy(f->server);
	zap_destroy(f->zap);
	loop_timer_destroy(f->limit);
	zctx_destroy(f->ctx);
	loop_destroy(f->loop);
	(void)snprintf(path, sizeof(path), "%s/s", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void
note_message(struct fixture *f, const struct zmsg *m)
{
	f->parts = m->parts;
	f->fd = m->fd;
	memcpy(f->user_id, m->user_id, sizeof(f->user_id));
	f->last_id_len = m->part[0].len;
	CHECK(f->last_id_len <= sizeof(f->last_id));
	memcpy(f->last_id, m->part[0].data, f->last_id_len);
}

static void
on_server(void *arg)
{
	struct fixture *f = arg;
	struct zmsg m;
	int budget = BUDGET;

	while (budget-- > 0 && zsock_recv(f->server, &m, NULL) == 1) {
		f->got++;
		note_message(f, &m);
		if (f->echo && m.parts >= 2 && m.parts <= ZSOCK_PARTS)
			CHECK(zsock_send(f->server, m.part, m.parts, NULL) == 0);
		zmsg_done(&m);
		if (f->destroy_in_ready) {
			struct zsock *dead = f->server;

			f->server = NULL;
			zsock_destroy(dead);
			CHECK(zsock_recv(dead, &m, NULL) == 0);
			break;
		}
	}
	if (!f->echo && f->got >= f->want)
		loop_stop(f->loop);
}

static void
on_client(void *arg)
{
	struct fixture *f = arg;
	struct zmsg m;
	int budget = BUDGET;

	while (budget-- > 0 && zsock_recv(f->client, &m, NULL) == 1) {
		f->answered++;
		zmsg_done(&m);
	}
	if (f->answered >= f->want)
		loop_stop(f->loop);
}

static bool
allow(void *arg, const uint8_t key[CURVE_KEY_LEN])
{
	struct fixture *f = arg;

	f->asked++;
	return memcmp(key, f->allowed, 32) == 0;
}

static void
open_server(struct fixture *f, bool curve)
{
	struct zsock_opts o = {.type = ZSOCK_ROUTER, .rcvhwm = 100000, .sndhwm = 100000};

	if (curve) {
		o.curve_secret = f->server_sk;
		o.zap_domain = "hf";
	}
	f->server = zsock_create(f->ctx, f->loop, &o, on_server, f, NULL);
	assert_non_null(f->server);
	assert_int_equal(zsock_bind(f->server, f->endpoint, f->bound, NULL), 0);
}

static void
open_client(struct fixture *f, bool curve)
{
	struct zsock_opts o = {.type = ZSOCK_DEALER, .rcvhwm = 100000, .sndhwm = 100000};

	if (curve) {
		o.curve_secret = f->client_sk;
		o.curve_server = f->server_pk;
	}
	f->client = zsock_create(f->ctx, f->loop, &o, on_client, f, NULL);
	assert_non_null(f->client);
	assert_int_equal(zsock_connect(f->client, f->bound, NULL), 0);
}

/* IMMEDIATE: before the peer stands there is no room. Try again on each turn, with the limit. */
struct sender {
	struct fixture *f;
	const struct span *parts;
	int n, left;
	struct loop_timer *again;
};

static void
send_all(void *arg)
{
	struct sender *s = arg;
	struct err err = ERR_INIT;

	while (s->left > 0) {
		if (zsock_send(s->f->client, s->parts, s->n, &err) != 0) {
			assert_int_equal(err.code, ERR_BUSY);
			loop_timer_after(s->again, 1000);
			return;
		}
		s->left--;
	}
}

static bool
send_and_wait(struct fixture *f, const struct span *parts, int n, int times, int64_t limit_us)
{
	struct sender s = {f, parts, n, times, NULL};
	bool in_time;

	s.again = loop_timer_create(f->loop, send_all, &s);
	loop_timer_after(s.again, 0);
	in_time = run_for(f, limit_us);
	loop_timer_destroy(s.again);
	return in_time;
}

static void
every_message_comes_and_is_answered(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("hello");

	f->echo = true;
	f->want = 2000;
	open_server(f, false);
	open_client(f, false);
	assert_true(send_and_wait(f, &part, 1, f->want, 10000000));
	assert_int_equal(f->got, 2000);
	assert_int_equal(f->answered, 2000);
	assert_int_equal(f->parts, 2);
	assert_string_equal(f->user_id, "");
}

/* What the socket swallowed during a send must wake us without the descriptor. */
static void
a_message_that_came_during_a_send_is_not_slept_over(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("a");
	struct span back[2];

	f->want = 1;
	open_server(f, false);
	open_client(f, false);
	assert_true(send_and_wait(f, &part, 1, 1, 5000000));
	back[0] = span_of(f->last_id, f->last_id_len);
	back[1] = span_str("b");
	for (int round = 0; round < 50; round++) {
		struct sender s = {f, &part, 1, 1, NULL};
		int64_t until = clock_boot_us() + 2000;

		f->got = 0;
		s.again = loop_timer_create(f->loop, send_all, &s);
		send_all(&s);
		/* Let it arrive, then send: libzmq reads its mailbox, and with it the edge. */
		while (clock_boot_us() < until)
			continue;
		assert_int_equal(zsock_send(f->server, back, 2, NULL), 0);
		assert_true(run_for(f, 500000));
		assert_int_equal(f->got, 1);
		loop_timer_destroy(s.again);
	}
}

static void
too_many_parts_are_read_away(void **state)
{
	struct fixture *f = *state;
	struct span part[20];

	for (int i = 0; i < 20; i++)
		part[i] = span_str("x");
	f->want = 1;
	open_server(f, false);
	open_client(f, false);
	assert_true(send_and_wait(f, part, 20, 1, 5000000));
	assert_int_equal(f->parts, ZSOCK_PARTS + 1);
	f->want = 2;
	assert_true(send_and_wait(f, part, ZSOCK_PARTS - 1, 1, 5000000));
	assert_int_equal(f->got, 2);
	assert_int_equal(f->parts, ZSOCK_PARTS);
}

static void
a_send_to_nobody_says_so(void **state)
{
	struct fixture *f = *state;
	struct span part[2] = {span_str("nobody"), span_str("x")};
	struct err err = ERR_INIT;

	open_server(f, false);
	assert_int_equal(zsock_send(f->server, part, 2, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	(void)snprintf(f->bound, sizeof(f->bound), "ipc://%s/nothing-there", f->dir);
	open_client(f, false);
	assert_int_equal(zsock_send(f->client, part, 1, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
}

static void
a_socket_may_be_destroyed_in_its_own_callback(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("x");

	f->want = 1;
	f->destroy_in_ready = true;
	open_server(f, false);
	open_client(f, false);
	assert_true(send_and_wait(f, &part, 1, 1, 5000000));
	assert_null(f->server);
}

static void
an_enrolled_key_gets_in_and_is_named(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("x");
	char hex[65];

	memcpy(f->allowed, f->client_pk, 32);
	f->zap = zap_create(f->ctx, f->loop, allow, f, NULL);
	f->want = 1;
	open_server(f, true);
	open_client(f, true);
	assert_true(send_and_wait(f, &part, 1, 1, 5000000));
	hex_encode(hex, f->client_pk, 32);
	assert_string_equal(f->user_id, hex);
	assert_true(f->fd >= 0);
	assert_int_equal(f->asked, 1);
}

static void
a_cut_peer_comes_back_through_zap(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("x");

	memcpy(f->allowed, f->client_pk, 32);
	f->zap = zap_create(f->ctx, f->loop, allow, f, NULL);
	f->want = 1;
	open_server(f, true);
	open_client(f, true);
	assert_true(send_and_wait(f, &part, 1, 1, 5000000));
	zsock_cut(f->fd);
	zsock_cut(-1);
	f->want = 2;
	(void)run_for(f, 100000);
	assert_true(send_and_wait(f, &part, 1, 1, 5000000));
	assert_int_equal(f->asked, 2);
}

static void
expect_silence(struct fixture *f)
{
	struct span part = span_str("x");

	f->want = 1;
	open_server(f, true);
	open_client(f, true);
	assert_false(send_and_wait(f, &part, 1, 1, 700000));
	assert_int_equal(f->got, 0);
}

static void
an_unknown_key_stays_outside(void **state)
{
	struct fixture *f = *state;

	memcpy(f->allowed, f->server_pk, 32);
	f->zap = zap_create(f->ctx, f->loop, allow, f, NULL);
	expect_silence(f);
	assert_true(f->asked >= 1);
}

static void
without_an_allow_nobody_gets_in(void **state)
{
	struct fixture *f = *state;

	f->zap = zap_create(f->ctx, f->loop, NULL, NULL, NULL);
	expect_silence(f);
}

/* ZAP fails open unless the domain is enforced. */
static void
without_a_zap_handler_nobody_gets_in(void **state)
{
	struct fixture *f = *state;

	expect_silence(f);
}

static void
a_plain_client_stays_outside(void **state)
{
	struct fixture *f = *state;
	struct span part = span_str("x");

	memcpy(f->allowed, f->client_pk, 32);
	f->zap = zap_create(f->ctx, f->loop, allow, f, NULL);
	f->want = 1;
	open_server(f, true);
	open_client(f, false);
	assert_false(send_and_wait(f, &part, 1, 1, 500000));
	assert_int_equal(f->got, 0);
}

static void
half_configured_sockets_are_refused(void **state)
{
	struct fixture *f = *state;
	struct zsock_opts server = {.type = ZSOCK_ROUTER, .curve_secret = f->server_sk};
	struct zsock_opts client = {.type = ZSOCK_DEALER, .curve_secret = f->client_sk};
	uint8_t pk[32];
	struct err err = ERR_INIT;

	assert_null(zsock_create(f->ctx, f->loop, &server, on_server, f, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(zsock_create(f->ctx, f->loop, &client, on_client, f, &err));
	assert_int_equal(zsock_curve_public(pk, f->server_sk), 0);
	assert_memory_equal(pk, f->server_pk, 32);
	open_server(f, false);
	assert_int_equal(zsock_bind(f->server, "ipc:///nowhere/at/all", NULL, &err), -1);
	assert_int_equal(zsock_connect(f->server, "carrier-pigeon://x", &err), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_message_comes_and_is_answered),
	    TEST(a_message_that_came_during_a_send_is_not_slept_over),
	    TEST(too_many_parts_are_read_away),
	    TEST(a_send_to_nobody_says_so),
	    TEST(a_socket_may_be_destroyed_in_its_own_callback),
	    TEST(an_enrolled_key_gets_in_and_is_named),
	    TEST(a_cut_peer_comes_back_through_zap),
	    TEST(an_unknown_key_stays_outside),
	    TEST(without_an_allow_nobody_gets_in),
	    TEST(without_a_zap_handler_nobody_gets_in),
	    TEST(a_plain_client_stays_outside),
	    TEST(half_configured_sockets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
