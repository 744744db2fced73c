/* Every frame round trip at its limits; every frame with one thing wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/codec.h"
#include "proto/frame.h"

#define LONG_NAME "abcdefghijklmnopqrstuvwxyz01234_"
#define BIG       ((uint64_t)INT64_MAX)

static const enum msg_kind kinds[] = {MSG_HELLO, MSG_WELCOME, MSG_NEXT, MSG_TAKE, MSG_GRANT,
    MSG_NONE, MSG_RENEW, MSG_RENEWED, MSG_LOST, MSG_GIVEBACK, MSG_RECORD, MSG_ACCEPTED, MSG_NACK,
    MSG_BLOB, MSG_HAVE, MSG_RECEIPT, MSG_SYNC, MSG_SYNCED, MSG_LOOK, MSG_SEEN};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
fill_text(char *out, size_t size)
{
	memset(out, 'w', size - 1);
	out[size - 1] = '\0';
}

/* The longest frame of each kind: every number 2^63-1, every text as long as it may be. */
static struct frame
largest(enum msg_kind kind, const uint8_t *header)
{
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.kind = kind;
	switch (kind) {
	case MSG_HELLO:
		f.u.hello = (struct msg_hello){
		    .campaign = LONG_NAME, .epoch_seen = BIG, .opseq_seen = BIG, .head_seq = BIG};
		memset(f.u.hello.ob, 0xff, 16);
		memset(f.u.hello.agent, 0xa1, 16);
		memset(f.u.hello.ob_sig, 0xfe, 64);
		memset(f.u.hello.head_h, 0xc0, 32);
		break;
	case MSG_WELCOME:
		f.u.welcome = (struct msg_welcome){LONG_NAME, BIG, BIG - 1, BIG - 2, BIG - 3,
		    {1, 2}, BIG - 4, BIG - 5, BIG - 6, BIG - 7, BIG - 8, BIG - 9};
		break;
	case MSG_NEXT: f.u.next = (struct msg_next){BIG, LONG_NAME}; break;
	case MSG_TAKE: f.u.take = (struct msg_take){BIG, LONG_NAME, true, {1, [15] = 2}}; break;
	case MSG_GRANT:
		f.u.grant = (struct msg_grant){.next_no = BIG,
		    .person = LONG_NAME,
		    .case_id = {9},
		    .token = BIG - 1,
		    .rseq = BIG - 2,
		    .lease_ms = BIG - 3,
		    .pulled = BIG - 4,
		    .version = BIG - 5,
		    .due = BIG - 6};
		fill_text(f.u.grant.why, sizeof(f.u.grant.why));
		memset(f.u.grant.key, 7, 32);
		break;
	case MSG_NONE:
		f.u.none = (struct msg_none){BIG, LONG_NAME, "", BIG - 1, LONG_NAME};
		fill_text(f.u.none.reason, sizeof(f.u.none.reason));
		break;
	case MSG_RENEW: f.u.renew = (struct msg_renew){{1}, BIG, BIG - 1}; break;
	case MSG_RENEWED: f.u.renewed = (struct msg_renewed){{1}, BIG, BIG - 1, BIG - 2}; break;
	case MSG_LOST:
	case MSG_GIVEBACK:
		f.u.lost = (struct msg_lost){{1}, BIG, ""};
		fill_text(f.u.lost.reason, sizeof(f.u.lost.reason));
		break;
	case MSG_RECORD:
		f.u.record = (struct msg_record){.ob = {1},
		    .seq = BIG,
		    .prev_h = {2},
		    .h = {3},
		    .bc = {4},
		    .header = span_of(header, HEADER_MAX),
		    .sig = {5},
		    .has_next = true,
		    .next_no = BIG - 1};
		break;
	case MSG_ACCEPTED:
		f.u.accepted =
		    (struct msg_accepted){{1}, BIG, {2}, BIG - 1, BIG - 2, BIG - 3, {3}, ""};
		fill_text(f.u.accepted.why, sizeof(f.u.accepted.why));
		break;
	case MSG_NACK:
		f.u.nack = (struct msg_nack){"", BIG, BIG - 1, BIG - 2, ""};
		fill_text(f.u.nack.code, sizeof(f.u.nack.code));
		fill_text(f.u.nack.text, sizeof(f.u.nack.text));
		break;
	case MSG_BLOB: f.u.blob = (struct msg_blob){LONG_NAME, {1}, BIG, BIG - 1}; break;
	case MSG_HAVE: f.u.have = (struct msg_have){{1}, BIG}; break;
	case MSG_RECEIPT:
		f.u.receipt = (struct msg_receipt){BIG, {1}, BIG - 1, {2}, {3}, {4}};
		break;
	case MSG_SYNC: f.u.sync = (struct msg_sync){{1}, BIG, {2}, BIG - 1, BIG - 2}; break;
	case MSG_SYNCED:
		f.u.synced = (struct msg_synced){
		    {1}, BIG, {2}, BIG - 1, BIG - 2, BIG - 3, BIG - 4, BIG - 5, BIG - 6, BIG - 7};
		break;
	case MSG_LOOK:
		f.u.look = (struct msg_look){BIG, LONG_NAME, "", BIG - 1, true, {1}};
		fill_text(f.u.look.what, sizeof(f.u.look.what));
		break;
	case MSG_SEEN:
		f.u.seen = (struct msg_seen){BIG, "", BIG - 1, BIG - 2, BIG - 3, ""};
		fill_text(f.u.seen.what, sizeof(f.u.seen.what));
		fill_text(f.u.seen.code, sizeof(f.u.seen.code));
		break;
	default: abort();
	}
	return f;
}

/* The smallest: zeros, one-letter names, nil where nil may stand. */
static struct frame
smallest(enum msg_kind kind)
{
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.kind = kind;
	switch (kind) {
	case MSG_HELLO: f.u.hello.campaign[0] = 'c'; break;
	case MSG_WELCOME: f.u.welcome.campaign[0] = 'c'; break;
	case MSG_NEXT: f.u.next.person[0] = 'p'; break;
	case MSG_TAKE: f.u.take.person[0] = 'p'; break;
	case MSG_GRANT: f.u.grant.person[0] = 'p'; break;
	case MSG_NONE: f.u.none.person[0] = 'p'; break;
	case MSG_BLOB: f.u.blob.person[0] = 'p'; break;
	case MSG_LOOK: f.u.look.person[0] = 'p'; break;
	default: break;
	}
	return f;
}

/* What was read is written again as the same bytes; that the right field is written where it belongs,
 * the golden vectors say. (Structs are not compared: they have padding.) */
static void
assert_round_trip(const struct frame *f)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct frame back;
	struct err err = ERR_INIT;

	frame_encode(&once, f);
	assert_int_equal(frame_decode(&back, buf_span(&once), &err), 0);
	assert_int_equal(back.kind, f->kind);
	frame_encode(&twice, &back);
	assert_true(span_eq(buf_span(&once), buf_span(&twice)));
	buf_done(&once);
	buf_done(&twice);
}

static void
every_frame_comes_back_as_it_was(void **state)
{
	uint8_t header[HEADER_MAX];

	(void)state;
	memset(header, 0xdb, sizeof(header));
	for (size_t i = 0; i < KINDS; i++) {
		struct frame f = largest(kinds[i], header);

		assert_round_trip(&f);
		f = smallest(kinds[i]);
		assert_round_trip(&f);
	}
}

static void
decoder_is_given(struct span bytes, int code)
{
	struct frame f;
	struct err err = ERR_INIT;
	uint8_t *exact =
	    malloc(bytes.len == 0 ? 1 : bytes.len); /* so that a read too far is seen */

	memcpy(exact, bytes.data, bytes.len);
	assert_int_equal(frame_decode(&f, span_of(exact, bytes.len), &err), -1);
	assert_int_equal(err.code, code);
	assert_true(err.text[0] != '\0');
	free(exact);
}

static void
a_frame_cut_short_or_too_long_is_refused(void **state)
{
	uint8_t header[HEADER_MAX] = {0};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct frame f = largest(kinds[i], header);
		struct buf b = BUF_INIT;

		frame_encode(&b, &f);
		for (size_t len = 0; len < b.len; len++)
			decoder_is_given(span_of(b.data, len), ERR_INVALID);
		buf_addc(&b, 0);
		decoder_is_given(buf_span(&b), ERR_INVALID); /* a byte behind */
		buf_done(&b);
	}
}

/* The array's head says one field more or less, and the field is there or not. */
static void
the_wrong_number_of_fields_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct frame f = smallest(kinds[i]);
		struct buf b = BUF_INIT, other = BUF_INIT;
		struct dec d;
		uint32_t n;

		frame_encode(&b, &f);
		d = dec_open(buf_span(&b));
		n = dec_array(&d);
		enc_array(&other, n + 1);
		buf_add(&other, d.at, (size_t)(d.end - d.at));
		enc_u(&other, 0);
		decoder_is_given(buf_span(&other), ERR_INVALID);
		buf_clear(&other);
		enc_array(&other, n - 1);
		for (uint32_t k = 0; k < n - 1; k++) {
			struct span s = dec_skip(&d);

			buf_add(&other, s.data, s.len);
		}
		decoder_is_given(buf_span(&other), ERR_INVALID);
		buf_done(&b);
		buf_done(&other);
	}
}

/* Each field in turn is replaced by things that it is not. What a number or a text may also be (a
 * smaller number, another text) is left out by comparing kinds of first bytes. */
static void
a_field_of_another_type_is_refused(void **state)
{
	static const char *const wrong[] = {"\xc0", "\xc2", "\xc3", "\xff", "\xd0\x01",
	    "\xca\x01\x01\x01\x01", "\x81\x01\x01", "\xd4\x01\x01", "\x91\x01", "\xc4\x01x",
	    "\xc5\x01\x01", "\xa2\xc3\x28", "\xa3\x41.b", "\x05", "\xcc\x01"};
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct frame f = smallest(kinds[i]);
		struct buf b = BUF_INIT;
		struct dec head;
		uint32_t n;

		frame_encode(&b, &f);
		head = dec_open(buf_span(&b));
		n = dec_array(&head);
		for (uint32_t field = 2; field < n; field++) {
			struct dec at = head;
			struct span was;

			for (uint32_t k = 0; k < field; k++)
				(void)dec_skip(&at);
			was = dec_skip(&at);
			for (size_t w = 0; w < sizeof(wrong) / sizeof(wrong[0]); w++) {
				struct span new = span_str(wrong[w]);
				bool number = was.data[0] <= 0x7f, number_new = new.data[0] == 5;
				bool text = (was.data[0] & 0xe0) == 0xa0,
				     text_new = new.data[0] == 0xa3;
				bool nil = was.data[0] == 0xc0;
				bool name =
				    text && (was.len == 2 || (kinds[i] == MSG_NONE && field == 6));
				bool header = kinds[i] == MSG_RECORD && field == 7; /* any bytes */
				struct buf bad = BUF_INIT;

				if ((number && number_new) || (text && text_new && !name) ||
				    (nil && new.data[0] == 0xc0) ||
				    (nil && kinds[i] == MSG_RECORD && number_new) ||
				    (header && new.data[0] == 0xc4))
					continue;
				buf_add(&bad, b.data, (size_t)(was.data - b.data));
				buf_add(&bad, new.data, new.len);
				buf_add(&bad, was.data + was.len,
				    (size_t)(b.data + b.len - was.data) - was.len);
				decoder_is_given(buf_span(&bad), ERR_INVALID);
				refused++;
				buf_done(&bad);
			}
		}
		buf_done(&b);
	}
	assert_true(refused > 1500);
}

static void
other_versions_and_kinds_are_told_apart_from_rubbish(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int code;
		int kind;
	} rows[] = {
	    {"\x92\x01\x0b", 3, ERR_NOT_FOUND, 11},
	    {"\x92\x01\x16", 3, ERR_NOT_FOUND, 22},
	    {"\x92\x01\x00", 3, ERR_NOT_FOUND, 0},
	    {"\x94\x02\x03\x05\xa1p", 6, ERR_NOT_FOUND, 3},
	    {"\x93\x01\x63\x92\x90\xc0", 6, ERR_NOT_FOUND, 99},
	    {"\x92\x01\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 11, ERR_NOT_FOUND, 0},
	    {"\x93\x01\x63\x92\x90\xc2", 6, ERR_INVALID, 99},
	    {"\x93\x01\x63\x91\x90", 5, ERR_NOT_FOUND, 99},
	    {"\x93\x01\x63\x91\x91\x90", 6, ERR_INVALID, 99},
	    {"\x92\x01\x63\x00", 4, ERR_INVALID, 99},
	    {"\x91\x01", 2, ERR_INVALID, 0},
	    {"\x90", 1, ERR_INVALID, 0},
	    {"\x01", 1, ERR_INVALID, 0},
	    {"", 0, ERR_INVALID, 0},
	    {"\x92\xc0\x03", 3, ERR_INVALID, 0},
	    {"\x92\x01\xa1x", 4, ERR_INVALID, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f;
		struct err err = ERR_INIT;

		assert_int_equal(frame_decode(&f, span_of(rows[i].bytes, rows[i].len), &err), -1);
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(f.kind, rows[i].kind);
	}
}

static void
a_frame_has_at_most_1024_bytes(void **state)
{
	struct buf b = BUF_INIT;
	struct frame f;
	struct err err = ERR_INIT;

	(void)state;
	enc_array(&b, 3);
	enc_u(&b, 1);
	enc_u(&b, 99);
	enc_b(&b, (uint8_t[1024]){0}, F0_MAX - 6);
	assert_int_equal(b.len, F0_MAX);
	assert_int_equal(frame_decode(&f, buf_span(&b), &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	buf_clear(&b);
	enc_array(&b, 3);
	enc_u(&b, 1);
	enc_u(&b, 99);
	enc_b(&b, (uint8_t[1024]){0}, F0_MAX - 5);
	decoder_is_given(buf_span(&b), ERR_INVALID);
	buf_done(&b);
}

static void
texts_over_their_limit_are_refused(void **state)
{
	char text[300];
	struct buf b = BUF_INIT;
	struct frame f;

	(void)state;
	memset(text, 'w', sizeof(text));
	for (size_t code_len = 63; code_len <= 64; code_len++) {
		for (size_t text_len = 255; text_len <= 256; text_len++) {
			bool ok = code_len == 63 && text_len == 255;

			buf_clear(&b);
			enc_array(&b, 7);
			enc_u(&b, 1);
			enc_u(&b, MSG_NACK);
			enc_sn(&b, text, code_len);
			enc_u(&b, 0);
			enc_u(&b, 0);
			enc_u(&b, 0);
			enc_sn(&b, text, text_len);
			assert_int_equal(frame_decode(&f, buf_span(&b), NULL), ok ? 0 : -1);
		}
	}
	buf_done(&b);
}

static void
a_header_over_768_bytes_is_refused(void **state)
{
	uint8_t header[HEADER_MAX + 1] = {0};
	struct frame f = smallest(MSG_RECORD);
	struct buf b = BUF_INIT;

	(void)state;
	f.u.record.header = span_of(header, sizeof(header));
	frame_encode(&b, &f);
	decoder_is_given(buf_span(&b), ERR_INVALID);
	buf_done(&b);
}

static void
a_long_reason_is_cut_between_characters(void **state)
{
	struct frame f = smallest(MSG_GRANT), back;
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(f.u.grant.why); i += 3)
		memcpy(f.u.grant.why + i, "因", 4);
	memcpy(f.u.grant.why + 252, "\xe5\x9b", 3); /* as snprintf leaves it */
	frame_encode(&b, &f);
	assert_int_equal(frame_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(strlen(back.u.grant.why), 252);
	buf_done(&b);
}

static void
kinds_have_names_and_references(void **state)
{
	struct frame f = {.kind = MSG_RECORD};

	(void)state;
	assert_string_equal(frame_kind_name(MSG_HELLO), "HELLO");
	assert_string_equal(frame_kind_name(MSG_SEEN), "SEEN");
	assert_string_equal(frame_kind_name((enum msg_kind)11), "?");
	assert_string_equal(frame_kind_name((enum msg_kind)0), "?");
	assert_string_equal(frame_kind_name((enum msg_kind)200), "?");
	f.u.record.seq = 7;
	assert_int_equal(frame_ref(&f), 7);
	f = (struct frame){.kind = MSG_TAKE};
	f.u.take.next_no = 8;
	assert_int_equal(frame_ref(&f), 8);
	f = (struct frame){.kind = MSG_LOOK};
	f.u.look.look_no = 9;
	assert_int_equal(frame_ref(&f), 9);
	f = (struct frame){.kind = MSG_NEXT};
	f.u.next.next_no = 10;
	assert_int_equal(frame_ref(&f), 10);
	f = (struct frame){.kind = MSG_RENEW};
	f.u.renew.token = 11;
	assert_int_equal(frame_ref(&f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_frame_comes_back_as_it_was),
	    cmocka_unit_test(a_frame_cut_short_or_too_long_is_refused),
	    cmocka_unit_test(the_wrong_number_of_fields_is_refused),
	    cmocka_unit_test(a_field_of_another_type_is_refused),
	    cmocka_unit_test(other_versions_and_kinds_are_told_apart_from_rubbish),
	    cmocka_unit_test(a_frame_has_at_most_1024_bytes),
	    cmocka_unit_test(texts_over_their_limit_are_refused),
	    cmocka_unit_test(a_header_over_768_bytes_is_refused),
	    cmocka_unit_test(a_long_reason_is_cut_between_characters),
	    cmocka_unit_test(kinds_have_names_and_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
