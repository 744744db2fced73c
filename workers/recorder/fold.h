/* fold.h - one log entry into the batch, by its type. */
#ifndef RECORDER_FOLD_H
#define RECORDER_FOLD_H

#include <stdbool.h>

#include "workers/recorder/batch.h"

/* 1 understood; 0 not: keep it whole; -1 ERR_STALE: records of an outbox are missing before this one.
 * ret_worth: must be written now, and not only with the next one that must. */
int fold_entry(struct batch *b, const struct raw_entry *raw, bool *ret_worth, struct err *err);

#endif
