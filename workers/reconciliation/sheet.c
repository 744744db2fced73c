/* sheet.c - who is paid what, from one snapshot of the ledger.
 *
 * Happy path: SQL counts each owner's cases (v_counts) and what signed findings say (v_pay_finding), pay.c computes.
 * Until the admitted list is frozen the denominator is every case of the owner that is not withdrawn, and the sheet
 * says that it is provisional; below the minimum nothing is taken off without a signed finding of slackness
 * (practice.md 5). As of a moment the same is counted from the records up to it (hf.counts_at). PostgreSQL computes the
 * same sheet in the same snapshot, and what differs is listed. Failures: PostgreSQL's, told outward. */
#include "workers/reconciliation/sheet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/reconciliation/explain.h"
#include "workers/reconciliation/twice.h"

/* Callers, and whoever else owns a case; now, and as of a moment. */
static const char rows_sql[] =
    "SELECT p.person, coalesce(p.team, ''), (p.roles & 2) <> 0, coalesce(n.admitted, 0), "
    "coalesce(n.registered, 0), coalesce(n.attempted, 0), coalesce(n.withdrawn, 0), "
    "coalesce(f.slack, false), coalesce(f.wrong_withdrawal, false), coalesce(f.deduction, 0) "
    "FROM hf.person p "
    "LEFT JOIN (SELECT owner, sum(admitted)::bigint AS admitted, "
    "sum(registered)::bigint AS registered, sum(attempted)::bigint AS attempted, "
    "sum(withdrawn)::bigint AS withdrawn FROM hf.v_counts WHERE campaign = $1 GROUP BY owner) n "
    "ON n.owner = p.person "
    "LEFT JOIN hf.v_pay_finding f ON f.campaign = p.campaign AND f.person = p.person "
    "WHERE p.campaign = $1 AND ((p.roles & 1) <> 0 OR n.owner IS NOT NULL) "
    "ORDER BY p.team NULLS LAST, p.person";

static const char past_rows_sql[] =
    "SELECT p.person, coalesce(p.team, ''), (p.roles & 2) <> 0, coalesce(n.admitted, 0), "
    "coalesce(n.registered, 0), coalesce(n.attempted, 0), coalesce(n.withdrawn, 0), "
    "coalesce(f.slack, false), coalesce(f.wrong_withdrawal, false), coalesce(f.deduction, 0) "
    "FROM hf.person_at($1, $2) p "
    "LEFT JOIN (SELECT owner, sum(admitted)::bigint AS admitted, "
    "sum(registered)::bigint AS registered, sum(attempted)::bigint AS attempted, "
    "sum(withdrawn)::bigint AS withdrawn FROM hf.counts_at($1, $2, $3, $4) GROUP BY owner) n "
    "ON n.owner = p.person LEFT JOIN hf.pay_finding_at($1, $2) f ON f.person = p.person "
    "WHERE (p.roles & 1) <> 0 OR n.owner IS NOT NULL ORDER BY p.team NULLS LAST, p.person";

/* $2, $3: up to which row and time, or NULL. */
static const char whole_sql[] =
    "SELECT coalesce($2, (SELECT ledger_no FROM hf.campaign WHERE campaign = $1), 0), "
    "(SELECT count(*) FROM hf.case_state WHERE campaign = $1 AND lane <> 'unreleased' AND "
    "($3::bigint IS NULL OR coalesce(created_at, 0) <= $3)), "
    "CASE WHEN $2::bigint IS NULL THEN (SELECT no FROM hf.v_freeze WHERE campaign = $1) ELSE "
    "(SELECT no FROM hf.freeze_at($1, $2)) END, "
    "(SELECT count(*) FROM hf.v_undecided WHERE campaign = $1 AND what = 'dispute'), "
    "(SELECT count(*) FROM hf.v_undecided WHERE campaign = $1 AND what IN ('slack', "
    "'wrong-withdrawal', 'deduction', 'lifted')), "
    "coalesce((SELECT least(campaign_at, $3) FROM hf.v_pay_moved WHERE campaign = $1), 0)";

static struct pay_row
row_of(const struct pg_result *r, int i, int64_t minimum)
{
	return (struct pay_row){
	    .rate = {pg_get_i64(r, i, 4), pg_get_i64(r, i, 3)},
	    .called = pg_get_i64(r, i, 5),
	    .minimum = minimum,
	    .leader = span_eq_str(pg_get(r, i, 2), "t"),
	    .slack = span_eq_str(pg_get(r, i, 7), "t"),
	    .wrong_withdrawal = span_eq_str(pg_get(r, i, 8), "t"),
	    .deduction = (int)pg_get_i64(r, i, 9),
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
add_row(
    json_t *rows, const struct pg_result *r, int i, const struct readings *rules, int64_t minimum)
{
	struct pay_row row = row_of(r, i, minimum);
	struct pay_team team = team_of(r, i, minimum);
	struct span name = pg_get(r, i, 0), team_name = pg_get(r, i, 1);
	char *person = xasprintf("%.*s", (int)name.len, (const char *)name.data);
	json_t *o = pay_json(&rules->policy, person, &row, &team);
	char more[PAY_TEXT];

	json_object_set_new(o, "team", json_stringn((const char *)team_name.data, team_name.len));
	json_object_set_new(o, "admitted", json_integer(row.rate.admitted));
	json_object_set_new(o, "registered", json_integer(row.rate.registered));
	json_object_set_new(o, "called", json_integer(row.called));
	json_object_set_new(o, "withdrawn", json_integer(pg_get_i64(r, i, 6)));
	json_object_set_new(o, "slack", json_boolean(row.slack));
	json_object_set_new(o, "wrong_withdrawal", json_boolean(row.wrong_withdrawal));
	json_object_set_new(o, "deduction_percent", json_integer(row.deduction));
	json_object_set_new(o, "one_more",
	    row.rate.registered < row.rate.admitted
	        ? json_string(pay_text(more, pay_one_more(&rules->policy, &row)))
	        : json_null());
	json_array_append_new(rows, o);
	free(person);
}

/* floor(share x placed / callers), unless the leading group set it */
static int64_t
minimum_of(int64_t set, int64_t share, int64_t placed, int64_t callers)
{
	return set >= 0 ? set : callers > 0 ? share * placed / (100 * callers) : 0;
}

static json_t *
whole_json(const struct pg_result *whole, int64_t callers, int64_t minimum)
{
	json_t *o = json_pack("{s:I s:b s:I s:I s:I s:I s:I s:I}", "as_of_ledger",
	    (json_int_t)pg_get_i64(whole, 0, 0), "provisional", (int)pg_is_null(whole, 0, 2),
	    "placed", (json_int_t)pg_get_i64(whole, 0, 1), "callers", (json_int_t)callers,
	    "minimum", (json_int_t)minimum, "open_disputes", (json_int_t)pg_get_i64(whole, 0, 3),
	    "open_findings", (json_int_t)pg_get_i64(whole, 0, 4), "moved_at",
	    (json_int_t)pg_get_i64(whole, 0, 5));

	json_object_set_new(o, "freeze",
	    pg_is_null(whole, 0, 2) ? json_null() : json_integer(pg_get_i64(whole, 0, 2)));
	return o;
}

static int
read_whole(struct pg *pg, const char *campaign, const struct past *past, struct pg_result **ret,
    struct err *err)
{
	struct pg_param p[3] = {pg_text(campaign), past != NULL ? pg_i64(past->no) : pg_null(),
	    past != NULL ? pg_i64(past->at) : pg_null()};

	return pg_exec(pg, whole_sql, p, 3, ret, err);
}

static int
read_rows(struct pg *pg, const char *campaign, const struct past *past, struct pg_result **ret,
    struct err *err)
{
	struct pg_param p[4] = {pg_text(campaign)};

	if (past == NULL)
		return pg_exec(pg, rows_sql, p, 1, ret, err);
	past_params(p, past, campaign);
	return pg_exec(pg, past_rows_sql, p, 4, ret, err);
}

int
sheet_read(struct pg *pg, const char *campaign, const struct readings *now_rules,
    const struct past *past, int64_t set_minimum, json_t **ret, struct err *err)
{
	const struct readings *rules = past != NULL ? &past->rules : now_rules;
	struct pg_result *whole = NULL, *r = NULL;
	json_t *rows, *differences;
	int64_t minimum;
	int got = -1;

	if (pg_script(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != 0 ||
	    read_whole(pg, campaign, past, &whole, err) != 0)
		return -1;
	if (read_rows(pg, campaign, past, &r, err) != 0) {
		pg_free(whole);
		return -1;
	}
	minimum =
	    minimum_of(set_minimum, rules->minimum_share, pg_get_i64(whole, 0, 1), pg_rows(r));
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		add_row(rows, r, i, rules, minimum);
	/* hf.pay_sheet knows the usual share alone. */
	if (twice_compare(pg, campaign, rules, past, rows, minimum,
	        set_minimum >= 0 || !readings_usual_share(rules), &differences, err) == 0) {
		*ret = whole_json(whole, pg_rows(r), minimum);
		json_object_set(*ret, "rows", rows);
		json_object_set_new(*ret, "differences", differences);
		json_object_set_new(*ret, "rules", readings_json(rules));
		json_object_set_new(*ret, "minimum_share", json_integer(rules->minimum_share));
		if (past != NULL)
			json_object_set_new(*ret, "as_of", json_integer(past->at));
		got = 0;
	}
	json_decref(rows);
	pg_free(whole);
	pg_free(r);
	return got == 0 ? pg_script(pg, "COMMIT", err) : -1;
}
