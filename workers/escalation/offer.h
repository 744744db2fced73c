/* offer.h - which lanes a person is offered, in the order of practice.md 3, and how much of the pool. Pure;
 * the queue keeps the result as data and pops the first lane that has something due. */
#ifndef ESCALATION_OFFER_H
#define ESCALATION_OFFER_H

#include "workers/escalation/law.h"

#define OFFER_LANES 16

struct offer_person {
	const char *person, *team; /* team "" for none */
	uint32_t roles;            /* proto/roles.h */
	bool qualified;            /* approved: nobody else is offered anything */
	int own, without_result;   /* cases in hand and in the own lanes; those never called yet */
};

/* The campaign's side. volume: released and placed cases; callers: who shares them. */
struct offer_campaign {
	int pass;            /* open now, 0 none */
	enum gate gate;      /* GATE_ASKED: only what was asked for at this hour */
	int64_t released_at; /* the newest release, 0 none */
	int volume, callers;
};

struct offer {
	int n;
	char lanes[OFFER_LANES][LAW_LANE_MAX];
	int pulls;     /* how many pool cases more; the pool is in the list only if > 0 */
	int64_t until; /* when the pull limit ends by itself, CALENDAR_NEVER if it does not */
};

/* How many cases of the pool the person may still take. */
int offer_caps(const struct policy *p, const struct calendar *c, int64_t now,
    const struct offer_campaign *x, const struct offer_person *who, int64_t *ret_until);
void offer_lanes(struct offer *ret, const struct policy *p, const struct calendar *c, int64_t now,
    const struct offer_campaign *x, const struct offer_person *who);

#endif
