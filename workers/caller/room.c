/* room.c - one person's agent at work in the office: outbox, client, desk, and who looks on.
 *
 * Happy path: opened at the start, it sends what the last run left; the login brings the key; each answer
 * of the desk goes to the request that asked for it and to every stream of that person. Failures: a
 * directory that cannot be opened is an error of that person alone; a broker that is away is said by
 * the status, and records go on being stored. Without a seat what is in hand is given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/caller/office_int.h"
#include "workers/caller/show.h"

#define LEAVE_US (10 * SECOND_US)

/* ---- events -------------------------------------------------------------------------------------- */

static void
put_event(struct buf *out, struct room *r, const char *event, struct span data)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)++r->event_no);
	http_event(out, id, event, data);
}

static void
publish(struct room *r, const char *event, struct span data)
{
	struct buf out = BUF_INIT;
	struct watcher *w;

	put_event(&out, r, event, data);
	TAILQ_FOREACH(w, &r->watchers, link)
	http_stream_send(w->stream, buf_span(&out));
	crypt_wipe(out.data, out.len);
	buf_done(&out);
}

static void
on_say(void *arg, const json_t *said, void *tag)
{
	struct room *r = arg;
	struct http_response res = {.status = 200, .type = "application/json; charset=utf-8"};
	char *text = json_dumps(said, JSON_COMPACT);

	CHECK(text != NULL);
	publish(r, "line", span_str(text));
	if (tag != NULL) {
		buf_adds(&res.body, text);
		http_answer(tag, &res);
	}
	crypt_wipe(text, strlen(text));
	free(text);
}

/* ---- status -------------------------------------------------------------------------------------- */

static bool
is_in_hand(const struct lease *l)
{
	return !l->ending &&
	       (l->state == LEASE_HELD || l->state == LEASE_EXPIRED || l->state == LEASE_RESTORED);
}

static const struct lease *
in_hand(const struct room *r, size_t *i)
{
	const struct lease *l;

	while ((l = session_lease_at(client_session(r->client), (*i)++)) != NULL)
		if (is_in_hand(l))
			return l;
	return NULL;
}

static void
status_text(struct buf *out, const struct room *r)
{
	const struct fold *f = outbox_state(r->outbox);
	const struct session *s = client_session(r->client);
	const struct lease *l;
	const char *comma = "";
	char hex[33];

	buf_addf(out,
	    "{\"link\":\"%s\",\"stored\":%llu,\"accepted\":%llu,\"settled\":%llu,"
	    "\"released\":%llu,\"inhand\":[",
	    session_is_up(s) ? "up" : "down", (unsigned long long)fold_head(f),
	    (unsigned long long)session_accepted(s), (unsigned long long)f->mark[MARK_SETTLED].upto,
	    (unsigned long long)f->mark[MARK_RELEASED].upto);
	for (size_t i = 0; (l = in_hand(r, &i)) != NULL; comma = ",") {
		hex_encode(hex, l->hold.case_id, 16);
		buf_addf(out, "%s\"%s\"", comma, hex);
	}
	buf_adds(out, "]}");
}

static void
on_soon(void *arg)
{
	struct room *r = arg;
	struct buf now = BUF_INIT;

	status_text(&now, r);
	if (!span_eq(buf_span(&now), buf_span(&r->status))) {
		publish(r, "status", buf_span(&now));
		buf_done(&r->status);
		r->status = now;
	} else {
		buf_done(&now);
	}
}

static void
changed(struct room *r)
{
	loop_timer_after(r->soon, 0);
}

/* ---- the client's side --------------------------------------------------------------------------- */

static void
on_event(void *arg, const struct link_event *e)
{
	struct room *r = arg;

	changed(r);
	if (e->kind == LINK_SEEN && views_seen(r, e))
		return;
	desk_on_event(r->desk, e);
	if (e->kind == LINK_ONLINE || e->kind == LINK_OFFLINE) {
		r->is_offline = e->kind == LINK_OFFLINE;
		door_tick(r, clock_boot_us());
	}
	if (e->kind == LINK_PERSON) {
		r->is_known = true;
		r->may_act = e->seq != 0;
		r->roles = e->verdict;
		(void)snprintf(r->team, sizeof(r->team), "%s", e->seq != 0 ? e->text : "");
		door_known(r);
	}
	if (e->kind == LINK_REVOKED)
		seats_of_room_end(r);
}

static void
on_commit(void *arg, const struct err *err)
{
	struct room *r = arg;

	desk_on_commit(r->desk, err);
	changed(r);
}

/* ---- streams ------------------------------------------------------------------------------------- */

static void
forget(struct watcher *w)
{
	TAILQ_REMOVE(&w->room->watchers, w, link);
	free(w);
}

static void
on_gone(void *arg)
{
	forget(arg);
}

static void
close_watcher(struct watcher *w)
{
	http_stream_close(w->stream);
	forget(w);
}

static void
put_tasks(struct buf *out, struct room *r)
{
	const struct lease *l;

	for (size_t i = 0; (l = in_hand(r, &i)) != NULL;) {
		json_t *task = show_task(l, NULL), *said = json_object();
		char *text;

		(void)json_object_set_new(said, "task", task != NULL ? task : json_null());
		text = task != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
		if (text != NULL) {
			put_event(out, r, "line", span_str(text));
			crypt_wipe(text, strlen(text));
		}
		free(text);
		json_decref(said);
	}
}

void
room_watch(struct room *r, struct seat *s, const struct http_request *req)
{
	struct watcher *w = xcalloc(1, sizeof(*w)), *old;
	struct buf out = BUF_INIT;
	size_t n = 0;

	on_soon(r); /* the others hear what this one begins with */
	TAILQ_FOREACH(old, &r->watchers, link)
	n++;
	if (n >= WATCHERS_MAX)
		close_watcher(TAILQ_FIRST(&r->watchers));
	w->room = r;
	w->seat = s;
	w->stream = http_stream_open(req, on_gone, w);
	TAILQ_INSERT_TAIL(&r->watchers, w, link);
	buf_adds(&out, "retry: 1000\n\n");
	put_tasks(&out, r);
	put_event(&out, r, "status", buf_span(&r->status));
	http_stream_send(w->stream, buf_span(&out));
	crypt_wipe(out.data, out.len);
	buf_done(&out);
	desk_report(r->desk, &r->report);
}

void
room_unwatch(struct room *r, const struct seat *s)
{
	struct watcher *w, *next;

	for (w = TAILQ_FIRST(&r->watchers); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (s == NULL || w->seat == s)
			close_watcher(w);
	}
}

void
room_beat(struct room *r)
{
	struct watcher *w;

	TAILQ_FOREACH(w, &r->watchers, link)
	http_stream_send(w->stream, span_str(":\n\n"));
}

/* ---- coming and going ---------------------------------------------------------------------------- */

void
room_login(struct room *r, const struct person_key *k)
{
	uint64_t until = (uint64_t)(clock_wall_ms() + LOGIN_MAX_MS);

	r->left_us = r->leaving_us = 0;
	r->is_known = false;
	r->is_in = client_login(r->client, k, until, NULL) == 0;
}

void
room_leave(struct room *r, const char *reason)
{
	uint64_t tokens[LEASES_MAX];
	const struct lease *l;
	size_t n = 0;

	imports_left(r);
	for (size_t i = 0; n < LEASES_MAX && (l = in_hand(r, &i)) != NULL;)
		tokens[n++] = l->hold.token;
	while (n > 0)
		(void)client_give(r->client, tokens[--n], reason, NULL);
	r->leaving_us = clock_boot_us();
	changed(r);
}

static bool
is_giving(const struct room *r)
{
	const struct lease *l;

	for (size_t i = 0; (l = session_lease_at(client_session(r->client), i)) != NULL; i++)
		if (l->state == LEASE_GIVING)
			return true;
	return false;
}

void
room_tick(struct room *r, int64_t now)
{
	door_tick(r, now);
	if (r->leaving_us == 0 || (is_giving(r) && now - r->leaving_us < LEAVE_US))
		return;
	r->leaving_us = r->left_us = 0;
	r->is_in = r->is_known = false;
	session_logout(client_session(r->client), r->person);
}

bool
room_is_idle(const struct room *r)
{
	return client_is_done(r->client);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int
open_parts(struct room *r, struct err *err)
{
	struct office *o = r->office;
	struct desk_opts desk = {.person = r->person, .rules = o->rules, .say = on_say, .arg = r};
	struct client_opts client = {.loop = o->o.loop,
	    .z = o->z,
	    .id = &r->id,
	    .on_event = on_event,
	    .on_commit = on_commit,
	    .arg = r};
	char dir[600];

	(void)snprintf(dir, sizeof(dir), "%s/%s", o->o.agents, r->person);
	if (identity_load(&r->id, dir, err) != 0 ||
	    outbox_open(&r->outbox, dir, r->id.campaign, &r->report, err) != 0)
		return -1;
	desk.outbox = client.outbox = r->outbox;
	r->desk = desk_create(&desk);
	if (client_create(&r->client, &client, err) != 0)
		return -1;
	desk_start(r->desk, r->client);
	return 0;
}

int
room_open(struct room **ret, struct office *o, const char *person, struct err *err)
{
	struct room *r = xcalloc(1, sizeof(*r));

	r->office = o;
	(void)snprintf(r->person, sizeof(r->person), "%s", person);
	TAILQ_INIT(&r->watchers);
	TAILQ_INIT(&r->arrivals);
	TAILQ_INIT(&r->view_asks);
	r->soon = loop_timer_create(o->o.loop, on_soon, r);
	if (open_parts(r, err) != 0) {
		room_close(r);
		return -1;
	}
	if (r->report.cut > 0)
		log_warn("outbox.cut", "bytes=%zu decision=\"a torn write was never promised\"",
		    r->report.cut);
	if (r->report.kept_as[0] != '\0')
		log_warn("outbox.quarantined",
		    "kept=\"%s\" why=\"%s\" decision=\"a new one was begun\"", r->report.kept_as,
		    r->report.why);
	client_start(r->client);
	TAILQ_INSERT_TAIL(&o->rooms, r, link);
	*ret = r;
	return 0;
}

void
room_shut(struct room *r)
{
	room_unwatch(r, NULL);
	door_close(r);
	views_close(r);
}

void
room_close(struct room *r)
{
	client_destroy(r->client);
	desk_destroy(r->desk);
	outbox_close(r->outbox);
	identity_done(&r->id);
	loop_timer_destroy(r->soon);
	buf_done(&r->status);
	free(r);
}
