/* keyfile.h - wrapped case keys on disk: slots of 128 bytes behind a head of the same size.
 *
 *	head  "hfkeys1\n" | count BE64 | crc32c BE32 of these 16 bytes | zeros
 *	slot  crc32c BE32 of the rest | type | 3 zeros | campaign, zero-padded to 32 | case 16 | sealed 72
 *
 * sealed = XChaCha20-Poly1305 of the key under the KEK, additional data campaign || case. Slots are
 * only added; what counts is what the head counts, so a torn tail was never acknowledged. A slot lies
 * within one sector: blanking one (its sealed bytes become zeros, the key is destroyed) is atomic.
 * Who holds the file open holds its lock; a second opener waits. */
#ifndef RECORDER_KEYFILE_H
#define RECORDER_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypt.h"
#include "base/err.h"
#include "proto/frame.h"

#define KEYSLOT_SEALED (SEAL_KEY_LEN + SEAL_OVERHEAD)

enum keyslot_type {
	KEYSLOT_KEY = 1,
	KEYSLOT_TOMB = 2,    /* this case is shredded */
	KEYSLOT_BLANK = 3,   /* was a KEY; a TOMB stands further on */
	KEYSLOT_DAMAGED = 9, /* only in memory: the crc does not fit */
};

struct keyslot {
	enum keyslot_type type;
	name_t campaign;
	uint8_t case_id[16];
	uint8_t sealed[KEYSLOT_SEALED]; /* zeros unless KEY */
};

struct keyfile;
/* Opens, or makes an empty one. wait: whether to wait for another holder; ERR_BUSY if not. */
int keyfile_open(struct keyfile **ret, const char *path, bool wait, struct err *err);
void keyfile_close(struct keyfile *f); /* NULL-safe */
uint64_t keyfile_count(const struct keyfile *f);
bool keyfile_ok(const struct keyfile *f); /* false after a failed write */
/* DAMAGED is an answer, not an error. */
int keyfile_read(struct keyfile *f, uint64_t at, struct keyslot *ret, struct err *err);
/* On disk when it returns 0. After a failure the file takes no more writes until it is opened again,
 * since what a failed fsync left behind is unknown. */
int keyfile_append(struct keyfile *f, const struct keyslot *slots, size_t n, struct err *err);
int keyfile_put(struct keyfile *f, uint64_t at, const struct keyslot *slot, struct err *err);

#endif
