/* paybook.h - the pay sheet as a workbook to print, check and sign; the wrapper of libxlsxwriter here. */
#ifndef RECONCILIATION_PAYBOOK_H
#define RECONCILIATION_PAYBOOK_H

#include <jansson.h>

#include "base/err.h"

/* Writes path (0600) from the answer of sheet_read. ERR_EXISTS when there is such a file: what may have been signed is
 * not written over. */
int paybook_write(const char *path, const json_t *sheet, struct err *err);

#endif
