/* shelf.h - reading the archive as ARCHITECTURE.md 4.1 describes it, apart from the program that writes it. */
#ifndef RECONCILIATION_SHELF_H
#define RECONCILIATION_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypt.h"
#include "base/err.h"
#include "proto/call.h"
#include "workers/link/home.h"

struct shelf_segment {
	uint64_t number;
	uint64_t first_epoch, first_no, last_epoch, last_no;
	uint32_t count;
	uint8_t prev[HASH_LEN], hash[HASH_LEN];
	bool is_signed; /* by the key given; true when none was */
	bool chained;   /* hangs on the one before, and bears the next number */
	bool is_known;  /* was read: what comes next must hang on it */
};

/* fn: each segment in order, and its record entries; -1 with err ends the walk. entry is NULL for the call that tells
 * the segment, which comes before its entries. what of a segment that cannot be read: ERR_CORRUPT with its name. */
typedef int shelf_fn(
    void *arg, const struct shelf_segment *s, const struct log_entry *entry, struct err *err);
/* From segment `from` on, which hangs on the one before unseen; 1: all. sign_pk may be NULL. No archive at all is no
 * failure: fn is never called. */
int shelf_walk(const struct home *home, const char *campaign, uint64_t from, const uint8_t *sign_pk,
    shelf_fn *fn, void *arg, struct err *err);
/* The same of a directory of segments. */
int shelf_walk_dir(const char *dir, uint64_t from, const uint8_t *sign_pk, shelf_fn *fn, void *arg,
    struct err *err);
/* The recorder's public key of secrets/recorder.pub; false when it cannot be read. */
bool shelf_key(const struct home *home, uint8_t ret[SIGN_PK_LEN]);

#endif
