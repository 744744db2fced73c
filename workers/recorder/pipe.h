/* pipe.h - everything of a batch but the ledger's rows, as one pipeline of statements. */
#ifndef RECORDER_PIPE_H
#define RECORDER_PIPE_H

#include "base/pg.h"
#include "workers/recorder/batch.h"

struct pipe {
	struct pg *pg;           /* borrowed */
	const struct book *book; /* borrowed */
	size_t n, cap;           /* statements */
	bool *must;              /* owned: this one must change exactly one row */
};

int pipe_begin(struct pipe *p, struct pg *pg, const struct book *book, struct err *err);
int pipe_batch(struct pipe *p, const struct batch *b, struct err *err);
/* Always after a good pipe_begin. ERR_STALE: a compare-and-set found something else. */
int pipe_end(struct pipe *p, struct err *err);

#endif
