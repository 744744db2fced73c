/* watch.c - one look at Redis a second, all commands of it in one go, the picture handed on when the last reply
 * is there.
 *
 * Happy path: campaign, then meta, the lanes' names, then depth and first due time of each. A look that was cut off
 * by a lost connection shows Redis as away and the next one begins anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/rds.h"
#include "base/text.h"
#include "dashboard/reader.h"
#include "dashboard/watch.h"
#include "proto/call.h"

#define LOOK_US    1000000
#define TIMEOUT_US 3000000

struct watch {
	struct loop *loop;
	const struct home *home; /* borrowed */
	struct rds *redis;
	struct reader *ledger, *figures;
	struct loop_timer *timer;
	watch_fn *on_state;
	void *arg;
	struct state next; /* being filled */
	size_t pending;
	bool failed;
	char campaign
	    [40]; /* of the last look that went well: a Redis that is away has none to tell */
	uint64_t seq;
};

struct ask {
	struct watch *w;
	void (*take)(struct watch *w, const struct rds_reply *r, uint32_t i);
	uint32_t i;
};

static void
finish(struct watch *w)
{
	w->next.redis_up = !w->failed;
	if (w->failed)
		memcpy(w->next.campaign, w->campaign, sizeof(w->campaign));
	else
		memcpy(w->campaign, w->next.campaign, sizeof(w->campaign));
	w->next.wall = clock_wall_ms();
	w->next.now = clock_campaign_ms();
	w->next.seq = ++w->seq;
	reader_campaign(w->ledger, w->next.campaign);
	reader_campaign(w->figures, w->next.campaign);
	w->next.ledger.up = reader_last(w->ledger, &w->next.ledger);
	(void)reader_last(w->figures, &w->next.figures);
	w->on_state(w->arg, &w->next);
}

static void
on_reply(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct ask *a = arg;
	struct watch *w = a->w;

	if (err != NULL || rds_type(r) == RDS_ERROR)
		w->failed = true;
	else
		a->take(w, r, a->i);
	free(a);
	if (--w->pending == 0)
		finish(w);
}

static void
ask(struct watch *w, void (*take)(struct watch *, const struct rds_reply *, uint32_t), uint32_t i,
    const struct span *argv, size_t n)
{
	struct ask *a = xcalloc(1, sizeof(*a));

	*a = (struct ask){w, take, i};
	w->pending++;
	rds_cmd(w->redis, argv, n, TIMEOUT_US, on_reply, a);
}

static void
ask_key(struct watch *w, void (*take)(struct watch *, const struct rds_reply *, uint32_t),
    uint32_t i, const char *command, const char *suffix)
{
	char key[200];
	struct span argv[2] = {
	    span_str(command), span_str(call_key(key, sizeof(key), w->next.campaign, suffix))};

	ask(w, take, i, argv, 2);
}

static int64_t
number(const struct rds_reply *r)
{
	int64_t v = 0;
	struct span s = rds_str(r);

	(void)text_to_i64((const char *)s.data, s.len, &v);
	return v;
}

static void
take_meta(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	(void)i;
	w->next.mode = number(rds_at(r, 0));
	w->next.epoch = number(rds_at(r, 1));
	w->next.opseq = number(rds_at(r, 2));
	w->next.gate = number(rds_at(r, 3));
	w->next.paused = number(rds_at(r, 4));
	(void)snprintf(w->next.log_head, sizeof(w->next.log_head), "%jd-%jd",
	    (intmax_t)w->next.epoch, (intmax_t)number(rds_at(r, 5)));
}

static void
take_count(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	int64_t *const fields[] = {
	    &w->next.cases, &w->next.leases, &w->next.agents, &w->next.persons};

	*fields[i] = rds_int(r);
}

static void
take_cursor(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	struct span at = rds_str(rds_at(r, 0));

	(void)i;
	(void)snprintf(w->next.router_cursor, sizeof(w->next.router_cursor), "%.*s", (int)at.len,
	    (const char *)at.data);
	w->next.lost = rds_type(rds_at(r, 1)) == RDS_STR ? number(rds_at(r, 1)) : -1;
}

static void
take_depth(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	w->next.lanes[i].n = rds_int(r);
}

static void
take_due(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	w->next.lanes[i].first_due = rds_len(r) == 2 ? number(rds_at(r, 1)) : -1;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct lane_state *)a)->name, ((const struct lane_state *)b)->name);
}

static void
take_lanes(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	struct state *s = &w->next;
	char suffix[100], key[200];

	(void)i;
	s->n_lanes = rds_len(r) < STATE_LANES ? (uint32_t)rds_len(r) : STATE_LANES;
	for (uint32_t j = 0; j < s->n_lanes; j++)
		(void)snprintf(s->lanes[j].name, sizeof(s->lanes[j].name), "%.*s",
		    (int)rds_str(rds_at(r, j)).len, (const char *)rds_str(rds_at(r, j)).data);
	qsort(s->lanes, s->n_lanes, sizeof(s->lanes[0]), by_name);
	for (uint32_t j = 0; j < s->n_lanes; j++) {
		struct span argv[5] = {span_str("ZRANGE"), {NULL, 0}, span_str("0"), span_str("0"),
		    span_str("WITHSCORES")};

		(void)snprintf(suffix, sizeof(suffix), "lane:%s", s->lanes[j].name);
		ask_key(w, take_depth, j, "ZCARD", suffix);
		argv[1] = span_str(call_key(key, sizeof(key), s->campaign, suffix));
		ask(w, take_due, j, argv, 5);
	}
}

static void
take_campaigns(struct watch *w, const struct rds_reply *r, uint32_t i)
{
	static const char *const fields[] = {"mode", "epoch", "opseq", "gate", "paused", "logno"};
	const char *wanted = getenv("HF_CAMPAIGN");
	struct span only = rds_str(rds_at(r, 0));
	char key[200];
	struct span argv[8] = {span_str("HMGET"), {NULL, 0}},
	            cursor[4] = {
	                span_str("HMGET"), {NULL, 0}, span_str("cursor"), span_str("lost")};

	(void)i;
	if (wanted != NULL && text_is_id(wanted, strlen(wanted)))
		(void)snprintf(w->next.campaign, sizeof(w->next.campaign), "%s", wanted);
	else if (rds_len(r) == 1 && text_is_id((const char *)only.data, only.len))
		(void)snprintf(w->next.campaign, sizeof(w->next.campaign), "%.*s", (int)only.len,
		    (const char *)only.data);
	if (w->next.campaign[0] == '\0')
		return;
	argv[1] = span_str(call_key(key, sizeof(key), w->next.campaign, "meta"));
	for (size_t j = 0; j < 6; j++)
		argv[2 + j] = span_str(fields[j]);
	ask(w, take_meta, 0, argv, 8);
	cursor[1] = span_str(call_key(key, sizeof(key), w->next.campaign, "router"));
	ask(w, take_cursor, 0, cursor, 4);
	ask_key(w, take_lanes, 0, "SMEMBERS", "lanes");
	ask_key(w, take_count, 0, "HLEN", "cases");
	ask_key(w, take_count, 1, "ZCARD", "leases");
	ask_key(w, take_count, 2, "HLEN", "agents");
	ask_key(w, take_count, 3, "HLEN", "persons");
}

static void
on_look(void *arg)
{
	struct watch *w = arg;
	struct span argv[2] = {span_str("SMEMBERS"), span_str("hf:campaigns")};

	if (w->pending > 0)
		return;
	(void)clock_open(w->home->dir, NULL); /* follows a demo's clock; else it stays as it is */
	memset(&w->next, 0, sizeof(w->next));
	w->failed = !rds_connected(w->redis);
	if (w->failed)
		finish(w);
	else
		ask(w, take_campaigns, 0, argv, 2);
}

static void
on_redis(void *arg, bool connected)
{
	if (connected)
		on_look(arg);
}

struct watch *
watch_create(struct loop *l, const struct home *home, watch_fn *on_state, void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	char password[256] = "";

	w->loop = l;
	w->home = home;
	w->on_state = on_state;
	w->arg = arg;
	(void)home_secret(home, "redis-dash", password, sizeof(password), NULL);
	w->ledger = reader_create(home, ledger_read, sizeof(struct ledger_state));
	w->figures = reader_create(home, figures_read, sizeof(struct figures_state));
	w->redis = rds_create(l, home->redis, "dash", password, on_redis, w);
	w->timer = loop_timer_create(l, on_look, w);
	loop_timer_every(w->timer, LOOK_US);
	return w;
}

void
watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	loop_timer_destroy(w->timer);
	rds_destroy(w->redis);
	reader_destroy(w->ledger);
	reader_destroy(w->figures);
	free(w);
}
