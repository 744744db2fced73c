/* words.h - the words of a log entry's detail, separated by single spaces.
 *
 * Each takes the next word off `rest`; false when it is not what was asked for. */
#ifndef RECORDER_WORDS_H
#define RECORDER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/frame.h"

struct span word(struct span *rest); /* empty at the end */
bool word_u(struct span *rest, uint64_t *ret);
bool word_flag(struct span *rest, bool *ret);               /* 0 or 1 */
bool word_hex(struct span *rest, uint8_t *out, size_t len); /* exactly len bytes */
bool word_text(struct span *rest, char *out, size_t size);  /* UTF-8; "-" gives "" */
bool word_name(struct span *rest, name_t out);

#endif
