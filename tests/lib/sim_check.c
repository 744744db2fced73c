/* sim_check.c - what must hold after every step, by what the log says; each check has a name.
 *
 * The log is read as a stranger would: state texts, memories and records are decoded, nothing of the router's or
 * the agents' own memory is believed but who thinks to hold a case. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "tests/lib/sim_loss.h"
#include "tests/lib/sim_office.h"

#define FAILURES_SHOWN 5
#define FOREVER_US     (INT64_MAX / 2)

void
sim_fail(const char *check, const char *fmt, ...)
{
	char at[20];
	va_list ap;

	if (sim->is_over) /* being taken down */
		return;
	if (sim->n_failed++ == 0)
		snprintf(sim->failed, sizeof(sim->failed), "%s", check);
	if (sim->n_failed > FAILURES_SHOWN || (sim->o.fault != BREAK_NONE && !sim->o.verbose))
		return;
	clock_text(at, sim_ms());
	printf("NOT %s, %s, seed %" PRIu64 ": ", check, at, sim->o.seed);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* A place in the log as one number. */
static uint64_t
log_at(uint64_t epoch, uint64_t no)
{
	return epoch << 40 | no;
}

static uint64_t
router_at(void)
{
	return log_at(sim->router->read.epoch, sim->router->read.no);
}

/* ---- each on one case ---- */

static void
one_place(uint64_t i, const uint8_t id[16], const struct case_state *s)
{
	char lane[100], token[17];
	uint8_t member[32];
	bool in_lane, leased;

	snprintf(lane, sizeof(lane), "lane:%s", s->lane);
	snprintf(token, sizeof(token), "%016" PRIx64, s->token);
	memcpy(member, token, 16);
	memcpy(member + 16, id, 16);
	in_lane = sim_zhas(lane, id, 16);
	leased = sim_zhas("leases", member, 32);
	if (in_lane == s->held || leased != s->held)
		sim_fail("one_place", "case %ju: held %d, in lane %s %d, leased %d", (uintmax_t)i,
		    s->held, s->lane, in_lane, leased);
}

/* The machine offers no call outside the hours; asked-for ones a little longer. */
static void
hours(uint64_t i, const struct case_state *s)
{
	struct gate_state g = calendar_gate(&sim->calendar, sim_ms());
	bool asked = strlen(s->lane) > 6 && strcmp(s->lane + strlen(s->lane) - 6, ":asked") == 0;
	struct gate_state was =
	    calendar_gate(&sim->calendar, sim_ms() - 4 * sim->lag_us / 1000 - 1000);

	if (!s->pulled || g.gate == GATE_OPEN || (g.gate == GATE_ASKED && asked))
		return;
	if (was.gate == GATE_OPEN || (was.gate == GATE_ASKED && asked))
		return; /* the bell rings just now */
	sim_fail("hours", "case %ju from %s", (uintmax_t)i, s->lane);
}

static void
none_after_end(uint64_t i, const struct sim_case *c)
{
	if (c->is_ended)
		sim_fail("none_after_end", "case %ju is granted", (uintmax_t)i);
}

static void
rest_until_date(uint64_t i, const struct sim_case *c, const struct case_state *s)
{
	if (!s->pulled)
		return;
	if (s->due > sim_ms())
		sim_fail("rest_until_date", "case %ju is granted before it is due", (uintmax_t)i);
	if (c->has_law && c->law.place == PLACE_RESTING && c->law.due > sim_ms())
		sim_fail("rest_until_date", "case %ju rests, and is granted", (uintmax_t)i);
}

/* To the strike team as lost: only with attempts and dayparts enough or no number left, and each of the rungs 4 to
 * 7 done or waived. */
static void
no_rung_skipped(uint64_t i, const struct law_case *was, const struct law_case *is)
{
	if (is->strike != STRIKE_LOST || was->strike == STRIKE_LOST)
		return;
	if (was->lost_ruling || is->lost_ruling)
		return;
	if (((is->rungs_done | is->rungs_waived) & 0xf0) != 0xf0)
		sim_fail("no_rung_skipped", "case %ju: rungs done %x, waived %x", (uintmax_t)i,
		    is->rungs_done, is->rungs_waived);
	if (was->state != STATE_UNREACHABLE && is->state != STATE_UNREACHABLE &&
	    !law_unreachable(is, sim->policy))
		sim_fail("no_rung_skipped", "case %ju is lost after %d attempts", (uintmax_t)i,
		    is->stage_attempts);
}

/* Who regrets or will not come was with the leader first; whoever has no team yet has no leader. */
static void
through_leader(uint64_t i, const struct sim_case *c, const struct law_case *is)
{
	if ((is->strike != STRIKE_REGRET && is->strike != STRIKE_NOT_COMING) ||
	    c->law.strike != STRIKE_NONE)
		return;
	if (c->before_at > c->law_at)
		return; /* a slow router took two steps in one: it was with the leader in between */
	if (c->law.place == PLACE_TEAM || c->s.owner[0] == '\0' || c->s.owner[0] == '-' ||
	    c->s.owner[0] == 's')
		return;
	sim_fail("through_leader", "case %ju came to the strike team out of %s", (uintmax_t)i,
	    place_name(c->law.place));
}

/* The task is where the strike team finds it, or waits for a ruling; it ends by what somebody did. */
static void
strike_task(uint64_t i, struct sim_case *c, const struct law_case *is, const struct case_state *s)
{
	const char *lane = s->lane;
	uint64_t act_at = c->act_at > sim->act_on_all_at ? c->act_at : sim->act_on_all_at;
	bool there = is->place == PLACE_STRIKE || is->place == PLACE_SUPERVISION;

	if (is->strike != STRIKE_NONE && !there && is->place != PLACE_PARKED &&
	    is->state != STATE_REGISTERED)
		sim_fail("one_strike_task", "case %ju: a task is open in %s", (uintmax_t)i,
		    place_name(is->place));
	if (strcmp(lane, "doubt") != 0 &&
	    (is->place == PLACE_STRIKE) !=
	        (strncmp(lane, "strike", 6) == 0 ||
	            (strncmp(lane, "own:", 4) == 0 && is->place == PLACE_STRIKE &&
	                is->hand[0] != '\0')))
		sim_fail("one_strike_task", "case %ju: %s in lane %s", (uintmax_t)i,
		    place_name(is->place), lane);
	if (is->strike != STRIKE_NONE && !c->strike_open)
		sim->n_strikes++;
	if (c->strike_open && is->strike == STRIKE_NONE && c->law.last == is->last &&
	    c->law.attempts == is->attempts && act_at <= c->strike_at)
		sim_fail("no_strike_task_lost", "case %ju: it ended by itself", (uintmax_t)i);
	if (is->strike != STRIKE_NONE && !c->strike_open)
		c->strike_at = log_at(s->law_epoch, s->law_no);
	c->strike_open = is->strike != STRIKE_NONE;
}

static bool
may_be_late(const struct sim_case *c)
{
	/* A record of just now waits for the router; after a lost store all wait until all came back. */
	if (strcmp(c->s.lane, "triage") == 0 || strcmp(c->s.lane, "doubt") == 0)
		return true;
	/* In somebody's hands, the router was away, or time does not act because of a doubt: the next look is later. */
	return c->s.held || !sim->is_router_up || !sim->is_connected ||
	       !sim->router->is_caught_up || sim_meta("doubt") != 0 ||
	       sim->now - sim->router_up_at < 5 * SIM_MINUTE;
}

/* What the law learnt while somebody had the case comes before the lane where the case had been. */
static void
law_first(uint64_t i, const struct case_state *was, const struct case_state *is, const char *type)
{
	if (is->held && strcmp(type, "place") == 0 && !is->triage_after)
		sim_fail(
		    "law_first", "case %ju: its memory moved, its lane would not", (uintmax_t)i);
	if (was->held && was->triage_after && !is->held && strcmp(is->lane, "triage") != 0 &&
	    strcmp(is->lane, "doubt") != 0)
		sim_fail(
		    "law_first", "case %ju: in %s before the law looked", (uintmax_t)i, is->lane);
}

/* What was agreed with a family is called, or goes to the leader: it never just lies there. */
static void
promise_due(void *arg, uint64_t i)
{
	struct sim_case *c = &sim->cases[i];
	int64_t late;

	(void)arg;
	if (sim->is_over || c->promise == 0 || c->law.promised_at != c->promise ||
	    c->law.place != PLACE_OWN) {
		c->promise_us = 0;
		return;
	}
	late = calendar_step(
	           &sim->calendar, c->promise, policy_step(sim->policy, SET_PROMISE_LATE), 0) +
	       5 * MINUTE_MS;
	if (late >= CALENDAR_NEVER) {
		c->promise_us = 0;
	} else if (sim_ms() < late || may_be_late(c)) {
		int64_t wait = late > sim_ms() ? (late - sim_ms()) * 1000 : 0;

		c->promise_looks = 0;
		sim_after(wait + 6 * SIM_MINUTE, promise_due, NULL, i);
	} else if (c->promise_looks < 2 || router_at() < c->promise_log) {
		/* A slow router is behind: it must read up to now, let time act, and read what came of it. */
		if (c->promise_looks == 0 || router_at() >= c->promise_log) {
			c->promise_looks++;
			c->promise_log = log_at(sim->log_epoch, sim->log_no);
		}
		sim_after(2 * SIM_MINUTE + 8 * sim->lag_us, promise_due, NULL, i);
	} else {
		c->promise_us = 0;
		sim_fail("promises", "case %ju was promised a call and lies in %s", (uintmax_t)i,
		    c->s.lane);
	}
}

static void
promises(uint64_t i, struct sim_case *c)
{
	if (c->law.promised_at == c->promise)
		return;
	c->promise = c->law.promised_at;
	if (c->promise == 0)
		return;
	sim->n_promises++;
	if (c->promise_us == 0) { /* one look at a time */
		c->promise_us = 1;
		sim_after(SIM_MINUTE, promise_due, NULL, i);
	}
}

/* ---- the log ---- */

static void
on_grant(uint64_t i, struct sim_case *c, const struct case_state *s)
{
	sim->n_grants++;
	if (c->missing > 0)
		sim_fail("known_first",
		    "case %ju is granted, and %ju records on it went with the store", (uintmax_t)i,
		    (uintmax_t)c->missing);
	hours(i, s);
	none_after_end(i, c);
	rest_until_date(i, c, s);
	if (s->token <= sim->last_token)
		sim_fail("tokens_rise", "case %ju: token %jx after %jx", (uintmax_t)i,
		    (uintmax_t)s->token, (uintmax_t)sim->last_token);
	sim->last_token = s->token;
}

static void
on_memory(uint64_t i, struct sim_case *c, const struct case_state *s, struct span blob)
{
	struct law_case is;
	struct err err = ERR_INIT;

	if (law_case_unpack(&is, blob, &err) != 0) {
		sim_fail("memory_is_the_log", "case %ju: %s", (uintmax_t)i, err.text);
		return;
	}
	if (c->has_law && !s->held) {
		no_rung_skipped(i, &c->law, &is);
		through_leader(i, c, &is);
		strike_task(i, c, &is, s);
	}
	c->law = is;
	c->law_at = log_at(s->law_epoch, s->law_no);
	c->has_law = true;
	if (!s->held) {
		c->is_ended = strcmp(s->lane, "terminal") == 0;
		promises(i, c);
	}
}

bool
sim_is_attempt(const struct record_header *h)
{
	char code[32];
	enum outcome o;

	if (h->kind != REC_ATTEMPT)
		return false;
	snprintf(code, sizeof(code), "%.*s", (int)h->f[F_outcome].bytes.len,
	    (const char *)h->f[F_outcome].bytes.data);
	o = outcome_by_code(code, strlen(code));
	return o != OUT_NONE && policy_outcome(sim->policy, o)->attempt;
}

/* The case as the ledger has it: what was on its way comes again. */
static void
on_restore(uint64_t i, struct sim_case *c)
{
	char key[128];
	uint8_t id[16];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "cases")), {NULL, 0}};
	struct case_state s;
	struct fv r;

	sim_case_id(id, i);
	argv[2] = span_of(id, 16);
	fake_redis_cmd(sim->store, argv, 3, &r);
	c->known = c->has_law = false;
	c->attempts = sim_ledger_attempts(i);
	c->missing = c->told - sim_ledger_told(i);
	c->told = sim_ledger_told(i);
	sim->n_missing += c->missing;
	c->record_at = c->before_at = 0;
	if (case_state_decode(&s, buf_span(&r.s), NULL) == 0 &&
	    law_case_unpack(&c->law, s.blob, NULL) == 0) {
		c->has_law = true;
		c->strike_open = c->law.strike != STRIKE_NONE;
		c->strike_at = 0;
		c->law_at = log_at(s.law_epoch, s.law_no);
		promises(i, c);
	} else {
		sim_fail("recovers", "case %ju: its memory does not read", (uintmax_t)i);
	}
	fv_done(&r);
}

static void
on_record(uint64_t i, struct sim_case *c, const struct log_entry *e)
{
	struct record_header h;
	struct frame f;
	const uint8_t *d = e->detail.data;
	size_t n = 0, at = 0;

	/* <ob> <seq> <verdict> … */
	while (at < e->detail.len && n < 2)
		n += d[at++] == ' ';
	if (at >= e->detail.len || d[at] == '2' || frame_decode(&f, e->f0, NULL) != 0 ||
	    record_header_decode(&h, f.u.record.header, NULL) != 0)
		return;
	c->before_at = c->record_at;
	c->record_at = log_at(e->epoch, e->no);
	c->attempts += sim_is_attempt(&h);
	if (h.kind != REC_TIMER) {
		c->act_at = log_at(e->epoch, e->no);
		c->told++;
		c->missing -= c->missing > 0;
	}
	(void)i;
}

static void
tell(const struct log_entry *e)
{
	char at[20], text[300] = "";
	struct record_header h;
	struct frame f;
	struct law_case m;

	clock_text(at, sim_ms());
	printf("%s %" PRIu64 " %s | %.*s | %.*s", at, e->no, e->type, (int)e->state.len,
	    (const char *)e->state.data, (int)e->detail.len, (const char *)e->detail.data);
	if (e->f0.len > 0 && frame_decode(&f, e->f0, NULL) == 0 &&
	    record_header_decode(&h, f.u.record.header, NULL) == 0)
		printf(" | %s %.*s%.*s", record_rule(h.kind)->name, (int)h.f[F_outcome].bytes.len,
		    (const char *)h.f[F_outcome].bytes.data, (int)h.f[F_what].bytes.len,
		    (const char *)h.f[F_what].bytes.data);
	if (e->blob.len > 0 && law_case_unpack(&m, e->blob, NULL) == 0)
		snprintf(text, sizeof(text),
		    " | %s %s strike %s then %d %s attempts %d/%d contacts %d", place_name(m.place),
		    intent_name(m.state), strike_kind_name(m.strike), (int)m.then,
		    strike_kind_name(m.then_strike), m.stage_attempts, m.attempts,
		    m.stage_contacts);
	printf("%s\n", text);
}

static void
entry(const struct log_entry *e)
{
	struct case_state s;
	struct sim_case *c;
	uint64_t i;

	if (strcmp(e->type, "record") == 0 && !e->has_case)
		sim->act_on_all_at = log_at(e->epoch, e->no);
	if (!e->has_case || !sim_case_no(e->case_id, &i))
		return;
	c = &sim->cases[i];
	if ((int64_t)i == sim->o.story)
		tell(e);
	if (strcmp(e->type, "record") == 0)
		on_record(i, c, e);
	if (e->state.len == 0)
		return;
	if (case_state_decode(&s, e->state, NULL) != 0) {
		sim_fail("one_place", "case %ju: its state does not read", (uintmax_t)i);
		return;
	}
	if (strcmp(e->type, "restore") == 0)
		on_restore(i, c);
	if (c->known && s.version != c->s.version + 1)
		sim_fail("one_place", "case %ju: version %ju after %ju", (uintmax_t)i,
		    (uintmax_t)s.version, (uintmax_t)c->s.version);
	if (c->known)
		law_first(i, &c->s, &s, e->type);
	if (strcmp(e->type, "grant") == 0)
		on_grant(i, c, &s);
	if (strcmp(e->type, "expire") == 0)
		sim->n_expired++;
	s.blob = span_of("", 0);
	c->s = s;
	c->known = true;
	if (e->blob.len > 0) {
		sim->n_places++;
		on_memory(i, c, &s, e->blob);
	}
	c->is_touched = true;
}

static void
take_entry(const struct fv *fields, struct span id)
{
	struct span pairs[24];
	struct log_entry e;
	struct err err = ERR_INIT;
	size_t n = fields->n < 24 ? fields->n : 24;

	for (size_t k = 0; k < n; k++)
		pairs[k] = buf_span(&fields->at[k].s);
	if (log_entry_decode(&e, id, pairs, n, &err) != 0) {
		sim_fail("records_kept", "the log does not read: %s", err.text);
		return;
	}
	if (e.no != sim->log_no + 1)
		sim_fail("records_kept", "log number %ju after %ju", (uintmax_t)e.no,
		    (uintmax_t)sim->log_no);
	sim->log_epoch = e.epoch;
	sim->log_no = e.no;
	entry(&e);
	if (e.has_case)
		sim->touched[sim->n_touched++ % SIM_TOUCHED] = be64_get(e.case_id + 8) - 1;
}

#define READ_MOST 512

/* How many entries came to the log since the last look, up to READ_MOST. */
static size_t
read_on(void)
{
	char key[128], id[48];
	struct span argv[4] = {span_str("XREAD"), {NULL, 0}, {NULL, 0}, span_str("512")};
	struct fv r;
	const struct fv *list;
	size_t n = 0;

	argv[1] = span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "log"));
	snprintf(id, sizeof(id), "%" PRIu64 "-%" PRIu64, sim->log_epoch, sim->log_no);
	argv[2] = span_str(id);
	fake_redis_cmd(sim->store, argv, 4, &r);
	if (r.type == FV_ARRAY) {
		list = &r.at[0].at[1];
		n = list->n;
		for (size_t k = 0; k < n; k++)
			take_entry(&list->at[k].at[1], buf_span(&list->at[k].at[0].s));
	}
	fv_done(&r);
	return n;
}

void
sim_check_log(void)
{
	uint8_t case_id[16];

	size_t n;

	if (!sim->is_store_up && sim->epoch == sim->log_epoch)
		return; /* it is not the one that was */
	sim->n_touched = 0;
	n = read_on();
	if (n == 0)
		return;
	while (n == READ_MOST)
		n = read_on();
	/* Where the cases are now, once for all that the call did. */
	for (size_t k = 0; k < sim->n_touched && k < SIM_TOUCHED; k++) {
		struct sim_case *c =
		    sim->touched[k] < sim->o.cases ? &sim->cases[sim->touched[k]] : NULL;

		if (c == NULL || !c->is_touched)
			continue;
		c->is_touched = false;
		sim_case_id(case_id, sim->touched[k]);
		one_place(sim->touched[k], case_id, &c->s);
	}
	sim_router_wake();
}

/* Each case is in the place that its state names; together they are all: so none is in two. */
void
sim_check_sum(void)
{
	char key[128], name[100];
	struct span argv[2] = {
	    span_str("SMEMBERS"), span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "lanes"))};
	struct fv r;
	uint64_t sum = sim_zcard("leases");

	fake_redis_cmd(sim->store, argv, 2, &r);
	for (size_t i = 0; i < r.n; i++) {
		snprintf(name, sizeof(name), "lane:%.*s", (int)r.at[i].s.len,
		    (const char *)r.at[i].s.data);
		sum += sim_zcard(name);
	}
	fv_done(&r);
	if (sum != sim->o.cases)
		sim_fail("one_place", "%ju places for %ju cases", (uintmax_t)sum,
		    (uintmax_t)sim->o.cases);
}

/* ---- who thinks to hold it ---- */

void
sim_check_hold(struct sim_person *p, uint64_t i, uint64_t token, int64_t until)
{
	struct sim_case *c = &sim->cases[i];

	if (until <= sim->now)
		return;
	if (c->holder != NULL && c->holder != p && c->holder_until > sim->now)
		sim_fail("one_holder", "case %ju: %s holds it while %s does", (uintmax_t)i,
		    sim_person_name(p), sim_person_name(c->holder));
	c->holder = p;
	c->holder_until = until;
	c->holder_token = token;
}

void
sim_check_hold_over(struct sim_person *p, uint64_t i, uint64_t token)
{
	struct sim_case *c = &sim->cases[i];

	if (c->holder == p && c->holder_token == token)
		c->holder = NULL;
}

/* ---- at the end ---- */

static void
records_kept(const struct sim_person *p)
{
	char key[128], name[48] = "ob:";
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_str("upto")};
	struct fv r;
	uint64_t upto = 0;

	hex_encode(name + 3, p->ob, 16);
	argv[1] = span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, name));
	fake_redis_cmd(sim->store, argv, 3, &r);
	(void)text_to_u64((const char *)r.s.data, r.s.len, &upto);
	fv_done(&r);
	if (upto != p->n_records)
		sim_fail("records_kept", "%s said %zu, the store has %ju", p->name, p->n_records,
		    (uintmax_t)upto);
}

/* After pass 3: nobody is open. */
void
sim_check_closed(void)
{
	for (uint64_t i = 0; i < sim->o.cases; i++) {
		const struct sim_case *c = &sim->cases[i];

		if (!c->has_law || c->law.place == PLACE_UNRELEASED)
			sim_fail("all_ruled", "case %ju was never released", (uintmax_t)i);
		else if (c->law.place != PLACE_TERMINAL && c->law.state != STATE_CONFIRMED &&
		         c->law.state != STATE_ADMITTED)
			sim_fail("all_ruled", "case %ju is %s in %s after pass 3", (uintmax_t)i,
			    intent_name(c->law.state), c->s.lane);
	}
}

/* At the very end all are registered, withdrawn, ruled not to come, or deferred. */
static void
ruled(uint64_t i, const struct sim_case *c)
{
	if (!c->has_law || (c->law.place != PLACE_TERMINAL && c->law.state != STATE_DEFERRED))
		sim_fail("all_ruled", "case %ju is %s in %s", (uintmax_t)i,
		    intent_name(c->law.state), c->s.lane);
	sim->n_registered += c->law.state == STATE_REGISTERED;
}

/* Registered is who is in the file, and nobody else. */
static void
arrivals(uint64_t i, const struct sim_case *c)
{
	bool is = c->law.state == STATE_REGISTERED;

	if (c->law.state == STATE_WITHDRAWN && c->law.place == PLACE_TERMINAL)
		return;
	if (is != c->in_file)
		sim_fail("arrivals", "case %ju is %s, in the file %d", (uintmax_t)i,
		    intent_name(c->law.state), c->in_file);
}

void
sim_check_end(void)
{
	if (!sim->is_over)
		sim_fail("all_ruled", "the campaign does not end");
	sim->is_over = false;
	sim_check_sum();
	sim_check_ledger();
	for (size_t i = 0; i < sim->n_people; i++)
		records_kept(&sim->people[i]);
	for (uint64_t i = 0; i < sim->o.cases; i++) {
		const struct sim_case *c = &sim->cases[i];

		if (!sim->o.to_pass_3) {
			arrivals(i, c);
			ruled(i, c);
		}
		if (c->has_law && c->law.attempts != c->attempts)
			sim_fail("memory_is_the_log",
			    "case %ju: %d attempts in its memory, %ju in the log", (uintmax_t)i,
			    c->law.attempts, (uintmax_t)c->attempts);
	}
}
