/* golden_json.c - hands the golden vectors out: as JSON, one a line, so that a change shows as a
 * line, and as raw bytes for the fuzzers.
 *
 * What is in words is read back from the bytes by our own decoder; the Python tests read the bytes
 * by themselves and compare. */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "proto/chain.h"
#include "proto/codec.h"
#include "tests/lib/golden.h"

#define ROW_SINCE 1785542400000ULL

/* The names of the fields, in wire order, separated by spaces. */
static const char *const field_names[] = {
    [MSG_HELLO] = "campaign ob agent ob_sig epoch_seen opseq_seen head_seq head_h",
    [MSG_WELCOME] =
        "campaign epoch opseq mode accepted_upto accepted_h settled_upto released_upto lease_ms "
        "guard_ms wall campaign_time",
    [MSG_NEXT] = "next_no person",
    [MSG_TAKE] = "next_no person case",
    [MSG_GRANT] = "next_no person case token rseq lease_ms pulled version due why key",
    [MSG_NONE] = "next_no person reason retry_ms who",
    [MSG_RENEW] = "case token rseq",
    [MSG_RENEWED] = "case token rseq lease_ms",
    [MSG_LOST] = "case token reason",
    [MSG_GIVEBACK] = "case token reason",
    [MSG_RECORD] = "ob seq prev_h h bc header sig next_no",
    [MSG_ACCEPTED] = "ob seq h verdict epoch opseq receipt why",
    [MSG_NACK] = "code kind ref expected text",
    [MSG_BLOB] = "person hash size offset",
    [MSG_HAVE] = "hash upto",
    [MSG_RECEIPT] = "level ob upto h incarnation sig",
    [MSG_SYNC] = "ob head_seq head_h settled_seen released_seen",
    [MSG_SYNCED] = "ob accepted_upto accepted_h settled_upto released_upto mode epoch opseq wall "
                   "campaign_time",
    [MSG_LOOK] = "look_no person what page case",
    [MSG_SEEN] = "look_no what page pages as_of code",
};

static void
hex_value(struct buf *out, const void *data, size_t len)
{
	buf_addc(out, '"');
	buf_add_hex(out, data, len);
	buf_addc(out, '"');
}

static void
hex(struct buf *out, const char *name, const void *data, size_t len)
{
	buf_addf(out, "\"%s\": ", name);
	hex_value(out, data, len);
	buf_adds(out, ", ");
}

static void
hex_buf(struct buf *out, const char *name, const struct buf *b)
{
	hex(out, name, b->data, b->len);
}

static void
number(struct buf *out, const char *name, uint64_t v)
{
	buf_addf(out, "\"%s\": %" PRIu64 ", ", name, v);
}

static void
text(struct buf *out, const char *name, const char *v)
{
	buf_addf(out, "\"%s\": \"%s\", ", name, v);
}

/* Takes back the ", " behind the last member. */
static void
close_with(struct buf *out, const char *end)
{
	if (out->len >= 2 && out->data[out->len - 2] == ',')
		out->len -= 2;
	buf_adds(out, end);
}

/* The next element in words: bytes as "hex:…". */
static void
words(struct buf *out, struct dec *d)
{
	uint8_t c = dec_peek(d);

	if (dec_is_array(d)) {
		buf_addc(out, '[');
		for (uint32_t n = dec_array(d); n > 0; n--) {
			words(out, d);
			if (n > 1)
				buf_adds(out, ", ");
		}
		buf_addc(out, ']');
	} else if (dec_nil(d)) {
		buf_adds(out, "null");
	} else if (c == 0xc4 || c == 0xc5) {
		struct span s = dec_b(d, F1_MAX);

		buf_adds(out, "\"hex:");
		buf_add_hex(out, s.data, s.len);
		buf_addc(out, '"');
	} else if (c <= 0x7f || (c >= 0xcc && c <= 0xcf)) {
		buf_addf(out, "%" PRIu64, dec_u(d));
	} else {
		struct span s = dec_s(d, F1_MAX);

		buf_addf(out, "\"%.*s\"", (int)s.len, (const char *)s.data);
	}
}

static void
words_of(struct buf *out, const char *name, const struct buf *bytes)
{
	struct dec d = dec_open(buf_span(bytes));

	buf_addf(out, "\"%s\": ", name);
	words(out, &d);
	CHECK(dec_end(&d));
	buf_adds(out, ", ");
}

static void
frame_json(struct buf *out, enum msg_kind kind)
{
	struct buf f0 = BUF_INIT, f1 = BUF_INIT;
	struct frame f;
	const char *name = field_names[kind];
	struct dec d;

	golden_example(&f, &f0, &f1, kind);
	buf_adds(out, "  {");
	text(out, "name", frame_kind_name(kind));
	number(out, "kind", (uint64_t)kind);
	hex_buf(out, "f0", &f0);
	hex_buf(out, "f1", &f1);
	d = dec_open(buf_span(&f0));
	(void)dec_array(&d);
	(void)dec_u(&d);
	(void)dec_u(&d);
	buf_adds(out, "\"fields\": {");
	while (*name != '\0') {
		int len = (int)strcspn(name, " ");

		buf_addf(out, "\"%.*s\": ", len, name);
		words(out, &d);
		buf_adds(out, ", ");
		name += len + (name[len] == ' ');
	}
	CHECK(dec_end(&d));
	close_with(out, "}, ");
	if (kind == MSG_HELLO || kind == MSG_WELCOME || kind == MSG_GRANT || kind == MSG_SEEN)
		words_of(out, "f1_in_words", &f1);
	close_with(out, "},\n");
	buf_done(&f0);
	buf_done(&f1);
}

static void
record_json(struct buf *out, const struct golden_record *r)
{
	buf_adds(out, "  {");
	number(out, "seq", r->m.seq);
	hex(out, "prev_h", r->m.prev_h, 32);
	hex_buf(out, "header", &r->header_bytes);
	words_of(out, "header_in_words", &r->header_bytes);
	hex_buf(out, "plain", &r->plain);
	if (r->plain.len > 0) {
		words_of(out, "plain_in_words", &r->plain);
		hex(out, "key", r->header.has_case ? golden.case_key : golden.campaign_key, 32);
		hex(out, "nonce", r->nonce, 24);
	}
	hex_buf(out, "body", &r->body);
	hex(out, "bc", r->m.bc, 32);
	hex(out, "h", r->m.h, 32);
	hex(out, "sig", r->m.sig, 64);
	close_with(out, "},\n");
}

static void
pair_json(struct buf *out, const char *name, const struct golden_pair *p)
{
	buf_addf(out, "  \"%s\": {", name);
	hex(out, "seed", p->seed, 32);
	hex(out, "pk", p->pk, 32);
	close_with(out, "},\n");
}

static void
world_json(struct buf *out)
{
	pair_json(out, "agent_sign", &golden.agent_sign);
	pair_json(out, "person", &golden.person);
	pair_json(out, "recorder", &golden.recorder);
	buf_adds(out, "  ");
	hex(out, "curve_sk", golden.curve_sk, 32);
	hex(out, "curve_pk", golden.curve_pk, 32);
	buf_adds(out, "\n  ");
	hex(out, "case_key", golden.case_key, 32);
	hex(out, "campaign_key", golden.campaign_key, 32);
	buf_adds(out, "\n  ");
	hex(out, "index_key", golden.index_key, 32);
	hex(out, "receipt_key", golden.receipt_key, 32);
	buf_adds(out, "\n  ");
	text(out, "campaign", GOLDEN_CAMPAIGN);
	hex(out, "agent", golden.agent, 16);
	hex(out, "ob", golden.ob, 16);
	hex(out, "case", golden.case_id, 16);
	hex(out, "incarnation", golden.incarnation, 16);
	close_with(out, "\n");
}

/* What is signed, MACed and keyed, with the bytes under the signature. */
static void
signed_json(struct buf *out)
{
	struct frame f;
	struct msg_receipt receipt = {0};
	struct login l;
	struct buf b = BUF_INIT;
	uint8_t sig[64], id[8];

	chain_outbox_bytes(&b, GOLDEN_CAMPAIGN, golden.agent, golden.ob);
	golden_sign(sig, &golden.agent_sign, &b);
	buf_adds(out, " \"outbox\": {");
	hex_buf(out, "bytes", &b);
	hex(out, "sig", sig, 64);
	close_with(out, "},\n \"login\": {");
	golden_login(&l);
	buf_clear(&b);
	chain_login_bytes(
	    &b, GOLDEN_CAMPAIGN, GOLDEN_PERSON, golden.agent, golden.ob, l.from, l.until);
	text(out, "person", GOLDEN_PERSON);
	number(out, "from", l.from);
	number(out, "until", l.until);
	hex_buf(out, "bytes", &b);
	hex(out, "sig", l.sig, 64);
	close_with(out, "},\n \"receipt\": {");
	golden_receipt(&receipt);
	buf_clear(&b);
	chain_receipt_bytes(&b, &receipt);
	hex_buf(out, "bytes", &b);
	hex(out, "sig", receipt.sig, 64);
	close_with(out, "},\n \"accepted\": {");
	buf_clear(&b);
	golden_example(&f, &b, &b, MSG_ACCEPTED);
	hex(out, "receipt", f.u.accepted.receipt, 32);
	close_with(out, "},\n \"number\": {");
	text(out, "digits", GOLDEN_DIGITS);
	chain_number_id(id, golden.case_key, GOLDEN_DIGITS);
	hex(out, "id", id, 8);
	chain_index(id, golden.index_key, "num", GOLDEN_DIGITS);
	hex(out, "index", id, 8);
	close_with(out, "},\n \"no\": {");
	text(out, "no", GOLDEN_NO);
	chain_index(id, golden.index_key, "no", GOLDEN_NO);
	hex(out, "index", id, 8);
	close_with(out, "},\n");
	buf_done(&b);
}

/* A person's key as it lies in a file, sealed by a GOLDEN_PIN (14.4). */
static void
person_key_json(struct buf *out)
{
	uint8_t salt[16], key[32], nonce[24];
	struct buf sealed = BUF_INIT;

	golden_counted(salt, 16, 0x70);
	golden_counted(nonce, 24, 0x80);
	CHECK(crypt_password_key(key, GOLDEN_PIN, salt, NULL) == 0);
	golden_seal(&sealed, key, nonce, span_of(golden.person.seed, 32),
	    span_str("hf1-person" GOLDEN_PERSON));
	buf_adds(out, " \"person_key\": {");
	text(out, "person", GOLDEN_PERSON);
	text(out, "pin", GOLDEN_PIN);
	hex(out, "salt", salt, 16);
	hex(out, "key", key, 32);
	hex_buf(out, "sealed", &sealed);
	close_with(out, "}\n");
	buf_done(&sealed);
}

/* One row of SEEN team. */
static void
golden_rows(struct buf *f1, bool more)
{
	struct seen_row row = {.lane = "team:t1",
	    .due = ROW_SINCE,
	    .version = 8,
	    .more = more,
	    .why = "hand-up",
	    .has_meters = true,
	    .meters = {.attempts = 3,
	        .contacts = 1,
	        .seconds = 185,
	        .since = ROW_SINCE,
	        .deadline = ROW_SINCE + 1},
	    .has_last = true};

	memcpy(row.case_id, golden.case_id, 16);
	memcpy(row.key, golden.case_key, 32);
	row.task = buf_span(&golden.task);
	memcpy(row.last.ob, golden.ob, 16);
	row.last.seq = 3;
	row.last.header = buf_span(&golden.records[2].header_bytes);
	enc_array(f1, 1);
	seen_row_encode(f1, &row);
}

/* As LOOK_MORE asks for it, and as it is without. */
static void
rows_json(struct buf *out)
{
	struct buf more = BUF_INIT, less = BUF_INIT;

	golden_rows(&more, true);
	golden_rows(&less, false);
	buf_adds(out, " \"rows\": {");
	hex_buf(out, "more", &more);
	words_of(out, "more_in_words", &more);
	hex_buf(out, "less", &less);
	close_with(out, "},\n");
	buf_done(&more);
	buf_done(&less);
}

void
golden_json(struct buf *out)
{
	golden_make();
	buf_adds(out, "{\n \"about\": \"proto/PROTOCOL.md, version 1; bytes in hex; in words: "
	              "bytes as hex:..\",\n"
	              " \"world\": {\n");
	world_json(out);
	buf_adds(out, " },\n \"frames\": [\n");
	for (int kind = 1; kind <= MSG_SEEN; kind++) {
		if (field_names[kind] != NULL)
			frame_json(out, (enum msg_kind)kind);
	}
	close_with(out, "\n ],\n \"chain\": [\n");
	for (int i = 0; i < GOLDEN_RECORDS; i++)
		record_json(out, &golden.records[i]);
	close_with(out, "\n ],\n \"task\": {");
	hex_buf(out, "plain", &golden.task_plain);
	words_of(out, "plain_in_words", &golden.task_plain);
	hex(out, "nonce", golden.task_nonce, 24);
	hex_buf(out, "sealed", &golden.task);
	close_with(out, "},\n");
	signed_json(out);
	rows_json(out);
	person_key_json(out);
	buf_adds(out, "}\n");
	golden_done();
}

void
golden_each(golden_fn *fn, void *arg)
{
	struct buf rows = BUF_INIT;

	golden_make();
	for (int kind = 1; kind <= MSG_SEEN; kind++) {
		struct buf f0 = BUF_INIT, f1 = BUF_INIT;
		struct frame f;

		if (frame_kind_name((enum msg_kind)kind)[0] == '?')
			continue;
		golden_example(&f, &f0, &f1, (enum msg_kind)kind);
		fn(arg, "frame", frame_kind_name((enum msg_kind)kind), buf_span(&f0));
		if (kind == MSG_HELLO || kind == MSG_WELCOME || kind == MSG_GRANT ||
		    kind == MSG_SEEN)
			fn(arg, "lists", frame_kind_name((enum msg_kind)kind), buf_span(&f1));
		buf_done(&f0);
		buf_done(&f1);
	}
	for (int i = 0; i < GOLDEN_RECORDS; i++) {
		char name[] = "record-1";

		name[7] = (char)('1' + i);
		fn(arg, "header", name, buf_span(&golden.records[i].header_bytes));
		if (golden.records[i].plain.len > 0)
			fn(arg, "task", name, buf_span(&golden.records[i].plain));
	}
	fn(arg, "task", "task", buf_span(&golden.task_plain));
	golden_rows(&rows, true);
	fn(arg, "lists", "ROWS", buf_span(&rows));
	buf_done(&rows);
	golden_done();
}
