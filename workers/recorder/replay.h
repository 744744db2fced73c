/* replay.h - the archive read again, entry by entry, to rebuild a lost ledger. Blocking. */
#ifndef RECORDER_REPLAY_H
#define RECORDER_REPLAY_H

#include "base/err.h"
#include "workers/recorder/batch.h"

struct replay;

/* dir is the installation's archive; an archive without segments is an empty one. */
int replay_open(struct replay **ret, const char *dir, const char *campaign,
    const uint8_t sign_pk[32], struct err *err);
void replay_close(struct replay *r); /* NULL-safe */
/* The newest entry; 0-0 when there is none. */
struct log_id replay_end(const struct replay *r);
/* At most max entries after that one, valid until the next call; none at the archive's end. ERR_CORRUPT: a segment is
 * not what the recorder signed, or does not follow the one before. */
int replay_read(struct replay *r, struct log_id after, size_t max, const struct raw_entry **ret,
    size_t *ret_n, struct err *err);

#endif
