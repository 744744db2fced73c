/* pump.c - keeps things going, one step at a time: send what is queued; else finish what is under way; else
 * apply the next log entries; else let time act; else write the cursor; else read on.
 *
 * It is called whenever something may have become possible, and returns when nothing is: an answer, a
 * timer or the log itself wakes it again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "workers/escalation/gateway.h"

#define BLOCK_MS     "2000"
#define READ_US      10000000
#define CURSOR_EVERY 200000 /* µs between two writes of nothing but the cursor */
#define LEAD_EVERY   1000000
#define BLOCKED_US   30000000

void
work_add(struct router *r, enum work_kind kind, void *ptr)
{
	if (r->n_work == r->cap_work) {
		r->cap_work = r->cap_work == 0 ? 512 : 2 * r->cap_work;
		r->work = xrealloc(r->work, r->cap_work, sizeof(*r->work));
	}
	r->work[r->n_work++] = (struct work){kind, ptr};
}

void
work_clear(struct router *r)
{
	for (; r->first_work < r->n_work; r->first_work++)
		batch_work_done(&r->work[r->first_work]);
	r->first_work = r->n_work = 0;
	for (size_t i = 0; i < r->n_sent; i++)
		batch_work_done(&r->sent[i]);
	r->n_sent = 0;
}

static bool
has_work(const struct router *r)
{
	return r->first_work < r->n_work;
}

/* ---- how far all effects are in Redis ---- */

/* Everything up to `read` was applied; what is not saved, or waits for its commit, holds the cursor. */
static void
settle_cursor(struct router *r)
{
	struct logid done = r->read, import;

	for (const struct rcase *c = r->unsaved; c != NULL; c = c->unsaved_next)
		if (!logid_after(c->unsaved, done))
			done = (struct logid){c->unsaved.epoch, c->unsaved.no - 1};
	if (imports_oldest(r, &import) && !logid_after(import, done))
		done = (struct logid){import.epoch, import.no - 1};
	if (logid_after(done, r->done))
		r->done = done;
}

/* ---- reading ---- */

struct reading {
	struct router *r;
	uint64_t generation;
};

static void
look_at(struct router *r, struct rcase *c, void *arg)
{
	(void)arg;
	if (!c->has_want)
		case_look(r, c, clock_campaign_ms());
	case_queue(r, c);
}

/* The first time that nothing is left to read: now time may act, and every case is looked at once. */
static void
caught_up(struct router *r)
{
	r->is_caught_up = true;
	case_all(r, look_at, NULL);
	r->gate = GATE_CLOSED;
	r->offers_until = 0;
	offers_gate(r);
	offers_all(r);
	log_info("ready", "campaign=%s epoch=%ju cases=%zu persons=%zu stage=%ju pass=%ju",
	    r->campaign, (uintmax_t)r->epoch, map_count(r->cases), map_count(r->persons),
	    (uintmax_t)r->book.stage, (uintmax_t)r->book.pass);
}

static void
on_read(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct reading *x = arg;
	struct router *r = x->r;
	bool mine = x->generation == r->generation;

	free(x);
	if (!mine)
		return;
	r->is_reading = false;
	if (err != NULL || rds_type(reply) == RDS_ERROR) {
		/* The tail may drop alone: what it did not bring is read again. */
		if (!rds_connected(r->tail))
			return;
		router_reload(r, err != NULL ? err->text : "the log cannot be read");
		return;
	}
	chunk_take(r->chunk, rds_at(rds_at(reply, 0), 1));
	if (chunk_is_empty(r->chunk) && !r->is_caught_up)
		caught_up(r);
	pump(r);
}

void
pump_read(struct router *r)
{
	char key[128], id[48];
	struct span argv[8];
	struct reading *x;
	size_t n = 0;

	if (r->is_reading || !rds_connected(r->tail))
		return;
	call_key(key, sizeof(key), r->campaign, "log");
	snprintf(id, sizeof(id), "%" PRIu64 "-%" PRIu64, r->read.epoch, r->read.no);
	argv[n++] = span_str("XREAD");
	argv[n++] = span_str("COUNT");
	argv[n++] = span_str("256");
	if (r->is_caught_up) {
		argv[n++] = span_str("BLOCK");
		argv[n++] = span_str(BLOCK_MS);
	}
	argv[n++] = span_str("STREAMS");
	argv[n++] = span_str(key);
	argv[n++] = span_str(id);
	x = xmalloc(sizeof(*x));
	*x = (struct reading){r, r->generation};
	r->is_reading = true;
	rds_cmd(r->tail, argv, n, READ_US, on_read, x);
}

/* ---- the steps ---- */

/* An entry waits for a key. Not for ever: all others wait behind it. */
static void
blocked(struct router *r)
{
	int64_t now = clock_boot_us();

	if (r->is_asking)
		return;
	if (r->blocked_since == 0)
		r->blocked_since = now;
	if (now - r->blocked_since < BLOCKED_US || r->is_forcing)
		return;
	log_warn("log.blocked", "entry_after=%ju-%ju decision=\"going on without the key\"",
	    (uintmax_t)r->read.epoch, (uintmax_t)r->read.no);
	r->is_forcing = true;
}

/* Applies entries until there is a batch of work, or something must be waited for. */
static void
apply_entries(struct router *r)
{
	struct log_entry e;
	uint64_t generation = r->generation;

	while (r->n_work - r->first_work < BATCH_ENTRIES && !campaign_is_busy(r) && !r->is_asking &&
	       chunk_peek(r->chunk, &e)) {
		bool applied = log_apply(r, &e);

		if (r->generation != generation)
			return;
		if (!applied) {
			blocked(r);
			return;
		}
		r->blocked_since = 0;
		r->is_forcing = false;
		r->read = (struct logid){e.epoch, e.no};
		chunk_drop(r->chunk);
		if (imports_pending(r))
			return;
	}
}

static bool
wants_cursor(const struct router *r)
{
	return logid_after(r->done, r->cursor) || r->book_dirty || r->lost != r->lost_sent ||
	       r->free_dirty || r->policy_dirty || r->days_dirty || r->proposal_dirty;
}

static void
idle(struct router *r)
{
	int64_t now = clock_boot_us();

	if (r->mode != MODE_HALTED && !r->is_doubt)
		timers_fire(r);
	if (r->is_doubt && r->doubt_until != 0 && clock_campaign_ms() >= r->doubt_until &&
	    now - r->doubt_asked >= LEAD_EVERY) {
		r->doubt_asked = now;
		words_queue(r, words_make("doubt_over"));
	}
	offers_gate(r);
	gateway_look(r);
	if (has_work(r))
		return;
	settle_cursor(r);
	if (wants_cursor(r) && (r->book_dirty || now - r->cursor_at >= CURSOR_EVERY)) {
		r->cursor_at = now;
		work_add(r, WORK_CURSOR, NULL);
	}
	if (now - r->lead_at >= LEAD_EVERY)
		work_add(r, WORK_LEAD, NULL);
}

/* One step's worth of work, if there is any. */
static void
find_work(struct router *r)
{
	if (campaign_is_busy(r))
		campaign_continue(r);
	if (!has_work(r))
		imports_continue(r);
	if (!has_work(r) && !campaign_is_busy(r))
		apply_entries(r);
	if (r->is_ready && !has_work(r) && chunk_is_empty(r->chunk) && r->is_caught_up)
		idle(r);
}

void
pump(struct router *r)
{
	while (r->is_ready && !r->is_inflight) {
		bool was_busy = campaign_is_busy(r);

		if (!has_work(r))
			find_work(r);
		if (has_work(r))
			batch_send(r); /* may find that there is nothing to say */
		else if (!was_busy && !campaign_is_busy(r))
			break;
	}
	if (r->is_ready && !r->is_inflight && chunk_is_empty(r->chunk)) {
		pump_read(r);
		timers_arm(r);
	}
}
