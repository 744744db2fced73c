/* campaign.h - inside of what records without a case do: shared by campaign.c and people.c. */
#ifndef ESCALATION_CAMPAIGN_H
#define ESCALATION_CAMPAIGN_H

#include "workers/escalation/router.h"

/* An act of the law upon many cases, each at most once. */
struct on_all {
	struct law_act act;
	int64_t now;
	struct logid at;
};
void campaign_apply(struct router *r, struct rcase *c, void *on_all);

void people_person(struct router *r, const struct record_header *h, int64_t now);
void people_enrol(struct router *r, const struct record_header *h, int64_t now);
void people_revoke(struct router *r, const struct record_header *h, int64_t now);
void people_absence(struct router *r, const struct record_header *h, int64_t now, struct logid at);
/* Whom an imported case is reserved for is in router.h; whoever may be given first calls: */
bool people_is_caller(const struct rperson *p);

/* closing.c: may pass 3 end? Says in r->closing what is missing. */
bool closing_may(struct router *r, struct logid at);

#endif
