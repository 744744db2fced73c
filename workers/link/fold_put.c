/* fold_put.c - the entries that fold.c reads, written. Field by field the mirror of fold.c. */
#include "workers/link/fold.h"

#include <string.h>

#include "base/check.h"
#include "base/crypt.h"

static void
put_long(struct buf *b, struct span s)
{
	buf_add_be32(b, (uint32_t)s.len);
	buf_add(b, s.data, s.len);
}

static void
put_text(struct buf *b, const char *text)
{
	size_t len = strlen(text);

	CHECK(len <= 255);
	buf_addc(b, (char)len);
	buf_add(b, text, len);
}

static void
put(struct buf *entries, enum entry_type type, struct buf *payload)
{
	(void)segment_entry(entries, type, buf_span(payload));
	if (payload->data != NULL)
		crypt_wipe(payload->data, payload->len); /* keys pass through here */
	buf_done(payload);
}

void
fold_put_ob(struct buf *entries, const struct fold *f, uint64_t segno)
{
	struct buf b = BUF_INIT;
	uint8_t h[32];

	CHECK(fold_hash_at(f, fold_head(f), h));
	buf_addc(&b, 1);
	buf_add_be64(&b, segno);
	buf_add(&b, f->ob, 16);
	buf_add_be64(&b, fold_head(f));
	buf_add(&b, h, 32);
	put_text(&b, f->campaign);
	put(entries, ENTRY_OB, &b);
}

void
fold_put_hold(struct buf *entries, const struct hold *h)
{
	struct buf b = BUF_INIT;

	buf_add(&b, h->case_id, 16);
	buf_add_be64(&b, h->token);
	buf_add_be64(&b, h->version);
	buf_add_be64(&b, h->due);
	buf_add(&b, h->key, 32);
	buf_addc(&b, h->pulled ? 1 : 0);
	put_text(&b, h->person);
	put_text(&b, h->why);
	put_long(&b, h->ended ? span_of("", 0) : buf_span(&h->ticket));
	put_long(&b, h->ended ? span_of("", 0) : buf_span(&h->task));
	put(entries, ENTRY_HOLD, &b);
}

void
fold_put_hold_end(struct buf *entries, const uint8_t case_id[16], uint64_t token, uint64_t end_seq)
{
	struct buf b = BUF_INIT;

	buf_add(&b, case_id, 16);
	buf_add_be64(&b, token);
	buf_add_be64(&b, end_seq);
	put(entries, ENTRY_HOLD_END, &b);
}

void
fold_put_record(struct buf *entries, const struct fold_stored *r)
{
	struct buf b = BUF_INIT;

	CHECK(r->header.len <= HEADER_MAX && r->body.len <= F1_MAX);
	buf_add_be64(&b, r->seq);
	buf_add(&b, r->h, 32);
	buf_add(&b, r->id, 16);
	buf_add(&b, r->sig, 64);
	put_long(&b, r->header);
	put_long(&b, r->body);
	put(entries, ENTRY_RECORD, &b);
}

void
fold_put_mark(struct buf *entries, const struct fold_marking *m)
{
	struct buf b = BUF_INIT;

	CHECK(m->which < MARKS && m->verdict <= FOLD_UNKNOWN && m->proof.len <= FOLD_PROOF_MAX);
	buf_addc(&b, (char)m->which);
	buf_add_be64(&b, m->upto);
	buf_add(&b, m->h, 32);
	buf_addc(&b, (char)m->verdict);
	buf_add_be64(&b, m->epoch);
	buf_add_be64(&b, m->opseq);
	put_long(&b, m->proof);
	put(entries, ENTRY_MARK, &b);
}

void
fold_put_next_no(struct buf *entries, const char *person, uint64_t next_no)
{
	struct buf b = BUF_INIT;

	put_text(&b, person);
	buf_add_be64(&b, next_no);
	put(entries, ENTRY_NEXTNO, &b);
}

void
fold_put_ids(struct buf *entries, const struct fold_id *const *ids, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		buf_add(&b, ids[i]->id, 16);
		buf_add_be64(&b, ids[i]->seq);
	}
	put(entries, ENTRY_DEDUP, &b);
}

void
fold_put_key(struct buf *entries, const uint8_t key[32])
{
	struct buf b = BUF_INIT;

	buf_add(&b, key, 32);
	put(entries, ENTRY_KEY, &b);
}

void
fold_put_snapshot(struct buf *entries, const struct fold *f, uint64_t segno)
{
	struct map_iter it = map_begin(f->next_no);
	const void *person;
	size_t len;
	void *no;

	fold_put_ob(entries, f, segno);
	for (unsigned i = 0; i < MARKS; i++) {
		struct fold_marking m = {.which = i,
		    .upto = f->mark[i].upto,
		    .verdict = FOLD_UNKNOWN,
		    .epoch = f->epoch,
		    .opseq = f->opseq};

		memcpy(m.h, f->mark[i].h, 32);
		fold_put_mark(entries, &m);
	}
	while (map_next(&it, &person, &len, &no)) {
		char name[NAME_MAX_LEN + 1];

		CHECK(len <= NAME_MAX_LEN);
		memcpy(name, person, len);
		name[len] = '\0';
		fold_put_next_no(entries, name, *(uint64_t *)no);
	}
	if (f->has_key)
		fold_put_key(entries, f->campaign_key);
	for (size_t i = 0; i < f->n_holds; i++) {
		const struct hold *h = f->holds[i];

		fold_put_hold(entries, h);
		if (h->ended)
			fold_put_hold_end(entries, h->case_id, h->token, h->end_seq);
	}
}
