/* flags.h - `hf-reconcile flags`: the plausibility flags of what callers told, by person and day. */
#ifndef RECONCILIATION_FLAGS_H
#define RECONCILIATION_FLAGS_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"

/* person and day (YYYY-MM-DD, in Shanghai) may be NULL: everybody, every day. keys: the key store's endpoint; when it
 * is away, copied notes are not looked for and "notes" is false.
 * {"notes":true,"rows":[{"no":N,"day":"…","person":"…","case":"…","flag":"overlap","text":"…","value":N,
 * "explained":N or null,"ob":"…","seq":N}]}; no: the record's number in the ledger, explained: that of the person's own NOTE about it. */
int flags_read(struct pg *pg, const char *keys, const char *campaign, const char *person,
    const char *day, json_t **ret, struct err *err);
void flags_print(const json_t *out);

#endif
