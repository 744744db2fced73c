/* pg_batch.c - many statements in one round trip, and COPY.
 *
 * Pipeline, happy path: every add sends what the socket takes and reads what is there; end sends the
 * Sync and collects one result a statement, then the Sync's own. A failing statement makes the server
 * skip the rest up to the Sync, so we go on reading to there, keep the first story, and roll back a
 * transaction that the caller had opened. COPY sends rows in text format with our own escapes. In
 * both, a connection that breaks is ERR_GONE and needs a new pg_open. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/pg.h"
#include "base/pg_private.h"
#include "base/text.h"

int
pg_prepare(struct pg *p, const char *name, const char *sql, struct err *err)
{
	CHECK(!p->piping && !p->copying);
	if (p->c == NULL || PQsendPrepare(p->c, name, sql, 0, NULL) != 1)
		return pg_broken(p, err);
	return pg_finish(p, NULL, err);
}

int
pg_pipe_begin(struct pg *p, struct err *err)
{
	CHECK(!p->piping && !p->copying);
	if (!pg_ok(p) || PQenterPipelineMode(p->c) != 1)
		return pg_broken(p, err);
	p->piping = true;
	p->queued = 0;
	return 0;
}

int
pg_pipe_add(
    struct pg *p, const char *prepared, const struct pg_param *params, size_t n, struct err *err)
{
	struct pg_args a = {0};
	int sent, unsent;

	CHECK(p->piping || p->c == NULL);
	if (p->c == NULL)
		return pg_broken(p, err);
	if (pg_args_make(&a, params, n, err) != 0)
		return -1;
	sent = PQsendQueryPrepared(p->c, prepared, (int)n, a.values, a.lens, a.formats, 0);
	pg_args_done(&a);
	if (sent != 1)
		return pg_broken(p, err);
	p->queued++;
	/* The server may be waiting for us to read before it reads on: never only write. */
	unsent = PQflush(p->c);
	if (unsent < 0 || (unsent > 0 && PQconsumeInput(p->c) == 0))
		return pg_broken(p, err);
	return 0;
}

/* One statement's result, and the NULL after it. */
static int
read_one(struct pg *p, PGresult **ret, struct err *err)
{
	PGresult *r = NULL, *end = NULL;
	int rc;

	if (pg_next(p, &r, err) != 0)
		return -1;
	if (r == NULL)
		return pg_broken(p, err);
	rc = pg_judge(p, r, err);
	if (p->c != NULL && PQstatus(p->c) != CONNECTION_BAD &&
	    pg_next(p, &end, rc == 0 ? err : NULL) != 0)
		rc = -1;
	PQclear(end);
	if (rc == 0)
		*ret = r;
	else
		PQclear(r);
	return rc;
}

static int
read_sync(struct pg *p, struct err *err)
{
	PGresult *r = NULL;
	int rc = -1;

	if (pg_next(p, &r, err) != 0)
		return -1;
	if (r != NULL && PQresultStatus(r) == PGRES_PIPELINE_SYNC)
		rc = 0;
	else
		(void)pg_broken(p, err);
	PQclear(r);
	return rc;
}

/* The caller's transaction has failed: end it, so that the connection can be used again. */
static void
roll_back(struct pg *p)
{
	if (pg_ok(p) && PQtransactionStatus(p->c) != PQTRANS_IDLE)
		(void)pg_script(p, "ROLLBACK", NULL);
}

static int
collect(struct pg *p, PGresult **results, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < p->queued && pg_ok(p); i++) {
		if (read_one(p, &results[i], rc == 0 ? err : NULL) != 0)
			rc = -1;
	}
	if (pg_ok(p) && read_sync(p, rc == 0 ? err : NULL) != 0)
		rc = -1;
	if (!pg_ok(p))
		rc = rc == 0 ? pg_broken(p, err) : rc;
	else if (PQexitPipelineMode(p->c) != 1)
		rc = pg_broken(p, rc == 0 ? err : NULL);
	return rc;
}

int
pg_pipe_end(struct pg *p, struct pg_result **ret_results, size_t n, struct err *err)
{
	PGresult **results;
	int rc;

	CHECK(p->piping || p->c == NULL);
	results = xcalloc((size_t)p->queued + 1, sizeof(PGresult *));
	/* Another number than was put in: the connection broke in the middle of it. */
	if (p->c == NULL || (ret_results != NULL && n != (size_t)p->queued) ||
	    PQpipelineSync(p->c) != 1)
		rc = pg_broken(p, err);
	else
		rc = collect(p, results, err);
	p->piping = false;
	if (rc != 0)
		roll_back(p);
	for (size_t i = 0; ret_results != NULL && i < n; i++)
		ret_results[i] = rc == 0 ? (struct pg_result *)(void *)results[i] : NULL;
	for (int i = 0; (rc != 0 || ret_results == NULL) && i < p->queued; i++)
		PQclear(results[i]);
	free(results);
	p->queued = 0;
	return rc;
}

/* ---- COPY -------------------------------------------------------------------------------------- */

int
pg_copy_begin(struct pg *p, const char *sql, struct err *err)
{
	struct pg_result *r = NULL;
	int rc;

	CHECK(!p->piping && !p->copying);
	if (p->c == NULL || PQsendQuery(p->c, sql) != 1)
		return pg_broken(p, err);
	if (pg_finish(p, &r, err) != 0)
		return -1;
	CHECK(r != NULL);
	rc = PQresultStatus((PGresult *)(void *)r) == PGRES_COPY_IN
	         ? 0
	         : err_set(err, ERR_INVALID, "postgres: the statement is no COPY FROM STDIN");
	pg_free(r);
	p->copying = rc == 0;
	return rc;
}

static void
escape(struct buf *row, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case '\\': buf_adds(row, "\\\\"); break;
		case '\t': buf_adds(row, "\\t"); break;
		case '\n': buf_adds(row, "\\n"); break;
		case '\r': buf_adds(row, "\\r"); break;
		default: buf_addc(row, (char)text.data[i]);
		}
	}
}

static void
add_column(struct buf *row, const struct pg_param *col)
{
	switch (col->kind) {
	case PG_NULL: buf_adds(row, "\\N"); break;
	case PG_TEXT: escape(row, col->bytes); break;
	case PG_I64: buf_addf(row, "%" PRId64, col->i64); break;
	case PG_BOOL: buf_addc(row, col->i64 != 0 ? 't' : 'f'); break;
	case PG_BYTES:
		buf_adds(row, "\\\\x");
		buf_add_hex(row, col->bytes.data, col->bytes.len);
		break;
	}
}

/* Puts data (or the end) into libpq's hands, as soon as there is room. */
static int
put(struct pg *p, const struct buf *data, struct err *err)
{
	for (;;) {
		int rc = data != NULL
		             ? PQputCopyData(p->c, (const char *)data->data, (int)data->len)
		             : PQputCopyEnd(p->c, NULL);

		if (rc == 1)
			return 0;
		if (rc < 0)
			return pg_broken(p, err);
		if (pg_wait(p, true, err) != 0)
			return -1;
		if (PQflush(p->c) < 0 || PQconsumeInput(p->c) == 0)
			return pg_broken(p, err);
	}
}

int
pg_copy_row(struct pg *p, const struct pg_param *cols, size_t n, struct err *err)
{
	CHECK(p->copying || p->c == NULL);
	if (p->c == NULL)
		return pg_broken(p, err);
	buf_clear(&p->row);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&p->row, '\t');
		add_column(&p->row, &cols[i]);
	}
	buf_addc(&p->row, '\n');
	return put(p, &p->row, err);
}

int
pg_copy_end(struct pg *p, struct err *err)
{
	CHECK(p->copying || p->c == NULL);
	p->copying = false;
	if (p->c == NULL || put(p, NULL, err) != 0)
		return pg_broken(p, err);
	return pg_finish(p, NULL, err);
}
