/* desk_int.h - shared by desk.c (the sink, life), commands.c (what is asked) and events.c (what is
 * answered). */
#ifndef CALLER_DESK_INT_H
#define CALLER_DESK_INT_H

#include "base/map.h"
#include "workers/caller/desk.h"
#include "workers/caller/entry.h"

/* A command that is answered when its record is stored. */
struct pending {
	uint64_t seq;
	uint8_t id[16], case_id[16];
	uint64_t token;
	bool reveal; /* then the id number of this case is shown */
	void *tag;
};

#define DESK_SHOWN 64

struct desk {
	struct desk_opts o;
	struct client *client; /* borrowed */
	struct pending *pending;
	size_t n_pending;
	size_t looking; /* looks without an answer */
	bool asking;    /* next or take without an answer */
	size_t giving;  /* give-backs without an answer */
	bool is_known;  /* the broker's word on the person */
	uint64_t roles;
	struct map *keys; /* case -> owned 32 bytes, of what was looked at */
	/* Cases shown by this process, in memory alone: the outbox forgets a finished one when its
	 * records are released, but somebody may still have it on the screen. */
	struct hold *shown[DESK_SHOWN];
	size_t n_shown; /* counts on; the oldest makes room */
};

/* desk.c */
void desk_say(struct desk *d, const char *what, json_t *o); /* {"what": o}; takes o */
void desk_answer(struct desk *d, const char *what, json_t *o, void *tag);
json_t *desk_error_object(const char *code, const char *text, const json_t *command);
/* What is known of a case that is or was in hand here; NULL: nothing. Borrowed until the next event. */
const struct hold *desk_hold(const struct desk *d, const uint8_t case_id[16]);

/* evidence.c */
int evidence_do(struct desk *d, const json_t *o, void *tag, struct refusal *why);
void evidence_is_sent(struct desk *d, struct span hash);

/* events.c */
void events_stored(struct desk *d, const struct pending *p);
void events_accepted(struct desk *d, uint64_t seq, uint64_t verdict, const char *why);

#endif
