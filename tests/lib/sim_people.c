/* sim_people.c - callers, leaders, the strike team: each with an agent that keeps an outbox, asks for work,
 * renews, records and resends. Agents crash and come back with their outbox and hold; some people are lazy, away,
 * asleep over a call, or lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "broker/rights.h"
#include "proto/chain.h"
#include "proto/roles.h"
#include "tests/lib/sim.h"
#include "tests/lib/sim_office.h"
#include "workers/link/records.h"

/* ---- the outbox ---- */

static void
say(struct sim_person *p, struct record_header *h, struct span rows)
{
	static const uint8_t none[16];
	struct sim_record *r;
	uint8_t bc[32];
	uint8_t prev[32];
	struct records_clock clock = {(uint64_t)sim_ms(), (uint64_t)(1000000000LL + sim->now)};
	struct buf header = BUF_INIT;
	struct fold_stored f = {.seq = p->n_records + 1};
	const char *why;

	memcpy(prev, p->n_records == 0 ? p->zero : p->records[p->n_records - 1].h, 32);
	memcpy(h->person, p->name, sizeof(h->person));
	records_stamp(h, &clock);
	record_header_encode(&header, h);
	p->records = xrealloc(p->records, p->n_records + 1, sizeof(*p->records));
	r = &p->records[p->n_records];
	*r = (struct sim_record){.kind = h->kind, .token = h->token, .has_case = h->has_case};
	memcpy(r->case_id, h->case_id, 16);
	memcpy(r->prev, prev, 32);
	if (rows.len > 0) {
		struct body body = {.rows = rows};
		struct buf plain = BUF_INIT;

		body_encode(&plain, &body);
		chain_body_seal(&r->f1, sim->campaign_key, none, p->ob, f.seq, buf_span(&plain));
		buf_done(&plain);
	}
	f.body = buf_span(&r->f1);
	chain_body_hash(bc, f.body);
	chain_next(r->h, prev, p->ob, f.seq, buf_span(&header), bc);
	memcpy(f.h, r->h, 32);
	f.header = buf_span(&header);
	records_frame(&r->f0, p->ob, prev, &f, 0);
	r->flags = rights_record(roster_person(sim->roster, p->name), h, &why);
	r->why = why;
	r->header = header;
	p->n_records++;
}

void
sim_say(struct sim_person *p, struct record_header *h)
{
	say(p, h, span_of("", 0));
}

void
sim_say_rows(struct sim_person *p, struct record_header *h, struct span rows)
{
	say(p, h, rows);
}

/* ---- the agent ---- */

static void wake(void *arg, uint64_t n);

static void
wake_in(struct sim_person *p, int64_t us)
{
	sim_after(us, wake, p, ++p->wakes);
}

static void
drop_hold(struct sim_person *p)
{
	if (!p->has_hold)
		return;
	sim_check_hold_over(p, p->hold, p->token);
	p->has_hold = false;
}

static void
granted(struct sim_person *p, const struct sim_message *m, const struct fv *e)
{
	struct span id = sim_text(e, 1);

	p->is_asking = false;
	p->dry = 0;
	if (!sim_case_no(id.data, &p->hold) || !token_parse(&p->token, sim_text(e, 2)))
		return;
	p->has_hold = true;
	p->is_last_try = false;
	p->rseq = 0;
	(void)text_to_u64((const char *)sim_text(e, 3).data, sim_text(e, 3).len, &p->rseq);
	p->hold_until = m->sent_at + SIM_LEASE_US;
	p->call_ends = sim->now + (int64_t)(20 + sim_rnd(200)) * SIM_SECOND;
	if (sim_chance(p->is_lazy ? 60 : 10)) /* fell asleep over it */
		p->call_ends = sim->now + SIM_LEASE_US + (int64_t)sim_rnd(1200) * SIM_SECOND;
	sim_check_hold(p, p->hold, p->token, p->hold_until);
	wake_in(p, SIM_SECOND);
}

static void
next_answer(struct sim_person *p, const struct sim_message *m, const struct fv *e)
{
	int64_t wait = (int64_t)(60 + sim_rnd(600)) * SIM_SECOND;

	if (m->n != p->next_no || !p->is_asking || p->has_hold)
		return;
	if (span_eq_str(sim_text(e, 0), "ok")) {
		granted(p, m, e);
		return;
	}
	if (span_eq_str(sim_text(e, 1), "lost"))
		wait = SIM_SECOND;
	else if (p->dry < 4)
		p->dry++;
	wait <<= p->dry;
	p->is_asking = false;
	wake_in(p, p->is_lazy || wait > 50 * SIM_MINUTE ? 50 * SIM_MINUTE : wait);
}

static void
record_answer(struct sim_person *p, const struct sim_message *m, const struct fv *e)
{
	struct span why = sim_text(e, 1);
	bool was_last = m->n == p->n_records;

	if (span_eq_str(sim_text(e, 0), "ok")) {
		if (m->n == p->accepted + 1)
			p->accepted = m->n;
		sim->n_late += span_eq_str(why, "1");
	} else if (span_eq_str(why, "gap")) {
		uint64_t expected = 0;

		(void)text_to_u64((const char *)sim_text(e, 2).data, sim_text(e, 2).len, &expected);
		if (expected > 0 && expected <= p->n_records + 1)
			p->accepted = expected - 1;
	} else if (span_eq_str(why, "unknown")) {
		p->is_known = false;
		sim_ask(p, ASK_HELLO, 0, 0, sim->epoch);
		return;
	} else {
		sim_fail("records_kept", "%s: record %ju refused: %.*s", p->name, (uintmax_t)m->n,
		    (int)why.len, (const char *)why.data);
	}
	if (was_last && p->accepted == p->n_records && !p->has_hold)
		wake_in(p, SIM_SECOND);
}

/* How far the store is, and what the ticket is worth. It may have less than before, never less than what was
 * released. */
static void
welcome(struct sim_person *p, const struct sim_message *m, const struct fv *e)
{
	uint64_t upto = 0, released = 0;

	if (m->no != sim->epoch || p->is_known)
		return;
	if (!span_eq_str(sim_text(e, 0), "ok")) {
		sim_fail("records_kept", "%s: HELLO is refused: %.*s", p->name,
		    (int)sim_text(e, 1).len, (const char *)sim_text(e, 1).data);
		return;
	}
	(void)text_to_u64((const char *)sim_text(e, 1).data, sim_text(e, 1).len, &upto);
	(void)text_to_u64((const char *)sim_text(e, 4).data, sim_text(e, 4).len, &released);
	if (upto < p->released)
		sim_fail("released_kept", "%s: %ju was released, the store has %ju", p->name,
		    (uintmax_t)p->released, (uintmax_t)upto);
	if (released > p->released)
		p->released = released;
	p->accepted = upto;
	if (p->has_hold && span_eq_str(sim_text(e, 8), "2")) {
		p->hold_until = sim->now; /* the call is recorded all the same */
		sim_check_hold_over(p, p->hold, p->token);
	}
	p->is_known = true;
}

void
sim_people_come_back(void)
{
	for (size_t i = 0; i < sim->n_people; i++) {
		struct sim_person *p = &sim->people[i];

		p->life++; /* answers of before count no more */
		p->is_known = p->is_asking = false;
		wake_in(p, (int64_t)sim_rnd(sim_chance(sim->o.fault < BREAK_RELEASE ? 150 : 500)
		                                ? 300 * SIM_MINUTE
		                                : 4 * SIM_MINUTE));
	}
}

void
sim_take_reply(struct sim_message *m)
{
	struct sim_person *p = m->from;
	const struct fv *e = &m->reply;
	bool mine = p->has_hold && p->hold == m->n && p->token == m->token;
	bool ok = span_eq_str(sim_text(e, 0), "ok");

	if (span_eq_str(sim_text(e, 0), "err") || e->type == FV_ERROR) {
		sim_fail("records_kept", "the store answers %.*s", (int)sim_text(e, 1).len,
		    (const char *)sim_text(e, 1).data);
		return;
	}
	switch (m->ask) {
	case ASK_NEXT: next_answer(p, m, e); break;
	case ASK_RECORD: record_answer(p, m, e); break;
	case ASK_RENEW:
		if (mine && ok && m->sent_at + SIM_LEASE_US > p->hold_until) {
			p->hold_until = m->sent_at + SIM_LEASE_US;
			p->rseq = m->no + 1;
			sim_check_hold(p, p->hold, p->token, p->hold_until);
		} else if (mine && !ok) {
			p->hold_until = sim->now; /* the call is recorded all the same */
			sim_check_hold_over(p, p->hold, p->token);
		}
		break;
	case ASK_GIVE: break;
	case ASK_HELLO: welcome(p, m, e); break;
	}
}

/* The call is over: what came of it goes into the outbox, and the hold ends with it. */
static void
finish(struct sim_person *p)
{
	bool stays = sim_call_result(p);

	sim->n_records++;
	if (stays) {
		p->call_ends = sim->now + (int64_t)(20 + sim_rnd(100)) * SIM_SECOND;
		p->is_last_try = true;
		return;
	}
	drop_hold(p);
}

static bool
wants_work(const struct sim_person *p)
{
	int64_t ms = sim_ms(), of_day = (ms + 8 * HOUR_MS) % DAY_MS;

	if (sim->o.fault == BREAK_PROMISE && sim->now > 6 * 60 * SIM_MINUTE)
		return false;
	return p->works && sim->now >= p->away_until && of_day >= 8 * HOUR_MS &&
	       of_day < 22 * HOUR_MS && !sim->is_quiet;
}

static void
until_morning(struct sim_person *p)
{
	int64_t of_day = (sim_ms() + 8 * HOUR_MS) % DAY_MS;
	int64_t ms = of_day < 8 * HOUR_MS ? 8 * HOUR_MS - of_day : 32 * HOUR_MS - of_day;

	if (sim->now < p->away_until)
		wake_in(p, p->away_until - sim->now);
	else if (of_day >= 8 * HOUR_MS && of_day < 22 * HOUR_MS)
		wake_in(p, sim->is_quiet && p->works ? 30 * SIM_MINUTE : 4 * 60 * SIM_MINUTE);
	else
		wake_in(p, ms * 1000 + (int64_t)sim_rnd(30 * SIM_MINUTE));
}

static void
crash(struct sim_person *p)
{
	sim->n_person_crashes++;
	p->life++;
	p->is_asking = p->is_known = false;
	wake_in(p, (int64_t)(10 + sim_rnd(p->is_lazy ? 3600 : 300)) * SIM_SECOND);
}

static void
work(struct sim_person *p)
{
	if (sim->now >= p->call_ends) {
		finish(p);
		wake_in(p, 1000);
		return;
	}
	if (sim->now > p->hold_until - SIM_LEASE_US / 2 && sim->now < p->hold_until &&
	    p->call_ends < sim->now + SIM_LEASE_US)
		sim_ask(p, ASK_RENEW, p->hold, p->token, p->rseq);
	wake_in(p,
	    p->call_ends - sim->now < 40 * SIM_SECOND ? p->call_ends - sim->now : 40 * SIM_SECOND);
}

/* What is released an agent may forget: no store may have less again. */
static void
hear_receipt(struct sim_person *p)
{
	char name[36] = "ob:";
	uint64_t released;

	if (!sim->is_store_up || !sim_chance(100))
		return;
	hex_encode(name + 3, p->ob, 16);
	released = sim_hget(name, "released");
	if (released > p->released)
		p->released = released;
}

static void
wake(void *arg, uint64_t n)
{
	struct sim_person *p = arg;

	if (n != p->wakes || sim->is_over)
		return;
	if (sim_chance(sim->crash) && !sim->is_closing) {
		crash(p);
		return;
	}
	if (!p->is_known) {
		sim_ask(p, ASK_HELLO, 0, 0, sim->epoch);
		wake_in(p, 3 * SIM_SECOND);
		return;
	}
	if (p->accepted < p->n_records) {
		for (uint64_t s = p->accepted + 1; s <= p->n_records && s <= p->accepted + 3; s++)
			sim_ask(p, ASK_RECORD, s, 0, 0);
		wake_in(p, 4 * SIM_SECOND);
		return;
	}
	hear_receipt(p);
	if (p->has_hold) {
		work(p);
		return;
	}
	if (!wants_work(p)) {
		until_morning(p);
		return;
	}
	if (!p->is_asking) {
		if (sim_day_off(p))
			return;
		p->next_no++;
		p->is_asking = true;
	}
	sim_ask(p, ASK_NEXT, p->next_no, 0, 0);
	wake_in(p, 5 * SIM_SECOND);
}

void
sim_wake_soon(struct sim_person *p)
{
	wake_in(p, 1000);
}

void
sim_give_back(struct sim_person *p)
{
	sim_ask(p, ASK_GIVE, p->hold, p->token, 0);
}

/* ---- who there is ---- */

void
sim_admit_agent(struct call *c, const char *agent)
{
	call_entry(c, "admit_agent");
	call_str(c, agent);
	for (int i = 0; i < 2; i++)
		call_str(c, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	call_str(c, "active");
}

static void
admit(struct call *c, const struct sim_person *p)
{
	char row[128];
	int n;

	call_entry(c, "admit_person");
	call_str(c, p->name);
	call_u(c, p->roles);
	call_str(c, p->team[0] == '\0' ? "-" : p->team);
	call_str(c, "1");
	call_str(c, "-");
	call_str(c, "1");
	sim_admit_agent(c, p->agent);
	n = snprintf(row, sizeof(row), "%u %s 1 - 1", p->roles, p->team[0] == '\0' ? "-" : p->team);
	CHECK(roster_put_person(sim->roster, span_str(p->name), span_of(row, (size_t)n)));
}

void
sim_admit_all(void)
{
	struct call c;
	struct fv r;

	call_begin(&c, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	sim_admit_agent(&c, SIM_AGENT);
	for (size_t i = 0; i < sim->n_people; i++)
		admit(&c, &sim->people[i]);
	sim_fcall(&c, &r);
	fv_done(&r);
}

static struct sim_person *
make(struct call *c, const char *kind, size_t no, uint32_t roles, size_t team)
{
	struct sim_person *p = &sim->people[sim->n_people++];

	snprintf(p->name, sizeof(p->name), "%s%zu", kind, no);
	p->roles = roles;
	if (team != SIZE_MAX)
		snprintf(p->team, sizeof(p->team), "t%zu", team);
	snprintf(p->agent, sizeof(p->agent), "%032zx", sim->n_people);
	memset(p->ob, 'O', 16);
	be64_put(p->ob + 8, sim->n_people);
	p->works = (roles & ROLES_WORK) != 0;
	p->is_lazy = sim_chance(150);
	p->is_liar = sim_chance(60);
	admit(c, p);
	wake_in(p, (int64_t)sim_rnd(10 * SIM_MINUTE));
	return p;
}

#define TEAM 12 /* callers of one leader */

void
sim_people_make(void)
{
	size_t callers = sim->o.cases / 45 < 3 ? 3 : (size_t)sim->o.cases / 45;
	size_t teams = (callers + TEAM - 1) / TEAM, strike = 1 + callers / 10;
	struct call c;
	struct fv r;

	sim->people = xcalloc(callers + teams + strike + 8, sizeof(*sim->people));
	call_begin(&c, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	for (size_t i = 0; i < callers; i++)
		make(&c, "p", i, ROLE_CALLER, i / TEAM);
	sim->n_callers = callers;
	for (size_t i = 0; i < teams; i++)
		make(&c, "l", i, ROLE_LEADER, i);
	for (size_t i = 0; i < strike; i++)
		make(&c, "s", i, i == 0 ? ROLE_STRIKE_HEAD : ROLE_STRIKE, SIZE_MAX);
	sim_office_make(make(&c, "data", 0, ROLE_DATA, SIZE_MAX),
	    make(&c, "head", 0, ROLE_CALLBACK_HEAD, SIZE_MAX),
	    make(&c, "sup", 0, ROLE_SUPERVISOR, SIZE_MAX));
	sim_fcall(&c, &r);
	fv_done(&r);
}

void
sim_people_free(void)
{
	for (size_t i = 0; i < sim->n_people; i++) {
		struct sim_person *p = &sim->people[i];

		for (size_t j = 0; j < p->n_records; j++) {
			buf_done(&p->records[j].f0);
			buf_done(&p->records[j].f1);
			buf_done(&p->records[j].header);
		}
		free(p->records);
	}
	free(sim->people);
}

const char *
sim_person_name(const struct sim_person *p)
{
	return p->name;
}

void
sim_people_done(bool *ret_all_taken)
{
	*ret_all_taken = true;
	for (size_t i = 0; i < sim->n_people; i++)
		if (sim->people[i].accepted < sim->people[i].n_records || sim->people[i].has_hold)
			*ret_all_taken = false;
}
