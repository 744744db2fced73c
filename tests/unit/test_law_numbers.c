/* The order in which a case's numbers are offered, and what stands behind each. */
#include "base/clock.h"
#include "proto/chain.h"
#include "tests/unit/law_kit.h"
#include "workers/escalation/numbers.h"

static const uint8_t key[32] = {7};
static const struct task_number none;
static int64_t monday;

static uint64_t
id(const char *digits)
{
	uint8_t out[8];

	chain_number_id(out, key, digits);
	return be64_get(out);
}

static void
three(struct task *t, struct law_case *c)
{
	static const char *const digits[] = {"19900000001", "19900000002", "19900000003"};

	memset(t, 0, sizeof(*t));
	law_case_init(c);
	for (int i = 0; i < 3; i++) {
		t->numbers[t->n_numbers++] =
		    (struct task_number){span_str("self"), span_str(digits[i]), span_str("本人")};
		c->numbers[c->n_numbers++] =
		    (struct law_number){id(digits[i]), NUMBER_NEW, false, false};
	}
	monday = when("2026-03-09 10:00");
}

static const char *
order(const struct task *t)
{
	static char out[64];

	out[0] = '\0';
	for (uint32_t i = 0; i < t->n_numbers; i++)
		strncat(out, (const char *)t->numbers[i].digits.data + 10, 1);
	return out;
}

static bool
arrange(struct task *t, const struct law_case *c, const struct task_number *found)
{
	static struct number_notes notes[4];
	static unsigned at;

	return numbers_arrange(t, &notes[at++ % 4], c, key, found, monday);
}

static void
the_next_number_comes_first_and_a_dead_one_last(void **state)
{
	struct law_case c;
	struct task t;

	(void)state;
	three(&t, &c);
	assert_false(arrange(&t, &c, &none));
	c.numbers[0].tried = true;
	c.numbers[0].state = NUMBER_SILENT;
	assert_true(arrange(&t, &c, &none));
	assert_string_equal(order(&t), "231");
	assert_true(span_eq_str(t.numbers[2].note, "本人〔没人接 03-09〕"));
	c.numbers[1].tried = true;
	c.numbers[1].state = NUMBER_DEAD;
	assert_true(arrange(&t, &c, &none));
	assert_string_equal(order(&t), "312");
	/* The round is over: the dead one stays last for ever, whatever comes. */
	c.numbers[0].tried = c.numbers[1].tried = false;
	monday += 86400000;
	assert_false(arrange(&t, &c, &none));
	assert_true(span_eq_str(t.numbers[2].note, "本人〔空号 03-09〕")); /* since when */
	c.numbers[0].state = NUMBER_GOOD;
	assert_true(arrange(&t, &c, &none));
	assert_string_equal(order(&t), "132");
	assert_true(span_eq_str(t.numbers[0].note, "本人〔打通过 03-10〕"));
}

static void
a_found_number_comes_first_once(void **state)
{
	struct task_number found = {
	    span_str("mother"), span_str("19900000004"), span_str("class-teacher")};
	struct law_case c;
	struct task t;

	(void)state;
	three(&t, &c);
	c.numbers[0].state = NUMBER_GOOD;
	assert_true(arrange(&t, &c, &found));
	assert_string_equal(order(&t), "4123");
	assert_true(span_eq_str(t.numbers[0].note, "class-teacher"));
	assert_false(arrange(&t, &c, &found));
	assert_string_equal(order(&t), "4123");
	/* A full list gives up its last. */
	while (t.n_numbers < TASK_NUMBERS)
		t.numbers[t.n_numbers++] = t.numbers[1];
	found.digits = span_str("19900000009");
	assert_true(arrange(&t, &c, &found));
	assert_int_equal(t.n_numbers, TASK_NUMBERS);
	assert_true(span_eq_str(t.numbers[0].digits, "19900000009"));
}

static void
a_roster_that_comes_again_keeps_what_was_found(void **state)
{
	struct law_case c;
	struct task old, again;

	(void)state;
	three(&old, &c);
	c.numbers[0].state = NUMBER_WRONG;
	assert_true(arrange(&old, &c, &none));
	assert_string_equal(order(&old), "231");
	three(&again, &c);
	again.numbers[2].digits = span_str("19900000005");
	task_keep_numbers(&again, &old);
	assert_string_equal(order(&again), "2315");
	assert_true(span_eq_str(again.numbers[2].note, "本人〔错号 03-09〕"));
}

static void
a_wrong_number_is_a_warning_in_other_cases(void **state)
{
	uint8_t blob[LAW_BLOB_MAX];
	struct law_case c, again;
	struct task t;

	(void)state;
	three(&t, &c);
	c.numbers[0].wrong_elsewhere = true;
	assert_true(arrange(&t, &c, &none));
	assert_string_equal(order(&t), "123"); /* it may be right here */
	assert_true(span_eq_str(t.numbers[0].note, "本人〔别处错号 03-09〕"));
	assert_false(arrange(&t, &c, &none));
	c.numbers[0].state = NUMBER_SILENT;
	assert_true(arrange(&t, &c, &none));
	assert_true(span_eq_str(t.numbers[0].note, "本人〔没人接，别处错号 03-09〕"));
	assert_int_equal(task_missing(&t), TASK_NO_PARENT);
	assert_int_equal(law_case_unpack(&again, span_of(blob, law_case_pack(blob, &c)), NULL), 0);
	assert_true(again.numbers[0].wrong_elsewhere && !again.numbers[1].wrong_elsewhere);
	c.numbers[0].state = NUMBER_GOOD;
	assert_true(arrange(&t, &c, &none));
	assert_true(span_eq_str(t.numbers[0].note, "本人〔打通过 03-09〕"));
}

static void
complete_is_an_own_and_a_parents_number_or_a_reason(void **state)
{
	struct task_number reason = {span_str("mother"), {NULL, 0}, span_str("没有手机")};
	struct task_number found = {
	    span_str("mother"), span_str("19900000004"), span_str("class-teacher")};
	struct law_case c;
	struct task t;

	(void)state;
	three(&t, &c);
	assert_int_equal(task_missing(&t), TASK_NO_PARENT);
	assert_true(arrange(&t, &c, &reason));
	assert_false(arrange(&t, &c, &reason));
	assert_int_equal(t.n_numbers, 4);
	assert_int_equal(t.numbers[3].digits.len, 0); /* last: nobody dials it */
	assert_int_equal(task_missing(&t), 0);
	/* A number that is found takes the reason's place; one of no use completes nothing. */
	assert_true(arrange(&t, &c, &found));
	assert_int_equal(t.n_numbers, 4);
	assert_string_equal(order(&t), "4123");
	assert_int_equal(task_missing(&t), 0);
	c.numbers[c.n_numbers++] =
	    (struct law_number){id("19900000004"), NUMBER_WRONG, true, false};
	assert_true(arrange(&t, &c, &none));
	assert_int_equal(task_missing(&t), TASK_NO_PARENT);
	for (int i = 0; i < 3; i++)
		c.numbers[i].state = NUMBER_DEAD;
	assert_true(arrange(&t, &c, &none));
	assert_int_equal(task_missing(&t), TASK_NO_PARENT | TASK_NO_SELF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_wrong_number_is_a_warning_in_other_cases),
	    cmocka_unit_test(complete_is_an_own_and_a_parents_number_or_a_reason),
	    cmocka_unit_test(the_next_number_comes_first_and_a_dead_one_last),
	    cmocka_unit_test(a_found_number_comes_first_once),
	    cmocka_unit_test(a_roster_that_comes_again_keeps_what_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
