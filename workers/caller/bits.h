/* bits.h - a list of words of a command as the bits of a header's field, and back. */
#ifndef CALLER_BITS_H
#define CALLER_BITS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Word i of names (NULL at the end) is bit i. False: no list, or a word that is none of them. */
bool bits_take(const json_t *list, const char *const *names, uint64_t *ret);
json_t *bits_words(uint64_t bits, const char *const *names);

/* The three points that are told; what was done since (PROTOCOL.md 14.3, items of an ATTEMPT or NOTE). */
extern const char *const bits_ticks[], *const bits_done[];

#endif
