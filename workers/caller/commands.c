/* commands.c - one line of JSON in, one thing done or one error said, never both.
 *
 * Happy path: parse, find the command in the table, check its fields, hand it to the client. What a
 * record says is stored by the commit at the end of the turn and answered then. Failures change
 * nothing. A text that names what is wrong is Chinese, for a person; the code is for programs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "workers/caller/desk_int.h"
#include "workers/caller/show.h"

struct run {
	struct desk *d;
	const json_t *o;
	void *tag;
	bool waits; /* the answer comes with the commit */
	struct refusal why;
	struct err err;
};

int
refuse(struct refusal *ret, const char *code, const char *fmt, ...)
{
	va_list ap;

	ret->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(ret->text, sizeof(ret->text), fmt, ap);
	va_end(ap);
	return -1;
}

static int
refuse_err(struct run *r)
{
	switch (r->err.code) {
	case ERR_BUSY: return refuse(&r->why, "busy", "上一个请求还没有答复");
	case ERR_DENIED: return refuse(&r->why, "denied", "没有登录或没有权限");
	case ERR_FULL: return refuse(&r->why, "too-big", "这条记录太长");
	case ERR_NOT_FOUND: return refuse(&r->why, "not-found", "本机没有这个名单或记录");
	case ERR_IO:
		return refuse(&r->why, "disk", "本机磁盘出错, 没有存下; 请换一台电脑并告诉管理员");
	default: return refuse(&r->why, "invalid", "内容不合规则: %.180s", r->err.text);
	}
}

/* ---- records ------------------------------------------------------------------------------------- */

static const uint8_t *
looked_key(const struct desk *d, const struct record_header *h)
{
	return h->has_case ? map_get(d->keys, h->case_id, 16) : NULL;
}

static int
store(struct run *r, struct record_header *h, const struct body *body, const uint8_t *key,
    enum client_then then, bool reveal)
{
	struct desk *d = r->d;
	struct pending p = {.token = h->token, .reveal = reveal, .tag = r->tag};
	int rc = client_record(d->client, h, body, key, then, &p.seq, &r->err);

	if (rc < 0 && r->err.code == ERR_NOT_FOUND)
		return refuse(&r->why, "no-key", "本机没有打开过这个名单, 不能写备注");
	if (rc < 0)
		return refuse_err(r);
	r->waits = true;
	memcpy(p.id, h->id, 16);
	memcpy(p.case_id, h->case_id, 16);
	if (then == CLIENT_NEXT)
		d->asking = true;
	if (rc == 1 && fold_head(outbox_state(d->o.outbox)) >= p.seq) {
		const struct fold_record *f = fold_record(outbox_state(d->o.outbox), p.seq);

		events_stored(d, &p);
		if (f != NULL && f->verdict != FOLD_UNKNOWN)
			events_accepted(d, p.seq, f->verdict, "");
		return 0;
	}
	d->pending = xrealloc(d->pending, d->n_pending + 1, sizeof(struct pending));
	d->pending[d->n_pending++] = p;
	return 0;
}

static int
dialled(struct run *r, struct entry_record *e, const struct hold *hold)
{
	char digits[64];

	if (e->digits == NULL && e->number == 0)
		return 0;
	if (hold == NULL)
		return refuse(&r->why, "no-key", "本机没有打开过这个名单, 不知道是哪个号码");
	if (e->digits != NULL) {
		entry_number(e, hold->key, e->digits);
		return 0;
	}
	if (show_digits(hold, e->number, digits, sizeof(digits), NULL) != 0)
		return refuse(&r->why, "bad-field", "名单里没有第 %llu 个号码",
		    (unsigned long long)e->number);
	entry_number(e, hold->key, digits);
	crypt_wipe(digits, sizeof(digits));
	return 0;
}

static int
do_record(struct run *r)
{
	struct entry_record e;
	const struct hold *hold = NULL;
	const uint8_t *key;

	if (entry_record(&e, r->o, r->d->o.person, &r->why) != 0)
		return -1;
	if (e.h.has_case)
		hold = desk_hold(r->d, e.h.case_id);
	key = hold != NULL ? hold->key : looked_key(r->d, &e.h);
	if (dialled(r, &e, hold) != 0)
		return -1;
	if (e.h.kind == REC_NUMBER && key != NULL && e.body.digits.len > 0) {
		char digits[32];

		(void)snprintf(
		    digits, sizeof(digits), "%.*s", (int)e.body.digits.len, e.body.digits.data);
		entry_number(&e, key, digits);
	}
	if (e.h.kind == REC_REVEAL && hold == NULL)
		return refuse(&r->why, "no-key", "本机没有打开过这个名单");
	return store(r, &e.h, &e.body, key, e.then, e.h.kind == REC_REVEAL);
}

static int
do_act(struct run *r)
{
	struct act a;

	if (act_record(&a, r->o, r->d->o.person, &r->why) != 0 ||
	    (r->d->is_known && act_allowed(&a, r->d->roles, &r->why) != 0))
		return -1;
	return store(r, &a.h, &a.body, looked_key(r->d, &a.h), CLIENT_LEAVE, false);
}

/* Taking back is a record of its own; its id follows from what it takes back, so that asking twice
 * does it once. */
static void
undo_id(uint8_t id[16], const uint8_t ob[16], uint64_t seq)
{
	uint8_t h[32], be[8];
	struct span parts[] = {span_str("undo"), span_of(ob, 16), span_of(be, 8)};

	be64_put(be, seq);
	crypt_hash(h, parts, 3);
	memcpy(id, h, 16);
}

static int
undo_header(struct run *r, struct record_header *h, uint64_t seq)
{
	struct outbox *o = r->d->o.outbox;
	struct record_header was = {.kind = 0};
	struct buf bytes = BUF_INIT;
	struct fold_stored stored;
	int rc = 0;

	if (outbox_read(o, seq, &bytes, &stored, &r->err) != 0)
		rc = refuse(&r->why, "not-found", "本机没有第 %llu 条记录, 或者已经归档",
		    (unsigned long long)seq);
	else if (record_header_decode(&was, stored.header, &r->err) != 0)
		rc = refuse_err(r);
	else if (strcmp(was.person, r->d->o.person) != 0)
		rc = refuse(&r->why, "denied", "只能撤回自己的记录");
	else if (was.kind != REC_ATTEMPT && was.kind != REC_NUMBER && was.kind != REC_NOTE)
		rc = refuse(&r->why, "denied", "这一种记录不能撤回");
	if (rc == 0) {
		h->token = was.token;
		h->has_case = was.has_case;
		memcpy(h->case_id, was.case_id, 16);
	}
	buf_done(&bytes);
	return rc;
}

static int
do_undo(struct run *r)
{
	struct record_header h = {.kind = REC_CORRECTION};
	const json_t *v = json_object_get(r->o, "seq");
	const uint8_t *ob = outbox_id(r->d->o.outbox);
	uint64_t seq;
	bool in_hand;

	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return refuse(
		    &r->why, v == NULL ? "missing-field" : "bad-field", "字段 seq 的值不对");
	seq = (uint64_t)json_integer_value(v);
	(void)snprintf(h.person, sizeof(h.person), "%s", r->d->o.person);
	if (undo_header(r, &h, seq) != 0)
		return -1;
	undo_id(h.id, ob, seq);
	field_set_b(&h, F_ref_ob, ob, 16);
	field_set_u(&h, F_ref_seq, seq);
	/* A case that is still in hand stays there. */
	in_hand = h.token != 0 && session_lease(client_session(r->d->client), h.token) != NULL;
	return store(r, &h, NULL, NULL, in_hand ? CLIENT_STAY : CLIENT_LEAVE, false);
}

/* ---- work ---------------------------------------------------------------------------------------- */

static int
do_next(struct run *r)
{
	r->d->asking = true; /* before: a case from before a restart is answered at once */
	if (client_next(r->d->client, r->d->o.person, &r->err) == 0)
		return 0;
	r->d->asking = r->err.code == ERR_BUSY;
	return refuse_err(r);
}

static int
do_take(struct run *r)
{
	const json_t *number = json_object_get(r->o, "number");
	uint8_t case_id[16];
	int rc;

	if (number != NULL) {
		if (!json_is_string(number) || !entry_digits(json_string_value(number)))
			return refuse(&r->why, "bad-field", "字段 number 的值不对");
		rc = client_take(
		    r->d->client, r->d->o.person, NULL, json_string_value(number), &r->err);
	} else {
		if (!entry_case(r->o, case_id, &r->why))
			return -1;
		rc = client_take(r->d->client, r->d->o.person, case_id, NULL, &r->err);
	}
	if (rc != 0)
		return refuse_err(r);
	r->d->asking = true;
	return 0;
}

static int
do_give_back(struct run *r)
{
	const char *reason;
	uint64_t token;

	if (!entry_token(r->o, &token, &r->why) ||
	    !entry_word(r->o, "reason", "other", &reason, &r->why))
		return -1;
	r->d->giving++; /* before: what is lost already is answered at once */
	if (client_give(r->d->client, token, reason, &r->err) == 0)
		return 0;
	r->d->giving--;
	return refuse(&r->why, "not-in-hand", "这个名单不在手上");
}

static int
do_look(struct run *r)
{
	const json_t *page = json_object_get(r->o, "page"),
	             *number = json_object_get(r->o, "number");
	const char *what, *argument = LOOK_MORE;
	uint8_t case_id[16];
	bool has_case = json_object_get(r->o, "case") != NULL;

	if (!entry_word(r->o, "what", NULL, &what, &r->why) ||
	    (has_case && !entry_case(r->o, case_id, &r->why)))
		return -1;
	if (page != NULL && (!json_is_integer(page) || json_integer_value(page) < 0))
		return refuse(&r->why, "bad-field", "字段 page 的值不对");
	if (number != NULL) {
		argument = json_string_value(number);
		if (argument == NULL || !entry_digits(argument))
			return refuse(&r->why, "bad-field", "字段 number 的值不对");
	}
	(void)client_look(r->d->client, r->d->o.person, what, (uint64_t)json_integer_value(page),
	    has_case ? case_id : NULL, argument);
	r->d->looking++;
	return 0;
}

static int
do_evidence(struct run *r)
{
	if (evidence_do(r->d, r->o, r->tag, &r->why) != 0)
		return -1;
	r->waits = true;
	return 0;
}

/* ---- the table ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct run *r);
} commands[] = {
    {"next", do_next},
    {"take", do_take},
    {"record", do_record},
    {"note", do_record},
    {"number", do_record},
    {"reveal", do_record},
    {"paper", do_record},
    {"give-back", do_give_back},
    {"look", do_look},
    {"undo", do_undo},
    {"act", do_act},
    {"evidence", do_evidence},
};

static int
dispatch(struct run *r)
{
	const char *name = json_string_value(json_object_get(r->o, "do"));

	if (name == NULL)
		return refuse(&r->why, "missing-field", "缺少字段 do");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(r);
	return refuse(&r->why, "unknown-do", "不认识的命令 %.40s", name);
}

bool
desk_do(struct desk *d, const char *text, size_t len, void *tag)
{
	struct run r = {.d = d, .tag = tag};
	json_error_t where;
	json_t *o;
	int rc;

	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	r.o = json_is_object(o) ? o : NULL;
	rc = r.o != NULL ? dispatch(&r) : refuse(&r.why, "bad-json", "这一行不是一个 JSON 对象");
	if (rc != 0)
		desk_answer(d, "error", desk_error_object(r.why.code, r.why.text, r.o), tag);
	json_decref(o);
	return rc != 0 || r.waits;
}
