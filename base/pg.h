/* pg.h - PostgreSQL; the one wrapper of libpq. Blocking, for programs that may wait on it (recorder,
 * reconcile, hfctl, dashboard's helper thread); with pipeline mode for batches. Parameters always
 * travel apart from the SQL text; errors show the constraint's name and SQLSTATE, never a value. */
#ifndef BASE_PG_H
#define BASE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct pg;
struct pg_result;

/* conninfo as libpq reads it. Unless it says otherwise, connect_timeout is 5 s and the server's
 * statement_timeout 60 s. ERR_GONE when nobody answers. */
int pg_open(struct pg **ret, const char *conninfo, struct err *err);
void pg_close(struct pg *p);    /* NULL-safe */
bool pg_ok(const struct pg *p); /* the connection stands */
/* Whatever was refused so far, was refused for the data given (SQLSTATE 22, 23, 54, P0), and not for a
 * missing table, right or the like. */
bool pg_data_refused(const struct pg *p);
/* How long to wait for the next sign of life of the server (a stopped one would hang us for ever);
 * 90 s at first, 0: without limit. When it passes the connection is closed: ERR_GONE. */
void pg_patience(struct pg *p, int64_t us);

/* A parameter: text, bytes (bytea, binary), int8, or NULL. */
struct pg_param {
	enum { PG_NULL, PG_TEXT, PG_BYTES, PG_I64, PG_BOOL } kind;
	struct span bytes; /* PG_TEXT, PG_BYTES */
	int64_t i64;       /* PG_I64, PG_BOOL */
};
struct pg_param pg_null(void);
struct pg_param pg_text(const char *s); /* NULL gives NULL */
struct pg_param pg_text_span(struct span s);
struct pg_param pg_bytes(const void *data, size_t len);
struct pg_param pg_i64(int64_t v);
struct pg_param pg_bool(bool v);

/* One statement. ret may be NULL. ERR_GONE: the connection broke, the outcome of a COMMIT is unknown;
 * ERR_EXISTS: unique violation; ERR_BUSY: lock, serialization, statement timeout, or the server lacks
 * room or is a standby (nothing is wrong with the statement: try again later); ERR_INVALID: the rest.
 * PG_TEXT may not hold NUL. Results are in text format; pg_get_bytes decodes bytea. */
int pg_exec(struct pg *p, const char *sql, const struct pg_param *params, size_t n,
    struct pg_result **ret, struct err *err);
/* Several statements without parameters (migrations). */
int pg_script(struct pg *p, const char *sql, struct err *err);
int pg_rows(const struct pg_result *r);
bool pg_is_null(const struct pg_result *r, int row, int col);
struct span pg_get(const struct pg_result *r, int row, int col); /* text as the server printed it */
int64_t pg_get_i64(const struct pg_result *r, int row, int col); /* CHECKs: a number, not NULL */
/* bytea column decoded into out (appended). */
int pg_get_bytes(const struct pg_result *r, int row, int col, struct buf *out, struct err *err);
int64_t pg_affected(const struct pg_result *r);
void pg_free(struct pg_result *r); /* NULL-safe */

/* Pipeline: queue prepared statements, then flush; per-statement outcome by callback in order.
 * Reads while it writes; leaves the pipeline clean whatever happened. */
int pg_prepare(struct pg *p, const char *name, const char *sql, struct err *err);
int pg_pipe_begin(struct pg *p, struct err *err);
int pg_pipe_add(
    struct pg *p, const char *prepared, const struct pg_param *params, size_t n, struct err *err);
/* Sends a Sync and reads everything. ret_results (may be NULL): array of n results in order (n as many
 * as were added), freed by the caller one by one. On -1 the first failing statement's story is in
 * err, the array holds NULLs, and an open transaction of the caller was rolled back. */
int pg_pipe_end(struct pg *p, struct pg_result **ret_results, size_t n, struct err *err);

/* Like PostgreSQL's COPY … FROM STDIN in text format. */
int pg_copy_begin(struct pg *p, const char *sql, struct err *err);
int pg_copy_row(struct pg *p, const struct pg_param *cols, size_t n, struct err *err);
int pg_copy_end(struct pg *p, struct err *err);

#endif
