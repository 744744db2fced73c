/* child.h - a sibling program of ours as a child process, beside the loop's other work. */
#ifndef LINK_CHILD_H
#define LINK_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum child_end {
	CHILD_EXITED, /* code */
	CHILD_KILLED, /* by itself, or by somebody else */
	CHILD_LATE,   /* longer than limit_us */
	CHILD_TOO_BIG /* said more than out_max */
};
struct child_result {
	enum child_end end;
	int code;
	struct span out, story; /* stdout, and the first 4 KiB of stderr; borrowed */
};
/* Once, from the loop; the child is gone afterwards. Not after child_stop. */
typedef void child_done_fn(void *arg, const struct child_result *r);

struct child_opts {
	struct loop *loop; /* borrowed */
	char *const *argv; /* argv[0] the program beside this one, NULL at the end; no shell */
	int in_fd;         /* becomes its standard input; 0: none. Still the caller's */
	size_t out_max;
	int64_t limit_us;
	child_done_fn *done;
	void *arg;
};
struct child;
int child_start(struct child **ret, const struct child_opts *o, struct err *err);
void child_stop(struct child *c); /* NULL-safe: kills it, and waits for its end */

#endif
