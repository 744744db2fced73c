/* release.h - from the log into the archive, and then the word that a record may be forgotten. */
#ifndef RECORDER_RELEASE_H
#define RECORDER_RELEASE_H

#include "base/err.h"
#include "workers/recorder/book.h"
#include "workers/recorder/recorder.h"
#include "workers/recorder/source.h"

struct release;

struct release *release_create(const struct recorder_opts *o, const char *campaign);
void release_destroy(struct release *r); /* NULL-safe */

/* Archives some of what PostgreSQL has and the archive has not. -1 only when the queue store is lost: what
 * is wrong with the archive stops RELEASED, is said once a minute, and is tried again after 5 s. */
int release_step(struct release *r, struct source *s, const struct book *book, struct err *err);
/* The newest entry that is in the archive; 0-0 while it cannot be opened. */
struct log_id release_archived(const struct release *r);

#endif
