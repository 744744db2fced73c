/* sheet_out.h - writes a sheet row by row, in constant memory; the one wrapper of libxlsxwriter.
 *
 * XLSX: every cell is a text cell, so that no id or number is ever taken for a number. CSV: fields
 * are quoted where needed. The file is private (0600) and stands under its name only when closed. */
#ifndef CTL_IMPORT_SHEET_OUT_H
#define CTL_IMPORT_SHEET_OUT_H

#include "base/buf.h"
#include "base/err.h"

enum sheet_out_format { SHEET_OUT_XLSX, SHEET_OUT_CSV };

enum {
	SHEET_OUT_BOM = 1, /* CSV: byte order mark first */
	SHEET_OUT_GB18030 = 4,
	SHEET_OUT_ESCAPE =
	    2, /* CSV: an apostrophe before = + - @ TAB CR, which a sheet would run */
};

#define SHEET_OUT_XLSX_ROWS 1048576

struct sheet_out;

int sheet_out_open(struct sheet_out **ret, const char *path, enum sheet_out_format format,
    unsigned flags, struct err *err);
/* ERR_FULL: an XLSX sheet has no more rows. */
int sheet_out_row(struct sheet_out *o, const struct span *cells, size_t n, struct err *err);
/* Both free o. Close makes the file visible; abort removes what was written. */
int sheet_out_close(struct sheet_out *o, struct err *err);
void sheet_out_abort(struct sheet_out *o); /* NULL-safe */

#endif
