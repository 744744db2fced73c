/* Headers of records: round trips, what the rows of PROTOCOL.md 14.3 allow, and what a bad header
 * still tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/codec.h"
#include "proto/record.h"
#include "proto/roles.h"

static const uint8_t some[32] = {1, 2, 3, 4, 5, 6, 7, 8, [31] = 9};

/* A value of the right type. */
static void
set_any(struct record_header *h, enum field_key key)
{
	switch (field_type(key)) {
	case FIELD_U: field_set_u(h, key, 5); break;
	case FIELD_STR: field_set_s(h, key, "abc"); break;
	case FIELD_BIN:
		field_set_b(h, key, some,
		    key == F_number                                        ? 8
		    : key == F_import || key == F_ref_ob || key == F_agent ? 16
		                                                           : 32);
		break;
	case FIELD_STRS: field_add(h, key, "worry", 5); break;
	case FIELD_BINS: field_add(h, key, some, 32); break;
	case FIELD_REFS: field_set_b(h, key, some, 32); break;
	case FIELD_NONE: abort();
	}
}

/* The smallest right header of a kind. */
static struct record_header
plain(enum record_kind kind)
{
	const struct record_rule *r = record_rule(kind);
	struct record_header h;

	memset(&h, 0, sizeof(h));
	h.kind = kind;
	strcpy(h.person, "wang");
	memcpy(h.id, some, 16);
	h.has_case = r->case_id == RULE_MUST;
	if (h.has_case)
		memcpy(h.case_id, some, 16);
	for (int key = 1; key < FIELD_KEYS; key++) {
		if ((r->required >> key & 1) != 0)
			set_any(&h, (enum field_key)key);
	}
	return h;
}

static int
decode(struct record_header *ret, const struct record_header *h, struct err *err)
{
	static struct buf b; /* spans of *ret point into it until the next call */
	int rc;

	buf_done(&b);
	record_header_encode(&b, h);
	rc = record_header_decode(ret, buf_span(&b), err);
	if (rc < 0)
		buf_done(&b);
	return rc;
}

static void
accepts(const struct record_header *h)
{
	struct record_header back;
	struct err err = ERR_INIT;

	if (decode(&back, h, &err) < 0)
		fail_msg("%s", err.text);
}

static void
refuses(const struct record_header *h, const char *why)
{
	struct record_header back;
	struct err err = ERR_INIT;

	assert_int_equal(decode(&back, h, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, why);
	assert_int_equal(back.kind, h->kind);
	assert_string_equal(back.person, h->person);
	assert_true(back.token == h->token && back.has_case == h->has_case);
	assert_memory_equal(back.case_id, h->case_id, 16);
}

static void
a_header_comes_back_with_every_field(void **state)
{
	struct record_header h = plain(REC_CORRECTION), back;
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	h.has_case = true;
	memcpy(h.case_id, some + 8, 16);
	h.token = ((uint64_t)TOKEN_EPOCH_MAX << TOKEN_EPOCH_BITS) | 0xffffffffff;
	h.expect = INT64_MAX;
	h.again = 1;
	memset(h.boot, 0xb0, 16);
	h.t_start = 1;
	h.t_end = 2;
	h.t_entry = 3;
	h.server_wall = 4;
	h.server_boot = 5;
	h.pc_wall = INT64_MAX;
	h.quality = 1;
	for (int key = 1; key <= F_direction; key++)
		set_any(&h, (enum field_key)key);
	field_add(&h, F_concerns, "学费", 6);
	if (decode(&back, &h, &err) < 0)
		fail_msg("%s", err.text);
	for (int key = 1; key < FIELD_KEYS; key++) {
		struct field *a = &h.f[key], *b = &back.f[key];

		assert_int_equal(a->set, b->set);
		assert_true(a->u == b->u && span_eq(a->bytes, b->bytes));
		assert_int_equal(a->n, b->n);
		for (uint8_t i = 0; i < a->n; i++)
			assert_true(span_eq(a->list[i], b->list[i]));
	}
	record_header_encode(&once, &h);
	record_header_encode(&twice, &back);
	assert_true(span_eq(buf_span(&once), buf_span(&twice)));
	buf_done(&once);
	buf_done(&twice);
	(void)decode(&back, &(struct record_header){.kind = REC_KINDS}, &err);
}

static void
every_kind_is_accepted_at_its_smallest_and_largest(void **state)
{
	(void)state;
	for (int kind = 1; kind < REC_KINDS; kind++) {
		const struct record_rule *r = record_rule((enum record_kind)kind);
		struct record_header h = plain((enum record_kind)kind);

		accepts(&h);
		for (int key = 1; key < FIELD_KEYS; key++) {
			if ((r->allowed >> key & 1) == 0)
				continue;
			assert_true((r->required >> key & 1) == 0);
			set_any(&h, (enum field_key)key);
			accepts(&h);
		}
		if (r->case_id == RULE_MAY) {
			h.has_case = true;
			h.case_id[0] = 1;
			accepts(&h);
		}
		if (r->token == RULE_MAY) {
			h.token = 1;
			accepts(&h);
		}
	}
}

static void
each_kind_refuses_what_its_row_does_not_have(void **state)
{
	char why[100];

	(void)state;
	for (int kind = 1; kind < REC_KINDS; kind++) {
		const struct record_rule *r = record_rule((enum record_kind)kind);
		struct record_header h;

		for (int key = 1; key < FIELD_KEYS; key++) {
			h = plain((enum record_kind)kind);
			if ((r->required >> key & 1) != 0) {
				memset(&h.f[key], 0, sizeof(h.f[key]));
				(void)snprintf(why, sizeof(why), "%s needs the field %s", r->name,
				    field_name((enum field_key)key));
				refuses(&h, why);
			} else if ((r->allowed >> key & 1) == 0) {
				set_any(&h, (enum field_key)key);
				(void)snprintf(why, sizeof(why), "%s does not have the field %s",
				    r->name, field_name((enum field_key)key));
				refuses(&h, why);
			}
		}
		h = plain((enum record_kind)kind);
		if (r->case_id != RULE_MAY) {
			h.has_case = !h.has_case;
			memset(h.case_id, 0, 16);
			(void)snprintf(why, sizeof(why), "%s %s a case", r->name,
			    h.has_case ? "does not have" : "needs");
			refuses(&h, why);
		}
		h = plain((enum record_kind)kind);
		h.token = 1;
		if (r->token == RULE_NEVER) {
			(void)snprintf(why, sizeof(why), "%s does not have a token", r->name);
			refuses(&h, why);
		} else if (r->case_id == RULE_MAY) {
			(void)snprintf(why, sizeof(why), "%s has a token and no case", r->name);
			refuses(&h, why);
		}
	}
}

/* Rows that others lean on, as the text has them. */
static void
rows_say_what_the_protocol_says(void **state)
{
	const struct record_rule *r = record_rule(REC_ATTEMPT);

	(void)state;
	assert_string_equal(r->name, "ATTEMPT");
	assert_true(r->moves && r->binds && r->token == RULE_MAY && r->case_id == RULE_MUST);
	assert_int_equal(r->roles, ROLE_OWNER | ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE);
	assert_true(r->required == 1ULL << F_outcome);
	assert_true((r->allowed >> F_direction & 1) == 1 && (r->allowed >> F_reason & 1) == 0);
	r = record_rule(REC_TIMER);
	assert_int_equal(r->roles, ROLE_SYSTEM);
	assert_true(r->moves && !r->binds);
	r = record_rule(REC_NOTE);
	assert_true(!r->moves && r->roles == ROLE_ANY && r->case_id == RULE_MAY);
	r = record_rule(REC_CORRECTION);
	assert_int_equal(r->roles, ROLE_SELF | ROLE_OWNER | ROLE_LEADER);
	for (int kind = 1; kind < REC_KINDS; kind++) {
		r = record_rule((enum record_kind)kind);
		assert_non_null(r);
		assert_int_equal(record_kind_by_name(r->name), kind);
		assert_int_equal(r->binds, kind == REC_ATTEMPT);
		assert_true(r->roles != 0);
	}
	assert_null(record_rule((enum record_kind)0));
	assert_null(record_rule(REC_KINDS));
	assert_null(record_rule((enum record_kind)65535));
	assert_int_equal(record_kind_by_name("attempt"), 0);
	assert_int_equal(record_kind_by_name(""), 0);
}

static void
flags_and_tokens_out_of_range_are_refused(void **state)
{
	struct record_header h = plain(REC_ATTEMPT);

	(void)state;
	h.again = 2;
	refuses(&h, "record header: token, id, times or flags");
	h = plain(REC_ATTEMPT);
	h.quality = 2;
	refuses(&h, "record header: token, id, times or flags");
	h = plain(REC_ATTEMPT);
	h.token = ((uint64_t)TOKEN_EPOCH_MAX + 1) << TOKEN_EPOCH_BITS;
	refuses(&h, "record header: token, id, times or flags");
}

static void
values_over_their_limits_are_refused(void **state)
{
	static const char long_text[] =
	    "123456789012345678901234567890123456789012345678x"; /* 49 */
	struct record_header h = plain(REC_REVEAL);

	(void)state;
	h.f[F_reason].bytes = span_of(long_text, 48);
	accepts(&h);
	h.f[F_reason].bytes = span_of(long_text, 49);
	refuses(&h, "record header: value of reason");
	h = plain(REC_ATTEMPT);
	h.f[F_outcome].bytes = span_of(long_text, 25);
	refuses(&h, "record header: value of outcome");
	h = plain(REC_ATTEMPT);
	for (int i = 0; i < 8; i++)
		field_add(&h, F_evidence, some, 32);
	accepts(&h);
	h.f[F_evidence].list[8] = span_of(some, 32);
	h.f[F_evidence].n = 9;
	refuses(&h, "record header: value of evidence");
	h = plain(REC_ATTEMPT);
	field_add(&h, F_evidence, some, 31);
	refuses(&h, "record header: value of evidence");
	h = plain(REC_ATTEMPT);
	for (int i = 0; i < 12; i++)
		field_add(&h, F_concerns, "c", 1);
	accepts(&h);
	h = plain(REC_ATTEMPT);
	field_add(&h, F_concerns, long_text, 33);
	refuses(&h, "record header: value of concerns");
	h = plain(REC_NUMBER);
	h.f[F_number] = (struct field){.set = true, .bytes = span_of(some, 7)};
	refuses(&h, "record header: value of number");
	h = plain(REC_HANDOVER);
	field_set_s(&h, F_to, "Not An Id");
	refuses(&h, "record header: value of to");
	field_set_s(&h, F_to, "");
	refuses(&h, "record header: value of to");
}

/* A header from its first elements and the bytes of the fields' array. */
static int
decode_fields(const char *fields, size_t len)
{
	struct record_header h = plain(REC_INQUIRY), back;
	struct buf b = BUF_INIT;
	int rc;

	record_header_encode(&b, &h);
	b.len--; /* the empty array */
	buf_add(&b, fields, len);
	rc = record_header_decode(&back, buf_span(&b), NULL);
	buf_done(&b);
	return rc;
}

static void
fields_are_pairs_with_rising_known_keys(void **state)
{
	(void)state;
	assert_int_equal(decode_fields("\x90", 1), 0);
	assert_int_equal(decode_fields("\x92\x01\xa1x", 4), 0);
	assert_int_equal(decode_fields("\x94\x01\xa1x\x02\xa1y", 7), 0);
	assert_int_equal(decode_fields("\x94\x02\xa1x\x01\xa1y", 7), -1); /* falling */
	assert_int_equal(decode_fields("\x94\x01\xa1x\x01\xa1y", 7), -1); /* twice */
	assert_int_equal(decode_fields("\x92\x00\xa1x", 4), -1);          /* none */
	assert_int_equal(decode_fields("\x92\x2c\x01", 3), -1);           /* key 44 */
	assert_int_equal(decode_fields("\x91\x01", 2), -1);               /* no value */
	assert_int_equal(decode_fields("\x92\x01\x05", 3), -1);           /* a number, no text */
	assert_int_equal(decode_fields("\x92\xa1x\x01", 4), -1);          /* key is a text */
	assert_int_equal(decode_fields("\x90\x00", 2), -1);               /* a byte behind */
	assert_int_equal(decode_fields("\xc0", 1), -1);
	assert_int_equal(decode_fields("", 0), -1);
}

static void
a_bad_header_still_tells_its_first_elements(void **state)
{
	struct record_header h = plain(REC_ATTEMPT), back;
	struct buf b = BUF_INIT;
	size_t case_ends = 1 + 1 + 1 + 5 + 9 + 18;

	(void)state;
	h.token = 1ULL << 40;
	record_header_encode(&b, &h);
	/* b.data[0..2] is an array 16 head; the elements begin behind it */
	for (size_t len = 0; len < b.len; len++) {
		assert_int_equal(record_header_decode(&back, span_of(b.data, len), NULL), -1);
		if (len < 3 + 17)
			continue; /* fewer bytes than elements: not even an array */
		assert_int_equal(back.kind, REC_ATTEMPT);
		assert_string_equal(back.person, "wang");
		if (len >= 2 + case_ends) {
			assert_true(back.token == 1ULL << 40 && back.has_case);
			assert_memory_equal(back.case_id, some, 16);
		}
	}
	b.data[3] = 2; /* another version of the header */
	assert_int_equal(record_header_decode(&back, buf_span(&b), NULL), -1);
	assert_string_equal(back.person, "wang");
	b.data[3] = 1;
	b.data[4] = 30; /* an unknown kind */
	assert_int_equal(record_header_decode(&back, buf_span(&b), NULL), -1);
	assert_int_equal(back.kind, 30);
	assert_string_equal(back.person, "wang");
	assert_true(back.has_case);
	assert_int_equal(record_header_decode(&back, span_of(NULL, 0), NULL), -1);
	assert_string_equal(back.person, "");
	buf_done(&b);
}

static void
a_header_has_at_most_768_bytes(void **state)
{
	struct record_header back;
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < HEADER_MAX + 1; i++)
		buf_addc(&b, 0);
	assert_int_equal(record_header_decode(&back, buf_span(&b), NULL), -1);
	buf_done(&b);
}

static void
fields_and_roles_have_names(void **state)
{
	(void)state;
	assert_string_equal(field_name(F_outcome), "outcome");
	assert_string_equal(field_name(F_person_pk), "person_pk");
	assert_string_equal(field_name((enum field_key)0), "?");
	assert_string_equal(field_name(FIELD_KEYS), "?");
	assert_int_equal(field_type(FIELD_KEYS), FIELD_NONE);
	assert_int_equal(FIELD_KEYS, 45);
	for (int key = 1; key < FIELD_KEYS; key++)
		assert_int_equal(field_by_name(field_name((enum field_key)key)), key);
	assert_int_equal(field_by_name("nothing"), 0);
	assert_int_equal(role_by_name("strike-head"), ROLE_STRIKE_HEAD);
	assert_int_equal(role_by_name("boss"), 0);
	assert_string_equal(role_name(ROLE_SYSTEM), "system");
	assert_string_equal(role_zh(ROLE_CALLER), "组员");
	assert_null(role_name(3));
	assert_null(role_zh(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_comes_back_with_every_field),
	    cmocka_unit_test(every_kind_is_accepted_at_its_smallest_and_largest),
	    cmocka_unit_test(each_kind_refuses_what_its_row_does_not_have),
	    cmocka_unit_test(rows_say_what_the_protocol_says),
	    cmocka_unit_test(flags_and_tokens_out_of_range_are_refused),
	    cmocka_unit_test(values_over_their_limits_are_refused),
	    cmocka_unit_test(fields_are_pairs_with_rising_known_keys),
	    cmocka_unit_test(a_bad_header_still_tells_its_first_elements),
	    cmocka_unit_test(a_header_has_at_most_768_bytes),
	    cmocka_unit_test(fields_and_roles_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
