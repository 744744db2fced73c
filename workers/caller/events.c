/* events.c - what the client tells, as objects.
 *
 * Each event has one shape; a case is opened before it is shown. A case that does not open is given
 * back at once: nobody could call it. Answers to records wait for the commit of their turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "base/uuid.h"
#include "workers/caller/desk_int.h"
#include "workers/caller/show.h"
#include "workers/caller/template.h"

/* ---- records ------------------------------------------------------------------------------------- */

static void
reveal(struct desk *d, const struct pending *p)
{
	const struct hold *h = desk_hold(d, p->case_id);
	char id_no[64], hex[33];
	json_t *o;

	if (h == NULL || show_id_no(h, id_no, sizeof(id_no), NULL) != 0) {
		desk_error(d, "not-found", "这个名单没有身份证号", NULL);
		return;
	}
	hex_encode(hex, p->case_id, 16);
	o = json_object();
	(void)json_object_set_new(o, "case", json_string(hex));
	(void)json_object_set_new(o, "id_no", json_string(id_no));
	desk_say(d, "revealed", o);
	crypt_wipe(id_no, sizeof(id_no));
}

void
events_stored(struct desk *d, const struct pending *p)
{
	json_t *o = json_object();
	char id[37];

	uuid_text(id, p->id);
	(void)json_object_set_new(o, "seq", json_integer((json_int_t)p->seq));
	(void)json_object_set_new(o, "id", json_string(id));
	desk_answer(d, "stored", o, p->tag);
	if (p->reveal)
		reveal(d, p);
}

static void
unstored(struct desk *d, const struct pending *p, const struct err *err)
{
	json_t *command = json_object(), *o;
	char id[37];

	uuid_text(id, p->id);
	(void)json_object_set_new(command, "id", json_string(id));
	if (err->code == ERR_FULL)
		o = desk_error_object(
		    "disk-full", "本机磁盘已满, 这条记录没有存下; 请腾出空间后再记一次", command);
	else
		o = desk_error_object(
		    "disk", "本机磁盘出错, 这条记录没有存下; 请换一台电脑并告诉管理员", command);
	desk_answer(d, "error", o, p->tag);
	json_decref(command);
}

void
desk_on_commit(void *arg, const struct err *err)
{
	struct desk *d = arg;

	for (size_t i = 0; i < d->n_pending; i++) {
		if (err == NULL)
			events_stored(d, &d->pending[i]);
		else
			unstored(d, &d->pending[i], err);
	}
	d->n_pending = 0;
	if (err != NULL)
		d->asking = false;
}

void
events_accepted(struct desk *d, uint64_t seq, uint64_t verdict, const char *why)
{
	static const char *const names[] = {"effective", "late", "quarantined"};
	json_t *o = json_object();

	(void)json_object_set_new(o, "seq", json_integer((json_int_t)seq));
	(void)json_object_set_new(
	    o, "verdict", json_string(names[verdict <= VERDICT_QUARANTINED ? verdict : 2]));
	if (verdict != VERDICT_EFFECTIVE && why[0] != '\0')
		(void)json_object_set_new(o, "why", json_string(why));
	desk_say(d, "accepted", o);
}

static void
say_upto(struct desk *d, const char *what, uint64_t upto)
{
	desk_say(d, what, json_pack("{s:I}", "upto", (json_int_t)upto));
}

/* ---- cases --------------------------------------------------------------------------------------- */

static void
remember(struct desk *d, const struct hold *h)
{
	struct hold **slot = &d->shown[d->n_shown++ % DESK_SHOWN],
	            *copy = xcalloc(1, sizeof(*copy));

	*copy = *h;
	copy->ticket = copy->task = (struct buf)BUF_INIT;
	buf_add(&copy->task, h->task.data, h->task.len);
	hold_destroy(*slot);
	*slot = copy;
}

static void
on_granted(struct desk *d, const struct lease *lease)
{
	struct err err = ERR_INIT;
	json_t *o = show_task(lease, &err);

	d->asking = false;
	if (o != NULL) {
		remember(d, &lease->hold);
		template_put(o, d->o.rules);
		desk_say(d, "task", o);
		return;
	}
	desk_error(d, "task-unreadable", "这个名单打不开, 已退回; 请告诉管理员", NULL);
	if (client_give(d->client, lease->hold.token, "other", NULL) == 0)
		d->giving++;
}

static void
on_none(struct desk *d, const struct link_event *e)
{
	json_t *o = json_object();

	d->asking = false;
	(void)json_object_set_new(o, "reason", json_string(e->reason));
	(void)json_object_set_new(o, "retry_ms", json_integer((json_int_t)e->retry_ms));
	if (e->text[0] != '\0')
		(void)json_object_set_new(o, "who", json_string(e->text));
	desk_say(d, "none", o);
}

static void
on_lease(struct desk *d, const struct link_event *e)
{
	json_t *o = json_object();
	char text[33];

	hex_encode(text, e->lease->hold.case_id, 16);
	(void)json_object_set_new(o, "case", json_string(text));
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)e->lease->hold.token);
	(void)json_object_set_new(o, "token", json_string(text));
	(void)json_object_set_new(o, "state", json_string(e->reason));
	desk_say(d, "lease", o);
	if (e->lease->state == LEASE_GIVING && d->giving > 0)
		d->giving--;
	else if (e->lease->state == LEASE_LOST && strcmp(e->reason, "given-back") == 0 &&
	         d->giving > 0)
		d->giving--;
}

static void
on_seen(struct desk *d, const struct link_event *e)
{
	if (d->looking > 0)
		d->looking--;
	if (e->seen == NULL)
		desk_say(d, "seen",
		    json_pack("{s:s,s:s,s:[]}", "what", e->reason, "code", "unavailable", "rows"));
	else
		desk_say(d, "seen", show_seen(e->seen, e->f1, desk_keep_key, d));
}

/* ---- trouble ------------------------------------------------------------------------------------- */

static void
on_refused(struct desk *d, const struct link_event *e)
{
	char text[200];

	d->asking = false;
	if (strcmp(e->reason, "disk") == 0) {
		desk_error(d, "disk", "本机磁盘写不进去, 不能取新的名单", NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "请求被拒绝: %s %s", e->reason, e->text);
	desk_error(d, "refused", text, NULL);
}

static void
on_person(struct desk *d, const struct link_event *e)
{
	char text[200];

	d->is_known = e->seq != 0;
	d->roles = e->verdict;
	if (d->is_known)
		return;
	(void)snprintf(text, sizeof(text), "%s 不能从这台电脑登录: %s", e->person, e->reason);
	desk_error(d, "login", text, NULL);
}

static void
on_trouble(struct desk *d, const struct link_event *e)
{
	char text[700];

	switch (e->kind) {
	case LINK_BLOCKED:
		(void)snprintf(text, sizeof(text),
		    "记录暂时发不出去 (%s %s), 都还在本机; 请告诉管理员", e->reason, e->text);
		desk_error(d, "blocked", text, NULL);
		break;
	case LINK_CLONED:
		(void)snprintf(text, sizeof(text),
		    "本机发件箱是别处的副本, 原样留在 %s, 已另开新的; 请告诉管理员", e->text);
		desk_error(d, "outbox-cloned", text, NULL);
		d->giving = 0;
		break;
	case LINK_REVOKED:
		desk_error(d, "revoked", "这台电脑的登记已被吊销, 请找管理员", NULL);
		break;
	default: break;
	}
}

void
desk_on_event(void *arg, const struct link_event *e)
{
	struct desk *d = arg;

	switch (e->kind) {
	case LINK_ONLINE:
	case LINK_OFFLINE:
		desk_say(d, "link",
		    json_pack("{s:s}", "state", e->kind == LINK_ONLINE ? "online" : "offline"));
		break;
	case LINK_PERSON: on_person(d, e); break;
	case LINK_GRANTED: on_granted(d, e->lease); break;
	case LINK_NONE: on_none(d, e); break;
	case LINK_LEASE: on_lease(d, e); break;
	case LINK_ACCEPTED: events_accepted(d, e->seq, e->verdict, e->reason); break;
	case LINK_SETTLED: say_upto(d, "settled", e->seq); break;
	case LINK_RELEASED: say_upto(d, "released", e->seq); break;
	case LINK_EVIDENCE: evidence_is_sent(d, e->f1); break;
	case LINK_SEEN: on_seen(d, e); break;
	case LINK_REFUSED: on_refused(d, e); break;
	case LINK_BLOCKED:
	case LINK_CLONED:
	case LINK_REVOKED: on_trouble(d, e); break;
	}
}
