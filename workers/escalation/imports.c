/* imports.c - rows that were sent and wait for their COMMIT, and the cases made of them.
 *
 * Happy path: IMPORT bodies are kept as they came, sealed; the COMMIT tells how many rows there must be;
 * when the keys are here, the rows are opened, counted, and created lot by lot. A wrong count creates
 * nothing. The router's cursor stays before the first IMPORT that is not settled, so a restart reads it
 * all again, and a case that exists already is left as it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "proto/chain.h"
#include "workers/escalation/router.h"

#define IMPORT_ARRIVALS "arrivals"
#define LOT             BATCH_ENTRIES
#define KEYS_WAIT_US    10000000 /* for a case's key: then its numbers stay unknown to the law */
#define FORGET_US       (24 * 3600 * 1000000LL)

struct piece {
	struct buf f0, f1;
};

struct creation {
	uint8_t id[16];
	struct buf task, indexes;
	name_t reporter;
	uint8_t blob[LAW_BLOB_MAX];
	size_t blob_len;
	int64_t due;
	struct import *of;
};

struct import {
	uint8_t id[16];
	struct logid first, commit;
	int64_t since_us, committed_us;
	int64_t now; /* campaign time of the commit */
	uint64_t rows;
	bool is_committed, is_open, is_arrivals;
	struct piece *pieces;
	size_t n_pieces;
	struct creation *creations;
	size_t n_creations, next, done;
	struct arrival_row *arrivals;
	size_t n_arrivals;
};

struct imports {
	struct import **at;
	size_t n;
};

struct imports *
imports_create(void)
{
	return xcalloc(1, sizeof(struct imports));
}

static void
import_free(struct import *m)
{
	for (size_t i = 0; i < m->n_pieces; i++) {
		buf_done(&m->pieces[i].f0);
		buf_done(&m->pieces[i].f1);
	}
	for (size_t i = 0; i < m->n_creations; i++) {
		buf_done(&m->creations[i].task);
		buf_done(&m->creations[i].indexes);
	}
	free(m->pieces);
	free(m->creations);
	free(m->arrivals);
	free(m);
}

void
imports_destroy(struct imports *im)
{
	if (im == NULL)
		return;
	for (size_t i = 0; i < im->n; i++)
		import_free(im->at[i]);
	free(im->at);
	free(im);
}

static void
drop(struct imports *im, struct import *m)
{
	for (size_t i = 0; i < im->n; i++)
		if (im->at[i] == m) {
			im->at[i] = im->at[--im->n];
			import_free(m);
			return;
		}
}

static struct import *
find(struct imports *im, struct span id)
{
	for (size_t i = 0; i < im->n; i++)
		if (memcmp(im->at[i]->id, id.data, 16) == 0)
			return im->at[i];
	return NULL;
}

bool
imports_oldest(const struct router *r, struct logid *ret)
{
	const struct imports *im = r->imports;

	for (size_t i = 0; i < im->n; i++)
		if (i == 0 || logid_after(*ret, im->at[i]->first))
			*ret = im->at[i]->first;
	return im->n > 0;
}

bool
imports_take(const struct record_header *h)
{
	return !h->f[F_what].set || span_eq_str(h->f[F_what].bytes, IMPORT_ARRIVALS);
}

void
imports_rows(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at)
{
	struct imports *im = r->imports;
	struct import *m = find(im, h->f[F_import].bytes);
	struct piece *p;

	if (m == NULL) {
		m = xcalloc(1, sizeof(*m));
		memcpy(m->id, h->f[F_import].bytes.data, 16);
		m->first = at;
		m->is_arrivals =
		    h->f[F_what].set && span_eq_str(h->f[F_what].bytes, IMPORT_ARRIVALS);
		m->since_us = clock_boot_us();
		im->at = xrealloc(im->at, im->n + 1, sizeof(*im->at));
		im->at[im->n++] = m;
	}
	if (m->is_committed)
		return; /* what comes after the commit does not count */
	m->pieces = xrealloc(m->pieces, m->n_pieces + 1, sizeof(*m->pieces));
	p = &m->pieces[m->n_pieces++];
	memset(p, 0, sizeof(*p));
	buf_add(&p->f0, e->f0.data, e->f0.len);
	buf_add(&p->f1, e->f1.data, e->f1.len);
}

void
imports_commit(struct router *r, const struct log_entry *e, const struct record_header *h)
{
	struct import *m = find(r->imports, h->f[F_import].bytes);

	if (m == NULL || m->is_committed)
		return; /* settled long ago, or nothing was sent */
	m->is_committed = true;
	m->committed_us = clock_boot_us();
	m->rows = h->f[F_rows].u;
	m->now = e->now;
	m->commit = (struct logid){e->epoch, e->no};
}

/* ---- from rows to cases ---- */

static void
add_row(struct import *m, const struct import_row *row)
{
	struct creation *c;

	m->creations = xrealloc(m->creations, m->n_creations + 1, sizeof(*m->creations));
	c = &m->creations[m->n_creations++];
	memset(c, 0, sizeof(*c));
	memcpy(c->id, row->case_id, 16);
	buf_add(&c->task, row->task.data, row->task.len);
	/* The 考生号 finds its case like a number does. */
	buf_add(&c->indexes, row->no_index, sizeof(row->no_index));
	buf_add(&c->indexes, row->indexes.data, row->indexes.len);
	memcpy(c->reporter, row->reporter, sizeof(c->reporter));
}

static bool
take_row(struct import *m, struct dec *d)
{
	struct import_row row;
	struct arrival_row came;

	if (m->is_arrivals) {
		if (!arrival_row_next(d, &came))
			return false;
		m->arrivals = xrealloc(m->arrivals, m->n_arrivals + 1, sizeof(*m->arrivals));
		m->arrivals[m->n_arrivals++] = came;
		return true;
	}
	if (!import_row_next(d, &row))
		return false;
	add_row(m, &row);
	return true;
}

static bool
open_pieces(struct router *r, struct import *m)
{
	for (size_t i = 0; i < m->n_pieces; i++) {
		struct log_entry e = {
		    .f0 = buf_span(&m->pieces[i].f0), .f1 = buf_span(&m->pieces[i].f1)};
		struct buf store = BUF_INIT;
		struct body body;
		bool ok = seal_open_body(r, &e, NULL, &store, &body);

		if (ok && body.rows.len > 0) {
			struct dec d;

			for (uint32_t n = import_rows_open(&d, body.rows); n > 0 && ok; n--)
				ok = take_row(m, &d);
		}
		if (store.data != NULL)
			crypt_wipe(store.data, store.len);
		buf_done(&store);
		if (!ok)
			return false;
	}
	for (size_t i = 0; i < m->n_creations; i++)
		m->creations[i].of = m;
	return true;
}

/* All pieces open and the rows are as many as the commit says, or there is no import. */
static bool
make_ready(struct router *r, struct import *m)
{
	static const uint8_t campaign[16];
	bool has_key = map_get(r->keys, campaign, 16) != NULL;

	if (m->is_open)
		return true;
	if (!has_key) {
		(void)seal_key(r, campaign); /* asks */
		return false;
	}
	if (!open_pieces(r, m) || m->n_creations + m->n_arrivals != m->rows) {
		log_error("import.refused", "rows=%zu expected=%ju decision=\"nothing imported\"",
		    m->n_creations + m->n_arrivals, (uintmax_t)m->rows);
		drop(r->imports, m);
		return false;
	}
	m->is_open = true;
	if (m->n_creations + m->n_arrivals == 0) {
		drop(r->imports, m);
		return false;
	}
	return true;
}

/* Who came and who did not. The cursor stays before the first row until all of it is saved. */
static void
arrive(struct router *r, struct import *m)
{
	size_t unknown = 0;

	for (size_t i = 0; i < m->n_arrivals; i++) {
		const struct arrival_row *row = &m->arrivals[i];
		struct rcase *c = case_find(r, row->case_id);
		bool was_saved;
		struct law_act act;

		if (c == NULL) {
			unknown++;
			continue;
		}
		if (!logid_after(m->commit, c->at))
			continue; /* read again after a restart */
		law_act_init(&act, LAW_ARRIVAL);
		act.what = row->came == 1 ? "" : "no";
		act.at = m->now;
		was_saved = c->unsaved.no == 0;
		case_act(r, c, &act, m->now, m->commit);
		if (was_saved)
			case_unsaved(r, c, m->first);
		case_queue(r, c);
	}
	log_info("arrivals", "rows=%zu unknown=%zu", m->n_arrivals, unknown);
}

void
imports_continue(struct router *r)
{
	int64_t now = clock_boot_us();

	for (size_t i = 0; i < r->imports->n; i++) {
		struct import *m = r->imports->at[i];

		if (!m->is_committed && now - m->since_us > FORGET_US) {
			log_warn("import.forgotten", "decision=\"no commit within a day\"");
			drop(r->imports, m);
			return;
		}
		if (!m->is_committed || !make_ready(r, m))
			continue;
		if (m->is_arrivals) {
			arrive(r, m);
			drop(r->imports, m);
			return;
		}
		for (int n = 0; n < LOT && m->next < m->n_creations; n++) {
			struct creation *c = &m->creations[m->next];

			if (seal_key(r, c->id) == NULL && now - m->committed_us < KEYS_WAIT_US)
				return; /* the key is on its way */
			m->next++;
			work_add(r, WORK_CREATE, c);
		}
		return;
	}
}

/* ---- one case ---- */

/* 专项选项 with 专硕 in it: the special-master's intention (domain.md a.5). */
static bool
wants_special_master(const struct task *t)
{
	static const char column[] = "专项选项", word[] = "专硕";

	for (uint32_t i = 0; i + 1 < t->n_extra; i += 2)
		if (span_eq_str(t->extra[i], column) &&
		    memmem(t->extra[i + 1].data, t->extra[i + 1].len, word, sizeof(word) - 1) !=
		        NULL)
			return true;
	return false;
}

/* What the law keeps of the task: the ids of the numbers, whether they are complete, and the intention; nothing if
 * there is no key. */
static void
read_task(struct router *r, const struct creation *c, struct law_act *act)
{
	const uint8_t *key = map_get(r->keys, c->id, 16);
	struct buf plain = BUF_INIT;
	struct task t;

	if (key != NULL && chain_task_open(&plain, key, c->id, buf_span(&c->task), NULL) == 0 &&
	    task_decode(&t, buf_span(&plain), NULL) == 0) {
		act->special_master = wants_special_master(&t);
		act->incomplete = task_missing(&t) != 0;
		for (uint32_t i = 0; i < t.n_numbers && act->n_numbers < LAW_NUMBERS; i++) {
			char digits[32] = "";
			uint8_t id[8];

			if (t.numbers[i].digits.len == 0 ||
			    t.numbers[i].digits.len >= sizeof(digits))
				continue;
			memcpy(digits, t.numbers[i].digits.data, t.numbers[i].digits.len);
			chain_number_id(id, key, digits);
			act->numbers[act->n_numbers++] = be64_get(id);
			crypt_wipe(digits, sizeof(digits));
		}
	}
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
}

void
creation_write(struct creation *c, struct router *r, struct call *call)
{
	struct law_ctx ctx = {.policy = r->policy, .calendar = &r->calendar, .now = c->of->now};
	struct law_case law;
	struct law_act act;

	law_case_init(&law);
	law.stage = (uint8_t)r->book.stage;
	/* Unreleased, `hand` says who reported the applicant. */
	memcpy(law.hand, c->reporter, sizeof(law.hand));
	law_act_init(&act, LAW_IMPORT);
	read_task(r, c, &act);
	law_fold(&law, &ctx, &act);
	law.due = law.since = (c->of->now + 999) / 1000 * 1000;
	c->due = law.due;
	c->blob_len = law_case_pack(c->blob, &law);
	call_entry(call, "create");
	call_bytes(call, c->id, 16);
	call_str(call, "unreleased");
	call_u(call, (uint64_t)law.due);
	call_span(call, buf_span(&c->task));
	call_bytes(call, c->blob, c->blob_len);
	call_str(call, "-");
	call_span(call, buf_span(&c->indexes));
}

/* Its own entry of the log comes later than what may be said of it meanwhile. */
static void
know(struct router *r, const struct creation *c)
{
	struct buf text = BUF_INIT;

	buf_addf(&text, "1|-|-|unreleased|%" PRId64 "|0000000000000000|0|0||-|0-0|new|", c->due);
	(void)case_load(r, c->id, buf_span(&text), span_of(c->blob, c->blob_len));
	buf_done(&text);
}

/* A known applicant came again: numbers that are new are added, found ones stay. */
static void
add_numbers(struct router *r, const struct creation *c)
{
	struct rcase *old = case_find(r, c->id);
	struct law_act act;

	if (old == NULL || !logid_after(c->of->commit, old->at))
		return;
	law_act_init(&act, LAW_IMPORT);
	read_task(r, c, &act);
	case_act(r, old, &act, c->of->now, c->of->commit);
	case_queue(r, old);
}

void
imports_created(struct router *r, struct creation *c, bool made)
{
	struct import *m = c->of;

	if (!made)
		add_numbers(r, c);
	else if (case_find(r, c->id) == NULL)
		know(r, c);
	if (++m->done < m->n_creations)
		return;
	log_info("imported", "cases=%zu", m->n_creations);
	drop(r->imports, m);
}

bool
imports_pending(const struct router *r)
{
	for (size_t i = 0; i < r->imports->n; i++)
		if (r->imports->at[i]->is_committed)
			return true;
	return false;
}
