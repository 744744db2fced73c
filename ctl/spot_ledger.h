/* spot_ledger.h - the draws of a campaign, and the records of one, as the ledger has them. */
#ifndef CTL_SPOT_LEDGER_H
#define CTL_SPOT_LEDGER_H

#include "ctl/ctl.h"
#include "ctl/spotcheck.h"

#define SPOT_DRAWS 400

struct spot_draw {
	char hash[25];
	struct spot_rates rates;
	int64_t from, until; /* records accepted in [from, until) */
	name_t by, drawn_by;
	bool drawn, fits;
	uint64_t seed;
};
/* Filled by spot_draws, in order. */
extern struct spot_draw spot_all[SPOT_DRAWS];

int spot_draws(struct ctl *c, size_t *n, struct err *err);
/* The records of a draw, with the answer. Caller frees *ret, which is NULL after a failure. */
int spot_sample(
    struct ctl *c, const struct spot_draw *d, struct spot_row **ret, size_t *n, struct err *err);
/* A row of: no, person, outcome, case, seconds, ob, seq, nth. */
bool spot_record(struct spot_row *row, const struct pg_result *r, int i);
/* The ATTEMPT of this number of the ledger. ERR_NOT_FOUND. */
int spot_find(struct ctl *c, const char *no, struct spot_row *row, struct err *err);
void spot_copy(char *out, size_t size, struct span s);

#endif
