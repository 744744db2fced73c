/* archive.h - the archive of one campaign: signed, hash-chained segments, only ever added. Blocking. */
#ifndef RECORDER_ARCHIVE_H
#define RECORDER_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/book.h"

struct archive;
struct waiting;

/* waiting: borrowed, outlives the archive; NULL: nothing waits for evidence. dir is the installation's archive; made when missing. ERR_CORRUPT: its newest segment is damaged. */
int archive_open(struct archive **ret, const char *dir, const char *campaign,
    const uint8_t sign_sk[64], struct waiting *waiting, struct err *err);
void archive_close(
    struct archive *a); /* NULL-safe; what was not sealed is read from the log again */

/* The newest entry that was added, sealed or not. */
struct log_id archive_read_upto(const struct archive *a);
struct log_id archive_sealed_upto(const struct archive *a);
/* Adds the entry that follows. ERR_STALE: entries are missing before it. */
int archive_add(struct archive *a, const struct raw_entry *raw, struct err *err);
bool archive_full(const struct archive *a);       /* seal before adding more */
void archive_wait(struct archive *a, int64_t us); /* instead of 30 s: */
bool archive_due(const struct archive *a);        /* full, or the oldest entry waits for 30 s */
/* Writes what was added as one segment: all of it is on disk, or nothing. May be tried again. */
int archive_seal(struct archive *a, struct err *err);

/* Outboxes whose newest sealed record that waits for no evidence was not said to be released: upto, h. */
struct box *archive_sealed(struct archive *a, size_t *ret_n);
void archive_said(struct archive *a);

#endif
