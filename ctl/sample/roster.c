/* Writes row after row; the warts stand at even distances. Memory holds one row and the list of
 * expectations, which is as long as the table of warts. Failures are those of the files. */
#include "ctl/sample/roster.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "ctl/import/lines.h"
#include "ctl/sample/wart.h"

#define EXTRA   2
#define COLUMNS (INVENT_COLUMNS + EXTRA)
#define BLANKS  2

static const char *const extra_headers[EXTRA] = {"序号", "备注"};

struct writer {
	const struct inventor *inventor;
	struct out *out;
	bool warts;
	int columns;
	int order[COLUMNS]; /* of the file: which cell comes there */
	struct buf cells[COLUMNS];
	int64_t physical; /* rows written, header included */
	int64_t blanks[BLANKS];
	struct wart_effect *effects;
	int n_effects;
};

int64_t
roster_warts_min(void)
{
	return wart_count() + 2;
}

/* Fisher and Yates, driven by the seed alone. */
static void
shuffle(struct writer *w)
{
	uint64_t state = w->inventor->seed * 2654435761u + 12345;

	for (int i = w->columns - 1; i > 0; i--) {
		int k, held = w->order[i];

		state = state * 6364136223846793005u + 1442695040888963407u;
		k = (int)((state >> 33) % (unsigned)(i + 1));
		w->order[i] = w->order[k];
		w->order[k] = held;
	}
}

static int
open_out(struct writer *w, const char *path, enum out_format format, struct err *err)
{
	const char *headers[COLUMNS];

	w->columns = w->warts ? COLUMNS : INVENT_COLUMNS;
	for (int i = 0; i < w->columns; i++)
		w->order[i] = i;
	if (w->warts)
		shuffle(w);
	for (int i = 0; i < w->columns; i++) {
		int c = w->order[i];

		headers[i] =
		    c < INVENT_COLUMNS ? invent_headers[c] : extra_headers[c - INVENT_COLUMNS];
	}
	w->physical = 1;
	return out_open(&w->out, path, format, headers, (size_t)w->columns, err);
}

static int
write_row(struct writer *w, struct err *err)
{
	struct span row[COLUMNS];

	for (int i = 0; i < w->columns; i++)
		row[i] = buf_span(&w->cells[w->order[i]]);
	w->physical++;
	return out_row(w->out, row, err);
}

static int
write_blank(struct writer *w, int which, struct err *err)
{
	for (int i = 0; i < w->columns; i++)
		buf_clear(&w->cells[i]);
	/* a full-width blank looks like nothing, too */
	if (which > 0)
		buf_adds(&w->cells[COL_ADDRESS], "　");
	w->blanks[which] = w->physical + 1;
	return write_row(w, err);
}

static void
spoil(struct writer *w, int64_t index)
{
	int64_t step = (w->inventor->rows - 1) / wart_count();
	struct wart_effect *e = &w->effects[w->n_effects];

	buf_clear(&w->cells[INVENT_COLUMNS]);
	buf_addf(&w->cells[INVENT_COLUMNS], "%jd", (intmax_t)index + 1);
	buf_clear(&w->cells[INVENT_COLUMNS + 1]);
	if (index == 0 || (index - 1) % step != 0 || w->n_effects == wart_count())
		return;
	wart_plant(w->n_effects, w->inventor, index, w->cells, e);
	buf_addf(&w->cells[INVENT_COLUMNS + 1], "wart %d", w->n_effects);
	e->row = w->physical + 1;
	w->n_effects++;
}

static int
write_rows(struct writer *w, struct err *err)
{
	int64_t rows = w->inventor->rows;

	for (int64_t i = 0; i < rows; i++) {
		for (int b = 0; w->warts && b < BLANKS; b++)
			if (i == rows * (b + 1) / (BLANKS + 1) && write_blank(w, b, err) != 0)
				return -1;
		invent_row(w->inventor, i, w->cells);
		if (w->warts)
			spoil(w, i);
		if (write_row(w, err) != 0)
			return -1;
	}
	return 0;
}

static void
put_problem(struct line *line, int64_t row, const char *column, const char *code, bool is_error)
{
	line_object(line, NULL);
	line_int(line, "row", row);
	line_str(line, "column", span_str(column));
	line_str(line, "code", span_str(code));
	line_str(line, "level", span_str(is_error ? "error" : "warning"));
	line_close(line);
}

static void
put_value(struct line *line, const struct wart_effect *e)
{
	line_object(line, NULL);
	line_int(line, "row", e->row);
	line_str(line, "field", span_str(e->field));
	if (strcmp(e->field, "numbers") != 0) {
		line_str(line, "value", buf_span(&e->value));
	} else {
		line_array(line, "value");
		for (size_t i = 0; i < e->n; i++) {
			line_object(line, NULL);
			line_str(line, "kind", span_str(e->numbers[i].kind));
			line_str(line, "digits", span_str(e->numbers[i].digits));
			line_close(line);
		}
		line_close(line);
	}
	line_close(line);
}

static void
put_counts(const struct writer *w, struct line *line, enum out_format format)
{
	int64_t bad = 0;

	for (int i = 0; i < w->n_effects; i++)
		bad += w->effects[i].is_error;
	line_str(line, "format", span_str(out_format_word(format)));
	line_int(line, "rows", w->inventor->rows);
	line_int(line, "good", w->inventor->rows - bad);
	line_int(line, "bad", bad);
	line_array(line, "blank_rows");
	for (int i = 0; i < BLANKS; i++)
		line_int(line, NULL, w->blanks[i]);
	line_close(line);
}

static void
put_expectations(const struct writer *w, struct line *line)
{
	line_array(line, "problems");
	for (int i = 0; i < EXTRA; i++)
		put_problem(line, 1, extra_headers[i], "unknown-column", false);
	for (int i = 0; i < w->n_effects; i++) {
		const struct wart_effect *e = &w->effects[i];
		const char *column = e->column < 0 ? "" : invent_headers[e->column];

		if (e->code != NULL)
			put_problem(line, e->row, column, e->code, e->is_error);
	}
	line_close(line);
	line_array(line, "values");
	for (int i = 0; i < w->n_effects; i++)
		if (w->effects[i].field != NULL)
			put_value(line, &w->effects[i]);
	line_close(line);
	line_array(line, "changed");
	for (int i = 0; i < w->n_effects; i++) {
		if (!w->effects[i].is_change)
			continue;
		line_object(line, NULL);
		line_int(line, "row", w->effects[i].row);
		line_str(line, "column", span_str(invent_headers[w->effects[i].column]));
		line_close(line);
	}
	line_close(line);
}

static int
write_expectations(
    const struct writer *w, const char *path, enum out_format format, struct err *err)
{
	struct refusal no = REFUSAL_INIT;
	struct lines lines;
	struct line line;
	char *name = xasprintf("%s.expect.json", path);
	int rc = 0, fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0) {
		err_sys(err, "creating %s", name);
		free(name);
		return -1;
	}
	lines_init(&lines, fd);
	line_begin(&line);
	put_counts(w, &line, format);
	put_expectations(w, &line);
	lines_put(&lines, &line);
	if (lines_flush(&lines, &no) != 0)
		rc = err_set(err, ERR_IO, "writing %s: %s", name, no.text);
	lines_done(&lines);
	close(fd);
	free(name);
	return rc;
}

int
roster_write(
    const char *path, enum out_format format, const struct inventor *v, bool warts, struct err *err)
{
	struct writer w = {.inventor = v, .warts = warts};
	int rc;

	CHECK(v->rows <= INVENT_ROWS_MAX && (!warts || v->rows >= roster_warts_min()));
	w.effects = xcalloc((size_t)wart_count() + 1, sizeof(*w.effects));
	rc = open_out(&w, path, format, err);
	if (rc == 0) {
		rc = write_rows(&w, err);
		if (out_close(w.out, rc == 0 ? err : NULL) != 0)
			rc = -1;
	}
	if (rc == 0 && warts)
		rc = write_expectations(&w, path, format, err);
	for (int i = 0; i < w.n_effects; i++)
		wart_effect_done(&w.effects[i]);
	for (int i = 0; i < COLUMNS; i++)
		buf_done(&w.cells[i]);
	free(w.effects);
	return rc;
}
