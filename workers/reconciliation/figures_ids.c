/* figures_ids.c - opens a figure of the rates: the cases, or the ledger's rows, that it counts.
 *
 * Happy path: the same relation (v_figure, or v_stage_figure) and the same condition as the sum, without the sum. Only
 * references come out, no name and no number. Failures: a figure or stage that there is not; PostgreSQL's, told outward. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/reconciliation/figures.h"

#define CONTACT "c.spoke IN ('self', 'father', 'mother', 'parent', 'guardian')"

/* A figure counts cases, or the attempts of them (of_records: each adds one, or its seconds). */
static const struct {
	const char *name, *where;
	bool of_records;
} figures[] = {
    {"cases", "true", false},
    {"attempted", "f.attempts > 0", false},
    {"attempts", "true", true},
    {"contacts", CONTACT, true},
    {"seconds", "true", true},
    {"confirmed", "f.last_outcome = 'confirmed'", false},
    {"considering", "f.last_outcome IN ('considering', 'will-not-say')", false},
    {"unreachable", "f.unreachable", false},
    {"withdrawn", "f.withdrawn", false},
    {"admitted", "f.admitted", false},
    {"registered", "f.registered", false},
    {"paid", "f.paid", false},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static size_t
figure_of(const char *name)
{
	size_t i = 0;

	while (name != NULL && i < FIGURES && strcmp(figures[i].name, name) != 0)
		i++;
	return name == NULL ? FIGURES : i;
}

/* "2", "2.1" */
static bool
stage_of(const char *text, int64_t *stage, int64_t *pass)
{
	const char *dot = strchr(text, '.');
	size_t n = dot != NULL ? (size_t)(dot - text) : strlen(text);

	*pass = 0;
	return text_to_i64(text, n, stage) && *stage >= 0 &&
	       (dot == NULL || (text_to_i64(dot + 1, strlen(dot + 1), pass) && *pass > 0));
}

#define WHOSE                                                                                      \
	"f.campaign = $1 AND ($2::text IS NULL OR coalesce(f.owner, '-') = $2) AND ($3::text IS "  \
	"NULL OR f.team = $3)"

/* $4 and $5: stage and pass; or $4 to $6: up to row, time, arrived. */
static char *
sql_of(size_t figure, bool staged, bool is_past)
{
	const char *from = staged    ? "hf.v_stage_figure f"
	                   : is_past ? "hf.figures_at($1, $4, $5, $6) f"
	                             : "hf.v_figure f",
	           *more = staged ? " AND f.stage = $4 AND f.pass = $5" : "",
	           *bound = staged    ? " JOIN hf.v_stage_span z ON z.campaign = $1 AND z.stage = "
	                                "$4 AND (z.pass = $5 OR $5 = 0) AND c.no >= z.from_no AND "
	                                "c.no < z.before_no"
	                    : is_past ? " AND c.no <= $4"
	                              : "";

	if (!figures[figure].of_records)
		return xasprintf("SELECT encode(f.case_ref, 'hex'), 0, 0 FROM %s WHERE " WHOSE
		                 "%s AND %s ORDER BY f.case_ref",
		    from, more, figures[figure].where);
	return xasprintf("SELECT encode(f.case_ref, 'hex'), c.no, coalesce(c.seconds, 0) FROM %s "
	                 "JOIN hf.v_contact c ON c.campaign = $1 AND c.case_ref = f.case_ref%s "
	                 "WHERE " WHOSE "%s AND %s ORDER BY c.no",
	    from, bound, more, figures[figure].where);
}

static void
put_rows(json_t *out, const struct pg_result *r, bool of_records)
{
	json_t *cases = json_array(), *records = json_array();
	int64_t total = 0;

	for (int i = 0; i < pg_rows(r); i++) {
		struct span id = pg_get(r, i, 0);

		json_array_append_new(cases, json_stringn((const char *)id.data, id.len));
		json_array_append_new(records, json_integer(pg_get_i64(r, i, 1)));
		total += pg_get_i64(r, i, 2);
	}
	json_object_set_new(out, "count", json_integer(pg_rows(r)));
	json_object_set_new(out, "cases", cases);
	if (of_records) {
		json_object_set(out, "records", records);
		json_object_set_new(out, "total", json_integer(total));
	}
	json_decref(records);
}

/* Behind campaign, person and team; how many there are, or 0. */
static size_t
more_params(struct pg_param *p, const struct figures_of *of, const struct past *past,
    const char *campaign, struct err *err)
{
	struct pg_param moment[4];
	int64_t stage, pass;

	if (of->stage != NULL && past != NULL) {
		err_set(err, ERR_INVALID, "--stage 没有 --as-of: 各阶段只按现在的账本数");
		return 0;
	}
	if (past != NULL) {
		past_params(moment, past, campaign);
		memcpy(p + 3, moment + 1, 3 * sizeof(*moment));
		return 6;
	}
	if (of->stage == NULL)
		return 3;
	if (!stage_of(of->stage, &stage, &pass)) {
		err_set(
		    err, ERR_INVALID, "--stage 要 2 或 2.1 (阶段 2 第 1 遍), 不是 %s", of->stage);
		return 0;
	}
	p[3] = pg_i64(stage);
	p[4] = pg_i64(pass);
	return 5;
}

static int
read_ids(struct pg *pg, const char *campaign, const struct figures_of *of, size_t figure,
    const struct past *past, json_t *out, struct err *err)
{
	struct pg_param p[6] = {pg_text(campaign), pg_text(of->person), pg_text(of->team)};
	size_t n = more_params(p, of, past, campaign, err);
	struct pg_result *r;
	char *sql;
	int got;

	if (n == 0 || figures_moment(pg, campaign, past, out, err) != 0)
		return -1;
	sql = sql_of(figure, of->stage != NULL, past != NULL);
	got = pg_exec(pg, sql, p, n, &r, err);
	free(sql);
	if (got != 0)
		return -1;
	json_object_set_new(out, "figure", json_string(of->figure));
	put_rows(out, r, figures[figure].of_records);
	pg_free(r);
	return 0;
}

int
figures_ids(struct pg *pg, const char *campaign, const struct figures_of *of,
    const struct past *past, json_t **ret, struct err *err)
{
	size_t figure = figure_of(of->figure);
	json_t *out;

	if (figure == FIGURES)
		return err_set(err, ERR_INVALID,
		    "--figure 是 cases attempted attempts contacts seconds confirmed considering "
		    "unreachable withdrawn admitted registered paid 里的一个, 不是 %s",
		    of->figure != NULL ? of->figure : "空");
	out = json_object();
	if (pg_script(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != 0 ||
	    read_ids(pg, campaign, of, figure, past, out, err) != 0 ||
	    pg_script(pg, "COMMIT", err) != 0) {
		json_decref(out);
		return -1;
	}
	*ret = out;
	return 0;
}
