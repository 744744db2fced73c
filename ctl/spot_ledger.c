/* spot_ledger.c - commitments, draws and the records they are about, read from the ledger.
 *
 * Happy path: DRAW records in their order; one that commits opens a draw over the time since the one before, one
 * that draws tells its seed. Failures: PostgreSQL away; what does not read is passed over. */
#include "ctl/spot_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

struct spot_draw spot_all[SPOT_DRAWS];

static void
take_row(size_t *n, const struct pg_result *r, int row)
{
	char what[64], hash[25] = "";
	struct spot_draw d = {.drawn = false};
	struct spot_rates *x = &d.rates;

	(void)snprintf(what, sizeof(what), "%.*s", (int)pg_get(r, row, 1).len,
	    (const char *)pg_get(r, row, 1).data);
	if (sscanf(what, "commit %24s %d/%d/%d/%d/%d", d.hash, &x->daily, &x->first,
	        &x->short_seconds, &x->verify_withdrawn, &x->verify_confirmed) == 6 &&
	    *n < SPOT_DRAWS) {
		(void)snprintf(d.by, sizeof(d.by), "%.*s", (int)pg_get(r, row, 0).len,
		    (const char *)pg_get(r, row, 0).data);
		d.from = *n == 0 ? 0 : spot_all[*n - 1].until;
		d.until = pg_get_i64(r, row, 3);
		if (d.until > d.from)
			spot_all[(*n)++] = d;
		return;
	}
	if (sscanf(what, "draw %24s", hash) != 1)
		return;
	for (size_t i = 0; i < *n; i++) {
		char again[25];

		if (strcmp(spot_all[i].hash, hash) != 0 || spot_all[i].drawn)
			continue;
		spot_all[i].drawn = true;
		spot_all[i].seed = (uint64_t)pg_get_i64(r, row, 2);
		(void)snprintf(spot_all[i].drawn_by, sizeof(spot_all[i].drawn_by), "%.*s",
		    (int)pg_get(r, row, 0).len, (const char *)pg_get(r, row, 0).data);
		spot_commitment(again, spot_all[i].seed);
		spot_all[i].fits = strcmp(again, hash) == 0;
	}
}

int
spot_draws(struct ctl *c, size_t *n, struct err *err)
{
	struct pg_param p[1];
	struct pg_result *r;

	*n = 0;
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	if (pg_exec(c->pg,
	        "SELECT person, coalesce(what, ''), coalesce(seed, 0), coalesce(until, 0) FROM "
	        "hf.ledger WHERE campaign = $1 AND kind = 27 AND verdict = 0 AND flaw IS NULL "
	        "ORDER "
	        "BY no",
	        p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r); i++)
		take_row(n, r, i);
	pg_free(r);
	return 0;
}

void
spot_copy(char *out, size_t size, struct span s)
{
	(void)snprintf(out, size, "%.*s", (int)s.len, (const char *)s.data);
}

bool
spot_record(struct spot_row *row, const struct pg_result *r, int i)
{
	struct span ob = pg_get(r, i, 5);

	memset(row, 0, sizeof(*row));
	row->no = pg_get_i64(r, i, 0);
	spot_copy(row->person, sizeof(row->person), pg_get(r, i, 1));
	spot_copy(row->outcome, sizeof(row->outcome), pg_get(r, i, 2));
	spot_copy(row->case_hex, sizeof(row->case_hex), pg_get(r, i, 3));
	row->seconds = pg_get_i64(r, i, 4);
	row->seq = (uint64_t)pg_get_i64(r, i, 6);
	row->nth = pg_get_i64(r, i, 7);
	return hex_decode(row->ob, 16, (const char *)ob.data, ob.len);
}

int
spot_sample(
    struct ctl *c, const struct spot_draw *d, struct spot_row **ret, size_t *n, struct err *err)
{
	struct pg_param p[3] = {pg_text(c->campaign), pg_i64(d->from), pg_i64(d->until)};
	struct pg_result *r;

	*ret = NULL;
	*n = 0;
	if (pg_exec(c->pg,
	        "SELECT no, person, coalesce(outcome, ''), encode(case_ref, 'hex'), "
	        "coalesce(seconds, 0), encode(ob, 'hex'), seq, nth FROM (SELECT *, row_number() "
	        "OVER "
	        "(PARTITION BY person ORDER BY no) AS nth FROM hf.ledger WHERE campaign = $1 AND "
	        "kind "
	        "= 1 AND verdict < 2 AND flaw IS NULL) l WHERE campaign_at >= $2 AND campaign_at < "
	        "$3 "
	        "ORDER BY no",
	        p, 3, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	*ret = xcalloc((size_t)pg_rows(r) + 1, sizeof(**ret));
	for (int i = 0; i < pg_rows(r); i++)
		if (spot_record(&(*ret)[*n], r, i))
			(*n)++;
	pg_free(r);
	spot_select(*ret, *n, d->seed, &d->rates);
	return 0;
}

int
spot_find(struct ctl *c, const char *text, struct spot_row *row, struct err *err)
{
	struct pg_param p[2];
	struct pg_result *r;
	int64_t no;
	bool ok;

	if (!text_to_i64(text, strlen(text), &no) || no <= 0)
		return err_set(err, ERR_INVALID, "编号是 spotcheck list 的第一列: %s", text);
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	p[1] = pg_i64(no);
	if (pg_exec(c->pg,
	        "SELECT no, person, coalesce(outcome, ''), encode(case_ref, 'hex'), "
	        "coalesce(seconds, 0), encode(ob, 'hex'), seq, 1 FROM hf.ledger WHERE campaign = "
	        "$1 "
	        "AND no = $2 AND kind = 1 AND flaw IS NULL",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	ok = pg_rows(r) == 1 && spot_record(row, r, 0);
	pg_free(r);
	return ok ? 0 : err_set(err, ERR_NOT_FOUND, "没有第 %" PRId64 " 条通话记录", no);
}
