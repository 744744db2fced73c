/* Decides what is a row, which of them are good, and what is said about the others.
 *
 * Happy path: the first row that is not blank is the header (header.c); each further row that is
 * not blank is normalised cell by cell and given to the kind, which puts a line. A row with an
 * error puts no line; its cells go to the error sheet. Formulas count as empty, with a warning. */
#include "ctl/import/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ctl/import/header.h"

void
table_init(struct table *t, const struct table_kind *kind, struct day today, uint64_t seed)
{
	CHECK(kind == NULL || kind->n <= TABLE_COLUMNS);
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->today = today;
	t->keys = keyset_create(seed);
}

void
table_done(struct table *t)
{
	for (size_t i = 0; i < SHEET_COLUMNS; i++)
		free(t->name_of[i]);
	keyset_destroy(t->keys);
	buf_done(&t->text);
	buf_done(&t->wrong);
	buf_done(&t->changed);
}

/* Fills in the other row's number where the text asks for it. */
static void
add_text(struct buf *out, const char *text, int64_t other)
{
	const char *at = strstr(text, "%jd");

	if (at == NULL) {
		buf_adds(out, text);
		return;
	}
	buf_add(out, text, (size_t)(at - text));
	buf_addf(out, "%jd%s", (intmax_t)other, at + 3);
}

static void
report(struct table *t, const char *column, enum problem p, int64_t other)
{
	bool is_error = problem_is_error(p);
	struct buf text = BUF_INIT;
	struct line line;

	buf_addf(&text, "第 %jd 行", (intmax_t)t->row);
	if (column[0] != '\0')
		buf_addf(&text, "“%s”", column);
	buf_adds(&text, "：");
	add_text(&text, problem_text(p), other);
	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "column", span_str(column));
	line_str(&line, "code", span_str(problem_code(p)));
	line_str(&line, "text", buf_span(&text));
	line_str(&line, "level", span_str(is_error ? "error" : "warning"));
	lines_put(t->out, &line);
	buf_done(&text);
	if (!is_error) {
		t->warnings++;
		return;
	}
	t->is_bad = true;
	if (t->wrong.len > 0)
		buf_adds(&t->wrong, "\n");
	if (column[0] != '\0')
		buf_addf(&t->wrong, "%s：", column);
	add_text(&t->wrong, problem_text(p), other);
}

void
table_problem(struct table *t, int column, enum problem p, int64_t other)
{
	report(t, column == NO_COLUMN ? "" : t->kind->columns[column].name, p, other);
}

void
table_changed(struct table *t, int column, const char *what)
{
	buf_addf(&t->changed, "%s：%s\n", t->kind->columns[column].name, what);
}

static void
list_changes(struct table *t, int column)
{
	static const struct {
		unsigned flag;
		const char *what;
	} words[] = {
	    {NORM_WIDTH, "全角改半角"},
	    {NORM_INVISIBLE, "去掉不可见字符"},
	    {NORM_APOSTROPHE, "去掉文本标记"},
	    {NORM_BLANK, "去掉空格"},
	    {NORM_DOT, "统一间隔号"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (t->value[column].changes & words[i].flag)
			table_changed(t, column, words[i].what);
}

bool
table_usable(struct table *t, int column)
{
	const struct table_column *c = &t->kind->columns[column];
	const struct table_value *v = &t->value[column];

	if (v->kind == CELL_FORMULA)
		table_problem(t, column, PROBLEM_FORMULA, 0);
	if (v->kind == CELL_ERROR) {
		table_problem(t, column, PROBLEM_CELL_ERROR, 0);
		return false;
	}
	if (v->kind == CELL_LONG) {
		table_problem(t, column, PROBLEM_CELL_LONG, 0);
		return false;
	}
	if (v->changes & NORM_CONTROL) {
		table_problem(t, column, PROBLEM_CONTROL, 0);
		return false;
	}
	if (v->text.len == 0) {
		if (c->need == COLUMN_REQUIRED)
			table_problem(t, column, PROBLEM_EMPTY, 0);
		return c->need != COLUMN_REQUIRED;
	}
	if ((v->changes & NORM_MISSING) && c->mode == NORM_NAME) {
		table_problem(t, column, PROBLEM_NAME_MISSING, 0);
		return false;
	}
	if (v->changes & NORM_MISSING)
		table_problem(t, column, PROBLEM_TEXT_MISSING, 0);
	list_changes(t, column);
	return true;
}

static void
put_changed(struct table *t, struct line *line)
{
	const uint8_t *at = t->changed.data;
	size_t left = t->changed.len;

	if (left == 0)
		return;
	line_array(line, "changed");
	while (left > 0) {
		size_t n = (size_t)((const uint8_t *)memchr(at, '\n', left) - at);

		line_str(line, NULL, span_of(at, n));
		t->changes++;
		at += n + 1;
		left -= n + 1;
	}
	line_close(line);
}

static void
put_extra(struct table *t, struct line *line)
{
	bool is_open = false;

	for (size_t i = 0; i < t->cells->n; i++) {
		struct span text = t->cells->cells[i].text;

		if (t->column_of[i] != NO_COLUMN || norm_is_blank(text))
			continue;
		if (!is_open)
			line_object(line, "extra");
		is_open = true;
		line_str(line, t->name_of[i], text);
	}
	if (is_open)
		line_close(line);
}

void
table_put(struct table *t, struct line *line)
{
	CHECK(!t->is_bad);
	if (t->kind->keeps_extra)
		put_extra(t, line);
	put_changed(t, line);
	lines_put(t->out, line);
}

/* Blank: nothing in any cell, and no formula in a column that we know. */
static bool
is_blank(const struct table *t, const struct sheet_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct cell *c = &row->cells[i];

		if (c->kind == CELL_FORMULA) {
			if (t->header_row != 0 && t->column_of[i] >= 0)
				return false;
		} else if (c->kind == CELL_ERROR || !norm_is_blank(c->text)) {
			return false;
		}
	}
	return true;
}

/* Columns that nobody asked for: said once for each, at the first cell that brings something. */
static void
look_at_extra(struct table *t, const struct sheet_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct cell *c = &row->cells[i];

		if (t->column_of[i] != NO_COLUMN)
			continue;
		if (i >= t->width && t->name_of[i] == NULL)
			header_name_unnamed(t, i);
		if (t->warned[i])
			continue;
		if (c->kind == CELL_FORMULA) {
			report(t, t->name_of[i], PROBLEM_FORMULA, 0);
			t->warned[i] = true;
		} else if (header_is_unnamed(t, i) && !norm_is_blank(c->text)) {
			report(t, t->name_of[i], PROBLEM_UNNAMED_COLUMN, 0);
			t->warned[i] = true;
		}
	}
}

/* The texts stand one behind the other in t->text, which may move while it grows: offsets first. */
static void
take_values(struct table *t, const struct sheet_row *row)
{
	size_t at[TABLE_COLUMNS + 1] = {0};

	memset(t->value, 0, sizeof(t->value));
	for (int i = 0; i < t->kind->n; i++)
		t->value[i].text = span_of("", 0);
	buf_clear(&t->text);
	for (size_t i = 0; i < row->n; i++) {
		int column = t->column_of[i];
		struct table_value *v;

		if (column < 0)
			continue;
		v = &t->value[column];
		v->kind = row->cells[i].kind;
		v->raw = row->cells[i].text;
		at[column] = t->text.len;
		v->changes = norm_text(&t->text, v->raw, t->kind->columns[column].mode);
		v->text.len = t->text.len - at[column];
		buf_addc(&t->text, '\0');
	}
	for (int i = 0; i < t->kind->n; i++)
		if (t->value[i].text.len > 0)
			t->value[i].text.data = t->text.data + at[i];
}

int
table_row(void *arg, const struct sheet_row *row, struct refusal *no)
{
	struct table *t = arg;

	t->row = row->number;
	if (is_blank(t, row))
		return 0;
	if (t->header_row == 0) {
		if (header_read(t, row, no) != 0)
			return -1;
		badrows_header(t->bad_rows, t->format, row);
		for (size_t i = 0; i < t->width; i++)
			if (t->column_of[i] == NO_COLUMN && !header_is_unnamed(t, i))
				report(t, t->name_of[i], PROBLEM_UNKNOWN_COLUMN, 0);
		return 0;
	}
	if (++t->rows > SHEET_ROWS)
		return refuse(no, REFUSE_ROWS, "超过 %d 行；请分成几个文件导入", SHEET_ROWS);
	t->cells = row;
	t->is_bad = false;
	buf_clear(&t->wrong);
	buf_clear(&t->changed);
	look_at_extra(t, row);
	take_values(t, row);
	t->kind->row(t);
	if (t->out->failed.code != REFUSE_NONE) /* nobody listens any more */
		return refuse(no, t->out->failed.code, "%s", t->out->failed.text);
	if (!t->is_bad) {
		t->good++;
		return 0;
	}
	t->bad++;
	return badrows_add(t->bad_rows, row, buf_span(&t->wrong), no);
}

int
table_finish(struct table *t, struct refusal *no)
{
	if (t->header_row == 0)
		return refuse(no, REFUSE_EMPTY, "文件是空的，连表头也没有；请检查是否选对了文件");
	if (t->rows == 0)
		return refuse(no, REFUSE_EMPTY, "只有表头，没有内容；请检查是否选对了文件或工作表");
	return 0;
}
