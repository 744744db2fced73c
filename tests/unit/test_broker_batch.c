/* Each entry completes exactly once, in order, with what was said of it; and never before its turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "broker/batch.h"

struct rig {
	struct batch *b;
	int sent;         /* calls */
	size_t argc;      /* of the last call */
	char first[64];   /* name of its first entry */
	char order[64];   /* 's' a call went, a digit: that op completed */
	char done[4096];  /* "id:outcome:field " in order of completion */
	bool go_on;       /* the store may get the next call at once */
	struct op *again; /* submitted from inside the first completion */
};

struct mark {
	struct rig *rig;
	int id;
};

static void
in_order(struct rig *r, char what)
{
	size_t len = strlen(r->order);

	if (len + 1 < sizeof(r->order))
		r->order[len] = what;
}

static void
on_send(void *arg, const struct span *argv, size_t argc)
{
	struct rig *r = arg;

	r->sent++;
	r->argc = argc;
	in_order(r, 's');
	(void)snprintf(
	    r->first, sizeof(r->first), "%.*s", (int)argv[7].len, (const char *)argv[7].data);
}

static void
on_done(void *arg, const struct reply *reply)
{
	struct mark *m = arg;
	struct span f = reply_at(reply, 0);
	size_t len = strlen(m->rig->done);

	in_order(m->rig, (char)('0' + m->id));
	(void)snprintf(m->rig->done + len, sizeof(m->rig->done) - len, "%d:%d:%.*s ", m->id,
	    (int)reply->outcome, (int)f.len, (const char *)f.data);
	if (m->rig->again != NULL) {
		op_submit(m->rig->b, m->rig->again);
		m->rig->again = NULL;
	}
}

static struct op *
op(struct mark *m)
{
	struct op *o = op_create("renew", on_done, m);

	op_str(o, "x");
	op_u(o, 18446744073709551615ULL);
	op_token(o, 0x0123456789abcdefULL);
	return o;
}

static void
answer(struct rig *r, const char *const *words, size_t n)
{
	struct answer a = {.n = 0};

	answer_start(&a);
	for (size_t i = 0; i < n; i++) {
		answer_entry(&a);
		answer_field(&a, span_str(words[i]));
		answer_field(&a, span_str("f"));
	}
	batch_answered(r->b, &a, r->go_on);
	answer_done(&a);
}

static void
one_call_flies_and_the_rest_goes_into_the_next(void **state)
{
	struct rig r = {.sent = 0};
	struct mark m[4] = {{&r, 0}, {&r, 1}, {&r, 2}, {&r, 3}};

	(void)state;
	r.b = batch_create("c1", on_send, &r);
	batch_open(r.b, 1);
	op_submit(r.b, op(&m[0]));
	assert_int_equal(r.sent, 0);
	batch_flush(r.b);
	assert_int_equal(r.sent, 1);
	/* FCALL f 1 key now wall epoch | renew 3 x u token */
	assert_string_equal(r.first, "renew");
	op_submit(r.b, op(&m[1]));
	op_submit(r.b, op(&m[2]));
	batch_flush(r.b);
	assert_int_equal(r.sent, 1);
	r.again = op(&m[3]);
	answer(&r, (const char *[]){"ok"}, 1);
	assert_string_equal(r.done, "0:0:f ");
	batch_flush(r.b);
	assert_int_equal(r.sent, 2);
	answer(&r, (const char *[]){"no", "err", "ok"}, 3);
	assert_string_equal(r.done, "0:0:f 1:1:f 2:2:f 3:0:f ");
	assert_true(batch_is_idle(r.b));
	batch_destroy(r.b);
}

static void
what_waited_goes_before_the_completions_run(void **state)
{
	struct rig r = {.go_on = true};
	struct mark m[4] = {{&r, 0}, {&r, 1}, {&r, 2}, {&r, 3}};

	(void)state;
	r.b = batch_create("c1", on_send, &r);
	batch_open(r.b, 1);
	op_submit(r.b, op(&m[0]));
	batch_flush(r.b);
	op_submit(r.b, op(&m[1]));
	r.again = op(&m[2]);
	answer(&r, (const char *[]){"ok"}, 1);
	assert_string_equal(r.order, "ss0");
	answer(
	    &r, (const char *[]){"ok"}, 1); /* of 1 alone: 2 was submitted after that call went */
	assert_string_equal(r.order, "ss0s1");
	r.go_on = false; /* another store answered: it gets nothing of what waits */
	op_submit(r.b, op(&m[3]));
	answer(&r, (const char *[]){"ok"}, 1);
	assert_string_equal(r.order, "ss0s12");
	batch_close(r.b);
	batch_flush(r.b);
	assert_string_equal(r.order, "ss0s123");
	assert_string_equal(r.done, "0:0:f 1:0:f 2:0:f 3:3: ");
	batch_destroy(r.b);
}

static void
a_reply_of_another_shape_leaves_everything_unknown(void **state)
{
	struct rig r = {.sent = 0};
	struct mark m[3] = {{&r, 0}, {&r, 1}, {&r, 2}};

	(void)state;
	r.b = batch_create("c1", on_send, &r);
	batch_open(r.b, 1);
	op_submit(r.b, op(&m[0]));
	op_submit(r.b, op(&m[1]));
	batch_flush(r.b);
	answer(&r, (const char *[]){"ok"}, 1);
	assert_string_equal(r.done, "0:4: 1:4: ");
	op_submit(r.b, op(&m[2]));
	batch_flush(r.b);
	answer(&r, (const char *[]){"what"}, 1);
	assert_string_equal(r.done, "0:4: 1:4: 2:4: ");
	batch_destroy(r.b);
}

static void
what_was_not_sent_is_told_apart_from_what_was(void **state)
{
	struct rig r = {.sent = 0};
	struct mark m[4] = {{&r, 0}, {&r, 1}, {&r, 2}, {&r, 3}};

	(void)state;
	r.b = batch_create("c1", on_send, &r);
	op_submit(r.b, op(&m[0]));
	assert_string_equal(r.done, "");
	batch_flush(r.b);
	assert_string_equal(r.done, "0:3: ");
	batch_open(r.b, 1);
	op_submit(r.b, op(&m[1]));
	batch_flush(r.b);
	op_submit(r.b, op(&m[2]));
	batch_close(r.b);
	batch_lost(r.b);
	assert_string_equal(r.done, "0:3: 1:4: ");
	/* a reply that comes after all is nobody's */
	answer(&r, (const char *[]){"ok"}, 1);
	batch_flush(r.b);
	assert_string_equal(r.done, "0:3: 1:4: 2:3: ");
	batch_open(r.b, 1);
	op_submit(r.b, op(&m[3]));
	batch_flush(r.b);
	batch_destroy(r.b);
	assert_string_equal(r.done, "0:3: 1:4: 2:3: 3:4: ");
	assert_int_equal(r.sent, 2);
}

static void
a_call_holds_256_entries_or_4_MB(void **state)
{
	static uint8_t big[1 << 20];
	struct rig r = {.sent = 0};
	struct mark m = {&r, 0};
	const char *ok[256];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		ok[i] = "ok";
	r.b = batch_create("c1", on_send, &r);
	batch_open(r.b, 1);
	for (size_t i = 0; i < 300; i++)
		op_submit(r.b, op(&m));
	batch_flush(r.b);
	assert_int_equal(r.argc, 7 + 256 * 5);
	answer(&r, ok, 256);
	batch_flush(r.b);
	assert_int_equal(r.argc, 7 + 44 * 5);
	answer(&r, ok, 44);
	for (size_t i = 0; i < 6; i++) {
		struct op *o = op_create("record", on_done, &m);

		op_bytes(o, big, sizeof(big));
		op_submit(r.b, o);
	}
	batch_flush(r.b);
	assert_int_equal(r.argc, 7 + 4 * 3);
	batch_destroy(r.b);
}

static void
fields_that_are_missing_read_as_nothing(void **state)
{
	struct answer a = {.n = 0};
	struct reply r;
	uint8_t eight[8];
	char text[3];

	(void)state;
	answer_start(&a);
	answer_entry(&a);
	answer_field(&a, span_str("ok"));
	answer_field(&a, span_str("12"));
	answer_field(&a, span_str("00000000000000ff"));
	answer_field(&a, span_str("12345678"));
	answer_entry(&a);
	r = reply_of(&a, 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(reply_u(&r, 0), 12);
	assert_int_equal(reply_u(&r, 1), 0);
	assert_int_equal(reply_token(&r, 1), 0xff);
	assert_int_equal(reply_token(&r, 0), 0);
	assert_true(reply_bytes(&r, 2, eight, 8));
	assert_memory_equal(eight, "12345678", 8);
	assert_false(reply_bytes(&r, 0, eight, 8));
	assert_int_equal(eight[0], 0);
	reply_text(&r, 2, text, sizeof(text));
	assert_string_equal(text, "12");
	assert_int_equal(reply_at(&r, 3).len, 0);
	assert_false(reply_is(&r, 3, ""));
	assert_int_equal(reply_of(&a, 1).outcome, DONE_UNKNOWN);
	answer_done(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_call_flies_and_the_rest_goes_into_the_next),
	    cmocka_unit_test(what_waited_goes_before_the_completions_run),
	    cmocka_unit_test(a_reply_of_another_shape_leaves_everything_unknown),
	    cmocka_unit_test(what_was_not_sent_is_told_apart_from_what_was),
	    cmocka_unit_test(a_call_holds_256_entries_or_4_MB),
	    cmocka_unit_test(fields_that_are_missing_read_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
