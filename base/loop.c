/* loop.c - libev, seen from outside as timers, descriptors, signals and one hook before sleep.
 *
 * One turn: descriptors, timers and signals call back; then, before the loop sleeps, the hooks run in
 * the order they were given, and then the graveyard is emptied. The loop's own prepare watcher has
 * the highest priority, so that what the hooks did is seen by the prepare watchers of the wrappers.
 * libev reckons timers from the start of a turn; ev_now_update before arming makes "after 5 ms" mean
 * it, however long the callback took so far. SIGPIPE is ignored here once for every daemon: a peer
 * that left is an error of write(2), not a death. */
#include "base/loop.h"

#include <ev.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

struct hook {
	loop_fn *fn;
	void *arg;
};

struct grave {
	void (*free_fn)(void *);
	void *object; /* owned */
};

struct signal_watch {
	ev_signal ev;
	loop_fn *fn;
	void *arg;
	struct signal_watch *next; /* owned */
};

struct loop {
	struct ev_loop *ev; /* owned */
	ev_prepare before_sleep;
	struct hook *hooks; /* owned */
	size_t hook_count;
	struct grave *graves; /* owned */
	size_t grave_count, grave_room;
	struct signal_watch *signals; /* owned */
	bool stopped;
};

struct loop_timer {
	ev_timer ev;
	struct loop *loop; /* borrowed */
	loop_fn *fn;
	void *arg;
};

struct loop_io {
	ev_io ev;
	struct loop *loop; /* borrowed */
	loop_io_fn *fn;
	void *arg;
};

/* A dying object may bury others: the list grows while we walk it. */
static void
empty_graveyard(struct loop *l)
{
	for (size_t i = 0; i < l->grave_count; i++) {
		struct grave g = l->graves[i];

		g.free_fn(g.object);
	}
	l->grave_count = 0;
}

static void
on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	for (size_t i = 0; i < l->hook_count; i++) {
		struct hook h = l->hooks[i];

		h.fn(h.arg);
	}
	empty_graveyard(l);
}

struct loop *
loop_create(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	CHECK(l->ev != NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	ev_prepare_init(&l->before_sleep, on_before_sleep);
	ev_set_priority(&l->before_sleep, EV_MAXPRI);
	l->before_sleep.data = l;
	ev_prepare_start(l->ev, &l->before_sleep);
	return l;
}

void
loop_destroy(struct loop *l)
{
	struct signal_watch *s, *next;

	if (l == NULL)
		return;
	empty_graveyard(l);
	for (s = l->signals; s != NULL; s = next) {
		next = s->next;
		ev_signal_stop(l->ev, &s->ev);
		free(s);
	}
	ev_prepare_stop(l->ev, &l->before_sleep);
	ev_loop_destroy(l->ev);
	free(l->hooks);
	free(l->graves);
	free(l);
}

void
loop_run(struct loop *l)
{
	/* A stop that came before the run (from a signal at start-up, say) counts too. */
	if (!l->stopped)
		(void)ev_run(l->ev, 0);
	l->stopped = false;
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
	ev_break(l->ev, EVBREAK_ALL);
}

static void
on_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct loop_timer *t = w->data;

	(void)ev;
	(void)revents;
	t->fn(t->arg); /* may have freed t */
}

struct loop_timer *
loop_timer_create(struct loop *l, loop_fn *fn, void *arg)
{
	struct loop_timer *t = xcalloc(1, sizeof(*t));

	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	ev_timer_init(&t->ev, on_timer, 0., 0.);
	t->ev.data = t;
	return t;
}

static void
arm(struct loop_timer *t, int64_t us, bool again)
{
	/* A year is for ever, and keeps sums of seconds exact. */
	const int64_t limit = 366LL * 86400 * 1000000;
	int64_t wait = us < 0 ? 0 : us > limit ? limit : us;
	ev_tstamp seconds = (ev_tstamp)wait / 1e6;

	ev_timer_stop(t->loop->ev, &t->ev);
	ev_now_update(t->loop->ev);
	ev_timer_set(&t->ev, seconds, again ? seconds : 0.);
	ev_timer_start(t->loop->ev, &t->ev);
}

void
loop_timer_after(struct loop_timer *t, int64_t us)
{
	arm(t, us, false);
}

void
loop_timer_every(struct loop_timer *t, int64_t us)
{
	CHECK(us > 0);
	arm(t, us, true);
}

void
loop_timer_stop(struct loop_timer *t)
{
	ev_timer_stop(t->loop->ev, &t->ev);
}

void
loop_timer_destroy(struct loop_timer *t)
{
	if (t == NULL)
		return;
	ev_timer_stop(t->loop->ev, &t->ev);
	free(t);
}

static void
on_io(struct ev_loop *ev, ev_io *w, int revents)
{
	struct loop_io *io = w->data;
	int events = 0;

	(void)ev;
	if ((revents & EV_READ) != 0)
		events |= LOOP_READ;
	if ((revents & EV_WRITE) != 0)
		events |= LOOP_WRITE;
	/* libev stopped the watcher of a descriptor that is none: let the owner's read fail. */
	if ((revents & EV_ERROR) != 0)
		events = LOOP_READ | LOOP_WRITE;
	io->fn(io->arg, events); /* may have freed io */
}

static int
ev_events(int events)
{
	return ((events & LOOP_READ) != 0 ? EV_READ : 0) |
	       ((events & LOOP_WRITE) != 0 ? EV_WRITE : 0);
}

struct loop_io *
loop_io_create(struct loop *l, int fd, int events, loop_io_fn *fn, void *arg)
{
	struct loop_io *io = xcalloc(1, sizeof(*io));

	CHECK(fd >= 0);
	io->loop = l;
	io->fn = fn;
	io->arg = arg;
	ev_io_init(&io->ev, on_io, fd, ev_events(events));
	io->ev.data = io;
	if (events != 0)
		ev_io_start(l->ev, &io->ev);
	return io;
}

void
loop_io_set(struct loop_io *io, int events)
{
	int fd = io->ev.fd;

	ev_io_stop(io->loop->ev, &io->ev);
	ev_io_set(&io->ev, fd, ev_events(events));
	if (events != 0)
		ev_io_start(io->loop->ev, &io->ev);
}

void
loop_io_destroy(struct loop_io *io)
{
	if (io == NULL)
		return;
	ev_io_stop(io->loop->ev, &io->ev);
	free(io);
}

static void
on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct signal_watch *s = w->data;

	(void)ev;
	(void)revents;
	s->fn(s->arg);
}

void
loop_on_signal(struct loop *l, int signum, loop_fn *fn, void *arg)
{
	struct signal_watch *s = xcalloc(1, sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	ev_signal_init(&s->ev, on_signal, signum);
	s->ev.data = s;
	ev_signal_start(l->ev, &s->ev);
	s->next = l->signals;
	l->signals = s;
}

void
loop_before_sleep(struct loop *l, loop_fn *fn, void *arg)
{
	l->hooks = xrealloc(l->hooks, l->hook_count + 1, sizeof(*l->hooks));
	l->hooks[l->hook_count++] = (struct hook){fn, arg};
}

void
loop_bury(struct loop *l, void (*free_fn)(void *), void *object)
{
	if (l->grave_count == l->grave_room) {
		l->grave_room = l->grave_room == 0 ? 16 : l->grave_room * 2;
		l->graves = xrealloc(l->graves, l->grave_room, sizeof(*l->graves));
	}
	l->graves[l->grave_count++] = (struct grave){free_fn, object};
}

void *
loop_ev(struct loop *l)
{
	return l->ev;
}
