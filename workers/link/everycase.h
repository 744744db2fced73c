/* everycase.h - a walk over all cases of the queue. */
#ifndef LINK_EVERYCASE_H
#define LINK_EVERYCASE_H

#include "base/err.h"
#include "base/rds.h"

/* id: the case's 16 bytes; text: its state (proto/state.h). Both are borrowed. */
typedef void everycase_fn(void *arg, struct span id, struct span text);

/* Calls fn for every case. HSCAN: a case that moves meanwhile may come twice, and none is left out. -1 when Redis does not
 * answer, or refuses. */
int everycase(
    struct rds_sync *redis, const char *campaign, everycase_fn *fn, void *arg, struct err *err);

#endif
