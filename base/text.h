/* text.h - small conversions between text and numbers, strict: the whole string or nothing. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Lower-case hex. hex_encode writes 2*len characters and a NUL. hex_decode wants exactly 2*len
 * lower- or upper-case digits in text[0..text_len) and answers whether it got them. */
void hex_encode(char *out, const uint8_t *data, size_t len);
bool hex_decode(uint8_t *out, size_t len, const char *text, size_t text_len);

/* Decimal without sign games: digits only, no leading '+', must fit. */
bool text_to_u64(const char *text, size_t len, uint64_t *ret);
bool text_to_i64(const char *text, size_t len, int64_t *ret);

/* Is this well-formed UTF-8 without NUL, overlong forms and surrogates (RFC 3629)? */
bool utf8_valid(const uint8_t *data, size_t len);

/* A person's id, a campaign's id, a team's id: [a-z0-9][a-z0-9_-]{0,31}. */
bool text_is_id(const char *text, size_t len);

#endif
