/* The lists in F1: round trips at their limits, refusals, and leaving out what
 * does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/lists.h"

#define LONG_NAME "abcdefghijklmnopqrstuvwxyz01234_"

static const uint8_t zeros[F1_MAX];

static void
hello_lists_come_back_at_their_limits(void **state)
{
	static struct hello_lists l, back;
	struct buf b = BUF_INIT;

	(void)state;
	l.n_persons = PERSONS_MAX;
	for (int i = 0; i < PERSONS_MAX; i++) {
		strcpy(l.persons[i].person, LONG_NAME);
		l.persons[i].from = INT64_MAX;
		l.persons[i].until = (uint64_t)i;
		memset(l.persons[i].sig, i, 64);
	}
	l.n_tickets = LEASES_MAX;
	for (int i = 0; i < LEASES_MAX; i++)
		l.tickets[i] = span_of(zeros, TICKET_MAX);
	hello_lists_encode(&b, &l);
	assert_true(b.len <= F1_MAX);
	assert_int_equal(hello_lists_decode(&back, buf_span(&b), NULL), 0);
	assert_memory_equal(back.persons, l.persons, sizeof(l.persons));
	assert_int_equal(back.n_tickets, LEASES_MAX);
	for (int i = 0; i < LEASES_MAX; i++)
		assert_true(span_eq(back.tickets[i], l.tickets[i]));
	for (size_t len = 0; len < b.len; len += len < 300 ? 1 : 97)
		assert_int_equal(hello_lists_decode(&back, span_of(b.data, len), NULL), -1);
	buf_addc(&b, 0);
	assert_int_equal(hello_lists_decode(&back, buf_span(&b), NULL), -1);
	memset(&l, 0, sizeof(l));
	buf_clear(&b);
	hello_lists_encode(&b, &l);
	assert_memory_equal(b.data, "\x92\x90\x90", 3);
	assert_int_equal(hello_lists_decode(&back, buf_span(&b), NULL), 0);
	buf_done(&b);
}

/* `lists` empty lists, of which the one at `which` has n elements of one byte. */
static struct buf
one_list(uint32_t lists, uint32_t which, uint32_t n)
{
	struct buf b = BUF_INIT;

	enc_array(&b, lists);
	for (uint32_t i = 0; i < lists; i++) {
		enc_array(&b, i == which ? n : 0);
		for (uint32_t k = 0; i == which && k < n; k++)
			enc_b(&b, "", 0);
	}
	return b;
}

static void
longer_lists_are_refused(void **state)
{
	static struct hello_lists hello;
	static struct welcome_lists welcome;
	struct buf b;

	(void)state;
	b = one_list(2, 1, LEASES_MAX);
	assert_int_equal(hello_lists_decode(&hello, buf_span(&b), NULL), 0);
	buf_done(&b);
	b = one_list(2, 1, LEASES_MAX + 1);
	assert_int_equal(hello_lists_decode(&hello, buf_span(&b), NULL), -1);
	assert_int_equal(hello.n_tickets, 0);
	buf_done(&b);
	b = one_list(2, 0, PERSONS_MAX + 1);
	assert_int_equal(hello_lists_decode(&hello, buf_span(&b), NULL), -1);
	assert_int_equal(hello.n_persons, 0);
	buf_done(&b);
	b = one_list(5, 3, 2);
	assert_int_equal(welcome_lists_decode(&welcome, buf_span(&b), NULL), 0);
	assert_int_equal(welcome.n_receipts, 2);
	buf_done(&b);
	for (uint32_t which = 0; which < 5; which++) {
		b = one_list(5, which, 321);
		assert_int_equal(welcome_lists_decode(&welcome, buf_span(&b), NULL), -1);
		buf_done(&b);
	}
	b = one_list(5, 3, 3);
	assert_int_equal(welcome_lists_decode(&welcome, buf_span(&b), NULL), -1);
	buf_done(&b);
	b = one_list(4, 3, 2); /* a list is missing */
	assert_int_equal(welcome_lists_decode(&welcome, buf_span(&b), NULL), -1);
	buf_done(&b);
}

static void
a_ticket_over_128_bytes_is_refused(void **state)
{
	static struct hello_lists l, back;
	struct buf b = BUF_INIT;

	(void)state;
	l.n_tickets = 1;
	l.tickets[0] = span_of(zeros, TICKET_MAX + 1);
	hello_lists_encode(&b, &l);
	assert_int_equal(hello_lists_decode(&back, buf_span(&b), NULL), -1);
	buf_done(&b);
}

static void
welcome_lists_come_back_as_they_were(void **state)
{
	static struct welcome_lists l, back;
	struct buf b = BUF_INIT, again = BUF_INIT;

	(void)state;
	l.n_persons = 2;
	l.persons[0] = (struct welcome_person){LONG_NAME, 1, 32767, "t1", ""};
	l.persons[1] = (struct welcome_person){"p", 0, 0, "", "expired"};
	l.n_tickets = 1;
	l.tickets[0] = (struct welcome_ticket){{1}, 2, 2};
	l.n_leases = 1;
	l.leases[0] = (struct welcome_lease){{1}, 3, 4, "p", 1};
	l.n_receipts = 2;
	l.receipts[0] = span_of(zeros, 200);
	l.receipts[1] = span_of(zeros, 0);
	l.n_keys = 4;
	for (uint8_t i = 0; i < 4; i++)
		l.keys[i] = (struct welcome_key){{i}, {i, i}};
	welcome_lists_encode(&b, &l);
	assert_int_equal(welcome_lists_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(back.n_persons + back.n_tickets + back.n_leases + back.n_keys, 8);
	assert_string_equal(back.persons[1].why, "expired");
	assert_true(back.leases[0].rseq == 4 && back.tickets[0].verdict == 2);
	assert_int_equal(back.receipts[0].len, 200);
	welcome_lists_encode(&again, &back);
	assert_true(span_eq(buf_span(&again), buf_span(&b)));
	buf_done(&again);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(welcome_lists_decode(&back, span_of(b.data, len), NULL), -1);
	buf_done(&b);
}

static void
the_largest_welcome_fits_its_frame(void **state)
{
	static struct welcome_lists l;
	struct buf b = BUF_INIT;

	(void)state;
	l.n_persons = PERSONS_MAX;
	for (int i = 0; i < PERSONS_MAX; i++) {
		l.persons[i] = (struct welcome_person){LONG_NAME, 1, 32767, LONG_NAME, ""};
		memset(l.persons[i].why, 'w', 63);
	}
	l.n_tickets = l.n_leases = LEASES_MAX;
	for (int i = 0; i < LEASES_MAX; i++) {
		l.tickets[i].token = l.leases[i].token = l.leases[i].rseq = INT64_MAX;
		strcpy(l.leases[i].person, LONG_NAME);
	}
	l.n_receipts = 2;
	l.receipts[0] = l.receipts[1] = span_of(zeros, F0_MAX);
	l.n_keys = 4;
	welcome_lists_encode(&b, &l);
	assert_true(b.len <= F1_MAX);
	buf_done(&b);
}

static void
grant_lists_come_back_and_forget_the_oldest_first(void **state)
{
	struct grant_lists l = {
	    .task = span_str("task"), .ticket = span_str("ticket"), .n_last = 5};
	struct grant_lists back;
	struct buf b = BUF_INIT;

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		l.last[i] =
		    (struct last_record){{i}, i, span_of(zeros, 700U + i), span_of(zeros, 100)};
	grant_lists_encode(&b, &l);
	assert_int_equal(grant_lists_decode(&back, buf_span(&b), NULL), 0);
	assert_true(span_eq_str(back.task, "task") && span_eq_str(back.ticket, "ticket"));
	assert_int_equal(back.n_last, 5);
	for (uint8_t i = 0; i < 5; i++) {
		assert_int_equal(back.last[i].ob[0], i);
		assert_true(back.last[i].seq == i && back.last[i].header.len == 700U + i);
		assert_int_equal(back.last[i].body.len, 100);
	}
	for (size_t len = 0; len < b.len; len += 13)
		assert_int_equal(grant_lists_decode(&back, span_of(b.data, len), NULL), -1);
	buf_clear(&b);
	l.last[1].body = span_of(zeros, 30000);
	l.last[2].body = span_of(zeros, 33000);
	l.last[3].body = span_of(zeros, 10);
	buf_addc(&b, 'x'); /* what was there before stays */
	grant_lists_encode(&b, &l);
	assert_int_equal(b.data[0], 'x');
	assert_int_equal(grant_lists_decode(&back, span_of(b.data + 1, b.len - 1), NULL), 0);
	assert_int_equal(back.n_last, 3);
	buf_clear(&b);
	l.task = span_of(zeros, 65000);
	grant_lists_encode(&b, &l);
	assert_int_equal(grant_lists_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(back.n_last, 0);
	assert_int_equal(back.task.len, 65000);
	buf_done(&b);
}

static void
a_sixth_last_record_is_refused(void **state)
{
	struct grant_lists back;
	struct buf b = BUF_INIT;

	(void)state;
	enc_array(&b, 3);
	enc_b(&b, "", 0);
	enc_b(&b, "", 0);
	enc_array(&b, LAST_MAX + 1);
	for (int i = 0; i <= LAST_MAX; i++) {
		enc_array(&b, 4);
		enc_b(&b, zeros, 16);
		enc_u(&b, 1);
		enc_b(&b, "", 0);
		enc_b(&b, "", 0);
	}
	assert_int_equal(grant_lists_decode(&back, buf_span(&b), NULL), -1);
	buf_done(&b);
}

static void
rows_of_a_page_are_read_one_by_one(void **state)
{
	struct seen_row row = {.case_id = {1},
	    .lane = "own:wang:callback",
	    .due = 5,
	    .version = 6,
	    .key = {7},
	    .task = span_str("sealed")};
	struct seen_row back;
	struct buf b = BUF_INIT;
	struct dec d;

	(void)state;
	enc_array(&b, 2);
	seen_row_encode(&b, &row);
	row.version = 9;
	seen_row_encode(&b, &row);
	assert_int_equal(seen_rows_open(&d, buf_span(&b)), 2);
	assert_true(seen_row_next(&d, &back));
	assert_string_equal(back.lane, "own:wang:callback");
	assert_true(back.due == 5 && back.version == 6 && back.key[0] == 7 && back.case_id[0] == 1);
	assert_true(span_eq_str(back.task, "sealed"));
	assert_true(seen_row_next(&d, &back));
	assert_true(back.version == 9);
	assert_true(dec_end(&d));
	assert_false(seen_row_next(&d, &back));
	buf_done(&b);
}

static void
a_row_says_more_to_who_asked_and_may_grow(void **state)
{
	struct seen_row row = {.lane = "own:wang:due",
	    .task = span_str("sealed"),
	    .more = true,
	    .why = "retry",
	    .has_meters = true,
	    .meters = {.attempts = 3,
	        .contacts = 1,
	        .seconds = 61,
	        .since = 5,
	        .deadline = 6,
	        .asked = true},
	    .has_last = true,
	    .last = {{2}, 3, span_str("header"), span_str("body")}};
	struct seen_row back;
	struct buf b = BUF_INIT;
	struct dec d;

	(void)state;
	enc_array(&b, 3);
	seen_row_encode(&b, &row);
	row.has_meters = row.has_last = false;
	seen_row_encode(&b, &row);
	/* one of a later version */
	enc_array(&b, 11);
	enc_b(&b, zeros, 16);
	enc_s(&b, "pool");
	enc_u(&b, 1);
	enc_u(&b, 2);
	enc_b(&b, zeros, 32);
	enc_b(&b, "", 0);
	enc_s(&b, "released");
	enc_nil(&b);
	enc_nil(&b);
	enc_array(&b, 1);
	enc_u(&b, 7);
	enc_s(&b, "later");
	assert_int_equal(seen_rows_open(&d, buf_span(&b)), 3);
	assert_true(seen_row_next(&d, &back));
	assert_true(back.more && back.has_meters && back.has_last && back.meters.asked);
	assert_string_equal(back.why, "retry");
	assert_true(back.meters.attempts == 3 && back.meters.contacts == 1);
	assert_true(
	    back.meters.seconds == 61 && back.meters.since == 5 && back.meters.deadline == 6);
	assert_true(back.last.seq == 3 && span_eq_str(back.last.body, "body"));
	assert_true(seen_row_next(&d, &back));
	assert_true(back.more && !back.has_meters && !back.has_last);
	assert_true(seen_row_next(&d, &back));
	assert_string_equal(back.why, "released");
	assert_int_equal(back.unknown, 2);
	assert_true(dec_end(&d));
	buf_clear(&b);
	enc_array(&b, 1);
	enc_array(&b, 5);
	enc_b(&b, zeros, 16);
	enc_s(&b, "pool");
	enc_u(&b, 1);
	enc_u(&b, 2);
	enc_b(&b, zeros, 32);
	assert_int_equal(seen_rows_open(&d, buf_span(&b)), 1);
	assert_false(seen_row_next(&d, &back));
	buf_done(&b);
}

static void
a_case_comes_with_its_last_records(void **state)
{
	struct seen_case s = {.row = {.case_id = {1},
	                          .lane = "pool",
	                          .due = 5,
	                          .version = 6,
	                          .task = span_str("sealed")},
	    .n_last = 1,
	    .last = {{{2}, 3, span_str("header"), span_str("body")}}};
	struct seen_case back;
	struct buf b = BUF_INIT;

	(void)state;
	seen_case_encode(&b, &s);
	assert_int_equal(seen_case_decode(&back, buf_span(&b), NULL), 0);
	assert_string_equal(back.row.lane, "pool");
	assert_int_equal(back.n_last, 1);
	assert_true(span_eq_str(back.last[0].body, "body"));
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(seen_case_decode(&back, span_of(b.data, len), NULL), -1);
	buf_clear(&b);
	s.last[0].body = span_of(zeros, 65500);
	seen_case_encode(&b, &s);
	assert_int_equal(seen_case_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(back.n_last, 0);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hello_lists_come_back_at_their_limits),
	    cmocka_unit_test(longer_lists_are_refused),
	    cmocka_unit_test(a_ticket_over_128_bytes_is_refused),
	    cmocka_unit_test(welcome_lists_come_back_as_they_were),
	    cmocka_unit_test(the_largest_welcome_fits_its_frame),
	    cmocka_unit_test(grant_lists_come_back_and_forget_the_oldest_first),
	    cmocka_unit_test(a_sixth_last_record_is_refused),
	    cmocka_unit_test(rows_of_a_page_are_read_one_by_one),
	    cmocka_unit_test(a_row_says_more_to_who_asked_and_may_grow),
	    cmocka_unit_test(a_case_comes_with_its_last_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
