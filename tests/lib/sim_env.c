/* sim_env.c - time, chance and what comes next; and the clock, uuid and log that the router sees.
 *
 * Events at the same moment come in the order in which they were made, so a run depends on nothing but its
 * seed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "tests/lib/sim.h"

/* 2026-03-02 08:00, a Monday. */
#define SIM_T0_MS 1772409600000LL
#define SIM_BOOT  1000000000LL

struct sim *sim;

struct event {
	int64_t at;
	uint64_t no;
	sim_fn *fn;
	void *arg;
	uint64_t n;
};

uint64_t
sim_rnd(uint64_t n)
{
	sim->rng ^= sim->rng << 13;
	sim->rng ^= sim->rng >> 7;
	sim->rng ^= sim->rng << 17;
	return n == 0 ? 0 : (sim->rng >> 11) % n;
}

bool
sim_chance(int per_mille)
{
	return sim_rnd(1000) < (uint64_t)per_mille;
}

int64_t
sim_ms(void)
{
	return SIM_T0_MS + sim->now / 1000;
}

static bool
before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->no < b->no;
}

void
sim_after(int64_t us, sim_fn *fn, void *arg, uint64_t n)
{
	struct event *h, e = {sim->now + us, ++sim->event_no, fn, arg, n};
	size_t i = sim->n_heap++;

	if (sim->n_heap > sim->cap_heap) {
		sim->cap_heap = sim->cap_heap == 0 ? 1024 : 2 * sim->cap_heap;
		sim->heap = xrealloc(sim->heap, sim->cap_heap, sizeof(*h));
	}
	h = sim->heap;
	for (; i > 0 && before(&e, &h[(i - 1) / 2]); i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = e;
}

bool
sim_next_event(void)
{
	struct event *h = sim->heap, first, last;
	size_t i = 0, child;

	if (sim->n_heap == 0)
		return false;
	first = h[0];
	last = h[--sim->n_heap];
	while ((child = 2 * i + 1) < sim->n_heap) {
		if (child + 1 < sim->n_heap && before(&h[child + 1], &h[child]))
			child++;
		if (!before(&h[child], &last))
			break;
		h[i] = h[child];
		i = child;
	}
	h[i] = last;
	CHECK(first.at >= sim->now);
	sim->now = first.at;
	sim->n_events++;
	first.fn(first.arg, first.n);
	return true;
}

void
sim_case_id(uint8_t out[16], uint64_t i)
{
	memset(out, 'C', 16);
	be64_put(out + 8, i + 1);
}

bool
sim_case_no(const uint8_t id[16], uint64_t *ret)
{
	*ret = be64_get(id + 8) - 1;
	return *ret < sim->o.cases;
}

/* ---- what the router is given instead ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's --wrap names */
int64_t __wrap_clock_boot_us(void);
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_campaign_ms(void);
int64_t __wrap_clock_until_us(int64_t at_ms);
void __wrap_clock_boot_id(uint8_t out[16]);
void __wrap_uuid7(uint8_t out[16]);
void __wrap_log_line(enum log_level level, const char *event, const char *fmt, ...);
/* NOLINTEND(bugprone-reserved-identifier) */

int64_t
__wrap_clock_boot_us(void)
{
	return SIM_BOOT + sim->now;
}

int64_t
__wrap_clock_wall_ms(void)
{
	return sim_ms();
}

int64_t
__wrap_clock_campaign_ms(void)
{
	return sim_ms();
}

int64_t
__wrap_clock_until_us(int64_t at_ms)
{
	int64_t ms = at_ms - sim_ms();

	if (at_ms >= CALENDAR_NEVER)
		return INT64_MAX;
	return ms > 0 ? 1000 * ms : 0;
}

void
__wrap_clock_boot_id(uint8_t out[16])
{
	memset(out, 'B', 16);
}

void
__wrap_uuid7(uint8_t out[16])
{
	be64_put(out, ++sim->event_no);
	be64_put(out + 8, sim_rnd(UINT32_MAX));
}

void
__wrap_log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char at[20];
	va_list ap;

	if (!sim->o.verbose)
		return;
	clock_text(at, sim_ms());
	printf("%s <%d> %s ", at, (int)level, event);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}
