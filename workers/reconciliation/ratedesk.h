/* ratedesk.h - rates and ids as a person or hfctl asks for them. */
#ifndef RECONCILIATION_RATEDESK_H
#define RECONCILIATION_RATEDESK_H

#include "workers/reconciliation/figures.h"

/* 0, -1. past: as of then, NULL: now. by: caller, team, campaign, stage; person: of these cases alone, or NULL. */
int ratedesk_rates(struct pg *pg, const char *campaign, const char *by, const char *person,
    const struct past *past, bool json, struct err *err);
int ratedesk_ids(struct pg *pg, const char *campaign, const struct figures_of *of,
    const struct past *past, bool json, struct err *err);

#endif
