/* dbf.h - rows of a DBF table (dBASE III and its kin); the one wrapper of shapelib. */
#ifndef CTL_IMPORT_DBF_H
#define CTL_IMPORT_DBF_H

#include <stdbool.h>

#include "ctl/import/decode.h"
#include "ctl/import/sheet.h"

/* Could these first n bytes of a file of `size` bytes be a DBF header? Strict, since a wrong yes
 * would hand a hostile header to the library. */
bool dbf_header(const uint8_t *head, size_t n, int64_t size, int *ret_header_bytes);

/* The field names are row 1, the first record is row 2; deleted records keep their number and are
 * left out. in is known to have a good header; d has been told the encoding. */
int dbf_read(
    const struct input *in, struct decoder *d, const struct sheet_sink *sink, struct refusal *no);

#endif
