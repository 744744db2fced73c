/* The table of warts, and the ways to spoil a cell. Numbers of a row with a wart in a number column
 * are reduced to that column, so that what must come out can be said. */
#include "ctl/sample/wart.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "ctl/import/idno.h"

enum how {
	LITERAL,   /* the text instead */
	PREFIX,    /* the text before */
	SUFFIX,    /* the text behind */
	WIDE,      /* full-width */
	GROUPED,   /* 199?0000?0001, the text between */
	TWO,       /* a second number, the text between */
	SAME,      /* the applicant's own number again */
	NO_NUMBER, /* no number at all */
	LOWER_X,
	BAD_CHECK,
	OLD_ID,
	NO_SUCH_DAY,
	CHILD,
	FIRST_KEY, /* the key of row 0 */
};

static const struct wart {
	int column;
	enum how how;
	const char *text;
	const char *code; /* error; a leading '!' makes it a warning; NULL: a change */
	const char *result;
} warts[] = {
    {COL_SELF, WIDE, NULL, NULL, NULL},
    {COL_KEY, WIDE, NULL, NULL, NULL},
    {COL_ID_NO, WIDE, NULL, NULL, NULL},
    {COL_SELF, PREFIX, "+86", NULL, NULL},
    {COL_SELF, PREFIX, "+86 ", NULL, NULL},
    {COL_SELF, PREFIX, "0086", NULL, NULL},
    {COL_SELF, PREFIX, "0", NULL, NULL},
    {COL_SELF, PREFIX, "\xe2\x80\x8b", NULL, NULL}, /* zero-width */
    {COL_SELF, SUFFIX, ".0", NULL, NULL},
    {COL_SELF, GROUPED, " ", NULL, NULL},
    {COL_SELF, GROUPED, "-", NULL, NULL},
    {COL_SELF, TWO, "/", NULL, NULL},
    {COL_SELF, TWO, "、", NULL, NULL},
    {COL_SELF, TWO, ";", NULL, NULL},
    {COL_SELF, TWO, "；", NULL, NULL},
    {COL_SELF, TWO, "，", NULL, NULL},
    {COL_SELF, TWO, " ", NULL, NULL},
    {COL_FATHER, SAME, NULL, NULL, NULL},
    {COL_OTHER, LITERAL, "0340-5551234", NULL, "03405551234"},
    {COL_KEY, PREFIX, "'", NULL, NULL},
    {COL_NAME, LITERAL, "苍　禾", NULL, "苍禾"},
    {COL_NAME, LITERAL, "迦朵•伊林", NULL, "迦朵·伊林"},
    {COL_ID_NO, LOWER_X, NULL, NULL, NULL},
    {COL_SEX, LITERAL, "M", "!unknown-value", NULL},
    {COL_SELF, NO_NUMBER, NULL, "!no-number", NULL},
    {COL_ID_NO, LITERAL, "5.1E+17", "excel-number", NULL},
    {COL_KEY, LITERAL, "2.6999E+13", "excel-number", NULL},
    {COL_SELF, LITERAL, "1.99E+10", "excel-number", NULL},
    {COL_NAME, LITERAL, "苍??", "missing-character", NULL},
    {COL_NAME, LITERAL, "苍□", "missing-character", NULL},
    {COL_NAME, LITERAL, "苍\xee\x80\x81", "missing-character", NULL}, /* private use */
    {COL_ID_NO, BAD_CHECK, NULL, "bad-check-digit", NULL},
    {COL_ID_NO, OLD_ID, NULL, "old-id", NULL},
    {COL_ID_NO, NO_SUCH_DAY, NULL, "bad-birth-date", NULL},
    {COL_ID_NO, CHILD, NULL, "under-14", NULL},
    {COL_ID_NO, LITERAL, "99900012345", "bad-id", NULL},
    {COL_KEY, FIRST_KEY, NULL, "duplicate-key", NULL},
    {COL_KEY, LITERAL, "", "empty-cell", NULL},
    {COL_NAME, LITERAL, "", "empty-cell", NULL},
    {COL_SELF, LITERAL, "1990000001", "bad-number", NULL},
    {COL_SELF, LITERAL, "199000000012", "bad-number", NULL},
    {COL_SELF, LITERAL, "5551234", "bad-number", NULL},
    {COL_SELF, LITERAL, "19900000001转2", "bad-number", NULL},
    {COL_CHOICE, LITERAL, "一", "bad-choice", NULL},
};

int
wart_count(void)
{
	return (int)(sizeof(warts) / sizeof(warts[0]));
}

static void
replace(struct buf *cell, const char *text)
{
	buf_clear(cell);
	buf_adds(cell, text);
}

static void
surround(struct buf *cell, const char *before, const char *after)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, before);
	buf_add(&text, cell->data, cell->len);
	buf_adds(&text, after);
	buf_done(cell);
	*cell = text;
}

/* ASCII ! to ~ lie in the same order at U+FF01: ef bc 81 … ef bd 9e. */
static void
widen(struct buf *cell)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < cell->len; i++) {
		unsigned c = 0xff00u + cell->data[i] - 0x20;

		buf_addc(&text, (char)0xef);
		buf_addc(&text, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(&text, (char)(0x80 | (c & 0x3f)));
	}
	buf_done(cell);
	*cell = text;
}

static void
group(struct buf *cell, const char *mark)
{
	char digits[12];

	CHECK(cell->len == 11);
	memcpy(digits, cell->data, 12);
	buf_clear(cell);
	buf_addf(cell, "%.3s%s%.4s%s%.4s", digits, mark, digits + 3, mark, digits + 7);
}

static void
add_number(struct wart_effect *e, const char *kind, const struct buf *digits)
{
	CHECK(e->n < WART_NUMBERS);
	e->numbers[e->n].kind = kind;
	snprintf(
	    e->numbers[e->n++].digits, sizeof(e->numbers[0].digits), "%s", (char *)digits->data);
}

/* Leaves the applicant's own number alone in the row. */
static void
clear_numbers(struct buf *cells, struct wart_effect *e)
{
	buf_clear(&cells[COL_FATHER]);
	buf_clear(&cells[COL_MOTHER]);
	buf_clear(&cells[COL_OTHER]);
	e->field = "numbers";
	add_number(e, "self", &cells[COL_SELF]);
}

static void
spoil_number(const struct wart *w, const struct inventor *v, int64_t index, struct buf *cells,
    struct wart_effect *e)
{
	struct buf second = BUF_INIT;
	struct buf *own = &cells[COL_SELF];

	clear_numbers(cells, e);
	switch (w->how) {
	case GROUPED: group(own, w->text); break;
	case TWO:
		invent_number(v, index * 3 + 1, &second);
		add_number(e, "self", &second);
		buf_adds(own, w->text);
		buf_add(own, second.data, second.len);
		break;
	case SAME: buf_add(&cells[COL_FATHER], own->data, own->len); break;
	case NO_NUMBER:
		buf_clear(own);
		e->column = -1;
		e->n = 0;
		break;
	case LITERAL:
		replace(&cells[w->column], w->text);
		if (w->result != NULL) {
			buf_adds(&second, w->result);
			add_number(e, "other", &second);
		}
		break;
	default: CHECK(w->how == WIDE || w->how == PREFIX || w->how == SUFFIX);
	}
	buf_done(&second);
}

static void
spoil_id(const struct wart *w, const struct inventor *v, struct buf *id, struct wart_effect *e)
{
	struct day birth = day_plus(v->today, -18 * 366);
	struct buf old = BUF_INIT;

	switch (w->how) {
	case LOWER_X:
		for (unsigned serial = 0; id->data[17] != 'X'; serial++) {
			buf_clear(id);
			invent_id(id, 999, birth, serial);
		}
		buf_clear(&e->value);
		buf_add(&e->value, id->data, id->len);
		id->data[17] = 'x';
		break;
	case BAD_CHECK: id->data[17] = id->data[17] == '1' ? '2' : '1'; break;
	case OLD_ID:
		buf_add(&old, id->data, 6);
		buf_add(&old, id->data + 8, 9);
		replace(id, (char *)old.data);
		break;
	case NO_SUCH_DAY:
		buf_clear(id);
		invent_id(id, 999, (struct day){birth.year, 2, 30}, 1);
		break;
	case CHILD:
		buf_clear(id);
		invent_id(id, 999, day_plus(v->today, -13 * 365), 1);
		break;
	default: CHECK(w->how == WIDE || w->how == LITERAL);
	}
	buf_done(&old);
}

static bool
is_number_column(int column)
{
	return column >= COL_SELF && column <= COL_OTHER;
}

static void
spoil_text(const struct wart *w, const struct inventor *v, struct buf *cells)
{
	struct buf *cell = &cells[w->column];

	if (w->how == LITERAL) {
		replace(cell, w->text);
	} else if (w->how == FIRST_KEY) {
		struct buf first[INVENT_COLUMNS] = {0};

		invent_row(v, 0, first);
		replace(cell, (char *)first[COL_KEY].data);
		for (int i = 0; i < INVENT_COLUMNS; i++)
			buf_done(&first[i]);
	}
}

void
wart_plant(
    int wart, const struct inventor *v, int64_t index, struct buf *cells, struct wart_effect *ret)
{
	static const char *const fields[INVENT_COLUMNS] = {
	    [COL_KEY] = "key", [COL_NAME] = "name", [COL_ID_NO] = "id_no"};
	const struct wart *w = &warts[wart];
	struct buf *cell = &cells[w->column];

	CHECK(wart < wart_count() && index > 0);
	memset(ret, 0, sizeof(*ret));
	ret->column = w->column;
	ret->field = fields[w->column];
	buf_add(&ret->value, cell->data, cell->len);
	if (is_number_column(w->column))
		spoil_number(w, v, index, cells, ret);
	else if (w->column == COL_ID_NO && w->how != LITERAL)
		spoil_id(w, v, cell, ret);
	else
		spoil_text(w, v, cells);
	if (w->result != NULL)
		replace(&ret->value, w->result);
	if (w->how == WIDE)
		widen(cell);
	else if (w->how == PREFIX || w->how == SUFFIX)
		surround(cell, w->how == PREFIX ? w->text : "", w->how == SUFFIX ? w->text : "");
	ret->is_error = w->code != NULL && w->code[0] != '!';
	ret->is_change = w->code == NULL;
	if (w->code != NULL)
		ret->code = w->code + !ret->is_error;
	if (ret->is_error)
		ret->field = NULL;
}

void
wart_effect_done(struct wart_effect *e)
{
	buf_done(&e->value);
}
