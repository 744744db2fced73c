/* The plain text of tasks and bodies: round trips, what is cut, what is passed over, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/lists.h"

static const uint8_t zeros[16];

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
	    cmocka_unit_test(a_task_comes_back_with_everything),
	    cmocka_unit_test(tasks_are_read_strictly_but_for_new_keys),
	    cmocka_unit_test(a_text_over_1000_bytes_is_cut_when_written_and_refused_when_read),
	    cmocka_unit_test(a_body_comes_back_and_nothing_is_nothing),
	    cmocka_unit_test(a_roster_travels_in_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
