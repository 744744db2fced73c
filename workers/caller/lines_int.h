/* lines_int.h - shared by lines.c (stream in and out, endings), commands.c (what is asked) and
 * events.c (what is answered). */
#ifndef CALLER_LINES_INT_H
#define CALLER_LINES_INT_H

#include <jansson.h>

#include "base/map.h"
#include "workers/caller/entry.h"
#include "workers/caller/lines.h"

/* A command that is answered when its record is stored. */
struct pending {
	uint64_t seq;
	uint8_t id[16], case_id[16];
	uint64_t token;
	bool reveal; /* then the id number of this case is shown */
};

#define LINES_SHOWN 64

struct lines {
	struct lines_opts o;
	struct client *client;
	struct loop_io *in, *out;
	struct loop_timer *linger, *look;
	struct buf input, output;
	bool skipping; /* the rest of a line that is too long */
	bool ended;    /* nothing more is read */
	bool broken;   /* nobody reads what we write */
	int exit_code;
	struct pending *pending;
	size_t n_pending;
	size_t looking;   /* looks without an answer */
	bool asking;      /* next or take without an answer */
	size_t giving;    /* give-backs without an answer */
	struct map *keys; /* case -> owned 32 bytes, of what was looked at */
	/* Cases shown by this process, in memory alone: the outbox forgets a finished one when its
	 * records are released, but somebody may still have it on the screen. */
	struct hold *shown[LINES_SHOWN];
	size_t n_shown; /* counts on; the oldest makes room */
};

/* lines.c */
void lines_say(struct lines *l, const char *what, json_t *o); /* {"what": o}; takes o */
void lines_error(struct lines *l, const char *code, const char *text, const json_t *command);
void lines_check_end(struct lines *l);

/* What is known of a case that is or was in hand here; NULL: nothing. Borrowed until the next event. */
const struct hold *lines_hold(const struct lines *l, const uint8_t case_id[16]);

/* commands.c */
void commands_run(struct lines *l, const char *text, size_t len);

/* events.c */
void events_stored(struct lines *l, const struct pending *p);
void events_accepted(struct lines *l, uint64_t seq, uint64_t verdict, const char *why);
void events_flush(struct lines *l, const struct err *err); /* answers what waits for a commit */
void events_keep_key(void *arg, const uint8_t case_id[16], const uint8_t key[32]);

#endif
