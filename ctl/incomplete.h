/* incomplete.h - which cases do not count as complete: no own number, or no parent's, and no reason why. */
#ifndef CTL_INCOMPLETE_H
#define CTL_INCOMPLETE_H

#include <jansson.h>

#include "ctl/ctl.h"

/* [{case, owner, lane, missing: ["self", "parent"]} …] of cases that have an owner and are not at an end; person NULL:
 * of all. Opens their tasks with the key store's keys and keeps nothing of them. The caller frees *ret. */
int incomplete_list(struct ctl *c, const char *person, json_t **ret, struct err *err);
/* {owner: {cases, incomplete} …} of the same cases. */
int incomplete_by_person(struct ctl *c, json_t **ret, struct err *err);

#endif
