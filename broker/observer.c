/* observer.c - every lease/6: reads all leases page by page, and expires those unchanged for lease
 * + guard on BOOTTIME.
 *
 * A gap starts everything over: our own loop stood still (a stop, a suspend), the link to the
 * store was down, a page was lost. With a clock that is wrong nothing ends at all. Expiry waits until the sockets are drained, so that renewals
 * which arrived are read before the case is taken away. While the store is RECOVERING the same
 * patience, counted from the last gap, ends it. */
#include "broker/observer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/front.h"
#include "broker/guard.h"
#include "broker/settings.h"
#include "broker/watch.h"

#define BEAT_US     500000
#define GAP_US      2000000
#define PAGE        200
#define MEMBER_LEN  32 /* token hex16, case */
#define PENDING_MAX 1024

struct pending {
	uint8_t case_id[16];
	uint64_t token, rseq;
};

struct observer {
	struct broker *b; /* borrowed */
	struct watch *watch;
	struct loop_timer *beat, *sweep;
	int64_t beat_us;  /* the last one */
	int64_t since_us; /* no gap since then */
	uint64_t life;    /* raised by each restart: a page of an older life counts for nothing */
	bool is_sweeping, was_serving, was_wrong;
	uint64_t mode, epoch; /* as of the last beat or sweep */
	struct pending expire[PENDING_MAX];
	size_t n_expire;
};

struct page_request {
	struct observer *o; /* borrowed: completions run before it is destroyed */
	uint64_t life;
	int64_t asked_us;
};

static int64_t
limit_us(const struct observer *o)
{
	return (o->b->settings->lease_ms + o->b->settings->guard_ms) * 1000;
}

void
observer_restart(struct observer *o, const char *why)
{
	log_info("observer.restart", "why=\"%s\" leases=%zu", why, watch_count(o->watch));
	o->b->stats.observer_restarts++;
	watch_reset(o->watch);
	o->n_expire = 0;
	o->is_sweeping = false;
	o->life++;
	o->since_us = clock_boot_us();
}

/* ---- expiry ---- */

static void
on_expired(void *arg, const struct reply *r)
{
	struct observer *o = arg;

	if (r->outcome != DONE_OK)
		return;
	o->b->stats.expired++;
	log_info("lease.expired", "decision=\"case freed\"");
}

static void
expire_pending(struct observer *o)
{
	if (o->n_expire == 0 || !front_is_drained(o->b->front))
		return;
	for (size_t i = 0; i < o->n_expire; i++) {
		struct op *op = op_create("expire", on_expired, o);

		op_bytes(op, o->expire[i].case_id, sizeof(o->expire[i].case_id));
		op_token(op, o->expire[i].token);
		op_u(op, o->expire[i].rseq);
		op_submit(o->b->batch, op);
	}
	o->n_expire = 0;
}

/* ---- a sweep ---- */

static void ask_page(struct observer *o, struct span from);

static void
see(struct observer *o, const struct reply *r, size_t at, int64_t asked_us, int64_t heard_us)
{
	struct pending p;

	p.token = reply_token(r, at);
	p.rseq = reply_u(r, at + 2);
	if (!reply_bytes(r, at + 1, p.case_id, sizeof(p.case_id)))
		return;
	if (watch_see(o->watch, p.case_id, p.token, p.rseq, asked_us, heard_us, limit_us(o)) &&
	    o->n_expire < PENDING_MAX)
		o->expire[o->n_expire++] = p;
}

static void
on_page(void *arg, const struct reply *r)
{
	struct page_request *q = arg;
	struct observer *o = q->o;
	int64_t asked_us = q->asked_us, now = clock_boot_us();
	bool is_current = q->life == o->life;
	uint8_t last[MEMBER_LEN];

	free(q);
	if (!is_current)
		return;
	if (r->outcome != DONE_OK) {
		observer_restart(o, "a page of leases was lost");
		return;
	}
	for (size_t at = 0; at + 3 <= r->n; at += 3)
		see(o, r, at, asked_us, now);
	if (r->n >= (size_t)PAGE * 3 && reply_at(r, r->n - 3).len == 16 &&
	    reply_bytes(r, r->n - 2, last + 16, 16)) {
		memcpy(last, reply_at(r, r->n - 3).data, 16);
		ask_page(o, span_of(last, sizeof(last)));
		return;
	}
	watch_end(o->watch);
	o->is_sweeping = false;
	expire_pending(o);
}

static void
ask_page(struct observer *o, struct span from)
{
	struct page_request *q = xcalloc(1, sizeof(*q));
	struct op *op = op_create("leases", on_page, q);

	q->o = o;
	q->life = o->life;
	q->asked_us = clock_boot_us();
	op_span(op, from);
	op_submit(o->b->batch, op);
}

static void
on_lifted(void *arg, const struct reply *r)
{
	(void)arg;
	if (r->outcome == DONE_OK)
		log_info("mode.lifted", "decision=\"granting again\"");
}

/* Whatever would make an observation worthless since the last look. */
static void
notice_gaps(struct observer *o)
{
	const struct broker *b = o->b;
	int64_t now = clock_boot_us();
	bool serving = broker_is_serving(b), wrong = guard_clock_is_wrong(b->guard);

	if (now - o->beat_us > BEAT_US + GAP_US)
		observer_restart(o, "the loop stood still");
	else if (serving != o->was_serving)
		observer_restart(o, "the store was away");
	else if (wrong != o->was_wrong)
		observer_restart(o, wrong ? "the clock is wrong" : "the clock is right again");
	else if (b->epoch != o->epoch || (b->mode == MODE_RECOVERING && o->mode != b->mode))
		observer_restart(o, "the store began anew");
	o->was_serving = serving;
	o->was_wrong = wrong;
	o->epoch = b->epoch;
	o->mode = b->mode;
	o->beat_us = now;
}

static void
on_sweep(void *arg)
{
	struct observer *o = arg;
	struct broker *b = o->b;

	notice_gaps(o);
	if (!broker_is_serving(b) || b->is_draining || o->is_sweeping || o->was_wrong)
		return;
	if (b->mode == MODE_RECOVERING && clock_boot_us() - o->since_us >= limit_us(o))
		op_submit(b->batch, op_create("lift", on_lifted, o));
	o->is_sweeping = true;
	watch_begin(o->watch);
	ask_page(o, span_of("", 0));
}

static void
on_beat(void *arg)
{
	struct observer *o = arg;

	notice_gaps(o);
	expire_pending(o);
}

struct observer *
observer_create(struct broker *b)
{
	struct observer *o = xcalloc(1, sizeof(*o));

	o->b = b;
	o->watch = watch_create();
	o->beat_us = o->since_us = clock_boot_us();
	o->beat = loop_timer_create(b->loop, on_beat, o);
	o->sweep = loop_timer_create(b->loop, on_sweep, o);
	loop_timer_every(o->beat, BEAT_US);
	loop_timer_every(o->sweep, b->settings->lease_ms * 1000 / 6);
	return o;
}

void
observer_destroy(struct observer *o)
{
	if (o == NULL)
		return;
	loop_timer_destroy(o->beat);
	loop_timer_destroy(o->sweep);
	watch_destroy(o->watch);
	free(o);
}
