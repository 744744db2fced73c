/* zsock.h - ZeroMQ sockets inside the loop; zsock.c and zpump.c are the only files that see zmq.h.
 *
 * A socket lives in one thread and one loop. on_ready is called while messages may wait; read at
 * most a budget of them and return: the pump calls again as long as the socket has work (its
 * descriptor is edge-triggered and only an alarm clock). Sends never block. */
#ifndef BASE_ZSOCK_H
#define BASE_ZSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

#define CURVE_KEY_LEN 32
#define ZSOCK_PARTS   8 /* more parts in one message: read away, reported as parts = ZSOCK_PARTS+1 */

struct zctx;
struct zctx *zctx_create(int io_threads, int max_sockets);
void zctx_destroy(struct zctx *z);
void zsock_curve_keypair(uint8_t pk[CURVE_KEY_LEN], uint8_t sk[CURVE_KEY_LEN]);
int zsock_curve_public(uint8_t pk[CURVE_KEY_LEN], const uint8_t sk[CURVE_KEY_LEN]);

enum zsock_type { ZSOCK_ROUTER, ZSOCK_DEALER };

/* 0 in a number stands for the default given. A ROUTER with CURVE needs a zap_domain: without one
 * every key would be let in. */
struct zsock_opts {
	enum zsock_type type;
	int64_t max_msg;             /* bytes; 131072 */
	int rcvhwm, sndhwm;          /* messages; 256, 64 */
	const uint8_t *curve_secret; /* own secret key, or NULL: no CURVE (tests, ipc benches) */
	const uint8_t *curve_server; /* DEALER: the server's public key */
	const char *zap_domain;      /* ROUTER with CURVE: "hf"; enforced */
	int handshake_ms;            /* 3000 */
	int heartbeat_ms;            /* 30000; gone after two without an answer; -1: none */
};

/* The spans are borrowed until zmsg_done. ROUTER: part[0] is the routing id. */
struct zmsg {
	int parts;
	struct span part[ZSOCK_PARTS];
	char user_id[68]; /* CURVE User-Id that ZAP gave (hex of the public key), or "" */
	int fd;           /* the peer's descriptor (ZMQ_SRCFD), or -1 */
	void *priv;
};

struct zsock;
typedef void zsock_fn(void *arg);
struct zsock *zsock_create(struct zctx *z, struct loop *l, const struct zsock_opts *o,
    zsock_fn *on_ready, void *arg, struct err *err);
void zsock_destroy(struct zsock *s); /* allowed inside on_ready */
/* endpoint may hold a wildcard port; ret_endpoint (>= 256) gets what was bound, or is NULL. */
int zsock_bind(struct zsock *s, const char *endpoint, char *ret_endpoint, struct err *err);
int zsock_connect(struct zsock *s, const char *endpoint, struct err *err);
int zsock_disconnect(struct zsock *s, const char *endpoint, struct err *err);
/* 1 a message, 0 none now, -1 the socket failed. */
int zsock_recv(struct zsock *s, struct zmsg *m, struct err *err);
void zmsg_done(struct zmsg *m);
/* All parts or nothing, copied. 0 sent; -1 with ERR_BUSY (high water), ERR_GONE (no such peer). */
int zsock_send(struct zsock *s, const struct span *parts, int n, struct err *err);
/* shutdown(2) of a peer's descriptor: it reconnects and passes ZAP again. */
void zsock_cut(int fd);

/* ZAP 1.0 over the same loop, answered from memory by `allow`: fills user_id (hex of the key) and
 * answers true, or false for status 400. Create before any bind. */
struct zap;
typedef bool zap_allow_fn(void *arg, const uint8_t client_key[CURVE_KEY_LEN]);
struct zap *zap_create(
    struct zctx *z, struct loop *l, zap_allow_fn *allow, void *arg, struct err *err);
void zap_destroy(struct zap *a);

#endif
