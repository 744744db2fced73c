/* zsock.c - ZeroMQ sockets with every option set, because the defaults trust the network.
 *
 * A message is received whole or not at all, and sent whole or not at all: libzmq decides about the
 * first part of a message (no peer, no room), and lets the rest of an accepted message through.
 * Sends never wait. Failures: no room (ERR_BUSY) and no such peer (ERR_GONE) are answers, not
 * faults; what else can go wrong is the socket's end (ERR_IO). */
#include "base/zsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#include "base/check.h"
#include "base/zctx.h"
#include "base/zpump.h"

/* Stable in libzmq since 4.3.0, although its header still hides it from ordinary builds. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

struct zsock {
	struct zctx *ctx;   /* borrowed */
	struct loop *loop;  /* borrowed */
	void *socket;       /* owned; NULL once destroyed */
	struct zpump *pump; /* owned */
	enum zsock_type type;
};

struct parts {
	zmq_msg_t msg[ZSOCK_PARTS];
	int used;
};

struct zctx *
zctx_create(int io_threads, int max_sockets)
{
	struct zctx *z = xcalloc(1, sizeof(*z));

	z->zmq = zmq_ctx_new();
	CHECK(z->zmq != NULL);
	if (io_threads > 0)
		CHECK(zmq_ctx_set(z->zmq, ZMQ_IO_THREADS, io_threads) == 0);
	if (max_sockets > 0)
		CHECK(zmq_ctx_set(z->zmq, ZMQ_MAX_SOCKETS, max_sockets) == 0);
	return z;
}

void
zctx_destroy(struct zctx *z)
{
	if (z == NULL)
		return;
	/* zmq_ctx_term would wait for ever for a socket that is still open. */
	CHECK(z->open_sockets == 0);
	while (zmq_ctx_term(z->zmq) != 0)
		CHECK(errno == EINTR);
	free(z);
}

void
zsock_curve_keypair(uint8_t pk[CURVE_KEY_LEN], uint8_t sk[CURVE_KEY_LEN])
{
	char z85_pk[41], z85_sk[41];

	CHECK(zmq_curve_keypair(z85_pk, z85_sk) == 0);
	CHECK(zmq_z85_decode(pk, z85_pk) != NULL && zmq_z85_decode(sk, z85_sk) != NULL);
	explicit_bzero(z85_sk, sizeof(z85_sk));
}

int
zsock_curve_public(uint8_t pk[CURVE_KEY_LEN], const uint8_t sk[CURVE_KEY_LEN])
{
	char z85_pk[41], z85_sk[41];
	int rc = -1;

	if (zmq_z85_encode(z85_sk, sk, CURVE_KEY_LEN) != NULL &&
	    zmq_curve_public(z85_pk, z85_sk) == 0 && zmq_z85_decode(pk, z85_pk) != NULL)
		rc = 0;
	explicit_bzero(z85_sk, sizeof(z85_sk));
	return rc;
}

static int
set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int
or_default(int value, int def)
{
	return value == 0 ? def : value;
}

static int
set_limits(void *socket, const struct zsock_opts *o)
{
	int64_t max_msg = o->max_msg == 0 ? 131072 : o->max_msg;
	int heartbeat = or_default(o->heartbeat_ms, 30000);
	int bad = 0;

	bad |= set_int(socket, ZMQ_LINGER, 0);
	bad |= set_int(socket, ZMQ_IPV6, 0);
	bad |= set_int(socket, ZMQ_RCVHWM, or_default(o->rcvhwm, 256));
	bad |= set_int(socket, ZMQ_SNDHWM, or_default(o->sndhwm, 64));
	bad |= zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_msg, sizeof(max_msg));
	bad |= set_int(socket, ZMQ_HANDSHAKE_IVL, or_default(o->handshake_ms, 3000));
	bad |= set_int(socket, ZMQ_BACKLOG, 128);
	if (heartbeat > 0) {
		bad |= set_int(socket, ZMQ_HEARTBEAT_IVL, heartbeat);
		bad |= set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, 2 * heartbeat);
		bad |= set_int(socket, ZMQ_HEARTBEAT_TTL, 3 * heartbeat);
	}
	if (o->type == ZSOCK_ROUTER) {
		bad |= set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
		bad |= set_int(socket, ZMQ_ROUTER_HANDOVER, 0);
	} else {
		bad |= set_int(socket, ZMQ_IMMEDIATE, 1);
		bad |= set_int(socket, ZMQ_RECONNECT_IVL, 200);
		bad |= set_int(socket, ZMQ_RECONNECT_IVL_MAX, 10000);
		bad |= set_int(socket, ZMQ_CONNECT_TIMEOUT, 3000);
	}
	return bad;
}

static int
set_curve(void *socket, const struct zsock_opts *o, struct err *err)
{
	uint8_t pk[CURVE_KEY_LEN];
	int bad = 0;

	if (o->curve_secret == NULL)
		return 0;
	bad |= zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, o->curve_secret, CURVE_KEY_LEN);
	if (o->type == ZSOCK_ROUTER) {
		if (o->zap_domain == NULL || o->zap_domain[0] == '\0')
			return err_set(err, ERR_INVALID, "a CURVE server without ZAP domain");
		bad |= set_int(socket, ZMQ_CURVE_SERVER, 1);
		bad |= zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, o->zap_domain, strlen(o->zap_domain));
		bad |= set_int(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1);
	} else {
		if (o->curve_server == NULL)
			return err_set(err, ERR_INVALID, "a CURVE client without server key");
		if (zsock_curve_public(pk, o->curve_secret) != 0)
			return err_set(err, ERR_INVALID, "the CURVE secret key has no public key");
		bad |= zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pk, CURVE_KEY_LEN);
		bad |= zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, o->curve_server, CURVE_KEY_LEN);
	}
	return bad == 0 ? 0 : err_set(err, ERR_INVALID, "CURVE keys: %s", zmq_strerror(errno));
}

struct zsock *
zsock_create(struct zctx *z, struct loop *l, const struct zsock_opts *o, zsock_fn *on_ready,
    void *arg, struct err *err)
{
	void *socket = zmq_socket(z->zmq, o->type == ZSOCK_ROUTER ? ZMQ_ROUTER : ZMQ_DEALER);
	struct zsock *s;
	int rc = 0;

	if (socket == NULL) {
		(void)err_set(err, ERR_FULL, "no more ZeroMQ sockets: %s", zmq_strerror(errno));
		return NULL;
	}
	if (set_limits(socket, o) != 0)
		rc = err_set(err, ERR_INVALID, "socket options: %s", zmq_strerror(errno));
	if (rc != 0 || set_curve(socket, o, err) != 0) {
		(void)zmq_close(socket);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->ctx = z;
	s->loop = l;
	s->socket = socket;
	s->type = o->type;
	s->pump = zpump_create(l, socket, on_ready, arg);
	z->open_sockets++;
	return s;
}

void
zsock_destroy(struct zsock *s)
{
	if (s == NULL || s->socket == NULL)
		return;
	zpump_destroy(s->pump);
	(void)zmq_close(s->socket);
	s->socket = NULL;
	s->ctx->open_sockets--;
	loop_bury(s->loop, free, s);
}

int
zsock_bind(struct zsock *s, const char *endpoint, char *ret_endpoint, struct err *err)
{
	size_t size = 256;

	if (zmq_bind(s->socket, endpoint) != 0)
		return err_set(err, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO, "binding %s: %s",
		    endpoint, zmq_strerror(errno));
	if (ret_endpoint != NULL &&
	    zmq_getsockopt(s->socket, ZMQ_LAST_ENDPOINT, ret_endpoint, &size) != 0)
		return err_set(err, ERR_IO, "endpoint of %s: %s", endpoint, zmq_strerror(errno));
	return 0;
}

int
zsock_connect(struct zsock *s, const char *endpoint, struct err *err)
{
	if (zmq_connect(s->socket, endpoint) != 0)
		return err_set(
		    err, ERR_INVALID, "connecting %s: %s", endpoint, zmq_strerror(errno));
	return 0;
}

int
zsock_disconnect(struct zsock *s, const char *endpoint, struct err *err)
{
	if (zmq_disconnect(s->socket, endpoint) != 0)
		return err_set(
		    err, ERR_NOT_FOUND, "disconnecting %s: %s", endpoint, zmq_strerror(errno));
	return 0;
}

static int
recv_part(void *socket, zmq_msg_t *msg)
{
	int rc;

	do {
		rc = zmq_msg_recv(msg, socket, ZMQ_DONTWAIT);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

/* Who says this: what ZAP answered about the peer's key, and its descriptor. The last frame came from
 * the peer itself (a routing id was put before it by our socket). */
static void
read_origin(struct zmsg *m, zmq_msg_t *from)
{
	const char *user = zmq_msg_gets(from, "User-Id");

	m->user_id[0] = '\0';
	if (user != NULL && strlen(user) < sizeof(m->user_id))
		memcpy(m->user_id, user, strlen(user) + 1);
	m->fd = zmq_msg_get(from, ZMQ_SRCFD);
}

/* The frames beyond the limit; they are here already, since messages arrive whole. */
static int
drop_rest(void *socket)
{
	bool more = true;
	zmq_msg_t extra;

	while (more) {
		CHECK(zmq_msg_init(&extra) == 0);
		if (recv_part(socket, &extra) < 0) {
			(void)zmq_msg_close(&extra);
			return -1;
		}
		more = zmq_msg_more(&extra) != 0;
		(void)zmq_msg_close(&extra);
	}
	return 0;
}

/* 1 all frames are in p, 0 nothing there, -1 with errno. */
static int
recv_parts(void *socket, struct parts *p, bool *ret_too_many)
{
	bool more = true;

	while (more && p->used < ZSOCK_PARTS) {
		zmq_msg_t *msg = &p->msg[p->used];

		CHECK(zmq_msg_init(msg) == 0);
		if (recv_part(socket, msg) < 0) {
			(void)zmq_msg_close(msg);
			return errno == EAGAIN && p->used == 0 ? 0 : -1;
		}
		p->used++;
		more = zmq_msg_more(msg) != 0;
	}
	*ret_too_many = more;
	if (more && drop_rest(socket) != 0)
		return -1;
	return 1;
}

int
zsock_recv(struct zsock *s, struct zmsg *m, struct err *err)
{
	bool too_many = false;
	struct parts *p;
	int rc, failed;

	*m = (struct zmsg){.fd = -1};
	if (s->socket == NULL)
		return 0;
	p = xcalloc(1, sizeof(*p));
	m->priv = p;
	rc = recv_parts(s->socket, p, &too_many);
	failed = errno;
	if (rc <= 0) {
		zmsg_done(m);
		if (rc < 0)
			(void)err_set(err, ERR_IO, "receiving: %s", zmq_strerror(failed));
		return rc;
	}
	for (int i = 0; i < p->used; i++)
		m->part[i] = span_of(zmq_msg_data(&p->msg[i]), zmq_msg_size(&p->msg[i]));
	m->parts = too_many ? ZSOCK_PARTS + 1 : p->used;
	read_origin(m, &p->msg[p->used - 1]);
	return 1;
}

void
zmsg_done(struct zmsg *m)
{
	struct parts *p = m->priv;

	for (int i = 0; p != NULL && i < p->used; i++)
		(void)zmq_msg_close(&p->msg[i]);
	free(p);
	m->priv = NULL;
	m->parts = 0;
}

static int
send_part(void *socket, struct span part, int flags)
{
	zmq_msg_t msg;
	int rc;

	CHECK(zmq_msg_init_size(&msg, part.len) == 0);
	if (part.len > 0)
		memcpy(zmq_msg_data(&msg), part.data, part.len);
	do {
		rc = zmq_msg_send(&msg, socket, flags | ZMQ_DONTWAIT);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		int failed = errno;

		(void)zmq_msg_close(&msg);
		errno = failed;
	}
	return rc;
}

int
zsock_send(struct zsock *s, const struct span *parts, int n, struct err *err)
{
	int rc = 0;

	CHECK(n >= (s->type == ZSOCK_ROUTER ? 2 : 1));
	if (s->socket == NULL)
		return err_set(err, ERR_GONE, "the socket is closed");
	for (int i = 0; rc == 0 && i < n; i++) {
		if (send_part(s->socket, parts[i], i < n - 1 ? ZMQ_SNDMORE : 0) >= 0)
			continue;
		/* Only the first part can be refused for want of room or of the peer. */
		if (i == 0 && errno == EAGAIN)
			rc = err_set(err, ERR_BUSY, "no room to send now");
		else if (i == 0 && errno == EHOSTUNREACH)
			rc = err_set(err, ERR_GONE, "the peer has left");
		else
			rc = err_set(err, ERR_IO, "sending: %s", zmq_strerror(errno));
	}
	return rc;
}

void
zsock_cut(int fd)
{
	int kind = 0;
	socklen_t size = sizeof(kind);

	/* The peer may have left meanwhile; at least never shut a listener that got its number. */
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &kind, &size) != 0 || kind != 0)
		return;
	(void)shutdown(fd, SHUT_RDWR);
}
