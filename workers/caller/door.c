/* door.c - logging in: a person's id and PIN become a seat.
 *
 * Happy path: the PIN opens the person's key (in a thread), the key logs in at the broker, whose word
 * brings role and team, and the browser gets its cookie. Failures: a wrong PIN and a person who does not
 * exist look and take the same; five wrong ones in five minutes make that person wait, and twenty
 * tries a second everybody; a broker that says nothing for five seconds, or is known to be away, is not waited for. A try
 * counts from its beginning, so that many at once gain nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/caller/office_int.h"
#include "workers/link/names.h"

#define LOGINS_A_SECOND 20
#define ANSWER_US       (5 * SECOND_US)

struct knock {
	struct room *room; /* NULL: a stranger */
	struct http_later *later;
};

/* ---- how often ----------------------------------------------------------------------------------- */

static struct tries *
tries_of(struct office *o, struct room *r, const char *person)
{
	uint8_t h[16];

	if (r != NULL)
		return &r->tries;
	crypt_keyed(h, sizeof(h), o->stranger_key, sizeof(o->stranger_key), span_str(person));
	return &o->strangers[be64_get(h) % STRANGERS];
}

/* Seconds to wait; 0: this try is counted. */
static int64_t
tries_take(struct tries *t, int64_t now)
{
	int64_t *oldest = &t->at[t->n % TRIES];

	if (*oldest != 0 && now - *oldest < TRIES_US)
		return (TRIES_US - (now - *oldest)) / SECOND_US + 1;
	*oldest = now;
	t->n++;
	return 0;
}

static bool
is_rush(struct office *o, int64_t now)
{
	if (now - o->second_us >= SECOND_US) {
		o->second_us = now;
		o->logins = 0;
	}
	return ++o->logins > LOGINS_A_SECOND;
}

static void
say_wait(struct http_response *res, int64_t seconds)
{
	char text[120];
	json_t *e;

	(void)snprintf(text, sizeof(text), "试得太多了, 请过 %lld 秒再登录", (long long)seconds);
	e = json_pack("{s:{s:s,s:s,s:I}}", "error", "code", "wait", "text", text, "retry_s",
	    (json_int_t)seconds);
	pages_json(res, 429, e);
}

bool
door_try(struct room *r, int64_t now, struct http_response *res)
{
	int64_t wait = tries_take(&r->tries, now);

	if (wait > 0)
		say_wait(res, wait);
	return wait <= 0;
}

/* ---- who is in ----------------------------------------------------------------------------------- */

static const char *
first_role(uint64_t roles)
{
	for (uint32_t bit = 1; bit != 0 && bit <= ROLES_ALL; bit <<= 1)
		if ((roles & bit) != 0 && role_name(bit) != NULL)
			return role_name(bit);
	return NULL;
}

static json_t *
roles_list(uint64_t roles)
{
	json_t *list = json_array();

	for (uint32_t bit = 1; bit <= ROLES_ALL; bit <<= 1)
		if ((roles & bit) != 0 && role_name(bit) != NULL)
			(void)json_array_append_new(list, json_string(role_name(bit)));
	return list;
}

json_t *
door_person(const struct room *r, const struct seat *s)
{
	char dir[700], name[NAME_TEXT];
	json_int_t now = clock_campaign_ms() + r->office->ahead_ms;
	json_t *p;

	(void)snprintf(dir, sizeof(dir), "%s/%s", r->office->o.agents, r->person);
	p = json_pack("{s:s,s:s}", "id", r->person, "name", names_get(name, dir, r->person));
	if (r->is_known && r->may_act) {
		if (first_role(r->roles) != NULL)
			(void)json_object_set_new(p, "role", json_string(first_role(r->roles)));
		(void)json_object_set_new(p, "roles", roles_list(r->roles));
		if (r->team[0] != '\0')
			(void)json_object_set_new(p, "team", json_string(r->team));
	}
	return json_pack("{s:o,s:s,s:I,s:I}", "person", p, "csrf", s->csrf, "lock_after_s",
	    (json_int_t)(r->office->o.lock_us / SECOND_US), "now", now);
}

json_t *
door_people(const struct office *o)
{
	char dir[700], name[NAME_TEXT];
	json_t *list = json_array();
	const struct room *r;

	TAILQ_FOREACH(r, &o->rooms, link)
	{
		(void)snprintf(dir, sizeof(dir), "%s/%s", o->o.agents, r->person);
		if (names_get(name, dir, r->person)[0] != '\0')
			(void)json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", r->person, "name", name));
	}
	return json_pack("{s:o}", "people", list);
}

static void
let_in(struct room *r, struct http_later *later)
{
	struct http_response res = {.status = 200};
	char cookie[TOKEN_TEXT], header[200];
	struct seat *s = seat_new(r, cookie);

	pages_json(&res, 200, door_person(r, s));
	(void)snprintf(header, sizeof(header), "hf_session=%s; HttpOnly; SameSite=Strict; Path=/%s",
	    cookie, r->office->o.behind_tls ? "; Secure" : "");
	http_set_header(&res, "Set-Cookie", header);
	http_answer(later, &res);
	crypt_wipe(cookie, sizeof(cookie));
	crypt_wipe(header, sizeof(header));
}

static void
turn_away(struct http_later *later, int status, const char *code, const char *text)
{
	struct http_response res = {.status = status};

	pages_error(&res, status, code, text);
	http_answer(later, &res);
}

static void
answer_arrivals(struct room *r, bool may)
{
	struct arrival *a;

	while ((a = TAILQ_FIRST(&r->arrivals)) != NULL) {
		TAILQ_REMOVE(&r->arrivals, a, link);
		if (may)
			let_in(r, a->later);
		else
			turn_away(a->later, 403, "denied",
			    "这个工号现在不能登录 (已停用, 或登记已吊销); 请找管理员");
		free(a);
	}
}

void
door_known(struct room *r)
{
	answer_arrivals(r, r->may_act);
	if (r->may_act)
		return;
	seats_of_room_end(r); /* let in while nobody could be asked */
	room_leave(r, "leave");
}

void
door_tick(struct room *r, int64_t now)
{
	const struct arrival *a = TAILQ_FIRST(&r->arrivals);

	if (a != NULL && (r->is_offline || now - a->since_us >= ANSWER_US))
		answer_arrivals(r, true);
}

void
door_close(struct room *r)
{
	answer_arrivals(r, false);
}

/* ---- trying -------------------------------------------------------------------------------------- */

static void
opened(struct room *r, const struct person_key *k, struct http_later *later)
{
	struct arrival *a = xcalloc(1, sizeof(*a));

	memset(&r->tries, 0, sizeof(r->tries));
	room_login(r, k);
	a->later = later;
	a->since_us = clock_boot_us();
	TAILQ_INSERT_TAIL(&r->arrivals, a, link);
	door_tick(r, a->since_us);
}

void
door_done(struct pin_job *job)
{
	struct knock *k = job->arg;

	if (job->rc == 0 && k->room != NULL)
		opened(k->room, &job->key, k->later);
	else if (job->code == ERR_DENIED && job->seal.is_open)
		turn_away(k->later, 403, "no-pin",
		    "这个工号还没有口令; 请管理员用 hfctl person reset-pin 设一个");
	else if (job->code == ERR_DENIED)
		turn_away(k->later, 401, "pin", "工号或口令不对");
	else
		turn_away(k->later, 503, "busy", "服务器现在不能登录, 请稍后再试");
	free(k);
}

static void
try_pin(struct office *o, struct room *r, const char *pin, const struct http_request *req,
    struct http_response *res)
{
	struct pin_job job = {.is_nobody = r == NULL};
	struct knock *k;

	if (r != NULL && identity_person_seal(&r->id, r->person, &job.seal, NULL) != 0)
		job.is_nobody = true;
	(void)snprintf(job.pin, sizeof(job.pin), "%s", pin);
	k = xcalloc(1, sizeof(*k));
	k->room = r;
	k->later = http_later(req);
	job.arg = k;
	if (!pins_try(o->pins, &job)) {
		say_wait(res, 2);
		http_answer(k->later, res);
		*res = (struct http_response){.status = 429};
		free(k);
	}
	crypt_wipe(&job, sizeof(job));
}

void
door_login(struct office *o, const struct http_request *req, struct http_response *res)
{
	json_t *body =
	    json_loadb((const char *)req->body.data, req->body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *person = json_string_value(json_object_get(body, "person"));
	const char *pin = json_string_value(json_object_get(body, "pin"));
	int64_t now = clock_boot_us(), wait;
	struct room *r;
	bool broken;

	if (person == NULL || pin == NULL || !text_is_id(person, strlen(person)) ||
	    strlen(pin) >= PIN_MAX) {
		pages_error(res, 400, "bad-field", "要有工号 person 和口令 pin");
	} else if (is_rush(o, now)) {
		say_wait(res, 1);
	} else {
		r = office_room(o, person, &broken);
		wait = tries_take(tries_of(o, r, person), now);
		if (wait > 0)
			say_wait(res, wait);
		else if (broken)
			pages_error(res, 503, "busy",
			    "这个工号的目录现在打不开, 可能别的程序正在用; 请告诉管理员");
		else
			try_pin(o, r, pin, req, res);
	}
	json_decref(body);
}
