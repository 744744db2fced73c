/* act.c - one hfctl act: stored in its own outbox, sent through a broker, waited for until the router has
 * folded it.
 *
 * Happy path: acts_add makes signed links and acts_finish commits them, talks to the brokers with the session of
 * workers/link, and then watches the router's cursor pass the last record. Failures: another hfctl of this
 * installation has the outbox (waits up to 10 s); no broker, or no router within the limit: ERR_LATE, the
 * records stay in the outbox and are sent by the next act; revoked or cloned: said as it is. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/zsock.h"
#include "ctl/act.h"
#include "workers/link/client.h"

#define EFFECT_MS  10000
#define BACKLOG    200 /* entries of the log read at once, backwards */
#define FIND_PAGES 2000

struct acts {
	struct ctl *c;
	struct identity id;
	struct person_key key;
	struct outbox *outbox;
	struct client *client;
	struct loop *loop;
	struct loop_timer *limit;
	struct zctx *zctx;
	uint64_t first, last; /* seqs of this run; first 0: none yet */
	struct acts_result res;
	int64_t patience_us;
	struct err failed; /* what ends the waiting early */
	bool late;
	uint64_t (*seen)(void *);
	void *seen_arg;
};

static void
on_limit(void *arg)
{
	struct acts *a = arg;

	a->late = true;
	loop_stop(a->loop);
}

static void
on_event(void *arg, const struct link_event *e)
{
	struct acts *a = arg;

	switch (e->kind) {
	case LINK_ACCEPTED:
		loop_timer_after(a->limit, a->patience_us); /* it moves: go on waiting */
		if (e->seq < a->first || e->seq > a->last)
			break;
		a->res.effective += e->verdict == VERDICT_EFFECTIVE;
		a->res.late += e->verdict == VERDICT_LATE;
		a->res.quarantined += e->verdict == VERDICT_QUARANTINED;
		if (e->verdict != VERDICT_EFFECTIVE)
			(void)snprintf(a->res.why, sizeof(a->res.why), "%s", e->reason);
		break;
	case LINK_PERSON:
		if (e->seq == 0)
			err_set(
			    &a->failed, ERR_DENIED, "%s 不能从这里登录: %s", e->person, e->reason);
		break;
	case LINK_BLOCKED:
		err_set(&a->failed, ERR_CORRUPT, "发不出去: %s %s", e->reason, e->text);
		break;
	case LINK_CLONED:
		err_set(
		    &a->failed, ERR_CORRUPT, "这份发件箱是别处的副本, 先移走 %s/outbox", a->id.dir);
		break;
	case LINK_REVOKED: err_set(&a->failed, ERR_DENIED, "hfctl 的登记已被吊销"); break;
	default: break;
	}
	if (a->failed.code != ERR_NONE || session_accepted(client_session(a->client)) >= a->last)
		loop_stop(a->loop);
}

static void
on_commit(void *arg, const struct err *err)
{
	struct acts *a = arg;

	if (err == NULL)
		return;
	a->failed = *err;
	loop_stop(a->loop);
}

/* ---- opening ---- */

static int
open_outbox(struct acts *a, struct err *err)
{
	struct outbox_report report;
	int64_t end = clock_boot_us() + 10000000;

	while (outbox_open(&a->outbox, a->id.dir, a->c->campaign, &report, err) != 0) {
		if (err->code != ERR_BUSY || clock_boot_us() > end)
			return -1;
		(void)poll(NULL, 0, 50); /* another hfctl has it: its end is what we wait for */
	}
	if (report.kept_as[0] != '\0')
		fprintf(stderr, "发件箱有损坏, 已另存为 %s (%s)\n", report.kept_as, report.why);
	return 0;
}

static int
open_parts(struct acts *a, struct err *err)
{
	char dir[600];
	name_t person;

	(void)snprintf(dir, sizeof(dir), "%s/ctl/%s", a->c->home.dir, a->c->campaign);
	if (identity_load(&a->id, dir, err) != 0)
		return -1;
	if (a->c->as != NULL)
		(void)snprintf(person, sizeof(person), "%s", a->c->as);
	else if (identity_only_person(&a->id, person, err) != 0)
		return err_wrap(err, "--as PERSON");
	if (identity_open_person(&a->id, person, NULL, &a->key, err) != 0 ||
	    open_outbox(a, err) != 0)
		return -1;
	a->zctx = zctx_create(1, 16);
	a->loop = loop_create();
	a->limit = loop_timer_create(a->loop, on_limit, a);
	struct client_opts o = {.loop = a->loop,
	    .z = a->zctx,
	    .id = &a->id,
	    .outbox = a->outbox,
	    .brokers = a->c->home.broker, /* where they are now, whatever agent.conf remembers */
	    .on_event = on_event,
	    .on_commit = on_commit,
	    .arg = a};

	if (client_create(&a->client, &o, err) != 0)
		return -1;
	return client_login(a->client, &a->key, 0, err);
}

int
acts_open(struct ctl *c, struct acts **ret, struct err *err)
{
	struct acts *a;

	if (ctl_campaign(c, err) != 0)
		return -1;
	a = xcalloc(1, sizeof(*a));
	a->c = c;
	if (open_parts(a, err) != 0) {
		acts_close(a);
		return -1;
	}
	*ret = a;
	return 0;
}

void
acts_close(struct acts *a)
{
	if (a == NULL)
		return;
	client_destroy(a->client);
	outbox_close(a->outbox);
	if (a->loop != NULL) {
		loop_timer_destroy(a->limit);
		loop_destroy(a->loop);
	}
	if (a->zctx != NULL)
		zctx_destroy(a->zctx);
	person_key_done(&a->key);
	identity_done(&a->id);
	free(a);
}

int
acts_resend(struct ctl *c, int64_t limit_ms, struct err *err)
{
	struct acts *a;
	int rc = 0;

	if (acts_open(c, &a, err) != 0)
		return -1;
	a->last = fold_head(outbox_state(a->outbox));
	a->first = a->last + 1;
	a->patience_us = limit_ms * 1000;
	client_start(a->client);
	loop_timer_after(a->limit, a->patience_us);
	loop_run(a->loop);
	if (a->failed.code != ERR_NONE) {
		*err = a->failed;
		rc = -1;
	} else if (a->late) {
		rc = err_set(err, ERR_LATE, "没有代理在 %jd 秒内受理 hfctl 自己的记录",
		    (intmax_t)(limit_ms / 1000));
	}
	acts_close(a);
	return rc;
}

/* ---- records ---- */

struct record_header
acts_header(const struct acts *a, enum record_kind kind)
{
	struct record_header h = {.kind = kind};

	memcpy(h.person, a->key.person, sizeof(h.person));
	return h;
}

int
acts_add(struct acts *a, const struct record_header *h, const struct body *body,
    const uint8_t key[32], struct err *err)
{
	struct records_clock clock = session_clock(client_session(a->client));
	struct record_header copy = *h;
	uint64_t seq;

	if (records_add(a->outbox, a->id.sign_sk, &copy, body, key, &clock, &seq, err) != 0) {
		if (err->code != ERR_BUSY)
			return -1;
		if (outbox_commit(a->outbox, err) != 0 ||
		    records_add(a->outbox, a->id.sign_sk, &copy, body, key, &clock, &seq, err) != 0)
			return -1;
	}
	if (a->first == 0)
		a->first = seq;
	a->last = seq;
	return 0;
}

/* The log's id of our last record, read backwards; 0-0 when the log has forgotten it, so that the router is past it. */
static int
find_in_log(struct acts *a, uint64_t *epoch, uint64_t *no, struct err *err)
{
	char key[96], to[64] = "+", mine[96], ob[33];
	uint64_t first = 0; /* number of the oldest entry seen */
	size_t got;

	hex_encode(ob, outbox_id(a->outbox), 16);
	(void)snprintf(mine, sizeof(mine), "%s %" PRIu64 " ", ob, a->last);
	for (int page = 0; page < FIND_PAGES; page++) {
		const struct rds_reply *r;
		struct span argv[6] = {span_str("XREVRANGE"),
		    span_str(call_key(key, sizeof(key), a->c->campaign, "log")), span_str(to),
		    span_str("-"), span_str("COUNT"), span_str("200")};

		if (ctl_cmd(a->c, argv, 6, &r, err) != 0)
			return -1;
		got = rds_len(r);
		for (size_t i = 0; i < got; i++) {
			const struct rds_reply *fields = rds_at(rds_at(r, i), 1);
			struct span pairs[24], id = rds_str(rds_at(rds_at(r, i), 0));
			size_t n = rds_len(fields) < 24 ? rds_len(fields) : 24;
			struct log_entry e;

			for (size_t j = 0; j < n; j++)
				pairs[j] = rds_str(rds_at(fields, j));
			(void)snprintf(to, sizeof(to), "(%.*s", (int)id.len, (const char *)id.data);
			if (log_entry_decode(&e, id, pairs, n, NULL) != 0)
				continue;
			first = e.no;
			if (e.detail.len < strlen(mine) ||
			    memcmp(e.detail.data, mine, strlen(mine)) != 0 ||
			    strcmp(e.type, "record") != 0)
				continue;
			*epoch = e.epoch;
			*no = e.no;
			rds_sync_free(r);
			return 0;
		}
		rds_sync_free(r);
		if (got < BACKLOG)
			break;
	}
	*epoch = *no = 0;
	return first > 1 ? 0 : err_set(err, ERR_CORRUPT, "the accepted record is not in the log");
}

static int
cursor_passed(
    struct acts *a, uint64_t epoch, uint64_t no, bool *ret, uint64_t *ret_at, struct err *err)
{
	char key[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), a->c->campaign, "router")), span_str("cursor")};
	struct span id;
	const uint8_t *dash;
	uint64_t e = 0, n = 0;

	if (ctl_cmd(a->c, argv, 3, &r, err) != 0)
		return -1;
	id = rds_str(r);
	dash = id.len > 0 ? memchr(id.data, '-', id.len) : NULL;
	if (dash != NULL) {
		(void)text_to_u64((const char *)id.data, (size_t)(dash - id.data), &e);
		(void)text_to_u64(
		    (const char *)dash + 1, id.len - (size_t)(dash - id.data) - 1, &n);
	}
	*ret = e > epoch || (e == epoch && n >= no);
	*ret_at = n;
	rds_sync_free(r);
	return 0;
}

void
acts_watch(struct acts *a, uint64_t (*fn)(void *), void *arg)
{
	a->seen = fn;
	a->seen_arg = arg;
}

/* As long as the router's cursor moves, or what is watched, it is worth waiting: while cases are made of a roster the
 * cursor stands still. */
static int
wait_effect(struct acts *a, struct err *err)
{
	int64_t end = clock_boot_us() + a->patience_us;
	uint64_t epoch = 0, no = 0, at = 0, was = 0, far = 0, was_far = 0;
	bool passed = false;

	if (find_in_log(a, &epoch, &no, err) != 0)
		return -1;
	for (;;) {
		if (cursor_passed(a, epoch, no, &passed, &at, err) != 0)
			return -1;
		if (passed)
			return 0;
		if (a->seen != NULL)
			far = a->seen(a->seen_arg);
		if (at != was || far != was_far)
			end = clock_boot_us() + a->patience_us;
		was = at;
		was_far = far;
		if (clock_boot_us() > end)
			return err_set(err, ERR_LATE, "已受理, 但还没有生效 (hf-router 在运行吗?)");
		(void)poll(NULL, 0, 10);
	}
}

int
acts_finish(struct acts *a, struct acts_result *ret, int64_t limit_ms, struct err *err)
{
	a->patience_us = limit_ms * 1000;
	if (a->last == 0) {
		*ret = a->res;
		return 0;
	}
	if (outbox_commit(a->outbox, err) != 0)
		return -1;
	client_start(a->client);
	loop_timer_after(a->limit, a->patience_us);
	if (a->failed.code == ERR_NONE && session_accepted(client_session(a->client)) < a->last)
		loop_run(a->loop);
	if (a->failed.code != ERR_NONE) {
		*err = a->failed;
		return -1;
	}
	if (a->late)
		return err_set(err, ERR_LATE,
		    "没有代理在 %jd 秒内受理; 记录已存在发件箱, 下次一并送出 (hf-broker 在运行吗?)",
		    (intmax_t)(limit_ms / 1000));
	if (wait_effect(a, err) != 0)
		return -1;
	*ret = a->res;
	return 0;
}

int
acts_done(struct acts *a, struct err *err)
{
	struct acts_result r = {0, 0, 0, ""};

	if (acts_finish(a, &r, EFFECT_MS, err) != 0)
		return -1;
	if (r.quarantined > 0)
		return err_set(err, ERR_DENIED, "没有被接受: %s (role: %s 没有这个权限)", r.why,
		    a->key.person);
	if (r.late > 0)
		return err_set(err, ERR_STALE, "晚了: %s", r.why);
	return 0;
}
