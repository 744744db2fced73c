/* desk.h - one person at work: commands in, answers out, each one JSON object.
 *
 * It does not know where they come from and go to: --lines has one desk on stdin and stdout, --office one
 * for each person behind HTTP. It stands between a sink (say) and a client; desk_on_event and
 * desk_on_commit are for client_opts, with the desk as arg or called by whoever is. */
#ifndef CALLER_DESK_H
#define CALLER_DESK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "workers/link/client.h"

/* said: {"what": value}, borrowed. tag: of the command that this is the answer to, or NULL; a tag is used
 * once at most. */
typedef void desk_say_fn(void *arg, const json_t *said, void *tag);

struct desk_opts {
	struct outbox *outbox; /* borrowed */
	const char *person;    /* borrowed */
	const json_t *rules;   /* borrowed: what rules_load read, or NULL */
	bool files;            /* commands may name files of this machine */
	desk_say_fn *say;
	void *arg;
};

struct desk;
struct desk *desk_create(const struct desk_opts *o);
void desk_destroy(struct desk *d);                 /* NULL-safe; wipes */
void desk_start(struct desk *d, struct client *c); /* c: borrowed; before the first command */

/* One command. True: its answer comes with `tag`, now or at the commit that ends this turn. False: what
 * comes of it comes later, untagged. */
bool desk_do(struct desk *d, const char *text, size_t len, void *tag);
/* A photo or paper for a case: {"evidence":{"case","hash","size","type"}} with `tag`, or an error, and false. */
bool desk_evidence(struct desk *d, const uint8_t case_id[16], struct span plain, void *tag);
/* The plain bytes of an archived one. ERR_NOT_FOUND: this case was not shown here; ERR_CORRUPT: not of this case. */
int desk_open_evidence(const struct desk *d, const uint8_t case_id[16], struct span sealed,
    struct buf *out, struct err *err);
/* {"error":{"code":…,"text":…}}, with `do` and `id` of the command (or NULL). */
void desk_error(struct desk *d, const char *code, const char *text, const json_t *command);
/* An outbox that was cut, or put aside, is told before anything else. */
void desk_report(struct desk *d, const struct outbox_report *rep);
/* Every command was answered, and every record accepted. */
bool desk_is_idle(const struct desk *d);

void desk_on_event(void *arg, const struct link_event *e);
void desk_on_commit(void *arg, const struct err *err);
/* For show_seen: the key of a case that was looked at seals notes to it. arg is the desk. */
void desk_keep_key(void *arg, const uint8_t case_id[16], const uint8_t key[32]);

#endif
