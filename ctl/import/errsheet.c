/* Happy path: the header frame opens the sheet in the input's format (DBF comes back as XLSX) with
 * one more column; each row frame becomes a row. Failures: a frame that is none (the child went
 * wrong), no room on disk, an XLSX sheet that is full. */

#include "ctl/import/errsheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "ctl/import/badrows.h"
#include "ctl/import/header.h"
#include "ctl/import/sheet_out.h"

struct errsheet {
	const char *path; /* borrowed */
	struct sheet_out *out;
	size_t width; /* columns of the header */
};

static int
open_sheet(struct errsheet *e, const struct badrows_frame *f, struct err *err)
{
	bool csv = span_eq_str(f->texts[0], "csv");

	if (e->out != NULL)
		return err_set(err, ERR_CORRUPT, "two headers from the reader");
	e->width = f->n - 1;
	return sheet_out_open(&e->out, e->path, csv ? SHEET_OUT_CSV : SHEET_OUT_XLSX,
	    csv ? SHEET_OUT_BOM | SHEET_OUT_ESCAPE : 0, err);
}

/* Cells of the header's columns, then what is wrong, then cells that had no header. */
static int
add_row(struct errsheet *e, struct span *texts, size_t n, struct span wrong, struct err *err)
{
	struct span row[BADROWS_TEXTS + SHEET_COLUMNS];
	size_t to = 0;

	for (size_t i = 0; i < e->width; i++)
		row[to++] = i < n ? texts[i] : span_of("", 0);
	row[to++] = wrong;
	for (size_t i = e->width; i < n; i++)
		row[to++] = texts[i];
	return sheet_out_row(e->out, row, to, err);
}

static int
on_frame(struct errsheet *e, struct span frame, struct err *err)
{
	struct badrows_frame f;

	if (badrows_decode(frame, &f, err) != 0)
		return -1;
	if (f.kind == 'H') {
		if (open_sheet(e, &f, err) != 0)
			return -1;
		return add_row(e, f.texts + 1, f.n - 1, span_str(HEADER_ERRORS), err);
	}
	if (e->out == NULL)
		return err_set(err, ERR_CORRUPT, "a row before the header from the reader");
	return add_row(e, f.texts, f.n - 1, f.texts[f.n - 1], err);
}

/* Takes whole frames off the front of in. */
static int
take_frames(struct errsheet *e, struct buf *in, struct err *err)
{
	size_t at = 0;

	while (in->len - at >= 4) {
		uint32_t len = be32_get(in->data + at);

		if (len > BADROWS_FRAME_MAX)
			return err_set(
			    err, ERR_CORRUPT, "a frame of %u bytes from the reader", len);
		if (in->len - at - 4 < len)
			break;
		if (on_frame(e, span_of(in->data + at + 4, len), err) != 0)
			return -1;
		at += 4 + len;
	}
	buf_drop_front(in, at);
	return 0;
}

int
errsheet_collect(struct errsheet **ret, int fd, const char *path, struct err *err)
{
	struct errsheet *e = xcalloc(1, sizeof(*e));
	struct buf in = BUF_INIT;
	uint8_t bytes[65536];
	int rc = 0;

	e->path = path;
	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_sys(err, "reading bad rows");
		if (n <= 0)
			break;
		if (rc != 0)
			continue;
		buf_add(&in, bytes, (size_t)n);
		rc = take_frames(e, &in, err);
	}
	buf_done(&in);
	*ret = e;
	return rc;
}

int
errsheet_keep(struct errsheet *e, struct err *err)
{
	int rc = e->out == NULL ? 0 : sheet_out_close(e->out, err);

	free(e);
	return rc;
}

void
errsheet_drop(struct errsheet *e)
{
	if (e == NULL)
		return;
	sheet_out_abort(e->out);
	free(e);
}
