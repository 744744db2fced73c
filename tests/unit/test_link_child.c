/* A child of the office: its end is always told, whatever it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "workers/link/child.h"

/* From wherever this program lies. */
#define SHELL "../../../../../../../../../../../../../../../../bin/sh"

struct told {
	struct loop *loop;
	int times;
	enum child_end end;
	int code;
	struct buf out, story;
};

static void
on_done(void *arg, const struct child_result *r)
{
	struct told *t = arg;

	t->times++;
	t->end = r->end;
	t->code = r->code;
	buf_add(&t->out, r->out.data, r->out.len);
	buf_add(&t->story, r->story.data, r->story.len);
	loop_stop(t->loop);
}

static int
run(struct told *t, const char *what, int64_t limit_us)
{
	const char *argv[] = {SHELL, "-c", what, NULL};
	struct child_opts o = {.argv = (char *const *)(uintptr_t)argv,
	    .out_max = 100000,
	    .limit_us = limit_us,
	    .done = on_done,
	    .arg = t};
	struct child *c;

	*t = (struct told){.loop = loop_create()};
	o.loop = t->loop;
	if (child_start(&c, &o, NULL) != 0)
		return -1;
	loop_run(t->loop);
	loop_destroy(t->loop);
	assert_int_equal(t->times, 1);
	return 0;
}

static void
done(struct told *t)
{
	buf_done(&t->out);
	buf_done(&t->story);
}

static void
what_it_says_and_how_it_ends_is_told(void **state)
{
	struct told t;

	(void)state;
	assert_int_equal(run(&t, "echo said; echo why >&2; exit 3", 60000000), 0);
	assert_true(t.end == CHILD_EXITED && t.code == 3);
	assert_true(span_eq_str(buf_span(&t.out), "said\n"));
	assert_true(span_eq_str(buf_span(&t.story), "why\n"));
	done(&t);
	assert_int_equal(run(&t, "kill -KILL $$", 60000000), 0);
	assert_true(t.end == CHILD_KILLED && t.code == -1);
	done(&t);
}

static void
it_inherits_its_three_descriptors_and_no_input(void **state)
{
	int mine = dup(STDERR_FILENO);
	struct told t;

	(void)state;
	assert_int_equal(run(&t,
	                     "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; "
	                     "done; read x || "
	                     "echo none",
	                     60000000),
	    0);
	assert_true(span_eq_str(buf_span(&t.out), "0\n1\n2\nnone\n"));
	(void)close(mine);
	done(&t);
}

static void
one_that_is_late_is_ended(void **state)
{
	struct told t;

	(void)state;
	assert_int_equal(run(&t, "echo begun; kill -STOP $$", 300000), 0);
	assert_true(t.end == CHILD_LATE);
	done(&t);
	/* It gave up its outputs, and lives on. */
	assert_int_equal(run(&t, "exec >&- 2>&-; kill -STOP $$", 300000), 0);
	assert_true(t.end == CHILD_LATE);
	done(&t);
}

static void
one_that_says_too_much_is_ended(void **state)
{
	struct told t;

	(void)state;
	assert_int_equal(run(&t, "while :; do echo 0123456789; done", 60000000), 0);
	assert_true(t.end == CHILD_TOO_BIG && t.out.len <= 100000);
	done(&t);
	assert_int_equal(
	    run(&t, "i=0; while [ $i -lt 2000 ]; do echo why >&2; i=$((i+1)); done", 60000000), 0);
	assert_true(t.end == CHILD_EXITED && t.story.len == 4096);
	done(&t);
}

static void
one_that_is_stopped_tells_nothing(void **state)
{
	const char *argv[] = {SHELL, "-c", "kill -STOP $$", NULL},
	           *none[] = {"no-such-program", NULL};
	struct told t = {.loop = loop_create()};
	struct child_opts o = {.loop = t.loop,
	    .argv = (char *const *)(uintptr_t)argv,
	    .out_max = 10,
	    .limit_us = 60000000,
	    .done = on_done,
	    .arg = &t};
	struct err err = ERR_INIT;
	struct child *c;

	(void)state;
	assert_int_equal(child_start(&c, &o, NULL), 0);
	child_stop(c);
	child_stop(NULL);
	o.argv = (char *const *)(uintptr_t)none;
	assert_int_equal(child_start(&c, &o, &err), -1);
	assert_non_null(strstr(err.text, "no-such-program"));
	loop_destroy(t.loop);
	assert_int_equal(t.times, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_says_and_how_it_ends_is_told),
	    cmocka_unit_test(it_inherits_its_three_descriptors_and_no_input),
	    cmocka_unit_test(one_that_is_late_is_ended),
	    cmocka_unit_test(one_that_says_too_much_is_ended),
	    cmocka_unit_test(one_that_is_stopped_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
