/* Hashes, signatures and seals: each byte counts, and nothing can be taken for something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/chain.h"

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {1, 2, 4};
static const uint8_t ob[16] = {7, [15] = 7}, other_ob[16] = {7, [15] = 8};
static const uint8_t case_id[16] = {5}, other_case[16] = {6};

static void
a_record_whose_hashes_do_not_fit_is_found(void **state)
{
	struct msg_record r = {.seq = 3, .prev_h = {1}, .header = span_str("header")};
	struct span body = span_str("body");

	(void)state;
	memcpy(r.ob, ob, 16);
	chain_body_hash(r.bc, body);
	chain_next(r.h, r.prev_h, r.ob, r.seq, r.header, r.bc);
	assert_true(chain_record_ok(&r, body));
	assert_false(chain_record_ok(&r, span_str("Body")));
	for (int part = 0; part < 6; part++) {
		struct msg_record bad = r;

		switch (part) {
		case 0: bad.seq++; break;
		case 1: bad.ob[15] ^= 1; break;
		case 2: bad.prev_h[31] ^= 1; break;
		case 3: bad.h[0] ^= 1; break;
		case 4: bad.bc[0] ^= 1; break;
		case 5: bad.header = span_str("heade"); break;
		default: break;
		}
		assert_false(chain_record_ok(&bad, body));
	}
}

static void
an_empty_body_has_the_hash_of_nothing(void **state)
{
	static const uint8_t nothing[] = {0x0e, 0x57, 0x51, 0xc0, 0x26, 0xe5, 0x43, 0xb2};
	uint8_t bc[32];

	(void)state;
	chain_body_hash(bc, span_of(NULL, 0));
	assert_memory_equal(bc, nothing, sizeof(nothing));
}

static void
a_body_opens_only_in_its_place(void **state)
{
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	chain_body_seal(&sealed, key, case_id, ob, 9, span_str("text"));
	assert_int_equal(sealed.len, 4 + SEAL_OVERHEAD);
	assert_int_equal(chain_body_open(&plain, key, case_id, ob, 9, buf_span(&sealed), &err), 0);
	assert_true(span_eq_str(buf_span(&plain), "text"));
	assert_int_equal(
	    chain_body_open(&plain, other_key, case_id, ob, 9, buf_span(&sealed), &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_string_equal(err.text, "body of record 9: the seal does not fit");
	assert_int_equal(
	    chain_body_open(&plain, key, other_case, ob, 9, buf_span(&sealed), &err), -1);
	assert_int_equal(
	    chain_body_open(&plain, key, case_id, other_ob, 9, buf_span(&sealed), &err), -1);
	assert_int_equal(
	    chain_body_open(&plain, key, case_id, ob, 10, buf_span(&sealed), &err), -1);
	assert_int_equal(chain_task_open(&plain, key, case_id, buf_span(&sealed), &err), -1);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 0x10;
		assert_int_equal(
		    chain_body_open(&plain, key, case_id, ob, 9, buf_span(&sealed), &err), -1);
		sealed.data[i] ^= 0x10;
		assert_int_equal(
		    chain_body_open(&plain, key, case_id, ob, 9, span_of(sealed.data, i), &err),
		    -1);
	}
	assert_int_equal(plain.len, 4); /* what failed added nothing */
	buf_done(&sealed);
	buf_done(&plain);
}

static void
a_task_opens_only_for_its_case(void **state)
{
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	chain_task_seal(&sealed, key, case_id, span_str("task"));
	assert_int_equal(chain_task_open(&plain, key, case_id, buf_span(&sealed), &err), 0);
	assert_true(span_eq_str(buf_span(&plain), "task"));
	assert_int_equal(chain_task_open(&plain, key, other_case, buf_span(&sealed), &err), -1);
	assert_int_equal(chain_task_open(&plain, other_key, case_id, buf_span(&sealed), &err), -1);
	assert_string_equal(err.text, "task: the seal does not fit");
	buf_done(&sealed);
	buf_done(&plain);
}

static void
signed_bytes_are_joined_as_the_text_says(void **state)
{
	struct buf b = BUF_INIT;
	struct msg_receipt r = {.level = 2, .upto = 258, .h = {3}, .incarnation = {4}};

	(void)state;
	chain_outbox_bytes(&b, "c1", case_id, ob);
	assert_int_equal(b.len, 10 + 3 + 32);
	assert_memory_equal(b.data, "hf1-outboxc1", 13);
	assert_memory_equal(b.data + 13, case_id, 16);
	assert_memory_equal(b.data + 29, ob, 16);
	buf_clear(&b);
	chain_login_bytes(&b, "c1", "wang", case_id, ob, 1, 2);
	assert_int_equal(b.len, 9 + 3 + 5 + 32 + 16);
	assert_memory_equal(b.data, "hf1-loginc1\0wang", 17);
	assert_memory_equal(b.data + 17 + 32, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2", 16);
	buf_clear(&b);
	memcpy(r.ob, ob, 16);
	chain_receipt_bytes(&b, &r);
	assert_int_equal(b.len, 11 + 1 + 16 + 8 + 32 + 16);
	assert_memory_equal(b.data, "hf1-receipt\2", 12);
	assert_memory_equal(b.data + 28, "\0\0\0\0\0\0\1\2", 8);
	assert_memory_equal(b.data + 36, r.h, 32);
	assert_memory_equal(b.data + 68, r.incarnation, 16);
	buf_done(&b);
}

static void
a_promise_covers_everything_it_names(void **state)
{
	struct msg_accepted a = {
	    .ob = {1}, .seq = 2, .h = {3}, .verdict = 1, .epoch = 4, .opseq = 5};
	uint8_t proof[32], out[32];

	(void)state;
	chain_accept_receipt(proof, key, &a);
	for (int part = 0; part < 7; part++) {
		struct msg_accepted bad = a;

		switch (part) {
		case 0: bad.ob[0]++; break;
		case 1: bad.seq++; break;
		case 2: bad.h[0]++; break;
		case 3: bad.verdict++; break;
		case 4: bad.epoch++; break;
		case 5: bad.opseq++; break;
		default: break;
		}
		chain_accept_receipt(out, part == 6 ? other_key : key, &bad);
		assert_memory_not_equal(out, proof, 32);
	}
}

static void
a_number_is_named_differently_in_each_case_and_index(void **state)
{
	uint8_t a[8], b[8];

	(void)state;
	chain_number_id(a, key, "19900001111");
	chain_number_id(b, key, "19900001111");
	assert_memory_equal(a, b, 8);
	chain_number_id(b, other_key, "19900001111");
	assert_memory_not_equal(a, b, 8);
	chain_index(a, key, "num", "19900001111");
	assert_memory_not_equal(a, b, 8);
	chain_index(b, key, "no", "19900001111");
	assert_memory_not_equal(a, b, 8);
	chain_index(b, key, "num", "19900001111");
	assert_memory_equal(a, b, 8);
	chain_index(b, key, "nu", "m19900001111");
	assert_memory_not_equal(a, b, 8);
}

static void
an_agent_is_its_two_keys(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	chain_agent_id(a, key, other_key);
	chain_agent_id(b, other_key, key);
	assert_memory_not_equal(a, b, 16);
}

static void
a_lease_ticket_is_good_in_its_outbox_only(void **state)
{
	struct buf t = BUF_INIT;
	uint8_t got_case[16];
	uint64_t token;
	char person[33];

	(void)state;
	chain_ticket(&t, key, case_id, 1ULL << 40 | 3, "abcdefghijklmnopqrstuvwxyz01234_", ob);
	assert_true(t.len <= TICKET_MAX);
	assert_true(chain_ticket_open(key, buf_span(&t), ob, got_case, &token, person));
	assert_memory_equal(got_case, case_id, 16);
	assert_true(token == (1ULL << 40 | 3));
	assert_string_equal(person, "abcdefghijklmnopqrstuvwxyz01234_");
	assert_false(chain_ticket_open(other_key, buf_span(&t), ob, got_case, &token, person));
	assert_false(chain_ticket_open(key, buf_span(&t), other_ob, got_case, &token, person));
	for (size_t i = 0; i < t.len; i++) {
		assert_false(
		    chain_ticket_open(key, span_of(t.data, i), ob, got_case, &token, person));
		t.data[i] ^= 1;
		assert_false(chain_ticket_open(key, buf_span(&t), ob, got_case, &token, person));
		t.data[i] ^= 1;
	}
	buf_addc(&t, 0);
	assert_false(chain_ticket_open(key, buf_span(&t), ob, got_case, &token, person));
	assert_false(chain_ticket_open(key, span_of(NULL, 0), ob, got_case, &token, person));
	buf_clear(&t);
	chain_ticket(&t, key, case_id, 0, "w", ob);
	assert_true(chain_ticket_open(key, buf_span(&t), ob, got_case, &token, person));
	assert_string_equal(person, "w");
	buf_done(&t);
}

static int
start_crypt(void **state)
{
	(void)state;
	return crypt_init(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_whose_hashes_do_not_fit_is_found),
	    cmocka_unit_test(an_empty_body_has_the_hash_of_nothing),
	    cmocka_unit_test(a_body_opens_only_in_its_place),
	    cmocka_unit_test(a_task_opens_only_for_its_case),
	    cmocka_unit_test(signed_bytes_are_joined_as_the_text_says),
	    cmocka_unit_test(a_promise_covers_everything_it_names),
	    cmocka_unit_test(a_number_is_named_differently_in_each_case_and_index),
	    cmocka_unit_test(an_agent_is_its_two_keys),
	    cmocka_unit_test(a_lease_ticket_is_good_in_its_outbox_only),
	};

	return cmocka_run_group_tests(tests, start_crypt, NULL);
}
