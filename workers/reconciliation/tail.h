/* tail.h - what the archive does not hold yet. */
#ifndef RECONCILIATION_TAIL_H
#define RECONCILIATION_TAIL_H

#include "workers/reconciliation/merge.h"

/* The ledger against hf.log_tail, from after this place of the log. m was judged and is used on. */
int tail_check(struct merge *m, uint64_t epoch, uint64_t no, struct err *err);

#endif
