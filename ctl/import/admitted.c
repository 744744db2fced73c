/* Decides who is on the authority's list of admitted applicants: {"row","key","came":true|false}.
 *
 * Happy path: a 考生号 that stands once; without a column 录取 (in DBF: BZ) everybody on the sheet is admitted, with
 * it L is admitted and T is not. Failures: a 考生号 that cannot be one or stands twice, a word that is neither. */
#include <string.h>

#include "ctl/import/kinds.h"

enum { KEY, FLAG, COLUMNS };

static const struct table_column columns[COLUMNS] = {
    [KEY] = {"考生号", "KSH 考生编号", NORM_CODE, COLUMN_REQUIRED},
    [FLAG] = {"录取", "BZ 是否录取 录取状态 备注标志", NORM_CODE, COLUMN_OPTIONAL},
};

static bool
is_one_of(struct span text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_eq_str(text, *words))
			return true;
	return false;
}

static void
judge(struct table *t)
{
	static const char *const yes[] = {"L", "l", "录取", "已录取", "是", "1", NULL};
	static const char *const no[] = {"T", "t", "退档", "未录取", "否", "0", NULL};
	struct buf key = BUF_INIT;
	bool is_no = false;
	struct line line;

	kinds_take_key(t, KEY, &key);
	if (table_usable(t, FLAG) && t->value[FLAG].text.len > 0) {
		is_no = is_one_of(t->value[FLAG].text, no);
		if (!is_no && !is_one_of(t->value[FLAG].text, yes))
			table_problem(t, FLAG, PROBLEM_ADMITTED, 0);
	}
	if (!t->is_bad) {
		line_begin(&line);
		line_int(&line, "row", t->row);
		line_str(&line, "key", buf_span(&key));
		line_bool(&line, "came", !is_no);
		table_put(t, &line);
	}
	buf_done(&key);
}

const struct table_kind admitted_kind = {"录取名单", columns, COLUMNS, false, judge};
