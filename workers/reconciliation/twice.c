/* twice.c - holds each figure of the sheet against PostgreSQL's own, and lists what differs by as little as a fen.
 *
 * Happy path: every person of either side is on the other, with the same figures.
 * Failures: PostgreSQL's, told outward; a difference is no failure, it is the answer. */
#include "workers/reconciliation/twice.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "workers/reconciliation/explain.h"

#define COLUMNS                                                                                    \
	"SELECT person, admitted, registered, called, standard, amount, bonus, minimum FROM "

static const char sql[] =
    COLUMNS "hf.pay_sheet($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY person";
static const char past_sql[] =
    COLUMNS "hf.pay_sheet_at($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ORDER BY person";

/* The order of the columns behind person. */
static const struct {
	const char *key;
	bool is_money;
} figures[] = {{"admitted", false}, {"registered", false}, {"called", false}, {"standard", true},
    {"pay", true}, {"leader_bonus", true}};

static void
differ(json_t *list, const char *person, const char *what, const char *here, const char *there)
{
	json_array_append_new(list, json_pack("{s:s s:s s:s? s:s?}", "person", person, "what", what,
	                                "here", here, "sql", there));
}

static const char *
here_text(const json_t *row, const char *key, char *out)
{
	const json_t *v = json_object_get(row, key);

	if (json_is_string(v))
		return json_string_value(v);
	(void)snprintf(out, PAY_TEXT, "%jd", (intmax_t)json_integer_value(v));
	return out;
}

static void
compare_row(json_t *list, const json_t *row, const struct pg_result *r, int i, int64_t minimum)
{
	const char *person = json_string_value(json_object_get(row, "person"));
	char a[PAY_TEXT], b[PAY_TEXT];

	for (int c = 0; c < (int)(sizeof(figures) / sizeof(figures[0])); c++) {
		const char *here = here_text(row, figures[c].key, a);
		int64_t n = pg_get_i64(r, i, c + 1);

		if (figures[c].is_money && n >= 0)
			pay_text(b, n);
		else
			(void)snprintf(b, sizeof(b), "%jd", (intmax_t)n);
		if (!span_eq(span_str(here), span_str(b)))
			differ(list, person, figures[c].key, here, b);
	}
	if (pg_get_i64(r, i, 7) != minimum) {
		(void)snprintf(a, sizeof(a), "%jd", (intmax_t)minimum);
		(void)snprintf(b, sizeof(b), "%jd", (intmax_t)pg_get_i64(r, i, 7));
		differ(list, person, "minimum", a, b);
	}
}

static const json_t *
row_of(const json_t *rows, struct span person)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (span_eq_str(person, json_string_value(json_object_get(row, "person"))))
			return row;
	}
	return NULL;
}

/* Persons that only this side has: PostgreSQL's are sorted, but few, so that looking is cheap enough. */
static void
only_here(json_t *list, const json_t *rows, const struct pg_result *r)
{
	const json_t *row;
	size_t k;

	json_array_foreach(rows, k, row)
	{
		const char *person = json_string_value(json_object_get(row, "person"));
		bool is_there = false;

		for (int i = 0; i < pg_rows(r) && !is_there; i++)
			is_there = span_eq_str(pg_get(r, i, 0), person);
		if (!is_there)
			differ(list, person, "person", person, NULL);
	}
}

int
twice_compare(struct pg *pg, const char *campaign, const struct readings *rules,
    const struct past *past, const json_t *rows, int64_t minimum, bool is_set, json_t **ret,
    struct err *err)
{
	struct pg_param p[5 + READINGS] = {pg_text(campaign)};
	struct pg_result *r;
	json_t *list;
	size_t n = 1;

	if (past != NULL) {
		past_params(p, past, campaign);
		n = 4;
	}
	p[n++] = is_set ? pg_i64(minimum) : pg_null();
	for (int i = 0; i < READINGS; i++)
		p[n++] = pg_text(readings_sql(rules, i));
	if (pg_exec(pg, past != NULL ? past_sql : sql, p, n, &r, err) != 0)
		return err_wrap(err, "hf.pay_sheet");
	list = json_array();
	for (int i = 0; i < pg_rows(r); i++) {
		struct span name = pg_get(r, i, 0);
		const json_t *row = row_of(rows, name);
		char *person;

		if (row != NULL) {
			compare_row(list, row, r, i, minimum);
			continue;
		}
		person = xasprintf("%.*s", (int)name.len, (const char *)name.data);
		differ(list, person, "person", NULL, person);
		free(person);
	}
	only_here(list, rows, r);
	pg_free(r);
	*ret = list;
	return 0;
}
