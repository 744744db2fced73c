/* reader.c - when to read, and with what connection.
 *
 * Happy path: every two seconds, but never more than a twentieth of the time, so that a province's figures do not
 * keep the database busy for a page. The loop's thread takes a copy under the mutex. Failures: no connection or a
 * failed query: what was known stays, marked as old, and it tries again. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "dashboard/reader.h"

#define PERIOD_US 2000000
#define SHARE     20

struct reader {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char conninfo[700];
	reader_fn *read;
	size_t size;
	name_t campaign; /* from here on under lock */
	void *last;
	bool up, stop;
};

static void
once(struct reader *r, struct pg **pg)
{
	void *now = xcalloc(1, r->size);
	name_t campaign;
	bool up;

	pthread_mutex_lock(&r->lock);
	memcpy(campaign, r->campaign, sizeof(campaign));
	pthread_mutex_unlock(&r->lock);
	if (*pg != NULL && !pg_ok(*pg)) {
		pg_close(*pg);
		*pg = NULL;
	}
	if (*pg == NULL && pg_open(pg, r->conninfo, NULL) != 0)
		*pg = NULL;
	up = *pg != NULL && (campaign[0] == '\0' || r->read(*pg, campaign, now) == 0);
	pthread_mutex_lock(&r->lock);
	r->up = up;
	if (up)
		memcpy(r->last, now, r->size);
	pthread_mutex_unlock(&r->lock);
	free(now);
}

static void
wait_for_us(struct reader *r, int64_t us)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += us % 1000000 * 1000;
	at.tv_sec += us / 1000000 + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&r->wake, &r->lock, &at);
}

static void *
run(void *arg)
{
	struct reader *r = arg;
	struct pg *pg = NULL;
	bool stop = false;

	while (!stop) {
		int64_t began = clock_boot_us(), took;

		once(r, &pg);
		took = clock_boot_us() - began;
		pthread_mutex_lock(&r->lock);
		if (!r->stop)
			wait_for_us(r, took * SHARE > PERIOD_US ? took * SHARE : PERIOD_US);
		stop = r->stop;
		pthread_mutex_unlock(&r->lock);
	}
	pg_close(pg);
	return NULL;
}

struct reader *
reader_create(const struct home *home, reader_fn *read, size_t size)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t monotonic;

	home_conninfo(home, "hf_dash", r->conninfo, sizeof(r->conninfo));
	r->read = read;
	r->size = size;
	r->last = xcalloc(1, size);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	CHECK(pthread_create(&r->thread, NULL, run, r) == 0);
	return r;
}

void
reader_campaign(struct reader *r, const char *campaign)
{
	pthread_mutex_lock(&r->lock);
	if (strcmp(r->campaign, campaign) != 0) {
		(void)snprintf(r->campaign, sizeof(r->campaign), "%s", campaign);
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
}

bool
reader_last(struct reader *r, void *ret)
{
	bool up;

	pthread_mutex_lock(&r->lock);
	memcpy(ret, r->last, r->size);
	up = r->up;
	pthread_mutex_unlock(&r->lock);
	return up;
}

void
reader_destroy(struct reader *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->wake);
	free(r->last);
	free(r);
}
