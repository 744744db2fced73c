/* Decides whether a row names a person of the calling room:
 * {"row","person","name","team","roles":[],"qualified"}.
 *
 * Happy path: the id is new and well-formed, every role is known. Ids and teams are lower-cased. */
#include <string.h>

#include "ctl/import/kinds.h"
#include "base/text.h"

enum { PERSON, NAME, TEAM, ROLES, QUALIFIED, COLUMNS };

static const struct table_column columns[COLUMNS] = {
    [PERSON] = {"工号", "编号", NORM_CODE, COLUMN_REQUIRED},
    [NAME] = {"姓名", "", NORM_NAME, COLUMN_OPTIONAL},
    [TEAM] = {"小组", "组别 组", NORM_CODE, COLUMN_OPTIONAL},
    [ROLES] = {"角色", "职责", NORM_CODE, COLUMN_OPTIONAL},
    [QUALIFIED] = {"合格", "是否合格", NORM_CODE, COLUMN_OPTIONAL},
};

static const struct {
	const char *chinese;
	const char *code;
} roles[] = {
    {"组员", "caller"},
    {"组长", "leader"},
    {"副组长", "deputy"},
    {"突击组", "strike"},
    {"突击组长", "strike-head"},
    {"督查组", "supervisor"},
    {"督查组长", "supervisor"}, /* the protocol knows no head of it */
    {"数据组", "data"},
    {"领导小组", "leading"},
    {"回访组长", "callback-head"},
    {"招办后台", "back-office"},
    {"专人", "designated"},
    {"财务", "finance"},
    {"操作员", "operator"},
    {"管理员", "admin"},
};

#define ROLES_KNOWN (sizeof(roles) / sizeof(roles[0]))

/* The id in lower case, appended to out; listed if that changed it. */
static void
lower(struct table *t, int column, struct buf *out)
{
	struct span text = t->value[column].text;
	bool changed = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c - 'A' + 'a');
			changed = true;
		}
		buf_addc(out, c);
	}
	if (changed)
		table_changed(t, column, "大写改小写");
}

static void
take_person(struct table *t, struct buf *ret)
{
	int64_t first;

	if (!table_usable(t, PERSON))
		return;
	lower(t, PERSON, ret);
	if (!text_is_id((char *)ret->data, ret->len)) {
		table_problem(t, PERSON, PROBLEM_PERSON, 0);
		return;
	}
	first = keyset_add(t->keys, buf_span(ret), t->row);
	if (first != 0)
		table_problem(t, PERSON, PROBLEM_PERSON_TWICE, first);
}

static void
take_team(struct table *t, struct buf *ret)
{
	if (!table_usable(t, TEAM) || t->value[TEAM].text.len == 0)
		return;
	lower(t, TEAM, ret);
	if (!text_is_id((char *)ret->data, ret->len))
		table_problem(t, TEAM, PROBLEM_TEAM, 0);
}

/* The first row of that code: two Chinese words may mean the same role. */
static unsigned
bit_of_code(const char *code)
{
	size_t i = 0;

	while (strcmp(roles[i].code, code) != 0)
		i++;
	return 1u << i;
}

/* One word of the cell: a bit of the roles, or 0. */
static unsigned
role_bit(struct span word)
{
	for (size_t i = 0; i < ROLES_KNOWN; i++)
		if (span_eq_str(word, roles[i].chinese) || span_eq_str(word, roles[i].code))
			return bit_of_code(roles[i].code);
	return 0;
}

static size_t
mark_at(struct span s)
{
	if (s.data[0] == ',' || s.data[0] == ';' || s.data[0] == '/' || s.data[0] == ' ')
		return 1;
	return s.len >= 3 && memcmp(s.data, "、", 3) == 0 ? 3 : 0;
}

static unsigned
take_roles(struct table *t)
{
	struct span left = t->value[ROLES].text;
	unsigned bits = 0;

	if (!table_usable(t, ROLES))
		return 0;
	while (left.len > 0) {
		size_t n = 0, mark = 0;
		unsigned bit;

		while (n < left.len && (mark = mark_at(span_of(left.data + n, left.len - n))) == 0)
			n++;
		bit = role_bit(span_of(left.data, n));
		if (n > 0 && bit == 0) {
			table_problem(t, ROLES, PROBLEM_ROLE, 0);
			return 0;
		}
		bits |= bit;
		left = span_of(left.data + n + mark, left.len - n - mark);
	}
	if (bits == 0)
		table_problem(t, ROLES, PROBLEM_NO_ROLE, 0);
	return bits;
}

static bool
take_qualified(struct table *t)
{
	struct span text = t->value[QUALIFIED].text;

	if (!table_usable(t, QUALIFIED) || text.len == 0)
		return false;
	if (span_eq_str(text, "是"))
		return true;
	if (!span_eq_str(text, "否"))
		table_problem(t, QUALIFIED, PROBLEM_QUALIFIED, 0);
	return false;
}

static void
put(struct table *t, struct span person, struct span team, unsigned bits, bool qualified)
{
	struct line line;

	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "person", person);
	if (t->value[NAME].text.len > 0)
		line_str(&line, "name", t->value[NAME].text);
	if (team.len > 0)
		line_str(&line, "team", team);
	line_array(&line, "roles");
	for (size_t i = 0; i < ROLES_KNOWN; i++)
		if (bits & (1u << i))
			line_str(&line, NULL, span_str(roles[i].code));
	line_close(&line);
	line_bool(&line, "qualified", qualified);
	table_put(t, &line);
}

static void
judge(struct table *t)
{
	struct buf person = BUF_INIT, team = BUF_INIT;
	unsigned bits;
	bool qualified;

	take_person(t, &person);
	table_usable(t, NAME);
	take_team(t, &team);
	bits = take_roles(t);
	qualified = take_qualified(t);
	if (!t->is_bad)
		put(t, buf_span(&person), buf_span(&team), bits, qualified);
	buf_done(&person);
	buf_done(&team);
}

const struct table_kind people_kind = {"人员名单", columns, COLUMNS, false, judge};
