/* pg_private.h - what pg.c and pg_batch.c share. */
#ifndef BASE_PG_PRIVATE_H
#define BASE_PG_PRIVATE_H

#include <libpq-fe.h>

#include "base/pg.h"

struct pg {
	PGconn *c;           /* owned; NULL once given up */
	int64_t patience_us; /* 0: none */
	bool piping, copying;
	bool other_fault; /* see pg_data_refused */
	int queued;       /* statements in the pipeline */
	struct buf row;   /* of a COPY, its memory kept from row to row */
};

/* A statement's parameters as libpq wants them. */
struct pg_args {
	Oid *types;
	const char **values;
	int *lens, *formats;
	char *texts; /* owned: all texts with their NULs */
};

int pg_args_make(struct pg_args *a, const struct pg_param *params, size_t n, struct err *err);
void pg_args_done(struct pg_args *a);

/* ERR_GONE with what libpq says of the connection. */
int pg_broken(struct pg *p, struct err *err);
/* 0 if the result is a success of any kind; else its story. */
int pg_judge(struct pg *p, const PGresult *r, struct err *err);
/* The next result of what was sent; *ret NULL at the end of a statement. Writes while it reads. */
int pg_next(struct pg *p, PGresult **ret, struct err *err);
/* Waits until the descriptor can be read (or also written) within the patience. */
int pg_wait(struct pg *p, bool for_write, struct err *err);
/* Reads to the end of the running statement and keeps its first failure, or its last result. */
int pg_finish(struct pg *p, struct pg_result **ret, struct err *err);

#endif
