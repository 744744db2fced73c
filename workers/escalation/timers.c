/* timers.c - the next look at each case, in a heap; a look that would change something becomes a system
 * record first, so that the log tells why the case moved, and is acted on when it is read back.
 *
 * An entry of the heap is good only while its case still wants that very moment; others are dropped when
 * they come up. A case in somebody's hands is left alone: the end of the lease looks at it. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "workers/escalation/router.h"

#define FIRE_MOST 64

/* The moment stands beside the pointer, because the case's own may have moved on. */
struct timer {
	int64_t at;
	struct rcase *c;
};

static struct timer *
heap_of(struct router *r)
{
	return (struct timer *)r->heap;
}

static void
swap(struct timer *a, struct timer *b)
{
	struct timer t = *a;

	*a = *b;
	*b = t;
}

static void
push(struct router *r, int64_t at, struct rcase *c)
{
	struct timer *h;
	size_t i = r->n_heap++;

	if (r->n_heap > r->cap_heap) {
		r->cap_heap = r->cap_heap == 0 ? 256 : 2 * r->cap_heap;
		r->heap = xrealloc(r->heap, r->cap_heap, sizeof(struct timer));
	}
	h = heap_of(r);
	h[i] = (struct timer){at, c};
	for (; i > 0 && h[(i - 1) / 2].at > h[i].at; i = (i - 1) / 2)
		swap(&h[i], &h[(i - 1) / 2]);
}

static void
pop(struct router *r)
{
	struct timer *h = heap_of(r);
	size_t i = 0, child;

	CHECK(r->n_heap > 0);
	h[0] = h[--r->n_heap];
	while ((child = 2 * i + 1) < r->n_heap) {
		if (child + 1 < r->n_heap && h[child + 1].at < h[child].at)
			child++;
		if (h[i].at <= h[child].at)
			break;
		swap(&h[i], &h[child]);
		i = child;
	}
}

void
timers_set(struct router *r, struct rcase *c, int64_t at)
{
	if (at == c->timer_at)
		return;
	c->timer_at = at;
	if (at != 0)
		push(r, at, c);
}

/* Would looking now change anything but the next look? */
static bool
would_change(struct router *r, const struct rcase *c, int64_t now, struct law_placement *ret)
{
	uint8_t before[LAW_BLOB_MAX], after[LAW_BLOB_MAX];
	struct law_case copy = c->law;
	struct law_ctx ctx;
	size_t len;

	case_ctx(r, c, now, &ctx);
	CHECK(law_next(&copy, &ctx, NULL, ret, NULL) == 0);
	len = law_case_pack(before, &c->law);
	return ret->alerts != 0 || strcmp(ret->lane, c->want.lane) != 0 ||
	       ret->due != c->want.due || law_case_pack(after, &copy) != len ||
	       memcmp(before, after, len) != 0;
}

void
timers_fire(struct router *r)
{
	int64_t now = clock_campaign_ms();
	int fired = 0;

	while (r->n_heap > 0 && heap_of(r)[0].at <= now && fired < FIRE_MOST) {
		struct timer t = heap_of(r)[0];
		struct law_placement p;

		pop(r);
		if (t.c->timer_at != t.at)
			continue;
		t.c->timer_at = 0;
		if (t.c->held || !t.c->has_want)
			continue;
		if (would_change(r, t.c, now, &p)) {
			t.c->timer_why = p.reason;
			work_add(r, WORK_TIMER, t.c);
			fired++;
		} else {
			timers_set(r, t.c, p.timer_at);
			case_queue(r, t.c);
		}
	}
}

/* Wakes the loop at the next moment; none while campaign time stands still. */
void
timers_arm(struct router *r)
{
	int64_t next = CALENDAR_NEVER, us;

	while (r->n_heap > 0 && heap_of(r)[0].c->timer_at != heap_of(r)[0].at)
		pop(r);
	if (r->n_heap > 0 && !r->is_doubt)
		next = heap_of(r)[0].at;
	if (r->gate_changes < next)
		next = r->gate_changes;
	if (r->offers_until < next)
		next = r->offers_until;
	us = r->is_caught_up ? clock_until_us(next) : INT64_MAX;
	if (us == INT64_MAX) {
		loop_timer_stop(r->due_timer);
		return;
	}
	loop_timer_after(r->due_timer, us < 1000 ? 1000 : us);
}
