/* Happy path: rows go to path.tmp (libxlsxwriter keeps its own temporary files beside it, never in
 * a shared folder: there are names in them), close renames it. Failures: no room, no right to
 * write; the old file stands then. */

#include "ctl/import/sheet_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/check.h"
#include "base/file.h"
#include "ctl/import/decode.h"

#define FLUSH_BYTES 65536

struct sheet_out {
	enum sheet_out_format format;
	unsigned flags;
	char *path, *tmp, *folder;
	uint32_t rows;
	struct buf text; /* CSV: not yet written; XLSX: the cell in hand */
	int fd;
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *as_text;
};

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;

	if (slash == NULL)
		return xstrdup(".");
	folder = xstrdup(path);
	folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

static int
open_xlsx(struct sheet_out *o, struct err *err)
{
	lxw_workbook_options options = {
	    .constant_memory = LXW_TRUE, .tmpdir = o->folder, .use_zip64 = LXW_FALSE};

	o->book = workbook_new_opt(o->tmp, &options);
	if (o->book == NULL)
		return err_set(err, ERR_IO, "starting a workbook");
	o->sheet = workbook_add_worksheet(o->book, NULL);
	o->as_text = workbook_add_format(o->book);
	CHECK(o->sheet != NULL && o->as_text != NULL);
	format_set_num_format_index(o->as_text, 49); /* @: text, whatever is typed later */
	worksheet_set_column(o->sheet, 0, 63, 16, o->as_text);
	worksheet_freeze_panes(o->sheet, 1, 0);
	return 0;
}

static void
destroy(struct sheet_out *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->path);
	free(o->tmp);
	free(o->folder);
	buf_done(&o->text);
	free(o);
}

int
sheet_out_open(struct sheet_out **ret, const char *path, enum sheet_out_format format,
    unsigned flags, struct err *err)
{
	struct sheet_out *o = xcalloc(1, sizeof(*o));

	o->format = format;
	o->flags = flags;
	o->path = xstrdup(path);
	o->tmp = xasprintf("%s.tmp", path);
	o->folder = folder_of(path);
	/* also for XLSX: libxlsxwriter opens by name and late, so make the name private now */
	(void)unlink(o->tmp);
	o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->fd < 0) {
		err_sys(err, "creating %s", o->tmp);
		destroy(o);
		return -1;
	}
	if (format == SHEET_OUT_XLSX && open_xlsx(o, err) != 0) {
		sheet_out_abort(o);
		return -1;
	}
	if (flags & SHEET_OUT_BOM)
		buf_adds(&o->text, "\xef\xbb\xbf");
	*ret = o;
	return 0;
}

static int
write_xlsx(struct sheet_out *o, const struct span *cells, size_t n, struct err *err)
{
	if (o->rows == SHEET_OUT_XLSX_ROWS)
		return err_set(err, ERR_FULL, "a sheet has %d rows at most", SHEET_OUT_XLSX_ROWS);
	for (size_t i = 0; i < n; i++) {
		lxw_error rc;

		if (cells[i].len == 0)
			continue;
		buf_clear(&o->text);
		buf_add(&o->text, cells[i].data, cells[i].len);
		rc = worksheet_write_string(
		    o->sheet, o->rows, (lxw_col_t)i, (char *)o->text.data, o->as_text);
		if (rc != LXW_NO_ERROR)
			return err_set(err, ERR_IO, "writing a cell: %s", lxw_strerror(rc));
	}
	o->rows++;
	return 0;
}

static bool
needs_quotes(struct span cell)
{
	for (size_t i = 0; i < cell.len; i++)
		if (strchr(",;\t\"\r\n", cell.data[i]) != NULL)
			return true;
	return cell.len > 0 && (cell.data[0] == ' ' || cell.data[cell.len - 1] == ' ');
}

static void
add_field(struct sheet_out *o, struct span cell)
{
	bool quote = needs_quotes(cell);

	if (quote)
		buf_addc(&o->text, '"');
	if ((o->flags & SHEET_OUT_ESCAPE) && cell.len > 0 && cell.data[0] != '\0' &&
	    strchr("=+-@\t\r", cell.data[0]) != NULL)
		buf_addc(&o->text, '\'');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.data[i] == '"')
			buf_addc(&o->text, '"');
		buf_addc(&o->text, (char)cell.data[i]);
	}
	if (quote)
		buf_addc(&o->text, '"');
}

static int
flush(struct sheet_out *o, struct err *err)
{
	struct buf gb18030 = BUF_INIT;
	int rc;

	if (o->flags & SHEET_OUT_GB18030) {
		encode_gb18030(&gb18030, buf_span(&o->text));
		rc = file_write_all(o->fd, buf_span(&gb18030), err);
		buf_done(&gb18030);
	} else {
		rc = file_write_all(o->fd, buf_span(&o->text), err);
	}
	buf_clear(&o->text);
	return rc;
}

int
sheet_out_row(struct sheet_out *o, const struct span *cells, size_t n, struct err *err)
{
	if (o->format == SHEET_OUT_XLSX)
		return write_xlsx(o, cells, n, err);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&o->text, ',');
		add_field(o, cells[i]);
	}
	buf_adds(&o->text, "\r\n");
	return o->text.len >= FLUSH_BYTES ? flush(o, err) : 0;
}

int
sheet_out_close(struct sheet_out *o, struct err *err)
{
	int rc = 0;

	if (o->format == SHEET_OUT_XLSX) {
		lxw_error lxw = workbook_close(o->book);

		o->book = NULL;
		if (lxw != LXW_NO_ERROR)
			rc = err_set(err, ERR_IO, "writing %s: %s", o->tmp, lxw_strerror(lxw));
	} else {
		rc = flush(o, err);
	}
	if (rc == 0 && rename(o->tmp, o->path) != 0)
		rc = err_sys(err, "renaming %s", o->tmp);
	if (rc != 0)
		(void)unlink(o->tmp);
	destroy(o);
	return rc;
}

void
sheet_out_abort(struct sheet_out *o)
{
	if (o == NULL)
		return;
	if (o->book != NULL)
		workbook_close(o->book);
	(void)unlink(o->tmp);
	destroy(o);
}
