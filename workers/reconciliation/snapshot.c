/* snapshot.c - a run, its findings and its night, in one repeatable-read transaction: all of it or nothing.
 *
 * Happy path: the run gets the next number; nights between the last one kept and this one are made up for from the
 * ledger; this night gets its rates and its pay. The primary key of a night keeps a second host from writing it
 * again, whatever became of the lock. Failures: PostgreSQL's, told outward; nothing is written then. */
#include "workers/reconciliation/snapshot.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

static const char run_sql[] =
    "INSERT INTO hf.check_run (campaign, run, night, began_at, campaign_at, host, ledger_no, "
    "archive_segment, archive_log, imported, leases, behind, differences, notices, mended, whole, "
    "case_epoch, case_no) SELECT $1, (SELECT coalesce(max(run), 0) + 1 FROM hf.check_run WHERE "
    "campaign = $1), "
    "$2::date, hf.ms($3), $4, $5, ledger_no, $6, $7, $8, $9, $10, $11, $12, $13, "
    "$14, $15, $16 FROM hf.campaign WHERE campaign = $1 RETURNING run";

static const char finding_sql[] =
    "INSERT INTO hf.check_found (campaign, run, n, level, kind, case_ref, here, there, mended) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/* A night ends at two in the morning in Shanghai; at most 60 are made up for. */
static const char late_sql[] =
    "WITH last AS (SELECT night, ledger_no FROM hf.night WHERE campaign = $1 ORDER BY night DESC "
    "LIMIT 1), u AS (SELECT g::date AS night, (extract(epoch FROM g AT TIME ZONE 'Asia/Shanghai') "
    "* 1000)::bigint + 7200000 AS upto FROM last, generate_series(greatest(last.night + 1, "
    "$3::date - 60)::timestamp, ($3::date - 1)::timestamp, interval '1 day') g), x AS (SELECT "
    "u.night, u.upto, (SELECT coalesce(max(e.no), 0) FROM hf.ledger e WHERE e.campaign = $1 AND "
    "e.campaign_at <= u.upto) AS no FROM u) INSERT INTO hf.night (campaign, night, run, late, "
    "upto_at, ledger_no, records) SELECT $1, x.night, $2, true, x.upto, x.no, greatest(x.no - "
    "coalesce(lag(x.no) OVER (ORDER BY x.night), (SELECT ledger_no FROM last)), 0) FROM x "
    "ORDER BY x.night RETURNING night";

static const char night_sql[] =
    "INSERT INTO hf.night (campaign, night, run, late, upto_at, ledger_no, records) SELECT $1, "
    "$3::date, $2, false, $4, k.ledger_no, greatest(k.ledger_no - coalesce((SELECT n.ledger_no "
    "FROM hf.night n WHERE n.campaign = $1 ORDER BY n.night DESC LIMIT 1), 0), 0) FROM "
    "hf.campaign k WHERE k.campaign = $1 ON CONFLICT DO NOTHING";

#define RATE_INTO                                                                                  \
	"INSERT INTO hf.night_rate (campaign, night, scope, who, team, cases, attempted, "         \
	"attempts, contacts, seconds, confirmed, considering, unreachable, withdrawn, admitted, "  \
	"registered) SELECT $1, "
#define RATE_COLUMNS                                                                               \
	", CASE WHEN grouping(f.owner) = 0 THEN 'caller' WHEN grouping(f.team) = 0 THEN 'team' "   \
	"ELSE 'campaign' END, coalesce(CASE WHEN grouping(f.owner) = 0 THEN f.owner WHEN "         \
	"grouping(f.team) = 0 THEN f.team ELSE $1 END, ''), coalesce(f.team, ''), count(*), "      \
	"count(*) FILTER (WHERE f.attempts > 0), coalesce(sum(f.attempts), 0)::bigint, "           \
	"coalesce(sum(f.contacts), 0)::bigint, coalesce(sum(f.seconds), 0)::bigint, "              \
	"count(*) FILTER (WHERE f.last_outcome = 'confirmed'), "                                   \
	"count(*) FILTER (WHERE f.last_outcome IN ('considering', 'will-not-say')), "              \
	"count(*) FILTER (WHERE f.unreachable), count(*) FILTER (WHERE f.withdrawn), "             \
	"count(*) FILTER (WHERE f.admitted), count(*) FILTER (WHERE f.registered) "

static const char rate_sql[] =
    RATE_INTO "$2::date" RATE_COLUMNS "FROM hf.v_figure f WHERE f.campaign = $1 GROUP BY "
              "GROUPING SETS ((f.owner, f.team), (f.team), ())";
static const char late_rate_sql[] = RATE_INTO
    "n.night" RATE_COLUMNS "FROM hf.night n CROSS JOIN LATERAL hf.figures_then(n.campaign, "
    "n.ledger_no, n.upto_at) f WHERE n.campaign = $1 AND n.run = $2 AND n.late GROUP BY GROUPING "
    "SETS ((n.night, f.owner, f.team), (n.night, f.team), (n.night))";

static const char pay_sql[] =
    "INSERT INTO hf.night_pay (campaign, night, person, team, admitted, registered, called, "
    "minimum, standard, amount, bonus) SELECT $1, $2::date, person, team, admitted, registered, "
    "called, minimum, standard, amount, bonus FROM hf.pay_sheet($1) WHERE NOT EXISTS (SELECT FROM "
    "hf.night_pay p WHERE p.campaign = $1 AND p.night = $2::date)";

static const char *
word(const json_t *f, const char *key)
{
	return json_string_value(json_object_get(f, key));
}

static int64_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static int64_t
count_of(const json_t *findings, const char *level, bool mended)
{
	const json_t *f;
	int64_t n = 0;
	size_t i;

	json_array_foreach(findings, i, f)
	{
		bool was = json_is_true(json_object_get(f, "mended"));

		n += mended ? was : !was && strcmp(word(f, "level"), level) == 0;
	}
	return n;
}

static int
keep_run(const struct snapshot *s, const char *day, int64_t *ret_run, struct err *err)
{
	char host[256] = "";
	struct pg_param p[16];
	struct pg_result *r;

	(void)gethostname(host, sizeof(host) - 1);
	p[0] = pg_text(s->n->campaign);
	p[1] = pg_text(day);
	p[2] = pg_i64(s->began_wall);
	p[3] = pg_i64(s->n->now);
	p[4] = pg_text(host);
	p[5] = s->shelf->segments > 0 ? pg_i64((int64_t)s->shelf->segments) : pg_null();
	p[6] = pg_text(s->shelf->last[0] != '\0' ? s->shelf->last : NULL);
	p[7] = pg_i64(number(s->census, "imported"));
	p[8] = pg_i64(number(s->census, "leases"));
	p[9] = pg_i64(number(s->census, "behind"));
	p[10] = pg_i64(count_of(s->findings, "difference", false));
	p[11] = pg_i64(count_of(s->findings, "notice", false));
	p[12] = pg_i64(count_of(s->findings, "", true));
	p[13] = pg_bool(s->whole);
	p[14] = pg_i64(s->mark.epoch);
	p[15] = pg_i64(s->mark.no);
	if (pg_exec(s->n->pg, run_sql, p, 16, &r, err) != 0)
		return -1;
	if (pg_rows(r) != 1) {
		pg_free(r);
		return err_set(err, ERR_NOT_FOUND,
		    "PostgreSQL 里没有这个活动; 请先看 hfctl doctor, 它是否接错了库");
	}
	*ret_run = pg_get_i64(r, 0, 0);
	pg_free(r);
	return 0;
}

static int
keep_findings(const struct snapshot *s, int64_t run, struct err *err)
{
	const json_t *f;
	size_t i;

	json_array_foreach(s->findings, i, f)
	{
		const char *hex = word(f, "case");
		uint8_t id[16];
		bool has = hex != NULL && hex_decode(id, 16, hex, strlen(hex));
		struct pg_param p[9] = {pg_text(s->n->campaign), pg_i64(run),
		    pg_i64((int64_t)i + 1), pg_text(word(f, "level")), pg_text(word(f, "kind")),
		    has ? pg_bytes(id, 16) : pg_null(), pg_text(word(f, "here")),
		    pg_text(word(f, "there")), pg_bool(json_is_true(json_object_get(f, "mended")))};

		if (pg_exec(s->n->pg, finding_sql, p, 9, NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* Nights nobody ran: their names go to out. */
static int
keep_late(const struct snapshot *s, int64_t run, const char *day, json_t *late, struct err *err)
{
	struct pg_param p[3] = {pg_text(s->n->campaign), pg_i64(run), pg_text(day)};
	struct pg_result *r;

	if (pg_exec(s->n->pg, late_sql, p, 3, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r); i++)
		json_array_append_new(
		    late, json_stringn((const char *)pg_get(r, i, 0).data, pg_get(r, i, 0).len));
	pg_free(r);
	return json_array_size(late) > 0 ? pg_exec(s->n->pg, late_rate_sql, p, 2, NULL, err) : 0;
}

static int
keep_night(const struct snapshot *s, int64_t run, const char *day, bool *ret_kept, struct err *err)
{
	struct pg_param p[4] = {
	    pg_text(s->n->campaign), pg_i64(run), pg_text(day), pg_i64(s->n->now)};
	struct pg_param of_day[2] = {p[0], p[2]};
	struct pg_result *r;

	if (pg_exec(s->n->pg, night_sql, p, 4, &r, err) != 0)
		return -1;
	*ret_kept = pg_affected(r) == 1;
	pg_free(r);
	if (*ret_kept && pg_exec(s->n->pg, rate_sql, of_day, 2, NULL, err) != 0)
		return -1;
	return s->pay_agrees ? pg_exec(s->n->pg, pay_sql, of_day, 2, NULL, err) : 0;
}

static int
keep_all(const struct snapshot *s, const char *day, json_t *out, struct err *err)
{
	json_t *late = json_array();
	bool kept = false;
	int64_t run = 0;
	int got = -1;

	if (keep_run(s, day, &run, err) == 0 && keep_findings(s, run, err) == 0 &&
	    keep_late(s, run, day, late, err) == 0 && keep_night(s, run, day, &kept, err) == 0)
		got = 0;
	json_object_set_new(out, "run", json_integer(run));
	json_object_set_new(out, "night", json_string(day));
	json_object_set_new(out, "kept", json_boolean(kept));
	json_object_set_new(out, "late", late);
	return got;
}

int
snapshot_keep(const struct snapshot *s, json_t *out, struct err *err)
{
	struct civil c = clock_civil(s->n->now);
	char day[48];

	(void)snprintf(day, sizeof(day), "%04d-%02d-%02d", c.year, c.month, c.day);
	if (pg_script(s->n->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ", err) != 0)
		return -1;
	if (keep_all(s, day, out, err) != 0) {
		(void)pg_script(s->n->pg, "ROLLBACK", NULL);
		return err_wrap(err, "keeping the night");
	}
	return pg_script(s->n->pg, "COMMIT", err);
}
