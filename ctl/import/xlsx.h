/* xlsx.h - rows of an XLSX workbook: the sheet named 名单, else the first visible one. */
#ifndef CTL_IMPORT_XLSX_H
#define CTL_IMPORT_XLSX_H

#include "ctl/import/input.h"
#include "ctl/import/sheet.h"

void xlsx_prepare(void); /* once, before the sandbox */
/* *ret_other_sheets: how many visible sheets were not read. */
int xlsx_read(const struct input *in, const struct sheet_sink *sink, int *ret_other_sheets,
    struct refusal *no);

#endif
