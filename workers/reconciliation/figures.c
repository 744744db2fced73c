/* figures.c - rates by caller, team, campaign and stage, counted by SQL, divided here in integers.
 *
 * Happy path: one grouped SELECT over v_counts (by stage: v_stage_figure) in a repeatable-read transaction with the
 * moment that it was true for, and whether the denominator is the frozen list or provisional. Failures: PostgreSQL's,
 * told outward. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/reconciliation/figures.h"
#include "workers/reconciliation/rate.h"

#define SUMS                                                                                       \
	"coalesce(sum(cases), 0)::bigint, coalesce(sum(attempted), 0)::bigint, "                   \
	"coalesce(sum(attempts), 0)::bigint, coalesce(sum(contacts), 0)::bigint, "                 \
	"coalesce(sum(seconds), 0)::bigint, coalesce(sum(confirmed), 0)::bigint, "                 \
	"coalesce(sum(considering), 0)::bigint, coalesce(sum(unreachable), 0)::bigint, "           \
	"coalesce(sum(withdrawn), 0)::bigint, coalesce(sum(admitted), 0)::bigint, "                \
	"coalesce(sum(registered), 0)::bigint, coalesce(sum(paid), 0)::bigint, "                   \
	"coalesce(sum(admitted_contacts), 0)::bigint, coalesce(sum(admitted_seconds), 0)::bigint"
#define COLUMNS 14

/* What a caller's own cases should come to on average (Q8, practice.md 5): it informs, it blocks nothing. */
#define CONTACTS 4
#define MINUTES  20

/* What is read, from where, and in which order; NULL stands for v_counts, or counts_at as of a moment. */
static const struct {
	const char *columns, *from, *rest;
} queries[] = {
    [BY_CALLER] = {"SELECT coalesce(owner, ''), coalesce(team, ''), " SUMS, NULL,
        "GROUP BY owner, team ORDER BY team NULLS LAST, owner NULLS LAST"},
    [BY_TEAM] = {"SELECT coalesce(team, ''), coalesce(team, ''), " SUMS, NULL,
        "GROUP BY team ORDER BY team NULLS LAST"},
    [BY_CAMPAIGN] = {"SELECT $1, '', " SUMS, NULL, ""},
    [BY_STAGE] = {"SELECT stage || CASE WHEN pass > 0 THEN '.' || pass ELSE '' END, '', count(*), "
                  "count(*), sum(attempts)::bigint, sum(contacts)::bigint, sum(seconds)::bigint, "
                  "count(*) FILTER (WHERE last_outcome = 'confirmed'), "
                  "count(*) FILTER (WHERE last_outcome IN ('considering', 'will-not-say')), "
                  "count(*) FILTER (WHERE unreachable), count(*) FILTER (WHERE withdrawn), "
                  "count(*) FILTER (WHERE admitted), count(*) FILTER (WHERE registered), "
                  "count(*) FILTER (WHERE paid), "
                  "coalesce(sum(contacts) FILTER (WHERE admitted), 0)::bigint, "
                  "coalesce(sum(seconds) FILTER (WHERE admitted), 0)::bigint ",
        "hf.v_stage_figure", "GROUP BY stage, pass ORDER BY stage, pass"},
};

/* total / (n * unit), cut to one place; "" for nobody. Returns out. */
static char *
average_text(char out[24], int64_t total, int64_t n, int64_t unit)
{
	int64_t tenths = n > 0 ? total * 10 / (n * unit) : 0;

	out[0] = '\0';
	if (n > 0)
		(void)snprintf(out, 24, "%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
	return out;
}

static void
put_averages(json_t *row, int64_t admitted, int64_t contacts, int64_t seconds)
{
	char each[24], minutes[24];

	average_text(each, contacts, admitted, 1);
	average_text(minutes, seconds, admitted, 60);
	(void)json_object_set_new(
	    row, "average_contacts", each[0] != '\0' ? json_string(each) : json_null());
	(void)json_object_set_new(
	    row, "average_minutes", minutes[0] != '\0' ? json_string(minutes) : json_null());
	(void)json_object_set_new(row, "enough",
	    json_boolean(admitted > 0 && contacts >= CONTACTS * admitted &&
	                 seconds >= MINUTES * 60 * admitted));
}

static json_t *
row_json(const struct pg_result *r, int i)
{
	struct span who = pg_get(r, i, 0), team = pg_get(r, i, 1);
	int64_t n[COLUMNS];
	struct rate rate;
	char text[24];
	json_t *row;

	for (int c = 0; c < COLUMNS; c++)
		n[c] = pg_get_i64(r, i, c + 2);
	rate = (struct rate){n[10], n[9]};
	rate_text(text, rate);
	row = json_pack("{s:s% s:s% s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:s? s:I s:I}",
	    "who", who.data, who.len, "team", team.data, team.len, "cases", (json_int_t)n[0],
	    "attempted", (json_int_t)n[1], "attempts", (json_int_t)n[2], "contacts",
	    (json_int_t)n[3], "seconds", (json_int_t)n[4], "confirmed", (json_int_t)n[5],
	    "considering", (json_int_t)n[6], "unreachable", (json_int_t)n[7], "withdrawn",
	    (json_int_t)n[8], "admitted", (json_int_t)n[9], "registered", (json_int_t)n[10], "paid",
	    (json_int_t)n[11], "rate", text[0] != '\0' ? text : NULL, "missing_93",
	    (json_int_t)rate_missing(rate, 93), "missing_95", (json_int_t)rate_missing(rate, 95));
	put_averages(row, n[9], n[12], n[13]);
	return row;
}

/* Whose rate is among the last three (N4): callers only, not what nobody owns. */
static void
mark_last(json_t *rows)
{
	size_t n = json_array_size(rows), i;
	struct rate *rates = xcalloc(n + 1, sizeof(*rates));
	bool *last = xcalloc(n + 1, sizeof(*last));
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (json_string_length(json_object_get(row, "who")) > 0)
			rates[i] =
			    (struct rate){json_integer_value(json_object_get(row, "registered")),
			        json_integer_value(json_object_get(row, "admitted"))};
	}
	rate_last_three(rates, n, last);
	json_array_foreach(rows, i, row)
	    json_object_set_new(row, "last_three", json_boolean(last[i]));
	free(last);
	free(rates);
}

int
figures_moment(
    struct pg *pg, const char *campaign, const struct past *past, json_t *out, struct err *err)
{
	struct pg_param p[2] = {pg_text(campaign), past != NULL ? pg_i64(past->no) : pg_null()};
	struct pg_result *r;
	struct span log;

	if (pg_exec(pg,
	        "SELECT coalesce(max(n.no), 0), max(l.campaign_at), "
	        "coalesce(max(l.log_epoch || '-' || l.log_no), ''), CASE WHEN $2::bigint IS NULL "
	        "THEN (SELECT no FROM hf.v_freeze WHERE campaign = $1) ELSE (SELECT no FROM "
	        "hf.freeze_at($1, $2)) END FROM hf.campaign c CROSS JOIN LATERAL (SELECT "
	        "coalesce($2, c.ledger_no) AS no) n LEFT JOIN hf.ledger l ON l.campaign = "
	        "c.campaign "
	        "AND l.no = n.no WHERE c.campaign = $1",
	        p, 2, &r, err) != 0)
		return -1;
	log = pg_get(r, 0, 2);
	json_object_set_new(out, "as_of_ledger", json_integer(pg_get_i64(r, 0, 0)));
	json_object_set_new(
	    out, "as_of", pg_is_null(r, 0, 1) ? json_null() : json_integer(pg_get_i64(r, 0, 1)));
	json_object_set_new(out, "log", json_stringn((const char *)log.data, log.len));
	json_object_set_new(out, "provisional", json_boolean(pg_is_null(r, 0, 3)));
	if (past != NULL)
		json_object_set_new(out, "asked", json_integer(past->at));
	pg_free(r);
	return 0;
}

/* person: the cases of this one alone, "-" of nobody, NULL of all. */
static int
query(struct pg *pg, const char *campaign, enum figures_by by, const char *person,
    const struct past *past, struct pg_result **ret, struct err *err)
{
	struct pg_param p[5] = {pg_text(campaign)};
	const char *from = queries[by].from != NULL ? queries[by].from
	                   : past != NULL           ? "hf.counts_at($1, $2, $3, $4) c"
	                                            : "hf.v_counts";
	int n = 1, got;
	char *sql;

	if (past != NULL) {
		past_params(p, past, campaign);
		n = 4;
	}
	p[n++] = pg_text(person);
	sql = xasprintf("%s FROM %s WHERE campaign = $1 AND ($%d::text IS NULL OR coalesce(owner, "
	                "'-') = $%d) %s",
	    queries[by].columns, from, n, n, queries[by].rest);
	got = pg_exec(pg, sql, p, (size_t)n, ret, err);
	free(sql);
	return got;
}

static int
read_rows(struct pg *pg, const char *campaign, enum figures_by by, const char *person,
    const struct past *past, json_t *out, struct err *err)
{
	struct pg_result *r;
	json_t *rows;

	if (figures_moment(pg, campaign, past, out, err) != 0 ||
	    query(pg, campaign, by, person, past, &r, err) != 0)
		return -1;
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		json_array_append_new(rows, row_json(r, i));
	pg_free(r);
	if (by == BY_CALLER && person == NULL)
		mark_last(rows);
	json_object_set_new(out, "rows", rows);
	return 0;
}

int
figures_rates(struct pg *pg, const char *campaign, enum figures_by by, const char *person,
    const struct past *past, json_t **ret, struct err *err)
{
	json_t *out;

	if (by == BY_STAGE && past != NULL)
		return err_set(err, ERR_INVALID, "--by stage 没有 --as-of: 各阶段只按现在的账本数");
	out = json_object();

	if (pg_script(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != 0 ||
	    read_rows(pg, campaign, by, person, past, out, err) != 0 ||
	    pg_script(pg, "COMMIT", err) != 0) {
		json_decref(out);
		return err_wrap(err, "rates");
	}
	*ret = out;
	return 0;
}
