/* xlsx_sheet.h - the rows of one worksheet part. */
#ifndef CTL_IMPORT_XLSX_SHEET_H
#define CTL_IMPORT_XLSX_SHEET_H

#include "ctl/import/xlsx_strings.h"

int xlsx_sheet_read(struct pack *p, int index, const struct xlsx_strings *strings,
    const struct sheet_sink *sink, struct refusal *no);

#endif
