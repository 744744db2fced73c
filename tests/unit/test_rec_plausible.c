/* plausible.c by table: each flag at its edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workers/reconciliation/plausible.h"

#define NINE   1773018000000LL /* Monday 2026-03-09 09:00 in Shanghai */
#define S      1000LL
#define MINUTE (60 * S)

static struct call_told
phone(int64_t at, int64_t seconds, uint8_t id)
{
	return (struct call_told){
	    .at = NINE + at, .granted = -1, .seconds = seconds, .phone = true, .case_id = {id}};
}

/* Which flags call i got, as a set of bits; values summed into *value. */
static unsigned
flags_of(const struct call_told *calls, size_t n, size_t i, int64_t *value)
{
	struct flag out[64];
	size_t k = plausible_day(calls, n, &plausible_default, out);
	unsigned bits = 0;

	assert_true(n * FLAG_KINDS <= 64 && k <= n * FLAG_KINDS);
	*value = 0;
	for (size_t j = 0; j < k; j++) {
		if (out[j].call != i)
			continue;
		bits |= 1U << out[j].kind;
		*value += out[j].value;
	}
	return bits;
}

static void
overlap_begins_beyond_the_slack(void **state)
{
	int64_t v;

	(void)state;
	for (int64_t gap = 55; gap <= 65;
	     gap++) { /* the second one says 60 s, gap after the first */
		struct call_told calls[] = {
		    phone(0, 30, 1), phone(gap * S, 60, 2), phone(gap * S + 600 * S, 1, 3)};

		assert_int_equal(flags_of(calls, 3, 1, &v) & 1U << FLAG_OVERLAP,
		    gap < 55 ? 1U << FLAG_OVERLAP : 0);
		calls[1].seconds = 66;
		assert_int_equal(flags_of(calls, 3, 1, &v) & 1U << FLAG_OVERLAP,
		    gap <= 60 ? 1U << FLAG_OVERLAP : 0);
	}
	struct call_told chat[] = {phone(0, 30, 1), phone(S, 600, 2), phone(3600 * S, 1, 3)};

	chat[1].phone = false; /* two chats at once are how chats are */
	assert_int_equal(flags_of(chat, 3, 1, &v), 0);
}

static void
a_day_is_no_longer_than_its_clock(void **state)
{
	int64_t v;
	struct call_told calls[] = {
	    phone(0, 300, 1), phone(60 * S, 300, 2), phone(120 * S, 300, 3)};

	(void)state;
	assert_true((flags_of(calls, 3, 2, &v) & 1U << FLAG_CLOCK) != 0);
	assert_int_equal(v, 480 + 240); /* 900 told in 420; and the last one overlaps by 240 */
	struct call_told honest[] = {
	    phone(0, 300, 1), phone(310 * S, 300, 2), phone(700 * S, 300, 3)};

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(flags_of(honest, 3, i, &v), 0);
}

static void
confirmed_takes_longer_than_five_seconds(void **state)
{
	int64_t v;

	(void)state;
	for (int64_t s = 0; s <= 8; s++) {
		struct call_told c = phone(0, s, 1);

		c.confirmed = true;
		assert_int_equal(flags_of(&c, 1, 0, &v), s >= 1 && s <= 5 ? 1U << FLAG_QUICK : 0);
		c.phone = false;
		assert_int_equal(flags_of(&c, 1, 0, &v), 0);
	}
}

static void
a_note_in_three_cases_is_a_copy(void **state)
{
	int64_t v;
	struct call_told c[] = {
	    phone(0, 1, 1), phone(60 * S, 1, 2), phone(120 * S, 1, 2), phone(180 * S, 1, 3)};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		c[i].note[0] = 7;
	assert_int_equal(flags_of(c, 3, 0, &v), 0); /* twice in one case, once in another */
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(flags_of(c, 4, i, &v), 1U << FLAG_COPIED);
		assert_int_equal(v, 3);
	}
	c[3].note[0] = 8;
	assert_int_equal(flags_of(c, 4, 3, &v), 0);
	memset(c[0].note, 0, 16);
	assert_int_equal(flags_of(c, 4, 0, &v), 0);
}

static void
calls_out_keep_the_hours(void **state)
{
	static const struct {
		int64_t minute;
		bool flagged;
	} rows[] = {{-31, true}, {-30, false}, {0, false}, {750, false}, {751, true}, {899, true}};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call_told c = phone(rows[i].minute * MINUTE, 30, 1);

		assert_int_equal(flags_of(&c, 1, 0, &v), rows[i].flagged ? 1U << FLAG_HOURS : 0);
		c.inbound = true;
		assert_int_equal(flags_of(&c, 1, 0, &v), 0);
	}
}

static void
typed_late_is_two_hours_after_the_call_that_could_have_been(void **state)
{
	int64_t v;
	struct call_told c = phone(0, 120, 1);

	(void)state;
	c.granted = c.at - 7320 * S;
	assert_int_equal(flags_of(&c, 1, 0, &v), 0);
	c.granted -= S;
	assert_int_equal(flags_of(&c, 1, 0, &v), 1U << FLAG_LATE_TYPED);
	assert_int_equal(v, 7201);
	c.phone = false;
	assert_int_equal(flags_of(&c, 1, 0, &v), 0);
}

static void
every_flag_has_its_words(void **state)
{
	(void)state;
	for (int k = 0; k < FLAG_KINDS; k++)
		assert_true(flag_code((enum flag_kind)k)[0] != '\0' &&
		            flag_zh((enum flag_kind)k)[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(overlap_begins_beyond_the_slack),
	    cmocka_unit_test(a_day_is_no_longer_than_its_clock),
	    cmocka_unit_test(confirmed_takes_longer_than_five_seconds),
	    cmocka_unit_test(a_note_in_three_cases_is_a_copy),
	    cmocka_unit_test(calls_out_keep_the_hours),
	    cmocka_unit_test(typed_late_is_two_hours_after_the_call_that_could_have_been),
	    cmocka_unit_test(every_flag_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
