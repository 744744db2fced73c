/* nightly.c - the order of a nightly run.
 *
 * Happy path: take the lock; look at Redis and PostgreSQL until a look is clean, or until two looks agree on what is
 * wrong; mend what a rule may mend; count each case; pay twice; the archive against the ledger; who waits too long; keep the
 * run. A later run of a night that is clean so far looks at what is new alone (since.c).
 * Failures: a store away (nothing is kept, the next run makes up for it); a difference is no failure but a finding. */
#include "workers/reconciliation/nightly.h"

#include <string.h>

#include "base/clock.h"
#include "workers/reconciliation/figures.h"
#include "workers/reconciliation/paydesk.h"
#include "workers/reconciliation/sheet.h"
#include "workers/reconciliation/since.h"
#include "workers/reconciliation/snapshot.h"

#define LOOKS   25
#define WAIT_US 900000000LL

static int
lock(struct pg *pg, const char *campaign, struct err *err)
{
	struct pg_param p = pg_text(campaign);

	pg_patience(pg, WAIT_US);
	if (pg_script(pg, "SET lock_timeout = '10min'; SET statement_timeout = '15min'", err) != 0)
		return -1;
	return pg_exec(pg, "SELECT pg_advisory_lock(hashtextextended('hf night ' || $1, 0))", &p, 1,
	    NULL, err);
}

static void
unlock(struct pg *pg, const char *campaign)
{
	struct pg_param p = pg_text(campaign);

	(void)pg_exec(pg, "SELECT pg_advisory_unlock(hashtextextended('hf night ' || $1, 0))", &p,
	    1, NULL, NULL);
}

/* ---- Redis = PostgreSQL, each case in one place ---- */

static void
add_sums(json_t *census, json_t *findings)
{
	json_int_t sum = json_integer_value(json_object_get(census, "leases"));
	char here[24], there[24];
	const char *lane;
	json_t *n;

	json_object_foreach(json_object_get(census, "lanes"), lane, n)
	{
		sum += json_integer_value(n);
	}
	(void)snprintf(here, sizeof(here), "%jd", (intmax_t)sum);
	(void)snprintf(there, sizeof(there), "%jd",
	    (intmax_t)json_integer_value(json_object_get(census, "imported")));
	finding_add(findings, "difference", "adds-up", NULL, here, there);
}

static int
look(const struct nightly *n, const struct since *since, struct case_mark *mark,
    json_t **ret_census, json_t **ret_findings, struct err *err)
{
	json_t *census, *findings = json_array();
	struct moved moved = {.from = since->cases, .findings = findings};
	const json_t *d;
	size_t i;

	if (figures_census(n->pg, n->redis, n->campaign, mark, since->some ? &moved : NULL, &census,
	        err) != 0) {
		json_decref(findings);
		return -1;
	}
	if (!since->some && places_check(n->redis, n->campaign, findings, err) != 0) {
		json_decref(findings);
		json_decref(census);
		return -1;
	}
	if (since->some)
		json_object_set_new(census, "moved", json_integer((json_int_t)moved.n));
	json_array_foreach(json_object_get(census, "differences"), i, d)
	{
		finding_add(findings, "difference", "redis-pg",
		    json_string_value(json_object_get(d, "case")),
		    json_string_value(json_object_get(d, "redis")),
		    json_string_value(json_object_get(d, "postgres")));
	}
	if (!json_is_true(json_object_get(census, "adds_up")))
		add_sums(census, findings);
	*ret_census = census;
	*ret_findings = findings;
	return 0;
}

static bool
is_clean(const json_t *census, const json_t *findings)
{
	return json_integer_value(json_object_get(census, "behind")) == 0 &&
	       json_array_size(findings) == 0;
}

/* The census lists what both looks saw, and no more. */
static void
list_again(json_t *census, const json_t *findings)
{
	json_t *list = json_array();
	const json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
	{
		if (strcmp(json_string_value(json_object_get(f, "kind")), "redis-pg") == 0)
			json_array_append_new(
			    list, json_pack("{s:O s:O s:O}", "case", json_object_get(f, "case"),
			              "redis", json_object_get(f, "here"), "postgres",
			              json_object_get(f, "there")));
	}
	json_object_set_new(census, "differences", list);
}

/* Work goes on meanwhile: what a second look does not see again had only moved. */
static int
look_twice(const struct nightly *n, const struct since *since, struct case_mark *mark,
    json_t **ret_census, json_t **ret_findings, struct err *err)
{
	json_t *census, *findings, *before = NULL, *both = NULL;

	if (look(n, since, mark, &census, &findings, err) != 0)
		return -1;
	for (int i = 1; i < LOOKS && !is_clean(census, findings); i++) {
		bool was_behind = json_integer_value(json_object_get(census, "behind")) > 0;

		json_decref(before);
		json_decref(census);
		before = findings;
		if (pg_script(n->pg, "SELECT pg_sleep(0.4)", err) != 0 ||
		    look(n, since, mark, &census, &findings, err) != 0) {
			json_decref(before);
			return -1;
		}
		json_decref(both);
		both = finding_both(before, findings);
		if (!was_behind && json_integer_value(json_object_get(census, "behind")) == 0 &&
		    json_array_size(both) == json_array_size(findings))
			break;
	}
	json_decref(before);
	if (both != NULL) {
		json_decref(findings);
		findings = both;
	}
	list_again(census, findings);
	*ret_census = census;
	*ret_findings = findings;
	return 0;
}

/* ---- the rest ---- */

/* What was counted by case goes on to now. A look at everything counts it again from the first record, which must give
 * the same; not a fold that this run itself began from there. */
static int
count_cases(const struct nightly *n, const struct since *since, json_t *findings, struct err *err)
{
	struct pg_param p = pg_text(n->campaign);
	struct pg_result *r;
	char cases[24];
	int64_t differ;
	bool again;

	if (pg_exec(n->pg,
	        "SELECT k.ledger_no > hf.fold_cases($1) FROM hf.campaign k WHERE campaign = $1", &p,
	        1, &r, err) != 0)
		return err_wrap(err, "counting what each case has been through");
	again = pg_rows(r) == 1 && span_eq_str(pg_get(r, 0, 0), "t");
	pg_free(r);
	if (since->some || !again)
		return 0;
	if (pg_exec(n->pg, "SELECT hf.recount_cases($1)", &p, 1, &r, err) != 0)
		return err_wrap(err, "counting what each case has been through");
	differ = pg_get_i64(r, 0, 0);
	pg_free(r);
	if (differ == 0)
		return 0;
	(void)snprintf(cases, sizeof(cases), "%jd", (intmax_t)differ);
	finding_add(findings, "difference", "counts", NULL, cases, "0");
	json_object_set_new(
	    json_array_get(findings, json_array_size(findings) - 1), "mended", json_true());
	return 0;
}

/* Both computations of pay; not of a night whose pay is kept, since that does not change. */
static int
pay_twice(const struct nightly *n, json_t *findings, bool *ret_agree, struct err *err)
{
	json_t *sheet;
	const json_t *d;
	struct readings rules;
	char here[160], there[160];
	size_t i;

	if (paydesk_rules(n->redis, n->campaign, &rules, err) != 0 ||
	    sheet_read(n->pg, n->campaign, &rules, NULL, -1, &sheet, err) != 0)
		return err_wrap(err, "pay");
	json_array_foreach(json_object_get(sheet, "differences"), i, d)
	{
		const char *a = json_string_value(json_object_get(d, "here"));
		const char *b = json_string_value(json_object_get(d, "sql"));
		const char *who = json_string_value(json_object_get(d, "person"));
		const char *what = json_string_value(json_object_get(d, "what"));

		(void)snprintf(here, sizeof(here), "%s %s %s", who, what, a != NULL ? a : "-");
		(void)snprintf(there, sizeof(there), "%s", b != NULL ? b : "-");
		finding_add(findings, "difference", "pay", NULL, here, there);
	}
	*ret_agree = json_array_size(json_object_get(sheet, "differences")) == 0;
	json_decref(sheet);
	return 0;
}

static void
add_row(json_t *findings, const struct pg_result *r, int i)
{
	char text[4][120];

	for (int c = 0; c < 4; c++)
		(void)snprintf(text[c], sizeof(text[c]), "%.*s",
		    (int)pg_get(r, i, c < 2 ? c : c + 1).len,
		    (const char *)pg_get(r, i, c < 2 ? c : c + 1).data);
	{
		struct span id = pg_get(r, i, 2);
		char hex[33] = "";

		(void)snprintf(hex, sizeof(hex), "%.*s", (int)id.len, (const char *)id.data);
		finding_add(findings, text[0], text[1], pg_is_null(r, i, 2) ? NULL : hex,
		    pg_is_null(r, i, 3) ? NULL : text[2], pg_is_null(r, i, 4) ? NULL : text[3]);
	}
}

static int
sql_findings(const struct nightly *n, const struct since *since, json_t *findings, struct err *err)
{
	struct pg_param p[3] = {pg_text(n->campaign), pg_i64(n->now), pg_i64(since->ledger_no)};
	struct pg_result *r;

	if (pg_exec(n->pg,
	        "SELECT level, kind, encode(case_ref, 'hex'), here, there FROM "
	        "hf.night_findings($1, $2, $3) ORDER BY level, kind, case_ref",
	        p, 3, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r); i++)
		add_row(findings, r, i);
	pg_free(r);
	return 0;
}

static int
run_locked(const struct nightly *n, json_t **ret, struct err *err)
{
	struct snapshot s = {.n = n, .began_wall = clock_wall_ms()};
	struct shelf_look shelf = {.segments = 0};
	struct since since;
	json_t *census, *findings;
	int got = -1;

	if (since_read(n, &since, err) != 0 ||
	    look_twice(n, &since, &s.mark, &census, &findings, err) != 0)
		return -1;
	s.whole = !since.some;
	s.census = census;
	s.findings = findings;
	s.shelf = &shelf;
	if ((json_integer_value(json_object_get(census, "behind")) > 0 ||
	        mend_cases(n->pg, n->redis, n->campaign, findings, err) == 0) &&
	    count_cases(n, &since, findings, err) == 0 &&
	    (since.some || pay_twice(n, findings, &s.pay_agrees, err) == 0) &&
	    shelf_check(n->pg, n->home, n->campaign, &since, findings, &shelf, err) == 0 &&
	    sql_findings(n, &since, findings, err) == 0 && snapshot_keep(&s, census, err) == 0)
		got = 0;
	json_object_set_new(census, "whole", json_boolean(s.whole));
	json_object_set(census, "findings", findings);
	json_object_set_new(census, "archive",
	    json_pack("{s:I s:I s:s}", "segments", (json_int_t)shelf.segments, "records",
	        (json_int_t)shelf.records, "log", shelf.last));
	json_decref(findings);
	if (got != 0)
		json_decref(census);
	else
		*ret = census;
	return got;
}

int
nightly_run(const struct nightly *n, json_t **ret, struct err *err)
{
	int got = lock(n->pg, n->campaign, err);

	if (got != 0)
		return err_wrap(err, "waiting for another run of this night");
	got = run_locked(n, ret, err);
	unlock(n->pg, n->campaign);
	return got;
}

size_t
nightly_differences(const json_t *out)
{
	const json_t *f;
	size_t i, n = 0;

	json_array_foreach(json_object_get(out, "findings"), i, f)
	{
		n += !json_is_true(json_object_get(f, "mended")) &&
		     strcmp(json_string_value(json_object_get(f, "level")), "difference") == 0;
	}
	return n;
}

int
nightly_list(struct pg *pg, const char *campaign, int limit, json_t **ret, struct err *err)
{
	static const char *const keys[] = {"run", "ledger_no", "differences", "notices", "mended"};
	struct pg_param p[2] = {pg_text(campaign), pg_i64(limit)};
	struct pg_result *r;
	json_t *rows;

	if (pg_exec(pg,
	        "SELECT run, ledger_no, differences, notices, mended, night, "
	        "to_char(ended_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') FROM "
	        "hf.check_run WHERE campaign = $1 ORDER BY run DESC LIMIT $2",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "past runs");
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++) {
		json_t *o = json_object();

		for (int c = 0; c < 5; c++)
			json_object_set_new(o, keys[c], json_integer(pg_get_i64(r, i, c)));
		json_object_set_new(o, "night",
		    json_stringn((const char *)pg_get(r, i, 5).data, pg_get(r, i, 5).len));
		json_object_set_new(o, "ended",
		    json_stringn((const char *)pg_get(r, i, 6).data, pg_get(r, i, 6).len));
		json_array_append_new(rows, o);
	}
	pg_free(r);
	*ret = rows;
	return 0;
}
