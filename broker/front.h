/* front.h - the ROUTER socket: frames in and out, and what one connection may do.
 *
 * Knows no protocol beyond "two frames of bounded size". A connection that breaks shape three
 * times is cut (guarantee 1.8); bytes have a budget each second. CURVE and ZAP are always on. */
#ifndef BROKER_FRONT_H
#define BROKER_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/zsock.h"
#include "broker/stats.h"

#define STRIKES_MAX 3

/* One message; all borrowed during the call. */
struct incoming {
	struct span rid; /* never leaves the broker */
	uint8_t curve_pk[CURVE_KEY_LEN];
	struct span f0, f1;
	bool is_over_budget;
};
typedef void front_fn(void *arg, const struct incoming *in);

struct front;
/* allow: as in zsock.h. Nothing is bound yet. */
struct front *front_create(struct zctx *z, struct loop *l, const uint8_t curve_secret[32],
    struct stats *stats, zap_allow_fn *allow, front_fn *on_message, void *arg, struct err *err);
void front_destroy(struct front *f); /* NULL-safe */
/* ret_endpoint: >= 256, gets what was bound. */
int front_bind(struct front *f, const char *endpoint, char *ret_endpoint, struct err *err);

/* -1: the peer is gone (ERR_GONE), or reads too slowly and the message was dropped (ERR_BUSY). */
int front_send(struct front *f, struct span rid, struct span f0, struct span f1, struct err *err);
/* The connection that this routing id last spoke on is still open, as far as this host knows. */
bool front_is_connected(const struct front *f, struct span rid);
/* Takes more from the connection's budget than the bytes it sent. */
void front_charge(struct front *f, struct span rid, int64_t bytes);
/* Counts a message of a wrong shape; cuts at the third. */
void front_strike(struct front *f, struct span rid);
void front_cut(struct front *f, struct span rid);
void front_cut_soon(struct front *f, struct span rid); /* lets the last answer leave first */
/* Each second: cuts what is to be cut, forgets connections that have been silent for long. */
void front_tick(struct front *f, int64_t now_us);
/* The last look at the socket found nothing waiting. */
bool front_is_drained(const struct front *f);

#endif
