/* dispute.c - the term of five working days: which disputes came in time, and which count as open.
 *
 * Happy path: the ledger says when each sheet was closed by its second person and when each dispute was accepted; the days
 * are the policy's and the imported ones. A supplement is a sheet too: it opens a term of its own. Failures: PostgreSQL's. */
#include "workers/reconciliation/dispute.h"

#include <stdlib.h>

#include "base/check.h"

int64_t
dispute_until(const struct weekdays *days, int64_t closed_at)
{
	int32_t last = weekdays_after(days, weekdays_day(closed_at), DISPUTE_DAYS);

	return last == 0 ? INT64_MAX : weekdays_begin(last + 1) - 1;
}

/* When sheets were closed, rising. */
static int
read_closed(struct pg *pg, const char *campaign, struct pg_result **ret, struct err *err)
{
	struct pg_param p = pg_text(campaign);

	return pg_exec(pg,
	    "SELECT l.campaign_at FROM hf.v_closed c JOIN hf.ledger l ON l.campaign = c.campaign "
	    "AND "
	    "l.no = c.decision_no WHERE c.campaign = $1 ORDER BY l.campaign_at",
	    &p, 1, ret, err);
}

static struct dispute_term
term_at(const struct pg_result *closed, const struct weekdays *days, int64_t at)
{
	struct dispute_term t = {0, INT64_MAX};

	for (int i = 0; i < pg_rows(closed) && pg_get_i64(closed, i, 0) <= at; i++)
		t.closed_at = pg_get_i64(closed, i, 0);
	if (t.closed_at > 0)
		t.until = dispute_until(days, t.closed_at);
	return t;
}

int
dispute_term_at(struct pg *pg, const struct weekdays *days, const char *campaign, int64_t at,
    struct dispute_term *ret, struct err *err)
{
	struct pg_result *closed;

	if (read_closed(pg, campaign, &closed, err) != 0)
		return -1;
	*ret = term_at(closed, days, at);
	pg_free(closed);
	return 0;
}

static json_t *
ms_json(int64_t ms)
{
	return ms == INT64_MAX ? json_null() : json_integer(ms);
}

/* Columns no, person, what, campaign_at, ruling, ob, seq. */
static json_t *
row_json(const struct pg_result *r, int i, const struct dispute_term *t)
{
	struct span person = pg_get(r, i, 1), what = pg_get(r, i, 2), ob = pg_get(r, i, 5);
	const char *state = span_eq_str(pg_get(r, i, 4), "give") ? "upheld"
	                    : !pg_is_null(r, i, 4)               ? "refused"
	                    : pg_get_i64(r, i, 3) > t->until     ? "late"
	                                                         : "open";

	return json_pack("{s:I s:s% s:s% s:I s:o s:s s:s% s:I}", "no",
	    (json_int_t)pg_get_i64(r, i, 0), "person", person.data, person.len, "what", what.data,
	    what.len, "at", (json_int_t)pg_get_i64(r, i, 3), "until", ms_json(t->until), "state",
	    state, "ob", ob.data, ob.len, "seq", (json_int_t)pg_get_i64(r, i, 6));
}

int
dispute_list(
    struct pg *pg, const struct weekdays *days, const char *campaign, json_t **ret, struct err *err)
{
	struct pg_param p = pg_text(campaign);
	struct pg_result *closed, *r;

	if (read_closed(pg, campaign, &closed, err) != 0)
		return -1;
	if (pg_exec(pg,
	        "SELECT no, person, coalesce(what, ''), campaign_at, ruling, encode(ob, 'hex'), "
	        "seq FROM hf.v_dispute "
	        "WHERE "
	        "campaign = $1 ORDER BY no",
	        &p, 1, &r, err) != 0) {
		pg_free(closed);
		return -1;
	}
	*ret = json_array();
	for (int i = 0; i < pg_rows(r); i++) {
		struct dispute_term t = term_at(closed, days, pg_get_i64(r, i, 3));

		json_array_append_new(*ret, row_json(r, i, &t));
	}
	pg_free(r);
	pg_free(closed);
	return 0;
}

static int64_t
count_of(const json_t *list, const char *state)
{
	const json_t *row;
	int64_t n = 0;
	size_t i;

	json_array_foreach(list, i, row)
	{
		n += span_eq_str(span_str(json_string_value(json_object_get(row, "state"))), state);
	}
	return n;
}

int
dispute_put(struct pg *pg, const struct weekdays *days, const char *campaign, json_t *sheet,
    struct err *err)
{
	struct dispute_term t;
	json_t *list;

	if (dispute_term_at(pg, days, campaign, INT64_MAX, &t, err) != 0 ||
	    dispute_list(pg, days, campaign, &list, err) != 0)
		return -1;
	json_object_set_new(sheet, "open_disputes", json_integer(count_of(list, "open")));
	json_object_set_new(sheet, "late_disputes", json_integer(count_of(list, "late")));
	json_object_set_new(sheet, "disputes_until", ms_json(t.until));
	json_decref(list);
	return 0;
}
