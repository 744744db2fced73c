/* ledger.c - the two pictures of PostgreSQL: what happened lately, read from the newest rows alone, and the figures,
 * which are counted over all cases. Called in threads of their own (reader.c). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dashboard/watch.h"

#define SPAN_MS (STATE_MINUTES * 60000LL)

typedef void take_fn(const struct pg_result *r, int row, void *ret);

static void
text_at(const struct pg_result *r, int row, int col, char *ret, size_t size)
{
	struct span s = pg_get(r, row, col);

	(void)snprintf(ret, size, "%.*s", (int)s.len, (const char *)s.data);
}

/* Columns from `col` on, one number each. */
static void
numbers_at(const struct pg_result *r, int row, int col, int64_t *const *fields, int n)
{
	for (int i = 0; i < n; i++)
		*fields[i] = pg_get_i64(r, row, col + i);
}

static int
each(struct pg *pg, const char *sql, const struct pg_param *p, size_t n, take_fn *take, void *ret)
{
	struct pg_result *r;

	if (pg_exec(pg, sql, p, n, &r, NULL) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r); i++)
		take(r, i, ret);
	pg_free(r);
	return 0;
}

/* ---- lately -------------------------------------------------------------------------------------- */

/* wall_at is the server's clock in ms. */
static const char minutes_sql[] = "SELECT ($2 - wall_at) / 60000, count(*) FROM v_contact WHERE "
                                  "campaign = $1 AND wall_at > $2 - $3 GROUP BY 1";

static const char counts_sql[] =
    "SELECT coalesce((SELECT ledger_no FROM v_recorder WHERE campaign = $1), 0), "
    "(SELECT count(*) FROM v_problem WHERE campaign = $1 AND what <> 'night'), "
    "coalesce(o.outboxes, 0), coalesce(o.frozen, 0), coalesce(o.unreleased, 0) FROM "
    "(SELECT 1) one LEFT JOIN v_outboxes o ON o.campaign = $1";

/* The newest reconciliation. */
static const char night_sql[] = "SELECT ended_ms, coalesce(records, 0), differences, notices FROM "
                                "v_night WHERE campaign = $1";

static const char nights_sql[] =
    "SELECT night, late::int, records, imported, differences, notices, mended, ended_ms, took_ms "
    "FROM v_nights WHERE campaign = $1 ORDER BY night DESC LIMIT 14";

static const char exports_sql[] =
    "SELECT kind, manifest, row_count, ledger_no, made_ms, masked::int FROM v_exports "
    "WHERE campaign = $1 ORDER BY n DESC LIMIT 10";

/* $2: campaign ms. A few rows may lie beyond now, when the demo's clock halts. */
static const char flows_sql[] =
    "SELECT from_lane, ($2 - granted_at) / 60000, count(*) FROM v_lease WHERE campaign = $1 AND "
    "granted_at BETWEEN $2 - $3 + 1 AND $2 GROUP BY 1, 2 ORDER BY 1";

static void
take_minute(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	int64_t ago = pg_get_i64(r, row, 0);

	if (ago >= 0 && ago < STATE_MINUTES)
		s->per_minute[STATE_MINUTES - 1 - ago] = pg_get_i64(r, row, 1);
}

static void
take_counts(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	int64_t *const fields[] = {
	    &s->records, &s->quarantined, &s->outboxes, &s->frozen, &s->unreleased};

	numbers_at(r, row, 0, fields, 5);
}

static void
take_newest(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	int64_t *const fields[] = {
	    &s->night_at, &s->night_records, &s->night_differences, &s->night_notices};

	numbers_at(r, row, 0, fields, 4);
}

static void
take_night(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	struct night_state *n = &s->nights[s->n_nights++];
	int64_t *const fields[] = {&n->late, &n->records, &n->imported, &n->differences,
	    &n->notices, &n->mended, &n->ended_ms, &n->took_ms};

	text_at(r, row, 0, n->day, sizeof(n->day));
	numbers_at(r, row, 1, fields, 8);
}

static void
take_export(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	struct export_state *e = &s->exports[s->n_exports++];
	int64_t *const fields[] = {&e->rows, &e->ledger_no, &e->made_ms, &e->masked};

	text_at(r, row, 0, e->kind, sizeof(e->kind));
	text_at(r, row, 1, e->manifest, sizeof(e->manifest));
	numbers_at(r, row, 2, fields, 4);
}

static void
take_flow(const struct pg_result *r, int row, void *ret)
{
	struct ledger_state *s = ret;
	int64_t ago = pg_get_i64(r, row, 1);
	struct flow_state *f;
	char lane[sizeof(f->lane)];

	text_at(r, row, 0, lane, sizeof(lane));
	if (s->n_flows == 0 || strcmp(s->flows[s->n_flows - 1].lane, lane) != 0) {
		if (s->n_flows == STATE_FLOWS)
			return;
		memcpy(s->flows[s->n_flows++].lane, lane, sizeof(lane));
	}
	f = &s->flows[s->n_flows - 1];
	if (ago >= 0 && ago < STATE_MINUTES)
		f->per_minute[STATE_MINUTES - 1 - ago] = pg_get_i64(r, row, 2);
}

int
ledger_read(struct pg *pg, const char *campaign, void *ret)
{
	const struct pg_param name = pg_text(campaign),
	                      wall[] = {name, pg_i64(clock_wall_ms()), pg_i64(SPAN_MS)},
	                      now[] = {name, pg_i64(clock_campaign_ms()), pg_i64(SPAN_MS)};

	return each(pg, minutes_sql, wall, 3, take_minute, ret) != 0 ||
	               each(pg, counts_sql, &name, 1, take_counts, ret) != 0 ||
	               each(pg, night_sql, &name, 1, take_newest, ret) != 0 ||
	               each(pg, nights_sql, &name, 1, take_night, ret) != 0 ||
	               each(pg, exports_sql, &name, 1, take_export, ret) != 0 ||
	               each(pg, flows_sql, now, 3, take_flow, ret) != 0
	           ? -1
	           : 0;
}

/* ---- figures ------------------------------------------------------------------------------------- */

/* The first row is the whole campaign, then a row a team. $2: since when somebody counts as working, wall ms; $3: now,
 * campaign ms. */
static const char figures_sql[] =
    "WITH counts AS MATERIALIZED (SELECT * FROM v_counts WHERE campaign = $1), "
    "lately AS (SELECT person, count(*) AS records FROM v_contact WHERE campaign = $1 AND "
    "wall_at > $2 GROUP BY 1), "
    "held AS (SELECT hand AS person, count(*) AS n FROM v_case WHERE campaign = $1 AND held "
    "GROUP BY 1), "
    "due AS (SELECT owner AS person, count(*) AS n FROM v_case WHERE campaign = $1 AND NOT held "
    "AND lane LIKE 'own:%' AND due <= $3 GROUP BY 1), "
    "own AS (SELECT owner AS person, sum(cases) AS cases, sum(cases - attempted) AS untouched, "
    "sum(confirmed) AS confirmed FROM counts GROUP BY 1) "
    "SELECT '' AS team, coalesce(sum(cases), 0)::bigint, coalesce(sum(attempted), 0)::bigint, "
    "coalesce(sum(contacts), 0)::bigint, coalesce(sum(confirmed), 0)::bigint, "
    "coalesce(sum(considering), 0)::bigint, coalesce(sum(unreachable), 0)::bigint, "
    "coalesce(sum(withdrawn), 0)::bigint, coalesce(sum(admitted), 0)::bigint, "
    "coalesce(sum(registered), 0)::bigint FROM counts UNION ALL "
    "SELECT s.team, count(*), count(l.person), coalesce(sum(l.records), 0)::bigint, "
    "coalesce(sum(h.n), 0)::bigint, coalesce(sum(d.n), 0)::bigint, "
    "coalesce(sum(o.cases), 0)::bigint, coalesce(sum(o.untouched), 0)::bigint, "
    "coalesce(sum(o.confirmed), 0)::bigint, 0 FROM v_staff s "
    "LEFT JOIN lately l USING (person) LEFT JOIN held h USING (person) "
    "LEFT JOIN due d USING (person) LEFT JOIN own o USING (person) "
    "WHERE s.campaign = $1 AND s.team IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT 65";

static void
take_figures(const struct pg_result *r, int row, void *ret)
{
	struct figures_state *s = ret;
	struct team_state *t = &s->teams[s->n_teams];

	if (row == 0) {
		int64_t *const fields[] = {&s->cases, &s->attempted, &s->contacts, &s->confirmed,
		    &s->considering, &s->unreachable, &s->withdrawn, &s->admitted, &s->registered};

		numbers_at(r, row, 1, fields, 9);
	} else {
		int64_t *const fields[] = {&t->people, &t->working, &t->records, &t->held, &t->due,
		    &t->cases, &t->untouched, &t->confirmed};

		text_at(r, row, 0, t->name, sizeof(t->name));
		numbers_at(r, row, 1, fields, 8);
		s->n_teams++;
	}
}

int
figures_read(struct pg *pg, const char *campaign, void *ret)
{
	const struct pg_param p[] = {
	    pg_text(campaign), pg_i64(clock_wall_ms() - SPAN_MS), pg_i64(clock_campaign_ms())};
	struct figures_state *s = ret;

	if (each(pg, figures_sql, p, 3, take_figures, s) != 0)
		return -1;
	s->at_ms = clock_wall_ms();
	return 0;
}
