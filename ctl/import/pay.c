/* Decides whether a row can be paid by: {"row","person","team","leader","admitted","registered","minimum","called",
 * "slack","wrong_withdrawal","deduction_percent"}, absent where an optional cell was empty.
 *
 * The headers are those of `hfctl pay what-if`; the Chinese words are taken too. Persons and teams are any names.
 * What no campaign can have (more registered than admitted) is an error: nobody is paid by a slip. */
#include "ctl/import/kinds.h"

enum {
	PERSON,
	TEAM,
	LEADER,
	ADMITTED,
	REGISTERED,
	MINIMUM,
	WRONG,
	DEDUCTION,
	CALLED,
	SLACK,
	COLUMNS
};

#define UNSAID    (-1)
#define COUNT_MAX 1000000
#define ID_BYTES  64

static const struct table_column columns[COLUMNS] = {
    [PERSON] = {"person", "工号 姓名", NORM_NAME, COLUMN_REQUIRED},
    [TEAM] = {"team", "小组", NORM_NAME, COLUMN_REQUIRED},
    [LEADER] = {"leader", "组长", NORM_CODE, COLUMN_REQUIRED},
    [ADMITTED] = {"admitted", "录取人数", NORM_CODE, COLUMN_REQUIRED},
    [REGISTERED] = {"registered", "报到人数", NORM_CODE, COLUMN_REQUIRED},
    [MINIMUM] = {"minimum", "最低工作量", NORM_CODE, COLUMN_REQUIRED},
    [WRONG] = {"wrong_withdrawal", "误退", NORM_CODE, COLUMN_REQUIRED},
    [DEDUCTION] = {"deduction_percent", "扣发比例", NORM_CODE, COLUMN_REQUIRED},
    [CALLED] = {"called", "回访量", NORM_CODE, COLUMN_OPTIONAL},
    [SLACK] = {"slack", "懈怠认定", NORM_CODE, COLUMN_OPTIONAL},
};

/* Digits only, at most `max`; UNSAID when the cell is empty or already reported. */
static int64_t
take_number(struct table *t, int column, int64_t max, enum problem wrong)
{
	struct span text = t->value[column].text;
	int64_t n = 0;

	if (!table_usable(t, column) || text.len == 0)
		return UNSAID;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || n > max) {
			table_problem(t, column, wrong, 0);
			return UNSAID;
		}
		n = n * 10 + (text.data[i] - '0');
	}
	if (n > max) {
		table_problem(t, column, wrong, 0);
		return UNSAID;
	}
	return n;
}

static int64_t
take_flag(struct table *t, int column)
{
	struct span text = t->value[column].text;

	if (span_eq_str(text, "是"))
		return 1;
	if (span_eq_str(text, "否"))
		return 0;
	return take_number(t, column, 1, PROBLEM_FLAG);
}

static void
take_name(struct table *t, int column)
{
	if (table_usable(t, column) && t->value[column].text.len > ID_BYTES)
		table_problem(t, column, PROBLEM_NAME_LONG, 0);
}

static void
take_person(struct table *t)
{
	int64_t first;

	take_name(t, PERSON);
	if (t->is_bad)
		return;
	first = keyset_add(t->keys, t->value[PERSON].text, t->row);
	if (first != 0)
		table_problem(t, PERSON, PROBLEM_PERSON_TWICE, first);
}

static void
judge(struct table *t)
{
	int64_t n[COLUMNS];
	struct line line;

	take_person(t);
	take_name(t, TEAM);
	for (int c = ADMITTED; c <= MINIMUM; c++)
		n[c] = take_number(t, c, COUNT_MAX, PROBLEM_AMOUNT);
	n[CALLED] = take_number(t, CALLED, COUNT_MAX, PROBLEM_AMOUNT);
	n[DEDUCTION] = take_number(t, DEDUCTION, 100, PROBLEM_PERCENT);
	n[LEADER] = take_flag(t, LEADER);
	n[WRONG] = take_flag(t, WRONG);
	n[SLACK] = take_flag(t, SLACK);
	if (n[REGISTERED] > n[ADMITTED] && n[ADMITTED] != UNSAID)
		table_problem(t, REGISTERED, PROBLEM_REGISTERED_MORE, 0);
	if (t->is_bad)
		return;
	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "person", t->value[PERSON].text);
	line_str(&line, "team", t->value[TEAM].text);
	for (int c = LEADER; c < COLUMNS; c++)
		if (n[c] != UNSAID)
			line_int(&line, columns[c].name, n[c]);
	table_put(t, &line);
}

const struct table_kind pay_kind = {"试算表", columns, COLUMNS, false, judge};
