/* client.c - the rim of a session: a DEALER, a timer, and the commit at the end of each turn.
 *
 * Happy path: messages and commands come in during a turn; just before the loop sleeps everything that
 * was added becomes durable, the session sends what is due, and the timer is set for what comes next.
 * Failures: a commit that fails is told, and the session takes back what hung on it. An outbox that
 * proves to be a copy is put aside, a new one begun, and HELLO said for that one. */
#include "workers/link/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

#define ENDPOINTS_MAX 16
#define READS_A_TURN  64
#define LAZY_US       1000000 /* marks are written at the latest so long after they came */
#define SPIN_GUARD_US 1000

struct client {
	struct client_opts o;
	char *brokers; /* owned, cut into endpoints */
	char *endpoint[ENDPOINTS_MAX];
	size_t n_endpoints;
	struct evidence *evidence;
	struct session *session;
	struct zsock *sock;
	struct loop_timer *timer;
	int64_t lazy_us; /* when news that nobody waits for are committed; 0 none */
	bool cloned;
};

/* ---- the session's port -------------------------------------------------------------------------- */

static void
on_readable(void *arg)
{
	struct client *c = arg;
	struct zmsg m;

	for (int i = 0; i < READS_A_TURN; i++) {
		struct zsock *sock = c->sock;

		if (sock == NULL || zsock_recv(sock, &m, NULL) <= 0)
			return;
		if (m.parts == 2)
			session_message(c->session, m.part[0], m.part[1], clock_boot_us());
		zmsg_done(&m);
		if (c->sock != sock)
			return;
	}
}

static bool
on_send(void *arg, struct span f0, struct span f1)
{
	struct client *c = arg;
	struct span parts[2] = {f0, f1};

	return c->sock != NULL && zsock_send(c->sock, parts, 2, NULL) == 0;
}

/* An endpoint that cannot be used is silent: the session turns to the next one. */
static void
on_connect(void *arg, size_t endpoint)
{
	struct client *c = arg;
	struct zsock_opts o = {.type = ZSOCK_DEALER};

	if (!c->o.plain) {
		o.curve_secret = c->o.id->curve_sk;
		o.curve_server = c->o.id->broker_key;
	}
	if (c->sock != NULL)
		zsock_destroy(c->sock);
	c->sock = zsock_create(c->o.z, c->o.loop, &o, on_readable, c, NULL);
	if (c->sock != NULL)
		(void)zsock_connect(c->sock, c->endpoint[endpoint], NULL);
}

static void
on_session_event(void *arg, const struct link_event *e)
{
	struct client *c = arg;

	if (e->kind == LINK_CLONED)
		c->cloned = true; /* told when it has been put aside */
	else
		c->o.on_event(c->o.arg, e);
}

/* ---- turns --------------------------------------------------------------------------------------- */

static void
commit(struct client *c)
{
	struct err err = ERR_INIT;
	bool stored = outbox_commit(c->o.outbox, &err) == 0;

	c->lazy_us = 0;
	if (c->o.on_commit != NULL)
		c->o.on_commit(c->o.arg, stored ? NULL : &err);
	session_committed(c->session, stored, clock_boot_us());
}

static void
begin_anew(struct client *c)
{
	struct outbox_report rep;
	struct err err = ERR_INIT;
	struct link_event e = {
	    .kind = LINK_CLONED, .person = "", .reason = "clone", .text = rep.kept_as};

	c->cloned = false;
	if (outbox_retire(c->o.outbox, "retired", &rep, &err) != 0) {
		e.kind = LINK_BLOCKED;
		e.reason = "outbox";
		e.text = err.text;
		c->o.on_event(c->o.arg, &e);
		return;
	}
	session_retired(c->session, clock_boot_us());
	c->o.on_event(c->o.arg, &e);
}

static void
on_turn_end(void *arg)
{
	struct client *c = arg;
	int64_t now = clock_boot_us(), due;

	if (outbox_needs_commit(c->o.outbox) || (c->lazy_us != 0 && now >= c->lazy_us))
		commit(c);
	else
		session_tick(c->session, now);
	if (c->cloned)
		begin_anew(c);
	now = clock_boot_us();
	if (outbox_has_news(c->o.outbox) && c->lazy_us == 0)
		c->lazy_us = now + LAZY_US;
	due = session_due(c->session);
	if (c->lazy_us != 0 && c->lazy_us < due)
		due = c->lazy_us;
	if (outbox_needs_commit(c->o.outbox))
		due = now;
	if (due == INT64_MAX)
		loop_timer_stop(c->timer);
	else
		loop_timer_after(c->timer, due - now > SPIN_GUARD_US ? due - now : SPIN_GUARD_US);
}

/* The work is done before the loop sleeps. */
static void
on_timer(void *arg)
{
	(void)arg;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int
cut_endpoints(struct client *c, const char *brokers, struct err *err)
{
	char *save = NULL;

	c->brokers = xstrdup(brokers);
	for (char *p = strtok_r(c->brokers, " \t,", &save); p != NULL;
	     p = strtok_r(NULL, " \t,", &save)) {
		if (c->n_endpoints == ENDPOINTS_MAX)
			return err_set(err, ERR_INVALID, "more than %d brokers", ENDPOINTS_MAX);
		c->endpoint[c->n_endpoints++] = p;
	}
	return c->n_endpoints > 0 ? 0 : err_set(err, ERR_INVALID, "no broker is named");
}

int
client_create(struct client **ret, const struct client_opts *o, struct err *err)
{
	struct client *c = xcalloc(1, sizeof(*c));
	struct session_port port = {c, on_send, on_connect, on_session_event, NULL};

	c->o = *o;
	if (cut_endpoints(c, o->brokers != NULL ? o->brokers : o->id->brokers, err) != 0 ||
	    evidence_open(&c->evidence, outbox_dir(o->outbox), err) != 0) {
		client_destroy(c);
		return -1;
	}
	port.evidence = c->evidence;
	c->session = session_create(o->id, o->outbox, c->n_endpoints, &port);
	c->timer = loop_timer_create(o->loop, on_timer, c);
	loop_before_sleep(o->loop, on_turn_end, c);
	*ret = c;
	return 0;
}

void
client_destroy(struct client *c)
{
	if (c == NULL)
		return;
	if (c->sock != NULL)
		zsock_destroy(c->sock);
	loop_timer_destroy(c->timer);
	session_destroy(c->session);
	evidence_close(c->evidence);
	free(c->brokers);
	free(c);
}

void
client_start(struct client *c)
{
	session_start(c->session, clock_boot_us());
}

struct session *
client_session(struct client *c)
{
	return c->session;
}

bool
client_is_done(const struct client *c)
{
	return session_accepted(c->session) >= fold_head(outbox_state(c->o.outbox)) &&
	       !outbox_needs_commit(c->o.outbox);
}

/* ---- commands ------------------------------------------------------------------------------------ */

int
client_login(struct client *c, const struct person_key *k, uint64_t until_ms, struct err *err)
{
	return session_login(c->session, k, until_ms, clock_boot_us(), err);
}

int
client_next(struct client *c, const char *person, struct err *err)
{
	return session_next(c->session, person, err);
}

int
client_take(struct client *c, const char *person, const uint8_t *case_id, const char *digits,
    struct err *err)
{
	return session_take(c->session, person, case_id, digits, err);
}

int
client_give(struct client *c, uint64_t token, const char *reason, struct err *err)
{
	return session_give(c->session, token, reason, err);
}

uint64_t
client_look(struct client *c, const char *person, const char *what, uint64_t page,
    const uint8_t *case_id, const char *argument)
{
	return session_look(c->session, person, what, page, case_id, argument, clock_boot_us());
}

const struct hold *
client_hold(const struct client *c, const uint8_t case_id[16], uint64_t token)
{
	const struct fold *f = outbox_state(c->o.outbox);

	for (size_t i = f->n_holds; i-- > 0;)
		if (memcmp(f->holds[i]->case_id, case_id, 16) == 0 &&
		    (token == 0 || f->holds[i]->token == token))
			return f->holds[i];
	return NULL;
}

static const uint8_t *
key_of(const struct client *c, const struct record_header *h)
{
	const struct fold *f = outbox_state(c->o.outbox);
	const struct hold *hold;

	if (!h->has_case)
		return f->has_key ? f->campaign_key : NULL;
	hold = client_hold(c, h->case_id, 0);
	return hold != NULL ? hold->key : NULL;
}

int
client_evidence(struct client *c, const uint8_t case_id[16], const uint8_t *key, struct span plain,
    uint8_t ret_hash[32], struct err *err)
{
	const struct hold *hold = key == NULL ? client_hold(c, case_id, 0) : NULL;

	if (key == NULL && hold == NULL)
		return err_set(err, ERR_NOT_FOUND, "this agent has not opened the case");
	return evidence_put(
	    c->evidence, case_id, key != NULL ? key : hold->key, plain, ret_hash, err);
}

/* Before the record is stored: so that its evidence is kept until it is released. */
static void
name_evidence(struct client *c, const struct record_header *h, uint64_t seq)
{
	const struct field *f = &h->f[F_evidence];

	for (size_t i = 0; f->set && i < f->n; i++)
		if (f->list[i].len == 32)
			evidence_named(c->evidence, f->list[i].data, seq);
}

int
client_record(struct client *c, struct record_header *h, const struct body *body,
    const uint8_t *key, enum client_then then, uint64_t *ret_seq, struct err *err)
{
	const struct record_rule *rule = record_rule(h->kind);
	struct records_clock clock = session_clock(c->session);

	if (outbox_find_id(c->o.outbox, h->id, ret_seq)) {
		if (then == CLIENT_NEXT) /* the sender may have missed that answer too */
			(void)session_next(c->session, h->person, NULL);
		return 1;
	}
	h->again = then == CLIENT_STAY && h->token != 0;
	if (records_add(c->o.outbox, c->o.id->sign_sk, h, body, key != NULL ? key : key_of(c, h),
	        &clock, ret_seq, err) != 0)
		return -1;
	name_evidence(c, h, *ret_seq);
	if (h->token != 0 && rule != NULL && rule->moves)
		session_recorded(c->session, h->token, *ret_seq, h->again != 0);
	if (then == CLIENT_NEXT)
		(void)session_ride(c->session, h->person, *ret_seq, NULL);
	return 0;
}
