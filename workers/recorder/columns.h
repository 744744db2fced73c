/* columns.h - a record as a row of hf.ledger. */
#ifndef RECORDER_COLUMNS_H
#define RECORDER_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pg.h"
#include "workers/recorder/batch.h"

#define LEDGER_COLUMNS 74

/* One row's parameters and what they point into; {0} to begin, reused row after row. */
struct columns {
	struct pg_param p[LEDGER_COLUMNS];
	struct record_header header;
	struct buf lists;
};

/* "campaign, no, ob, …": in the order of p. */
void columns_names(struct buf *out);
/* Is there a row? A frame that does not decode has none, nor has what was recorded before. */
bool columns_wanted(const struct row *r);
/* p borrows from c, r and book. */
void columns_fill(struct columns *c, const struct row *r, const struct book *book, uint64_t no);
void columns_done(struct columns *c);

#endif
