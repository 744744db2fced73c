/* sheet.c - who is paid what, from one snapshot of the ledger.
 *
 * Happy path: SQL counts each owner's cases (v_figure), pay.c computes. Until the admitted list is frozen the
 * denominator is every case of the owner that is not withdrawn, and the sheet says that it is provisional; below
 * the minimum nothing is taken off, since no finding of slackness is signed (practice.md 5). PostgreSQL computes the
 * same sheet in the same snapshot, and what differs is listed. Failures: PostgreSQL's, told outward. */
#include "workers/reconciliation/sheet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/reconciliation/explain.h"
#include "workers/reconciliation/twice.h"

/* Callers, and whoever else owns a case. */
static const char rows_sql[] =
    "SELECT p.person, coalesce(p.team, ''), (p.roles & 2) <> 0, "
    "count(f.case_ref) FILTER (WHERE NOT f.withdrawn), count(*) FILTER (WHERE f.registered), "
    "count(*) FILTER (WHERE f.attempts > 0), count(*) FILTER (WHERE f.withdrawn) "
    "FROM hf.person p LEFT JOIN hf.v_figure f ON f.campaign = p.campaign AND f.owner = p.person "
    "WHERE p.campaign = $1 GROUP BY p.person, p.team, p.roles "
    "HAVING (p.roles & 1) <> 0 OR count(f.case_ref) > 0 ORDER BY p.team NULLS LAST, p.person";

static const char whole_sql[] =
    "SELECT coalesce((SELECT ledger_no FROM hf.campaign WHERE campaign = $1), 0), "
    "(SELECT count(*) FROM hf.case_state WHERE campaign = $1 AND lane <> 'unreleased')";

static struct pay_row
row_of(const struct pg_result *r, int i, int64_t minimum)
{
	return (struct pay_row){
	    .rate = {pg_get_i64(r, i, 4), pg_get_i64(r, i, 3)},
	    .called = pg_get_i64(r, i, 5),
	    .minimum = minimum,
	    .leader = span_eq_str(pg_get(r, i, 2), "t"),
	};
}

/* Who is in no team leads only the own cases. */
static struct pay_team
team_of(const struct pg_result *r, int own, int64_t minimum)
{
	struct span team = pg_get(r, own, 1);
	struct pay_row *rows = xcalloc((size_t)pg_rows(r), sizeof(*rows));
	struct pay_team ret;
	size_t n = 0;

	for (int i = 0; i < pg_rows(r) && n < PAY_TEAM_MAX; i++) {
		if (team.len == 0 ? i == own : span_eq(pg_get(r, i, 1), team))
			rows[n++] = row_of(r, i, minimum);
	}
	ret = pay_team_of(rows, n);
	free(rows);
	return ret;
}

static void
add_row(json_t *rows, const struct pg_result *r, int i, int64_t minimum)
{
	struct pay_policy policy = pay_policy_default();
	struct pay_row row = row_of(r, i, minimum);
	struct pay_team team = team_of(r, i, minimum);
	struct span name = pg_get(r, i, 0), team_name = pg_get(r, i, 1);
	char *person = xasprintf("%.*s", (int)name.len, (const char *)name.data);
	json_t *o = pay_json(&policy, person, &row, &team);

	json_object_set_new(o, "team", json_stringn((const char *)team_name.data, team_name.len));
	json_object_set_new(o, "admitted", json_integer(row.rate.admitted));
	json_object_set_new(o, "registered", json_integer(row.rate.registered));
	json_object_set_new(o, "called", json_integer(row.called));
	json_object_set_new(o, "withdrawn", json_integer(pg_get_i64(r, i, 6)));
	json_array_append_new(rows, o);
	free(person);
}

int
sheet_read(struct pg *pg, const char *campaign, json_t **ret, struct err *err)
{
	struct pg_param p = pg_text(campaign);
	struct pg_result *whole = NULL, *r = NULL;
	int64_t placed, callers, minimum;
	json_t *rows, *differences;

	if (pg_script(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != 0)
		return -1;
	if (pg_exec(pg, whole_sql, &p, 1, &whole, err) != 0)
		return -1;
	if (pg_exec(pg, rows_sql, &p, 1, &r, err) != 0) {
		pg_free(whole);
		return -1;
	}
	placed = pg_get_i64(whole, 0, 1);
	callers = pg_rows(r);
	minimum = callers > 0 ? 8 * placed / (10 * callers) : 0; /* floor(0.8 x placed / callers) */
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		add_row(rows, r, i, minimum);
	if (twice_compare(pg, campaign, rows, minimum, &differences, err) != 0) {
		json_decref(rows);
		pg_free(whole);
		pg_free(r);
		return -1;
	}
	*ret = json_pack("{s:I s:b s:I s:I s:I s:o s:o}", "as_of_ledger",
	    (json_int_t)pg_get_i64(whole, 0, 0), "provisional", 1, "placed", (json_int_t)placed,
	    "callers", (json_int_t)callers, "minimum", (json_int_t)minimum, "rows", rows,
	    "differences", differences);
	pg_free(whole);
	pg_free(r);
	return pg_script(pg, "COMMIT", err);
}
