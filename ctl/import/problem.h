/* problem.h - what can be wrong with a row: code, level, and the text for the person who mends it.
 *
 * Texts say what is wrong and what to do. They never hold the cell's content. */
#ifndef CTL_IMPORT_PROBLEM_H
#define CTL_IMPORT_PROBLEM_H

#include <stdbool.h>

enum problem {
	PROBLEM_EMPTY,
	PROBLEM_EXCEL_NUMBER,
	PROBLEM_CELL_LONG,
	PROBLEM_CELL_ERROR,
	PROBLEM_CONTROL,
	PROBLEM_FORMULA,
	PROBLEM_KEY,
	PROBLEM_KEY_TWICE,
	PROBLEM_NAME_MISSING,
	PROBLEM_NAME_LONG,
	PROBLEM_TEXT_MISSING,
	PROBLEM_ID,
	PROBLEM_ID_OLD,
	PROBLEM_ID_CHECK,
	PROBLEM_ID_BIRTH,
	PROBLEM_UNDER_14,
	PROBLEM_NUMBER_LENGTH,
	PROBLEM_NUMBER_AREA,
	PROBLEM_NUMBER_CHAR,
	PROBLEM_NUMBER_MANY,
	PROBLEM_NO_NUMBER,
	PROBLEM_CHOICE,
	PROBLEM_UNKNOWN_VALUE,
	PROBLEM_UNKNOWN_COLUMN,
	PROBLEM_UNNAMED_COLUMN,
	PROBLEM_OTHER_SHEETS,
	PROBLEM_PERSON,
	PROBLEM_PERSON_TWICE,
	PROBLEM_TEAM,
	PROBLEM_ROLE,
	PROBLEM_NO_ROLE,
	PROBLEM_QUALIFIED,
	PROBLEM_DAY,
	PROBLEM_DAY_TWICE,
	PROBLEM_DAY_KIND,
	PROBLEM_COUNT
};

const char *problem_code(enum problem p);
const char *problem_text(enum problem p); /* may hold one %jd: the other row */
bool problem_is_error(enum problem p);

#endif
