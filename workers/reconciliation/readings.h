/* readings.h - which reading of each open question pay is computed by: the campaign's policy, or a closed sheet's. Pure. */
#ifndef RECONCILIATION_READINGS_H
#define RECONCILIATION_READINGS_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "workers/reconciliation/pay.h"

#define READINGS        7 /* Q1 Q2 Q3 Q4 Q6 Q7 Q18 */
#define READINGS_UNABLE 64

struct readings {
	int64_t version;       /* of the policy; 0: none was read, the defaults hold */
	int64_t minimum_share; /* per cent of the placed a caller, while nobody set a minimum */
	int word[READINGS];    /* index into the table of readings.c */
	char unable
	    [READINGS_UNABLE]; /* a reading that pay cannot be computed by ("Q19 team"), or "" */
	struct pay_policy policy;
};

void readings_default(struct readings *r);
/* The lines `policy | version | …`, `set | volume.minimum-share | n%` and `question | Qn | word` of a policy file; what it does not say stays default.
 * ERR_INVALID with the line for a word that the question does not have. */
int readings_of_policy(struct readings *r, struct span text, struct err *err);
/* What readings_json wrote. */
int readings_of_json(struct readings *r, const json_t *rules, struct err *err);
json_t *readings_json(const struct readings *r);
bool readings_are_default(const struct readings *r);
bool readings_usual_share(const struct readings *r);
/* The word of hf.pay_sheet for the reading i, in the order of the table. */
const char *readings_sql(const struct readings *r, int i);

#endif
