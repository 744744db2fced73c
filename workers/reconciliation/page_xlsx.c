/* page_xlsx.c - a page as a workbook: libxlsxwriter in its row-by-row mode, its temporary files beside the result.
 *
 * Happy path: title and note, header, rows, a line to sign; A4 across, as wide as one page, the header on each. The
 * workbook's date is the page's. Failures: no room. Money becomes a binary number only here, as the format has no
 * other. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xlsxwriter.h>

#include "base/check.h"
#include "workers/reconciliation/page.h"

#define TITLE_ROWS 2
#define A4         9
#define AS_TEXT    49 /* @: text, whatever is typed later */

struct book {
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *head, *title, *text, *count, *yuan;
	const struct page *p;
	lxw_row_t top; /* the header's row */
	lxw_error failed;
};

static void
note_error(struct book *b, lxw_error rc)
{
	if (b->failed == LXW_NO_ERROR)
		b->failed = rc;
}

static lxw_format *
format(struct book *b, const char *number)
{
	lxw_format *f = workbook_add_format(b->book);

	CHECK(f != NULL);
	format_set_border(f, LXW_BORDER_HAIR);
	if (number == NULL)
		format_set_num_format_index(f, AS_TEXT);
	else
		format_set_num_format(f, number);
	return f;
}

static void
set_up(struct book *b)
{
	lxw_doc_properties about = {.title = (char *)(uintptr_t)b->p->sheet,
	    .created = (time_t)(b->p->made_wall > 1000 ? b->p->made_wall / 1000 : 1)};

	note_error(b, workbook_set_properties(b->book, &about));
	b->sheet = workbook_add_worksheet(b->book, b->p->sheet);
	CHECK(b->sheet != NULL);
	b->head = format(b, NULL);
	format_set_bold(b->head);
	format_set_bg_color(b->head, 0xE8EEF4);
	b->title = workbook_add_format(b->book);
	format_set_bold(b->title);
	format_set_font_size(b->title, 14);
	b->text = format(b, NULL);
	b->count = format(b, "0");
	b->yuan = format(b, "0.00");
	for (size_t c = 0; c < b->p->n_columns; c++)
		note_error(b, worksheet_set_column(b->sheet, (lxw_col_t)c, (lxw_col_t)c,
		                  b->p->columns[c].width, NULL));
	b->top = b->p->title != NULL ? TITLE_ROWS : 0;
	worksheet_freeze_panes(b->sheet, b->top + 1, 0);
	worksheet_repeat_rows(b->sheet, b->top, b->top);
	worksheet_set_landscape(b->sheet);
	worksheet_set_paper(b->sheet, A4);
	worksheet_fit_to_pages(b->sheet, 1, 0);
	worksheet_set_footer(b->sheet, "&L&A&R&P / &N");
}

static void
put(struct book *b, lxw_row_t row, size_t column, const char *text)
{
	lxw_col_t c = (lxw_col_t)column;
	enum page_kind kind = b->p->columns[column].kind;

	if (kind == PAGE_TEXT || text[0] == '\0')
		note_error(b, worksheet_write_string(b->sheet, row, c, text, b->text));
	else
		note_error(b, worksheet_write_number(b->sheet, row, c, strtod(text, NULL),
		                  kind == PAGE_YUAN ? b->yuan : b->count));
}

static void
fill(struct book *b)
{
	const struct page *p = b->p;
	size_t rows = page_rows(p);

	CHECK(p->n_columns > 0);
	if (p->title != NULL) {
		note_error(b, worksheet_write_string(b->sheet, 0, 0, p->title, b->title));
		note_error(b, worksheet_write_string(b->sheet, 1, 0, p->note, NULL));
	}
	for (size_t c = 0; c < p->n_columns; c++)
		note_error(b, worksheet_write_string(
		                  b->sheet, b->top, (lxw_col_t)c, p->columns[c].head, b->head));
	for (size_t i = 0; i < p->n_cells && b->failed == LXW_NO_ERROR; i++)
		put(b, b->top + 1 + (lxw_row_t)(i / p->n_columns), i % p->n_columns, p->cells[i]);
	if (rows > 0)
		worksheet_autofilter(
		    b->sheet, b->top, 0, b->top + (lxw_row_t)rows, (lxw_col_t)(p->n_columns - 1));
	if (p->sign != NULL)
		note_error(b, worksheet_write_string(
		                  b->sheet, b->top + (lxw_row_t)rows + 3, 0, p->sign, NULL));
}

int
page_xlsx(const struct page *p, const char *path, const char *dir, struct err *err)
{
	char *where = xstrdup(dir);
	lxw_workbook_options options = {
	    .constant_memory = LXW_TRUE, .tmpdir = where, .use_zip64 = LXW_FALSE};
	struct book b = {.p = p, .failed = LXW_NO_ERROR};

	b.book = workbook_new_opt(path, &options);
	if (b.book == NULL) {
		free(where);
		return err_set(err, ERR_IO, "写不出来");
	}
	set_up(&b);
	fill(&b);
	note_error(&b, workbook_close(b.book));
	free(where);
	return b.failed == LXW_NO_ERROR
	           ? 0
	           : err_set(err, ERR_IO, "写不出来: %s", lxw_strerror(b.failed));
}
