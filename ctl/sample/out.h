/* out.h - one face for the three kinds of file. */
#ifndef CTL_SAMPLE_OUT_H
#define CTL_SAMPLE_OUT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define OUT_COLUMNS 24

enum out_format { OUT_XLSX, OUT_CSV, OUT_CSV_PLAIN, OUT_CSV_GB18030, OUT_DBF };

struct out;

/* headers become the first row, or the field names of a DBF. */
int out_open(struct out **ret, const char *path, enum out_format format, const char *const *headers,
    size_t n, struct err *err);
/* cells[i] belongs to headers[i]. */
int out_row(struct out *o, const struct span *cells, struct err *err);
int out_close(struct out *o, struct err *err); /* frees o */

/* "xlsx", "csv", "csv-nobom", "csv-gb18030", "dbf" -> format; 0 or -1. */
int out_format_of(const char *word, enum out_format *ret);
const char *out_format_word(enum out_format format);

#endif
