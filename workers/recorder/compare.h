/* compare.h - do Redis and PostgreSQL belong together? */
#ifndef RECORDER_COMPARE_H
#define RECORDER_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "workers/recorder/book.h"
#include "workers/recorder/source.h"
#include "workers/recorder/writer.h"

enum compare {
	COMPARE_SAME,
	COMPARE_WAIT, /* the campaign is not open yet */
	COMPARE_APART, /* one of them is older than the other, or another one: an operator must act */
	COMPARE_FAILED, /* no answer */
};

/* In which Redis this process was when the cursor stood there. */
struct last_seen {
	char run_id[48]; /* empty: in none */
	struct log_id cursor;
};

/* Also says again the marks that Redis lacks (we may have died between COMMIT and mark). catch_up: a
 * ledger behind Redis' marks is allowed; *ret_target is where it will have caught up. seen: the last session's; on
 * COMPARE_SAME this one's. */
enum compare compare_stores(struct source *s, struct writer *w, const struct book *book,
    const uint8_t sign_sk[64], bool catch_up, struct last_seen *seen, struct log_id *ret_target,
    struct err *err);

/* Which command brings them together again. */
const char *compare_hint(const struct err *err);

#endif
