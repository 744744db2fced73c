/* cut.h - a cursor over the payload of one outbox entry. What failed stays failed and reads zeros. */
#ifndef LINK_CUT_H
#define LINK_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/wire.h"

struct cut {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct cut cut_open(struct span s);
struct span cut_span(struct cut *c, size_t n); /* borrowed */
void cut_bytes(struct cut *c, void *out, size_t n);
uint64_t cut_u64(struct cut *c);
uint8_t cut_u8(struct cut *c);
struct span cut_long(struct cut *c);                      /* four bytes of length, bytes */
void cut_text(struct cut *c, char *out, size_t size);     /* one byte of length, text without NUL */
void cut_name(struct cut *c, char out[NAME_MAX_LEN + 1]); /* a text that is a name */
bool cut_end(const struct cut *c);                        /* all was read, nothing failed */

#endif
