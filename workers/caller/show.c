/* show.c - sealed tasks and bodies opened for the one who has the case in hand.
 *
 * Happy path: open with the case's key, decode, copy into JSON. Failures: a task that does not open
 * or decode is an error of the whole case; a body of an old record that does not is left out, since
 * the rest is still worth seeing. */
#include "workers/caller/dial.h"
#include "workers/caller/show.h"

#include <stdio.h>
#include <string.h>

#include "base/crypt.h"
#include "base/text.h"
#include "base/uuid.h"
#include "proto/chain.h"
#include "proto/record.h"
#include "workers/caller/bits.h"

static void
put_span(json_t *o, const char *key, struct span s)
{
	if (s.len > 0)
		(void)json_object_set_new(o, key, json_stringn((const char *)s.data, s.len));
}

static void
put_hex(json_t *o, const char *key, const uint8_t *data, size_t len)
{
	char hex[65];

	hex_encode(hex, data, len);
	(void)json_object_set_new(o, key, json_string(hex));
}

static void
put_u(json_t *o, const char *key, uint64_t v)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void
put_text(json_t *o, const char *key, const char *text)
{
	if (text[0] != '\0')
		(void)json_object_set_new(o, key, json_string(text));
}

/* ---- a task -------------------------------------------------------------------------------------- */

static int
open_task(struct task *t, struct buf *plain, const uint8_t key[32], const uint8_t case_id[16],
    struct span sealed, struct err *err)
{
	return chain_task_open(plain, key, case_id, sealed, err) == 0
	           ? task_decode(t, buf_span(plain), err)
	           : -1;
}

static void
close_task(struct buf *plain)
{
	if (plain->data != NULL)
		crypt_wipe(plain->data, plain->len);
	buf_done(plain);
}

static json_t *
numbers_of(const struct task *t)
{
	json_t *list = json_array();
	char dial[DIAL_SIZE];

	for (uint32_t i = 0; i < t->n_numbers; i++) {
		json_t *o;

		if (t->numbers[i].digits.len == 0)
			continue; /* the reason why there is none: last, and no number */
		o = json_object();
		put_u(o, "n", i + 1);
		put_span(o, "kind", t->numbers[i].kind);
		put_span(o, "digits", t->numbers[i].digits);
		put_text(o, "dial", dial_string(dial, t->numbers[i].digits));
		put_span(o, "note", t->numbers[i].note);
		(void)json_array_append_new(list, o);
	}
	return list;
}

/* What a case lacks to count as complete, and the reasons why some of it does not exist. */
static void
put_missing(json_t *o, const struct task *t)
{
	unsigned missing = task_missing(t);
	json_t *list = json_array(), *reasons = json_object();

	if ((missing & TASK_NO_SELF) != 0)
		(void)json_array_append_new(list, json_string("self"));
	if ((missing & TASK_NO_PARENT) != 0)
		(void)json_array_append_new(list, json_string("parent"));
	for (uint32_t i = 0; i < t->n_numbers; i++) {
		char kind[64];

		(void)snprintf(kind, sizeof(kind), "%.*s", (int)t->numbers[i].kind.len,
		    (const char *)t->numbers[i].kind.data);
		if (t->numbers[i].digits.len == 0)
			put_span(reasons, kind, t->numbers[i].note);
	}
	(void)json_object_set_new(o, "missing", list);
	if (json_object_size(reasons) > 0)
		(void)json_object_set(o, "none", reasons);
	json_decref(reasons);
}

static void
put_masked(json_t *o, struct span id_no)
{
	char text[64];

	if (id_no.len < 9 || id_no.len >= sizeof(text))
		return;
	memcpy(text, id_no.data, id_no.len);
	memset(text + 6, '*', id_no.len - 8);
	text[id_no.len] = '\0';
	put_text(o, "id_no", text);
}

static void
put_task(json_t *o, const struct task *t)
{
	json_t *extra = json_object();

	put_span(o, "no", t->no);
	put_span(o, "name", t->name);
	put_span(o, "sex", t->sex);
	put_masked(o, t->id_no);
	put_span(o, "province", t->province);
	put_span(o, "area", t->area);
	put_span(o, "school", t->school);
	put_span(o, "major", t->major);
	put_span(o, "address", t->address);
	put_span(o, "reporter", t->reporter);
	put_span(o, "batch", t->batch);
	(void)json_object_set_new(o, "rural", json_boolean(t->rural != 0));
	(void)json_object_set_new(o, "minor", json_boolean(t->minor != 0));
	if (t->choice != 0)
		put_u(o, "choice", t->choice);
	(void)json_object_set_new(o, "numbers", numbers_of(t));
	put_missing(o, t);
	for (uint32_t i = 0; i + 1 < t->n_extra; i += 2) {
		char key[256];

		(void)snprintf(key, sizeof(key), "%.*s", (int)t->extra[i].len, t->extra[i].data);
		put_span(extra, key, t->extra[i + 1]);
	}
	if (json_object_size(extra) > 0)
		(void)json_object_set(o, "extra", extra);
	json_decref(extra);
}

/* ---- the last records ---------------------------------------------------------------------------- */

/* When it was saved, by the server's clock as far as the sender knew it. */
static uint64_t
saved_ms(const struct record_header *h)
{
	if (h->server_wall == 0 || h->t_entry < h->server_boot)
		return h->pc_wall;
	return h->server_wall + (h->t_entry - h->server_boot) / 1000;
}

static void
put_field(json_t *o, const struct record_header *h, enum field_key key)
{
	const struct field *f = &h->f[key];

	if (!f->set)
		return;
	if (field_type(key) == FIELD_U)
		put_u(o, field_name(key), f->u);
	else if (field_type(key) == FIELD_STR)
		put_span(o, field_name(key), f->bytes);
}

static json_t *
hashes(const struct field *f)
{
	json_t *list = json_array();
	char hex[65];

	for (size_t i = 0; i < f->n; i++) {
		hex_encode(hex, f->list[i].data, f->list[i].len);
		(void)json_array_append_new(list, json_string(hex));
	}
	return list;
}

static json_t *
show_last(const struct last_record *r, const uint8_t case_id[16], const uint8_t key[32])
{
	static const enum field_key shown[] = {F_outcome, F_channel, F_seconds, F_next_at,
	    F_next_do, F_spoke, F_decide_by, F_rung, F_direction, F_reason, F_to, F_verdict, F_what,
	    F_items};
	struct buf plain = BUF_INIT;
	struct record_header h;
	struct body b;
	json_t *o = json_object();

	put_hex(o, "ob", r->ob, 16);
	put_u(o, "seq", r->seq);
	if (record_header_decode(&h, r->header, NULL) == 0) {
		put_text(o, "kind", record_rule(h.kind)->name);
		put_text(o, "person", h.person);
		put_u(o, "at", saved_ms(&h));
		for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
			put_field(o, &h, shown[i]);
		if (h.f[F_items].set && h.kind != REC_PAPER)
			(void)json_object_set_new(o, "done", bits_words(h.f[F_items].u, bits_done));
		if (h.f[F_number].set)
			put_hex(o, "number", h.f[F_number].bytes.data, h.f[F_number].bytes.len);
		if (h.f[F_evidence].set)
			(void)json_object_set_new(o, "evidence", hashes(&h.f[F_evidence]));
	}
	if (r->body.len > 0 &&
	    chain_body_open(&plain, key, case_id, r->ob, r->seq, r->body, NULL) == 0 &&
	    body_decode(&b, buf_span(&plain), NULL) == 0) {
		put_span(o, "note", b.note);
		put_span(o, "words", b.words);
		put_span(o, "answered", b.answered);
		put_span(o, "digits", b.digits);
		put_span(o, "text", b.text);
	}
	close_task(&plain);
	return o;
}

static json_t *
show_lasts(
    const struct last_record *last, uint32_t n, const uint8_t case_id[16], const uint8_t key[32])
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		(void)json_array_append_new(list, show_last(&last[i], case_id, key));
	return list;
}

json_t *
show_task(const struct lease *l, struct err *err)
{
	const struct hold *h = &l->hold;
	struct buf plain = BUF_INIT;
	struct grant_lists lists;
	struct task t;
	json_t *o = NULL;
	unsigned rung;
	char token[17];

	if (open_task(&t, &plain, h->key, h->case_id, buf_span(&h->task), err) == 0) {
		o = json_object();
		put_hex(o, "case", h->case_id, 16);
		(void)snprintf(token, sizeof(token), "%016llx", (unsigned long long)h->token);
		put_text(o, "token", token);
		put_text(o, "person", h->person);
		(void)json_object_set_new(o, "why", json_string(h->why));
		if (sscanf(h->why, "rung-%u", &rung) == 1)
			put_u(o, "rung", rung);
		put_u(o, "due", h->due);
		put_u(o, "version", h->version);
		(void)json_object_set_new(o, "pulled", json_boolean(h->pulled));
		put_task(o, &t);
		if (l->last.len > 0 && grant_lists_decode(&lists, buf_span(&l->last), NULL) == 0)
			(void)json_object_set_new(
			    o, "last", show_lasts(lists.last, lists.n_last, h->case_id, h->key));
	}
	close_task(&plain);
	return o;
}

static int
copy_out(char *ret, size_t size, struct span s, struct err *err)
{
	if (s.len == 0 || s.len >= size)
		return err_set(err, ERR_NOT_FOUND, "the case does not have it");
	memcpy(ret, s.data, s.len);
	ret[s.len] = '\0';
	return 0;
}

int
show_digits(const struct hold *h, uint64_t n, char *ret, size_t size, struct err *err)
{
	struct buf plain = BUF_INIT;
	struct task t;
	int rc = open_task(&t, &plain, h->key, h->case_id, buf_span(&h->task), err);

	if (rc == 0 && (n == 0 || n > t.n_numbers))
		rc = err_set(err, ERR_NOT_FOUND, "the case has %u numbers", t.n_numbers);
	if (rc == 0)
		rc = copy_out(ret, size, t.numbers[n - 1].digits, err);
	close_task(&plain);
	return rc;
}

int
show_id_no(const struct hold *h, char *ret, size_t size, struct err *err)
{
	struct buf plain = BUF_INIT;
	struct task t;
	int rc = open_task(&t, &plain, h->key, h->case_id, buf_span(&h->task), err);

	if (rc == 0)
		rc = copy_out(ret, size, t.id_no, err);
	close_task(&plain);
	return rc;
}

/* ---- SEEN ---------------------------------------------------------------------------------------- */

static void
put_more(json_t *o, const struct seen_row *row)
{
	const struct meters *m = &row->meters;

	put_text(o, "why", row->why);
	if (row->has_meters) {
		put_u(o, "tries", m->attempts);
		put_u(o, "contacts", m->contacts);
		put_u(o, "seconds", m->seconds);
		put_u(o, "since", m->since);
		put_u(o, "deadline", m->deadline);
		(void)json_object_set_new(o, "asked", json_boolean(m->asked));
	}
	if (row->has_last)
		(void)json_object_set_new(
		    o, "newest", show_last(&row->last, row->case_id, row->key));
}

static json_t *
show_row(const struct seen_row *row, bool whole)
{
	struct buf plain = BUF_INIT;
	json_t *o = json_object();
	struct task t;

	put_hex(o, "case", row->case_id, 16);
	put_text(o, "lane", row->lane);
	put_u(o, "due", row->due);
	put_u(o, "version", row->version);
	if (open_task(&t, &plain, row->key, row->case_id, row->task, NULL) == 0) {
		if (whole) {
			put_task(o, &t);
		} else {
			put_span(o, "no", t.no);
			put_span(o, "name", t.name);
			put_span(o, "major", t.major);
			put_span(o, "school", t.school);
		}
	}
	close_task(&plain);
	put_more(o, row);
	return o;
}

static json_t *
show_rows(struct span f1, show_key_fn *on_key, void *arg)
{
	json_t *list = json_array();
	struct seen_row row;
	struct dec d;
	uint32_t n = seen_rows_open(&d, f1);

	for (uint32_t i = 0; i < n && seen_row_next(&d, &row); i++) {
		on_key(arg, row.case_id, row.key);
		(void)json_array_append_new(list, show_row(&row, false));
	}
	return list;
}

/* [[case, owner, team]] of a number that belongs to somebody else. */
static json_t *
show_owners(struct span f1)
{
	json_t *list = json_array();
	struct dec d = dec_open(f1);
	uint32_t n = dec_array(&d);

	for (uint32_t i = 0; i < n && !d.failed; i++) {
		json_t *o = json_object();
		uint8_t case_id[16];
		char owner[33], team[33];

		(void)dec_array_of(&d, 3);
		(void)dec_bn(&d, case_id, 16);
		dec_opt_name(&d, owner);
		dec_opt_name(&d, team);
		put_hex(o, "case", case_id, 16);
		put_text(o, "owner", owner);
		put_text(o, "team", team);
		if (d.failed)
			json_decref(o);
		else
			(void)json_array_append_new(list, o);
	}
	return list;
}

/* [[person, roles, team, pulled, opened, offer, gate, and if it was asked for stage, pass, pass_end, …]] */
static json_t *
show_me(struct span f1)
{
	static const struct {
		const char *key;
		bool is_text;
	} parts[] = {{"person", true}, {"roles", false}, {"team", true}, {"pulled", false},
	    {"opened", false}, {"offer", true}, {"gate", false}, {"stage", false}, {"pass", false},
	    {"pass_end", false}};
	json_t *list = json_array(), *o = json_object();
	struct dec d = dec_open(f1);
	uint32_t n;

	(void)dec_array(&d);
	n = dec_array(&d);
	for (uint32_t i = 0; i < n && i < sizeof(parts) / sizeof(parts[0]) && !d.failed; i++) {
		if (parts[i].is_text)
			put_span(o, parts[i].key, dec_s(&d, 1000));
		else
			put_u(o, parts[i].key, dec_u(&d));
	}
	(void)json_array_append_new(list, o);
	return list;
}

static json_t *
show_case(struct span f1, show_key_fn *on_key, void *arg)
{
	json_t *list = json_array();
	struct seen_case c;

	if (seen_case_decode(&c, f1, NULL) == 0) {
		json_t *o = show_row(&c.row, true);

		on_key(arg, c.row.case_id, c.row.key);
		(void)json_object_set_new(
		    o, "last", show_lasts(c.last, c.n_last, c.row.case_id, c.row.key));
		(void)json_array_append_new(list, o);
	}
	return list;
}

json_t *
show_seen(const struct msg_seen *m, struct span f1, show_key_fn *on_key, void *arg)
{
	json_t *o = json_object(), *list;

	put_text(o, "what", m->what);
	put_text(o, "code", m->code);
	put_u(o, "page", m->page);
	put_u(o, "pages", m->pages);
	put_u(o, "as_of", m->as_of);
	if (f1.len == 0)
		list = json_array();
	else if (strcmp(m->code, "denied") == 0)
		list = show_owners(f1);
	else if (strcmp(m->what, "me") == 0)
		list = show_me(f1);
	else if (strcmp(m->what, "case") == 0)
		list = show_case(f1, on_key, arg);
	else
		list = show_rows(f1, on_key, arg);
	(void)json_object_set_new(o, "rows", list);
	return o;
}
