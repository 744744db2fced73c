/* sheet.h - what every reader (CSV, DBF, XLSX) hands on: rows of cells, one at a time.
 *
 * A reader calls sink->row once per row, in order; everything in the row is borrowed and valid
 * only during the call. Cell text is well-formed UTF-8 without NUL. A sink that returns -1 has
 * filled the refusal, and the reader returns -1 as well. */
#ifndef CTL_IMPORT_SHEET_H
#define CTL_IMPORT_SHEET_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ctl/import/refuse.h"

#define SHEET_COLUMNS    64
#define SHEET_CELL_BYTES 4096
#define SHEET_ROW_BYTES  65536
#define SHEET_ROWS       2000000

enum cell_kind {
	CELL_TEXT,    /* as typed */
	CELL_NUMBER,  /* XLSX number: decimal text of a double, perhaps with an exponent */
	CELL_FORMULA, /* XLSX formula: no text, since it is not evaluated */
	CELL_ERROR,   /* XLSX error value such as #N/A: no text */
	CELL_LONG,    /* more than SHEET_CELL_BYTES, text cut */
};

struct cell {
	enum cell_kind kind;
	struct span text;
};

struct sheet_row {
	int64_t number; /* as a person sees it: the header is 1 unless blank rows stand above it */
	size_t n;
	struct cell cells[SHEET_COLUMNS];
};

struct sheet_sink {
	int (*row)(void *arg, const struct sheet_row *row, struct refusal *no);
	void *arg;
};

#endif
