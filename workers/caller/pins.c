/* pins.c - two threads, a queue to them and a list back, and a descriptor that wakes the loop.
 *
 * Happy path: a job is queued, a thread opens the key, the loop reads the descriptor and takes what is
 * done. Failures: a full queue refuses; no memory for argon2id is an error of that job alone. Jobs
 * are the only thing that threads and loop share, and only under the lock. */
#include "workers/caller/pins.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"

#define THREADS     2
#define WAITING_MAX 64

struct jobs {
	struct pin_job *first, **end;
	size_t n;
};

struct pins {
	pins_done_fn *done;
	struct loop_io *io;
	int fd;
	pthread_t threads[THREADS];
	size_t n_threads;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct jobs waiting, ready; /* owned; under the lock */
	bool stop;                  /* under the lock */
};

static void
push(struct jobs *q, struct pin_job *job)
{
	job->next = NULL;
	if (q->first == NULL)
		q->end = &q->first;
	*q->end = job;
	q->end = &job->next;
	q->n++;
}

static struct pin_job *
pop(struct jobs *q)
{
	struct pin_job *job = q->first;

	if (job != NULL) {
		q->first = job->next;
		q->n--;
	}
	return job;
}

/* ---- a thread ------------------------------------------------------------------------------------ */

static void
try_pin(struct pin_job *job)
{
	struct err err = ERR_INIT;

	/* The seal of nobody is all zeros, and opens for no PIN. */
	job->rc = person_unseal(&job->seal, job->pin, &job->key, &err);
	if (job->rc == 0 && (job->is_nobody || job->seal.is_open))
		job->rc = err_set(&err, ERR_DENIED, "no PIN opens this");
	job->code = err.code;
}

static void *
work(void *arg)
{
	struct pins *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct pin_job *job = pop(&p->waiting);

		if (job == NULL) {
			(void)pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&p->lock);
		try_pin(job);
		(void)pthread_mutex_lock(&p->lock);
		push(&p->ready, job);
		(void)eventfd_write(p->fd, 1);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the loop's side ----------------------------------------------------------------------------- */

static void
finish(struct pins *p, struct pin_job *job)
{
	(job->done != NULL ? job->done : p->done)(job);
	crypt_wipe(job, sizeof(*job));
	free(job);
}

static void
on_ready(void *arg, int events)
{
	struct pins *p = arg;
	struct pin_job *job;
	eventfd_t n;

	(void)events;
	(void)eventfd_read(p->fd, &n);
	do {
		(void)pthread_mutex_lock(&p->lock);
		job = pop(&p->ready);
		(void)pthread_mutex_unlock(&p->lock);
		if (job != NULL)
			finish(p, job);
	} while (job != NULL);
}

bool
pins_try(struct pins *p, const struct pin_job *job)
{
	struct pin_job *copy = xmalloc(sizeof(*copy));
	bool room;

	*copy = *job;
	(void)pthread_mutex_lock(&p->lock);
	room = p->waiting.n < WAITING_MAX;
	if (room) {
		push(&p->waiting, copy);
		(void)pthread_cond_signal(&p->more);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (!room) {
		crypt_wipe(copy, sizeof(*copy));
		free(copy);
	}
	return room;
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* Signals belong to the loop's thread. */
static int
start_threads(struct pins *p)
{
	sigset_t all, old;
	int rc = 0;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (rc == 0 && p->n_threads < THREADS) {
		rc = pthread_create(&p->threads[p->n_threads], NULL, work, p);
		p->n_threads += rc == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int
pins_create(struct pins **ret, struct loop *l, pins_done_fn *done, struct err *err)
{
	struct pins *p = xcalloc(1, sizeof(*p));

	p->done = done;
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(pthread_mutex_init(&p->lock, NULL) == 0 && pthread_cond_init(&p->more, NULL) == 0);
	if (p->fd >= 0)
		p->io = loop_io_create(l, p->fd, LOOP_READ, on_ready, p);
	if (p->fd < 0 || start_threads(p) != 0) {
		pins_destroy(p);
		return err_set(err, ERR_IO, "cannot start the threads that try PINs");
	}
	*ret = p;
	return 0;
}

static void
refuse_all(struct pins *p, struct jobs *q)
{
	for (struct pin_job *job = pop(q); job != NULL; job = pop(q)) {
		job->rc = -1;
		job->code = ERR_BUSY;
		finish(p, job);
	}
}

void
pins_destroy(struct pins *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->threads[i], NULL);
	refuse_all(p, &p->waiting);
	refuse_all(p, &p->ready);
	if (p->io != NULL)
		loop_io_destroy(p->io);
	if (p->fd >= 0)
		(void)close(p->fd);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
