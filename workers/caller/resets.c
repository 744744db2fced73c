/* resets.c - a leader gives somebody of the own team a new PIN, from the screen.
 *
 * Happy path: the leader proves the own PIN again; the wish is a note of his own in the ledger; hfctl judges whose PIN
 * it is (--for) and makes it, acting as the person of --resets-as, since a new key is an operator's record; the PIN is
 * shown once, and all browsers of the other are logged out. Failures: no --resets-as or no HF_HOME, a wrong PIN, a person of
 * another team or with more roles than caller; one at a time. The PIN is in no log and in no file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/caller/office_int.h"
#include "workers/link/child.h"

#define MAY      (ROLE_LEADER | ROLE_DEPUTY | ROLE_ADMIN)
#define LIMIT_US (60 * SECOND_US)
#define OUT_MAX  4096
#define DIR_SIZE 700

struct reset {
	struct office *office;
	struct room *room; /* who asks */
	name_t person;     /* who gets it */
	char out[DIR_SIZE];
	struct http_later *later;
	struct child *child;
};

static void
end_reset(struct reset *t, int status, json_t *o)
{
	struct http_response res = {.status = status};

	t->office->reset = NULL;
	pages_json(&res, status, o);
	http_answer(t->later, &res);
	free(t);
}

static void
refuse_reset(struct reset *t, int status, const char *code, const char *text)
{
	end_reset(t, status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "text", text));
}

/* Whoever sits there with the old PIN is somebody else now. */
static void
log_out(struct office *o, const char *person)
{
	struct room *r;

	TAILQ_FOREACH(r, &o->rooms, link)
	{
		if (strcmp(r->person, person) != 0)
			continue;
		seats_of_room_end(r);
		if (r->is_in)
			room_leave(r, "leave");
	}
}

static void
on_done(void *arg, const struct child_result *c)
{
	struct reset *t = arg;
	json_t *said = NULL;
	const char *pin;

	t->child = NULL;
	if (c->end == CHILD_EXITED && c->code == 0)
		said =
		    json_loadb((const char *)c->out.data, c->out.len, JSON_DISABLE_EOF_CHECK, NULL);
	if (c->out.len > 0)
		crypt_wipe((void *)(uintptr_t)c->out.data, c->out.len);
	pin = json_string_value(json_object_get(said, "pin"));
	if (pin != NULL) {
		log_out(t->office, t->person);
		end_reset(t, 200, json_pack("{s:s,s:s}", "person", t->person, "pin", pin));
	} else if (c->end == CHILD_EXITED && c->code == EX_NOPERM) {
		refuse_reset(t, 403, "denied", "只能给自己小组的组员换口令");
	} else if (c->end == CHILD_EXITED && c->code == EX_NOINPUT) {
		refuse_reset(t, 404, "not-found", "没有这个人, 或者还没有登记");
	} else {
		log_warn("office.pin_not_reset",
		    "exit=%d decision=\"the old one holds, or ask again\"", c->code);
		refuse_reset(t, 503, "failed", "口令没有换成, 请再试一次, 或请管理员换");
	}
	json_decref(said);
}

/* The wish stands in the ledger under the leader's own signature, before it is done. */
static void
note_it(const struct reset *t)
{
	char text[120];
	json_t *o;
	char *line;

	(void)snprintf(text, sizeof(text), "重设口令: %s", t->person);
	o = json_pack("{s:s,s:s}", "do", "note", "note", text);
	line = json_dumps(o, JSON_COMPACT);
	CHECK(line != NULL);
	(void)desk_do(t->room->desk, line, strlen(line), NULL);
	free(line);
	json_decref(o);
}

static void
run_reset(struct reset *t)
{
	const char *argv[] = {"hfctl", "--json", "--campaign", t->room->id.campaign, "--as",
	    t->office->o.resets_as, "person", "reset-pin", "--person", t->person, "--out", t->out,
	    "--for", t->room->person, NULL};
	struct child_opts o = {.loop = t->office->o.loop,
	    .argv = (char *const *)(uintptr_t)argv,
	    .out_max = OUT_MAX,
	    .limit_us = LIMIT_US,
	    .done = on_done,
	    .arg = t};
	struct err err = ERR_INIT;

	note_it(t);
	if (child_start(&t->child, &o, &err) == 0)
		return;
	log_warn("office.pin_not_reset", "cause=\"%s\" decision=\"the old one holds\"", err.text);
	refuse_reset(t, 503, "failed", "口令没有换成, 请再试一次, 或请管理员换");
}

static void
on_proved(struct pin_job *job)
{
	struct reset *t = job->arg;

	if (job->rc == 0) {
		crypt_wipe(&job->key, sizeof(job->key));
		t->room->tries = (struct tries){.n = 0};
	}
	if (t->office->ended)
		refuse_reset(t, 503, "busy", "服务器正在关闭, 请稍后再试");
	else if (job->rc == 0)
		run_reset(t);
	else if (job->code == ERR_DENIED)
		refuse_reset(t, 403, "pin", "您自己的口令不对");
	else
		refuse_reset(t, 503, "busy", "服务器现在很忙, 请稍后再试");
}

static const char *
wrong(const struct room *r, const char *person, const char *pin, int *ret_status)
{
	*ret_status = 403;
	if ((r->roles & MAY) == 0)
		return "只有组长、副组长能给组员换口令";
	*ret_status = 503;
	if (r->office->o.resets_as == NULL || getenv("HF_HOME") == NULL)
		return "这里不能换口令; 请管理员用 hfctl person reset-pin 换";
	if (r->office->reset != NULL)
		return "正在给别人换口令, 请稍后再试";
	*ret_status = 400;
	if (person == NULL || pin == NULL || !text_is_id(person, strlen(person)) ||
	    strlen(pin) >= PIN_MAX || strcmp(person, r->person) == 0)
		return "要有组员的工号 person, 和您自己的口令 pin";
	return NULL;
}

void
resets_ask(struct room *r, const struct http_request *req, struct http_response *res)
{
	static const char *const codes[] = {"bad-field", "denied", "off"};
	json_t *body =
	    json_loadb((const char *)req->body.data, req->body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *person = json_string_value(json_object_get(body, "person"));
	const char *pin = json_string_value(json_object_get(body, "pin"));
	struct pin_job job = {.done = on_proved};
	struct reset *t;
	int status;
	const char *text = wrong(r, person, pin, &status);

	if (text != NULL) {
		pages_error(res, status, codes[status == 400 ? 0 : status == 403 ? 1 : 2], text);
	} else if (door_try(r, clock_boot_us(), res)) {
		if (identity_person_seal(&r->id, r->person, &job.seal, NULL) != 0)
			job.is_nobody = true;
		(void)snprintf(job.pin, sizeof(job.pin), "%s", pin);
		t = xcalloc(1, sizeof(*t));
		t->office = r->office;
		t->room = r;
		(void)snprintf(t->person, sizeof(t->person), "%s", person);
		(void)snprintf(t->out, sizeof(t->out), "%s/%s", r->office->o.agents, person);
		t->later = http_later(req);
		job.arg = t;
		r->office->reset = t;
		if (!pins_try(r->office->pins, &job))
			refuse_reset(t, 503, "busy", "服务器现在很忙, 请稍后再试");
		crypt_wipe(&job, sizeof(job));
	}
	json_decref(body);
}

void
resets_close(struct office *o)
{
	if (o->reset == NULL)
		return;
	child_stop(o->reset->child);
	refuse_reset(o->reset, 503, "busy", "服务器正在关闭, 请稍后再试");
}
