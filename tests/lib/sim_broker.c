/* sim_broker.c - what lies between agents and the store: a net that loses, repeats, delays and reorders, and a
 * broker that gathers messages into calls and turns the answers into messages.
 *
 * The rights of a record are the real ones (broker/rights.h); the watch over leases is in sim_run.c. */
#include <stdlib.h>

#include "base/check.h"
#include "broker/rights.h"
#include "proto/chain.h"
#include "tests/lib/sim_office.h"

static void
write_record(struct call *c, const struct sim_person *p, uint64_t seq)
{
	const struct sim_record *r = &p->records[seq - 1];

	call_entry(c, "record");
	call_bytes(c, p->ob, 16);
	call_u(c, seq);
	call_bytes(c, r->prev, 32);
	call_bytes(c, r->h, 32);
	call_str(c, p->name);
	call_u(c, (uint64_t)r->kind);
	call_u(c, r->flags);
	call_bytes(c, r->case_id, r->has_case ? 16 : 0);
	call_token(c, r->token);
	call_u(c, 0);
	call_span(c, buf_span(&r->f0));
	call_span(c, buf_span(&r->f1));
	call_span(c, buf_span(&r->header));
	if (r->flags & RECORD_QUARANTINED)
		call_str(c, r->why);
}

static void
write_hello(struct call *c, const struct sim_person *p)
{
	uint8_t id[16];

	call_entry(c, "hello");
	call_bytes(c, p->ob, 16);
	call_str(c, p->agent);
	call_u(c, p->n_records);
	call_bytes(c, p->n_records == 0 ? p->zero : p->records[p->n_records - 1].h, 32);
	call_u(c, 1);
	call_str(c, p->name);
	call_u(c, p->has_hold);
	if (!p->has_hold)
		return;
	sim_case_id(id, p->hold);
	call_bytes(c, id, 16);
	call_token(c, p->token);
	call_str(c, p->name);
}

static void
write_message(struct call *c, const struct sim_message *m)
{
	const struct sim_person *p = m->from;
	uint8_t id[16];

	sim_case_id(id, m->n);
	switch (m->ask) {
	case ASK_NEXT:
		call_entry(c, "grant");
		call_bytes(c, p->ob, 16);
		call_str(c, p->name);
		call_u(c, m->n);
		break;
	case ASK_RECORD: write_record(c, p, m->n); break;
	case ASK_RENEW:
		call_entry(c, "renew");
		call_bytes(c, p->ob, 16);
		call_bytes(c, id, 16);
		call_token(c, m->token);
		call_u(c, m->no);
		break;
	case ASK_GIVE:
		call_entry(c, "giveback");
		call_bytes(c, p->ob, 16);
		call_bytes(c, id, 16);
		call_token(c, m->token);
		call_str(c, "class");
		break;
	case ASK_HELLO: write_hello(c, p); break;
	}
}

/* ---- the net ---- */

static void
reply_arrives(void *arg, uint64_t n)
{
	struct sim_message *m = arg;

	(void)n;
	if (!m->is_reply_lost && m->life == m->from->life)
		sim_take_reply(m);
	fv_done(&m->reply);
	free(m);
}

static int64_t
delay(void)
{
	return sim_chance(20) ? (int64_t)sim_rnd(8 * SIM_SECOND) : 5000 + (int64_t)sim_rnd(150000);
}

/* Gives each message of the batch its entry of the answer. */
static void
call_store(void *arg, uint64_t no)
{
	struct sim_broker *b = &sim->broker;
	struct call c;
	struct fv r;

	(void)arg;
	if (no != b->no || b->n == 0)
		return;
	b->no++;
	if (!sim->is_store_up) { /* nothing is answered: they come again */
		for (size_t i = 0; i < b->n; i++)
			free(b->waits[i]);
		b->n = 0;
		return;
	}
	call_begin(&c, "hf1_broker", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	for (size_t i = 0; i < b->n; i++)
		write_message(&c, b->waits[i]);
	sim_fcall(&c, &r);
	for (size_t i = 0; i < b->n; i++) {
		struct sim_message *m = b->waits[i];

		if (r.type == FV_ARRAY && r.n == 4 + b->n) {
			m->reply = r.at[4 + i];
			r.at[4 + i] = (struct fv){.type = FV_NIL};
		}
		m->is_reply_lost = sim_chance(sim->loss);
		sim_after(delay(), reply_arrives, m, 0);
	}
	if (r.type != FV_ARRAY || r.n != 4 + b->n)
		sim_fail("records_kept", "the store refuses a batch");
	b->n = 0;
	fv_done(&r);
}

static void
arrives(void *arg, uint64_t n)
{
	struct sim_broker *b = &sim->broker;

	(void)n;
	b->waits[b->n++] = arg;
	if (b->n == SIM_BATCH)
		call_store(NULL, b->no);
	else if (b->n == 1)
		sim_after((int64_t)sim_rnd((uint64_t)sim->gather_us), call_store, NULL, b->no);
}

void
sim_ask(struct sim_person *p, enum sim_ask what, uint64_t n, uint64_t token, uint64_t no)
{
	int copies = sim_chance(sim->dup) ? 2 : 1;

	sim->n_dup_msgs += copies == 2;
	for (int i = 0; i < copies; i++) {
		struct sim_message *m;

		if (sim_chance(sim->loss)) {
			sim->n_lost_msgs++;
			continue;
		}
		m = xcalloc(1, sizeof(*m));
		*m = (struct sim_message){.from = p,
		    .ask = what,
		    .n = n,
		    .token = token,
		    .no = no,
		    .sent_at = sim->now,
		    .life = p->life};
		sim_after(delay(), arrives, m, 0);
	}
}
