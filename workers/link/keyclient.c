/* Waiting requests to the key store, for command-line tools.
 *
 * Happy path: one DEALER in a loop of its own; send, run the loop until the answer came. Failures: no
 * answer in 2 s: the same request goes out on a new socket (so that a late answer to the first is never
 * taken for the second's), until 10 s are over; an error of the store is passed on. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "workers/link/keyclient.h"
#include "proto/keys.h"

#define RETRY_US   2000000
#define LIMIT_US   10000000
#define CONNECT_US 10000

struct keyclient {
	char *endpoint;
	struct zctx *zctx;
	struct loop *loop;
	struct zsock *sock;
	struct loop_timer *tick;
	struct buf request;
	bool sent;
	int64_t began, asked; /* boot us */
	enum keys_kind wanted;
	keyclient_row_fn *on_row;
	void *row_arg;
	struct keys_msg answer; /* without rows */
	bool done;
	int rc;
	struct err *err; /* of the call in progress, borrowed */
};

static void
finish(struct keyclient *c, int rc)
{
	c->rc = rc;
	c->done = true;
	loop_timer_stop(c->tick);
	loop_stop(c->loop);
}

static void
on_frame(struct keyclient *c, struct span frame)
{
	struct keys_row row;

	if (keys_decode(&c->answer, frame, c->err) != 0) {
		finish(c, -1);
	} else if (c->answer.kind == KEYS_ERROR) {
		finish(c, err_set(c->err, ERR_DENIED, "key store: %s", c->answer.text));
	} else if (c->answer.kind == c->wanted) {
		while (c->on_row != NULL && keys_row_next(&c->answer, &row))
			c->on_row(c->row_arg, &row);
		finish(c, 0);
	}
	/* else a push: this socket asked for no answer of that kind */
}

static void
on_ready(void *arg)
{
	struct keyclient *c = arg;
	struct zmsg m;

	while (!c->done && zsock_recv(c->sock, &m, NULL) == 1) {
		if (m.parts == 1)
			on_frame(c, m.part[0]);
		zmsg_done(&m);
	}
}

static int
renew_socket(struct keyclient *c, struct err *err)
{
	struct zsock_opts o = {.type = ZSOCK_DEALER, .max_msg = KEYS_MSG_MAX};

	zsock_destroy(c->sock);
	c->sock = zsock_create(c->zctx, c->loop, &o, on_ready, c, err);
	c->sent = false;
	c->asked = clock_boot_us();
	if (c->sock == NULL)
		return -1;
	return zsock_connect(c->sock, c->endpoint, err);
}

/* Until the peer is there a send is refused: try again in a moment. */
static void
on_tick(void *arg)
{
	struct keyclient *c = arg;
	struct span frame = buf_span(&c->request);
	int64_t now = clock_boot_us();

	if (now - c->began > LIMIT_US) {
		finish(c, err_set(c->err, ERR_LATE,
		              "the key store at %s does not answer: is hf-recorder running?",
		              c->endpoint));
		return;
	}
	if (now - c->asked > RETRY_US && renew_socket(c, c->err) != 0) {
		finish(c, -1);
		return;
	}
	if (!c->sent)
		c->sent = zsock_send(c->sock, &frame, 1, NULL) == 0;
	loop_timer_after(c->tick, c->sent ? RETRY_US : CONNECT_US);
}

/* c->request is sent; returns when an answer of this kind came. */
static int
ask(struct keyclient *c, enum keys_kind wanted, struct err *err)
{
	c->wanted = wanted;
	c->done = false;
	c->err = err;
	c->began = c->asked = clock_boot_us();
	c->sent = false;
	if (c->sock == NULL && renew_socket(c, err) != 0)
		return -1;
	on_tick(c);
	if (!c->done)
		loop_run(c->loop);
	if (c->rc != 0) { /* an answer may still be under way */
		zsock_destroy(c->sock);
		c->sock = NULL;
	}
	c->err = NULL;
	return c->rc;
}

struct keyclient *
keyclient_create(const char *endpoint)
{
	struct keyclient *c = xcalloc(1, sizeof(*c));

	c->endpoint = xstrdup(endpoint);
	c->zctx = zctx_create(1, 8);
	c->loop = loop_create();
	c->tick = loop_timer_create(c->loop, on_tick, c);
	return c;
}

void
keyclient_destroy(struct keyclient *c)
{
	if (c == NULL)
		return;
	zsock_destroy(c->sock);
	loop_timer_destroy(c->tick);
	zctx_destroy(c->zctx);
	loop_destroy(c->loop);
	if (c->request.data != NULL)
		crypt_wipe(c->request.data, c->request.cap);
	buf_done(&c->request);
	free(c->endpoint);
	free(c);
}

int
keyclient_add(struct keyclient *c, const char *campaign, const struct keys_row *rows, size_t n,
    uint64_t *ret_new, struct err *err)
{
	uint64_t fresh = 0;

	for (size_t at = 0; at < n; at += KEYS_ROWS_MAX) {
		size_t part = n - at < KEYS_ROWS_MAX ? n - at : KEYS_ROWS_MAX;

		buf_clear(&c->request);
		keys_encode_add(&c->request, campaign, (uint32_t)part);
		for (size_t i = 0; i < part; i++)
			keys_encode_row(&c->request, &rows[at + i]);
		if (ask(c, KEYS_ADDED, err) != 0)
			return -1;
		fresh += c->answer.n;
	}
	if (ret_new != NULL)
		*ret_new = fresh;
	return 0;
}

int
keyclient_shred(
    struct keyclient *c, const char *campaign, const uint8_t case_id[16], struct err *err)
{
	buf_clear(&c->request);
	keys_encode_shred(&c->request, campaign, case_id);
	return ask(c, KEYS_SHREDDED, err);
}

int
keyclient_load(
    struct keyclient *c, const char *campaign, keyclient_row_fn *on_row, void *arg, struct err *err)
{
	uint64_t from = 0;
	int rc;

	c->on_row = on_row;
	c->row_arg = arg;
	do {
		buf_clear(&c->request);
		keys_encode_load(&c->request, campaign, from);
		rc = ask(c, KEYS_ROWS, err);
		if (rc == 0 && c->answer.next < from)
			rc = err_set(err, ERR_STALE, "the key store was replaced: try again");
		from = c->answer.next;
	} while (rc == 0 && !c->answer.done);
	c->on_row = NULL;
	/* From now on this socket is a follower: a push would be taken for the next page. */
	zsock_destroy(c->sock);
	c->sock = NULL;
	return rc;
}

struct search {
	uint8_t case_id[16], key[32];
	bool found;
};

static void
on_search_row(void *arg, const struct keys_row *row)
{
	struct search *s = arg;

	if (memcmp(s->case_id, row->case_id, sizeof(s->case_id)) != 0)
		return;
	s->found = !row->shredded;
	memcpy(s->key, row->key, sizeof(s->key));
}

int
keyclient_get(struct keyclient *c, const char *campaign, const uint8_t case_id[16],
    uint8_t ret_key[32], struct err *err)
{
	struct search s = {.found = false};
	int rc;

	memcpy(s.case_id, case_id, sizeof(s.case_id));
	rc = keyclient_load(c, campaign, on_search_row, &s, err);
	if (rc == 0 && !s.found)
		rc = err_set(err, ERR_NOT_FOUND, "the key store has no such key");
	if (rc == 0)
		memcpy(ret_key, s.key, sizeof(s.key));
	crypt_wipe(s.key, sizeof(s.key));
	return rc;
}

int
keyclient_campaign_key(const char *keys, const char *campaign, uint8_t key[32], struct err *err)
{
	struct keyclient *k = keyclient_create(keys);
	uint8_t ref[16];
	int got;

	keys_reserved(ref, KEYS_REF_CAMPAIGN);
	got = keyclient_get(k, campaign, ref, key, err);
	keyclient_destroy(k);
	return got != 0 ? err_wrap(err, "密钥库") : 0;
}
