/* events.c - what the client tells, as lines.
 *
 * Each event has one shape; a case is opened before it is shown. A case that does not open is given
 * back at once: nobody could call it. Answers to records wait for the commit of their turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "base/uuid.h"
#include "workers/caller/lines_int.h"
#include "workers/caller/show.h"

void
events_keep_key(void *arg, const uint8_t case_id[16], const uint8_t key[32])
{
	struct lines *l = arg;
	uint8_t *copy = xmalloc(32);

	memcpy(copy, key, 32);
	copy = map_put(l->keys, case_id, 16, copy);
	if (copy != NULL)
		crypt_wipe(copy, 32);
	free(copy);
}

/* ---- records ------------------------------------------------------------------------------------- */

static void
reveal(struct lines *l, const struct pending *p)
{
	const struct hold *h = lines_hold(l, p->case_id);
	char id_no[64], hex[33];
	json_t *o;

	if (h == NULL || show_id_no(h, id_no, sizeof(id_no), NULL) != 0) {
		lines_error(l, "not-found", "这个名单没有身份证号", NULL);
		return;
	}
	hex_encode(hex, p->case_id, 16);
	o = json_object();
	(void)json_object_set_new(o, "case", json_string(hex));
	(void)json_object_set_new(o, "id_no", json_string(id_no));
	lines_say(l, "revealed", o);
	crypt_wipe(id_no, sizeof(id_no));
}

void
events_stored(struct lines *l, const struct pending *p)
{
	json_t *o = json_object();
	char id[37];

	uuid_text(id, p->id);
	(void)json_object_set_new(o, "seq", json_integer((json_int_t)p->seq));
	(void)json_object_set_new(o, "id", json_string(id));
	lines_say(l, "stored", o);
	if (p->reveal)
		reveal(l, p);
}

static void
unstored(struct lines *l, const struct pending *p, const struct err *err)
{
	json_t *command = json_object();
	char id[37];

	uuid_text(id, p->id);
	(void)json_object_set_new(command, "id", json_string(id));
	if (err->code == ERR_FULL)
		lines_error(l, "disk-full", "本机磁盘已满, 这条记录没有存下; 请腾出空间后再记一次",
		    command);
	else
		lines_error(
		    l, "disk", "本机磁盘出错, 这条记录没有存下; 请换一台电脑并告诉管理员", command);
	json_decref(command);
}

void
events_flush(struct lines *l, const struct err *err)
{
	for (size_t i = 0; i < l->n_pending; i++) {
		if (err == NULL)
			events_stored(l, &l->pending[i]);
		else
			unstored(l, &l->pending[i], err);
	}
	l->n_pending = 0;
	if (err != NULL)
		l->asking = false;
}

void
lines_on_commit(void *arg, const struct err *err)
{
	events_flush(arg, err);
}

void
events_accepted(struct lines *l, uint64_t seq, uint64_t verdict, const char *why)
{
	static const char *const names[] = {"effective", "late", "quarantined"};
	json_t *o = json_object();

	(void)json_object_set_new(o, "seq", json_integer((json_int_t)seq));
	(void)json_object_set_new(
	    o, "verdict", json_string(names[verdict <= VERDICT_QUARANTINED ? verdict : 2]));
	if (verdict != VERDICT_EFFECTIVE && why[0] != '\0')
		(void)json_object_set_new(o, "why", json_string(why));
	lines_say(l, "accepted", o);
}

static void
say_upto(struct lines *l, const char *what, uint64_t upto)
{
	lines_say(l, what, json_pack("{s:I}", "upto", (json_int_t)upto));
}

/* ---- cases --------------------------------------------------------------------------------------- */

static void
remember(struct lines *l, const struct hold *h)
{
	struct hold **slot = &l->shown[l->n_shown++ % LINES_SHOWN],
	            *copy = xcalloc(1, sizeof(*copy));

	*copy = *h;
	copy->ticket = copy->task = (struct buf)BUF_INIT;
	buf_add(&copy->task, h->task.data, h->task.len);
	hold_destroy(*slot);
	*slot = copy;
}

static void
on_granted(struct lines *l, const struct lease *lease)
{
	struct err err = ERR_INIT;
	json_t *o = show_task(lease, &err);

	l->asking = false;
	if (o != NULL) {
		remember(l, &lease->hold);
		lines_say(l, "task", o);
		return;
	}
	lines_error(l, "task-unreadable", "这个名单打不开, 已退回; 请告诉管理员", NULL);
	if (client_give(l->client, lease->hold.token, "other", NULL) == 0)
		l->giving++;
}

static void
on_none(struct lines *l, const struct link_event *e)
{
	json_t *o = json_object();

	l->asking = false;
	(void)json_object_set_new(o, "reason", json_string(e->reason));
	(void)json_object_set_new(o, "retry_ms", json_integer((json_int_t)e->retry_ms));
	if (e->text[0] != '\0')
		(void)json_object_set_new(o, "who", json_string(e->text));
	lines_say(l, "none", o);
}

static void
on_lease(struct lines *l, const struct link_event *e)
{
	json_t *o = json_object();
	char text[33];

	hex_encode(text, e->lease->hold.case_id, 16);
	(void)json_object_set_new(o, "case", json_string(text));
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)e->lease->hold.token);
	(void)json_object_set_new(o, "token", json_string(text));
	(void)json_object_set_new(o, "state", json_string(e->reason));
	lines_say(l, "lease", o);
	if (e->lease->state == LEASE_GIVING && l->giving > 0)
		l->giving--;
	else if (e->lease->state == LEASE_LOST && strcmp(e->reason, "given-back") == 0 &&
	         l->giving > 0)
		l->giving--;
}

static void
on_seen(struct lines *l, const struct link_event *e)
{
	if (l->looking > 0)
		l->looking--;
	if (e->seen == NULL)
		lines_say(l, "seen",
		    json_pack("{s:s,s:s,s:[]}", "what", e->reason, "code", "unavailable", "rows"));
	else
		lines_say(l, "seen", show_seen(e->seen, e->f1, events_keep_key, l));
}

/* ---- trouble ------------------------------------------------------------------------------------- */

static void
on_refused(struct lines *l, const struct link_event *e)
{
	char text[200];

	l->asking = false;
	if (strcmp(e->reason, "disk") == 0) {
		lines_error(l, "disk", "本机磁盘写不进去, 不能取新的名单", NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "请求被拒绝: %s %s", e->reason, e->text);
	lines_error(l, "refused", text, NULL);
}

static void
on_person(struct lines *l, const struct link_event *e)
{
	char text[200];

	if (e->seq != 0)
		return;
	(void)snprintf(text, sizeof(text), "%s 不能从这台电脑登录: %s", e->person, e->reason);
	lines_error(l, "login", text, NULL);
}

static void
on_trouble(struct lines *l, const struct link_event *e)
{
	char text[700];

	switch (e->kind) {
	case LINK_BLOCKED:
		(void)snprintf(text, sizeof(text),
		    "记录暂时发不出去 (%s %s), 都还在本机; 请告诉管理员", e->reason, e->text);
		lines_error(l, "blocked", text, NULL);
		break;
	case LINK_CLONED:
		(void)snprintf(text, sizeof(text),
		    "本机发件箱是别处的副本, 原样留在 %s, 已另开新的; 请告诉管理员", e->text);
		lines_error(l, "outbox-cloned", text, NULL);
		l->giving = 0;
		break;
	case LINK_REVOKED:
		lines_error(l, "revoked", "这台电脑的登记已被吊销, 请找管理员", NULL);
		l->exit_code = EX_NOPERM;
		loop_stop(l->o.loop);
		break;
	default: break;
	}
}

void
lines_on_event(void *arg, const struct link_event *e)
{
	struct lines *l = arg;

	switch (e->kind) {
	case LINK_ONLINE:
	case LINK_OFFLINE:
		lines_say(l, "link",
		    json_pack("{s:s}", "state", e->kind == LINK_ONLINE ? "online" : "offline"));
		break;
	case LINK_PERSON: on_person(l, e); break;
	case LINK_GRANTED: on_granted(l, e->lease); break;
	case LINK_NONE: on_none(l, e); break;
	case LINK_LEASE: on_lease(l, e); break;
	case LINK_ACCEPTED: events_accepted(l, e->seq, e->verdict, e->reason); break;
	case LINK_SETTLED: say_upto(l, "settled", e->seq); break;
	case LINK_RELEASED: say_upto(l, "released", e->seq); break;
	case LINK_SEEN: on_seen(l, e); break;
	case LINK_REFUSED: on_refused(l, e); break;
	case LINK_BLOCKED:
	case LINK_CLONED:
	case LINK_REVOKED: on_trouble(l, e); break;
	}
	lines_check_end(l);
}
