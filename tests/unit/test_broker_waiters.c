/* One case wakes one waiter, the one who waited longest; a due time wakes as many as there are cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "broker/waiters.h"

struct rig {
	struct waiters *w;
	char woken[1024];
	uint64_t dead; /* this session is silent */
};

static void
on_wake(void *arg, const struct waiter *w)
{
	struct rig *r = arg;
	size_t len = strlen(r->woken);

	(void)snprintf(r->woken + len, sizeof(r->woken) - len, "%s ", w->person);
}

static bool
is_alive(void *arg, uint64_t session)
{
	struct rig *r = arg;

	return session != r->dead;
}

static int
setup(void **state)
{
	static struct rig r;

	memset(&r, 0, sizeof(r));
	r.w = waiters_create(on_wake, is_alive, &r);
	*state = &r;
	return 0;
}

static int
teardown(void **state)
{
	waiters_destroy(((struct rig *)*state)->w);
	return 0;
}

static struct waiter
who(const char *person, uint64_t session)
{
	struct waiter w = {.session = session, .next_no = 1};

	(void)snprintf(w.person, sizeof(w.person), "%s", person);
	return w;
}

static void
put(struct rig *r, const char *person, uint64_t session, const char *lanes, int64_t due)
{
	struct waiter w = who(person, session);

	waiters_put(r->w, &w, span_str(lanes), due);
}

static void
answered(struct rig *r, const char *person, bool granted)
{
	struct waiter w = who(person, 0);

	waiters_answered(r->w, w.ob, person, granted);
}

static void
expect(struct rig *r, const char *woken)
{
	assert_string_equal(r->woken, woken);
	r->woken[0] = '\0';
}

static void
came(struct rig *r, const char *lane, int64_t due, int64_t now)
{
	waiters_case_came(r->w, span_str(lane), due, now);
}

static void
the_longest_waiting_one_of_the_lane_is_woken(void **state)
{
	struct rig *r = *state;

	put(r, "ann", 1, "own:ann:due pool", 0);
	put(r, "bob", 2, "own:bob:due pool", 0);
	put(r, "eve", 3, "strike pool", 0);
	came(r, "pool", 5, 10);
	expect(r, "ann ");
	came(r, "strike", 5, 10);
	expect(r, "eve ");
	came(r, "pool", 5, 10);
	expect(r, "bob ");
	came(r, "pool", 5, 10);
	came(r, "triage", 5, 10);
	expect(r, "");
}

static void
who_found_nothing_keeps_the_place_in_line(void **state)
{
	struct rig *r = *state;

	put(r, "ann", 1, "pool", 0);
	put(r, "bob", 2, "pool", 0);
	came(r, "pool", 5, 10);
	expect(r, "ann ");
	put(r, "ann", 1, "pool", 0); /* somebody else was faster: waits again */
	came(r, "pool", 5, 10);
	expect(r, "ann ");
	answered(r, "ann", true);
	put(r, "ann", 1, "pool", 0);
	came(r, "pool", 5, 10);
	expect(r, "bob ");
}

static void
a_silent_session_is_passed_over(void **state)
{
	struct rig *r = *state;

	put(r, "ann", 1, "pool", 0);
	put(r, "bob", 2, "pool", 0);
	r->dead = 1;
	came(r, "pool", 5, 10);
	expect(r, "bob ");
	waiters_all(r->w);
	waiters_tick(r->w, 10);
	expect(r, "");
	r->dead = 0;
	came(r, "pool", 5, 10);
	expect(r, "ann ");
}

static void
a_due_time_wakes_and_then_one_after_the_other(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 6; i++) {
		char name[4] = {'p', (char)('0' + i), 0, 0};

		put(r, name, (uint64_t)i + 1, "pool", 100);
	}
	assert_int_equal(waiters_next_due(r->w), 100);
	waiters_tick(r->w, 99);
	expect(r, "");
	waiters_tick(r->w, 100);
	expect(r, "p0 ");
	waiters_tick(r->w, 100);
	expect(r, "");
	answered(r, "p0", true); /* there are cases: two at once, then four */
	waiters_tick(r->w, 100);
	expect(r, "p1 p2 ");
	put(r, "p1", 2, "pool", 0); /* nothing left: one at a time again */
	waiters_tick(r->w, 100);
	expect(r, "");
	put(r, "p2", 3, "pool", 0);
	waiters_tick(r->w, 100);
	expect(r, "p3 ");
}

static void
a_case_that_comes_later_is_announced_when_it_is_due(void **state)
{
	struct rig *r = *state;

	put(r, "ann", 1, "pool", 0);
	put(r, "bob", 2, "pool", 0);
	came(r, "pool", 50, 10);
	expect(r, "");
	assert_int_equal(waiters_next_due(r->w), 50);
	waiters_tick(r->w, 50);
	expect(r, "ann ");
	assert_true(waiters_next_due(r->w) == INT64_MAX);
	came(r, "nobody", 60, 10);
	assert_true(waiters_next_due(r->w) == INT64_MAX);
}

static void
an_older_due_time_means_nothing_any_more(void **state)
{
	struct rig *r = *state;

	put(r, "ann", 1, "pool", 50);
	put(r, "ann", 1, "pool", 70);
	waiters_tick(r->w, 60);
	expect(r, "");
	waiters_tick(r->w, 70);
	expect(r, "ann ");
}

static void
waiting_ends(void **state)
{
	struct rig *r = *state;
	struct waiter ann = who("ann", 1);

	put(r, "ann", 1, "pool", 50);
	put(r, "bob", 2, "pool", 50);
	put(r, "eve", 2, "pool", 50);
	assert_true(waiters_is_waiting(r->w, ann.ob, "ann", 1));
	assert_false(waiters_is_waiting(r->w, ann.ob, "ann", 2));
	waiters_drop(r->w, ann.ob, "ann");
	waiters_drop_session(r->w, 2);
	assert_int_equal(waiters_count(r->w), 0);
	came(r, "pool", 5, 60);
	waiters_tick(r->w, 60);
	expect(r, "");
	/* dropped while being asked: the next one may be asked all the same */
	put(r, "ann", 1, "pool", 0);
	put(r, "bob", 2, "pool", 0);
	waiters_all(r->w);
	waiters_tick(r->w, 60);
	expect(r, "ann ");
	waiters_drop(r->w, ann.ob, "ann");
	waiters_tick(r->w, 60);
	expect(r, "bob ");
}

static void
no_answer_lets_the_others_go_on(void **state)
{
	struct rig *r = *state;
	struct waiter ann = who("ann", 1);

	put(r, "ann", 1, "pool", 0);
	put(r, "bob", 2, "pool", 0);
	waiters_person(r->w, "ann");
	waiters_tick(r->w, 10);
	expect(r, "ann ");
	waiters_unanswered(r->w, ann.ob, "ann");
	waiters_tick(r->w, 10);
	expect(r, ""); /* not again by itself: the store is away */
	waiters_all(r->w);
	waiters_tick(r->w, 10);
	expect(r, "ann ");
}

static void
many_waiters_that_are_told_again_and_again_do_not_pile_up(void **state)
{
	struct rig *r = *state;

	for (int64_t i = 0; i < 200000; i++)
		put(r, "ann", 1, "pool", 1000 + i);
	waiters_tick(r->w, 500);
	expect(r, "");
	waiters_tick(r->w, 200998);
	expect(r, "");
	waiters_tick(r->w, 200999);
	expect(r, "ann ");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(the_longest_waiting_one_of_the_lane_is_woken),
	    T(who_found_nothing_keeps_the_place_in_line),
	    T(a_silent_session_is_passed_over),
	    T(a_due_time_wakes_and_then_one_after_the_other),
	    T(a_case_that_comes_later_is_announced_when_it_is_due),
	    T(an_older_due_time_means_nothing_any_more),
	    T(waiting_ends),
	    T(no_answer_lets_the_others_go_on),
	    T(many_waiters_that_are_told_again_and_again_do_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
