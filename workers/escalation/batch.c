/* batch.c - work as one FCALL of hf1_router, and what its answers mean.
 *
 * Each entry of the batch has one answer, in order; `sent` says what each was about. A place that lost
 * against a newer version is no failure: the log brings the newer state, and the case is looked at again.
 * Anything that leaves the outcome open ends in a reload. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/escalation/gateway.h"
#include "workers/link/records.h"

#define ZERO_TOKEN "0000000000000000"

struct words {
	char entry[24];
	struct buf bytes;
	size_t end[12];
	size_t n;
};

struct words *
words_make(const char *entry)
{
	struct words *w = xcalloc(1, sizeof(*w));

	snprintf(w->entry, sizeof(w->entry), "%s", entry);
	return w;
}

void
words_add(struct words *w, struct span s)
{
	CHECK(w->n < sizeof(w->end) / sizeof(w->end[0]));
	buf_add(&w->bytes, s.data, s.len);
	w->end[w->n++] = w->bytes.len;
}

void
words_str(struct words *w, const char *s)
{
	words_add(w, span_str(s));
}

void
words_u(struct words *w, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	words_str(w, text);
}

void
words_queue(struct router *r, struct words *w)
{
	work_add(r, WORK_WORDS, w);
}

void
batch_work_done(struct work *w)
{
	if (w->kind == WORK_WORDS && w->ptr != NULL) {
		buf_done(&((struct words *)w->ptr)->bytes);
		free(w->ptr);
	}
	if (w->kind == WORK_MESSAGE)
		free(w->ptr);
	w->ptr = NULL;
}

/* ---- writing ---- */

static void
write_logid(struct call *call, struct logid id)
{
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, id.epoch, id.no);
	call_str(call, text);
}

/* rung-4: whoever gets the case sees which one is due. */
static const char *
rung_word(char word[16], unsigned rung)
{
	snprintf(word, 16, "%s-%u", reason_code(REASON_RUNG), rung);
	return word;
}

static void
write_place(struct router *r, struct call *call, struct rcase *c)
{
	uint8_t blob[LAW_BLOB_MAX];
	size_t len = law_case_pack(blob, &c->law);
	char word[16];

	call_entry(call, "place");
	call_bytes(call, c->id, 16);
	call_u(call, c->version);
	write_logid(call, c->at);
	call_bytes(call, blob, len);
	memcpy(c->saved_blob, blob, len);
	c->saved_len = len;
	if (!case_moves(r, c))
		return;
	call_str(call, c->want.lane);
	call_u(call, (uint64_t)c->want.due);
	if (c->want.reason == REASON_STAYS && c->why[0] != '\0')
		call_str(call, c->why);
	else if (c->want.reason == REASON_RUNG && c->law.rung != 0)
		call_str(call, rung_word(word, c->law.rung));
	else
		call_str(call, reason_code(c->want.reason));
	call_str(call, c->want.text);
	call_str(call, c->want.owner[0] == '\0'               ? "-"
	               : strcmp(c->want.owner, c->owner) == 0 ? ""
	                                                      : c->want.owner);
	r->n_places++;
}

static void
sent(struct router *r, enum work_kind kind, void *ptr)
{
	CHECK(r->n_sent < sizeof(r->sent) / sizeof(r->sent[0]));
	r->sent[r->n_sent++] = (struct work){kind, ptr};
}

static void
write_case(struct router *r, struct call *call, struct rcase *c)
{
	uint8_t blob[LAW_BLOB_MAX];
	size_t len = law_case_pack(blob, &c->law);

	c->is_queued = false;
	if (case_moves(r, c) || len != c->saved_len || memcmp(blob, c->saved_blob, len) != 0) {
		write_place(r, call, c);
		sent(r, WORK_CASE, c);
	} else {
		case_saved(r, c);
	}
}

/* A signed link of the router's own chain. It moves nothing by itself. */
static void
write_own(struct router *r, struct call *call, struct record_header *h)
{
	struct records_clock clock = {(uint64_t)clock_wall_ms(), (uint64_t)clock_boot_us()};
	struct records_made m;
	struct buf f0 = BUF_INIT;
	struct err err = ERR_INIT;

	memcpy(h->person, "router", sizeof("router"));
	records_stamp(h, &clock);
	if (records_make(&m, r->id.sign_sk, r->ob, r->seq + 1, r->head, h, NULL, NULL, &err) != 0)
		CHECK(0); /* our own header is a good one */
	records_frame(&f0, r->ob, r->head, &m.r, 0);
	call_entry(call, "record");
	call_bytes(call, r->ob, 16);
	call_u(call, r->seq + 1);
	call_bytes(call, r->head, 32);
	call_bytes(call, m.r.h, 32);
	call_str(call, "router");
	call_u(call, h->kind);
	call_str(call, "0");
	call_bytes(call, h->case_id, 16);
	call_str(call, ZERO_TOKEN);
	call_str(call, "0");
	call_span(call, buf_span(&f0));
	call_str(call, "");
	call_span(call, m.r.header);
	r->seq++;
	memcpy(r->head, m.r.h, 32);
	buf_done(&f0);
	records_done(&m);
}

/* What time did. */
static void
write_timer(struct router *r, struct call *call, const struct rcase *c)
{
	struct record_header h = {.kind = REC_TIMER, .has_case = true};

	memcpy(h.case_id, c->id, 16);
	/* A deadline may only make the case urgent, where it is. */
	field_set_s(
	    &h, F_what, c->timer_why == REASON_STAYS ? "deadline" : reason_code(c->timer_why));
	write_own(r, call, &h);
	r->n_timers++;
}

/* What the gateway said of a message. */
static void
write_message(struct router *r, struct call *call, const struct message_told *m)
{
	struct record_header h = {.kind = REC_MESSAGE, .has_case = true};

	memcpy(h.case_id, m->case_id, 16);
	field_set_s(&h, F_channel, m->rung == 1 ? "sms" : "wechat");
	field_set_b(&h, F_number, m->number, 8);
	field_set_u(&h, F_rung, (uint64_t)m->rung);
	field_set_u(&h, F_count, m->tries);
	field_set_s(&h, F_verdict, m->verdict);
	write_own(r, call, &h);
}

static void
write_offer(struct router *r, struct call *call, struct rperson *p)
{
	struct buf text = BUF_INIT;
	const char *at;
	char word[80];

	(void)offers_text(r, p, &text);
	call_entry(call, "offer");
	call_str(call, p->person);
	at = (const char *)text.data;
	while (*at != '\0') {
		size_t len = strcspn(at, " ");

		CHECK(len < sizeof(word));
		memcpy(word, at, len);
		word[len] = '\0';
		call_str(call, word);
		at += len + (at[len] == ' ');
	}
	buf_done(&p->offer);
	p->offer = text;
	p->offer_queued = false;
}

static void
write_words(struct call *call, const struct words *w)
{
	call_entry(call, w->entry);
	for (size_t i = 0; i < w->n; i++) {
		size_t from = i == 0 ? 0 : w->end[i - 1];

		call_bytes(call, w->bytes.data + from, w->end[i] - from);
	}
}

#define CURSOR_PAIRS 4 /* of one entry: ARCHITECTURE.md 3.3 */

static void
write_cursor(struct router *r, struct call *call)
{
	struct buf book = BUF_INIT, days = BUF_INIT, hours = BUF_INIT;
	int pairs = 0;

	call_entry(call, "cursor");
	call_str(call, "router");
	write_logid(call, r->done);
	if (r->book_dirty) {
		pairs++;
		book_print(&book, &r->book);
		call_str(call, "book");
		call_span(call, buf_span(&book));
		r->book_dirty = false;
		buf_done(&book);
	}
	pairs += r->policy_dirty + r->proposal_dirty + r->days_dirty;
	if (r->policy_dirty) {
		call_str(call, "policy");
		call_span(call, buf_span(&r->policy_text));
		r->policy_dirty = false;
	}
	if (r->proposal_dirty) {
		call_str(call, "proposal");
		call_span(call, buf_span(&r->proposal));
		r->proposal_dirty = false;
	}
	if (r->days_dirty) {
		days_print(&days, &r->days);
		call_str(call, "days");
		call_span(call, buf_span(&days));
		r->days_dirty = false;
		buf_done(&days);
	}
	if (r->free_dirty && pairs < CURSOR_PAIRS) {
		pairs++;
		freehours_print(&hours, r);
		call_str(call, "free");
		call_span(call, buf_span(&hours));
		r->free_dirty = false;
		buf_done(&hours);
	}
	if (r->lost != r->lost_sent && pairs < CURSOR_PAIRS) {
		pairs++;
		call_str(call, "lost");
		call_u(call, (uint64_t)r->lost);
		r->lost_sent = r->lost;
	}
	if (r->closing.len > 0 && pairs < CURSOR_PAIRS) { /* else with the next one */
		call_str(call, "closing");
		call_span(call, buf_span(&r->closing));
		buf_clear(&r->closing);
	}
	r->cursor = r->done;
}

static void
write_lead(struct router *r, struct call *call)
{
	char next[96], hex[33];

	hex_encode(hex, r->ob, 16);
	snprintf(next, sizeof(next), "%s %ju", hex, (uintmax_t)++r->beat);
	call_entry(call, "lead");
	call_str(call, r->lead);
	call_str(call, next);
	memcpy(r->lead, next, sizeof(next));
}

static void
write_work(struct router *r, struct call *call, struct work *w)
{
	switch (w->kind) {
	case WORK_CASE: write_case(r, call, w->ptr); return; /* says itself what it sent */
	case WORK_TIMER: write_timer(r, call, w->ptr); break;
	case WORK_MESSAGE: write_message(r, call, w->ptr); break;
	case WORK_CREATE: creation_write(w->ptr, r, call); break;
	case WORK_OFFER: write_offer(r, call, w->ptr); break;
	case WORK_WORDS: write_words(call, w->ptr); break;
	case WORK_LEAD: write_lead(r, call); break;
	case WORK_CURSOR: write_cursor(r, call); break;
	}
	sent(r, w->kind, w->ptr);
}

/* ---- answers ---- */

static bool
says(const struct rds_reply *entry, size_t i, const char *word)
{
	return span_eq_str(rds_str(rds_at(entry, i)), word);
}

static void
placed(struct router *r, struct rcase *c, const struct rds_reply *entry)
{
	struct span v = rds_str(rds_at(entry, 1));

	if (!says(entry, 0, "ok")) {
		/* Somebody was faster. The blob there is the older one; the log brings the rest. */
		c->saved_len = 0;
		r->n_mismatches++;
		return;
	}
	if (!text_to_u64((const char *)v.data, v.len, &c->version))
		return;
	c->saved_at = c->at;
	case_saved(r, c);
	if (says(entry, 2, "held")) {
		c->held = true;
		return;
	}
	if (says(entry, 2, "doubt"))
		return;
	if (case_moves(r, c)) {
		memcpy(c->lane, c->want.lane, sizeof(c->want.lane));
		c->due = c->want.due;
		memcpy(c->owner, c->want.owner, sizeof(c->owner));
	}
}

/* false: nothing is certain any more. */
static bool
answered(struct router *r, struct work *w, const struct rds_reply *entry)
{
	bool ok = says(entry, 0, "ok");
	struct span why = rds_str(rds_at(entry, 1));

	if (!ok && !(w->kind == WORK_CASE && says(entry, 0, "no"))) {
		log_error("batch.refused", "work=%d why=\"%.*s\"", (int)w->kind, (int)why.len,
		    (const char *)why.data);
		if ((w->kind == WORK_TIMER || w->kind == WORK_MESSAGE) &&
		    (span_eq_str(why, "frozen") || span_eq_str(why, "equivocation")))
			own_new_outbox(r);
		/* A bad word of an operator's must not stop all others. */
		return w->kind == WORK_WORDS || w->kind == WORK_CREATE;
	}
	switch (w->kind) {
	case WORK_CASE: placed(r, w->ptr, entry); break;
	case WORK_CREATE: imports_created(r, w->ptr, says(entry, 1, "created")); break;
	case WORK_LEAD: r->lead_at = clock_boot_us(); break;
	case WORK_TIMER:
	case WORK_MESSAGE:
	case WORK_OFFER:
	case WORK_WORDS:
	case WORK_CURSOR: break;
	}
	return true;
}

struct flight {
	struct router *r;
	uint64_t generation;
};

static void
on_batch(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct flight *f = arg;
	struct router *r = f->r;
	bool mine = f->generation == r->generation;
	struct span epoch;
	uint64_t e;

	free(f);
	if (!mine)
		return;
	r->is_inflight = false;
	epoch = rds_str(rds_at(reply, 1));
	if (err != NULL || rds_type(reply) != RDS_ARRAY ||
	    !text_to_u64((const char *)epoch.data, epoch.len, &e) || e != r->epoch ||
	    rds_len(reply) != 4 + r->n_sent) {
		router_reload(r, err != NULL                    ? err->text
		                 : rds_type(reply) == RDS_ERROR ? "redis refused the batch"
		                                                : "another epoch");
		return;
	}
	r->mode = span_eq_str(rds_str(rds_at(reply, 0)), "2") ? MODE_HALTED : MODE_NORMAL;
	for (size_t i = 0; i < r->n_sent; i++) {
		if (!answered(r, &r->sent[i], rds_at(reply, 4 + i))) {
			router_reload(r, "an entry of the batch was refused");
			return;
		}
		batch_work_done(&r->sent[i]);
	}
	r->n_sent = 0;
	pump(r);
}

void
batch_send(struct router *r)
{
	struct flight *f;
	struct call call;
	const struct span *argv;
	size_t n = 0, argc;

	CHECK(!r->is_inflight && r->n_sent == 0);
	r->n_batches++;
	call_begin(
	    &call, "hf1_router", r->campaign, clock_campaign_ms(), clock_wall_ms(), r->epoch);
	while (r->first_work < r->n_work && n++ < BATCH_ENTRIES)
		write_work(r, &call, &r->work[r->first_work++]);
	if (r->first_work == r->n_work)
		r->first_work = r->n_work = 0;
	if (r->n_sent > 0) {
		f = xmalloc(sizeof(*f));
		*f = (struct flight){r, r->generation};
		argv = call_argv(&call, &argc);
		r->is_inflight = true;
		rds_cmd(r->link, argv, argc, CALL_US, on_batch, f);
	}
	call_done(&call);
}
