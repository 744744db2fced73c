/* pg.c - PostgreSQL for programs that may wait for it, but never for ever.
 *
 * The connection is always non-blocking inside, and we wait with poll: a server that was stopped in
 * the middle of an answer is given up after a patience. Failures: a broken connection is ERR_GONE,
 * and what was sent may or may not have happened; what the server refused carries its SQLSTATE.
 * The server's own words are shown only where they cannot hold a value of a row (not for classes 22
 * and 23, data and constraints, whose details quote what was written). */
#include "base/pg.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/pg_private.h"
#include "base/text.h"

#define BYTEA_OID   17U
#define PATIENCE_US 90000000LL

static void
no_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

/* ---- errors ------------------------------------------------------------------------------------ */

/* The first line of what libpq says, without its newline. */
static void
first_line(char *out, size_t size, const char *text)
{
	size_t len = strcspn(text, "\n");

	(void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

int
pg_broken(struct pg *p, struct err *err)
{
	char line[200];

	if (p->c == NULL)
		return err_set(err, ERR_GONE, "postgres: the connection was given up");
	first_line(line, sizeof(line), PQerrorMessage(p->c));
	return err_set(
	    err, ERR_GONE, "postgres: %s", line[0] != '\0' ? line : "the connection broke");
}

static bool
is_class(const char *state, const char *class)
{
	return strncmp(state, class, 2) == 0;
}

static enum err_code
code_of_state(const char *state)
{
	static const char *const busy[] = {"25006", "40001", "40003", "40P01", "55P03", "57014"};

	if (strcmp(state, "23505") == 0)
		return ERR_EXISTS;
	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
		if (strcmp(state, busy[i]) == 0)
			return ERR_BUSY;
	}
	/* No room, no memory, a disk that fails: nothing is wrong with what was asked. */
	if (is_class(state, "53") || is_class(state, "58"))
		return ERR_BUSY;
	if (is_class(state, "08") || is_class(state, "57"))
		return ERR_GONE;
	return ERR_INVALID;
}

int
pg_judge(struct pg *p, const PGresult *r, struct err *err)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	ExecStatusType status = PQresultStatus(r);
	char line[200] = "";

	if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE &&
	    status != PGRES_PIPELINE_ABORTED && status != PGRES_NONFATAL_ERROR)
		return 0;
	if (p->c == NULL || PQstatus(p->c) == CONNECTION_BAD)
		return pg_broken(p, err);
	if (state == NULL) {
		first_line(line, sizeof(line), PQresultErrorMessage(r));
		return err_set(err, ERR_INVALID, "postgres: %s", line);
	}
	if (words != NULL && !is_class(state, "22") && !is_class(state, "23"))
		first_line(line, sizeof(line), words);
	/* 22 data, 23 constraints, 54 limits, P0 what a trigger raises: the rest blames no row. */
	p->other_fault |= !is_class(state, "22") && !is_class(state, "23") &&
	                  !is_class(state, "54") && !is_class(state, "P0");
	return err_set(err, code_of_state(state), "postgres: SQLSTATE %s%s%s%s%s", state,
	    constraint != NULL ? " constraint " : "", constraint != NULL ? constraint : "",
	    line[0] != '\0' ? ": " : "", line);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static void
give_up(struct pg *p)
{
	PQfinish(p->c);
	p->c = NULL;
	p->piping = p->copying = false;
}

int
pg_wait(struct pg *p, bool for_write, struct err *err)
{
	short events = (short)(POLLIN | (for_write ? POLLOUT : 0));
	struct pollfd fd = {.fd = PQsocket(p->c), .events = events};
	int64_t until = clock_boot_us() + p->patience_us;
	int rc;

	if (fd.fd < 0)
		return pg_broken(p, err);
	do {
		int64_t left = until - clock_boot_us();

		/* Rounded up, so that the last millisecond is not spent spinning. */
		rc = poll(&fd, 1,
		    p->patience_us == 0 ? -1
		    : left <= 0         ? 0
		                        : (int)((left + 999) / 1000));
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return err_sys(err, "postgres: poll");
	if (rc == 0) {
		give_up(p);
		return err_set(err, ERR_GONE, "postgres: no sign of life, outcome unknown");
	}
	return 0;
}

int
pg_next(struct pg *p, PGresult **ret, struct err *err)
{
	if (p->c == NULL)
		return pg_broken(p, err);
	for (;;) {
		int unsent = PQflush(p->c);

		if (unsent < 0 || PQisBusy(p->c) == 0)
			break;
		if (pg_wait(p, unsent > 0, err) != 0)
			return -1;
		if (PQconsumeInput(p->c) == 0)
			break;
	}
	*ret = PQgetResult(p->c);
	return 0;
}

int
pg_finish(struct pg *p, struct pg_result **ret, struct err *err)
{
	PGresult *r = NULL, *last = NULL;
	int rc = 0;

	for (;;) {
		if (pg_next(p, &r, rc == 0 ? err : NULL) != 0)
			rc = -1;
		else if (r != NULL && rc == 0 && pg_judge(p, r, err) != 0)
			rc = -1;
		if (p->c == NULL || r == NULL)
			break;
		PQclear(last);
		last = r;
		r = NULL;
		/* A broken connection may give errors for ever. */
		if (PQstatus(p->c) == CONNECTION_BAD) {
			rc = rc == 0 ? pg_broken(p, err) : rc;
			break;
		}
		if (PQresultStatus(last) == PGRES_COPY_IN || PQresultStatus(last) == PGRES_COPY_OUT)
			break;
	}
	if (rc == 0 && ret != NULL)
		*ret = (struct pg_result *)(void *)last;
	else
		PQclear(last);
	return rc;
}

/* ---- the connection ---------------------------------------------------------------------------- */

int
pg_open(struct pg **ret, const char *conninfo, struct err *err)
{
	/* What the conninfo says itself comes later, and wins. */
	static const char *const keys[] = {"connect_timeout", "client_encoding", "keepalives",
	    "keepalives_idle", "tcp_user_timeout", "options", "dbname", NULL};
	const char *values[] = {"5", "UTF8", "1", "30", "30000",
	    "-c statement_timeout=60000 -c jit=off", conninfo, NULL};
	struct pg *p = xcalloc(1, sizeof(*p));
	int rc = 0;

	p->patience_us = PATIENCE_US;
	p->c = PQconnectdbParams(keys, values, 1);
	CHECK(p->c != NULL);
	if (PQstatus(p->c) != CONNECTION_OK) {
		rc = pg_broken(p, err);
	} else {
		(void)PQsetNoticeReceiver(p->c, no_notice, NULL);
		if (PQsetnonblocking(p->c, 1) != 0)
			rc = pg_broken(p, err);
	}
	if (rc == 0)
		*ret = p;
	else
		pg_close(p);
	return rc;
}

void
pg_close(struct pg *p)
{
	if (p == NULL)
		return;
	PQfinish(p->c);
	buf_done(&p->row);
	free(p);
}

bool
pg_ok(const struct pg *p)
{
	return p->c != NULL && PQstatus(p->c) == CONNECTION_OK;
}

bool
pg_data_refused(const struct pg *p)
{
	return !p->other_fault;
}

void
pg_patience(struct pg *p, int64_t us)
{
	CHECK(us >= 0);
	p->patience_us = us > 2000000000000LL ? 0 : us;
}

/* ---- parameters -------------------------------------------------------------------------------- */

struct pg_param
pg_null(void)
{
	return (struct pg_param){.kind = PG_NULL};
}

struct pg_param
pg_text(const char *s)
{
	return s == NULL ? pg_null() : pg_text_span(span_str(s));
}

struct pg_param
pg_text_span(struct span s)
{
	return (struct pg_param){.kind = PG_TEXT, .bytes = s};
}

struct pg_param
pg_bytes(const void *data, size_t len)
{
	return (struct pg_param){.kind = PG_BYTES, .bytes = span_of(data, len)};
}

struct pg_param
pg_i64(int64_t v)
{
	return (struct pg_param){.kind = PG_I64, .i64 = v};
}

struct pg_param
pg_bool(bool v)
{
	return (struct pg_param){.kind = PG_BOOL, .i64 = v};
}

/* libpq reads a text up to its NUL, and our spans have none: copies, one behind the other. */
static char *
put_text(char *at, const struct pg_param *p)
{
	if (p->kind == PG_I64) {
		at += sprintf(at, "%" PRId64, p->i64);
	} else if (p->kind == PG_BOOL) {
		*at++ = p->i64 != 0 ? 't' : 'f';
	} else if (p->bytes.len > 0) {
		memcpy(at, p->bytes.data, p->bytes.len);
		at += p->bytes.len;
	}
	*at++ = '\0';
	return at;
}

int
pg_args_make(struct pg_args *a, const struct pg_param *params, size_t n, struct err *err)
{
	size_t room = 1;
	char *at;

	CHECK(n <= 65535);
	for (size_t i = 0; i < n; i++) {
		const struct span *bytes = &params[i].bytes;

		if (params[i].kind == PG_TEXT && bytes->len > 0 &&
		    memchr(bytes->data, 0, bytes->len) != NULL)
			return err_set(err, ERR_INVALID, "parameter %zu: text with a NUL", i + 1);
		CHECK(bytes->len <= INT32_MAX);
		room += params[i].kind == PG_TEXT ? bytes->len + 1 : 24;
	}
	a->types = xcalloc(n + 1, sizeof(*a->types));
	a->values = xcalloc(n + 1, sizeof(*a->values));
	a->lens = xcalloc(n + 1, sizeof(*a->lens));
	a->formats = xcalloc(n + 1, sizeof(*a->formats));
	a->texts = at = xmalloc(room);
	for (size_t i = 0; i < n; i++) {
		if (params[i].kind == PG_BYTES) {
			a->types[i] = BYTEA_OID;
			a->formats[i] = 1;
			a->lens[i] = (int)params[i].bytes.len;
			a->values[i] = a->lens[i] > 0 ? (const char *)params[i].bytes.data : "";
		} else if (params[i].kind != PG_NULL) {
			a->values[i] = at;
			at = put_text(at, &params[i]);
		}
	}
	return 0;
}

void
pg_args_done(struct pg_args *a)
{
	free(a->types);
	free(a->values);
	free(a->lens);
	free(a->formats);
	free(a->texts);
}

/* ---- statements -------------------------------------------------------------------------------- */

int
pg_exec(struct pg *p, const char *sql, const struct pg_param *params, size_t n,
    struct pg_result **ret, struct err *err)
{
	struct pg_args a = {0};
	int sent;

	CHECK(!p->piping && !p->copying);
	if (p->c == NULL)
		return pg_broken(p, err);
	if (pg_args_make(&a, params, n, err) != 0)
		return -1;
	sent = PQsendQueryParams(p->c, sql, (int)n, a.types, a.values, a.lens, a.formats, 0);
	pg_args_done(&a);
	if (sent != 1)
		return pg_broken(p, err);
	return pg_finish(p, ret, err);
}

int
pg_script(struct pg *p, const char *sql, struct err *err)
{
	CHECK(!p->piping && !p->copying);
	if (p->c == NULL || PQsendQuery(p->c, sql) != 1)
		return pg_broken(p, err);
	return pg_finish(p, NULL, err);
}

/* ---- results ----------------------------------------------------------------------------------- */

static const PGresult *
raw(const struct pg_result *r)
{
	return (const PGresult *)(const void *)r;
}

int
pg_rows(const struct pg_result *r)
{
	return PQntuples(raw(r));
}

bool
pg_is_null(const struct pg_result *r, int row, int col)
{
	return PQgetisnull(raw(r), row, col) != 0;
}

struct span
pg_get(const struct pg_result *r, int row, int col)
{
	CHECK(row >= 0 && row < PQntuples(raw(r)) && col >= 0 && col < PQnfields(raw(r)));
	return span_of(PQgetvalue(raw(r), row, col), (size_t)PQgetlength(raw(r), row, col));
}

int64_t
pg_get_i64(const struct pg_result *r, int row, int col)
{
	struct span text = pg_get(r, row, col);
	int64_t v = 0;

	CHECK(text_to_i64((const char *)text.data, text.len, &v));
	return v;
}

int
pg_get_bytes(const struct pg_result *r, int row, int col, struct buf *out, struct err *err)
{
	struct span text = pg_get(r, row, col);
	size_t len = text.len / 2;
	uint8_t *bytes;
	int rc = 0;

	if (pg_is_null(r, row, col))
		return 0;
	if (text.len < 2 || text.data[0] != '\\' || text.data[1] != 'x')
		return err_set(err, ERR_CORRUPT, "column %d is not bytea", col);
	bytes = xmalloc(len);
	if (!hex_decode(bytes, len - 1, (const char *)text.data + 2, text.len - 2))
		rc = err_set(err, ERR_CORRUPT, "column %d is not bytea in hex", col);
	else
		buf_add(out, bytes, len - 1);
	free(bytes);
	return rc;
}

int64_t
pg_affected(const struct pg_result *r)
{
	union {
		const struct pg_result *view;
		PGresult *raw;
	} u = {.view = r};
	const char *text = PQcmdTuples(u.raw);
	int64_t v = 0;

	(void)text_to_i64(text, strlen(text), &v);
	return v;
}

void
pg_free(struct pg_result *r)
{
	PQclear((PGresult *)(void *)r);
}
