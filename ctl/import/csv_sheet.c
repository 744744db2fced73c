/* Reads CSV, decoded piece by piece, through libcsv.
 *
 * Happy path: each field is copied behind the others of its row, each line end hands the row on.
 * Failures: a row of more than 64 KiB (mostly a quote that nobody closed), more than 64 columns with
 * something in them, an open quote at the end. libcsv cannot be stopped inside a call, so after a
 * failure the rest of the piece is read and ignored; pieces are small. */

#include "ctl/import/csv_sheet.h"

#include <csv.h>
#include <string.h>

#include "base/check.h"
#include "ctl/import/norm.h"

#define READ_BYTES  65536
#define PIECE_BYTES 16384

struct reader {
	const struct sheet_sink *sink;
	struct refusal *no;
	bool failed;
	int64_t row;     /* of the row being read */
	struct buf text; /* the row's fields, one behind the other */
	size_t at[SHEET_COLUMNS];
	size_t n, fields;
	bool after_cr;        /* a '\n' now belongs to the line end before it */
	size_t since_row;     /* bytes since the last line end, whole pieces */
	struct sheet_row out; /* kind and length of each cell; text is set when the row ends */
};

static void
fail(struct reader *r)
{
	r->failed = true;
}

static void
on_field(void *data, size_t len, void *arg)
{
	struct reader *r = arg;
	struct span text = span_of(data, len);
	struct cell *c;

	r->after_cr = false;
	if (r->failed)
		return;
	if (r->fields++ >= SHEET_COLUMNS) {
		if (!norm_is_blank(text)) {
			refuse(r->no, REFUSE_COLUMNS, "第 %jd 行超过 %d 列；请删去多余的列",
			    (intmax_t)r->row, SHEET_COLUMNS);
			fail(r);
		}
		return;
	}
	c = &r->out.cells[r->n];
	r->at[r->n++] = r->text.len;
	c->kind = len > SHEET_CELL_BYTES ? CELL_LONG : CELL_TEXT;
	c->text.len = norm_cut(text.data, len, SHEET_CELL_BYTES);
	buf_add(&r->text, text.data, c->text.len);
}

static int
refuse_long(struct reader *r)
{
	fail(r);
	return refuse(r->no, REFUSE_ROW_SIZE,
	    "第 %jd 行超过 64 KiB，多半是引号没有成对；请检查这一行里的双引号", (intmax_t)r->row);
}

static void
on_row(int c, void *arg)
{
	struct reader *r = arg;

	if (r->failed)
		return;
	if (c == '\n' && r->after_cr && r->fields == 0) {
		r->after_cr = false;
		return;
	}
	r->after_cr = c == '\r';
	r->since_row = 0;
	if (r->text.len > SHEET_ROW_BYTES) {
		refuse_long(r);
		return;
	}
	r->out.number = r->row++;
	r->out.n = r->n;
	for (size_t i = 0; i < r->n; i++)
		r->out.cells[i].text.data = r->text.data + r->at[i];
	if (r->sink->row(r->sink->arg, &r->out, r->no) != 0)
		fail(r);
	buf_clear(&r->text);
	r->n = 0;
	r->fields = 0;
}

static unsigned char
delimiter_of(struct span text)
{
	size_t commas = 0, tabs = 0, semicolons = 0;

	for (size_t i = 0; i < text.len && text.data[i] != '\n' && text.data[i] != '\r'; i++) {
		commas += text.data[i] == ',';
		tabs += text.data[i] == '\t';
		semicolons += text.data[i] == ';';
	}
	if (tabs > commas && tabs >= semicolons)
		return '\t';
	return semicolons > commas ? ';' : ',';
}

/* Tabs are blanks to libcsv, and blanks at a field's ends are dropped: not so when they divide. */
static int
is_blank_not_tab(unsigned char c)
{
	return c == ' ';
}

static int
feed(struct reader *r, struct csv_parser *p, struct span text)
{
	while (text.len > 0) {
		size_t n = text.len < PIECE_BYTES ? text.len : PIECE_BYTES;

		r->since_row += n;
		if (csv_parse(p, text.data, n, on_field, on_row, r) != n)
			return refuse(r->no, REFUSE_DAMAGED, "CSV 读不下去；请另存为 .xlsx 再导入");
		if (r->failed)
			return -1;
		if (r->since_row > SHEET_ROW_BYTES + PIECE_BYTES)
			return refuse_long(r);
		text.data += n;
		text.len -= n;
	}
	return 0;
}

static int
read_all(
    struct reader *r, struct csv_parser *p, const struct input *in, int64_t at, struct decoder *d)
{
	struct buf text = BUF_INIT;
	uint8_t bytes[READ_BYTES];
	bool is_first = true;
	size_t n;
	int rc = 0;

	do {
		rc = input_read(in, at, bytes, sizeof(bytes), &n, r->no);
		if (rc != 0)
			break;
		at += (int64_t)n;
		buf_clear(&text);
		if (n > 0)
			decoder_add(d, &text, span_of(bytes, n));
		else
			decoder_end(d, &text);
		if (is_first) {
			unsigned char delimiter = delimiter_of(buf_span(&text));

			csv_set_delim(p, delimiter);
			if (delimiter == '\t')
				csv_set_space_func(p, is_blank_not_tab);
			is_first = false;
		}
		rc = feed(r, p, buf_span(&text));
	} while (rc == 0 && n > 0);
	buf_done(&text);
	return rc;
}

int
csv_sheet_read(const struct input *in, int64_t skip, struct decoder *d,
    const struct sheet_sink *sink, struct refusal *no)
{
	struct reader r = {.sink = sink, .no = no, .row = 1};
	struct csv_parser p;
	int rc;

	CHECK(csv_init(&p, CSV_REPALL_NL) == 0);
	rc = read_all(&r, &p, in, skip, d);
	/* strict about the end alone: quotes inside a field are forgiven */
	csv_set_opts(&p, CSV_REPALL_NL | CSV_STRICT | CSV_STRICT_FINI);
	if (rc == 0 && csv_fini(&p, on_field, on_row, &r) != 0)
		rc = refuse(no, REFUSE_QUOTES, "文件结尾处引号没有成对；请检查双引号");
	if (rc == 0 && r.failed)
		rc = -1;
	csv_free(&p);
	buf_done(&r.text);
	return rc;
}
