/* Decides whether a row says that an applicant registered (or paid), or did not:
 * {"row","key","came":true|false,"day":"YYYY-MM-DD"}.
 *
 * Happy path: a 考生号 that stands once, and either 报到 (是, 否, or the day itself) or 报到时间 (a day, a
 * time behind it is passed over); for payments 缴费 and 缴费时间 likewise. In a sheet without 报到 an empty 报到时间
 * means not registered. What contradicts itself is an error: nobody is registered by a slip. */
#include <stdio.h>
#include <string.h>

#include "ctl/import/kinds.h"

enum { KEY, CAME, AT, COLUMNS };
enum came { CAME_UNSAID, CAME_NO, CAME_YES, CAME_BAD };

static const struct table_column columns[COLUMNS] = {
    [KEY] = {"考生号", "KSH 考生编号", NORM_CODE, COLUMN_REQUIRED},
    [CAME] = {"报到", "是否报到 报到情况 报到状态", NORM_CODE, COLUMN_ONE_OF},
    [AT] = {"报到时间", "报到日期", NORM_CODE, COLUMN_ONE_OF},
};

static const struct table_column paid_columns[COLUMNS] = {
    [KEY] = {"考生号", "KSH 考生编号", NORM_CODE, COLUMN_REQUIRED},
    [CAME] = {"缴费", "是否缴费 缴费情况 缴费状态", NORM_CODE, COLUMN_ONE_OF},
    [AT] = {"缴费时间", "缴费日期", NORM_CODE, COLUMN_ONE_OF},
};

static bool
is_one_of(struct span text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_eq_str(text, *words))
			return true;
	return false;
}

/* Excel keeps a day as a number; these are the days of 2020 to 2060. */
static bool
day_of_number(struct span text, struct day *ret)
{
	int days = 0;

	for (size_t i = 0; i < text.len && text.data[i] != '.'; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || days > 99999)
			return false;
		days = days * 10 + (text.data[i] - '0');
	}
	if (days < 43831 || days > 58440)
		return false;
	*ret = day_plus((struct day){2020, 1, 1}, days - 43831);
	return true;
}

/* The day at the beginning; what follows a blank or a T is the time. */
static bool
take_day(const struct table_value *v, struct day *ret)
{
	struct span text = v->text;
	size_t n = 0;

	if (v->kind == CELL_NUMBER && day_of_number(text, ret))
		return true;
	while (n < text.len && text.data[n] != ' ' && text.data[n] != 'T')
		n++;
	return day_parse(span_of(text.data, n), ret);
}

/* What is wrong with a cell, said in the words of this sheet. */
static void
wrong(struct table *t, int column, enum problem of_arrivals)
{
	enum problem p = of_arrivals;

	if (t->kind == &payments_kind)
		p = of_arrivals == PROBLEM_ARRIVAL       ? PROBLEM_PAID
		    : of_arrivals == PROBLEM_ARRIVAL_DAY ? PROBLEM_PAID_DAY
		                                         : PROBLEM_PAID_BOTH;
	table_problem(t, column, p, 0);
}

static enum came
take_came(struct table *t, struct day *day)
{
	static const char *const yes[] = {"是", "已报到", "报到", "Y", "y", "1", NULL};
	static const char *const no[] = {"否", "未报到", "没报到", "N", "n", "0", NULL};
	static const char *const paid[] = {"是", "已缴费", "已缴", "Y", "y", "1", NULL};
	static const char *const unpaid[] = {"否", "未缴费", "未缴", "N", "n", "0", NULL};
	bool is_payments = t->kind == &payments_kind;
	struct span text = t->value[CAME].text;

	if (!table_usable(t, CAME))
		return CAME_BAD;
	if (text.len == 0)
		return CAME_UNSAID;
	if (is_one_of(text, is_payments ? paid : yes))
		return CAME_YES;
	if (is_one_of(text, is_payments ? unpaid : no))
		return CAME_NO;
	if (take_day(&t->value[CAME], day))
		return CAME_YES;
	wrong(t, CAME, PROBLEM_ARRIVAL);
	return CAME_BAD;
}

static enum came
take_at(struct table *t, struct day *day)
{
	struct span text = t->value[AT].text;

	if (!table_usable(t, AT))
		return CAME_BAD;
	if (text.len == 0)
		return CAME_UNSAID;
	if (take_day(&t->value[AT], day))
		return CAME_YES;
	wrong(t, AT, PROBLEM_ARRIVAL_DAY);
	return CAME_BAD;
}

static bool
has_column(const struct table *t, int column)
{
	for (size_t i = 0; i < t->width; i++)
		if (t->column_of[i] == column)
			return true;
	return false;
}

static void
put(struct table *t, struct span key, bool came, struct day day)
{
	struct line line;
	char text[16];

	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "key", key);
	line_bool(&line, "came", came);
	if (came && day.year != 0) {
		snprintf(text, sizeof(text), "%04d-%02d-%02d", day.year % 10000, day.month % 100,
		    day.day % 100);
		line_str(&line, "day", span_str(text));
	}
	table_put(t, &line);
}

static void
judge(struct table *t)
{
	struct day day = {0, 0, 0};
	struct buf key = BUF_INIT;
	enum came came, at;

	kinds_take_key(t, KEY, &key);
	came = take_came(t, &day);
	at = take_at(t, &day);
	if (came == CAME_UNSAID && at == CAME_UNSAID &&
	    (has_column(t, CAME) || t->value[AT].kind == CELL_FORMULA))
		wrong(t, has_column(t, CAME) ? CAME : AT, PROBLEM_ARRIVAL);
	if (came == CAME_NO && at == CAME_YES)
		wrong(t, CAME, PROBLEM_ARRIVAL_BOTH);
	if (!t->is_bad)
		put(t, buf_span(&key), came == CAME_YES || at == CAME_YES, day);
	buf_done(&key);
}

const struct table_kind arrivals_kind = {"报到名单", columns, COLUMNS, false, judge};
const struct table_kind payments_kind = {"缴费名单", paid_columns, COLUMNS, false, judge};
