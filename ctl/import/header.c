/* Decides what each column is. Headers are compared after NFKC, without blanks and without the
 * asterisk that forms put behind a required field. Two columns of one name cannot be told apart, so
 * they refuse the file. Names that we do not know stay what they are. */
#include "ctl/import/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

#define UNNAMED "第%zu列"

static char *
clean_name(struct span raw)
{
	struct buf text = BUF_INIT, name = BUF_INIT;

	norm_text(&text, raw, NORM_CODE);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ' ' && text.data[i] != '*' && text.data[i] >= 0x20)
			buf_addc(&name, (char)text.data[i]);
	buf_done(&text);
	return buf_steal(&name, NULL);
}

static bool
is_alias(const char *aliases, const char *name)
{
	size_t n = strlen(name);

	while (*aliases != '\0') {
		size_t len = strcspn(aliases, " ");

		if (len == n && strncasecmp(aliases, name, n) == 0)
			return true;
		aliases += len;
		aliases += strspn(aliases, " ");
	}
	return false;
}

static bool
has(const struct table *t, int column)
{
	for (size_t i = 0; i < t->width; i++)
		if (t->column_of[i] == column)
			return true;
	return false;
}

/* Names first, then aliases in the order of the sheet. An alias whose column is taken stays an
 * unknown column. */
static void
match(struct table *t)
{
	const struct table_column *columns = t->kind->columns;

	for (size_t i = 0; i < t->width; i++) {
		if (strcmp(t->name_of[i], HEADER_ERRORS) == 0)
			t->column_of[i] = IGNORED_COLUMN;
		for (int c = 0; c < t->kind->n; c++)
			if (strcmp(columns[c].name, t->name_of[i]) == 0)
				t->column_of[i] = c;
	}
	for (size_t i = 0; i < t->width; i++)
		for (int c = 0; c < t->kind->n && t->column_of[i] == NO_COLUMN; c++)
			if (is_alias(columns[c].aliases, t->name_of[i]) && !has(t, c))
				t->column_of[i] = c;
}

/* A, B … Z, AA …: how sheets call a column. */
static void
letters(char out[4], size_t column)
{
	size_t n = 0;

	if (column >= 26)
		out[n++] = (char)('A' + column / 26 - 1);
	out[n++] = (char)('A' + column % 26);
	out[n] = '\0';
}

/* So many bytes of a header are shown. */
static int
quoted(const char *name)
{
	return (int)norm_cut((const uint8_t *)name, strlen(name), 60);
}

static int
check_twice(struct table *t, struct refusal *no)
{
	char a[4], b[4];

	for (size_t i = 0; i < t->width; i++)
		for (size_t k = 0; k < i; k++) {
			if (strcmp(t->name_of[i], t->name_of[k]) != 0)
				continue;
			letters(a, k);
			letters(b, i);
			return refuse(no, REFUSE_TWICE,
			    "表头重复：%s 列和 %s 列都是“%.*s”；请改名或删去一列再导入", a, b,
			    quoted(t->name_of[i]), t->name_of[i]);
		}
	return 0;
}

static int
check_missing(struct table *t, struct refusal *no)
{
	struct buf missing = BUF_INIT, one_of = BUF_INIT;
	bool needs_one = false, has_one = false;
	int rc = 0;

	for (int i = 0; i < t->kind->n; i++) {
		const struct table_column *c = &t->kind->columns[i];

		if (c->need == COLUMN_REQUIRED && !has(t, i))
			buf_addf(&missing, "%s%s", missing.len > 0 ? "、" : "", c->name);
		if (c->need != COLUMN_ONE_OF)
			continue;
		needs_one = true;
		has_one = has_one || has(t, i);
		buf_addf(&one_of, "%s%s", one_of.len > 0 ? "/" : "", c->name);
	}
	if (needs_one && !has_one)
		buf_addf(
		    &missing, "%s%s（至少一列）", missing.len > 0 ? "、" : "", (char *)one_of.data);
	if (missing.len > 0)
		rc = refuse(no, REFUSE_MISSING,
		    "第 %jd 行应是%s的表头，但缺少这些列：%s；请照模板改好列名，"
		    "表头上面不要有标题行（列名显示为乱码时，请另选编码）",
		    (intmax_t)t->header_row, t->kind->word, (char *)missing.data);
	buf_done(&missing);
	buf_done(&one_of);
	return rc;
}

int
header_read(struct table *t, const struct sheet_row *row, struct refusal *no)
{
	t->header_row = row->number;
	t->width = row->n;
	for (size_t i = 0; i < SHEET_COLUMNS; i++)
		t->column_of[i] = NO_COLUMN;
	for (size_t i = 0; i < row->n; i++) {
		t->name_of[i] = clean_name(row->cells[i].text);
		if (t->name_of[i][0] == '\0')
			header_name_unnamed(t, i);
	}
	match(t);
	/* missing first: what has the required columns is a header, so that quoting a name of it
	 * gives nobody away */
	if (check_missing(t, no) != 0)
		return -1;
	return check_twice(t, no);
}

void
header_name_unnamed(struct table *t, size_t column)
{
	free(t->name_of[column]);
	t->name_of[column] = xasprintf(UNNAMED, column + 1);
}

bool
header_is_unnamed(const struct table *t, size_t column)
{
	char name[32];

	CHECK(column < SHEET_COLUMNS && t->name_of[column] != NULL);
	snprintf(name, sizeof(name), UNNAMED, column + 1);
	return strcmp(name, t->name_of[column]) == 0;
}
