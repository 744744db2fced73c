/* table.h - a sheet with a header row: finds the columns, normalises each row's cells, and hands
 * the row to the rules of its kind (roster, people, holidays). Counts and reports what they find. */
#ifndef CTL_IMPORT_TABLE_H
#define CTL_IMPORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/import/badrows.h"
#include "ctl/import/day.h"
#include "ctl/import/keyset.h"
#include "ctl/import/lines.h"
#include "ctl/import/norm.h"
#include "ctl/import/problem.h"
#include "ctl/import/sheet.h"

#define TABLE_COLUMNS  24
#define NO_COLUMN      (-1) /* not a column of the kind: kept as extra */
#define IGNORED_COLUMN (-2)

enum column_need { COLUMN_OPTIONAL, COLUMN_REQUIRED, COLUMN_ONE_OF };

struct table_column {
	const char *name;    /* the Chinese header, also used in texts */
	const char *aliases; /* other headers, separated by blanks; ASCII ones in any case */
	enum norm_mode mode;
	enum column_need need;
};

struct table_value {
	struct span text; /* normalised; empty for formulas and error values */
	struct span raw;
	enum cell_kind kind;
	unsigned changes; /* NORM_… flags */
};

struct table;

struct table_kind {
	const char *word; /* what the sheet is, in Chinese: 考生名单 */
	const struct table_column *columns;
	int n;
	bool keeps_extra; /* unknown columns go into "extra" */
	/* Judges t->value[], calls table_problem and table_changed, and puts a line if the row is
	 * still good. */
	void (*row)(struct table *t);
};

struct table {
	const struct table_kind *kind;
	struct day today;
	const char *format; /* "xlsx", "csv", "dbf" */
	struct lines *out;
	struct badrows *bad_rows;
	struct keyset *keys;

	/* the header: for each column of the sheet the column of the kind, NO_COLUMN or
	 * IGNORED_COLUMN */
	int64_t header_row; /* 0: not seen yet */
	size_t width;
	int column_of[SHEET_COLUMNS];
	char *name_of[SHEET_COLUMNS]; /* owned */
	bool warned[SHEET_COLUMNS];

	/* the row in hand */
	int64_t row;
	const struct sheet_row *cells;
	struct table_value value[TABLE_COLUMNS];
	bool is_bad;
	struct buf text;    /* normalised texts of the row */
	struct buf wrong;   /* errors of the row, for the error sheet */
	struct buf changed; /* what was normalised, one line each */

	int64_t rows, good, bad, warnings, changes;
};

void table_init(struct table *t, const struct table_kind *kind, struct day today, uint64_t seed);
void table_done(struct table *t);
/* sheet_sink.row; arg is the table. */
int table_row(void *arg, const struct sheet_row *row, struct refusal *no);
/* After the last row: was there a header at all? */
int table_finish(struct table *t, struct refusal *no);

/* For kinds. column NO_COLUMN: the row as a whole; other: the row that a text with %jd names. */
void table_problem(struct table *t, int column, enum problem p, int64_t other);
void table_changed(struct table *t, int column, const char *what);
/* Reports cells that no rule needs to look at: too long, error value, control characters, missing
 * characters, required but empty. True if the value can be used (it may be empty). */
bool table_usable(struct table *t, int column);
/* Puts "extra" and "changed" into a good row's line and the line out. */
void table_put(struct table *t, struct line *line);

#endif
