/* header.h - the header row: which column of the sheet is which column of the kind. */
#ifndef CTL_IMPORT_HEADER_H
#define CTL_IMPORT_HEADER_H

#include "ctl/import/table.h"

/* The column that the error sheet adds: a mended sheet may come back with it. */
#define HEADER_ERRORS "错误"

/* Fills header_row, width, column_of and name_of. Refuses a header twice in the sheet and a header
 * without the required columns. */
int header_read(struct table *t, const struct sheet_row *row, struct refusal *no);
/* A column of the sheet that has no header: it is called 第N列. */
bool header_is_unnamed(const struct table *t, size_t column);
void header_name_unnamed(struct table *t, size_t column);

#endif
