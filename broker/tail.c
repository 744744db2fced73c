/* tail.c - XREAD after XREAD on a connection of its own, each entry handed to what it concerns.
 *
 * The log is a hint and never an answer: a case that came wakes one who waits, a mark is passed
 * on, a revoked key is cut. What was missed while the link was down comes back by itself: the
 * tables are read anew, waiters are all asked once, SYNC brings receipts. An entry that does not
 * read is passed over. */
#include "broker/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rds.h"
#include "base/text.h"
#include "broker/answers.h"
#include "broker/broker.h"
#include "broker/roster.h"
#include "broker/session.h"
#include "broker/settings.h"
#include "broker/store.h"
#include "broker/waiters.h"
#include "proto/call.h"

#define STEP_TIMEOUT_US 5000000
#define RETRY_US        1000000
#define PAIRS_MAX       32

struct tail {
	struct broker *b; /* borrowed */
	struct rds *link;
	struct loop_timer *retry;
	bool is_following, is_reading, must_reload;
	char at[48]; /* id of the newest entry that was read */
	/* the load under way */
	int left;
	bool ok;
	struct roster *fresh; /* owned */
};

static void load(void *arg);
static void read_on(struct tail *t);

bool
tail_is_following(const struct tail *t)
{
	return t != NULL && t->is_following;
}

static void
set_following(struct tail *t, bool is)
{
	if (t->is_following == is)
		return;
	t->is_following = is;
	broker_state_changed(t->b);
}

/* ---- what an entry means ---- */

static struct span
first_word(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.data[n] != ' ')
		n++;
	return span_of(s.data, n);
}

static struct span
after_word(struct span s)
{
	size_t n = first_word(s).len;

	return n < s.len ? span_of(s.data + n + 1, s.len - n - 1) : span_of("", 0);
}

static void
copy_word(char *out, size_t size, struct span s)
{
	(void)snprintf(out, size, "%.*s", (int)s.len, (const char *)s.data);
}

static void
on_agent(struct tail *t, const struct log_entry *e)
{
	uint8_t id[16];
	struct span hex = first_word(e->detail);
	const struct agent *a;

	if (!roster_put_agent(t->b->roster, hex, after_word(e->detail)) ||
	    !hex_decode(id, sizeof(id), (const char *)hex.data, hex.len))
		return;
	a = roster_agent(t->b->roster, id);
	if (a != NULL && !a->active)
		broker_agent_revoked(t->b, id);
}

static void
on_person(struct tail *t, const struct log_entry *e)
{
	(void)roster_put_person(t->b->roster, first_word(e->detail), after_word(e->detail));
}

static void
on_mark(struct tail *t, const struct log_entry *e)
{
	struct span hex = first_word(e->detail);
	uint8_t ob[16];
	struct session *s;

	if (!hex_decode(ob, sizeof(ob), (const char *)hex.data, hex.len))
		return;
	s = session_by_ob(t->b->sessions, ob);
	if (s != NULL)
		answer_receipt(t->b, s, e->task);
}

static void
on_mode(struct tail *t, const struct log_entry *e)
{
	struct span word = first_word(e->detail);
	uint64_t mode;

	if (!text_to_u64((const char *)word.data, word.len, &mode))
		return;
	if (mode == MODE_NORMAL)
		waiters_all(t->b->waiters);
}

static void
on_epoch(struct tail *t, const struct log_entry *e)
{
	(void)e;
	t->must_reload = true;
}

static void
on_offer(struct tail *t, const struct log_entry *e)
{
	char person[40];

	copy_word(person, sizeof(person), first_word(e->detail));
	waiters_person(t->b->waiters, person);
}

/* 0, or until when it is closed; when it shuts */
static void
on_open(struct tail *t, const struct log_entry *e)
{
	if (e->detail.len > 0 && e->detail.data[0] == '0')
		waiters_all(t->b->waiters);
}

/* 0 or 1, and whose act it was */
static void
on_pause(struct tail *t, const struct log_entry *e)
{
	if (e->detail.len > 0 && e->detail.data[0] == '0')
		waiters_all(t->b->waiters);
}

static void
on_case(struct tail *t, const struct log_entry *e)
{
	struct case_state s;

	if (e->state.len == 0 || case_state_decode(&s, e->state, NULL) != 0 || s.held)
		return;
	waiters_case_came(t->b->waiters, span_str(s.lane), s.due, clock_campaign_ms());
}

static const struct {
	const char *type;
	void (*f)(struct tail *t, const struct log_entry *e);
} rows[] = {
    {"agent", on_agent},
    {"create", on_case},
    {"epoch", on_epoch},
    {"expire", on_case},
    {"gate", on_open},
    {"giveback", on_case},
    {"mark", on_mark},
    {"mode", on_mode},
    {"offer", on_offer},
    {"pause", on_pause},
    {"person", on_person},
    {"place", on_case},
};

/* Were entries between forgotten before we read them? Within an epoch the numbers follow one another. */
static bool
is_gap(const char *at, struct span id)
{
	uintmax_t epoch, no, next_epoch, next_no;
	char text[48];

	copy_word(text, sizeof(text), id);
	return sscanf(at, "%ju-%ju", &epoch, &no) == 2 &&
	       sscanf(text, "%ju-%ju", &next_epoch, &next_no) == 2 && epoch == next_epoch &&
	       no > 0 && next_no > no + 1;
}

static void
on_entry(struct tail *t, const struct rds_reply *r)
{
	const struct rds_reply *fields = rds_at(r, 1);
	struct span pairs[PAIRS_MAX], id = rds_str(rds_at(r, 0));
	size_t n = rds_len(fields);
	struct log_entry e;

	if (id.len == 0 || id.len >= sizeof(t->at))
		return;
	if (is_gap(t->at, id)) {
		t->must_reload = true;
		waiters_all(t->b->waiters);
	}
	copy_word(t->at, sizeof(t->at), id);
	if (n > PAIRS_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		pairs[i] = rds_str(rds_at(fields, i));
	if (n > 1 && span_eq_str(pairs[0], "e"))
		store_saw(t->b->store, id, pairs[1]);
	if (log_entry_decode(&e, id, pairs, n, NULL) != 0)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].type, e.type) == 0)
			rows[i].f(t, &e);
}

/* ---- following ---- */

static void
on_read(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct tail *t = arg;
	const struct rds_reply *entries;

	t->is_reading = false;
	if (err != NULL || rds_type(r) == RDS_ERROR) {
		struct span said = rds_str(r);

		log_warn("tail.lost", "why=\"%.*s\" decision=\"nobody is served until it is back\"",
		    err != NULL ? (int)strlen(err->text) : (int)said.len,
		    err != NULL ? err->text : (const char *)said.data);
		set_following(t, false);
		loop_timer_after(t->retry, RETRY_US);
		return;
	}
	entries = rds_at(rds_at(r, 0), 1);
	for (size_t i = 0; i < rds_len(entries); i++)
		on_entry(t, rds_at(entries, i));
	if (t->must_reload)
		load(t);
	else
		read_on(t);
}

static void
read_on(struct tail *t)
{
	char key[80];
	struct span argv[] = {span_str("XREAD"), span_str("BLOCK"), span_str("1000"),
	    span_str("COUNT"), span_str("512"), span_str("STREAMS"), {NULL, 0}, {NULL, 0}};

	argv[6] = span_str(call_key(key, sizeof(key), t->b->campaign, "log"));
	argv[7] = span_str(t->at);
	t->is_reading = true;
	rds_cmd(t->link, argv, sizeof(argv) / sizeof(argv[0]), STEP_TIMEOUT_US, on_read, t);
}

/* ---- loading ---- */

static void
one_loaded(struct tail *t, bool ok)
{
	struct roster *old = t->b->roster;

	t->ok = t->ok && ok;
	if (--t->left > 0)
		return;
	if (!t->ok) {
		roster_destroy(t->fresh);
		t->fresh = NULL;
		log_warn("tail.not_loaded", "decision=\"again in 1 s\"");
		loop_timer_after(t->retry, RETRY_US);
		return;
	}
	t->b->roster = t->fresh;
	t->fresh = NULL;
	roster_destroy(old);
	log_info("roster.loaded", "agents=%zu from=%s", roster_agents(t->b->roster), t->at);
	broker_roster_loaded(t->b);
	set_following(t, true);
	read_on(t);
}

static bool
is_array(const struct rds_reply *r, const struct err *err)
{
	return err == NULL && rds_type(r) == RDS_ARRAY;
}

static void
on_log_end(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct tail *t = arg;
	struct span id = rds_str(rds_at(rds_at(r, 0), 0));

	copy_word(t->at, sizeof(t->at), span_str("0-0"));
	if (id.len > 0 && id.len < sizeof(t->at))
		copy_word(t->at, sizeof(t->at), id);
	one_loaded(t, is_array(r, err));
}

static void
on_agents(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct tail *t = arg;

	for (size_t i = 0; i + 1 < rds_len(r); i += 2)
		(void)roster_put_agent(t->fresh, rds_str(rds_at(r, i)), rds_str(rds_at(r, i + 1)));
	one_loaded(t, is_array(r, err));
}

static void
on_persons(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct tail *t = arg;

	for (size_t i = 0; i + 1 < rds_len(r); i += 2)
		(void)roster_put_person(t->fresh, rds_str(rds_at(r, i)), rds_str(rds_at(r, i + 1)));
	one_loaded(t, is_array(r, err));
}

/* Asked first and last: who is enrolled cannot be told from a store that was lost or is being filled again. */
static void
on_whole(void *arg, const struct rds_reply *r, const struct err *err)
{
	one_loaded(arg, is_array(r, err) && rds_str(rds_at(r, 0)).len > 0 &&
	                    !span_eq_str(rds_str(rds_at(r, 1)), "1"));
}

static void
load(void *arg)
{
	struct tail *t = arg;
	char meta_key[80], log_key[80], agents_key[80], persons_key[80];
	struct span meta[] = {span_str("HMGET"),
	    span_str(call_key(meta_key, sizeof(meta_key), t->b->campaign, "meta")),
	    span_str("epoch"), span_str("loading")};
	struct span end[] = {span_str("XREVRANGE"),
	    span_str(call_key(log_key, sizeof(log_key), t->b->campaign, "log")), span_str("+"),
	    span_str("-"), span_str("COUNT"), span_str("1")};
	struct span agents[] = {span_str("HGETALL"),
	    span_str(call_key(agents_key, sizeof(agents_key), t->b->campaign, "agents"))};
	struct span persons[] = {span_str("HGETALL"),
	    span_str(call_key(persons_key, sizeof(persons_key), t->b->campaign, "persons"))};

	if (t->fresh != NULL || t->is_reading || !rds_connected(t->link))
		return;
	t->must_reload = false;
	t->left = 5;
	t->ok = true;
	t->fresh = roster_create();
	rds_cmd(t->link, meta, 4, STEP_TIMEOUT_US, on_whole, t);
	rds_cmd(t->link, end, 6, STEP_TIMEOUT_US, on_log_end, t);
	rds_cmd(t->link, agents, 2, STEP_TIMEOUT_US, on_agents, t);
	rds_cmd(t->link, persons, 2, STEP_TIMEOUT_US, on_persons, t);
	rds_cmd(t->link, meta, 4, STEP_TIMEOUT_US, on_whole, t);
}

static void
on_state(void *arg, bool connected)
{
	struct tail *t = arg;

	if (connected)
		load(t);
	else
		set_following(t, false);
}

struct tail *
tail_create(struct broker *b)
{
	struct tail *t = xcalloc(1, sizeof(*t));
	const struct settings *set = b->settings;
	bool has_user = set->redis_password[0] != '\0';

	t->b = b;
	t->retry = loop_timer_create(b->loop, load, t);
	t->link = rds_create(b->loop, set->home.redis, has_user ? "broker" : NULL,
	    has_user ? set->redis_password : NULL, on_state, t);
	return t;
}

void
tail_destroy(struct tail *t)
{
	if (t == NULL)
		return;
	rds_destroy(t->link);
	loop_timer_destroy(t->retry);
	roster_destroy(t->fresh);
	free(t);
}
