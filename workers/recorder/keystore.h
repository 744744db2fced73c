/* keystore.h - the case keys of all campaigns: two key files and what they say, in memory.
 *
 * Keys are kept wrapped; one is unwrapped only to be handed out. Positions are slot numbers: 0, 1, 2 …
 * over all campaigns, stable for ever. Blocking (fsync); one process, no threads. */
#ifndef RECORDER_KEYSTORE_H
#define RECORDER_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/keys.h"

struct keystore;

struct keystore_health {
	uint64_t slots, damaged, restored; /* restored: taken from the other file */
};

/* path: the store; copy_path: the second file, or NULL for none. Both are made when missing, and what
 * one has and the other lacks is copied over. ERR_BUSY: another process has it (unless wait);
 * ERR_CORRUPT: the two files contradict each other. */
int keystore_open(struct keystore **ret, const char *path, const char *copy_path, bool wait,
    struct keystore_health *ret_health, struct err *err);
void keystore_close(struct keystore *k); /* NULL-safe */

/* ERR_DENIED: it does not open the keys that are there. Without a KEK everything that needs one is
 * ERR_BUSY. */
int keystore_set_kek(struct keystore *k, const uint8_t kek[32], struct err *err);
bool keystore_has_kek(const struct keystore *k);

uint64_t keystore_end(const struct keystore *k);
/* The first slot at or after `at` that belongs to the campaign. 1 and *ret, *ret_next (the position
 * after it); 0 none is left; -1. */
int keystore_next(struct keystore *k, const char *campaign, uint64_t at, struct keys_row *ret,
    uint64_t *ret_next, struct err *err);

/* All or none. Durable in both files when it returns 0. ret_new: how many were not known.
 * ERR_EXISTS: a case has another key; ERR_DENIED: it is shredded; ERR_INVALID: an empty key. */
int keystore_add(struct keystore *k, const char *campaign, const struct keys_row *rows, size_t n,
    size_t *ret_new, struct err *err);
/* The wrapped key is overwritten in both files. Shredding again, or an unknown case, is no error. */
int keystore_shred(
    struct keystore *k, const char *campaign, const uint8_t case_id[16], struct err *err);

#endif
