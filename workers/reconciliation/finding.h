/* finding.h - what the checks of a night add to one list, a JSON array. */
#ifndef RECONCILIATION_FINDING_H
#define RECONCILIATION_FINDING_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"
#include "base/rds.h"
#include "workers/link/home.h"

#define FINDINGS_OF_A_KIND 100

/* level "difference" or "notice"; case_hex, here, there may be NULL. Beyond FINDINGS_OF_A_KIND of a kind nothing is
 * added. */
void finding_add(json_t *list, const char *level, const char *kind, const char *case_hex,
    const char *here, const char *there);
/* Those that are in both lists, word for word: what two looks agree on did not just move. A new reference. */
json_t *finding_both(const json_t *a, const json_t *b);

/* Is each case of Redis in the one lane, or under the one lease, that its state says? */
int places_check(struct rds_sync *redis, const char *campaign, json_t *findings, struct err *err);
/* Are these n (at most MOVED_BATCH)? state: as Redis has it, empty when it has not. */
#define MOVED_BATCH 500
int places_check_some(struct rds_sync *redis, const char *campaign, uint8_t (*id)[16],
    const struct span *state, size_t n, json_t *findings, struct err *err);

/* The archive against the ledger, record by record, and its chain and signatures (not checked where secrets hold no
 * recorder.pub). */
struct shelf_look {
	uint64_t segments, records;
	char last[48]; /* log id of its end, "" when it is empty */
};
struct since; /* of since.h: what an earlier run looked at already */
int shelf_check(struct pg *pg, const struct home *home, const char *campaign,
    const struct since *since, json_t *findings, struct shelf_look *ret, struct err *err);

/* Puts rows of case_state right that findings of kind redis-pg name, where the rule allows it; marks them. */
int mend_cases(
    struct pg *pg, struct rds_sync *redis, const char *campaign, json_t *findings, struct err *err);

#endif
