/* whatif.h - pay of a sheet, without any server (design.md 9). */
#ifndef RECONCILIATION_WHATIF_H
#define RECONCILIATION_WHATIF_H

#include <jansson.h>

#include "base/err.h"

/* 0: *ret = {"rows":[…]} in the order of the file, and *errors says which columns were not used: [{"text"}].
 * -1: the file cannot be used, and *errors says what is wrong with which row: [{"row","column","code","text"}].
 * *errors is a new reference either way, perhaps empty. */
int whatif_file(const char *file, json_t **ret, json_t **errors, struct err *err);

#endif
