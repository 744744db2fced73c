/* rds.c - one Redis connection that heals itself, over hiredis 0.14.
 *
 * Happy path: connect, then AUTH and PING, then commands; hiredis answers in order. We keep a list of
 * what is in flight with its deadlines. hiredis must not be called from its own connect and
 * disconnect callbacks: they set a flag, on_before_sleep acts on it.
 *
 * Failures: a connection that breaks (or a deadline that passes, after which we break it, since a late
 * reply would be taken for the next one's) completes everything in flight with an error whose
 * meaning is "outcome unknown". A command completed by us before hiredis lets go of it becomes an
 * orphan (owner NULL), freed when hiredis calls back. */
#include "base/rds.h"

#include <ev.h>
#include <hiredis/adapters/libev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/rds_reply.h"

#define BACKOFF_MIN_US 200000
#define BACKOFF_MAX_US 5000000
#define CONNECT_US     3000000
#define READER_MAXBUF  (1U << 20)
#define ARGS_ON_STACK  64
#define NOBODY_LATE    INT64_MIN

enum state { DOWN, CONNECTING, GREETING, UP };

struct cmd {
	TAILQ_ENTRY(cmd) link;
	struct rds *owner; /* borrowed; NULL: completed, hiredis still holds it */
	rds_fn *fn;
	void *arg;
	int64_t deadline_us; /* BOOTTIME */
};
TAILQ_HEAD(cmd_list, cmd);

struct rds {
	struct loop *loop;  /* borrowed */
	struct ev_loop *ev; /* borrowed */
	struct rds_address address;
	char *user, *password; /* owned */
	rds_state_fn *on_state;
	void *arg;
	enum state state;
	redisAsyncContext *ac; /* hiredis owns it; NULL while DOWN */
	bool greet;   /* the connection stands: send AUTH and PING before the loop sleeps */
	bool told_up; /* what on_state said last */
	bool destroyed;
	int64_t backoff_us;
	struct err trouble; /* why we are not connected */
	struct cmd_list in_flight;
	struct cmd_list refused; /* issued while down: completed before the loop sleeps */
	ev_timer line_timer; /* DOWN: when to try again; CONNECTING, GREETING: when to give up */
	ev_timer deadline_timer;
	ev_prepare before_sleep;
	ev_idle stay_awake;
};

/* ---- timers ------------------------------------------------------------------------------------ */

static void
arm(struct rds *r, ev_timer *t, int64_t us)
{
	const int64_t hour = 3600LL * 1000000;

	ev_timer_stop(r->ev, t);
	ev_now_update(r->ev);
	ev_timer_set(t, (ev_tstamp)(us < 0 ? 0 : us > hour ? hour : us) / 1e6, 0.);
	ev_timer_start(r->ev, t);
}

/* ---- commands ---------------------------------------------------------------------------------- */

/* Completes a command without its reply; hiredis still holds it, and frees it by on_reply. */
static void
complete_unknown(struct cmd *c, enum err_code code, const char *text)
{
	struct rds *r = c->owner;
	struct err err = ERR_INIT;

	TAILQ_REMOVE(&r->in_flight, c, link);
	c->owner = NULL;
	(void)err_set(&err, code, "redis %s: %s, outcome unknown", r->address.text, text);
	c->fn(c->arg, NULL, &err);
}

/* Those whose deadline lies at or before late_at hear that they were late, and hear it first. A
 * callback may issue commands (refused: we are DOWN) or destroy r (then the list is empty). */
static void
fail_in_flight(struct rds *r, int64_t late_at)
{
	struct cmd *c, *next;

	for (c = TAILQ_FIRST(&r->in_flight); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->deadline_us > late_at)
			continue;
		complete_unknown(c, ERR_LATE, "no answer in time");
		if (r->destroyed)
			return;
	}
	while ((c = TAILQ_FIRST(&r->in_flight)) != NULL)
		complete_unknown(c, ERR_GONE, "the connection was given up");
}

/* The connection is no longer ours, whoever ends it. */
static void
let_go(struct rds *r, enum err_code code, const char *why)
{
	if (r->ac == NULL)
		return;
	r->ac->data = NULL;
	r->ac = NULL;
	r->state = DOWN;
	r->greet = false;
	(void)err_set(&r->trouble, code, "redis %s: %s", r->address.text, why);
	ev_timer_stop(r->ev, &r->deadline_timer);
	arm(r, &r->line_timer, r->backoff_us);
	r->backoff_us = r->backoff_us * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : r->backoff_us * 2;
	ev_idle_start(r->ev, &r->stay_awake);
}

/* We end the connection. Inside one of its own callbacks hiredis defers the freeing by itself. */
static void
drop(struct rds *r, enum err_code code, const char *why, int64_t late_at)
{
	redisAsyncContext *ac = r->ac;

	if (ac == NULL)
		return;
	let_go(r, code, why);
	fail_in_flight(r, late_at);
	redisAsyncFree(ac);
}

static void
on_reply(redisAsyncContext *ac, void *reply, void *priv)
{
	struct cmd *c = priv;
	struct rds *r = c->owner;

	if (r != NULL && reply != NULL) {
		TAILQ_REMOVE(&r->in_flight, c, link);
		c->fn(c->arg, reply, NULL);
	} else if (r != NULL) {
		/* hiredis is taking the connection down, and will say so only after this. */
		let_go(r, ERR_GONE, ac->err != 0 ? ac->errstr : "connection closed");
		complete_unknown(c, ERR_GONE, "the connection broke");
	}
	free(c);
}

static void
on_deadline(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct rds *r = w->data;
	int64_t now = clock_boot_us(), next = INT64_MAX;
	struct cmd *c;

	(void)ev;
	(void)revents;
	TAILQ_FOREACH(c, &r->in_flight, link)
	{
		if (c->deadline_us < next)
			next = c->deadline_us;
	}
	if (next <= now)
		drop(r, ERR_LATE, "a command got no answer in time", now);
	else if (next != INT64_MAX)
		arm(r, &r->deadline_timer, next - now);
}

static bool
hand_over(struct rds *r, struct cmd *c, const struct span *argv, size_t argc)
{
	const char *stack_args[ARGS_ON_STACK] = {NULL};
	size_t stack_lens[ARGS_ON_STACK] = {0};
	bool on_heap = argc > ARGS_ON_STACK;
	const char **args = on_heap ? xcalloc(argc, sizeof(*args)) : stack_args;
	size_t *lens = on_heap ? xcalloc(argc, sizeof(*lens)) : stack_lens;
	int rc;

	for (size_t i = 0; i < argc; i++) {
		args[i] = argv[i].len > 0 ? (const char *)argv[i].data : "";
		lens[i] = argv[i].len;
	}
	rc = redisAsyncCommandArgv(r->ac, on_reply, c, (int)argc, args, lens);
	if (on_heap) {
		free(args);
		free(lens);
	}
	return rc == REDIS_OK;
}

static void
issue(
    struct rds *r, const struct span *argv, size_t argc, int64_t timeout_us, rds_fn *fn, void *arg)
{
	struct cmd *c = xcalloc(1, sizeof(*c));

	c->owner = r;
	c->fn = fn;
	c->arg = arg;
	if (__builtin_add_overflow(clock_boot_us(), timeout_us, &c->deadline_us))
		c->deadline_us = INT64_MAX;
	if (r->ac == NULL || !hand_over(r, c, argv, argc)) {
		TAILQ_INSERT_TAIL(&r->refused, c, link);
		ev_idle_start(r->ev, &r->stay_awake);
		return;
	}
	TAILQ_INSERT_TAIL(&r->in_flight, c, link);
	ev_now_update(r->ev);
	if (!ev_is_active(&r->deadline_timer) ||
	    (ev_tstamp)timeout_us / 1e6 < ev_timer_remaining(r->ev, &r->deadline_timer))
		arm(r, &r->deadline_timer, timeout_us);
}

/* One command that was issued while we were down. */
static void
complete_refused(struct rds *r)
{
	struct cmd *c = TAILQ_FIRST(&r->refused);
	struct err err = ERR_INIT;

	TAILQ_REMOVE(&r->refused, c, link);
	if (r->trouble.code != ERR_NONE)
		(void)err_set(&err, ERR_GONE, "not connected: %s", r->trouble.text);
	else
		(void)err_set(&err, ERR_GONE, "redis %s: not connected", r->address.text);
	c->fn(c->arg, NULL, &err);
	free(c);
}

void
rds_cmd(
    struct rds *r, const struct span *argv, size_t argc, int64_t timeout_us, rds_fn *fn, void *arg)
{
	CHECK(argc >= 1 && argc <= 1 << 20 && fn != NULL && !r->destroyed);
	if (r->state == UP) {
		issue(r, argv, argc, timeout_us, fn, arg);
	} else {
		struct cmd *c = xcalloc(1, sizeof(*c));

		c->owner = r;
		c->fn = fn;
		c->arg = arg;
		TAILQ_INSERT_TAIL(&r->refused, c, link);
		ev_idle_start(r->ev, &r->stay_awake);
	}
}

/* An error stays in hiredis' context: it acts on it when it writes again, from the loop. */
void
rds_push(struct rds *r)
{
	int is_done = 0;

	if (r->state != UP || redisBufferWrite(&r->ac->c, &is_done) != REDIS_OK || !is_done)
		return;
	r->ac->ev.delWrite(r->ac->ev.data);
	r->ac->ev.addRead(r->ac->ev.data);
}

/* ---- the line ---------------------------------------------------------------------------------- */

static void
refuse_greeting(struct rds *r, const struct rds_reply *reply)
{
	struct span text = rds_str(reply);
	char why[160];

	(void)snprintf(why, sizeof(why), "%.*s", (int)(text.len < 150 ? text.len : 150),
	    (const char *)text.data);
	drop(r, ERR_DENIED, why, NOBODY_LATE);
}

static void
on_auth(void *arg, const struct rds_reply *reply, const struct err *err)
{
	if (err == NULL && rds_type(reply) == RDS_ERROR)
		refuse_greeting(arg, reply);
}

/* PING tells a server that still loads its data (which has already taken AUTH) from a ready one. A
 * user who may not PING may still do what it is here for. */
static void
on_ping(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct rds *r = arg;
	struct span text = rds_str(reply);

	if (err != NULL || r->state != GREETING)
		return;
	if (rds_type(reply) == RDS_ERROR &&
	    !(text.len > 6 && memcmp(text.data, "NOPERM", 6) == 0)) {
		refuse_greeting(r, reply);
		return;
	}
	ev_timer_stop(r->ev, &r->line_timer);
	r->state = UP;
	r->backoff_us = BACKOFF_MIN_US;
	r->trouble = (struct err)ERR_INIT;
}

static void
greet(struct rds *r)
{
	struct span auth[3] = {span_str("AUTH")}, ping = span_str("PING");
	size_t n = 1;

	r->greet = false;
	r->state = GREETING;
	if (r->password != NULL) {
		if (r->user != NULL)
			auth[n++] = span_str(r->user);
		auth[n++] = span_str(r->password);
		issue(r, auth, n, CONNECT_US, on_auth, r);
	}
	issue(r, &ping, 1, CONNECT_US, on_ping, r);
}

static void
on_connect(const redisAsyncContext *ac, int status)
{
	struct rds *r = ac->data;

	if (r == NULL)
		return;
	if (status != REDIS_OK)
		let_go(r, ERR_GONE, ac->errstr != NULL ? ac->errstr : "cannot connect");
	else
		r->greet = true;
}

static void
on_disconnect(const redisAsyncContext *ac, int status)
{
	struct rds *r = ac->data;

	(void)status;
	if (r != NULL)
		let_go(r, ERR_GONE, ac->err != 0 ? ac->errstr : "connection closed");
}

static void
connect_now(struct rds *r)
{
	redisAsyncContext *ac = r->address.is_unix
	                            ? redisAsyncConnectUnix(r->address.host)
	                            : redisAsyncConnect(r->address.host, r->address.port);

	CHECK(ac != NULL);
	r->ac = ac;
	if (ac->err != 0) {
		let_go(r, ERR_GONE, ac->errstr);
		redisAsyncFree(ac);
		return;
	}
	ac->data = r;
	r->state = CONNECTING;
	ac->c.reader->maxbuf = READER_MAXBUF;
	CHECK(redisLibevAttach(r->ev, ac) == REDIS_OK);
	CHECK(redisAsyncSetConnectCallback(ac, on_connect) == REDIS_OK);
	CHECK(redisAsyncSetDisconnectCallback(ac, on_disconnect) == REDIS_OK);
	arm(r, &r->line_timer, CONNECT_US);
}

static void
on_line_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct rds *r = w->data;

	(void)ev;
	(void)revents;
	if (r->state == DOWN)
		connect_now(r);
	else
		drop(r, ERR_LATE, "no answer while connecting", NOBODY_LATE);
}

static void
on_idle(struct ev_loop *ev, ev_idle *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

/* Everything that hiredis' callbacks may not do, and everything that may call the user back. What a
 * callback issues while we are down waits for the next turn, so this ends. */
static void
on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct rds *r = w->data;
	size_t refused = 0;
	struct cmd *c;

	(void)revents;
	if (r->greet)
		greet(r);
	if (r->told_up != (r->state == UP)) {
		r->told_up = !r->told_up;
		if (r->on_state != NULL)
			r->on_state(r->arg, r->told_up);
	}
	TAILQ_FOREACH(c, &r->refused, link)
	refused++;
	for (; refused > 0 && !r->destroyed; refused--)
		complete_refused(r);
	if (!r->destroyed && TAILQ_EMPTY(&r->refused) && r->told_up == (r->state == UP))
		ev_idle_stop(ev, &r->stay_awake);
}

static char *
copy_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? xstrdup(s) : NULL;
}

struct rds *
rds_create(struct loop *l, const char *address, const char *user, const char *password,
    rds_state_fn *on_state, void *arg)
{
	struct rds *r = xcalloc(1, sizeof(*r));

	r->loop = l;
	r->ev = loop_ev(l);
	r->user = copy_or_null(user);
	r->password = copy_or_null(password);
	r->on_state = on_state;
	r->arg = arg;
	r->backoff_us = BACKOFF_MIN_US;
	TAILQ_INIT(&r->in_flight);
	TAILQ_INIT(&r->refused);
	ev_timer_init(&r->line_timer, on_line_timer, 0., 0.);
	ev_timer_init(&r->deadline_timer, on_deadline, 0., 0.);
	ev_prepare_init(&r->before_sleep, on_before_sleep);
	ev_idle_init(&r->stay_awake, on_idle);
	r->line_timer.data = r->deadline_timer.data = r->before_sleep.data = r;
	ev_prepare_start(r->ev, &r->before_sleep);
	if (rds_address_parse(&r->address, address, &r->trouble) == 0)
		connect_now(r);
	return r;
}

static void
free_rds(void *object)
{
	struct rds *r = object;

	if (r->password != NULL)
		explicit_bzero(r->password, strlen(r->password));
	free(r->user);
	free(r->password);
	free(r);
}

void
rds_destroy(struct rds *r)
{
	redisAsyncContext *ac;

	if (r == NULL || r->destroyed)
		return;
	ac = r->ac;
	let_go(r, ERR_GONE, "closed by us");
	r->destroyed = true;
	ev_timer_stop(r->ev, &r->line_timer);
	ev_timer_stop(r->ev, &r->deadline_timer);
	ev_prepare_stop(r->ev, &r->before_sleep);
	ev_idle_stop(r->ev, &r->stay_awake);
	fail_in_flight(r, NOBODY_LATE);
	while (!TAILQ_EMPTY(&r->refused))
		complete_refused(r);
	if (ac != NULL)
		redisAsyncFree(ac);
	loop_bury(r->loop, free_rds, r);
}

bool
rds_connected(const struct rds *r)
{
	return r->state == UP;
}

const char *
rds_trouble(const struct rds *r)
{
	return r->trouble.text;
}
