/* Decides whether a row names a day off or a working day in exchange:
 * {"row","day":"YYYY-MM-DD","kind":"off|work"}. A day stands in the file once. */
#include <stdio.h>

#include "ctl/import/kinds.h"

enum { DAY, KIND, COLUMNS };

static const struct table_column columns[COLUMNS] = {
    [DAY] = {"日期", "", NORM_CODE, COLUMN_REQUIRED},
    [KIND] = {"类型", "", NORM_CODE, COLUMN_REQUIRED},
};

static void
take_day(struct table *t, char ret[16])
{
	struct day day;
	int64_t first;

	if (!table_usable(t, DAY))
		return;
	if (!day_parse(t->value[DAY].text, &day)) {
		table_problem(t, DAY, PROBLEM_DAY, 0);
		return;
	}
	snprintf(ret, 16, "%04d-%02d-%02d", day.year % 10000, day.month % 100, day.day % 100);
	first = keyset_add(t->keys, span_str(ret), t->row);
	if (first != 0)
		table_problem(t, DAY, PROBLEM_DAY_TWICE, first);
}

static const char *
take_kind(struct table *t)
{
	struct span text = t->value[KIND].text;

	if (!table_usable(t, KIND))
		return NULL;
	if (span_eq_str(text, "假") || span_eq_str(text, "放假") || span_eq_str(text, "休"))
		return "off";
	if (span_eq_str(text, "班") || span_eq_str(text, "上班"))
		return "work";
	table_problem(t, KIND, PROBLEM_DAY_KIND, 0);
	return NULL;
}

static void
judge(struct table *t)
{
	char day[16] = "";
	const char *kind;
	struct line line;

	take_day(t, day);
	kind = take_kind(t);
	if (t->is_bad)
		return;
	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "day", span_str(day));
	line_str(&line, "kind", span_str(kind));
	table_put(t, &line);
}

const struct table_kind holidays_kind = {"节假日表", columns, COLUMNS, false, judge};
