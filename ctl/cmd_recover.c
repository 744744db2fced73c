/* cmd_recover.c - recover redis: a new life of the queue store after it was lost or put back.
 *
 * Happy path: look whether it is needed; close the store and empty it of the campaign; wait until no recorder writes;
 * a new epoch in PostgreSQL; fill the store from there; let the agents come (RECOVERING); send hfctl's own
 * unsent records. Failures: whatever breaks off leaves the store closed, and the next run begins anew with
 * another epoch, so that running it again is always right. A store in good order is left alone. Cases that
 * may be on somebody's mind wait in `doubt` until all agents came back; status says for whom, excuse ends
 * the waiting for one. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/act.h"
#include "ctl/refill.h"
#include "ctl/show.h"

#define RECORDER_MS 30000
#define RESEND_MS   15000
#define HOURS_MAX   240

/* ---- which campaign, and is it needed? ---- */

static int
only_campaign(struct ctl *c, struct err *err)
{
	const char *wanted = c->wanted != NULL ? c->wanted : getenv("HF_CAMPAIGN");
	struct pg_param p[1] = {pg_text(wanted == NULL ? "" : wanted)};
	struct pg_result *r;
	struct span name;
	int rc = 0;

	if (ctl_pg(c, "hf_migrate", err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (pg_exec(c->pg, "SELECT campaign FROM hf.campaign WHERE $1 IN ('', campaign)", p, 1, &r,
	        err) != 0)
		return err_wrap(err, "PostgreSQL");
	name = pg_rows(r) == 1 ? pg_get(r, 0, 0) : span_of("", 0);
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		rc = err_set(err, ERR_NOT_FOUND, "PostgreSQL 里%s, 用 --campaign 指明",
		    pg_rows(r) == 0 ? "没有这个活动" : "有几个活动");
	else
		(void)snprintf(c->campaign, sizeof(c->campaign), "%.*s", (int)name.len,
		    (const char *)name.data);
	pg_free(r);
	return rc;
}

static bool
is_at_least(const struct rds_reply *r, size_t i, struct span wanted)
{
	struct span s = rds_str(rds_at(r, i));
	uint64_t a, b;

	return text_to_u64((const char *)s.data, s.len, &a) &&
	       text_to_u64((const char *)wanted.data, wanted.len, &b) && a >= b;
}

/* The store is the one of the newest epoch, whole, and serves. */
static int
is_sound(struct ctl *c, bool *ret, bool *ret_doubt, struct err *err)
{
	char key[96];
	struct span argv[] = {span_str("HMGET"),
	    span_str(call_key(key, sizeof(key), c->campaign, "meta")), span_str("epoch"),
	    span_str("incarnation"), span_str("opseq"), span_str("mode"), span_str("loading"),
	    span_str("doubt")};
	struct pg_param p[1] = {pg_text(c->campaign)};
	const struct rds_reply *m;
	struct pg_result *r;

	if (pg_exec(c->pg,
	        "SELECT e.epoch, encode(e.incarnation, 'hex'), coalesce(k.opseq, 0) FROM hf.epoch "
	        "e "
	        "LEFT JOIN hf.cursor k ON k.campaign = e.campaign AND k.reader = 'recorder' WHERE "
	        "e.campaign = $1 ORDER BY e.epoch DESC LIMIT 1",
	        p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (ctl_cmd(c, argv, 8, &m, err) != 0) {
		pg_free(r);
		return -1;
	}
	*ret = pg_rows(r) == 1 && span_eq(rds_str(rds_at(m, 0)), pg_get(r, 0, 0)) &&
	       span_eq(rds_str(rds_at(m, 1)), pg_get(r, 0, 1)) &&
	       is_at_least(m, 2, pg_get(r, 0, 2)) && !span_eq_str(rds_str(rds_at(m, 3)), "2") &&
	       !span_eq_str(rds_str(rds_at(m, 4)), "1");
	*ret_doubt = span_eq_str(rds_str(rds_at(m, 5)), "1");
	rds_sync_free(m);
	pg_free(r);
	return 0;
}

/* hfctl is an agent too, and awaited like all others. */
static int
resend(struct ctl *c)
{
	struct err late = ERR_INIT;

	if (acts_resend(c, RESEND_MS, &late) != 0)
		fprintf(stderr, "hfctl 自己的记录还没补送: %s; 再跑一遍 hfctl recover redis\n",
		    late.text);
	return 0;
}

/* ---- closing and emptying ---- */

static int
say(struct ctl *c, const char *command, const char *a, const char *b, struct err *err)
{
	struct span argv[3] = {span_str(command), span_str(a), span_str(b)};
	const struct rds_reply *r;

	if (ctl_cmd(c, argv, b[0] == '\0' ? 2 : 3, &r, err) != 0)
		return -1;
	rds_sync_free(r);
	return 0;
}

static int
unlink_page(struct ctl *c, const struct rds_reply *keys, struct err *err)
{
	const struct rds_reply *r;
	struct span *argv;
	size_t n = rds_len(keys);
	int rc;

	if (n == 0)
		return 0;
	argv = calloc(n + 1, sizeof(*argv));
	if (argv == NULL)
		return err_set(err, ERR_FULL, "no memory");
	argv[0] = span_str("UNLINK");
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = rds_str(rds_at(keys, i));
	rc = ctl_cmd(c, argv, n + 1, &r, err);
	if (rc == 0)
		rds_sync_free(r);
	free(argv);
	return rc;
}

/* First what makes every call fail, then the rest. */
static int
empty_store(struct ctl *c, struct err *err)
{
	char meta[96], log[96], all[96], at[32] = "0";

	if (say(c, "SREM", "hf:campaigns", c->campaign, err) != 0 ||
	    say(c, "UNLINK", call_key(meta, sizeof(meta), c->campaign, "meta"),
	        call_key(log, sizeof(log), c->campaign, "log"), err) != 0)
		return -1;
	call_key(all, sizeof(all), c->campaign, "*");
	do {
		struct span argv[6] = {span_str("SCAN"), span_str(at), span_str("MATCH"),
		    span_str(all), span_str("COUNT"), span_str("1000")};
		const struct rds_reply *r;
		int rc;

		if (ctl_cmd(c, argv, 6, &r, err) != 0)
			return -1;
		rc = unlink_page(c, rds_at(r, 1), err);
		(void)snprintf(at, sizeof(at), "%.*s", (int)rds_str(rds_at(r, 0)).len,
		    (const char *)rds_str(rds_at(r, 0)).data);
		rds_sync_free(r);
		if (rc != 0)
			return -1;
	} while (strcmp(at, "0") != 0);
	return 0;
}

/* The recorder sees within a second that its store is gone, and lets go of the lock. */
static int
quiet_recorder(struct ctl *c, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	int64_t end = clock_boot_us() + RECORDER_MS * 1000LL;

	for (;;) {
		struct pg_result *r;
		bool locked;

		if (pg_exec(c->pg,
		        "SELECT pg_try_advisory_lock(hashtextextended('hf-recorder ' || $1, 0))", p,
		        1, &r, err) != 0)
			return err_wrap(err, "PostgreSQL");
		locked = span_eq_str(pg_get(r, 0, 0), "t");
		pg_free(r);
		if (locked)
			return 0;
		if (clock_boot_us() > end)
			return err_set(err, ERR_BUSY, "hf-recorder 还在写账本: 先停掉它再来");
		(void)poll(NULL, 0, 50);
	}
}

/* ---- the new epoch ---- */

struct life {
	int64_t epoch, opseq;
	char incarnation[33];
};

static int
new_epoch(struct ctl *c, struct life *l, struct err *err)
{
	struct pg_param p[2] = {pg_text(c->campaign), pg_text(c->as != NULL ? c->as : "admin")};
	struct pg_result *r;

	if (pg_exec(c->pg,
	        "INSERT INTO hf.epoch (campaign, epoch, incarnation, why, by_whom) SELECT $1, "
	        "max(epoch) "
	        "+ 1, decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), 'recover', $2 FROM "
	        "hf.epoch WHERE campaign = $1 HAVING max(epoch) IS NOT NULL RETURNING epoch, "
	        "encode(incarnation, 'hex'), (SELECT coalesce(max(opseq), 0) FROM hf.cursor WHERE "
	        "campaign = $1 AND reader = 'recorder')",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (pg_rows(r) != 1 || pg_get(r, 0, 1).len != 32) {
		pg_free(r);
		return err_set(err, ERR_CORRUPT,
		    "PostgreSQL 里没有这个活动的纪元: 账本不全, 先用 hfctl recover postgres");
	}
	l->epoch = pg_get_i64(r, 0, 0);
	memcpy(l->incarnation, pg_get(r, 0, 1).data, 32);
	l->incarnation[32] = '\0';
	l->opseq = pg_get_i64(r, 0, 2);
	pg_free(r);
	return 0;
}

static int
open_store(struct ctl *c, const struct life *l, struct err *err)
{
	const struct rds_reply *r;
	struct call call;
	int rc;

	call_begin(&call, "hf1_router", c->campaign, show_now(c), clock_wall_ms(), 0);
	call_entry(&call, "open");
	call_u(&call, (uint64_t)l->epoch);
	call_str(&call, l->incarnation);
	call_str(&call, "recover");
	call_str(&call, "1");
	call_u(&call, (uint64_t)l->opseq);
	call_str(&call, "1");
	rc = ctl_fcall(c, &call, &r, err);
	call_done(&call);
	if (rc != 0)
		return -1;
	if (!span_eq_str(rds_str(rds_at(rds_at(r, 4), 0)), "ok"))
		rc = err_set(err, ERR_CORRUPT, "redis: 新纪元没有打开");
	rds_sync_free(r);
	return rc;
}

static void
report(struct ctl *c, const struct life *l, const struct refill_counts *n, int64_t us)
{
	if (c->json) {
		printf("{\"campaign\":\"%s\",\"epoch\":%jd,\"cases\":%zu,\"outboxes\":%zu,"
		       "\"awaited\":%zu,"
		       "\"log\":%zu,\"ms\":%jd}\n",
		    c->campaign, (intmax_t)l->epoch, n->cases, n->outboxes, n->awaited, n->tail,
		    (intmax_t)(us / 1000));
		return;
	}
	printf(
	    "活动 %s 的队列已从账本恢复: 第 %jd 纪元, 个案 %zu, 人员 %zu, 登记 %zu, 发件箱 %zu, "
	    "用时 %jd 毫秒\n"
	    "等 %zu 台机器回来补送; 在那之前未结个案存疑, 不派发. 还等谁: hfctl recover status\n",
	    c->campaign, (intmax_t)l->epoch, n->cases, n->persons, n->agents, n->outboxes,
	    (intmax_t)(us / 1000), n->awaited);
}

static int
recover_redis(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *hours = opt_take(&argc, argv, "--wait-hours", true);
	struct refill_counts n = {0};
	struct life l;
	uint64_t wait = 12;
	int64_t began = clock_boot_us();
	bool sound = false, doubt = false;

	if (argc != 0 ||
	    (hours != NULL && (!text_to_u64(hours, strlen(hours), &wait) || wait > HOURS_MAX)))
		return ctl_usage(err, verbs_recover, "recover", "redis");
	if (ctl_redis(c, "admin", err) != 0 || only_campaign(c, err) != 0 ||
	    is_sound(c, &sound, &doubt, err) != 0)
		return -1;
	if (sound) {
		/* the name may be all that a broken-off run has not written */
		if (say(c, "SADD", "hf:campaigns", c->campaign, err) != 0)
			return -1;
		printf(c->json ? "{\"campaign\":\"%s\",\"sound\":true}\n"
		               : "活动 %s 的队列与账本相符, 不必恢复\n",
		    c->campaign);
		return doubt ? resend(c) : 0;
	}
	if (empty_store(c, err) != 0 || quiet_recorder(c, err) != 0 ||
	    ctl_load_library(c, err) != 0 || new_epoch(c, &l, err) != 0 ||
	    refill_tail(c, &n, err) != 0 || open_store(c, &l, err) != 0 ||
	    refill_rest(c, &n, err) != 0 ||
	    refill_end(c, wait == 0 ? 0 : show_now(c) + (int64_t)wait * 3600000, &n, err) != 0 ||
	    say(c, "SADD", "hf:campaigns", c->campaign, err) != 0)
		return -1;
	pg_close(c->pg); /* the recorder may go on */
	c->pg = NULL;
	report(c, &l, &n, clock_boot_us() - began);
	return resend(c);
}

/* ---- whom we wait for ---- */

static int
recover_status(struct ctl *c, int argc, char **argv, struct err *err)
{
	char meta[96], key[96];
	struct span m[] = {span_str("HMGET"), {NULL, 0}, span_str("mode"), span_str("doubt"),
	    span_str("doubt_until")};
	struct span k[] = {span_str("SMEMBERS"), {NULL, 0}};
	const struct rds_reply *r, *names;
	bool doubt;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_recover, "recover", "status");
	if (ctl_campaign(c, err) != 0)
		return -1;
	m[1] = span_str(call_key(meta, sizeof(meta), c->campaign, "meta"));
	k[1] = span_str(call_key(key, sizeof(key), c->campaign, "awaited"));
	if (ctl_cmd(c, m, 5, &r, err) != 0)
		return -1;
	doubt = span_eq_str(rds_str(rds_at(r, 1)), "1");
	if (ctl_cmd(c, k, 2, &names, err) != 0) {
		rds_sync_free(r);
		return -1;
	}
	if (!doubt)
		printf("没有在等谁\n");
	else if (rds_len(names) == 0)
		printf("都回来了, 一个租约之后恢复派发\n");
	else
		printf("还等 %zu 台机器:\n", rds_len(names));
	for (size_t i = 0; doubt && i < rds_len(names); i++) {
		struct span s = rds_str(rds_at(names, i));

		printf("%.*s\n", (int)s.len, (const char *)s.data);
	}
	rds_sync_free(names);
	rds_sync_free(r);
	return doubt ? EXIT_FOUND : 0;
}

static int
recover_excuse(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool all = opt_take(&argc, argv, "--all", false) != NULL;
	const struct rds_reply *r;
	struct call call;
	int rc;

	if (argc != (all ? 0 : 1))
		return ctl_usage(err, verbs_recover, "recover", "excuse");
	if (ctl_campaign(c, err) != 0)
		return -1;
	call_begin(&call, "hf1_router", c->campaign, show_now(c), clock_wall_ms(), 0);
	call_entry(&call, "excuse");
	call_str(&call, all ? "*" : argv[0]);
	rc = ctl_fcall(c, &call, &r, err);
	call_done(&call);
	if (rc != 0)
		return -1;
	if (!span_eq_str(rds_str(rds_at(rds_at(r, 4), 0)), "ok"))
		rc = err_set(err, ERR_NOT_FOUND, "没有在等这台机器");
	rds_sync_free(r);
	return rc == 0 ? recover_status(c, 0, argv, err) >= 0 ? 0 : -1 : -1;
}

const struct verb verbs_recover[] = {
    {"recover", "redis", recover_redis, "[--wait-hours N]",
        "队列丢了或放回了旧的: 从账本重建, 开新纪元"},
    {"recover", "postgres", recover_postgres, "[--force]",
        "账本丢了或放回了旧的: 从归档和队列重建"},
    {"recover", "status", recover_status, "", "重建之后还等哪些机器回来"},
    {"recover", "excuse", recover_excuse, "AGENT | --all",
        "不再等这台(所有)机器: 它手上没有, 也没有未送的"},
    {NULL, NULL, NULL, NULL, NULL},
};
