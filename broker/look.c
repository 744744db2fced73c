/* look.c - pages read from the store, by right; a row is shown together with its case key.
 *
 * Entries `own`, `lane` and `number` answer rows of ROW_FIELDS: case, lane (or hand:<person>),
 * due, version, owner, task, why, blob, newest record. The store's pages are halved, so that a page fits into F1; a
 * newest record that does not fit is left out, and a row that does not fit even so is counted. A row whose key is not known (any more) is not
 * shown at all. */
#include "broker/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/keyring.h"
#include "broker/rights.h"
#include "broker/work.h"
#include "proto/call.h"
#include "proto/codec.h"
#include "proto/keys.h"
#include "proto/lists.h"
#include "proto/roles.h"

#define ROW_FIELDS 9
#define PAGE_ROWS  25 /* half of the store's page */
#define PAGES_MAX  1000000
#define OFFER_MAX  255
#define ARRAY_ROOM 8 /* bytes kept for the head of the list of rows */

struct look_request {
	struct request rq;
	struct msg_look m;
	bool more; /* the rows shall say why, how often, and what was said last */
};

static void
send_seen(const struct look_request *q, struct session *s, uint64_t pages, const char *code,
    struct span f1)
{
	struct frame f = {.kind = MSG_SEEN};
	struct msg_seen *m = &f.u.seen;

	m->look_no = q->m.look_no;
	memcpy(m->what, q->m.what, sizeof(m->what));
	m->page = q->m.page;
	m->pages = pages;
	m->as_of = (uint64_t)clock_campaign_ms();
	(void)snprintf(m->code, sizeof(m->code), "%s", code);
	answer_send(q->rq.b, s, &f, f1);
}

static void
send_code(const struct look_request *q, struct session *s, const char *code)
{
	send_seen(q, s, 0, code, span_of("", 0));
}

/* ---- rows ---- */

struct row {
	struct seen_row seen;
	name_t owner, hand; /* "" for none */
};

static bool
read_row(const struct look_request *q, struct row *ret, const struct reply *r, size_t at)
{
	struct seen_row *seen = &ret->seen;

	memset(ret, 0, sizeof(*ret));
	if (!reply_bytes(r, at, seen->case_id, sizeof(seen->case_id)))
		return false;
	reply_text(r, at + 1, seen->lane, sizeof(seen->lane));
	seen->due = reply_u(r, at + 2);
	seen->version = reply_u(r, at + 3);
	reply_text(r, at + 4, ret->owner, sizeof(ret->owner));
	if (strcmp(ret->owner, "-") == 0)
		ret->owner[0] = '\0';
	if (strncmp(seen->lane, "hand:", 5) == 0)
		(void)snprintf(ret->hand, sizeof(ret->hand), "%.32s", seen->lane + 5);
	seen->task = reply_at(r, at + 5);
	seen->more = q->more;
	reply_text(r, at + 6, seen->why, sizeof(seen->why));
	seen->has_meters = meters_read(&seen->meters, reply_at(r, at + 7));
	seen->has_last = work_last(&seen->last, reply_at(r, at + 8));
	return keyring_get(q->rq.b->keys, seen->case_id, seen->key);
}

struct page {
	struct buf rows;
	uint32_t n, left_out;
};

static bool
page_fits(struct page *p, const struct seen_row *row, size_t room)
{
	size_t before = p->rows.len;

	if (row->task.len + row->last.body.len + HEADER_MAX + 256 > F1_MAX)
		return false;
	seen_row_encode(&p->rows, row);
	if (p->rows.len + ARRAY_ROOM <= room)
		return true;
	p->rows.len = before;
	return false;
}

/* A newest record comes along while its row keeps to its share of the page: no row loses its place to one. */
static void
page_add(struct page *p, const struct seen_row *row)
{
	struct seen_row bare = *row;

	bare.has_last = false;
	bare.last.body = span_of("", 0);
	if (page_fits(p, row, (size_t)(p->n + 1) * F1_MAX / PAGE_ROWS) ||
	    page_fits(p, &bare, F1_MAX))
		p->n++;
	else
		p->left_out++;
	crypt_wipe(bare.key, sizeof(bare.key));
}

static void
page_send(const struct look_request *q, struct session *s, struct page *p, uint64_t pages)
{
	struct buf f1 = BUF_INIT;

	if (p->left_out > 0)
		log_warn(
		    "look.left_out", "rows=%u decision=\"page sent without them\"", p->left_out);
	enc_array(&f1, p->n);
	buf_add(&f1, p->rows.data, p->rows.len);
	send_seen(q, s, pages, "ok", buf_span(&f1));
	if (p->rows.len > 0)
		crypt_wipe(p->rows.data, p->rows.len);
	crypt_wipe(f1.data, f1.len);
	buf_done(&p->rows);
	buf_done(&f1);
}

/* pages, rows: the half that was asked for. */
static void
see_page(const struct look_request *q, struct session *s, const struct reply *r)
{
	size_t from = (size_t)(q->m.page % 2) * PAGE_ROWS;
	struct page page = {.n = 0};
	struct row row;

	for (size_t i = from; i < from + PAGE_ROWS; i++) {
		size_t at = 1 + i * ROW_FIELDS;

		if (at + ROW_FIELDS > r->n)
			break;
		if (read_row(q, &row, r, at))
			page_add(&page, &row.seen);
		crypt_wipe(row.seen.key, sizeof(row.seen.key));
	}
	page_send(q, s, &page, reply_u(r, 0) * 2);
}

static const char *
team_of(struct broker *b, const char *owner)
{
	const struct person *p = owner[0] == '\0' ? NULL : roster_person(b->roster, owner);

	return p == NULL ? "" : p->team;
}

/* Nothing of it may be seen: only whose it is. */
static void
tell_owner(const struct look_request *q, struct session *s, const struct row *row)
{
	struct buf f1 = BUF_INIT;

	enc_array(&f1, 1);
	enc_array(&f1, 3);
	enc_b(&f1, row->seen.case_id, sizeof(row->seen.case_id));
	enc_s(&f1, row->owner);
	enc_s(&f1, team_of(q->rq.b, row->owner));
	send_seen(q, s, 1, "denied", buf_span(&f1));
	buf_done(&f1);
}

static void
see_number(const struct look_request *q, struct session *s, const struct reply *r)
{
	struct broker *b = q->rq.b;
	const struct person *p = roster_person(b->roster, q->m.person);
	struct page page = {.n = 0};
	struct row row, hidden;
	bool has_hidden = false;

	for (size_t at = 1; p != NULL && at + ROW_FIELDS <= r->n; at += ROW_FIELDS) {
		if (!read_row(q, &row, r, at))
			continue;
		if (rights_see(p, row.seen.lane, row.owner, row.hand, row.seen.why,
		        team_of(b, row.owner))) {
			page_add(&page, &row.seen);
		} else {
			hidden = row;
			has_hidden = true;
		}
		crypt_wipe(row.seen.key, sizeof(row.seen.key));
	}
	if (page.n > 0)
		page_send(q, s, &page, 1);
	else if (has_hidden)
		tell_owner(q, s, &hidden);
	else
		send_code(q, s, "not-found");
	if (has_hidden)
		crypt_wipe(hidden.seen.key, sizeof(hidden.seen.key));
	buf_done(&page.rows);
}

/* state text, blob, task, k, last … */
static void
see_case(const struct look_request *q, struct session *s, const struct reply *r)
{
	struct broker *b = q->rq.b;
	const struct person *p = roster_person(b->roster, q->m.person);
	struct seen_case sc = {.row.task = reply_at(r, 2)};
	struct buf f1 = BUF_INIT;
	struct case_state st;

	if (case_state_decode(&st, reply_at(r, 0), NULL) != 0) {
		send_code(q, s, "unavailable");
		return;
	}
	if (p == NULL || !rights_see(p, st.lane, st.owner, st.hand, st.why, team_of(b, st.owner))) {
		send_code(q, s, "denied");
		return;
	}
	if (!keyring_get(b->keys, q->m.case_id, sc.row.key)) {
		send_code(q, s, "unavailable");
		return;
	}
	memcpy(sc.row.case_id, q->m.case_id, sizeof(sc.row.case_id));
	if (st.held)
		(void)snprintf(sc.row.lane, sizeof(sc.row.lane), "hand:%s", st.hand);
	else
		memcpy(sc.row.lane, st.lane, sizeof(sc.row.lane));
	sc.row.due = st.due > 0 ? (uint64_t)st.due : 0;
	sc.row.version = st.version;
	sc.n_last = work_last_records(sc.last, r, 3);
	seen_case_encode(&f1, &sc);
	send_seen(q, s, 1, "ok", buf_span(&f1));
	crypt_wipe(sc.row.key, sizeof(sc.row.key));
	crypt_wipe(f1.data, f1.len);
	buf_done(&f1);
}

/* persons row, pulled, opened, max, lanes, gate, mode, paused, by whom, why, stage, pass, its end */
static void
see_me(const struct look_request *q, struct session *s, const struct reply *r)
{
	const struct person *p = roster_person(q->rq.b->roster, q->m.person);
	struct span offer = reply_at(r, 4);
	struct buf f1 = BUF_INIT;

	if (offer.len > OFFER_MAX)
		offer.len = OFFER_MAX;
	enc_array(&f1, 1);
	enc_array(&f1, q->more ? 10 : 7);
	enc_s(&f1, q->m.person);
	enc_u(&f1, p == NULL ? 0 : p->roles);
	enc_s(&f1, p == NULL ? "" : p->team);
	enc_u(&f1, reply_u(r, 1));
	enc_u(&f1, reply_u(r, 2));
	enc_sn(&f1, (const char *)offer.data, offer.len);
	enc_u(&f1, reply_u(r, 5));
	for (size_t i = 10; q->more && i < 13; i++)
		enc_u(&f1, reply_u(r, i));
	send_seen(q, s, 1, "ok", buf_span(&f1));
	buf_done(&f1);
}

/* ---- asking ---- */

static bool
ask_own(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	(void)b;
	(void)f1;
	op_str(o, m->person);
	op_u(o, m->page / 2);
	return true;
}

static bool
ask_team(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	const struct person *p = roster_person(b->roster, m->person);
	char lane[80];

	(void)f1;
	if (p == NULL || p->team[0] == '\0')
		return false;
	(void)snprintf(lane, sizeof(lane), "team:%s", p->team);
	op_str(o, lane);
	op_u(o, m->page / 2);
	return true;
}

static bool
ask_strike(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	(void)b;
	(void)f1;
	op_str(o, "strike");
	op_u(o, m->page / 2);
	return true;
}

static bool
ask_papers(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	(void)b;
	(void)f1;
	op_str(o, "papers");
	op_u(o, m->page / 2);
	return true;
}

static bool
ask_case(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	(void)b;
	(void)f1;
	op_bytes(o, m->case_id, sizeof(m->case_id));
	return m->has_case;
}

static bool
ask_number(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	uint8_t index[8];

	(void)m;
	if (!work_number_index(b, f1, index))
		return false;
	op_bytes(o, index, sizeof(index));
	return true;
}

static bool
ask_me(struct op *o, struct broker *b, const struct msg_look *m, struct span f1)
{
	(void)b;
	(void)f1;
	op_str(o, m->person);
	return true;
}

static const struct look_row {
	const char *what, *entry;
	uint32_t roles; /* 0: everybody */
	/* false: nothing can be asked for, the answer is not-found */
	bool (*ask)(struct op *o, struct broker *b, const struct msg_look *m, struct span f1);
	void (*see)(const struct look_request *q, struct session *s, const struct reply *r);
} rows[] = {
    {"own", "own", 0, ask_own, see_page},
    {"team", "lane", ROLE_LEADER | ROLE_DEPUTY, ask_team, see_page},
    {"strike", "lane", ROLE_STRIKE | ROLE_STRIKE_HEAD, ask_strike, see_page},
    {"papers", "lane", ROLE_DATA | ROLE_DESIGNATED | ROLE_CALLBACK_HEAD, ask_papers, see_page},
    {"case", "case", 0, ask_case, see_case},
    {"number", "number", 0, ask_number, see_number},
    {"me", "me", 0, ask_me, see_me},
};

static const struct look_row *
row_of(const char *what)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].what, what) == 0)
			return &rows[i];
	return NULL;
}

static void
on_look(void *arg, const struct reply *r)
{
	struct look_request *q = arg;
	struct session *s = request_end(&q->rq);

	if (s != NULL && !request_failed(&q->rq, s, r)) {
		if (r->outcome == DONE_OK)
			row_of(q->m.what)->see(q, s, r);
		else
			send_code(q, s, "not-found");
	}
	free(q);
}

void
look_on(struct broker *b, struct session *s, const struct msg_look *m, struct span f1)
{
	const struct person *p = work_person(b, s, m->person, MSG_LOOK, m->look_no);
	const struct look_row *row = row_of(m->what);
	struct look_request *q, refused = {.rq = {.b = b}, .m = *m};
	struct op *o;

	if (p == NULL)
		return;
	if (row == NULL || m->page >= PAGES_MAX) {
		send_code(&refused, s, "not-found");
		return;
	}
	if (row->roles != 0 && (p->roles & row->roles) == 0) {
		send_code(&refused, s, "denied");
		return;
	}
	q = xcalloc(1, sizeof(*q));
	o = op_create(row->entry, on_look, q);
	q->m = *m;
	q->more = (row->see == see_page || row->see == see_me) && span_eq_str(f1, LOOK_MORE);
	if (!row->ask(o, b, m, f1)) {
		op_discard(o);
		free(q);
		send_code(&refused, s, "not-found");
		return;
	}
	request_begin(&q->rq, b, s, MSG_LOOK, m->look_no);
	op_submit(b->batch, o);
}
