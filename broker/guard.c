/* guard.c - reads the store's own settings and compares clocks; says once what is wrong and once
 * when it is right again.
 *
 * Not durable (AOF off, not fsynced always, a replica, a failed write, eviction): nothing is
 * accepted and nothing granted. Too full, or a clock that jumped: records are accepted, nothing
 * is granted (and, by the clock, nobody's lease ends). A store that refuses to tell (no rights) counts as not durable. */
#include "broker/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rds.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/settings.h"
#include "broker/store.h"

#define LOOK_TIMEOUT_US 2000000
#define EVIDENCE_ROOM   (256ULL << 20) /* where the store has no limit of its own */
#define MEMORY_PERCENT  60

static bool
info_line(struct span text, const char *name, struct span *ret)
{
	size_t len = strlen(name), at = 0;

	while (at < text.len) {
		const uint8_t *line = text.data + at;
		const uint8_t *end = memchr(line, '\n', text.len - at);
		size_t n = end == NULL ? text.len - at : (size_t)(end - line);

		at += n + 1;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		if (n > len && memcmp(line, name, len) == 0 && line[len] == ':') {
			*ret = span_of(line + len + 1, n - len - 1);
			return true;
		}
	}
	return false;
}

static bool
info_is(struct span text, const char *name, const char *value)
{
	struct span s;

	return info_line(text, name, &s) && span_eq_str(s, value);
}

static uint64_t
info_u(struct span text, const char *name)
{
	struct span s;
	uint64_t v;

	return info_line(text, name, &s) && text_to_u64((const char *)s.data, s.len, &v) ? v : 0;
}

void
facts_info(struct store_facts *f, struct span text)
{
	struct span id;

	f->run_id[0] = '\0';
	if (info_line(text, "run_id", &id) && id.len < sizeof(f->run_id)) {
		memcpy(f->run_id, id.data, id.len);
		f->run_id[id.len] = '\0';
	}
	f->last_write_ok = info_is(text, "aof_last_write_status", "ok");
	f->is_master = info_is(text, "role", "master");
	f->used_memory = info_u(text, "used_memory");
	f->max_memory = info_u(text, "maxmemory");
}

void
facts_config(struct store_facts *f, struct span name, struct span value)
{
	if (span_eq_str(name, "appendonly"))
		f->aof_on = span_eq_str(value, "yes");
	else if (span_eq_str(name, "appendfsync"))
		f->aof_always = span_eq_str(value, "always");
	else if (span_eq_str(name, "no-appendfsync-on-rewrite"))
		f->aof_kept_on_rewrite = span_eq_str(value, "no");
	else if (span_eq_str(name, "maxmemory-policy"))
		f->no_eviction = span_eq_str(value, "noeviction");
}

const char *
facts_not_durable(const struct store_facts *f)
{
	if (f->run_id[0] == '\0')
		return "it does not tell its run_id";
	if (!f->is_master)
		return "it is a replica";
	if (!f->aof_on)
		return "appendonly is not yes";
	if (!f->aof_always)
		return "appendfsync is not always";
	if (!f->aof_kept_on_rewrite)
		return "no-appendfsync-on-rewrite is not no";
	if (!f->no_eviction)
		return "maxmemory-policy is not noeviction";
	if (!f->last_write_ok)
		return "its last write to the AOF failed";
	return "";
}

bool
facts_too_full(const struct store_facts *f)
{
	return f->max_memory > 0 && f->used_memory / MEMORY_PERCENT >= f->max_memory / 100;
}

/* ---- asking ---- */

struct guard {
	struct broker *b; /* borrowed */
	struct store_facts facts;
	struct clock_watch clock;
	int64_t redis_ahead_ms; /* the store's wall clock minus ours, at the last look */
	bool knows_redis_clock, has_looked;
	const char *not_durable, *bad_clock; /* "" or words, static */
	bool too_full;
	/* the look under way */
	int left;
	bool ok;
	struct store_facts fresh;
	guard_fn *done;
	void *arg;
};

struct guard *
guard_create(struct broker *b)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->b = b;
	g->not_durable = g->bad_clock = "";
	(void)clock_watch_check(&g->clock, clock_wall_ms(), clock_boot_us(), 0);
	return g;
}

void
guard_destroy(struct guard *g)
{
	free(g);
}

/* One line when the answer changes. */
static void
say(const char *what, const char **was, const char *is)
{
	if (strcmp(*was, is) == 0)
		return;
	if (is[0] != '\0')
		log_error("guard.stop", "what=%s why=\"%s\" decision=\"nothing is handed out\"",
		    what, is);
	else
		log_info("guard.go", "what=%s", what);
	*was = is;
}

static void
judge(struct guard *g)
{
	bool full = facts_too_full(&g->facts);

	say("store", &g->not_durable, facts_not_durable(&g->facts));
	if (full != g->too_full) {
		if (full)
			log_error("guard.stop",
			    "what=memory used=%ju max=%ju decision=\"nothing is handed out\"",
			    (uintmax_t)g->facts.used_memory, (uintmax_t)g->facts.max_memory);
		else
			log_info("guard.go", "what=memory");
		g->too_full = full;
	}
	guard_tick(g);
}

static void
one_done(struct guard *g, bool ok)
{
	guard_fn *done = g->done;

	g->ok = g->ok && ok;
	if (--g->left > 0)
		return;
	if (g->ok) {
		g->facts = g->fresh;
		g->has_looked = true;
		judge(g);
	}
	g->done = NULL;
	done(g->arg, g->ok);
}

static void
on_info(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct guard *g = arg;

	if (err == NULL && rds_type(r) == RDS_STR)
		facts_info(&g->fresh, rds_str(r));
	one_done(g, err == NULL);
}

static void
on_config(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct guard *g = arg;

	for (size_t i = 0; err == NULL && i + 1 < rds_len(r); i += 2)
		facts_config(&g->fresh, rds_str(rds_at(r, i)), rds_str(rds_at(r, i + 1)));
	one_done(g, err == NULL);
}

static void
on_time(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct guard *g = arg;
	struct span s = rds_str(rds_at(r, 0));
	uint64_t seconds;

	g->knows_redis_clock = err == NULL && text_to_u64((const char *)s.data, s.len, &seconds);
	if (g->knows_redis_clock)
		g->redis_ahead_ms = (int64_t)seconds * 1000 - clock_wall_ms();
	one_done(g, err == NULL);
}

void
guard_look(struct guard *g, guard_fn *done, void *arg)
{
	struct span info[] = {span_str("INFO")};
	struct span config[] = {span_str("CONFIG"), span_str("GET"), span_str("appendonly"),
	    span_str("appendfsync"), span_str("no-appendfsync-on-rewrite"),
	    span_str("maxmemory-policy")};
	struct span time[] = {span_str("TIME")};
	struct rds *r = store_link(g->b->store);

	CHECK(g->done == NULL);
	g->done = done;
	g->arg = arg;
	g->left = 3;
	g->ok = true;
	memset(&g->fresh, 0, sizeof(g->fresh));
	rds_cmd(r, info, 1, LOOK_TIMEOUT_US, on_info, g);
	rds_cmd(r, config, sizeof(config) / sizeof(config[0]), LOOK_TIMEOUT_US, on_config, g);
	rds_cmd(r, time, 1, LOOK_TIMEOUT_US, on_time, g);
}

void
guard_tick(struct guard *g)
{
	int64_t wall = clock_wall_ms(), theirs = 0;

	if (g->knows_redis_clock)
		theirs = wall + g->redis_ahead_ms;
	say("clock", &g->bad_clock, clock_watch_check(&g->clock, wall, clock_boot_us(), theirs));
}

const char *
guard_run_id(const struct guard *g)
{
	return g->facts.run_id;
}

bool
guard_is_durable(const struct guard *g)
{
	return g->has_looked && g->not_durable[0] == '\0';
}

uint64_t
guard_evidence_room(const struct guard *g)
{
	return g->facts.max_memory > 0 ? g->facts.max_memory / 10 : EVIDENCE_ROOM;
}

bool
guard_clock_is_wrong(const struct guard *g)
{
	return g->bad_clock[0] != '\0';
}

const char *
guard_stops_grants(const struct guard *g)
{
	if (!guard_is_durable(g) || g->too_full || g->bad_clock[0] != '\0')
		return "backlog";
	return "";
}
