/* kinds.h - the sheets that can be imported. PROTOCOL of the output: ctl/import/IMPORT.md. */
#ifndef CTL_IMPORT_KINDS_H
#define CTL_IMPORT_KINDS_H

#include "ctl/import/table.h"

extern const struct table_kind roster_kind;
extern const struct table_kind people_kind;
extern const struct table_kind holidays_kind;
extern const struct table_kind arrivals_kind;
extern const struct table_kind payments_kind;
extern const struct table_kind admitted_kind;
extern const struct table_kind pay_kind;
extern const struct table_kind records_kind;

/* A 考生号 that stands in the file once, appended to ret; nothing when it is bad (told). */
void kinds_take_key(struct table *t, int column, struct buf *ret);

/* The same, and it may stand in other rows too. True: there is one. */
bool kinds_read_key(struct table *t, int column, struct buf *ret);

#endif
