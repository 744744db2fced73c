/* page.c - cells, and their way to CSV and DBF.
 *
 * Happy path: the file is made private and must be new, then filled and synced. Failures: it is there already, no
 * room; what was begun is removed. */
#include "workers/reconciliation/page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "workers/link/dbf_out.h"
#include "workers/link/gb18030.h"
#include "workers/reconciliation/explain.h"

#define COLUMNS_MAX 64

void
page_init(struct page *p, const char *file, const char *sheet, const struct page_column *columns,
    size_t n_columns)
{
	CHECK(n_columns > 0 && n_columns <= COLUMNS_MAX);
	*p =
	    (struct page){.file = file, .sheet = sheet, .columns = columns, .n_columns = n_columns};
}

void
page_done(struct page *p)
{
	for (size_t i = 0; i < p->n_cells; i++)
		free(p->cells[i]);
	free((void *)p->cells);
	p->cells = NULL;
	p->n_cells = p->cap = 0;
}

/* Line ends and other controls inside a cell become blanks: they break tables when pasted. */
void
page_cell(struct page *p, struct span text)
{
	char *s = xmalloc(text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		s[i] = text.data[i] < 0x20 ? ' ' : (char)text.data[i];
	s[text.len] = '\0';
	if (p->n_cells == p->cap) {
		p->cap = p->cap == 0 ? 256 : 2 * p->cap;
		p->cells = xrealloc((void *)p->cells, p->cap, sizeof(*p->cells));
	}
	p->cells[p->n_cells++] = s;
}

void
page_str(struct page *p, const char *text)
{
	page_cell(p, span_str(text != NULL ? text : ""));
}

void
page_int(struct page *p, int64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%jd", (intmax_t)n);
	page_str(p, text);
}

void
page_yuan(struct page *p, int64_t fen)
{
	char text[PAY_TEXT];

	page_str(p, pay_text(text, fen));
}

size_t
page_rows(const struct page *p)
{
	CHECK(p->n_columns > 0 && p->n_cells % p->n_columns == 0);
	return p->n_cells / p->n_columns;
}

struct sorted {
	char **cells;
	size_t n;
};

static int
by_cells(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int order = 0;

	for (size_t i = 0; i < x->n && order == 0; i++)
		order = strcmp(x->cells[i], y->cells[i]);
	return order;
}

void
page_sort(struct page *p)
{
	size_t rows = page_rows(p);
	struct sorted *s = xcalloc(rows + 1, sizeof(*s));
	char **cells = xcalloc(p->n_cells + 1, sizeof(*cells));

	for (size_t i = 0; i < rows; i++)
		s[i] = (struct sorted){p->cells + i * p->n_columns, p->n_columns};
	qsort(s, rows, sizeof(*s), by_cells);
	for (size_t i = 0; i < p->n_cells; i++)
		cells[i] = s[i / p->n_columns].cells[i % p->n_columns];
	free((void *)p->cells);
	free(s);
	p->cells = cells;
	p->cap = p->n_cells + 1;
}

const char *
page_ending(enum page_format format)
{
	return format == PAGE_XLSX ? ".xlsx" : format == PAGE_DBF ? ".dbf" : ".csv";
}

/* ---- CSV ---- */

static void
csv_field(struct buf *out, const char *text, enum page_kind kind)
{
	bool quote = strpbrk(text, ",;\t\"") != NULL || text[0] == ' ' ||
	             (text[0] != '\0' && text[strlen(text) - 1] == ' ');

	if (quote)
		buf_addc(out, '"');
	if (kind == PAGE_TEXT && text[0] != '\0' && strchr("=+-@", text[0]) != NULL)
		buf_addc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	if (quote)
		buf_addc(out, '"');
}

static int
write_csv(const struct page *p, int fd, enum page_format format, struct err *err)
{
	struct buf text = BUF_INIT, coded = BUF_INIT;
	struct span out;
	int got;

	CHECK(p->n_columns > 0);
	if (format == PAGE_CSV)
		buf_adds(&text, "\xef\xbb\xbf");
	for (size_t c = 0; c < p->n_columns; c++) {
		csv_field(&text, p->columns[c].head, PAGE_TEXT);
		buf_adds(&text, c + 1 < p->n_columns ? "," : "\r\n");
	}
	for (size_t i = 0; i < p->n_cells; i++) {
		size_t c = i % p->n_columns;

		csv_field(&text, p->cells[i], p->columns[c].kind);
		buf_adds(&text, c + 1 < p->n_columns ? "," : "\r\n");
	}
	out = buf_span(&text);
	if (format == PAGE_CSV_GB18030) {
		encode_gb18030(&coded, out);
		out = buf_span(&coded);
	}
	got = file_write_all(fd, out, err);
	if (got == 0 && fsync(fd) != 0)
		got = err_sys(err, "fsync");
	buf_done(&text);
	buf_done(&coded);
	return got;
}

/* ---- DBF ---- */

static int
write_dbf(const struct page *p, const char *path, struct err *err)
{
	struct dbf_field fields[COLUMNS_MAX];
	struct span cells[COLUMNS_MAX];
	struct dbf_out *out;
	size_t n = 0;
	int got = 0;

	for (size_t c = 0; c < p->n_columns; c++) {
		if (p->columns[c].dbf_width > 0)
			fields[n++] =
			    (struct dbf_field){p->columns[c].head, p->columns[c].dbf_width};
	}
	if (dbf_out_open(&out, path, fields, n, err) != 0)
		return -1;
	for (size_t row = 0; row < page_rows(p) && got == 0; row++) {
		n = 0;
		for (size_t c = 0; c < p->n_columns; c++) {
			if (p->columns[c].dbf_width > 0)
				cells[n++] = span_str(p->cells[row * p->n_columns + c]);
		}
		got = dbf_out_row(out, cells, n, err);
	}
	return dbf_out_close(out, got == 0 ? err : NULL) != 0 ? -1 : got;
}

int
page_write(const struct page *p, const char *dir, enum page_format format, struct err *err)
{
	char path[PATH_MAX];
	int fd, got;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, p->file, page_ending(format));
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_EXISTS, "%s 已经有了; 请换一个目录, 或先移走它", path);
	if (fd < 0)
		return err_sys(err, "%s", path);
	if (format == PAGE_XLSX)
		got = page_xlsx(p, path, dir, err);
	else if (format == PAGE_DBF)
		got = write_dbf(p, path, err);
	else
		got = write_csv(p, fd, format, err);
	(void)close(fd);
	if (got == 0)
		return 0;
	(void)unlink(path);
	return err_wrap(err, "%s", path);
}
