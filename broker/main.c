/* main.c - wires the broker together, and runs it until it is told to stop.
 *
 * SIGTERM and SIGINT drain: nothing new is begun, what is in flight is answered, and the process
 * ends with 0 within DRAIN_US. SIGUSR1 logs the counters. A wrong setting ends it with 78 at
 * once; a store or a campaign that is not there is waited for. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/err.h"
#include "base/log.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/front.h"
#include "broker/guard.h"
#include "broker/keyring.h"
#include "broker/observer.h"
#include "broker/roster.h"
#include "broker/session.h"
#include "broker/settings.h"
#include "broker/store.h"
#include "broker/tail.h"
#include "broker/waiters.h"
#include "broker/work.h"
#include "workers/link/home.h"

#define SOCKETS_MAX 16384
#define TICK_US     1000000
#define STATS_TICKS 60
#define ASK_TICKS   60 /* each waiter is asked again at least so often */
#define READY_TICKS 3
#define DRAIN_US    4000000
#define DRAIN_LOOK  20000
#define LINGER_US   100000 /* lets the last answers leave the socket */
#define FLAGS_MAX   32
#define EXIT_CONFIG 78

struct process {
	struct broker b;
	struct settings settings;
	struct loop_timer *tick, *due, *drain;
	int64_t armed_due; /* campaign ms that `due` is set for; -1 none */
	int64_t drain_until_us, linger_until_us;
	unsigned ticks;
};

struct options {
	const char *campaign;
	const char *flags[FLAGS_MAX + 1];
	size_t n_flags;
	char bind[300];
	bool print, check;
};

static const struct argp_option option_rows[] = {
    {"set", 's', "KEY=VALUE", 0, "Set one key of broker.conf for this run", 0},
    {"bind", 'b', "ENDPOINT", 0, "Listen here instead of the first of `broker` in env.conf", 0},
    {"campaign", 'c', "ID", 0, "Serve this campaign (HF_CAMPAIGN; default: the only one)", 0},
    {"print-config", 'p', NULL, 0, "Print the settings in force and exit", 0},
    {"check-config", 'k', NULL, 0, "Read the settings and exit", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		if (o->n_flags == FLAGS_MAX)
			argp_error(state, "too many --set");
		o->flags[o->n_flags++] = arg;
		break;
	case 'b':
		if (o->n_flags == FLAGS_MAX)
			argp_error(state, "too many --set");
		(void)snprintf(o->bind, sizeof(o->bind), "bind=%s", arg);
		o->flags[o->n_flags++] = o->bind;
		break;
	case 'c': o->campaign = arg; break;
	case 'p': o->print = true; break;
	case 'k': o->check = true; break;
	case ARGP_KEY_ARG: argp_usage(state); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* ---- what comes from the loop ---- */

static bool
on_zap(void *arg, const uint8_t client_key[CURVE_KEY_LEN])
{
	const struct broker *b = arg;
	const struct agent *a =
	    b->roster == NULL ? NULL : roster_agent_by_key(b->roster, client_key);

	return a != NULL && a->active;
}

static void
log_stats(void *arg)
{
	struct process *p = arg;
	struct broker *b = &p->b;
	struct buf text = BUF_INIT;

	b->stats.sessions = sessions_count(b->sessions);
	b->stats.waiting = waiters_count(b->waiters);
	b->stats.keys = keyring_count(b->keys);
	stats_print(&text, &b->stats);
	log_info("stats", "%s", (const char *)text.data);
	buf_done(&text);
}

static void
on_session_end(void *arg, uint64_t id)
{
	struct broker *b = arg;

	waiters_drop_session(b->waiters, id);
}

static void
on_tick(void *arg)
{
	struct process *p = arg;
	struct broker *b = &p->b;
	int64_t now = clock_boot_us();
	struct err err = ERR_INIT;

	if (clock_open(p->settings.home.dir, &err) != 0)
		log_warn("clock.file", "why=\"%s\" decision=\"going on as before\"", err.text);
	guard_tick(b->guard);
	front_tick(b->front, now);
	sessions_sweep(b->sessions, now - SESSION_SILENCE_US, on_session_end, b);
	if (++p->ticks == READY_TICKS)
		home_ready(); /* the stores may come later than we */
	if (p->ticks % ASK_TICKS == 0)
		waiters_all(b->waiters);
	if (p->ticks % STATS_TICKS == 0)
		log_stats(p);
	p->armed_due = -1;
}

static void
on_due(void *arg)
{
	struct process *p = arg;

	p->armed_due = -1; /* the hook before sleep looks */
}

/* The tick looks at far due times; the timer only serves those nearer than that. */
static void
arm_due(struct process *p)
{
	int64_t due = waiters_next_due(p->b.waiters), us;

	if (due == p->armed_due || due == INT64_MAX)
		return;
	p->armed_due = due;
	us = clock_until_us(due);
	if (us <= TICK_US)
		loop_timer_after(p->due, us);
}

static void
on_turn(void *arg)
{
	struct process *p = arg;
	struct broker *b = &p->b;

	if (broker_is_serving(b) && !b->is_draining) {
		waiters_tick(b->waiters, clock_campaign_ms());
		arm_due(p);
	}
	if (b->batch != NULL)
		batch_flush(b->batch);
}

static void
on_drain(void *arg)
{
	struct process *p = arg;
	int64_t now = clock_boot_us();
	bool idle = p->b.batch == NULL || batch_is_idle(p->b.batch);

	if (p->linger_until_us == 0 && (idle || now >= p->drain_until_us))
		p->linger_until_us = now + LINGER_US;
	if (p->linger_until_us != 0 && now >= p->linger_until_us)
		loop_stop(p->b.loop);
}

static void
on_stop(void *arg)
{
	struct process *p = arg;

	if (p->b.is_draining)
		return;
	log_info("stop", "decision=\"answering what is in flight\"");
	p->b.is_draining = true;
	p->drain_until_us = clock_boot_us() + DRAIN_US;
	p->drain = loop_timer_create(p->b.loop, on_drain, p);
	loop_timer_every(p->drain, DRAIN_LOOK);
}

static void
on_hangup(void *arg)
{
	(void)arg; /* nothing is read again yet; the default would end us */
}

/* ---- life ---- */

static int
start(struct process *p, struct err *err)
{
	struct broker *b = &p->b;

	b->settings = &p->settings;
	b->loop = loop_create();
	b->z = zctx_create(1, SOCKETS_MAX);
	b->sessions = sessions_create();
	b->waiters = waiters_create(work_wake, work_is_alive, b);
	b->guard = guard_create(b);
	b->front = front_create(b->z, b->loop, p->settings.curve_secret, &b->stats, on_zap,
	    dispatch_on_message, b, err);
	if (b->front == NULL)
		return -1;
	b->store = store_create(b);
	p->tick = loop_timer_create(b->loop, on_tick, p);
	p->due = loop_timer_create(b->loop, on_due, p);
	p->armed_due = -1;
	loop_timer_every(p->tick, TICK_US);
	loop_before_sleep(b->loop, on_turn, p);
	loop_on_signal(b->loop, SIGTERM, on_stop, p);
	loop_on_signal(b->loop, SIGINT, on_stop, p);
	loop_on_signal(b->loop, SIGHUP, on_hangup, p);
	loop_on_signal(b->loop, SIGUSR1, log_stats, p);
	return 0;
}

/* The links first: what they have in flight completes into parts that are still there. */
static void
stop(struct process *p)
{
	struct broker *b = &p->b;
	struct store *store = b->store;
	struct tail *tail = b->tail;

	b->is_draining = true;
	b->store = NULL;
	store_destroy(store);
	b->tail = NULL;
	tail_destroy(tail);
	batch_destroy(b->batch);
	observer_destroy(b->observer);
	keyring_destroy(b->keys);
	guard_destroy(b->guard);
	waiters_destroy(b->waiters);
	sessions_destroy(b->sessions);
	loop_timer_destroy(p->tick);
	loop_timer_destroy(p->due);
	loop_timer_destroy(p->drain);
	front_destroy(b->front);
	zctx_destroy(b->z);
	loop_destroy(b->loop);
	roster_destroy(b->roster);
	settings_done(&p->settings);
}

static int
run(struct process *p)
{
	struct err err = ERR_INIT;

	if (clock_open(p->settings.home.dir, &err) != 0 || start(p, &err) != 0) {
		log_error("start", "why=\"%s\" decision=\"not starting\"", err.text);
		p->b.exit_code = EXIT_CONFIG;
	} else {
		log_info("start", "home=%s bind=%s lease_ms=%jd guard_ms=%jd", p->settings.home.dir,
		    p->settings.bind, (intmax_t)p->settings.lease_ms,
		    (intmax_t)p->settings.guard_ms);
		loop_run(p->b.loop);
		log_stats(p);
	}
	stop(p);
	log_info("end", "exit=%d", p->b.exit_code);
	return p->b.exit_code;
}

int
main(int argc, char **argv)
{
	static struct process p;
	struct options o = {.campaign = getenv("HF_CAMPAIGN")};
	struct argp argp = {option_rows, on_option, NULL,
	    "hf-broker - hands out cases and accepts records for one campaign.", NULL, NULL, NULL};
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;

	log_init("hf-broker", LOG_LVL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return 64;
	if (crypt_init(&err) != 0 ||
	    settings_load(&p.settings, o.campaign == NULL ? "" : o.campaign, o.flags, &err) != 0) {
		log_error("settings", "why=\"%s\" decision=\"not starting\"", err.text);
		return EXIT_CONFIG;
	}
	if (!o.print && !o.check)
		return run(&p);
	if (o.print) {
		settings_print(&text, &p.settings);
		(void)fputs((const char *)text.data, stdout);
		buf_done(&text);
	}
	settings_done(&p.settings);
	return 0;
}
