/* past.h - a moment of the ledger, and what no view tells of it: who had arrived, and which rules were in force. */
#ifndef RECONCILIATION_PAST_H
#define RECONCILIATION_PAST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/pg.h"
#include "workers/reconciliation/readings.h"

struct past {
	int64_t no;         /* the newest row of the ledger that was there; 0: none */
	int64_t at;         /* campaign ms */
	struct buf arrived; /* references of the cases that had come, 16 bytes each */
	struct readings rules;
};

#define PAST_INIT                                                                                  \
	{                                                                                          \
		.arrived = BUF_INIT                                                                \
	}

/* As of a campaign time (ms). keys: the endpoint of the key store, which opens arrivals and policies. */
int past_read(struct past *ret, struct pg *pg, const char *keys, const char *campaign, int64_t at,
    struct err *err);
/* As of a row that is there, accepted at that campaign time. */
int past_read_row(struct past *ret, struct pg *pg, const char *keys, const char *campaign,
    int64_t no, int64_t at, struct err *err);
void past_done(struct past *p);
/* The first four parameters of hf.figures_at and its like: campaign, no, at, arrived. */
void past_params(struct pg_param p[4], const struct past *past, const char *campaign);

#endif
