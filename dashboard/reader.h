/* reader.h - one source in PostgreSQL, read again and again by a thread of its own, so that a slow or missing
 * database never keeps a page waiting. */
#ifndef DASHBOARD_READER_H
#define DASHBOARD_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pg.h"
#include "workers/link/home.h"

struct reader;
/* Fills ret, which is all zeros; -1: the whole of it is dropped. Called in the reader's thread. */
typedef int reader_fn(struct pg *pg, const char *campaign, void *ret);
/* size: of what `read` fills. home is read at once, not kept. */
struct reader *reader_create(const struct home *home, reader_fn *read, size_t size);
void reader_destroy(struct reader *r); /* NULL-safe */
/* "" : none yet, nothing is read. Another one than before is read at once. */
void reader_campaign(struct reader *r, const char *campaign);
/* Copies what was read last, zeros before; false while the newest try failed. */
bool reader_last(struct reader *r, void *ret);

#endif
