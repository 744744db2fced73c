/* Which statements a batch needs, in which order.
 *
 * Happy path: what is odd, new outboxes, outboxes, cases, leases, agents, persons, epochs, and last the
 * cursor and the counter. Failures: the first failing statement ends the transaction; a compare-and-set
 * without its row is noticed before the COMMIT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/recorder/pipe.h"
#include "workers/recorder/statements.h"

int
pipe_begin(struct pipe *p, struct pg *pg, const struct book *book, struct err *err)
{
	*p = (struct pipe){.pg = pg, .book = book};
	return pg_pipe_begin(pg, err);
}

static int
add(struct pipe *p, const char *statement, const struct pg_param *params, size_t n, bool must,
    struct err *err)
{
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 256 : 2 * p->cap;
		p->must = xrealloc(p->must, p->cap, sizeof(*p->must));
	}
	if (pg_pipe_add(p->pg, statement, params, n, err) != 0)
		return err_wrap(err, "%s", statement);
	p->must[p->n++] = must;
	return 0;
}

int
pipe_end(struct pipe *p, struct err *err)
{
	struct pg_result **res = xcalloc(p->n + 1, sizeof(struct pg_result *));
	int rc = pg_pipe_end(p->pg, res, p->n, err);

	for (size_t i = 0; i < p->n; i++) {
		if (rc == 0 && p->must[i] && pg_affected(res[i]) != 1)
			rc = err_set(err, ERR_STALE, "the ledger was changed by somebody else");
		pg_free(res[i]);
	}
	free(res);
	free(p->must);
	return rc;
}

/* NULL for the empty text. */
static struct pg_param
text_or_null(const char *s)
{
	return pg_text(s[0] == '\0' ? NULL : s);
}

static struct pg_param
id_param(const struct pipe *p)
{
	return pg_text(p->book->campaign);
}

/* ---- what is odd ---------------------------------------------------------------------------------- */

static int
add_quarantine(struct pipe *p, const struct raw_entry *raw, struct log_id at, const struct row *r,
    enum flaw flaw, struct err *err)
{
	struct buf text = BUF_INIT;
	struct pg_param v[7];
	int rc;

	raw_entry_text(&text, raw);
	v[0] = id_param(p);
	v[1] = pg_i64((int64_t)at.epoch);
	v[2] = pg_i64((int64_t)at.no);
	v[3] = r == NULL ? pg_null() : pg_bytes(r->box->ob, sizeof(r->box->ob));
	v[4] = r == NULL ? pg_null() : pg_i64((int64_t)r->seq);
	v[5] = pg_text(flaw_text(flaw));
	v[6] = pg_bytes(text.data, text.len);
	rc = add(p, STMT_QUARANTINE, v, 7, false, err);
	buf_done(&text);
	return rc;
}

static int
add_equivocation(struct pipe *p, const struct row *r, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_i64((int64_t)r->e.epoch),
	    pg_i64((int64_t)r->e.no),
	    pg_bytes(r->box->ob, sizeof(r->box->ob)),
	    pg_i64((int64_t)r->seq),
	    pg_bytes(r->recorded_h, sizeof(r->recorded_h)),
	    pg_bytes(r->rec.h, sizeof(r->rec.h)),
	    pg_bytes(r->e.f0.data, r->e.f0.len),
	    pg_bytes(r->e.f1.data, r->e.f1.len),
	};

	return add(p, STMT_EQUIVOCATION, v, 9, false, err);
}

static int
add_odd(struct pipe *p, const struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->odds; i++)
		if (add_quarantine(p, b->odd[i].raw, b->odd[i].at, NULL, b->odd[i].flaw, err) != 0)
			return -1;
	for (size_t i = 0; i < b->rows; i++) {
		const struct row *r = &b->row[i];
		struct log_id at = {r->e.epoch, r->e.no};

		if (r->flaw != FLAW_NONE && !r->again &&
		    add_quarantine(p, r->raw, at, r, r->flaw, err) != 0)
			return -1;
		if (r->equivocal && add_equivocation(p, r, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- states --------------------------------------------------------------------------------------- */

static int
add_box(struct pipe *p, const struct box *box, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_bytes(box->ob, sizeof(box->ob)),
	    box->has_agent ? pg_bytes(box->agent, sizeof(box->agent)) : pg_null(),
	    pg_i64((int64_t)box->upto),
	    pg_bytes(box->h, sizeof(box->h)),
	    pg_i64((int64_t)box->settled),
	    pg_i64((int64_t)box->released),
	    pg_bool(box->frozen),
	    pg_i64((int64_t)box->saved_upto),
	    pg_bytes(box->saved_h, sizeof(box->saved_h)),
	};

	if (!box->saved && add(p, STMT_BOX_NEW, v, 2, false, err) != 0)
		return -1;
	return add(p, STMT_BOX, v, 10, true, err);
}

static void
flags_text(char out[8], const struct case_state *s)
{
	size_t n = 0;

	if (s->held)
		out[n++] = 'h';
	if (s->pulled)
		out[n++] = 'p';
	if (s->triage_after)
		out[n++] = 't';
	if (s->acted)
		out[n++] = 'a';
	if (s->moved)
		out[n++] = 'm';
	if (s->ended != 0)
		out[n++] = s->ended;
	out[n] = '\0';
}

static int
add_case(struct pipe *p, const struct case_change *c, struct err *err)
{
	const struct case_state *s = &c->state;
	char flags[8], law_at[48];
	uint8_t ob[16];
	bool has_ob = hex_decode(ob, sizeof(ob), s->ob, strlen(s->ob));
	struct pg_param v[20];
	size_t i = 0;

	flags_text(flags, s);
	snprintf(law_at, sizeof(law_at), "%ju-%ju", (uintmax_t)s->law_epoch, (uintmax_t)s->law_no);
	v[i++] = id_param(p);
	v[i++] = pg_bytes(c->case_id, sizeof(c->case_id));
	v[i++] = pg_i64((int64_t)s->version);
	v[i++] = text_or_null(s->owner);
	v[i++] = text_or_null(s->hand);
	v[i++] = pg_text(s->lane);
	v[i++] = pg_i64(s->due);
	v[i++] = pg_i64((int64_t)s->token);
	v[i++] = pg_i64((int64_t)s->given);
	v[i++] = pg_text(flags);
	v[i++] = pg_bool(s->held);
	v[i++] = has_ob ? pg_bytes(ob, sizeof(ob)) : pg_null();
	v[i++] = pg_text(law_at);
	v[i++] = pg_text(s->why);
	v[i++] = c->has_blob ? pg_bytes(c->blob.data, c->blob.len) : pg_null();
	v[i++] = c->has_task ? pg_bytes(c->task.data, c->task.len) : pg_null();
	v[i++] = c->created ? pg_i64(c->created_at) : pg_null();
	v[i++] = pg_i64(c->now);
	v[i++] = pg_i64((int64_t)c->at.epoch);
	v[i++] = pg_i64((int64_t)c->at.no);
	return add(p, STMT_CASE, v, i, false, err);
}

static int
add_lease(struct pipe *p, const struct lease_change *l, struct err *err)
{
	struct pg_param v[12];

	v[0] = id_param(p);
	v[1] = pg_bytes(l->case_id, sizeof(l->case_id));
	v[2] = pg_i64((int64_t)l->token);
	v[3] = pg_text(l->person);
	v[4] = pg_bytes(l->ob, sizeof(l->ob));
	for (size_t i = 5; i < 12; i++)
		v[i] = pg_null();
	if (l->granted) {
		v[5] = pg_bool(l->pulled);
		v[6] = pg_text(l->from_lane);
		v[7] = pg_i64((int64_t)l->granted_opseq);
		v[8] = pg_i64(l->granted_at);
	}
	if (l->ended) {
		v[9] = pg_i64((int64_t)l->ended_opseq);
		v[10] = pg_i64(l->ended_at);
		v[11] = pg_text(l->how);
	}
	return add(p, STMT_LEASE, v, 12, false, err);
}

static int
add_agent(struct pipe *p, const struct agent_change *a, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_bytes(a->agent, sizeof(a->agent)),
	    pg_bytes(a->curve_pk, sizeof(a->curve_pk)),
	    pg_bytes(a->sign_pk, sizeof(a->sign_pk)),
	    pg_text(a->active ? "active" : "revoked"),
	    pg_i64((int64_t)a->at.epoch),
	    pg_i64((int64_t)a->at.no),
	};

	return add(p, STMT_AGENT, v, 7, false, err);
}

static int
add_person(struct pipe *p, const struct person_change *c, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_text(c->person),
	    pg_i64((int64_t)c->roles),
	    text_or_null(c->team),
	    pg_bool(c->qualified),
	    c->has_pk ? pg_bytes(c->pk, sizeof(c->pk)) : pg_null(),
	    pg_bool(c->active),
	    pg_i64((int64_t)c->at.epoch),
	    pg_i64((int64_t)c->at.no),
	};

	return add(p, STMT_PERSON, v, 9, false, err);
}

static int
add_epoch(struct pipe *p, const struct epoch_change *c, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_i64((int64_t)c->epoch),
	    pg_bytes(c->incarnation, sizeof(c->incarnation)),
	    pg_i64(c->wall),
	    pg_text(c->why),
	};

	return add(p, STMT_EPOCH, v, 5, false, err);
}

static int
add_kept(struct pipe *p, const struct kept_change *k, struct err *err)
{
	struct pg_param v[] = {
	    id_param(p),
	    pg_text(k->what),
	    pg_bytes(k->value.data, k->value.len),
	    pg_text_span(k->said),
	    pg_i64((int64_t)k->at.epoch),
	    pg_i64((int64_t)k->at.no),
	};

	return add(p, STMT_KEPT, v, 6, false, err);
}

static int
add_index(struct pipe *p, const struct index_change *c, struct err *err)
{
	struct pg_param v[] = {id_param(p), pg_bytes(c->case_id, sizeof(c->case_id)),
	    pg_bytes(c->indexes.data, c->indexes.len)};

	return add(p, STMT_INDEX, v, 3, false, err);
}

static int
add_progress(struct pipe *p, struct err *err)
{
	const struct book *k = p->book;
	struct pg_param v[] = {
	    id_param(p),
	    pg_i64((int64_t)k->cursor.epoch),
	    pg_i64((int64_t)k->cursor.no),
	    pg_i64((int64_t)k->opseq),
	    pg_i64(k->now),
	    pg_i64((int64_t)k->saved.epoch),
	    pg_i64((int64_t)k->saved.no),
	};
	struct pg_param count[] = {
	    id_param(p),
	    pg_i64((int64_t)k->ledger_no),
	    pg_i64((int64_t)k->saved_ledger_no),
	};

	if (add(p, k->has_cursor ? STMT_CURSOR : STMT_CURSOR_NEW, v, k->has_cursor ? 7 : 5, true,
	        err) != 0)
		return -1;
	return k->ledger_no == k->saved_ledger_no ? 0 : add(p, STMT_COUNT, count, 3, true, err);
}

int
pipe_batch(struct pipe *p, const struct batch *b, struct err *err)
{
	if (add_odd(p, b, err) != 0)
		return -1;
	for (const struct box *box = b->touched; box != NULL; box = box->next_touched)
		if (add_box(p, box, err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_cases; i++)
		if (add_case(p, &b->cases[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_leases; i++)
		if (add_lease(p, &b->leases[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_agents; i++)
		if (add_agent(p, &b->agents[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_persons; i++)
		if (add_person(p, &b->persons[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_epochs; i++)
		if (add_epoch(p, &b->epochs[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_kept; i++)
		if (add_kept(p, &b->kept[i], err) != 0)
			return -1;
	for (size_t i = 0; i < b->n_indexes; i++)
		if (add_index(p, &b->indexes[i], err) != 0)
			return -1;
	return add_progress(p, err);
}
