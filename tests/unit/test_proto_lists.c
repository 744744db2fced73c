/* The lists in F1, tasks and bodies: round trips at their limits, refusals, and leaving out what does
 * not fit. */
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
	struct buf b = BUF_INIT;

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
	for (int i = 0; i < 2; i++) {
		assert_true(span_eq(l.receipts[i], back.receipts[i]));
		back.receipts[i] = l.receipts[i];
	}
	assert_memory_equal(&back, &l, sizeof(l));
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

static void
a_task_comes_back_with_everything(void **state)
{
	struct task t = {.no = span_str("26110101000001"),
	    .name = span_str("张三"),
	    .sex = span_str("男"),
	    .id_no = span_str("110101200801010000"),
	    .province = span_str("北京"),
	    .area = span_str("东城"),
	    .school = span_str("一中"),
	    .major = span_str("数学"),
	    .address = span_str("某路 1 号"),
	    .reporter = span_str("李老师"),
	    .batch = span_str("本科一批"),
	    .rural = 1,
	    .choice = 2,
	    .minor = 1,
	    .n_numbers = TASK_NUMBERS,
	    .n_extra = TASK_EXTRAS};
	struct task back;
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < TASK_NUMBERS; i++)
		t.numbers[i] =
		    (struct task_number){span_str("father"), span_str("19900000001"), span_str("")};
	for (int i = 0; i < TASK_EXTRAS; i++)
		t.extra[i] = span_str(i % 2 == 0 ? "header" : "value");
	task_encode(&b, &t);
	assert_int_equal(task_decode(&back, buf_span(&b), NULL), 0);
	assert_true(
	    span_eq(back.no, t.no) && span_eq(back.name, t.name) && span_eq(back.sex, t.sex));
	assert_true(span_eq(back.id_no, t.id_no) && span_eq(back.province, t.province));
	assert_true(span_eq(back.area, t.area) && span_eq(back.school, t.school));
	assert_true(span_eq(back.major, t.major) && span_eq(back.address, t.address));
	assert_true(span_eq(back.reporter, t.reporter) && span_eq(back.batch, t.batch));
	assert_true(back.rural == 1 && back.choice == 2 && back.minor == 1);
	assert_int_equal(back.n_numbers, TASK_NUMBERS);
	assert_true(span_eq_str(back.numbers[11].digits, "19900000001"));
	assert_true(span_eq_str(back.numbers[11].kind, "father"));
	assert_int_equal(back.n_extra, TASK_EXTRAS);
	assert_true(span_eq_str(back.extra[47], "value"));
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(task_decode(&back, span_of(b.data, len), NULL), -1);
	memset(&t, 0, sizeof(t));
	buf_clear(&b);
	task_encode(&b, &t);
	assert_memory_equal(b.data, "\x91\x01", 2);
	assert_int_equal(task_decode(&back, buf_span(&b), NULL), 0);
	assert_memory_equal(&back, &t, sizeof(t));
	buf_done(&b);
}

static int
task_of(const char *bytes, size_t len)
{
	struct task t;

	return task_decode(&t, span_of(bytes, len), NULL);
}

static void
tasks_are_read_strictly_but_for_new_keys(void **state)
{
	struct task t;

	(void)state;
	assert_int_equal(task_of("\x93\x01\x01\xa1x", 5), 0);
	assert_int_equal(task_of("\x93\x02\x01\xa1x", 5), -1);          /* version 2 */
	assert_int_equal(task_of("\x92\x01\x01", 3), -1);               /* a key alone */
	assert_int_equal(task_of("\x95\x01\x02\xa1x\x01\xa1y", 8), -1); /* falling keys */
	assert_int_equal(task_of("\x95\x01\x01\xa1x\x01\xa1y", 8), -1); /* the same twice */
	assert_int_equal(task_of("\x93\x01\x00\xa1x", 5), -1);          /* key 0 */
	assert_int_equal(task_of("\x93\x01\x07\xa1x", 5), -1);          /* rural is a number */
	assert_int_equal(task_of("\x93\x01\x01\x05", 4), -1);           /* no is a text */
	assert_int_equal(task_of("\x93\x01\x10\x91\xa1x", 6), -1);      /* a header without value */
	assert_int_equal(
	    task_of("\x93\x01\x0e\x91\x92\xa1x\xa1y", 9), -1); /* a number of two parts */
	assert_int_equal(
	    task_of("\x95\x01\x01\xa1x\x11\x92\x90\xc0", 9), 0); /* key 17 is newer than us */
	assert_int_equal(task_of("\x93\x01\x11\xc2", 4), -1);    /* but nobody's msgpack */
	assert_int_equal(task_of("\x91\x01\x00", 3), -1);
	assert_int_equal(task_of("\x93\x01\x0e\x9d\x00", 5), -1); /* 13 numbers */
	assert_int_equal(task_decode(&t, span_of(NULL, 0), NULL), -1);
}

static void
a_text_over_1000_bytes_is_cut_when_written_and_refused_when_read(void **state)
{
	char text[1002];
	struct task t = {0}, back;
	struct buf b = BUF_INIT;

	(void)state;
	memset(text, 'a', sizeof(text));
	t.address = span_of(text, 1001);
	task_encode(&b, &t);
	assert_int_equal(task_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(back.address.len, 1000);
	buf_clear(&b);
	enc_array(&b, 3);
	enc_u(&b, 1);
	enc_u(&b, 11);
	enc_sn(&b, text, 1001);
	assert_int_equal(task_decode(&back, buf_span(&b), NULL), -1);
	buf_done(&b);
}

static void
a_body_comes_back_and_nothing_is_nothing(void **state)
{
	char note[4001];
	struct body body = {.digits = span_str("19900001111"),
	    .kind = span_str("mother"),
	    .words = span_str("再想想"),
	    .answered = span_str("妈妈"),
	    .name = span_str("王"),
	    .rows = span_str("\x91\x01"),
	    .text = span_str("text")};
	struct body back;
	struct buf b = BUF_INIT;

	(void)state;
	memset(note, 'n', sizeof(note));
	body.note = span_of(note, 4000);
	body_encode(&b, &body);
	assert_int_equal(body_decode(&back, buf_span(&b), NULL), 0);
	assert_true(span_eq(back.note, body.note) && span_eq(back.digits, body.digits));
	assert_true(span_eq(back.kind, body.kind) && span_eq(back.words, body.words));
	assert_true(span_eq(back.answered, body.answered) && span_eq(back.name, body.name));
	assert_true(span_eq(back.rows, body.rows) && span_eq(back.text, body.text));
	for (size_t len = 1; len < b.len; len++)
		assert_int_equal(body_decode(&back, span_of(b.data, len), NULL), -1);
	buf_clear(&b);
	enc_array(&b, 3);
	enc_u(&b, 1);
	enc_u(&b, 1);
	enc_sn(&b, note, 4001);
	assert_int_equal(body_decode(&back, buf_span(&b), NULL), -1);
	assert_int_equal(
	    body_decode(&back, span_str("\x93\x01\x07\x05"), NULL), -1); /* rows: no array */
	buf_clear(&b);
	memset(&body, 0, sizeof(body));
	body_encode(&b, &body);
	assert_int_equal(b.len, 0);
	assert_int_equal(body_decode(&back, buf_span(&b), NULL), 0);
	assert_memory_equal(&back, &body, sizeof(body));
	buf_done(&b);
}

static void
a_roster_travels_in_rows(void **state)
{
	struct import_row row = {.case_id = {1},
	    .no_index = {2},
	    .task = span_str("sealed"),
	    .indexes = span_of(zeros, 16),
	    .reporter = "li"};
	struct import_row got;
	struct buf rows = BUF_INIT, b = BUF_INIT;
	struct body body = {.note = {NULL, 0}}, back;
	struct dec d;

	(void)state;
	enc_array(&rows, 20);
	for (int i = 0; i < 20; i++)
		import_row_encode(&rows, &row);
	body.rows = buf_span(&rows);
	body_encode(&b, &body);
	assert_int_equal(body_decode(&back, buf_span(&b), NULL), 0);
	assert_int_equal(import_rows_open(&d, back.rows), 20);
	for (int i = 0; i < 20; i++) {
		assert_true(import_row_next(&d, &got));
		assert_true(got.case_id[0] == 1 && got.no_index[0] == 2);
		assert_true(span_eq_str(got.task, "sealed") && got.indexes.len == 16);
		assert_string_equal(got.reporter, "li");
	}
	assert_true(dec_end(&d));
	buf_clear(&rows);
	enc_array(&rows, 1);
	enc_array(&rows, 5);
	enc_b(&rows, zeros, 16);
	enc_b(&rows, zeros, 8);
	enc_b(&rows, "", 0);
	enc_b(&rows, zeros, 9); /* no whole number of indexes */
	enc_s(&rows, "");
	assert_int_equal(import_rows_open(&d, buf_span(&rows)), 1);
	assert_false(import_row_next(&d, &got));
	buf_done(&rows);
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
	    cmocka_unit_test(a_case_comes_with_its_last_records),
	    cmocka_unit_test(a_task_comes_back_with_everything),
	    cmocka_unit_test(tasks_are_read_strictly_but_for_new_keys),
	    cmocka_unit_test(a_text_over_1000_bytes_is_cut_when_written_and_refused_when_read),
	    cmocka_unit_test(a_body_comes_back_and_nothing_is_nothing),
	    cmocka_unit_test(a_roster_travels_in_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
