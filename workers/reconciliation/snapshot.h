/* snapshot.h - writing down a run and its night. */
#ifndef RECONCILIATION_SNAPSHOT_H
#define RECONCILIATION_SNAPSHOT_H

#include "workers/reconciliation/figures.h"
#include "workers/reconciliation/finding.h"
#include "workers/reconciliation/nightly.h"

struct snapshot {
	const struct nightly *n;
	const json_t *census, *findings;
	const struct shelf_look *shelf;
	int64_t began_wall;
	struct case_mark mark; /* up to which cases were compared */
	bool whole, pay_agrees;
};

/* In one transaction: the run with its findings; the nights that were missed; this night, unless somebody kept it
 * before, with rates and (both computations agreeing) pay. Adds "run", "night", "kept", "late" to out. */
int snapshot_keep(const struct snapshot *s, json_t *out, struct err *err);

#endif
