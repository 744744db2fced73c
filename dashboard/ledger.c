/* ledger.c - reads PostgreSQL every two seconds in a thread of its own, so that a slow or missing database never
 * keeps a page waiting. The loop's thread takes a copy under the mutex.
 *
 * Failures: no connection or a failed query: `up` is false, and it tries again. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/pg.h"
#include "dashboard/watch.h"

#define PERIOD_S 2

struct ledger_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char conninfo[700];
	name_t campaign; /* under lock */
	struct ledger_state last;
	bool stop;
};

static const char figures_sql[] =
    "SELECT coalesce(sum(cases), 0)::bigint, coalesce(sum(attempted), 0)::bigint, "
    "coalesce(sum(contacts), 0)::bigint, coalesce(sum(confirmed), 0)::bigint, "
    "coalesce(sum(considering), 0)::bigint, coalesce(sum(unreachable), 0)::bigint, "
    "coalesce(sum(withdrawn), 0)::bigint, coalesce(sum(admitted), 0)::bigint, "
    "coalesce(sum(registered), 0)::bigint FROM v_counts WHERE campaign = $1";

/* wall_at is the server's clock in ms. */
static const char minutes_sql[] = "SELECT ($2 - wall_at) / 60000, count(*) FROM v_contact WHERE "
                                  "campaign = $1 AND wall_at > $2 - 1800000 GROUP BY 1";

static const char counts_sql[] =
    "SELECT coalesce((SELECT ledger_no FROM v_recorder WHERE campaign = $1), 0), "
    "(SELECT count(*) FROM v_problem WHERE campaign = $1 AND what <> 'night')";

/* The newest reconciliation. */
static const char night_sql[] = "SELECT ended_ms, coalesce(records, 0), differences, notices FROM "
                                "v_night WHERE campaign = $1";

static int
read_night(struct pg *pg, const struct pg_param *campaign, struct ledger_state *s)
{
	int64_t *const fields[] = {
	    &s->night_at, &s->night_records, &s->night_differences, &s->night_notices};
	struct pg_result *r;

	if (pg_exec(pg, night_sql, campaign, 1, &r, NULL) != 0)
		return -1;
	for (int i = 0; i < 4 && pg_rows(r) == 1; i++)
		*fields[i] = pg_get_i64(r, 0, i);
	pg_free(r);
	return 0;
}

static int
read_all(struct pg *pg, const char *campaign, struct ledger_state *s)
{
	struct pg_param p[2] = {pg_text(campaign), pg_i64(clock_wall_ms())};
	int64_t *const fields[] = {&s->cases, &s->attempted, &s->contacts, &s->confirmed,
	    &s->considering, &s->unreachable, &s->withdrawn, &s->admitted, &s->registered};
	struct pg_result *r;

	if (pg_exec(pg, figures_sql, p, 1, &r, NULL) != 0)
		return -1;
	for (int i = 0; i < 9; i++)
		*fields[i] = pg_get_i64(r, 0, i);
	pg_free(r);
	if (pg_exec(pg, minutes_sql, p, 2, &r, NULL) != 0)
		return -1;
	memset(s->per_minute, 0, sizeof(s->per_minute));
	for (int i = 0; i < pg_rows(r); i++) {
		int64_t ago = pg_get_i64(r, i, 0);

		if (ago >= 0 && ago < STATE_MINUTES)
			s->per_minute[STATE_MINUTES - 1 - ago] = pg_get_i64(r, i, 1);
	}
	pg_free(r);
	if (pg_exec(pg, counts_sql, p, 1, &r, NULL) != 0)
		return -1;
	s->records = pg_get_i64(r, 0, 0);
	s->quarantined = pg_get_i64(r, 0, 1);
	pg_free(r);
	return read_night(pg, p, s);
}

static void
once(struct ledger_watch *l, struct pg **pg)
{
	struct ledger_state s = {.up = false};
	name_t campaign;

	pthread_mutex_lock(&l->lock);
	memcpy(campaign, l->campaign, sizeof(campaign));
	pthread_mutex_unlock(&l->lock);
	if (*pg != NULL && !pg_ok(*pg)) {
		pg_close(*pg);
		*pg = NULL;
	}
	if (*pg == NULL && pg_open(pg, l->conninfo, NULL) != 0)
		*pg = NULL;
	if (*pg != NULL)
		s.up = campaign[0] == '\0' || read_all(*pg, campaign, &s) == 0;
	s.at_ms = clock_wall_ms();
	pthread_mutex_lock(&l->lock);
	if (!s.up) { /* what was known stays, marked as old */
		l->last.up = false;
		l->last.at_ms = s.at_ms;
	} else {
		l->last = s;
	}
	pthread_mutex_unlock(&l->lock);
}

static void *
run(void *arg)
{
	struct ledger_watch *l = arg;
	struct pg *pg = NULL;
	struct timespec at;
	bool stop = false;

	while (!stop) {
		once(l, &pg);
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_sec += PERIOD_S;
		pthread_mutex_lock(&l->lock);
		if (!l->stop)
			(void)pthread_cond_timedwait(&l->wake, &l->lock, &at);
		stop = l->stop;
		pthread_mutex_unlock(&l->lock);
	}
	pg_close(pg);
	return NULL;
}

struct ledger_watch *
ledger_watch_create(const struct home *home)
{
	struct ledger_watch *l = xcalloc(1, sizeof(*l));

	home_conninfo(home, "hf_dash", l->conninfo, sizeof(l->conninfo));
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
	CHECK(pthread_create(&l->thread, NULL, run, l) == 0);
	return l;
}

void
ledger_watch_campaign(struct ledger_watch *l, const char *campaign)
{
	pthread_mutex_lock(&l->lock);
	if (strcmp(l->campaign, campaign) != 0) {
		(void)snprintf(l->campaign, sizeof(l->campaign), "%s", campaign);
		pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&l->lock);
}

void
ledger_watch_read(struct ledger_watch *l, struct ledger_state *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->last;
	pthread_mutex_unlock(&l->lock);
}

void
ledger_watch_destroy(struct ledger_watch *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	free(l);
}
