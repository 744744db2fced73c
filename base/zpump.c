/* zpump.c - ZeroMQ inside libev.
 *
 * ZeroMQ's descriptor reports edges, not levels: it may stay silent while messages wait, and a send or
 * receive may swallow its edge. So the descriptor is only an alarm clock. What is true is what the
 * socket says of itself just before the loop sleeps, when nobody sends any more, and just after it
 * wakes; while it has work for us, an idle watcher keeps the loop awake. Asking is a system call:
 * twice a turn, not with every message. It is also what lets the socket do its own housekeeping
 * (connections that ended are only taken away when somebody asks), so a tick asks once a second on a
 * quiet socket. */
#include "base/zpump.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/check.h"

struct zpump {
	struct loop *loop;  /* borrowed */
	struct ev_loop *ev; /* borrowed */
	void *socket;       /* borrowed */
	loop_fn *on_ready;
	void *arg;
	ev_prepare before_sleep;
	ev_check after_sleep;
	ev_idle stay_awake;
	ev_io alarm;
	ev_timer tick;
};

static bool
pending(struct zpump *p)
{
	int events = 0;
	size_t size = sizeof(events);

	while (zmq_getsockopt(p->socket, ZMQ_EVENTS, &events, &size) != 0) {
		if (errno != EINTR)
			return false;
	}
	return (events & ZMQ_POLLIN) != 0;
}

static void
on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct zpump *p = w->data;

	(void)revents;
	if (pending(p))
		ev_idle_start(ev, &p->stay_awake);
	else
		ev_io_start(ev, &p->alarm);
}

static void
on_after_sleep(struct ev_loop *ev, ev_check *w, int revents)
{
	struct zpump *p = w->data;

	(void)revents;
	ev_io_stop(ev, &p->alarm);
	ev_idle_stop(ev, &p->stay_awake);
	if (pending(p))
		p->on_ready(p->arg); /* may have destroyed p */
}

static void
on_alarm(struct ev_loop *ev, ev_io *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void
on_idle(struct ev_loop *ev, ev_idle *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void
on_tick(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

struct zpump *
zpump_create(struct loop *l, void *socket, loop_fn *on_ready, void *arg)
{
	struct zpump *p = xcalloc(1, sizeof(*p));
	int fd = -1;
	size_t size = sizeof(fd);

	CHECK(zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0);
	p->loop = l;
	p->ev = loop_ev(l);
	p->socket = socket;
	p->on_ready = on_ready;
	p->arg = arg;
	ev_prepare_init(&p->before_sleep, on_before_sleep);
	/* After every other prepare watcher, which may still send. */
	ev_set_priority(&p->before_sleep, EV_MINPRI);
	ev_check_init(&p->after_sleep, on_after_sleep);
	ev_idle_init(&p->stay_awake, on_idle);
	ev_io_init(&p->alarm, on_alarm, fd, EV_READ);
	ev_timer_init(&p->tick, on_tick, 1., 1.);
	p->before_sleep.data = p->after_sleep.data = p;
	ev_prepare_start(p->ev, &p->before_sleep);
	ev_check_start(p->ev, &p->after_sleep);
	ev_timer_start(p->ev, &p->tick);
	return p;
}

void
zpump_destroy(struct zpump *p)
{
	if (p == NULL)
		return;
	ev_prepare_stop(p->ev, &p->before_sleep);
	ev_check_stop(p->ev, &p->after_sleep);
	ev_idle_stop(p->ev, &p->stay_awake);
	ev_io_stop(p->ev, &p->alarm);
	ev_timer_stop(p->ev, &p->tick);
	loop_bury(p->loop, free, p);
}
