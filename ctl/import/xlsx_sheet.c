/* Turns <row><c r="B2" t="s"><v>7</v></c></row> into rows of cells.
 *
 * Happy path: a cell's kind comes from its t attribute, its text from <v> or <is>; at </row> the row
 * is handed on. A cell with <f> is a formula and has no text. Failures: rows or cells out of order,
 * something in column 65 or beyond, a shared string that does not exist. */

#include "ctl/import/xlsx_sheet.h"

#include <string.h>

#include "base/text.h"
#include "ctl/import/norm.h"

enum where { OUTSIDE, IN_ROW, IN_CELL, IN_VALUE, IN_INLINE, IN_FORMULA };
enum type { TYPE_NUMBER, TYPE_SHARED, TYPE_INLINE, TYPE_TEXT, TYPE_ERROR };

#define NOT_COPIED SIZE_MAX

struct reader {
	const struct xlsx_strings *strings;
	const struct sheet_sink *sink;
	enum where where;
	int64_t row;
	int64_t column; /* of the cell in hand, from 0; -1 before the first */
	enum type type;
	bool is_formula;
	struct rich_text value;
	struct buf text; /* texts of the row that are not shared strings */
	size_t at[SHEET_COLUMNS];
	struct sheet_row out;
};

static int
refuse_damaged(struct refusal *no)
{
	return refuse(
	    no, REFUSE_DAMAGED, "工作表内容损坏；请用 Excel 或 WPS 打开，另存为 .xlsx 再导入");
}

static int
open_row(struct reader *r, const struct xml_tag *tag, struct refusal *no)
{
	struct span text;
	uint64_t number = (uint64_t)r->row + 1;

	if (xml_attr(tag, "r", &text) && !text_to_u64((const char *)text.data, text.len, &number))
		return refuse_damaged(no);
	if (number <= (uint64_t)r->row || number > SHEET_ROWS)
		return refuse_damaged(no);
	r->row = (int64_t)number;
	r->column = -1;
	r->where = IN_ROW;
	r->out.n = 0;
	buf_clear(&r->text);
	return 0;
}

/* "AB12": the column; -1 if that is no reference. */
static int64_t
column_of(struct span ref)
{
	int64_t column = 0;
	size_t i = 0;

	while (i < ref.len && i < 4 && ref.data[i] >= 'A' && ref.data[i] <= 'Z')
		column = column * 26 + (ref.data[i++] - 'A' + 1);
	return i == 0 || i == 4 ? -1 : column - 1;
}

static enum type
type_of(struct span t)
{
	if (span_eq_str(t, "s"))
		return TYPE_SHARED;
	if (span_eq_str(t, "inlineStr"))
		return TYPE_INLINE;
	if (span_eq_str(t, "str") || span_eq_str(t, "d"))
		return TYPE_TEXT;
	return span_eq_str(t, "e") ? TYPE_ERROR : TYPE_NUMBER;
}

static int
open_cell(struct reader *r, const struct xml_tag *tag, struct refusal *no)
{
	struct span text;
	int64_t column = r->column + 1;

	if (xml_attr(tag, "r", &text))
		column = column_of(text);
	if (column <= r->column)
		return refuse_damaged(no);
	r->column = column;
	r->type = xml_attr(tag, "t", &text) ? type_of(text) : TYPE_NUMBER;
	r->is_formula = false;
	r->where = IN_CELL;
	rich_text_begin(&r->value);
	return 0;
}

/* The cell's kind and text; a text that is not shared is copied and found by r->at. */
static int
value_of(struct reader *r, struct cell *ret, size_t *ret_at, struct refusal *no)
{
	uint64_t index;

	*ret_at = NOT_COPIED;
	ret->text = span_of("", 0);
	ret->kind = r->is_formula ? CELL_FORMULA : CELL_TEXT;
	if (r->is_formula)
		return 0;
	if (r->type == TYPE_ERROR) {
		ret->kind = CELL_ERROR;
		return 0;
	}
	rich_text_end(&r->value);
	if (r->value.text.len == 0)
		return 0;
	if (r->type == TYPE_SHARED) {
		if (!text_to_u64((char *)r->value.text.data, r->value.text.len, &index) ||
		    !xlsx_strings_get(r->strings, index, ret))
			return refuse_damaged(no);
		return 0;
	}
	if (r->type == TYPE_NUMBER)
		ret->kind = CELL_NUMBER;
	if (r->value.cut)
		ret->kind = CELL_LONG;
	*ret_at = r->text.len;
	ret->text.len = r->value.text.len;
	buf_add(&r->text, r->value.text.data, r->value.text.len);
	return 0;
}

static int
close_cell(struct reader *r, struct refusal *no)
{
	struct cell cell;
	size_t at;

	r->where = IN_ROW;
	if (value_of(r, &cell, &at, no) != 0)
		return -1;
	if (cell.kind == CELL_TEXT && cell.text.len == 0)
		return 0;
	if (r->column >= SHEET_COLUMNS) {
		if (at == NOT_COPIED && norm_is_blank(cell.text))
			return 0;
		return refuse(no, REFUSE_COLUMNS, "第 %jd 行超过 %d 列；请删去多余的列",
		    (intmax_t)r->row, SHEET_COLUMNS);
	}
	for (; r->out.n < (size_t)r->column; r->out.n++) {
		r->out.cells[r->out.n] = (struct cell){CELL_TEXT, span_of("", 0)};
		r->at[r->out.n] = NOT_COPIED;
	}
	r->at[r->out.n] = at;
	r->out.cells[r->out.n++] = cell;
	return 0;
}

static int
close_row(struct reader *r, struct refusal *no)
{
	r->where = OUTSIDE;
	r->out.number = r->row;
	for (size_t i = 0; i < r->out.n; i++)
		if (r->at[i] != NOT_COPIED)
			r->out.cells[i].text.data = r->text.data + r->at[i];
	return r->sink->row(r->sink->arg, &r->out, no);
}

static int
on_open(void *arg, const struct xml_tag *tag, struct refusal *no)
{
	struct reader *r = arg;

	switch (r->where) {
	case OUTSIDE: return strcmp(tag->name, "row") == 0 ? open_row(r, tag, no) : 0;
	case IN_ROW: return strcmp(tag->name, "c") == 0 ? open_cell(r, tag, no) : 0;
	case IN_CELL:
		if (strcmp(tag->name, "v") == 0) {
			r->where = IN_VALUE;
			r->value.inside = true;
		} else if (strcmp(tag->name, "is") == 0) {
			r->where = IN_INLINE;
		} else if (strcmp(tag->name, "f") == 0) {
			r->where = IN_FORMULA;
			r->is_formula = true;
		}
		return 0;
	case IN_INLINE: rich_text_open(&r->value, tag->name); return 0;
	case IN_VALUE:
	case IN_FORMULA: return refuse_damaged(no);
	}
	return 0;
}

static int
on_close(void *arg, const char *name, struct refusal *no)
{
	struct reader *r = arg;

	switch (r->where) {
	case OUTSIDE: return 0;
	case IN_ROW: return strcmp(name, "row") == 0 ? close_row(r, no) : 0;
	case IN_CELL: return strcmp(name, "c") == 0 ? close_cell(r, no) : 0;
	case IN_VALUE:
		r->value.inside = false;
		r->where = IN_CELL;
		return 0;
	case IN_FORMULA: r->where = IN_CELL; return 0;
	case IN_INLINE:
		if (strcmp(name, "is") == 0)
			r->where = IN_CELL;
		else
			rich_text_close(&r->value, name);
		return 0;
	}
	return 0;
}

static int
on_text(void *arg, struct span text, struct refusal *no)
{
	struct reader *r = arg;

	(void)no;
	if (r->where == IN_VALUE || r->where == IN_INLINE)
		rich_text_add(&r->value, text);
	return 0;
}

int
xlsx_sheet_read(struct pack *p, int index, const struct xlsx_strings *strings,
    const struct sheet_sink *sink, struct refusal *no)
{
	static const struct xml_events events = {on_open, on_close, on_text};
	struct reader r = {.strings = strings, .sink = sink};
	int rc = xml_parse(p, index, &events, &r, no);

	buf_done(&r.text);
	buf_done(&r.value.text);
	return rc;
}
