/* logread.c - log entries that were read and wait, and what each one means.
 *
 * Happy path: a record is translated, folded and decided; a grant, give-back, expiry or place brings the
 * newer state of its case. An entry is applied whole or, when something must be asked for first, not at
 * all and again later. What does not read is told and passed over: the log must go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/escalation/ask.h"
#include "workers/escalation/router.h"

#define PAIRS_MAX 32

struct copied {
	struct buf bytes;
	size_t n; /* spans: the id, then fields and values */
	size_t end[PAIRS_MAX + 1];
};

struct chunk {
	struct copied *at;
	size_t first, n, cap;
	struct span pairs[PAIRS_MAX];
};

struct chunk *
chunk_create(void)
{
	return xcalloc(1, sizeof(struct chunk));
}

void
chunk_clear(struct chunk *c)
{
	while (c->first < c->n)
		chunk_drop(c);
	c->first = c->n = 0;
}

void
chunk_destroy(struct chunk *c)
{
	if (c == NULL)
		return;
	chunk_clear(c);
	free(c->at);
	free(c);
}

bool
chunk_is_empty(const struct chunk *c)
{
	return c->first == c->n;
}

static void
copy_span(struct copied *e, struct span s)
{
	buf_add(&e->bytes, s.data, s.len);
	e->end[e->n++] = e->bytes.len;
}

void
chunk_take(struct chunk *c, const struct rds_reply *entries)
{
	for (size_t i = 0; i < rds_len(entries); i++) {
		const struct rds_reply *entry = rds_at(entries, i), *pairs = rds_at(entry, 1);
		size_t n = rds_len(pairs) < PAIRS_MAX ? rds_len(pairs) : PAIRS_MAX;
		struct copied *e;

		if (c->first == c->n)
			c->first = c->n = 0;
		if (c->n == c->cap) {
			c->cap = c->cap == 0 ? CHUNK_ENTRIES : 2 * c->cap;
			c->at = xrealloc(c->at, c->cap, sizeof(*c->at));
		}
		e = &c->at[c->n++];
		memset(e, 0, sizeof(*e));
		copy_span(e, rds_str(rds_at(entry, 0)));
		for (size_t k = 0; k < n; k++)
			copy_span(e, rds_str(rds_at(pairs, k)));
	}
}

void
chunk_drop(struct chunk *c)
{
	CHECK(c->first < c->n);
	buf_done(&c->at[c->first++].bytes);
}

bool
chunk_peek(struct chunk *c, struct log_entry *ret)
{
	struct err err = ERR_INIT;

	while (c->first < c->n) {
		const struct copied *e = &c->at[c->first];
		struct span id = span_of(e->bytes.data, e->end[0]);

		for (size_t i = 1; i < e->n; i++)
			c->pairs[i - 1] =
			    span_of(e->bytes.data + e->end[i - 1], e->end[i] - e->end[i - 1]);
		if (log_entry_decode(ret, id, c->pairs, e->n - 1, &err) == 0)
			return true;
		log_error("log.entry", "id=%.*s why=\"%s\" decision=\"passed over\"", (int)id.len,
		    (const char *)id.data, err.text);
		chunk_drop(c);
	}
	return false;
}

/* ---- what an entry means ---- */

/* The n-th word of a detail text, from 0. */
static struct span
word(struct span s, int n)
{
	const uint8_t *at = s.data, *end = s.data + s.len;

	for (;;) {
		const uint8_t *stop = memchr(at, ' ', (size_t)(end - at));

		stop = stop == NULL ? end : stop;
		if (n-- == 0)
			return span_of(at, (size_t)(stop - at));
		if (stop == end)
			return span_of(end, 0);
		at = stop + 1;
	}
}

static struct span
after_word(struct span s)
{
	struct span w = word(s, 0);
	size_t skip = w.len < s.len ? w.len + 1 : w.len;

	return span_of(s.data + skip, s.len - skip);
}

static void
name_of(name_t out, struct span w)
{
	memset(out, 0, sizeof(name_t));
	if (w.len <= NAME_MAX_LEN && text_is_id((const char *)w.data, w.len))
		memcpy(out, w.data, w.len);
}

/* The header of the record that `h` names, out of what Redis keeps of the case's newest ones. */
static bool
ref_header(struct router *r, const struct record_header *h, struct record_header *ret)
{
	struct span rest = buf_span(&r->answer);

	/* Entries stand one behind the other, each after its length. */
	while (rest.len >= 4) {
		size_t len = be32_get(rest.data);
		struct last_record last;

		if (len > rest.len - 4)
			return false;
		if (last_entry_decode(&last, span_of(rest.data + 4, len), NULL) == 0 &&
		    memcmp(last.ob, h->f[F_ref_ob].bytes.data, 16) == 0 &&
		    last.seq == h->f[F_ref_seq].u)
			return record_header_decode(ret, last.header, NULL) == 0;
		rest = span_of(rest.data + 4 + len, rest.len - 4 - len);
	}
	return false;
}

static void
on_last(struct router *r, const struct rds_reply *reply)
{
	ask_pieces(&r->answer, reply);
	r->has_answer = true;
	pump(r);
}

static void
ask_last(struct router *r, const uint8_t case_id[16])
{
	char key[128], name[48] = "last:";
	struct span argv[4];

	hex_encode(name + 5, case_id, 16);
	call_key(key, sizeof(key), r->campaign, name);
	argv[0] = span_str("LRANGE");
	argv[1] = span_str(key);
	argv[2] = span_str("0");
	argv[3] = span_str("4");
	ask_redis(r, argv, 4, on_last);
}

static uint64_t
roles_of(struct router *r, const char *person)
{
	struct rperson *p = person_find(r, person);

	return p == NULL ? 0 : p->roles;
}

static bool
case_record(struct router *r, const struct log_entry *e, const struct record_header *h,
    uint64_t verdict, struct logid at)
{
	struct rcase *c = case_find(r, h->case_id);
	struct record_header ref;
	struct act_words words;
	struct law_act act;
	bool was_held, has_ref = false;

	if (c == NULL) {
		log_warn("record.case", "entry=%ju-%ju decision=\"no such case, passed over\"",
		    (uintmax_t)e->epoch, (uintmax_t)e->no);
		return true;
	}
	if (act_needs_ref(h) != REF_NONE && logid_after(at, c->at)) {
		if (!r->has_answer) {
			ask_last(r, h->case_id);
			return false;
		}
		r->has_answer = false;
		has_ref = ref_header(r, h, &ref);
	}
	if (verdict == VERDICT_EFFECTIVE && !r->has_task && retask_wanted(r, c, h)) {
		int ready = retask_ready(r, c);

		if (ready > 0)
			retask_ask(r, c);
		if (ready >= 0)
			return false;
	}
	if (r->has_task && !r->has_others && retask_ask_others(r, c, h))
		return false;
	was_held = c->held;
	if (e->state.len > 0)
		case_state(r, c, e->state, span_of("", 0));
	if (logid_after(at, c->at) &&
	    act_of(&act, &words, h, has_ref ? &ref : NULL, e, verdict, roles_of(r, h->person))) {
		case_act(r, c, &act, e->now, at);
	} else if (was_held && !c->held) {
		case_look(r, c, e->now);
	}
	case_queue(r, c);
	if (r->has_task) /* behind the place, whose version comes first */
		retask(r, e, h, c);
	return true;
}

static bool
on_record(struct router *r, const struct log_entry *e, struct logid at)
{
	struct record_header h;
	struct frame f;
	uint64_t verdict;
	struct span v = word(e->detail, 2);

	if (!text_to_u64((const char *)v.data, v.len, &verdict) || verdict == VERDICT_QUARANTINED)
		return true;
	if (frame_decode(&f, e->f0, NULL) != 0 || f.kind != MSG_RECORD ||
	    record_header_decode(&h, f.u.record.header, NULL) != 0) {
		log_warn("record.header", "entry=%ju-%ju decision=\"passed over\"",
		    (uintmax_t)e->epoch, (uintmax_t)e->no);
		return true;
	}
	r->n_records++;
	if (h.has_case)
		return case_record(r, e, &h, verdict, at);
	return verdict != VERDICT_EFFECTIVE || campaign_record(r, e, &h, at);
}

static void
on_state(struct router *r, const struct log_entry *e)
{
	struct rcase *c;
	bool was_held;

	if (!e->has_case || e->state.len == 0)
		return;
	c = case_find(r, e->case_id);
	if (c == NULL)
		return;
	was_held = c->held;
	case_state(r, c, e->state, e->blob);
	if (was_held && !c->held)
		case_look(r, c, e->now);
	case_queue(r, c);
}

static void
on_create(struct router *r, const struct log_entry *e)
{
	struct rcase *c;

	if (!e->has_case)
		return;
	c = case_find(r, e->case_id);
	if (c == NULL) {
		(void)case_load(r, e->case_id, e->state, e->blob);
		return;
	}
	case_state(r, c, e->state, span_of("", 0)); /* new particulars, a newer version */
	case_queue(r, c);
}

static void
out_of_doubt(struct router *r, struct rcase *c, void *arg)
{
	(void)arg;
	if (strcmp(c->lane, "doubt") != 0)
		return;
	case_look(r, c, clock_campaign_ms());
	case_queue(r, c);
}

static void
on_doubt(struct router *r, const struct log_entry *e)
{
	uint64_t until = 0;
	struct span s = after_word(e->detail);

	r->is_doubt = span_eq_str(word(e->detail, 0), "1");
	(void)text_to_u64((const char *)s.data, s.len, &until);
	r->doubt_until = r->is_doubt ? (int64_t)until : 0;
	if (!r->is_doubt)
		case_all(r, out_of_doubt, NULL);
}

static void
on_offer(struct router *r, const struct log_entry *e)
{
	struct rperson *p;
	name_t person;

	name_of(person, word(e->detail, 0));
	p = person_find(r, person);
	if (p == NULL || p->offer_queued)
		return;
	buf_clear(&p->offer);
	buf_add(&p->offer, after_word(e->detail).data, after_word(e->detail).len);
}

static void
on_person(struct router *r, const struct log_entry *e)
{
	struct rperson *p;
	name_t person;

	name_of(person, word(e->detail, 0));
	if (person[0] == '\0')
		return;
	p = person_load(r, person, after_word(e->detail));
	if (p != NULL)
		offers_person(r, p);
}

bool
log_apply(struct router *r, const struct log_entry *e)
{
	struct logid at = {e->epoch, e->no};

	if (strcmp(e->type, "record") == 0)
		return on_record(r, e, at);
	if (strcmp(e->type, "grant") == 0 || strcmp(e->type, "giveback") == 0 ||
	    strcmp(e->type, "expire") == 0 || strcmp(e->type, "place") == 0 ||
	    strcmp(e->type, "readmit") == 0)
		on_state(r, e);
	else if (strcmp(e->type, "create") == 0)
		on_create(r, e);
	else if (strcmp(e->type, "person") == 0)
		on_person(r, e);
	else if (strcmp(e->type, "offer") == 0 && e->epoch == r->epoch)
		on_offer(r, e); /* those of a lost store went with it */
	else if (strcmp(e->type, "doubt") == 0 && e->epoch == r->epoch)
		on_doubt(r, e);
	else if (strcmp(e->type, "epoch") == 0 && e->epoch > r->epoch)
		router_reload(r, "a new epoch");
	return true;
}
