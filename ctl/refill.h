/* refill.h - the parts of `hfctl recover`: an empty queue store filled from PostgreSQL, and the other way round. */
#ifndef CTL_REFILL_H
#define CTL_REFILL_H

#include "ctl/ctl.h"

verb_fn recover_postgres; /* cmd_rebuild.c */

struct refill_counts {
	size_t tail, persons, agents, outboxes, cases, awaited;
};

/* The stretch of the log that PostgreSQL keeps, entry by entry under its old ids; before the epoch is opened. */
int refill_tail(struct ctl *c, struct refill_counts *n, struct err *err);
/* Everything else; between `open` and `restored`. */
int refill_rest(struct ctl *c, struct refill_counts *n, struct err *err);
/* `restored`: whom to wait for (all agents but the router's own), and until when. */
int refill_end(struct ctl *c, int64_t until_ms, struct refill_counts *n, struct err *err);

#endif
