/* Timers do not fire early, dying objects are freed before the loop sleeps, a stop is never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/loop.h"

struct fixture {
	struct loop *loop;
	struct loop_timer *timer, *limit;
	struct loop_io *io;
	int fired, turns, freed, pipe[2], events;
	int64_t at_us;
	bool overran;
};

static void
on_limit(void *arg)
{
	struct fixture *f = arg;

	f->overran = true;
	loop_stop(f->loop);
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->loop = loop_create();
	f->limit = loop_timer_create(f->loop, on_limit, f);
	loop_timer_after(f->limit, 5000000);
	CHECK(pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) == 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	bool overran = f->overran;

	loop_timer_destroy(f->timer);
	loop_timer_destroy(f->limit);
	loop_io_destroy(f->io);
	loop_destroy(f->loop);
	(void)close(f->pipe[0]);
	(void)close(f->pipe[1]);
	free(f);
	return overran ? -1 : 0;
}

static void
stop_at_once(void *arg)
{
	struct fixture *f = arg;

	f->fired++;
	f->at_us = clock_boot_us();
	loop_stop(f->loop);
}

/* libev reckons from the start of a turn: a callback that took long must not shorten what it arms. */
static void
burn_then_arm(void *arg)
{
	struct fixture *f = arg;
	int64_t start = clock_boot_us();

	while (clock_boot_us() - start < 30000)
		continue;
	loop_timer_destroy(f->timer);
	f->timer = loop_timer_create(f->loop, stop_at_once, f);
	f->at_us = clock_boot_us();
	loop_timer_after(f->timer, 20000);
	f->turns = (int)(f->at_us - start);
}

static void
a_timer_armed_in_a_long_callback_is_not_early(void **state)
{
	struct fixture *f = *state;
	int64_t start = clock_boot_us();

	f->timer = loop_timer_create(f->loop, burn_then_arm, f);
	loop_timer_after(f->timer, 0);
	loop_run(f->loop);
	assert_int_equal(f->fired, 1);
	assert_true(f->at_us - start >= 50000);
}

static void
count_three(void *arg)
{
	struct fixture *f = arg;

	if (++f->fired == 3)
		loop_stop(f->loop);
}

static void
a_repeating_timer_repeats_until_stopped(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_create(f->loop, count_three, f);
	loop_timer_every(f->timer, 1000);
	loop_run(f->loop);
	assert_int_equal(f->fired, 3);
	loop_timer_stop(f->timer);
	loop_timer_after(f->limit, 10000);
	loop_run(f->loop);
	assert_int_equal(f->fired, 3);
	assert_true(f->overran);
	f->overran = false;
}

static void
destroy_self(void *arg)
{
	struct fixture *f = arg;

	f->fired++;
	loop_timer_destroy(f->timer);
	f->timer = NULL;
	loop_stop(f->loop);
}

static void
a_timer_may_be_destroyed_in_its_own_callback(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_create(f->loop, destroy_self, f);
	loop_timer_every(f->timer, 1);
	loop_run(f->loop);
	assert_int_equal(f->fired, 1);
}

static void
a_stop_before_the_run_counts_once(void **state)
{
	struct fixture *f = *state;

	loop_stop(f->loop);
	loop_run(f->loop);
	f->timer = loop_timer_create(f->loop, stop_at_once, f);
	loop_timer_after(f->timer, 1000);
	loop_run(f->loop);
	assert_int_equal(f->fired, 1);
}

static void
note_freed(void *arg)
{
	struct fixture *f = arg;

	f->freed++;
}

static void
bury_another(void *arg)
{
	struct fixture *f = arg;

	f->freed++;
	loop_bury(f->loop, note_freed, f);
}

static void
bury_in_callback(void *arg)
{
	struct fixture *f = arg;

	loop_bury(f->loop, bury_another, f);
	f->fired = f->freed; /* still alive inside the callback */
}

static void
stop_when_buried(void *arg)
{
	struct fixture *f = arg;

	if (f->freed == 2)
		loop_stop(f->loop);
	f->turns++;
}

static void
the_graveyard_is_emptied_before_sleep(void **state)
{
	struct fixture *f = *state;
	struct loop_timer *second;

	loop_before_sleep(f->loop, stop_when_buried, f);
	f->timer = loop_timer_create(f->loop, bury_in_callback, f);
	loop_timer_after(f->timer, 0);
	second = loop_timer_create(f->loop, stop_at_once, f);
	loop_timer_after(second, 100000);
	loop_run(f->loop);
	assert_int_equal(f->freed, 2);
	assert_true(f->turns >= 2);
	loop_timer_destroy(second);
}

static void
on_pipe(void *arg, int events)
{
	struct fixture *f = arg;

	f->events |= events;
	f->fired++;
	loop_io_destroy(f->io);
	f->io = NULL;
	loop_stop(f->loop);
}

static void
a_paused_descriptor_is_quiet_until_resumed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	f->io = loop_io_create(f->loop, f->pipe[0], 0, on_pipe, f);
	f->timer = loop_timer_create(f->loop, stop_at_once, f);
	loop_timer_after(f->timer, 10000);
	loop_run(f->loop);
	assert_int_equal(f->events, 0);
	loop_io_set(f->io, LOOP_READ);
	loop_run(f->loop);
	assert_int_equal(f->events, LOOP_READ);
}

static void
a_signal_arrives_in_the_loop_and_sigpipe_kills_nobody(void **state)
{
	struct fixture *f = *state;

	loop_on_signal(f->loop, SIGUSR1, stop_at_once, f);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_run(f->loop);
	assert_int_equal(f->fired, 1);
	assert_int_equal(raise(SIGPIPE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_timer_armed_in_a_long_callback_is_not_early),
	    TEST(a_repeating_timer_repeats_until_stopped),
	    TEST(a_timer_may_be_destroyed_in_its_own_callback),
	    TEST(a_stop_before_the_run_counts_once),
	    TEST(the_graveyard_is_emptied_before_sleep),
	    TEST(a_paused_descriptor_is_quiet_until_resumed),
	    TEST(a_signal_arrives_in_the_loop_and_sigpipe_kills_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
