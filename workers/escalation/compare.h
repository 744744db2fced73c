/* compare.h - whom a changed policy concerns: before it is applied, and without touching anything. */
#ifndef ESCALATION_COMPARE_H
#define ESCALATION_COMPARE_H

#include "workers/escalation/law.h"

/* Would the same news have the case go elsewhere, or at another time, under `next` than under ctx's own policy?
 * The news is its newest outcome once more (nobody answered, when there was none). Ended and unreleased cases:
 * no. next_calendar belongs to next. */
bool policy_concerns(const struct law_case *c, const struct law_ctx *ctx, const struct policy *next,
    const struct calendar *next_calendar);

/* `hf-router --try-policy FILE`: prints what is changed and whom it concerns, one thing a line with tabs, for
 * hfctl policy. Returns an exit code of sysexits. */
struct home;
int compare_run(struct home *home, const char *wanted, const char *shipped, const char *path);

#endif
