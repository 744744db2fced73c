/* cmd_rebuild.c - recover postgres: a ledger that was lost, or put back from a copy, catches up.
 *
 * Happy path: the campaign's row gets a new incarnation of the ledger and the word that hf-recorder may go on behind
 * what Redis was told; the recorder then writes what the archive and the log have, each entry by the same rule as the
 * first time; we wait until it has caught up. A ledger that lacks nothing is left alone. Failures: no recorder at
 * work, or an archive with a hole: said after a minute without progress, and running it again goes on. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/refill.h"
#include "ctl/show.h"

#define PATIENCE_US 60000000LL

struct progress {
	bool known, catch_up;
	uint64_t epoch, no, ledger_no;
};

static int
look(struct ctl *c, struct progress *ret, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *r;

	*ret = (struct progress){.known = false};
	if (pg_exec(c->pg,
	        "SELECT catch_up, coalesce(k.epoch, 0), coalesce(k.no, 0), c.ledger_no FROM "
	        "hf.campaign c "
	        "LEFT JOIN hf.cursor k ON k.campaign = c.campaign AND k.reader = 'recorder' WHERE "
	        "c.campaign = $1",
	        p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL (先 hfctl db migrate)");
	if (pg_rows(r) == 1) {
		ret->known = true;
		ret->catch_up = span_eq_str(pg_get(r, 0, 0), "t");
		ret->epoch = (uint64_t)pg_get_i64(r, 0, 1);
		ret->no = (uint64_t)pg_get_i64(r, 0, 2);
		ret->ledger_no = (uint64_t)pg_get_i64(r, 0, 3);
	}
	pg_free(r);
	return 0;
}

/* Is what Redis was told to be recorded all there? */
static int
is_behind(struct ctl *c, const struct progress *p, bool *ret, struct err *err)
{
	char key[96];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), c->campaign, "recorder")), span_str("recorded")};
	const struct rds_reply *r;
	struct span id;
	const uint8_t *dash;
	uint64_t epoch = 0, no = 0;

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	id = rds_str(r);
	dash = id.len > 0 ? memchr(id.data, '-', id.len) : NULL;
	if (dash != NULL) {
		size_t head = (size_t)(dash - id.data);

		(void)text_to_u64((const char *)id.data, head, &epoch);
		(void)text_to_u64((const char *)dash + 1, id.len - head - 1, &no);
	}
	rds_sync_free(r);
	*ret = !p->known || p->epoch < epoch || (p->epoch == epoch && p->no < no);
	return 0;
}

static int
allow(struct ctl *c, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};

	if (pg_exec(c->pg,
	        "INSERT INTO hf.campaign AS c (campaign, catch_up) VALUES ($1, true) ON CONFLICT "
	        "(campaign) DO UPDATE SET catch_up = true, incarnation = EXCLUDED.incarnation "
	        "WHERE NOT "
	        "c.catch_up",
	        p, 1, NULL, err) != 0)
		return err_wrap(err, "PostgreSQL");
	return 0;
}

static int
wait_until_whole(struct ctl *c, struct progress *at, struct err *err)
{
	struct progress was = {.known = false};
	int64_t moved = clock_boot_us();

	for (;;) {
		if (look(c, at, err) != 0)
			return -1;
		if (at->known && !at->catch_up)
			return 0;
		if (at->epoch != was.epoch || at->no != was.no)
			moved = clock_boot_us();
		was = *at;
		if (clock_boot_us() - moved > PATIENCE_US)
			return err_set(err, ERR_LATE,
			    "账本停在第 %ju 号, 一分钟没有前进 (hf-recorder 在运行吗? 看它的日志)",
			    (uintmax_t)at->ledger_no);
		(void)poll(NULL, 0, 50);
	}
}

int
recover_postgres(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool force = opt_take(&argc, argv, "--force", false) != NULL, behind = false;
	int64_t began = clock_boot_us();
	struct progress at;

	if (argc != 0)
		return ctl_usage(err, verbs_recover, "recover", "postgres");
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_migrate", err) != 0 ||
	    look(c, &at, err) != 0 || is_behind(c, &at, &behind, err) != 0)
		return -1;
	if (!behind && !at.catch_up && !force) {
		printf(c->json ? "{\"campaign\":\"%s\",\"sound\":true}\n"
		               : "活动 %s 的账本不缺什么, 不必恢复\n",
		    c->campaign);
		return 0;
	}
	if (allow(c, err) != 0 || wait_until_whole(c, &at, err) != 0)
		return -1;
	if (c->json)
		printf("{\"campaign\":\"%s\",\"ledger\":%ju,\"ms\":%jd}\n", c->campaign,
		    (uintmax_t)at.ledger_no, (intmax_t)((clock_boot_us() - began) / 1000));
	else
		printf("活动 %s 的账本已从归档和队列重建: %ju 条记录, 用时 %jd 毫秒\n", c->campaign,
		    (uintmax_t)at.ledger_no, (intmax_t)((clock_boot_us() - began) / 1000));
	return 0;
}
