/* since.c - may this run look at what is new alone, and from where?
 *
 * Happy path: the newest run is of this night, found nothing, and said how far it was. Failures: PostgreSQL's; whatever
 * else is not so means a look at everything. */
#include "workers/reconciliation/since.h"

#include <string.h>

#include "base/text.h"

static const char sql[] =
    "SELECT r.ledger_no, r.case_epoch, r.case_no, coalesce(r.archive_segment, 0), r.archive_log "
    "FROM (SELECT * FROM hf.check_run WHERE campaign = $1 ORDER BY run DESC LIMIT 1) r "
    "JOIN hf.night t ON t.campaign = r.campaign AND t.night = r.night AND NOT t.late "
    "WHERE r.night = (hf.ms($2) AT TIME ZONE 'Asia/Shanghai')::date AND r.differences = 0 AND "
    "r.behind = 0 AND r.case_no IS NOT NULL AND EXISTS (SELECT FROM hf.night_pay p WHERE "
    "p.campaign = r.campaign AND p.night = r.night) AND r.ledger_no <= (SELECT ledger_no FROM "
    "hf.campaign WHERE campaign = $1)";

/* "epoch-no"; nothing of an archive without a segment. */
static bool
log_at(struct span text, int64_t *epoch, int64_t *no)
{
	const char *s = (const char *)text.data;
	const char *dash = text.len > 0 ? memchr(s, '-', text.len) : NULL;

	*epoch = *no = 0;
	return text.len == 0 || (dash != NULL && text_to_i64(s, (size_t)(dash - s), epoch) &&
	                            text_to_i64(dash + 1, text.len - (size_t)(dash - s) - 1, no));
}

int
since_read(const struct nightly *n, struct since *ret, struct err *err)
{
	struct pg_param p[2] = {pg_text(n->campaign), pg_i64(n->now)};
	struct pg_result *r;

	*ret = (struct since){.some = false};
	if (n->whole)
		return 0;
	if (pg_exec(n->pg, sql, p, 2, &r, err) != 0)
		return err_wrap(err, "the run before");
	if (pg_rows(r) == 1) {
		ret->ledger_no = pg_get_i64(r, 0, 0);
		ret->cases = (struct case_mark){pg_get_i64(r, 0, 1), pg_get_i64(r, 0, 2)};
		ret->segment = pg_get_i64(r, 0, 3);
		ret->some = log_at(pg_get(r, 0, 4), &ret->log_epoch, &ret->log_no);
	}
	pg_free(r);
	return 0;
}
