/* A daemon's copy of the keys stays level with the key store.
 *
 * Happy path: load page by page from the position that is known, then take what is pushed. Every 3 s,
 * and while pages are missing, it asks again from there, which also finds what a lost push or a
 * restarted store left out. Failures: no connection: the next ask comes by itself; a store that was put
 * back from a copy (its end lies before our position): everything again from 0. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/keyclient.h"

#define ASK_US     3000000
#define CONNECT_US 50000
#define TURN       64

struct keyfollow {
	struct zsock *sock;
	struct loop_timer *tick;
	name_t campaign;
	uint64_t next;
	bool level;
	keyclient_row_fn *on_row;
	keyfollow_level_fn *on_level;
	void *arg;
};

static void
ask(void *arg)
{
	struct keyfollow *f = arg;
	struct buf out = BUF_INIT;
	struct span frame;
	int rc;

	keys_encode_load(&out, f->campaign, f->next);
	frame = buf_span(&out);
	rc = zsock_send(f->sock, &frame, 1, NULL);
	buf_done(&out);
	loop_timer_after(f->tick, rc == 0 ? ASK_US : CONNECT_US);
}

static void
on_frame(struct keyfollow *f, struct span frame)
{
	struct keys_msg m;
	struct keys_row row;

	if (keys_decode(&m, frame, NULL) != 0 || m.kind != KEYS_ROWS)
		return; /* an error: the next ask may fare better */
	while (keys_row_next(&m, &row))
		f->on_row(f->arg, &row);
	if (m.n_rows == 0 && m.next < f->next && !m.done)
		f->next = 0;
	else if (m.next > f->next)
		f->next = m.next;
	if (!m.done) {
		ask(f);
	} else if (!f->level) {
		f->level = true;
		if (f->on_level != NULL)
			f->on_level(f->arg);
	}
}

static void
on_ready(void *arg)
{
	struct keyfollow *f = arg;
	struct zmsg m;

	for (int i = 0; i < TURN && zsock_recv(f->sock, &m, NULL) == 1; i++) {
		if (m.parts == 1)
			on_frame(f, m.part[0]);
		zmsg_done(&m);
	}
}

struct keyfollow *
keyfollow_create(struct zctx *z, struct loop *l, const char *endpoint, const char *campaign,
    keyclient_row_fn *on_row, keyfollow_level_fn *on_level, void *arg, struct err *err)
{
	struct zsock_opts o = {.type = ZSOCK_DEALER, .max_msg = KEYS_MSG_MAX};
	struct keyfollow *f = xcalloc(1, sizeof(*f));

	CHECK(strlen(campaign) <= NAME_MAX_LEN);
	memcpy(f->campaign, campaign, strlen(campaign));
	f->on_row = on_row;
	f->on_level = on_level;
	f->arg = arg;
	f->sock = zsock_create(z, l, &o, on_ready, f, err);
	if (f->sock == NULL || zsock_connect(f->sock, endpoint, err) != 0) {
		keyfollow_destroy(f);
		return NULL;
	}
	f->tick = loop_timer_create(l, ask, f);
	loop_timer_after(f->tick, 0);
	return f;
}

void
keyfollow_destroy(struct keyfollow *f)
{
	if (f == NULL)
		return;
	loop_timer_destroy(f->tick);
	zsock_destroy(f->sock);
	free(f);
}

void
keyfollow_ask(struct keyfollow *f)
{
	loop_timer_after(f->tick, 0);
}
