/* segfile.h - a segment of the archive as bytes (ARCHITECTURE.md 4.1). Pure: no I/O. */
#ifndef RECORDER_SEGFILE_H
#define RECORDER_SEGFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypt.h"
#include "base/err.h"
#include "proto/frame.h"
#include "workers/recorder/batch.h"

#define SEGFILE_BYTES (1024 * 1024)     /* a segment is closed before it grows beyond */
#define SEGFILE_MAX   (4 * 1024 * 1024) /* one entry may be larger than that */
#define SEGFILE_SPANS 32                /* names and values of one entry */

struct segfile {
	uint64_t number; /* 1, 2, 3 … */
	uint8_t prev[HASH_LEN];
	name_t campaign;
	struct log_id first, last;
	uint32_t count;
	struct span entries;
	uint8_t hash[HASH_LEN]; /* of all but the signature; the next one's prev */
	uint8_t sig[SIGN_LEN];
};

void segfile_entry(struct buf *entries, struct log_id at, const struct raw_entry *raw);
/* Fills ret->hash and sig from all else. */
void segfile_encode(struct buf *out, struct segfile *s, const uint8_t sign_sk[SIGN_SK_LEN]);
/* Shape only; borrows from file. */
int segfile_decode(struct segfile *ret, struct span file, struct err *err);
bool segfile_signed(const struct segfile *s, const uint8_t sign_pk[SIGN_PK_LEN]);

struct segfile_entry {
	struct log_id at;
	char id[48];
	struct span pair[SEGFILE_SPANS];
	struct raw_entry raw; /* borrows from id and pair */
};
/* The next entry of the rest. 1, 0 at the end, -1 ERR_CORRUPT. */
int segfile_next(struct span *rest, struct segfile_entry *ret, struct err *err);

#endif
