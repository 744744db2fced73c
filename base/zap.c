/* zap.c - who may speak to our CURVE servers (ZAP 1.0, ZeroMQ RFC 27), answered from memory.
 *
 * libzmq asks over inproc while a peer shakes hands; we answer in the same turn: 200 with the hex of
 * the key as user id, or 400. Never 300: libzmq 4.3.4 leaves such a peer hanging. A request that is
 * not what libzmq sends is refused, and a handler without an `allow` refuses everybody. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/text.h"
#include "base/zctx.h"
#include "base/zpump.h"
#include "base/zsock.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_PARTS    7 /* version, request id, domain, address, identity, mechanism, key */
#define TURN_BUDGET  64

struct zap {
	struct zctx *ctx;   /* borrowed */
	struct loop *loop;  /* borrowed */
	void *socket;       /* owned */
	struct zpump *pump; /* owned */
	zap_allow_fn *allow;
	void *arg;
};

struct request {
	zmq_msg_t part[ZAP_PARTS];
	int parts; /* counts also those that did not fit */
};

static void
request_done(struct request *r)
{
	for (int i = 0; i < r->parts && i < ZAP_PARTS; i++)
		(void)zmq_msg_close(&r->part[i]);
}

static bool
recv_one(void *socket, zmq_msg_t *msg)
{
	int rc;

	CHECK(zmq_msg_init(msg) == 0);
	do {
		rc = zmq_msg_recv(msg, socket, ZMQ_DONTWAIT);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		(void)zmq_msg_close(msg);
	return rc >= 0;
}

static bool
recv_request(void *socket, struct request *r)
{
	zmq_msg_t extra;
	bool more = true;

	for (r->parts = 0; more; r->parts++) {
		zmq_msg_t *msg = r->parts < ZAP_PARTS ? &r->part[r->parts] : &extra;

		if (!recv_one(socket, msg)) {
			request_done(r);
			return false;
		}
		more = zmq_msg_more(msg) != 0;
		if (msg == &extra)
			(void)zmq_msg_close(msg);
	}
	return true;
}

static bool
part_is(struct request *r, int i, const char *text)
{
	return zmq_msg_size(&r->part[i]) == strlen(text) &&
	       memcmp(zmq_msg_data(&r->part[i]), text, strlen(text)) == 0;
}

static void
send_text(void *socket, const void *data, size_t len, int flags)
{
	/* A REP socket drops the answer by itself when the asking session has ended. */
	while (zmq_send(socket, data, len, flags | ZMQ_DONTWAIT) < 0 && errno == EINTR)
		continue;
}

static void
answer(struct zap *a, struct request *r)
{
	char user_id[2 * CURVE_KEY_LEN + 1] = "";
	bool yes = false;

	if (r->parts == ZAP_PARTS && part_is(r, 0, "1.0") && part_is(r, 5, "CURVE") &&
	    zmq_msg_size(&r->part[6]) == CURVE_KEY_LEN && a->allow != NULL) {
		const uint8_t *key = zmq_msg_data(&r->part[6]);

		yes = a->allow(a->arg, key);
		if (yes)
			hex_encode(user_id, key, CURVE_KEY_LEN);
	}
	send_text(a->socket, "1.0", 3, ZMQ_SNDMORE);
	if (r->parts >= 2)
		send_text(
		    a->socket, zmq_msg_data(&r->part[1]), zmq_msg_size(&r->part[1]), ZMQ_SNDMORE);
	else
		send_text(a->socket, "", 0, ZMQ_SNDMORE);
	send_text(a->socket, yes ? "200" : "400", 3, ZMQ_SNDMORE);
	send_text(a->socket, yes ? "OK" : "refused", yes ? 2 : 7, ZMQ_SNDMORE);
	send_text(a->socket, user_id, strlen(user_id), ZMQ_SNDMORE);
	send_text(a->socket, "", 0, 0);
}

static void
on_ready(void *arg)
{
	struct zap *a = arg;
	struct request r;

	for (int i = 0; i < TURN_BUDGET && recv_request(a->socket, &r); i++) {
		answer(a, &r);
		request_done(&r);
	}
}

struct zap *
zap_create(struct zctx *z, struct loop *l, zap_allow_fn *allow, void *arg, struct err *err)
{
	void *socket = zmq_socket(z->zmq, ZMQ_REP);
	int zero = 0;
	struct zap *a;

	if (socket == NULL) {
		(void)err_set(err, ERR_FULL, "no more ZeroMQ sockets: %s", zmq_strerror(errno));
		return NULL;
	}
	if (zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero)) != 0 ||
	    zmq_bind(socket, ZAP_ENDPOINT) != 0) {
		(void)err_set(err, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO, "ZAP handler: %s",
		    zmq_strerror(errno));
		(void)zmq_close(socket);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->ctx = z;
	a->loop = l;
	a->socket = socket;
	a->allow = allow;
	a->arg = arg;
	a->pump = zpump_create(l, socket, on_ready, a);
	z->open_sockets++;
	return a;
}

void
zap_destroy(struct zap *a)
{
	if (a == NULL)
		return;
	zpump_destroy(a->pump);
	(void)zmq_close(a->socket);
	a->ctx->open_sockets--;
	loop_bury(a->loop, free, a);
}
