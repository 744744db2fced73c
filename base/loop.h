/* loop.h - one libev loop per process; callers see timers, descriptors and signals, no ev.h.
 *
 * Timers are one-shot or repeating, in real microseconds on the monotonic clock, computed afresh
 * when armed (ev_now_update). Nothing is freed inside its own callback: hand dying objects to
 * loop_bury, they are freed before the loop sleeps again. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_io;

struct loop *loop_create(void);
void loop_destroy(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop */
void loop_stop(struct loop *l);

typedef void loop_fn(void *arg);
struct loop_timer *loop_timer_create(struct loop *l, loop_fn *fn, void *arg);
void loop_timer_after(struct loop_timer *t, int64_t us); /* (re)arms, once */
void loop_timer_every(struct loop_timer *t, int64_t us);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_destroy(struct loop_timer *t); /* NULL-safe; allowed inside a callback */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_io_fn(void *arg, int events);
struct loop_io *loop_io_create(struct loop *l, int fd, int events, loop_io_fn *fn, void *arg);
void loop_io_set(struct loop_io *io, int events); /* 0 pauses */
void loop_io_destroy(struct loop_io *io);         /* stop before the fd is closed */

void loop_on_signal(struct loop *l, int signum, loop_fn *fn, void *arg);
/* Runs in every turn, just before the loop sleeps: the place for "one batch a turn". */
void loop_before_sleep(struct loop *l, loop_fn *fn, void *arg);
void loop_bury(struct loop *l, void (*free_fn)(void *), void *object);

/* For the wrappers in base/ only. */
void *loop_ev(struct loop *l);

#endif
