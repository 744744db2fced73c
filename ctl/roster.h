/* roster.h - rows of a roster become sealed tasks, keys and IMPORT records (PROTOCOL.md 14.5). */
#ifndef CTL_ROSTER_H
#define CTL_ROSTER_H

#include <jansson.h>

#include "ctl/ctl.h"

struct roster;

/* Fetches what tells old rows from new ones: the campaign's keys. */
int roster_open(struct ctl *c, struct roster **ret, struct err *err);
void roster_close(struct roster *r); /* NULL-safe */
/* A good line of hf-import; lines are looked up many at a time. look: only find out whether its 考生号 is new. Otherwise:
 * send it. */
int roster_row(struct roster *r, json_t *line, bool look, struct err *err);
/* After the last line of a reading: what of its rows was new, and what was known. */
int roster_end(struct roster *r, size_t *ret_fresh, size_t *ret_known, struct err *err);
/* Before the second reading: a new import id, the outbox. */
int roster_begin(struct roster *r, struct err *err);
/* The rest of the rows, then the COMMIT, and the wait for its effect. ERR_LATE: not within the limit. `seen` (may be
 * NULL) is called now and then meanwhile. */
int roster_commit(struct roster *r, uint64_t (*seen)(void *), void *arg, struct err *err);

#endif
