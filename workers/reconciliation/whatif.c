/* whatif.c - reads a sheet of callers through hf-import and computes each row's pay and each leader's bonus.
 *
 * Happy path: every row is good, rows of one team are put together, the answer keeps the order of the file.
 * Failures: any bad row: all of them are named, and nothing is computed. */
#include "workers/reconciliation/whatif.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/helper.h"
#include "workers/reconciliation/explain.h"

struct line {
	char *person, *team;
	struct pay_row row;
};

struct sheet {
	struct line *lines;
	size_t n, cap;
	json_t *errors, *unused; /* unused: columns nobody knows, perhaps misspelt */
	bool whole;
};

static int64_t
number(const json_t *line, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(line, key);

	return v == NULL ? otherwise : json_integer_value(v);
}

static void
on_problem(struct sheet *s, json_t *in)
{
	const char *column = json_string_value(json_object_get(in, "column"));

	if (strcmp(json_string_value(json_object_get(in, "level")), "error") == 0) {
		json_object_del(in, "level");
		json_array_append(s->errors, in);
	} else if (strcmp(json_string_value(json_object_get(in, "code")), "unknown-column") == 0) {
		char *text =
		    xasprintf("没有用到“%s”一列: 不认识这个列名; 若是写错了, 请改正后再试算",
		        column != NULL ? column : "");

		json_array_append_new(s->unused, json_pack("{s:s}", "text", text));
		free(text);
	}
}

static int
on_line(void *arg, json_t *in, struct err *err)
{
	struct sheet *s = arg;
	const char *person = json_string_value(json_object_get(in, "person"));
	struct line *line;

	(void)err;
	if (json_object_get(in, "summary") != NULL) {
		s->whole = true;
	} else if (json_object_get(in, "code") != NULL) {
		on_problem(s, in);
	} else if (person != NULL) {
		if (s->n == s->cap) {
			s->cap = s->cap == 0 ? 64 : s->cap * 2;
			s->lines = xrealloc(s->lines, s->cap, sizeof(*s->lines));
		}
		line = &s->lines[s->n++];
		line->person = xstrdup(person);
		line->team = xstrdup(json_string_value(json_object_get(in, "team")));
		line->row = (struct pay_row){
		    .rate = {number(in, "registered", 0), number(in, "admitted", 0)},
		    .called = number(in, "called", number(in, "admitted", 0)),
		    .minimum = number(in, "minimum", 0),
		    .slack = number(in, "slack", 1) != 0,
		    .leader = number(in, "leader", 0) != 0,
		    .wrong_withdrawal = number(in, "wrong_withdrawal", 0) != 0,
		    .deduction = (int)number(in, "deduction_percent", 0),
		};
	}
	return 0;
}

/* The rows of the same team, the row's own with them. -1: more than a team can have. */
static int
team_of(const struct sheet *s, const char *name, struct pay_team *ret)
{
	struct pay_row *rows = xcalloc(PAY_TEAM_MAX, sizeof(*rows));
	size_t n = 0;
	int got = 0;

	for (size_t i = 0; i < s->n && got == 0; i++) {
		if (strcmp(s->lines[i].team, name) != 0)
			continue;
		if (n == PAY_TEAM_MAX)
			got = -1;
		else
			rows[n++] = s->lines[i].row;
	}
	if (got == 0)
		*ret = pay_team_of(rows, n);
	free(rows);
	return got;
}

static int
compute(const struct sheet *s, json_t **ret, struct err *err)
{
	struct pay_policy policy = pay_policy_default();
	json_t *rows = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct line *line = &s->lines[i];
		struct pay_team team = {.pooled = {0, 0}};

		if (line->row.leader && team_of(s, line->team, &team) != 0) {
			json_decref(rows);
			return err_set(
			    err, ERR_CORRUPT, "有一个小组超过 %d 人；请检查小组一列", PAY_TEAM_MAX);
		}
		json_array_append_new(rows, pay_json(&policy, line->person, &line->row, &team));
	}
	*ret = json_pack("{s:o}", "rows", rows);
	return 0;
}

int
whatif_file(const char *file, json_t **ret, json_t **errors, struct err *err)
{
	struct sheet s = {.errors = json_array(), .unused = json_array()};
	int got = helper_import("pay", file, NULL, on_line, &s, err);

	if (got == 0 && !s.whole)
		got = err_set(err, ERR_CORRUPT, "%s 没有读完", file);
	else if (got == 0 && json_array_size(s.errors) > 0)
		got = err_set(err, ERR_CORRUPT, "有 %zu 处错误，没有计算；请改好后再试",
		    json_array_size(s.errors));
	else if (got == 0)
		got = compute(&s, ret, err);
	for (size_t i = 0; i < s.n; i++) {
		free(s.lines[i].person);
		free(s.lines[i].team);
	}
	free(s.lines);
	if (got == 0)
		json_array_extend(s.errors, s.unused);
	json_decref(s.unused);
	*errors = s.errors;
	return got;
}
