/* Reads the file once to know it, once to take it, and says at the end what came of it.
 *
 * Happy path: look, choose reader and encoding, rows go through the table, summary. Failures: any
 * refusal becomes the last line instead of the summary, and nothing before it may be used. */

#include "ctl/import/import.h"

#include <string.h>

#include "base/crypt.h"
#include "ctl/import/csv_sheet.h"
#include "ctl/import/dbf.h"
#include "ctl/import/xlsx.h"

int
import_prepare(struct import_job *job, struct err *err)
{
	if (crypt_init(err) != 0)
		return -1;
	crypt_random(&job->seed, sizeof(job->seed));
	lines_prepare();
	xlsx_prepare();
	return decoder_create(&job->decoder, err);
}

void
import_done(struct import_job *job)
{
	decoder_destroy(job->decoder);
	job->decoder = NULL;
}

static enum input_encoding
encoding_of(const struct import_job *job, const struct input_facts *facts)
{
	if (facts->format == INPUT_XLSX)
		return ENCODING_UTF8;
	if (facts->format == INPUT_CSV && facts->has_bom)
		return ENCODING_UTF8;
	if (job->encoding != ENCODING_AUTO)
		return job->encoding;
	return facts->is_utf8 ? ENCODING_UTF8 : ENCODING_GB18030;
}

/* {"row","cells":[text, …]}: formulas and error values are empty texts. */
static int
cells_row(void *arg, const struct sheet_row *row, struct refusal *no)
{
	struct table *t = arg;
	struct line line;

	if (++t->rows > SHEET_ROWS)
		return refuse(no, REFUSE_ROWS, "超过 %d 行", SHEET_ROWS);
	t->good++;
	line_begin(&line);
	line_int(&line, "row", row->number);
	line_array(&line, "cells");
	for (size_t i = 0; i < row->n; i++)
		line_str(&line, NULL, row->cells[i].text);
	line_close(&line);
	lines_put(t->out, &line);
	return t->out->failed.code != REFUSE_NONE
	           ? refuse(no, t->out->failed.code, "%s", t->out->failed.text)
	           : 0;
}

static int
read_sheet(struct import_job *job, const struct input *in, const struct input_facts *facts,
    struct table *t, struct refusal *no)
{
	struct sheet_sink sink = {job->kind != NULL ? table_row : cells_row, t};
	int others = 0;

	t->format = input_format_word(facts->format);
	decoder_use(
	    job->decoder, encoding_of(job, facts), facts->format == INPUT_CSV && facts->is_utf8);
	switch (facts->format) {
	case INPUT_CSV:
		if (csv_sheet_read(in, facts->has_bom ? 3 : 0, job->decoder, &sink, no) != 0)
			return -1;
		break;
	case INPUT_DBF:
		if (dbf_read(in, job->decoder, &sink, no) != 0)
			return -1;
		break;
	case INPUT_XLSX:
		if (xlsx_read(in, &sink, &others, no) != 0)
			return -1;
		break;
	}
	if (job->kind != NULL && table_finish(t, no) != 0)
		return -1;
	if (job->kind != NULL && others > 0) {
		t->row = t->header_row;
		table_problem(t, NO_COLUMN, PROBLEM_OTHER_SHEETS, 0);
	}
	return input_unchanged(in, no);
}

static void
put_summary(struct lines *out, const struct table *t, const struct input_facts *facts,
    enum input_encoding encoding)
{
	struct line line;

	line_begin(&line);
	line_object(&line, "summary");
	line_int(&line, "rows", t->rows);
	line_int(&line, "good", t->good);
	line_int(&line, "bad", t->bad);
	line_int(&line, "warnings", t->warnings + t->changes);
	line_int(&line, "changed", t->changes);
	line_str(&line, "sha256", span_str(facts->sha256));
	line_str(&line, "format", span_str(t->format));
	line_str(&line, "encoding", span_str(encoding == ENCODING_GB18030 ? "gb18030" : "utf-8"));
	line_close(&line);
	lines_put(out, &line);
}

static void
put_fatal(struct lines *out, const struct refusal *no)
{
	struct line line;

	line_begin(&line);
	line_object(&line, "fatal");
	line_str(&line, "code", span_str(refuse_word(no->code)));
	line_str(&line, "text", span_str(no->text));
	line_close(&line);
	lines_put(out, &line);
}

void
import_fatal(int fd, const struct refusal *no)
{
	struct refusal ignored = REFUSAL_INIT;
	struct lines out;

	lines_init(&out, fd);
	put_fatal(&out, no);
	lines_flush(&out, &ignored);
	lines_done(&out);
}

int
import_run(struct import_job *job)
{
	struct refusal no = REFUSAL_INIT;
	struct input_facts facts;
	struct badrows bad_rows;
	struct lines out;
	struct input in;
	struct table t;
	int rc = IMPORT_UNUSABLE;

	lines_init(&out, job->out_fd);
	badrows_init(&bad_rows, job->bad_rows_fd);
	table_init(&t, job->kind, job->today, job->seed);
	t.out = &out;
	t.bad_rows = &bad_rows;
	if (input_init(&in, job->input_fd, &no) == 0 && input_look(&in, &facts, &no) == 0 &&
	    read_sheet(job, &in, &facts, &t, &no) == 0 && badrows_flush(&bad_rows, &no) == 0) {
		put_summary(&out, &t, &facts, encoding_of(job, &facts));
		rc = t.bad > 0 ? IMPORT_SOME_BAD : IMPORT_GOOD;
	} else {
		put_fatal(&out, &no);
	}
	if (lines_flush(&out, &no) != 0)
		rc = IMPORT_UNUSABLE;
	table_done(&t);
	badrows_done(&bad_rows);
	lines_done(&out);
	return rc;
}
