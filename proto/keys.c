/* The key store's messages: bytes to struct and back.
 *
 * Happy path: decode, look at `kind`, walk the rows. Failures: anything that is not exactly one of the
 * seven shapes is ERR_INVALID; the word is not echoed. */
#include <string.h>

#include "base/check.h"
#include "proto/keys.h"

static const struct shape {
	const char *word;
	enum keys_kind kind;
	uint32_t elements;
} shapes[] = {
    {"load", KEYS_LOAD, 3},
    {"add", KEYS_ADD, 3},
    {"shred", KEYS_SHRED, 3},
    {"keys", KEYS_ROWS, 4},
    {"added", KEYS_ADDED, 2},
    {"shredded", KEYS_SHREDDED, 1},
    {"error", KEYS_ERROR, 2},
};

void
keys_reserved(uint8_t ret_case[16], uint8_t which)
{
	memset(ret_case, 0, 15);
	ret_case[15] = which;
}

static const struct shape *
shape_of(struct span word)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (span_eq_str(word, shapes[i].word))
			return &shapes[i];
	return NULL;
}

static void
read_row(struct dec *d, struct keys_row *ret)
{
	struct span key;

	if (!dec_array_of(d, 2))
		return;
	dec_bn(d, ret->case_id, sizeof(ret->case_id));
	key = dec_b(d, sizeof(ret->key));
	memset(ret->key, 0, sizeof(ret->key));
	ret->shredded = key.len == 0;
	if (key.len == sizeof(ret->key))
		memcpy(ret->key, key.data, key.len);
	else if (key.len != 0)
		dec_fail(d);
}

/* Walks all rows once; m->rows stays at the first. */
static void
read_rows(struct dec *d, struct keys_msg *m)
{
	struct keys_row row;

	m->n_rows = dec_array(d);
	if (m->n_rows > KEYS_ROWS_MAX)
		dec_fail(d);
	m->rows = *d;
	for (uint32_t i = 0; i < m->n_rows && !d->failed; i++)
		read_row(d, &row);
}

static void
read_fields(struct dec *d, struct keys_msg *m)
{
	uint64_t done;

	switch (m->kind) {
	case KEYS_LOAD:
		dec_name(d, m->campaign);
		m->from = dec_u(d);
		break;
	case KEYS_ADD:
		dec_name(d, m->campaign);
		read_rows(d, m);
		break;
	case KEYS_SHRED:
		dec_name(d, m->campaign);
		dec_bn(d, m->case_id, sizeof(m->case_id));
		break;
	case KEYS_ROWS:
		m->next = dec_u(d);
		done = dec_u(d);
		if (done > 1)
			dec_fail(d);
		m->done = done == 1;
		read_rows(d, m);
		break;
	case KEYS_ADDED: m->n = dec_u(d); break;
	case KEYS_SHREDDED: break;
	case KEYS_ERROR: dec_text(d, m->text, sizeof(m->text)); break;
	}
}

int
keys_decode(struct keys_msg *ret, struct span frame, struct err *err)
{
	struct dec d = dec_open(frame);
	uint32_t elements = dec_array(&d);
	const struct shape *s = shape_of(dec_s(&d, 16));

	if (d.failed || s == NULL || s->elements != elements)
		return err_set(err, ERR_INVALID, "not a message of the key store");
	memset(ret, 0, sizeof(*ret));
	ret->kind = s->kind;
	read_fields(&d, ret);
	if (!dec_end(&d))
		return err_set(err, ERR_INVALID, "a field of \"%s\" is not valid", s->word);
	return 0;
}

bool
keys_row_next(struct keys_msg *m, struct keys_row *ret)
{
	if (m->n_rows == 0)
		return false;
	m->n_rows--;
	read_row(&m->rows, ret);
	CHECK(!m->rows.failed);
	return true;
}

void
keys_encode_load(struct buf *out, const char *campaign, uint64_t from)
{
	enc_array(out, 3);
	enc_s(out, "load");
	enc_s(out, campaign);
	enc_u(out, from);
}

void
keys_encode_shred(struct buf *out, const char *campaign, const uint8_t case_id[16])
{
	enc_array(out, 3);
	enc_s(out, "shred");
	enc_s(out, campaign);
	enc_b(out, case_id, 16);
}

void
keys_encode_added(struct buf *out, uint64_t n)
{
	enc_array(out, 2);
	enc_s(out, "added");
	enc_u(out, n);
}

void
keys_encode_shredded(struct buf *out)
{
	enc_array(out, 1);
	enc_s(out, "shredded");
}

void
keys_encode_error(struct buf *out, const char *text)
{
	enc_array(out, 2);
	enc_s(out, "error");
	enc_sn(out, text, strnlen(text, 255));
}

void
keys_encode_add(struct buf *out, const char *campaign, uint32_t n_rows)
{
	CHECK(n_rows <= KEYS_ROWS_MAX);
	enc_array(out, 3);
	enc_s(out, "add");
	enc_s(out, campaign);
	enc_array(out, n_rows);
}

void
keys_encode_rows(struct buf *out, uint64_t next, bool done, uint32_t n_rows)
{
	CHECK(n_rows <= KEYS_ROWS_MAX);
	enc_array(out, 4);
	enc_s(out, "keys");
	enc_u(out, next);
	enc_u(out, done ? 1 : 0);
	enc_array(out, n_rows);
}

void
keys_encode_row(struct buf *out, const struct keys_row *row)
{
	enc_array(out, 2);
	enc_b(out, row->case_id, sizeof(row->case_id));
	enc_b(out, row->key, row->shredded ? 0 : sizeof(row->key));
}
