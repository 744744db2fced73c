/* csv_sheet.h - rows of a CSV file; the one wrapper of libcsv. */
#ifndef CTL_IMPORT_CSV_SHEET_H
#define CTL_IMPORT_CSV_SHEET_H

#include "ctl/import/decode.h"
#include "ctl/import/sheet.h"

/* `skip` bytes (a byte order mark) are left out. d has been told the encoding. Rows are records as
 * they stand in the file, blank lines counted; comma, tab or semicolon, whichever the first line
 * has most of. */
int csv_sheet_read(const struct input *in, int64_t skip, struct decoder *d,
    const struct sheet_sink *sink, struct refusal *no);

#endif
