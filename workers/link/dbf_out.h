/* dbf_out.h - writes a DBF table in GB18030, record by record; the wrapper of shapelib's writing half (reading: ctl/import/dbf.h). */
#ifndef LINK_DBF_OUT_H
#define LINK_DBF_OUT_H

#include "base/buf.h"
#include "base/err.h"

#define DBF_NAME_BYTES 10

struct dbf_field {
	const char *name; /* at most DBF_NAME_BYTES in GB18030 */
	int width;        /* bytes, 1-254 */
};

struct dbf_out;

int dbf_out_open(struct dbf_out **ret, const char *path, const struct dbf_field *fields, size_t n,
    struct err *err);
/* Cells are UTF-8; ERR_FULL if one does not fit its field. */
int dbf_out_row(struct dbf_out *o, const struct span *cells, size_t n, struct err *err);
int dbf_out_close(struct dbf_out *o, struct err *err); /* frees o */

#endif
