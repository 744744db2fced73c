/* closed.h - pay sheets that lie sealed in the ledger: waiting for their second person, or closed for ever. */
#ifndef RECONCILIATION_CLOSED_H
#define RECONCILIATION_CLOSED_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"

/* The sheet whose COMMIT has this ledger number, as it was said. keys: the endpoint of the key store. ERR_NOT_FOUND;
 * ERR_CORRUPT when the sheet is not the one whose hash was signed. */
int closed_read(struct pg *pg, const char *keys, const char *campaign, int64_t no, json_t **ret,
    struct err *err);
/* *ret: a list of all closed sheets, the first one is the close, supplements follow; empty when nothing is closed. */
int closed_all(
    struct pg *pg, const char *keys, const char *campaign, json_t **ret, struct err *err);

#endif
