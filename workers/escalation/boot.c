/* boot.c - from nothing to a running router: the campaign, the router's own identity, the lead, then all of
 * the campaign's state, read once; after that the log is followed.
 *
 * A list of steps, each one command whose answer allows the next. Whatever fails is tried again from the
 * first step after a second; a router that does not lead watches the one that does, on its own clock, and
 * takes over when that one has not moved for LEAD_LOST. Nothing here is durable but the outbox's id. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/escalation/gateway.h"

#define RETRY_US  1000000
#define WATCH_US  500000
#define LEAD_LOST 6000000
#define SCAN_SIZE "500"

enum boot_step {
	BOOT_CLOCK,
	BOOT_CAMPAIGN,
	BOOT_META,
	BOOT_LEAD,
	BOOT_TAKE,
	BOOT_ROUTER,
	BOOT_AGENTS,
	BOOT_PERSONS,
	BOOT_OFFERS,
	BOOT_CASES,
	BOOT_OUTBOX,
	BOOT_DONE,
};

static void next(struct router *r);

/* ---- forgetting ---- */

void
boot_forget(struct router *r)
{
	r->generation++;
	r->is_ready = r->is_inflight = r->is_reading = r->is_caught_up = r->is_loading = false;
	r->is_asking = r->has_answer = r->has_task = r->has_others = r->is_forcing = false;
	r->blocked_since = 0;
	work_clear(r);
	gateway_forget(r);
	if (r->chunk != NULL)
		chunk_clear(r->chunk);
	imports_destroy(r->imports);
	r->imports = imports_create();
	map_destroy(r->cases, case_free);
	map_destroy(r->persons, person_free);
	map_destroy(r->agents, free);
	r->cases = map_create();
	r->unsaved = NULL;
	r->persons = map_create();
	r->agents = map_create();
	free(r->release);
	r->release = NULL;
	r->n_heap = 0;
	r->n_batches++; /* what was queued is gone; 0 is never */
	r->gate_sent = r->shut_sent = r->lost_sent = -1;
	r->lost = 0;
	r->book_dirty = r->policy_dirty = r->days_dirty = r->proposal_dirty = false;
	buf_clear(&r->proposal);
	r->days.n = 0;
	map_destroy(r->free_hours, free);
	r->free_hours = map_create();
	r->free_dirty = false;
	book_init(&r->book);
	r->read = r->done = r->cursor = (struct logid){0, 0};
}

static void
again_later(struct router *r, int64_t us)
{
	r->is_loading = false;
	loop_timer_after(r->retry, us);
}

void
router_reload(struct router *r, const char *why)
{
	log_warn("reload", "why=\"%s\" decision=\"reading everything again\"", why);
	boot_forget(r);
	again_later(r, RETRY_US);
}

static void
step_failed(struct router *r, const char *what, const char *why)
{
	log_warn("boot", "step=%s why=\"%s\" decision=\"again in 1 s\"", what, why);
	boot_forget(r);
	again_later(r, RETRY_US);
}

/* ---- the steps' commands ---- */

struct asked {
	struct router *r;
	uint64_t generation;
};

static void on_answer(void *arg, const struct rds_reply *reply, const struct err *err);

static void
ask(struct router *r, const struct span *argv, size_t n)
{
	struct asked *a = xmalloc(sizeof(*a));

	*a = (struct asked){r, r->generation};
	rds_cmd(r->link, argv, n, CALL_US, on_answer, a);
}

static void
ask_key(struct router *r, const char *command, const char *suffix, const char *a, const char *b,
    const char *c, const char *d)
{
	const char *more[4] = {a, b, c, d};
	struct span argv[6];
	char key[128];
	size_t n = 0;

	call_key(key, sizeof(key), r->campaign, suffix);
	argv[n++] = span_str(command);
	argv[n++] = span_str(key);
	for (int i = 0; i < 4 && more[i] != NULL; i++)
		argv[n++] = span_str(more[i]);
	ask(r, argv, n);
}

static void
ask_lead(struct router *r, const char *seen, const char *mine)
{
	struct call call;
	const struct span *argv;
	size_t argc;

	call_begin(
	    &call, "hf1_router", r->campaign, clock_campaign_ms(), clock_wall_ms(), r->epoch);
	call_entry(&call, "lead");
	call_str(&call, seen);
	call_str(&call, mine);
	argv = call_argv(&call, &argc);
	ask(r, argv, argc);
	call_done(&call);
}

static void
ask_outbox(struct router *r)
{
	struct call call;
	const struct span *argv;
	size_t argc;
	char agent[33];

	hex_encode(agent, r->id.agent, 16);
	call_begin(
	    &call, "hf1_router", r->campaign, clock_campaign_ms(), clock_wall_ms(), r->epoch);
	call_entry(&call, "ob");
	call_bytes(&call, r->ob, 16);
	call_str(&call, agent);
	argv = call_argv(&call, &argc);
	ask(r, argv, argc);
	call_done(&call);
}

static void
next_lead(struct router *r, char out[96])
{
	char hex[33];

	hex_encode(hex, r->ob, 16);
	snprintf(out, 96, "%s %ju", hex, (uintmax_t)++r->beat);
}

static void
ask_router(struct router *r)
{
	char key[128];
	struct span argv[8] = {span_str("HMGET"), {NULL, 0}, span_str("cursor"), span_str("book"),
	    span_str("policy"), span_str("days"), span_str("proposal"), span_str("free")};

	argv[1] = span_str(call_key(key, sizeof(key), r->campaign, "router"));
	ask(r, argv, 8);
}

static void
ask_step(struct router *r)
{
	struct span argv[2] = {span_str("SMEMBERS"), span_str("hf:campaigns")};
	struct span time[1] = {span_str("TIME")};

	switch ((enum boot_step)r->step) {
	case BOOT_CLOCK: ask(r, time, 1); return;
	case BOOT_CAMPAIGN: ask(r, argv, 2); return;
	case BOOT_META:
		ask_key(r, "HMGET", "meta", "epoch", "loading", "doubt", "doubt_until");
		return;
	case BOOT_LEAD: ask_lead(r, "", ""); return;
	case BOOT_TAKE:
		next_lead(r, r->lead);
		ask_lead(r, r->seen, r->lead);
		return;
	case BOOT_ROUTER: ask_router(r); return;
	case BOOT_AGENTS: ask_key(r, "HGETALL", "agents", NULL, NULL, NULL, NULL); return;
	case BOOT_PERSONS: ask_key(r, "HGETALL", "persons", NULL, NULL, NULL, NULL); return;
	case BOOT_OFFERS: ask_key(r, "HGETALL", "offer", NULL, NULL, NULL, NULL); return;
	case BOOT_CASES: ask_key(r, "HSCAN", "cases", r->scan, "COUNT", SCAN_SIZE, NULL); return;
	case BOOT_OUTBOX: ask_outbox(r); return;
	case BOOT_DONE: return;
	}
}

/* ---- the steps' answers ---- */

/* A router that began with a wrong clock would have wrong days for as long as it runs. */
static int
check_clock(struct router *r, const struct rds_reply *reply, struct err *err)
{
	struct span s = rds_str(rds_at(reply, 0));
	uint64_t seconds;
	const char *wrong;

	if (!text_to_u64((const char *)s.data, s.len, &seconds))
		return err_set(err, ERR_INVALID, "TIME tells no time");
	wrong =
	    clock_watch_check(&r->clock, clock_wall_ms(), clock_boot_us(), (int64_t)seconds * 1000);
	if (wrong[0] != '\0')
		return err_set(err, ERR_INVALID,
		    "%s: nothing is placed; set this machine's clock, then restart hf-router",
		    wrong);
	return 1;
}

/* 1 go on, 0 wait and begin again, -1 failed. */
static int
choose_campaign(struct router *r, const struct rds_reply *reply, struct err *err)
{
	for (size_t i = 0; i < rds_len(reply); i++) {
		struct span s = rds_str(rds_at(reply, i));
		bool fits = r->wanted[0] == '\0' ? rds_len(reply) == 1 : span_eq_str(s, r->wanted);

		if (!fits || s.len > NAME_MAX_LEN)
			continue;
		memset(r->campaign, 0, sizeof(r->campaign));
		memcpy(r->campaign, s.data, s.len);
		return own_open(r, err) == 0 ? 1 : err->code == ERR_BUSY ? 0 : -1;
	}
	if (!r->said_waiting)
		log_info("waiting", "decision=\"%s\"",
		    rds_len(reply) > 1 ? "several campaigns: name one in HF_CAMPAIGN"
		                       : "until the campaign is created");
	r->said_waiting = true;
	return 0;
}

static int
meta(struct router *r, const struct rds_reply *reply)
{
	struct span s = rds_str(rds_at(reply, 0)), until = rds_str(rds_at(reply, 3));
	uint64_t ms = 0;

	if (span_eq_str(rds_str(rds_at(reply, 1)), "1"))
		return 0; /* hfctl recover is filling it */
	r->is_doubt = span_eq_str(rds_str(rds_at(reply, 2)), "1");
	(void)text_to_u64((const char *)until.data, until.len, &ms);
	r->doubt_until = (int64_t)ms;
	return s.len > 0 && text_to_u64((const char *)s.data, s.len, &r->epoch) && r->epoch > 0;
}

static const struct rds_reply *
entry_of(const struct rds_reply *reply)
{
	return rds_type(reply) == RDS_ARRAY && rds_len(reply) == 5 ? rds_at(reply, 4) : NULL;
}

static void
copy_text(char *out, size_t size, struct span s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	if (n > 0)
		memcpy(out, s.data, n);
	out[n] = '\0';
}

/* May we take the lead from what stands there now? */
static int
watch_lead(struct router *r, const struct rds_reply *reply)
{
	char now[96], hex[33];
	int64_t boot = clock_boot_us();

	if (entry_of(reply) == NULL)
		return -1;
	copy_text(now, sizeof(now), rds_str(rds_at(entry_of(reply), 1)));
	hex_encode(hex, r->ob, 16);
	if (strcmp(now, r->seen) != 0 || r->seen_since == 0) {
		memcpy(r->seen, now, sizeof(now));
		r->seen_since = boot;
	}
	/* Nobody, or ourselves before a restart: the lock on our file says that we are alone. */
	if (now[0] == '\0' || strncmp(now, hex, 32) == 0 || boot - r->seen_since >= LEAD_LOST)
		return 1;
	if (!r->said_waiting)
		log_info("standby", "decision=\"watching the router that leads\"");
	r->said_waiting = true;
	return 0;
}

static int
take_lead(struct router *r, const struct rds_reply *reply)
{
	if (entry_of(reply) == NULL)
		return -1;
	r->seen_since = 0;
	r->lead_at = clock_boot_us();
	return span_eq_str(rds_str(rds_at(entry_of(reply), 0)), "ok");
}

static int
router_hash(struct router *r, const struct rds_reply *reply, struct err *err)
{
	struct span cursor = rds_str(rds_at(reply, 0)), book = rds_str(rds_at(reply, 1));
	struct span policy = rds_str(rds_at(reply, 2)), days = rds_str(rds_at(reply, 3)),
	            proposal = rds_str(rds_at(reply, 4));

	if (cursor.len > 0) {
		const char *dash = memchr(cursor.data, '-', cursor.len);
		size_t n = dash == NULL ? 0 : (size_t)(dash - (const char *)cursor.data);

		if (dash == NULL || !text_to_u64((const char *)cursor.data, n, &r->cursor.epoch) ||
		    !text_to_u64(dash + 1, cursor.len - n - 1, &r->cursor.no))
			return err_set(err, ERR_CORRUPT, "the router's cursor does not read");
	}
	r->read = r->done = r->cursor;
	if (book.len > 0 && book_parse(&r->book, book, err) != 0)
		return -1;
	(void)own_use_days(r, days, true);
	freehours_load(r, rds_str(rds_at(reply, 5)));
	buf_add(&r->proposal, proposal.data, proposal.len);
	if (policy.len > 0 && own_use_policy(r, policy, "policy"))
		return 1;
	return r->policy != NULL || own_default_policy(r)
	           ? 1
	           : err_set(err, ERR_INVALID, "no policy can be read");
}

static void
agents(struct router *r, const struct rds_reply *reply)
{
	for (size_t i = 0; i + 1 < rds_len(reply); i += 2) {
		struct span id = rds_str(rds_at(reply, i)), row = rds_str(rds_at(reply, i + 1));
		char agent[33], curve[65], sign[65];

		if (id.len != 32 || row.len < 130)
			continue;
		copy_text(agent, sizeof(agent), id);
		copy_text(curve, sizeof(curve), row);
		copy_text(sign, sizeof(sign), span_of(row.data + 65, 64));
		agent_keep(r, agent, curve, sign);
	}
}

static void
persons(struct router *r, const struct rds_reply *reply, bool offers)
{
	for (size_t i = 0; i + 1 < rds_len(reply); i += 2) {
		struct span row = rds_str(rds_at(reply, i + 1));
		struct rperson *p;
		name_t name;

		copy_text(name, sizeof(name), rds_str(rds_at(reply, i)));
		if (!offers) {
			(void)person_load(r, name, row);
		} else if ((p = person_find(r, name)) != NULL) {
			buf_clear(&p->offer);
			buf_add(&p->offer, row.data, row.len);
		}
	}
}

/* One page of the scan; HSCAN may show a case twice. */
static void
some_cases(struct router *r, const struct rds_reply *reply)
{
	const struct rds_reply *pairs = rds_at(reply, 1);

	for (size_t i = 0; i + 1 < rds_len(pairs); i += 2) {
		struct span id = rds_str(rds_at(pairs, i));

		if (id.len == 16 && case_find(r, id.data) == NULL)
			(void)case_load(r, id.data, rds_str(rds_at(pairs, i + 1)), span_of("", 0));
	}
	copy_text(r->scan, sizeof(r->scan), rds_str(rds_at(reply, 0)));
}

static int
outbox(struct router *r, const struct rds_reply *reply, struct err *err)
{
	const struct rds_reply *e = entry_of(reply);
	struct span upto = rds_str(rds_at(e, 1)), h = rds_str(rds_at(e, 2));

	if (e == NULL || !span_eq_str(rds_str(rds_at(e, 0)), "ok") || h.len != 32 ||
	    !text_to_u64((const char *)upto.data, upto.len, &r->seq))
		return err_set(err, ERR_DENIED, "the router's outbox is not taken");
	memcpy(r->head, h.data, 32);
	return 1;
}

static int
take_answer(struct router *r, const struct rds_reply *reply, struct err *err)
{
	switch ((enum boot_step)r->step) {
	case BOOT_CLOCK: return check_clock(r, reply, err);
	case BOOT_CAMPAIGN: return choose_campaign(r, reply, err);
	case BOOT_META: return meta(r, reply);
	case BOOT_LEAD: return watch_lead(r, reply);
	case BOOT_TAKE: return take_lead(r, reply);
	case BOOT_ROUTER: return router_hash(r, reply, err);
	case BOOT_AGENTS: agents(r, reply); return 1;
	case BOOT_PERSONS: persons(r, reply, false); return 1;
	case BOOT_OFFERS: persons(r, reply, true); return 1;
	case BOOT_CASES: some_cases(r, reply); return 1;
	case BOOT_OUTBOX: return outbox(r, reply, err);
	case BOOT_DONE: break;
	}
	return -1;
}

static void
on_answer(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct asked *a = arg;
	struct router *r = a->r;
	bool mine = a->generation == r->generation;
	struct err why = ERR_INIT;
	int rc;

	free(a);
	if (!mine)
		return;
	if (err != NULL || rds_type(reply) == RDS_ERROR) {
		char said[120];

		copy_text(said, sizeof(said), rds_str(reply));
		step_failed(r, "redis", err != NULL ? err->text : said);
		return;
	}
	rc = take_answer(r, reply, &why);
	if (rc < 0) {
		step_failed(r, r->step == BOOT_CLOCK ? "clock" : r->campaign, why.text);
		return;
	}
	if (rc == 0) {
		again_later(r, r->step == BOOT_LEAD ? WATCH_US : RETRY_US);
		return;
	}
	if (r->step != BOOT_CASES || strcmp(r->scan, "0") == 0)
		r->step++;
	next(r);
}

static void
next(struct router *r)
{
	if (r->step != BOOT_DONE) {
		ask_step(r);
		return;
	}
	r->is_loading = false;
	r->is_ready = true;
	r->said_waiting = false;
	pump(r);
}

void
boot_begin(struct router *r)
{
	if (r->is_loading || r->is_ready || !rds_connected(r->link))
		return;
	boot_forget(r);
	r->is_loading = true;
	r->step = BOOT_CLOCK;
	memcpy(r->scan, "0", 2);
	next(r);
}
