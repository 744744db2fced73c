/* since.h - what the newest run left to a later one of the same night. */
#ifndef RECONCILIATION_SINCE_H
#define RECONCILIATION_SINCE_H

#include "workers/reconciliation/figures.h"
#include "workers/reconciliation/nightly.h"

struct since {
	bool some; /* only what is new needs a look; the rest is set then */
	int64_t ledger_no;
	struct case_mark cases;
	int64_t segment;           /* of the archive; 0 none */
	int64_t log_epoch, log_no; /* the archive's end then */
};

/* Only after a run of this night that was kept with its pay, found no difference and was not behind. */
int since_read(const struct nightly *n, struct since *ret, struct err *err);

#endif
