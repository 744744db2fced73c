/* front.c - reads at most READS_A_TURN messages a turn, hands each to dispatch, and counts sins.
 *
 * A connection is known by its routing id. Its descriptor is remembered together with the socket's
 * inode: a descriptor that was closed and given out again is not cut (guarantee 1.8). Records of
 * connections go when they have been silent for PEER_SILENCE_US. */
#include "broker/front.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "broker/session.h"
#include "proto/wire.h"

#define READS_A_TURN    256
#define PEER_SILENCE_US (300 * 1000000LL)
#define BUDGET_BYTES    (8 * 1024 * 1024LL) /* at once */
#define BUDGET_A_SECOND (2 * 1024 * 1024LL)
#define CUT_SOON_US     200000

struct peer {
	int fd;
	ino_t inode;
	int strikes;
	int64_t budget, heard_us;
	int64_t cut_at_us; /* 0: not to be cut */
};

struct front {
	struct zctx *z; /* borrowed */
	struct zap *zap;
	struct zsock *sock;
	struct stats *stats; /* borrowed */
	struct map *peers;   /* routing id -> struct peer, owned */
	front_fn *on_message;
	zap_allow_fn *allow;
	void *arg; /* borrowed, for both */
	bool is_drained;
};

static bool
on_zap(void *arg, const uint8_t client_key[CURVE_KEY_LEN])
{
	struct front *f = arg;

	if (f->allow(f->arg, client_key))
		return true;
	f->stats->refused_keys++;
	return false;
}

static void
peer_set_fd(struct peer *p, int fd)
{
	struct stat st;

	if (fd == p->fd)
		return;
	p->fd = fd;
	p->inode = fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* libzmq closes the descriptor as soon as the peer is gone. */
static bool
peer_is_open(const struct peer *p)
{
	struct stat st;

	return p->fd >= 0 && fstat(p->fd, &st) == 0 && st.st_ino == p->inode;
}

static void
peer_cut(struct front *f, struct peer *p)
{
	p->cut_at_us = 0;
	if (!peer_is_open(p))
		return;
	f->stats->cut++;
	zsock_cut(p->fd);
}

static struct peer *
peer_heard(struct front *f, struct span rid, int fd, size_t bytes)
{
	struct peer *p = map_get(f->peers, rid.data, rid.len);
	int64_t now = clock_boot_us();

	if (p == NULL) {
		p = xcalloc(1, sizeof(*p));
		p->fd = -1;
		p->budget = BUDGET_BYTES;
		p->heard_us = now;
		(void)map_put(f->peers, rid.data, rid.len, p);
	}
	peer_set_fd(p, fd);
	p->budget += (now - p->heard_us) * (BUDGET_A_SECOND / 1000) / 1000;
	if (p->budget > BUDGET_BYTES)
		p->budget = BUDGET_BYTES;
	p->heard_us = now;
	p->budget -= (int64_t)bytes;
	if (p->budget < 0)
		p->budget = 0;
	return p;
}

static void
on_frames(struct front *f, const struct zmsg *m)
{
	struct incoming in = {.rid = m->part[0]};
	size_t bytes = 0;
	struct peer *p;

	f->stats->frames_in++;
	for (int i = 1; i < m->parts && i < ZSOCK_PARTS; i++)
		bytes += m->part[i].len;
	if (m->parts < 1 || in.rid.len == 0 || in.rid.len > ROUTING_ID_MAX) {
		f->stats->bad_shape++;
		if (m->fd >= 0)
			zsock_cut(m->fd);
		return;
	}
	p = peer_heard(f, in.rid, m->fd, bytes);
	if (p->cut_at_us != 0)
		return;
	if (m->parts != 3 ||
	    !hex_decode(in.curve_pk, sizeof(in.curve_pk), m->user_id, strlen(m->user_id))) {
		front_strike(f, in.rid);
		return;
	}
	in.f0 = m->part[1];
	in.f1 = m->part[2];
	in.is_over_budget = p->budget == 0;
	f->on_message(f->arg, &in);
}

static void
on_ready(void *arg)
{
	struct front *f = arg;
	struct err err = ERR_INIT;

	f->is_drained = false;
	for (int i = 0; i < READS_A_TURN; i++) {
		struct zmsg m;
		int rc = zsock_recv(f->sock, &m, &err);

		if (rc <= 0) {
			f->is_drained = true;
			return;
		}
		on_frames(f, &m);
		zmsg_done(&m);
	}
}

struct front *
front_create(struct zctx *z, struct loop *l, const uint8_t curve_secret[32], struct stats *stats,
    zap_allow_fn *allow, front_fn *on_message, void *arg, struct err *err)
{
	struct front *f = xcalloc(1, sizeof(*f));
	struct zsock_opts o = {.type = ZSOCK_ROUTER,
	    .max_msg = ZMQ_MSG_MAX,
	    .curve_secret = curve_secret,
	    .zap_domain = "hf"};

	f->stats = stats;
	f->allow = allow;
	f->on_message = on_message;
	f->arg = arg;
	f->is_drained = true;
	f->peers = map_create();
	f->z = z;
	f->zap = zap_create(f->z, l, on_zap, f, err);
	if (f->zap != NULL)
		f->sock = zsock_create(f->z, l, &o, on_ready, f, err);
	if (f->sock == NULL) {
		front_destroy(f);
		return NULL;
	}
	return f;
}

void
front_destroy(struct front *f)
{
	if (f == NULL)
		return;
	if (f->sock != NULL)
		zsock_destroy(f->sock);
	if (f->zap != NULL)
		zap_destroy(f->zap);
	map_destroy(f->peers, free);
	free(f);
}

int
front_bind(struct front *f, const char *endpoint, char *ret_endpoint, struct err *err)
{
	return zsock_bind(f->sock, endpoint, ret_endpoint, err);
}

int
front_send(struct front *f, struct span rid, struct span f0, struct span f1, struct err *err)
{
	struct span parts[3] = {rid, f0, f1};

	if (zsock_send(f->sock, parts, 3, err) != 0) {
		f->stats->send_dropped++;
		return -1;
	}
	f->stats->frames_out++;
	return 0;
}

bool
front_is_connected(const struct front *f, struct span rid)
{
	const struct peer *p = map_get(f->peers, rid.data, rid.len);

	return p != NULL && peer_is_open(p);
}

void
front_charge(struct front *f, struct span rid, int64_t bytes)
{
	struct peer *p = map_get(f->peers, rid.data, rid.len);

	if (p != NULL)
		p->budget = p->budget > bytes ? p->budget - bytes : 0;
}

void
front_strike(struct front *f, struct span rid)
{
	struct peer *p = map_get(f->peers, rid.data, rid.len);

	f->stats->bad_shape++;
	if (p != NULL && ++p->strikes >= STRIKES_MAX)
		peer_cut(f, p);
}

void
front_cut(struct front *f, struct span rid)
{
	struct peer *p = map_get(f->peers, rid.data, rid.len);

	if (p != NULL)
		peer_cut(f, p);
}

void
front_cut_soon(struct front *f, struct span rid)
{
	struct peer *p = map_get(f->peers, rid.data, rid.len);

	if (p != NULL && p->cut_at_us == 0)
		p->cut_at_us = clock_boot_us() + CUT_SOON_US;
}

void
front_tick(struct front *f, int64_t now_us)
{
	struct map_iter it = map_begin(f->peers);
	const void *key;
	size_t len;
	void *value;

	while (map_next(&it, &key, &len, &value)) {
		struct peer *p = value;

		if (p->cut_at_us != 0 && p->cut_at_us <= now_us)
			peer_cut(f, p);
		if (now_us - p->heard_us < PEER_SILENCE_US)
			continue;
		(void)map_del(f->peers, key, len);
		free(p);
	}
}

bool
front_is_drained(const struct front *f)
{
	return f->is_drained;
}
