/* lines.h - hf-caller --lines: one JSON object a line in and out, for one person.
 *
 * lines_create wires itself to a client's events; lines_start begins to read stdin. At the end of
 * stdin it waits for what is outstanding, at most linger_ms, and stops the loop. */
#ifndef CALLER_LINES_H
#define CALLER_LINES_H

#include <jansson.h>
#include <stdint.h>

#include "base/loop.h"
#include "workers/link/client.h"

struct lines_opts {
	struct loop *loop;     /* borrowed */
	struct outbox *outbox; /* borrowed */
	const char *person;    /* borrowed */
	const json_t *rules;   /* borrowed, or NULL */
	int64_t linger_ms;
	int in, out; /* descriptors */
};

struct lines;
struct lines *lines_create(const struct lines_opts *o);
void lines_destroy(struct lines *l);                 /* NULL-safe */
void lines_start(struct lines *l, struct client *c); /* c: borrowed */
/* An outbox that was cut, or put aside, is told before anything else. */
void lines_report(struct lines *l, const struct outbox_report *rep);
void lines_end(struct lines *l); /* as at the end of stdin; from a signal */
int lines_exit_code(const struct lines *l);

/* For client_opts; arg is the lines. */
void lines_on_event(void *arg, const struct link_event *e);
void lines_on_commit(void *arg, const struct err *err);

#endif
