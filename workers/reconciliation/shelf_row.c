/* shelf_row.c - what a row of the ledger must say, from the archive's entry alone. Apart from the recorder's columns.c,
 * which wrote the row: two programs that read a header alike.
 *
 * Happy path: bytes by their SHA-256, the place in the log and the broker's answer from the entry, the rest from the
 * signed header; what is not set is not there, as NULL is not. Failures: an entry that does not read. */
#include "workers/reconciliation/shelf_row.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "proto/record.h"

#define END "\x01" /* of a column; it stands in no value */

/* How a column is written as text. */
enum how { AS_IS, AS_HEX, AS_LIST };

static const struct {
	const char *name;
	enum how how;
} plain[] = {{"log_epoch", AS_IS}, {"log_no", AS_IS}, {"opseq", AS_IS}, {"campaign_at", AS_IS},
    {"wall_at", AS_IS}, {"verdict", AS_IS}, {"why", AS_IS}, {"kind", AS_IS}, {"person", AS_IS},
    {"case_ref", AS_HEX}, {"token", AS_IS}, {"expect", AS_IS}, {"id", AS_HEX}, {"again", AS_IS},
    {"boot", AS_HEX}, {"t_start", AS_IS}, {"t_end", AS_IS}, {"t_entry", AS_IS},
    {"server_wall", AS_IS}, {"server_boot", AS_IS}, {"pc_wall", AS_IS}, {"quality", AS_IS}};

#define N_PLAIN (sizeof(plain) / sizeof(plain[0]))

/* Open fields of the header that are columns; those with another name there. NULL: no column. */
static const char *
column_of(enum field_key key)
{
	switch (key) {
	case F_number: return "number_id";
	case F_to: return "to_person";
	case F_verdict: return "ruling";
	case F_version: return "case_version";
	case F_curve_pk:
	case F_person_pk:
	case F_sign_pk: return NULL;
	default: return field_name(key);
	}
}

static enum how
how_of(enum field_key key)
{
	switch (field_type(key)) {
	case FIELD_BIN:
	case FIELD_REFS: return AS_HEX;
	case FIELD_STRS:
	case FIELD_BINS: return AS_LIST;
	default: return AS_IS;
	}
}

/* ---- the ledger's side ---- */

static void
add_sql(struct buf *out, const char *name, enum how how)
{
	buf_addf(out, ", '%s=' || ", name);
	if (how == AS_HEX)
		buf_addf(out, "encode(%s, 'hex')", name);
	else if (how == AS_LIST)
		buf_addf(out, "array_to_string(%s, E'\\x02')", name);
	else
		buf_adds(out, name);
}

void
shelf_row_sql(struct buf *out)
{
	buf_adds(out, "concat_ws(E'\\x01', 'h=' || encode(h, 'hex'), 'bytes=' || "
	              "encode(sha256(prev_h || bc || sig || header || body), 'hex')");
	for (size_t i = 0; i < N_PLAIN; i++)
		add_sql(out, plain[i].name, plain[i].how);
	for (int key = 1; key < FIELD_KEYS; key++) {
		const char *name = column_of((enum field_key)key);

		if (name != NULL)
			add_sql(out, name, how_of((enum field_key)key));
	}
	buf_adds(out, ")");
}

/* ---- the archive's side ---- */

static void
say_i(struct buf *out, const char *name, int64_t v)
{
	buf_addf(out, END "%s=%" PRId64, name, v);
}

static void
say_hex(struct buf *out, const char *name, const void *data, size_t len)
{
	char hex[2 * 64 + 1];

	buf_addf(out, END "%s=", name);
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < 64 ? len - at : 64;
		hex_encode(hex, (const uint8_t *)data + at, n);
		buf_adds(out, hex);
	}
}

static void
say_bytes(struct buf *out, const struct msg_record *r, struct span body)
{
	struct sha256 s;
	uint8_t sum[32];
	char hex[65];

	hex_encode(hex, r->h, HASH_LEN);
	buf_addf(out, "h=%s", hex);
	sha256_init(&s);
	sha256_add(&s, r->prev_h, sizeof(r->prev_h));
	sha256_add(&s, r->bc, sizeof(r->bc));
	sha256_add(&s, r->sig, sizeof(r->sig));
	sha256_add(&s, r->header.data, r->header.len);
	sha256_add(&s, body.data, body.len);
	sha256_done(&s, sum);
	say_hex(out, "bytes", sum, sizeof(sum));
}

/* ob, seq, verdict, why: the broker's answer. */
static bool
say_entry(struct buf *out, const struct log_entry *e)
{
	struct span rest = e->detail, word[4];
	uint64_t verdict;

	for (int i = 0; i < 4; i++) {
		const uint8_t *space = rest.len > 0 ? memchr(rest.data, ' ', rest.len) : NULL;

		if (space == NULL)
			return false;
		word[i] = span_of(rest.data, (size_t)(space - rest.data));
		rest = span_of(space + 1, rest.len - word[i].len - 1);
	}
	if (!text_to_u64((const char *)word[2].data, word[2].len, &verdict))
		return false;
	say_i(out, "log_epoch", (int64_t)e->epoch);
	say_i(out, "log_no", (int64_t)e->no);
	say_i(out, "opseq", (int64_t)e->opseq);
	say_i(out, "campaign_at", e->now);
	say_i(out, "wall_at", e->wall);
	say_i(out, "verdict", (int64_t)verdict);
	if (!span_eq_str(word[3], "-")) {
		buf_adds(out, END "why=");
		buf_add(out, word[3].data, word[3].len);
	}
	return true;
}

static void
say_fixed(struct buf *out, const struct record_header *h)
{
	say_i(out, "kind", (int64_t)h->kind);
	buf_addf(out, END "person=%s", h->person);
	if (h->has_case)
		say_hex(out, "case_ref", h->case_id, sizeof(h->case_id));
	say_i(out, "token", (int64_t)h->token);
	say_i(out, "expect", (int64_t)h->expect);
	say_hex(out, "id", h->id, sizeof(h->id));
	buf_addf(out, END "again=%s", h->again != 0 ? "true" : "false");
	say_hex(out, "boot", h->boot, sizeof(h->boot));
	say_i(out, "t_start", (int64_t)h->t_start);
	say_i(out, "t_end", (int64_t)h->t_end);
	say_i(out, "t_entry", (int64_t)h->t_entry);
	say_i(out, "server_wall", (int64_t)h->server_wall);
	say_i(out, "server_boot", (int64_t)h->server_boot);
	say_i(out, "pc_wall", (int64_t)h->pc_wall);
	say_i(out, "quality", (int64_t)h->quality);
}

static void
say_list(struct buf *out, const char *name, const struct field *f, bool is_text)
{
	char hex[2 * 64 + 1];

	buf_addf(out, END "%s=", name);
	for (size_t i = 0; i < f->n; i++) {
		const struct span *s = &f->list[i];

		if (i > 0)
			buf_adds(out, "\x02");
		if (is_text) {
			buf_add(out, s->data, s->len);
		} else if (s->len <= 64) {
			hex_encode(hex, s->data, s->len);
			buf_addf(out, "\\x%s", hex);
		}
	}
}

static void
say_field(struct buf *out, enum field_key key, const struct field *f)
{
	const char *name = column_of(key);

	if (name == NULL || !f->set)
		return;
	switch (how_of(key)) {
	case AS_HEX: say_hex(out, name, f->bytes.data, f->bytes.len); return;
	case AS_LIST: say_list(out, name, f, field_type(key) == FIELD_STRS); return;
	case AS_IS: break;
	}
	if (field_type(key) == FIELD_U) {
		say_i(out, name, (int64_t)f->u);
		return;
	}
	buf_addf(out, END "%s=", name);
	buf_add(out, f->bytes.data, f->bytes.len);
}

bool
shelf_row_said(uint8_t out[HASH_LEN], const struct log_entry *e, const struct msg_record *r)
{
	struct buf text = BUF_INIT;
	struct record_header h;
	struct span all;
	bool ok;

	say_bytes(&text, r, e->f1);
	ok = say_entry(&text, e) && record_header_decode(&h, r->header, NULL) == 0;
	if (ok) {
		say_fixed(&text, &h);
		for (int key = 1; key < FIELD_KEYS; key++)
			say_field(&text, (enum field_key)key, &h.f[key]);
		all = buf_span(&text);
		crypt_hash(out, &all, 1);
	}
	buf_done(&text);
	return ok;
}
