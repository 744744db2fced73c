/* sim_run.c - one campaign from nothing to its end, and the faults that show that the checks are awake. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "proto/roles.h"
#include "tests/lib/sim_loss.h"

#define MANY_CASES 10000
#define END_US     (30 * 24 * 60 * SIM_MINUTE)

static const char *const breaks[BREAKS][2] = {
#define SIM_BREAK_ROW(id, name, check) [BREAK_##id] = {name, check},
    SIM_BREAKS(SIM_BREAK_ROW)
#undef SIM_BREAK_ROW
};

const char *
sim_break_name(enum sim_break b)
{
	return breaks[b][0];
}

const char *
sim_break_check(enum sim_break b)
{
	return breaks[b][1];
}

/* ---- the observer: lets leases expire that nobody renewed ---- */

static void
expire(const struct fv *all, size_t at)
{
	struct call c;
	struct fv r;

	call_begin(&c, "hf1_broker", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	call_entry(&c, "expire");
	call_span(&c, sim_text(all, at + 1));
	call_span(&c, sim_text(all, at));
	call_span(&c, sim_text(all, at + 2));
	sim_fcall(&c, &r);
	fv_done(&r);
}

/* What a recorder does to the log: it forgets what the router is done with. */
static void
forget(void)
{
	char key[128];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "router")), span_str("cursor")};
	struct call c;
	struct fv cursor, r;

	fake_redis_cmd(sim->store, argv, 3, &cursor);
	if (cursor.type == FV_STR && sim_ledger_has(buf_span(&cursor.s))) {
		call_begin(&c, "hf1_recorder", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
		call_entry(&c, "trim");
		call_span(&c, buf_span(&cursor.s));
		sim_fcall(&c, &r);
		if (r.n != 5 || !span_eq_str(sim_text(&r.at[4], 0), "ok"))
			sim_fail(
			    "records_kept", "the log cannot be trimmed at the router's cursor");
		fv_done(&r);
	}
	fv_done(&cursor);
}

/* Whoever was at work when the store was lost is at its end by now. */
static void
lift(void)
{
	struct call c;
	struct fv r;

	if (sim->recovered_at == 0 || sim_meta("mode") != 1 ||
	    sim->now < sim->recovered_at + SIM_LEASE_US + SIM_GUARD_US)
		return;
	call_begin(&c, "hf1_broker", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	call_entry(&c, "lift");
	sim_fcall(&c, &r);
	fv_done(&r);
}

static void
observe(void *arg, uint64_t n)
{
	struct buf from = BUF_INIT;
	size_t got;

	(void)arg;
	if (!sim->is_store_up) {
		watch_destroy(sim->watch); /* what it saw was another store's */
		sim->watch = watch_create();
		sim_after(SIM_MINUTE, observe, NULL, n + 1);
		return;
	}
	lift();
	watch_begin(sim->watch);
	do {
		struct call c;
		struct fv r;
		const struct fv *all;

		call_begin(&c, "hf1_broker", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
		call_entry(&c, "leases");
		call_span(&c, buf_span(&from));
		sim_fcall(&c, &r);
		all = &r.at[4];
		got = (all->n - 1) / 3;
		for (size_t i = 1; i + 2 < all->n; i += 3) {
			uint64_t token = 0,
			         rseq = strtoull((const char *)all->at[i + 2].s.data, NULL, 10);

			(void)token_parse(&token, sim_text(all, i));
			if (watch_see(sim->watch, sim_text(all, i + 1).data, token, rseq, sim->now,
			        sim->now,
			        sim->o.fault == BREAK_HOLDER ? SIM_SECOND
			                                     : SIM_LEASE_US + SIM_GUARD_US))
				expire(all, i);
			buf_clear(&from);
			buf_add(&from, sim_text(all, i).data, 16);
			buf_add(&from, sim_text(all, i + 1).data, 16);
		}
		fv_done(&r);
	} while (got == 200);
	watch_end(sim->watch);
	buf_done(&from);
	if (n % (8 + sim->o.cases / 200) == 0) { /* every lane is counted */
		sim_check_sum();
		forget();
	}
	if (!sim->is_over)
		sim_after(sim_zcard("leases") == 0    ? 6 * SIM_MINUTE
		          : sim->o.cases > MANY_CASES ? 2 * SIM_MINUTE
		                                      : 40 * SIM_SECOND,
		    observe, NULL, n + 1);
}

/* ---- faults ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's --wrap names */
void __wrap_timers_set(struct router *r, struct rcase *c, int64_t at);
void __real_timers_set(struct router *r, struct rcase *c, int64_t at);
/* NOLINTEND(bugprone-reserved-identifier) */

void
__wrap_timers_set(struct router *r, struct rcase *c, int64_t at)
{
	__real_timers_set(r, c, sim->o.fault == BREAK_PROMISE ? 0 : at);
}

/* A placement that no law made. */
static void
place_badly(uint64_t i, const char *lane, const struct law_case *memory)
{
	struct sim_case *c = &sim->cases[i];
	uint8_t id[16], blob[LAW_BLOB_MAX];
	char law_at[48];
	struct call call;
	struct fv r;

	sim_case_id(id, i);
	snprintf(law_at, sizeof(law_at), "%" PRIu64 "-%" PRIu64, c->s.law_epoch, c->s.law_no);
	call_begin(&call, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	call_entry(&call, "place");
	call_bytes(&call, id, 16);
	call_u(&call, c->s.version);
	call_str(&call, law_at);
	call_bytes(&call, blob, law_case_pack(blob, memory));
	call_str(&call, lane);
	call_u(&call, 1000);
	call_str(&call, "moved");
	call_str(&call, "");
	call_str(&call, "");
	sim_fcall(&call, &r);
	fv_done(&r);
}

static void
raw(const char *command, const char *suffix, struct span a, struct span b)
{
	char key[128];
	struct span argv[4] = {
	    span_str(command), span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, suffix)), a, b};
	struct fv r;

	fake_redis_cmd(sim->store, argv, b.len == 0 ? 3 : 4, &r);
	fv_done(&r);
}

/* The store goes wrong: the case comes up in a lane that the log knows nothing of. */
static void
stray(uint64_t i, bool is_moved)
{
	uint8_t id[16];
	char lane[100];

	sim_case_id(id, i);
	snprintf(lane, sizeof(lane), "lane:%s", sim->cases[i].s.lane);
	if (is_moved)
		raw("ZREM", lane, span_of(id, 16), span_of("", 0));
	raw("ZADD", is_moved ? "lane:own:p0:promise" : "lane:papers", span_str("9"),
	    span_of(id, 16));
}

static bool
break_case(uint64_t i)
{
	const struct sim_case *c = &sim->cases[i];
	struct law_case m = c->law;
	enum place p = c->law.place;

	if (!c->has_law || c->s.held)
		return false;
	switch (sim->o.fault) {
	case BREAK_PLACE:
		if (p != PLACE_RESTING)
			return false;
		stray(i, false);
		return true;
	case BREAK_END:
		if (p != PLACE_TERMINAL)
			return false;
		stray(i, true);
		return true;
	case BREAK_REST:
		if (p != PLACE_RESTING)
			return false;
		stray(i, true);
		return true;
	case BREAK_RUNG:
		if (p != PLACE_OWN || c->law.stage_contacts > 0 || c->law.rungs_waived != 0)
			return false;
		m.strike = STRIKE_LOST;
		m.place = PLACE_STRIKE;
		m.strike_by = m.since;
		place_badly(i, "strike", &m);
		return true;
	case BREAK_STRIKE:
		if (p != PLACE_OWN)
			return false;
		m.strike = STRIKE_DIFFICULT;
		m.strike_by = m.since;
		place_badly(i, c->s.lane, &m);
		return true;
	case BREAK_STRIKE_LOST:
		if (p != PLACE_STRIKE || c->law.hand[0] != '\0')
			return false;
		m.strike = STRIKE_NONE;
		m.strike_by = 0;
		m.place = PLACE_POOL;
		place_badly(i, "pool", &m);
		return true;
	case BREAK_LEADER:
		if (p != PLACE_OWN || c->s.owner[0] == '-' || c->s.owner[0] == '\0')
			return false;
		m.strike = STRIKE_NOT_COMING;
		m.place = PLACE_STRIKE;
		m.strike_by = m.since;
		place_badly(i, "strike", &m);
		return true;
	case BREAK_ARRIVAL:
		if (!sim->is_over || m.state != STATE_REGISTERED)
			return false;
		m.state = STATE_NOT_COMING;
		place_badly(i, "terminal", &m);
		return true;
	case BREAK_FOLD:
		if (p != PLACE_RESTING || c->law.state != STATE_CONFIRMED)
			return false;
		m.attempts++;
		place_badly(i, c->s.lane, &m);
		return true;
	default: return false;
	}
}

static void
break_something(void *arg, uint64_t n)
{
	(void)arg;
	if (sim->o.fault == BREAK_TOKEN && n > 100)
		raw("HSET", "meta", span_str("tokno"), span_str("1"));
	if (sim->o.fault == BREAK_HOURS)
		raw("HSET", "meta", span_str("gate"), span_str("0"));
	for (uint64_t i = 0; n > 100 && i < sim->o.cases; i++)
		if (break_case(i))
			break;
	if (!sim->is_closing)
		sim_after(7 * SIM_MINUTE, break_something, NULL, n + 1);
}

/* ---- a campaign ---- */

void
sim_name_campaign(void)
{
	struct span argv[3] = {span_str("SADD"), span_str("hf:campaigns"), span_str(SIM_CAMPAIGN)};
	struct fv r;

	fake_redis_cmd(sim->store, argv, 3, &r);
	fv_done(&r);
}

static void
open_store(void)
{
	struct call c;
	struct fv r;

	sim_name_campaign();
	call_begin(&c, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	call_entry(&c, "open");
	call_u(&c, 1);
	call_str(&c, SIM_FIRST_LIFE);
	call_str(&c, "create");
	sim_admit_agent(&c, SIM_AGENT);
	sim_fcall(&c, &r);
	fv_done(&r);
}

static void
create_case(struct call *c, uint64_t i)
{
	struct law_case m;
	struct law_act a;
	struct law_ctx ctx = {
	    .policy = sim->policy, .calendar = &sim->calendar, .owner = "", .team = ""};
	uint8_t id[16], blob[LAW_BLOB_MAX];

	law_case_init(&m);
	law_act_init(&a, LAW_IMPORT);
	a.n_numbers = 2;
	for (uint64_t k = 0; k < 2; k++)
		a.numbers[k] = 1 + i * 4 + k;
	law_fold(&m, &ctx, &a);
	sim_case_id(id, i);
	call_entry(c, "create");
	call_bytes(c, id, 16);
	call_str(c, "unreleased");
	call_u(c, 0);
	call_str(c, "task");
	call_bytes(c, blob, law_case_pack(blob, &m));
	call_str(c, "-");
	call_str(c, "");
	sim->cases[i].reach = (int)(15 + sim_rnd(80));
	sim->cases[i].mind = (int)sim_rnd(3);
	sim->cases[i].comes = sim_chance(850);
}

static void
create_cases(void)
{
	for (uint64_t i = 0; i < sim->o.cases;) {
		struct call c;
		struct fv r;

		call_begin(&c, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
		for (int n = 0; n < 64 && i < sim->o.cases; n++)
			create_case(&c, i++);
		sim_fcall(&c, &r);
		fv_done(&r);
	}
}

/* A text as a file that is read by its path; the descriptor stays open for as long. */
static int
text_file(char path[32], const struct buf *text)
{
	int fd = memfd_create("sim", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* The shipped policy, with a day when the notices are sent and one of registration. */
static void
make_policy(void)
{
	static const char at[] = "# date | registration";
	unsigned notice = 5 + (unsigned)sim_rnd(3), day = 12 + (unsigned)sim_rnd(12);
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;
	const char *cut;

	CHECK(file_read(&text, "deploy/policy/default.policy", 1 << 20, &err) == 0);
	cut = strstr((const char *)text.data, at);
	CHECK(cut != NULL);
	buf_add(&out, text.data, (size_t)(cut - (const char *)text.data));
	buf_addf(&out,
	    "date | registration | 2026-03-%02u, 2026-03-%02u\ndate | notice | 2026-03-%02u\n", day,
	    day + 1, notice);
	buf_adds(&out, cut);
	sim->policy_fd = text_file(sim->policy_path, &out);
	buf_done(&text);
	buf_done(&out);
}

/* The real library; a fault may take one rule out of it. */
void
sim_load_queue(void)
{
	static const struct {
		enum sim_break fault;
		const char *rule, *instead;
	} rules[] = {{BREAK_LAW_FIRST, "if s.held then flag(s, 't', true) end", ""},
	    {BREAK_DOUBT, "enter(case, s, 'doubt', NOW)", "enter(case,s,s.lane,s.due)"},
	    {BREAK_AWAITED, "left = call('SCARD', P .. 'awaited')", "left = 0"}};
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	char path[32], *at;
	int fd;

	CHECK(file_read(&text, "broker/queue.lua", 1 << 20, &err) == 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].fault != sim->o.fault)
			continue;
		at = strstr((char *)text.data, rules[i].rule);
		CHECK(at != NULL);
		memset(at, ' ', strlen(rules[i].rule));
		memcpy(at, rules[i].instead, strlen(rules[i].instead));
	}
	fd = text_file(path, &text);
	fake_queue_destroy(sim->queue);
	sim->queue = fake_queue_create(sim->store, path);
	close(fd);
	buf_done(&text);
}

static void
set_up(const struct sim_options *o)
{
	struct err err = ERR_INIT;
	int64_t busy_us;

	sim = xcalloc(1, sizeof(*sim));
	sim->o = *o;
	sim->rng = (o->seed + 1) * 0x9e3779b97f4a7c15u;
	for (int i = 0; i < 8; i++)
		(void)sim_rnd(2);
	/* Swarm: each seed has its own kind of weather. */
	sim->loss = o->calm ? 0 : (int)sim_rnd(120);
	sim->dup = o->calm ? 0 : (int)sim_rnd(120);
	sim->crash = o->calm ? 0 : (int)sim_rnd(8);
	/* With many cases the batches are large, as under load. */
	busy_us = 20 * (int64_t)(o->cases < 20000 ? o->cases : 20000);
	sim->lag_us = (int64_t)(1000 << sim_rnd(8)) + busy_us;
	sim->tick_us = sim_chance(100)   ? 10 * SIM_SECOND
	               : sim_chance(300) ? SIM_MINUTE
	                                 : 10 * SIM_MINUTE;
	if (o->lag_ms > 0)
		sim->lag_us = 1000 * o->lag_ms;
	sim->gather_us = 1 + (int64_t)sim_rnd(40000) + busy_us;
	memset(sim->campaign_key, 'K', sizeof(sim->campaign_key));
	make_policy();
	CHECK(policy_load(&sim->policy, sim->policy_path, NULL, &err) == 0);
	calendar_init(&sim->calendar, sim->policy);
	sim->store = fake_redis_create();
	sim_load_queue();
	sim->is_store_up = true;
	sim->epoch = 1;
	sim->cases = xcalloc(o->cases, sizeof(*sim->cases));
	sim->roster = roster_create();
	sim->watch = watch_create();
}

static void
tear_down(void)
{
	sim_router_stop();
	while (sim->n_heap > 0) /* what is on its way frees itself */
		(void)sim_next_event();
	sim_people_free();
	sim_loss_free();
	roster_destroy(sim->roster);
	watch_destroy(sim->watch);
	fake_queue_destroy(sim->queue);
	fake_redis_destroy(sim->store);
	policy_free(sim->policy);
	close(sim->policy_fd);
	free(sim->cases);
	free(sim->heap);
	free(sim);
	sim = NULL;
}

int
sim_run(const struct sim_options *o, struct sim *ret)
{
	bool failed;

	set_up(o);
	open_store();
	create_cases();
	sim_people_make();
	sim_router_start();
	sim_loss_make();
	sim_after(SIM_MINUTE, observe, NULL, 0);
	if (o->fault != BREAK_NONE)
		sim_after(SIM_MINUTE, break_something, NULL, 0);
	while (!sim->is_over && sim->now < END_US && sim_next_event())
		if (sim->n_failed > 0 && (o->fault != BREAK_NONE || sim->n_failed > 20))
			break;
	if (o->fault == BREAK_RECORD)
		raw("HSET", "ob:4f4f4f4f4f4f4f4f0000000000000001", span_str("upto"), span_str("1"));
	for (uint64_t i = 0; o->fault == BREAK_ARRIVAL && i < o->cases; i++)
		if (break_case(i))
			break;
	if (sim->n_failed == 0)
		sim_check_end();
	failed = sim->n_failed > 0;
	*ret = *sim;
	sim->is_over = sim->is_closing = sim->is_quiet = true;
	sim->o.fault = BREAK_NONE;
	tear_down();
	return failed ? -1 : 0;
}
