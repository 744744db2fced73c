/* sim_loss.c - a recorder with its ledger, the loss of the queue store, and its new life.
 *
 * The ledger is what the log's entries say, folded. A loss empties the store or puts an older copy of it back; the
 * broker's own witness must notice before anything is handed out. Then the store is filled as `hfctl recover redis`
 * does it (ctl/refill.c), by the real entries restore_… of queue.lua; agents come back one by one and send what
 * it lacks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "tests/lib/sim_loss.h"
#include "tests/lib/sim_office.h"

#define KEPT      4
#define LAST      5
#define READ_MOST 500

struct answer {
	uint8_t h[32];
	uint64_t opseq;
	char verdict;
	char why[49];
};

struct box {
	uint8_t ob[16];
	char agent[33];
	struct answer *said; /* of each record from 1 on */
	uint64_t n, marked;
};

/* A case as the ledger knows it. */
struct row {
	struct buf state, blob, task, indexes, last[LAST];
	size_t n_last;
	uint64_t attempts, told;
};

/* An entry of the log that the router may not have read, as its fields. */
struct kept_entry {
	struct logid at;
	struct buf bytes;
	size_t end[24], n;
};

struct ledger {
	struct row *rows;
	struct box *boxes;
	size_t n_boxes;
	struct kept_entry *tail;
	size_t n_tail;
	struct buf kept[KEPT];
	struct logid cursor, router;
	uint64_t opseq;
	struct fake_redis *copy; /* somebody put it aside */
};

static const char *const kept_names[KEPT] = {"book", "policy", "days", "proposal"};
static struct ledger *l;

/* ---- the fold ---- */

static struct box *
box_of(const uint8_t ob[16])
{
	for (size_t i = 0; i < l->n_boxes; i++)
		if (memcmp(l->boxes[i].ob, ob, 16) == 0)
			return &l->boxes[i];
	l->boxes = xrealloc(l->boxes, l->n_boxes + 1, sizeof(*l->boxes));
	l->boxes[l->n_boxes] = (struct box){.n = 0};
	memcpy(l->boxes[l->n_boxes].ob, ob, 16);
	return &l->boxes[l->n_boxes++];
}

static void
set(struct buf *b, struct span s)
{
	buf_clear(b);
	buf_add(b, s.data, s.len);
}

static struct span
word_at(struct span s, int n)
{
	size_t from = 0, to;

	for (; n > 0 && from < s.len; from++)
		n -= s.data[from] == ' ';
	for (to = from; to < s.len && s.data[to] != ' ';)
		to++;
	return span_of(s.data + from, to - from);
}

/* ob(16) BE64(seq) BE32(length of header) header body: the newest five. */
static void
remember_last(struct row *row, const struct frame *f, struct span body)
{
	struct buf *last = &row->last[LAST - 1];

	if (row->n_last == LAST) {
		buf_done(&row->last[0]);
		memmove(&row->last[0], &row->last[1], (LAST - 1) * sizeof(*last));
		*last = (struct buf)BUF_INIT;
	} else {
		last = &row->last[row->n_last++];
	}
	buf_clear(last);
	buf_add(last, f->u.record.ob, 16);
	buf_add_be64(last, f->u.record.seq);
	buf_add_be32(last, (uint32_t)f->u.record.header.len);
	buf_add(last, f->u.record.header.data, f->u.record.header.len);
	buf_add(last, body.data, body.len);
}

static void
fold_one_record(const struct log_entry *e, struct row *row)
{
	static const uint8_t zero[32];
	struct frame f;
	struct record_header h;
	struct box *b;
	struct answer *a;
	struct span verdict = word_at(e->detail, 2), why = word_at(e->detail, 3);

	CHECK(frame_decode(&f, e->f0, NULL) == 0 &&
	      record_header_decode(&h, f.u.record.header, NULL) == 0);
	b = box_of(f.u.record.ob);
	if (f.u.record.seq != b->n + 1 ||
	    memcmp(f.u.record.prev_h, b->n == 0 ? zero : b->said[b->n - 1].h, 32) != 0) {
		sim_fail("ledger_once", "record %ju of an outbox after %ju",
		    (uintmax_t)f.u.record.seq, (uintmax_t)b->n);
		return;
	}
	b->said = xrealloc(b->said, b->n + 1, sizeof(*b->said));
	a = &b->said[b->n++];
	*a = (struct answer){.opseq = e->opseq, .verdict = (char)verdict.data[0]};
	memcpy(a->h, f.u.record.h, 32);
	snprintf(a->why, sizeof(a->why), "%.*s", (int)why.len, (const char *)why.data);
	if (row == NULL || a->verdict == '2')
		return;
	row->attempts += sim_is_attempt(&h);
	row->told += h.kind != REC_TIMER;
	if (h.kind != REC_REVEAL && h.kind != REC_TIMER)
		remember_last(row, &f, e->f1);
}

static void
fold_entry(const struct log_entry *e)
{
	struct row *row = NULL;
	uint64_t i;

	l->opseq = e->opseq;
	if (e->has_case && sim_case_no(e->case_id, &i))
		row = &l->rows[i];
	if (strcmp(e->type, "record") == 0) {
		fold_one_record(e, row);
	} else if (strcmp(e->type, "outbox") == 0) {
		uint8_t ob[16];

		CHECK(hex_decode(ob, 16, (const char *)e->detail.data, 32));
		snprintf(box_of(ob)->agent, 33, "%.32s", (const char *)e->detail.data + 33);
	} else if (strcmp(e->type, "keep") == 0) {
		for (int k = 0; k < KEPT; k++)
			if (span_eq_str(word_at(e->detail, 0), kept_names[k]))
				set(&l->kept[k], e->task);
	}
	if (row == NULL)
		return;
	if (e->state.len > 0)
		set(&row->state, e->state);
	if (e->blob.len > 0)
		set(&row->blob, e->blob);
	if (strcmp(e->type, "create") == 0) {
		set(&row->task, e->task);
		set(&row->indexes, e->indexes);
	}
}

/* ---- the recorder ---- */

static void
keep_entry(const struct fv *fields, struct logid at)
{
	struct kept_entry *t;

	l->tail = xrealloc(l->tail, l->n_tail + 1, sizeof(*l->tail));
	t = &l->tail[l->n_tail++];
	*t = (struct kept_entry){.at = at};
	CHECK(fields->n <= 24);
	for (size_t i = 0; i < fields->n; i++) {
		buf_add(&t->bytes, fields->at[i].s.data, fields->at[i].s.len);
		t->end[t->n++] = t->bytes.len;
	}
}

/* What the router is done with need not come again. */
static void
drop_tail(void)
{
	size_t n = 0;

	while (n < l->n_tail && !logid_after(l->tail[n].at, l->router))
		buf_done(&l->tail[n++].bytes);
	if (n > 0)
		memmove(l->tail, l->tail + n, (l->n_tail - n) * sizeof(*l->tail));
	l->n_tail -= n;
}

static void
read_router_cursor(void)
{
	char key[128];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "router")), span_str("cursor")};
	struct fv r;

	fake_redis_cmd(sim->store, argv, 3, &r);
	if (r.type == FV_STR)
		CHECK(sscanf((const char *)r.s.data, "%" SCNu64 "-%" SCNu64, &l->router.epoch,
		          &l->router.no) == 2);
	fv_done(&r);
}

static uint64_t
upto_of(const struct box *b)
{
	char name[36] = "ob:";

	hex_encode(name + 3, b->ob, 16);
	return sim_hget(name, "upto");
}

static void
mark_entry(struct call *c, const struct box *b, uint64_t level, uint64_t upto)
{
	call_entry(c, "mark");
	call_bytes(c, b->ob, 16);
	call_u(c, level);
	call_u(c, upto);
	call_bytes(c, b->said[b->n - 1].h, 32);
	call_str(c, "receipt");
}

static void
mark(void)
{
	struct call c;
	struct fv r;

	call_begin(&c, "hf1_recorder", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	for (size_t i = 0; i < l->n_boxes; i++) {
		struct box *b = &l->boxes[i];

		if (b->n == 0 || (b->n == b->marked && sim->o.fault != BREAK_RELEASE))
			continue;
		mark_entry(&c, b, 1, b->n);
		mark_entry(&c, b, 2, sim->o.fault == BREAK_RELEASE ? upto_of(b) : b->n);
		b->marked = b->n;
	}
	if (c.entries > 0) {
		sim_fcall(&c, &r);
		fv_done(&r);
	} else {
		call_done(&c);
	}
}

static size_t
record_some(void)
{
	char key[128], id[48];
	struct span argv[4] = {span_str("XREAD"),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "log")), {NULL, 0}, span_str("500")};
	struct fv r;
	size_t n = 0;

	snprintf(id, sizeof(id), "%" PRIu64 "-%" PRIu64, l->cursor.epoch, l->cursor.no);
	argv[2] = span_str(id);
	read_router_cursor();
	fake_redis_cmd(sim->store, argv, 4, &r);
	if (r.type == FV_ARRAY) {
		const struct fv *list = &r.at[0].at[1];

		for (n = 0; n < list->n; n++) {
			const struct fv *fields = &list->at[n].at[1];
			struct span pairs[24];
			struct log_entry e;
			struct err err = ERR_INIT;

			for (size_t k = 0; k < fields->n && k < 24; k++)
				pairs[k] = buf_span(&fields->at[k].s);
			CHECK(log_entry_decode(
			          &e, buf_span(&list->at[n].at[0].s), pairs, fields->n, &err) == 0);
			fold_entry(&e);
			l->cursor = (struct logid){e.epoch, e.no};
			keep_entry(fields, l->cursor);
		}
	}
	fv_done(&r);
	drop_tail();
	return n;
}

static void
record(void *arg, uint64_t n)
{
	(void)arg;
	if (sim->is_over)
		return;
	if (sim->is_store_up) {
		while (
		    (sim->o.fault < BREAK_RELEASE || sim_chance(20)) && record_some() == READ_MOST)
			;
		mark();
		if (sim_chance(30) && sim->n_redis_losses < sim->o.losses) {
			fake_redis_destroy(l->copy);
			l->copy = fake_redis_copy(sim->store);
		}
	}
	sim_after(sim_chance(50) ? (int64_t)sim_rnd(40 * SIM_MINUTE)
	                         : (int64_t)(1 + sim_rnd(sim->is_closing ? 2 : 60)) * SIM_SECOND,
	    record, NULL, n + 1);
}

/* ---- the loss ---- */

static void recover(void *arg, uint64_t n);

static void
new_store(struct fake_redis *f)
{
	fake_redis_destroy(sim->store);
	sim->store = f;
	sim_load_queue(); /* Redis started: the library is loaded anew */
}

/* The broker comes to a store that was started: is it the one that it knew? */
static void
attach(void *arg, uint64_t n)
{
	struct call c;
	struct fv r;
	bool older, other = sim->store_opseq < sim->seen_opseq;

	(void)arg;
	(void)n;
	call_begin(&c, "hf1_broker", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
	call_entry(&c, "attach");
	call_u(&c, sim->n_redis_losses);
	call_str(&c, sim->incarnation);
	call_u(&c, sim->epoch);
	call_u(&c, sim->o.fault == BREAK_WITNESS ? 0 : sim->seen_opseq);
	call_str(&c, "0");
	call_str(&c, "1");
	sim_fcall(&c, &r);
	older = span_eq_str(sim_text(&r.at[4], 3), "older") ||
	        span_eq_str(sim_text(&r.at[4], 0), "err");
	fv_done(&r);
	if (other && !older)
		sim_fail("loss_noticed", "the store is older, and nobody sees it");
	if (older || other) {
		sim_after((int64_t)(1 + sim_rnd(40)) * SIM_MINUTE, recover, NULL, 0);
		return;
	}
	sim->is_store_up = true; /* the copy was the newest there could be */
}

static void
lose(void *arg, uint64_t n)
{
	struct fake_redis *f = sim_chance(500) && l->copy != NULL ? l->copy : NULL;

	(void)arg;
	(void)n;
	if (sim->is_closing || sim->n_redis_losses >= sim->o.losses)
		return;
	if (!sim_loss_is_over()) { /* one loss at a time: two are outside of the promise */
		sim_after(60 * SIM_MINUTE, lose, NULL, 0);
		return;
	}
	sim->n_redis_losses++;
	sim->is_store_up = false;
	sim->seen_opseq = sim_meta("opseq");
	if (f == NULL)
		f = fake_redis_create();
	else
		l->copy = NULL;
	sim_router_cut();
	new_store(f);
	sim->store_opseq = sim_meta("opseq");
	sim_after((int64_t)(1 + sim_rnd(60)) * SIM_SECOND, attach, NULL, 0);
	sim_after((int64_t)(60 + sim_rnd(1200)) * SIM_MINUTE, lose, NULL, 0);
}

/* ---- the new life: ctl/refill.c and ctl/cmd_recover.c ---- */

static void
say(struct call *c)
{
	struct fv r;

	sim_fcall(c, &r);
	for (size_t i = 4; i < r.n; i++)
		if (!span_eq_str(sim_text(&r.at[i], 0), "ok"))
			sim_fail("recovers", "entry %zu is refused: %.*s", i - 3,
			    (int)sim_text(&r.at[i], 1).len,
			    (const char *)sim_text(&r.at[i], 1).data);
	if (r.type != FV_ARRAY)
		sim_fail("recovers", "the store refuses");
	fv_done(&r);
}

static void
begin(struct call *c)
{
	call_begin(c, "hf1_router", SIM_CAMPAIGN, sim_ms(), sim_ms(), 0);
}

static void
put_tail(void)
{
	char key[128], id[48];
	struct span argv[27] = {
	    span_str("XADD"), span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, "log"))};

	for (size_t i = 0; i < l->n_tail; i++) {
		const struct kept_entry *t = &l->tail[i];
		struct fv r;

		snprintf(id, sizeof(id), "%" PRIu64 "-%" PRIu64, t->at.epoch, t->at.no);
		argv[2] = span_str(id);
		for (size_t k = 0; k < t->n; k++)
			argv[3 + k] = span_of(t->bytes.data + (k == 0 ? 0 : t->end[k - 1]),
			    t->end[k] - (k == 0 ? 0 : t->end[k - 1]));
		fake_redis_cmd(sim->store, argv, 3 + t->n, &r);
		fv_done(&r);
	}
}

static void
put_boxes(void)
{
	struct call c;

	for (size_t i = 0; i < l->n_boxes; i++) {
		const struct box *b = &l->boxes[i];
		static const uint8_t zero[32];

		begin(&c);
		call_entry(&c, "restore_ob");
		call_bytes(&c, b->ob, 16);
		call_str(&c, b->agent);
		call_u(&c, b->n);
		call_bytes(&c, b->n == 0 ? zero : b->said[b->n - 1].h, 32);
		call_str(&c, "0");
		for (uint64_t k = b->n > 64 ? b->n - 64 : 0; k < b->n; k++) {
			call_u(&c, k + 1);
			call_bytes(&c, b->said[k].h, 32);
			call_bytes(&c, &b->said[k].verdict, 1);
			call_u(&c, b->said[k].opseq);
			call_str(&c, b->said[k].why);
		}
		say(&c);
	}
}

static void
put_cases(void)
{
	for (uint64_t i = 0; i < sim->o.cases;) {
		struct call c;

		begin(&c);
		for (int n = 0; n < 64 && i < sim->o.cases; n++, i++) {
			struct row *row = &l->rows[i];
			uint8_t id[16];

			if (row->state.len == 0)
				continue;
			sim_case_id(id, i);
			call_entry(&c, "restore_case");
			call_bytes(&c, id, 16);
			call_span(&c, buf_span(&row->state));
			call_span(&c, buf_span(&row->blob));
			call_span(&c, buf_span(&row->task));
			call_span(&c, buf_span(&row->indexes));
			for (size_t k = 0; k < row->n_last; k++)
				call_span(&c, buf_span(&row->last[k]));
		}
		say(&c);
	}
}

static void
put_kept(void)
{
	char at[48];
	struct call c;

	snprintf(at, sizeof(at), "%" PRIu64 "-%" PRIu64, l->router.epoch, l->router.no);
	begin(&c);
	for (int k = 0; k < KEPT; k++) {
		if (l->kept[k].len == 0)
			continue;
		call_entry(&c, "cursor");
		call_str(&c, "router");
		call_str(&c, at);
		call_str(&c, kept_names[k]);
		call_span(&c, buf_span(&l->kept[k]));
	}
	call_entry(&c, "cursor");
	call_str(&c, "router");
	call_str(&c, at);
	say(&c);
}

static void
open_again(void)
{
	struct call c;

	snprintf(sim->incarnation, sizeof(sim->incarnation), "%032ju", (uintmax_t)++sim->epoch);
	begin(&c);
	call_entry(&c, "open");
	call_u(&c, sim->epoch);
	call_str(&c, sim->incarnation);
	call_str(&c, "recover");
	call_str(&c, "1");
	call_u(&c, l->opseq);
	call_str(&c, "1");
	say(&c);
}

static void
recover(void *arg, uint64_t n)
{
	struct call c;

	(void)arg;
	(void)n;
	sim_router_cut();
	new_store(fake_redis_create());
	for (size_t i = 0; i < l->n_boxes; i++)
		l->boxes[i].marked = 0;
	put_tail();
	sim->log_epoch = sim->epoch + 1; /* what is older was looked at */
	sim->log_no = 0;
	open_again();
	sim_admit_all();
	put_boxes();
	put_cases();
	put_kept();
	sim_name_campaign();
	begin(&c);
	call_entry(&c, "restored");
	call_u(&c, 0);
	for (size_t i = 0; i < sim->n_people; i++)
		call_str(&c, sim->people[i].agent);
	say(&c);
	l->cursor = (struct logid){sim->epoch, 0};
	sim->is_store_up = true;
	sim->recovered_at = sim->now;
	sim_check_log();
	sim_people_come_back();
}

/* ---- what others ask ---- */

bool
sim_store_serves(void)
{
	return sim->is_store_up;
}

bool
sim_loss_is_over(void)
{
	return sim->is_store_up && sim_meta("doubt") == 0 && sim_meta("mode") == 0;
}

uint64_t
sim_ledger_told(uint64_t i)
{
	return l->rows[i].told;
}

bool
sim_ledger_has(struct span log_id)
{
	struct logid at = {0, 0};

	return sscanf((const char *)log_id.data, "%" SCNu64 "-%" SCNu64, &at.epoch, &at.no) == 2 &&
	       !logid_after(at, l->cursor);
}

uint64_t
sim_ledger_attempts(uint64_t i)
{
	return l->rows[i].attempts;
}

void
sim_check_ledger(void)
{
	while (record_some() == READ_MOST)
		;
	for (size_t i = 0; i < sim->n_people; i++) {
		const struct sim_person *p = &sim->people[i];
		const struct box *b = box_of(p->ob);

		if (b->n != p->n_records ||
		    (b->n > 0 && memcmp(b->said[b->n - 1].h, p->records[b->n - 1].h, 32) != 0))
			sim_fail("ledger_once", "%s said %zu, the ledger has %ju", p->name,
			    p->n_records, (uintmax_t)b->n);
	}
}

void
sim_loss_make(void)
{
	l = xcalloc(1, sizeof(*l));
	l->rows = xcalloc(sim->o.cases, sizeof(*l->rows));
	snprintf(sim->incarnation, sizeof(sim->incarnation), "%s", SIM_FIRST_LIFE);
	sim_after(SIM_SECOND, record, NULL, 0);
	if (sim->o.losses > 0)
		sim_after((int64_t)(60 + sim_rnd(1200)) * SIM_MINUTE, lose, NULL, 0);
}

void
sim_loss_free(void)
{
	for (uint64_t i = 0; i < sim->o.cases; i++) {
		struct row *r = &l->rows[i];

		buf_done(&r->state);
		buf_done(&r->blob);
		buf_done(&r->task);
		buf_done(&r->indexes);
		for (size_t k = 0; k < LAST; k++)
			buf_done(&r->last[k]);
	}
	for (size_t i = 0; i < l->n_boxes; i++)
		free(l->boxes[i].said);
	for (size_t i = 0; i < l->n_tail; i++)
		buf_done(&l->tail[i].bytes);
	for (int k = 0; k < KEPT; k++)
		buf_done(&l->kept[k]);
	fake_redis_destroy(l->copy);
	free(l->tail);
	free(l->boxes);
	free(l->rows);
	free(l);
	l = NULL;
}
