/* roster.h - rows of a roster become sealed tasks, keys and IMPORT records (PROTOCOL.md 14.5). */
#ifndef CTL_ROSTER_H
#define CTL_ROSTER_H

#include <jansson.h>

#include "ctl/ctl.h"

struct roster;

/* Fetches what tells old rows from new ones: the campaign's keys. */
int roster_open(struct ctl *c, struct roster **ret, struct err *err);
void roster_close(struct roster *r); /* NULL-safe */
/* A good line of hf-import. look: only answer whether its 考生号 is new. Otherwise: send it. */
int roster_row(struct roster *r, const json_t *line, bool look, bool *ret_fresh, struct err *err);
/* Before the second reading: a new import id, the outbox. */
int roster_begin(struct roster *r, struct err *err);
/* The rest of the rows, then the COMMIT, and the wait for its effect. ERR_LATE: not within the limit. */
int roster_commit(struct roster *r, struct err *err);

#endif
