/* One transaction a batch: rows, states, and how far we are, all or nothing.
 *
 * Happy path: BEGIN, the ledger's rows by COPY, everything else in one pipeline, compare-and-sets
 * checked, COMMIT. Failures: a compare-and-set that changed no row: somebody else wrote, nothing is
 * committed; a row that PostgreSQL refuses: the caller repeats the batch entry by entry with INSERTs;
 * no answer to COMMIT: unknown, the caller connects anew and reads the cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/pg.h"
#include "base/text.h"
#include "workers/recorder/columns.h"
#include "workers/recorder/pipe.h"
#include "workers/recorder/statements.h"
#include "workers/recorder/writer.h"

struct writer {
	struct pg *pg;
	name_t campaign;
	struct columns columns;
	struct buf copy_sql;
	struct pending *pending; /* owned array */
	size_t n_pending, cap_pending;
};

struct pending { /* an entry for log_tail */
	struct log_id at;
	struct buf raw;
};

int
writer_open(struct writer **ret, const char *conninfo, const char *campaign, struct err *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	snprintf(w->campaign, sizeof(w->campaign), "%s", campaign);
	buf_adds(&w->copy_sql, "COPY hf.ledger (");
	columns_names(&w->copy_sql);
	buf_adds(&w->copy_sql, ") FROM STDIN");
	if (pg_open(&w->pg, conninfo, err) != 0 ||
	    pg_exec(w->pg, "SET synchronous_commit = on", NULL, 0, NULL, err) != 0 ||
	    statements_prepare(w->pg, err) != 0) {
		writer_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

static void
forget_pending(struct writer *w)
{
	for (size_t i = 0; i < w->n_pending; i++)
		buf_done(&w->pending[i].raw);
	w->n_pending = 0;
}

void
writer_close(struct writer *w)
{
	if (w == NULL)
		return;
	pg_close(w->pg);
	columns_done(&w->columns);
	forget_pending(w);
	free(w->pending);
	buf_done(&w->copy_sql);
	free(w);
}

int
writer_lock(struct writer *w, struct err *err)
{
	struct pg_param p = pg_text(w->campaign);
	struct err e = ERR_INIT;

	if (pg_exec(w->pg, "SET lock_timeout = '1s'", NULL, 0, NULL, err) != 0)
		return -1;
	if (pg_exec(w->pg, "SELECT pg_advisory_lock(hashtextextended('hf-recorder ' || $1, 0))", &p,
	        1, NULL, &e) != 0) {
		if (e.code == ERR_BUSY && pg_ok(w->pg))
			return 0;
		*err = e;
		return -1;
	}
	if (pg_exec(w->pg, "SET lock_timeout = '5s'", NULL, 0, NULL, err) != 0)
		return -1;
	return 1;
}

/* ---- reading -------------------------------------------------------------------------------------- */

static int
get_fixed(const struct pg_result *r, int row, int col, uint8_t *out, size_t len, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = pg_get_bytes(r, row, col, &b, err);

	if (rc == 0 && b.len != len)
		rc = err_set(err, ERR_CORRUPT, "a column has %zu bytes, not %zu", b.len, len);
	if (rc == 0)
		memcpy(out, b.data, len);
	buf_done(&b);
	return rc;
}

static uint64_t
get_u(const struct pg_result *r, int row, int col)
{
	int64_t v = pg_get_i64(r, row, col);

	return v < 0 ? 0 : (uint64_t)v;
}

static int
load_campaign(struct writer *w, struct book *book, bool *ret_catch_up, struct err *err)
{
	struct pg_param p = pg_text(w->campaign);
	struct pg_result *r;
	int rc;

	if (pg_exec(w->pg,
	        "SELECT c.incarnation, c.ledger_no, c.catch_up, k.epoch, k.no, k.opseq, "
	        "k.campaign_at "
	        "FROM hf.campaign c LEFT JOIN hf.cursor k ON k.campaign = c.campaign "
	        "AND k.reader = 'recorder' WHERE c.campaign = $1",
	        &p, 1, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 0)
		rc = err_set(err, ERR_NOT_FOUND, "PostgreSQL does not know this campaign");
	else
		rc = get_fixed(r, 0, 0, book->incarnation, 16, err);
	if (rc == 0) {
		book->ledger_no = book->saved_ledger_no = get_u(r, 0, 1);
		*ret_catch_up = span_eq_str(pg_get(r, 0, 2), "t");
		book->has_cursor = !pg_is_null(r, 0, 3);
	}
	if (rc == 0 && book->has_cursor) {
		book->cursor = (struct log_id){get_u(r, 0, 3), get_u(r, 0, 4)};
		book->saved = book->cursor;
		book->opseq = get_u(r, 0, 5);
		book->now = pg_get_i64(r, 0, 6);
	}
	pg_free(r);
	return rc;
}

static int
load_box(struct book *book, const struct pg_result *r, int row, struct err *err)
{
	uint8_t ob[16];
	struct box *box;

	if (get_fixed(r, row, 0, ob, sizeof(ob), err) != 0)
		return -1;
	box = book_box(book, ob);
	box->has_agent = !pg_is_null(r, row, 1);
	if (box->has_agent && get_fixed(r, row, 1, box->agent, sizeof(box->agent), err) != 0)
		return -1;
	box->upto = box->saved_upto = get_u(r, row, 2);
	if (get_fixed(r, row, 3, box->h, sizeof(box->h), err) != 0)
		return -1;
	memcpy(box->saved_h, box->h, sizeof(box->saved_h));
	box->settled = get_u(r, row, 4);
	box->released = get_u(r, row, 5);
	box->frozen = span_eq_str(pg_get(r, row, 6), "t");
	box->saved = true;
	return 0;
}

static int
load_boxes(struct writer *w, struct book *book, struct err *err)
{
	struct pg_param p = pg_text(w->campaign);
	struct pg_result *r;
	int rc = 0;

	if (pg_exec(w->pg,
	        "SELECT ob, agent, recorded_upto, recorded_h, settled_upto, released_upto, frozen "
	        "FROM hf.outbox WHERE campaign = $1",
	        &p, 1, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && rc == 0; i++)
		rc = load_box(book, r, i, err);
	pg_free(r);
	return rc;
}

static int
load_agents(struct writer *w, struct book *book, struct err *err)
{
	struct pg_param p = pg_text(w->campaign);
	uint8_t agent[16], sign_pk[32];
	struct pg_result *r;
	int rc = 0;

	if (pg_exec(w->pg, "SELECT agent, sign_pk FROM hf.agent WHERE campaign = $1", &p, 1, &r,
	        err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && rc == 0; i++) {
		rc = get_fixed(r, i, 0, agent, sizeof(agent), err);
		if (rc == 0)
			rc = get_fixed(r, i, 1, sign_pk, sizeof(sign_pk), err);
		if (rc == 0)
			book_agent(book, agent, sign_pk);
	}
	pg_free(r);
	return rc;
}

int
writer_load(struct writer *w, struct book **ret, bool *ret_catch_up, struct err *err)
{
	struct book *book = book_create(w->campaign);

	if (load_campaign(w, book, ret_catch_up, err) != 0 || load_boxes(w, book, err) != 0 ||
	    load_agents(w, book, err) != 0) {
		book_destroy(book);
		return -1;
	}
	*ret = book;
	return 0;
}

int
writer_epoch(struct writer *w, uint64_t epoch, uint8_t ret_incarnation[16], struct err *err)
{
	struct pg_param p[] = {pg_text(w->campaign), pg_i64((int64_t)epoch)};
	struct pg_result *r;
	int rc;

	if (pg_exec(w->pg, "SELECT incarnation FROM hf.epoch WHERE campaign = $1 AND epoch = $2", p,
	        2, &r, err) != 0)
		return -1;
	rc = pg_rows(r);
	if (rc > 0 && get_fixed(r, 0, 0, ret_incarnation, 16, err) != 0)
		rc = -1;
	pg_free(r);
	return rc;
}

int
writer_caught_up(struct writer *w, struct err *err)
{
	struct pg_param p = pg_text(w->campaign);

	return pg_exec(
	    w->pg, "UPDATE hf.campaign SET catch_up = false WHERE campaign = $1", &p, 1, NULL, err);
}

/* ---- writing -------------------------------------------------------------------------------------- */

/* Is what came again the same as what is there? Also for a row that an INSERT passed over. */
static int
compare_again(struct writer *w, struct row *r, struct err *err)
{
	struct pg_param p[] = {
	    pg_text(w->campaign), pg_bytes(r->box->ob, 16), pg_i64((int64_t)r->seq)};
	struct pg_result *res;
	uint8_t h[32];
	int rc = 0;

	if (pg_exec(w->pg, "SELECT h FROM hf.ledger WHERE campaign = $1 AND ob = $2 AND seq = $3",
	        p, 3, &res, err) != 0)
		return -1;
	if (pg_rows(res) == 1 && (rc = get_fixed(res, 0, 0, h, sizeof(h), err)) == 0) {
		r->equivocal = memcmp(h, r->rec.h, sizeof(h)) != 0;
		memcpy(r->recorded_h, h, sizeof(r->recorded_h));
	}
	pg_free(res);
	return rc;
}

static int
write_fast(struct writer *w, struct batch *b, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < b->rows; i++)
		n += columns_wanted(&b->row[i]);
	if (n == 0)
		return 0;
	if (pg_copy_begin(w->pg, (const char *)w->copy_sql.data, err) != 0)
		return -1;
	for (size_t i = 0; i < b->rows; i++) {
		if (!columns_wanted(&b->row[i]))
			continue;
		columns_fill(&w->columns, &b->row[i], b->book, ++b->book->ledger_no);
		if (pg_copy_row(w->pg, w->columns.p, LEDGER_COLUMNS, err) != 0)
			return -1;
	}
	return pg_copy_end(w->pg, err);
}

static int
write_careful(struct writer *w, struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->rows; i++) {
		struct row *r = &b->row[i];
		struct pg_result *res = NULL;

		if (!columns_wanted(r))
			continue;
		columns_fill(&w->columns, r, b->book, b->book->ledger_no + 1);
		if (pg_pipe_begin(w->pg, err) != 0 ||
		    pg_pipe_add(w->pg, STMT_LEDGER, w->columns.p, LEDGER_COLUMNS, err) != 0 ||
		    pg_pipe_end(w->pg, &res, 1, err) != 0)
			return -1;
		int64_t added = pg_affected(res);
		pg_free(res);
		if (added == 1)
			b->book->ledger_no++;
		else if (compare_again(w, r, err) != 0)
			return -1;
	}
	return 0;
}

void
writer_pend(struct writer *w, const struct batch *b)
{
	for (size_t i = 0; i < b->entries; i++) {
		struct pending *p;

		if (w->n_pending == w->cap_pending) {
			w->cap_pending = w->cap_pending == 0 ? 64 : 2 * w->cap_pending;
			w->pending = xrealloc(w->pending, w->cap_pending, sizeof(*w->pending));
		}
		p = &w->pending[w->n_pending++];
		*p = (struct pending){.at = b->all_at[i]};
		raw_entry_text(&p->raw, b->all[i]);
	}
}

/* The entries as they lie in the log: what a new queue store's log begins with. */
static int
write_tail(struct writer *w, const struct batch *b, struct err *err)
{
	int rc =
	    pg_copy_begin(w->pg, "COPY hf.log_tail (campaign, epoch, no, raw) FROM STDIN", err);

	writer_pend(w, b);
	for (size_t i = 0; rc == 0 && i < w->n_pending; i++) {
		const struct pending *p = &w->pending[i];
		struct pg_param v[] = {pg_text(w->campaign), pg_i64((int64_t)p->at.epoch),
		    pg_i64((int64_t)p->at.no), pg_bytes(p->raw.data, p->raw.len)};

		rc = pg_copy_row(w->pg, v, 4, err);
	}
	return rc == 0 ? pg_copy_end(w->pg, err) : -1;
}

int
writer_alive(struct writer *w, struct err *err)
{
	return pg_exec(w->pg, "SELECT 1", NULL, 0, NULL, err);
}

int
writer_forget(struct writer *w, struct log_id archived, struct log_id router, struct err *err)
{
	struct log_id upto = log_id_cmp(archived, router) < 0 ? archived : router;
	struct pg_param r[] = {
	    pg_text(w->campaign), pg_i64((int64_t)router.epoch), pg_i64((int64_t)router.no)};
	struct pg_param t[] = {
	    pg_text(w->campaign), pg_i64((int64_t)upto.epoch), pg_i64((int64_t)upto.no)};

	if (pg_exec(w->pg,
	        "INSERT INTO hf.cursor (campaign, reader, epoch, no) VALUES ($1, 'router', $2, $3) "
	        "ON CONFLICT (campaign, reader) DO UPDATE SET epoch = EXCLUDED.epoch, "
	        "no = EXCLUDED.no, moved_at = now()",
	        r, 3, NULL, err) != 0)
		return err_wrap(err, "the router's cursor");
	if (pg_exec(w->pg,
	        "DELETE FROM hf.log_tail WHERE campaign = $1 AND (epoch, no) <= ($2, $3)", t, 3,
	        NULL, err) != 0)
		return err_wrap(err, "log_tail");
	return 0;
}

static int
write_rest(struct writer *w, struct batch *b, struct err *err)
{
	struct pipe p;
	int rc;

	if (pipe_begin(&p, w->pg, b->book, err) != 0)
		return -1;
	rc = pipe_batch(&p, b, err);
	if (pipe_end(&p, rc == 0 ? err : NULL) != 0)
		rc = -1;
	return rc;
}

static void
committed(struct batch *b)
{
	struct book *book = b->book;

	book->saved = book->cursor;
	book->has_cursor = true;
	book->saved_ledger_no = book->ledger_no;
	for (struct box *box = b->touched; box != NULL; box = box->next_touched) {
		box->saved = true;
		box->saved_upto = box->upto;
		memcpy(box->saved_h, box->h, sizeof(box->saved_h));
	}
}

bool
writer_refused(const struct writer *w, const struct err *err)
{
	return (err->code == ERR_INVALID || err->code == ERR_EXISTS) && pg_data_refused(w->pg);
}

int
writer_commit(struct writer *w, struct batch *b, enum writer_care care, struct err *err)
{
	if (pg_exec(w->pg, "BEGIN", NULL, 0, NULL, err) != 0)
		return -1;
	for (size_t i = 0; i < b->rows; i++)
		if (b->row[i].again && compare_again(w, &b->row[i], err) != 0)
			return -1;
	if (care == WRITER_FAST ? write_fast(w, b, err) != 0 : write_careful(w, b, err) != 0)
		return err_wrap(err, "ledger");
	if (write_tail(w, b, err) != 0)
		return err_wrap(err, "log_tail");
	if (write_rest(w, b, err) != 0)
		return -1;
	if (pg_exec(w->pg, "COMMIT", NULL, 0, NULL, err) != 0)
		return err_wrap(err, "commit");
	committed(b);
	forget_pending(w);
	return 0;
}
