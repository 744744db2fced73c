/* keyset.h - which keys were seen, and in which row first; the one thing that grows with the rows.
 *
 * About 12 bytes a slot plus the key itself: two million keys of 14 characters take 80 MB. */
#ifndef CTL_IMPORT_KEYSET_H
#define CTL_IMPORT_KEYSET_H

#include <stdint.h>

#include "base/buf.h"

struct keyset;

/* seed: random, so that no file can be made to collide. */
struct keyset *keyset_create(uint64_t seed);
void keyset_destroy(struct keyset *s); /* NULL-safe */
/* 0: the key is new and now belongs to row. Else the row that brought it first. key.len <= 255,
 * row 1 … 2^32-1. */
int64_t keyset_add(struct keyset *s, struct span key, int64_t row);

#endif
