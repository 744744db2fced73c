/* page.h - one sheet of an export, in memory as text, and its ways to a file: XLSX, CSV, DBF.
 *
 * The same page gives the same bytes, whenever it is written. One page is one file, so that a changed row can be
 * named. XLSX: text cells are text (ids and phones keep their zeros), header frozen, ready to print. CSV: what a
 * spreadsheet would take for a formula gets an apostrophe in front. */
#ifndef RECONCILIATION_PAGE_H
#define RECONCILIATION_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum page_kind { PAGE_TEXT, PAGE_COUNT, PAGE_YUAN }; /* numbers are cells of digits, or empty */
enum page_format { PAGE_XLSX, PAGE_CSV, PAGE_CSV_GB18030, PAGE_DBF };

struct page_column {
	const char *head;
	enum page_kind kind;
	int width;     /* of the XLSX column, in characters */
	int dbf_width; /* bytes of the DBF field, 0: not in the table */
};

struct page {
	const char *file;  /* name without ending */
	const char *sheet; /* what the sheet is called */
	const char *title; /* printed above the header; NULL: the header is row 1 */
	char note[200];    /* under the title, "" none */
	const char *sign;  /* what stands below to be signed, NULL nothing */
	const struct page_column *columns;
	size_t n_columns;
	int64_t
	    made_wall; /* ms: written into the workbook as its date, since "now" would change its bytes */
	char **cells; /* owned, row after row */
	size_t n_cells, cap;
};

void page_init(struct page *p, const char *file, const char *sheet,
    const struct page_column *columns, size_t n_columns);
void page_done(struct page *p);
void page_cell(struct page *p, struct span text);
void page_str(struct page *p, const char *text); /* NULL is empty */
void page_int(struct page *p, int64_t n);
void page_yuan(struct page *p, int64_t fen); /* not below 0 */
size_t page_rows(const struct page *p);      /* CHECKs that the last row is whole */
void page_sort(struct page *p);              /* rows by their first cell, then by the next … */
const char *page_ending(enum page_format format); /* ".xlsx" */

/* Writes dir/<file><ending>, 0600. ERR_EXISTS if there is such a file. */
int page_write(const struct page *p, const char *dir, enum page_format format, struct err *err);
/* page_write for PAGE_XLSX; path is there and empty. dir: for temporary files, there are names in them. */
int page_xlsx(const struct page *p, const char *path, const char *dir, struct err *err);

#endif
