/* What a segment looks like.
 *
 * Happy path: a head of fixed size, the entries as they lie in the log, a signature over the hash of it
 * all. Failures: any length that does not fit is ERR_CORRUPT before a byte behind it is looked at. */
#include <stdio.h>
#include <string.h>

#include "workers/recorder/segfile.h"

#define MAGIC     "HFARCH1\n"
#define MAGIC_LEN 8
#define NAME_AT   (MAGIC_LEN + 8 + HASH_LEN)
#define IDS_AT    (NAME_AT + NAME_MAX_LEN)
#define HEAD_LEN  (IDS_AT + 32 + 4)

static void
add_id(struct buf *out, struct log_id id)
{
	buf_add_be64(out, id.epoch);
	buf_add_be64(out, id.no);
}

static struct log_id
get_id(const uint8_t *p)
{
	return (struct log_id){be64_get(p), be64_get(p + 8)};
}

void
segfile_entry(struct buf *entries, struct log_id at, const struct raw_entry *raw)
{
	struct span odd[2] = {span_str("x"), {NULL, 0}};
	struct raw_entry whole = {raw->id, odd, 2};
	struct buf text = BUF_INIT;

	if (raw->n > SEGFILE_SPANS) { /* nothing that anybody writes: kept as one text */
		raw_entry_text(&text, raw);
		odd[1] = buf_span(&text);
		raw = &whole;
	}
	add_id(entries, at);
	buf_add_be32(entries, (uint32_t)raw->n);
	for (size_t i = 0; i < raw->n; i++) {
		buf_add_be32(entries, (uint32_t)raw->pair[i].len);
		buf_add(entries, raw->pair[i].data, raw->pair[i].len);
	}
	buf_done(&text);
}

static void
signed_bytes(struct buf *out, const uint8_t hash[HASH_LEN])
{
	buf_adds(out, "hf1-archive");
	buf_add(out, hash, HASH_LEN);
}

void
segfile_encode(struct buf *out, struct segfile *s, const uint8_t sign_sk[SIGN_SK_LEN])
{
	char name[NAME_MAX_LEN] = {0};
	struct buf text = BUF_INIT;
	struct span all;

	memcpy(name, s->campaign, strlen(s->campaign));
	buf_adds(out, MAGIC);
	buf_add_be64(out, s->number);
	buf_add(out, s->prev, HASH_LEN);
	buf_add(out, name, sizeof(name));
	add_id(out, s->first);
	add_id(out, s->last);
	buf_add_be32(out, s->count);
	buf_add(out, s->entries.data, s->entries.len);
	all = buf_span(out);
	crypt_hash(s->hash, &all, 1);
	signed_bytes(&text, s->hash);
	crypt_sign(s->sig, sign_sk, buf_span(&text));
	buf_add(out, s->sig, SIGN_LEN);
	buf_done(&text);
}

int
segfile_decode(struct segfile *ret, struct span file, struct err *err)
{
	const uint8_t *p = file.data;
	struct segfile s = {0};
	struct span all;

	if (file.len < HEAD_LEN + SIGN_LEN || memcmp(p, MAGIC, MAGIC_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "not a segment of an archive");
	s.number = be64_get(p + MAGIC_LEN);
	memcpy(s.prev, p + MAGIC_LEN + 8, HASH_LEN);
	memcpy(s.campaign, p + NAME_AT, NAME_MAX_LEN);
	s.first = get_id(p + IDS_AT);
	s.last = get_id(p + IDS_AT + 16);
	s.count = be32_get(p + IDS_AT + 32);
	s.entries = span_of(p + HEAD_LEN, file.len - HEAD_LEN - SIGN_LEN);
	all = span_of(p, file.len - SIGN_LEN);
	crypt_hash(s.hash, &all, 1);
	memcpy(s.sig, p + file.len - SIGN_LEN, SIGN_LEN);
	*ret = s;
	return 0;
}

bool
segfile_signed(const struct segfile *s, const uint8_t sign_pk[SIGN_PK_LEN])
{
	struct buf text = BUF_INIT;
	bool ok;

	signed_bytes(&text, s->hash);
	ok = crypt_verify(s->sig, sign_pk, buf_span(&text));
	buf_done(&text);
	return ok;
}

int
segfile_next(struct span *rest, struct segfile_entry *ret, struct err *err)
{
	const uint8_t *p = rest->data, *end = rest->data + rest->len;

	if (rest->len == 0)
		return 0;
	if (rest->len < 20 || be32_get(p + 16) > SEGFILE_SPANS)
		return err_set(err, ERR_CORRUPT, "an entry does not read");
	ret->at = get_id(p);
	snprintf(
	    ret->id, sizeof(ret->id), "%ju-%ju", (uintmax_t)ret->at.epoch, (uintmax_t)ret->at.no);
	ret->raw = (struct raw_entry){span_str(ret->id), ret->pair, be32_get(p + 16)};
	p += 20;
	for (size_t i = 0; i < ret->raw.n; i++) {
		size_t len;

		if ((size_t)(end - p) < 4 || (len = be32_get(p)) > (size_t)(end - p) - 4)
			return err_set(err, ERR_CORRUPT, "an entry ends too early");
		ret->pair[i] = span_of(p + 4, len);
		p += 4 + len;
	}
	*rest = span_of(p, (size_t)(end - p));
	return 1;
}
