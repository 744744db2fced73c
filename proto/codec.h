/* codec.h - the restricted msgpack of PROTOCOL.md section 2.
 *
 * Packing goes through msgpack-c (the only file that sees msgpack.h is codec.c). Unpacking is a
 * cursor over borrowed bytes: bounded, canonical forms only, no memory of its own. A cursor that
 * failed stays failed and every further read gives zeros, so callers may check once at the end:
 *
 *	struct dec d = dec_open(span);
 *	n = dec_array(&d); kind = dec_u(&d); …
 *	if (!dec_end(&d)) refuse;
 */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct dec {
	const uint8_t *at, *end;
	bool failed;
	int depth;        /* arrays open */
	uint32_t left[4]; /* elements left: [0] of the message, then of each open array */
};

struct dec dec_open(struct span bytes);
uint32_t dec_array(struct dec *d);            /* number of elements; enters the array */
bool dec_array_of(struct dec *d, uint32_t n); /* enters, fails unless it has n elements */
uint64_t dec_u(struct dec *d);
struct span dec_b(struct dec *d, size_t max);
bool dec_bn(struct dec *d, uint8_t *out, size_t n); /* exactly n bytes, copied; zeros if failed */
struct span dec_s(struct dec *d, size_t max);
/* A name: [a-z0-9][a-z0-9_-]{0,31}, copied with NUL into out[33]; "" if failed. */
void dec_name(struct dec *d, char out[33]);
void dec_opt_name(struct dec *d, char out[33]); /* a name or the empty string */
/* A string copied with NUL into out[size], at most size-1 bytes. */
void dec_text(struct dec *d, char *out, size_t size);
bool dec_nil(struct dec *d);            /* true and consumed if the next element is nil */
uint8_t dec_peek(const struct dec *d);  /* first byte of the next element, 0 at the end */
bool dec_is_array(const struct dec *d); /* is the next element an array? */
/* Passes over one element of any kind, arrays with all they hold, and returns its bytes. */
struct span dec_skip(struct dec *d);
bool dec_end(struct dec *d); /* everything consumed, nothing failed */
void dec_fail(struct dec *d);

/* The writer appends to a buf. Numbers above 2^63-1, arrays above 4096 elements and bytes above
 * 65535 are CHECKed. A text that is not valid UTF-8 is cut to the longest beginning that is. */
void enc_array(struct buf *b, uint32_t n);
void enc_u(struct buf *b, uint64_t v);
void enc_b(struct buf *b, const void *data, size_t len);
void enc_span(struct buf *b, struct span s); /* as bin */
void enc_s(struct buf *b, const char *text);
void enc_sn(struct buf *b, const char *text, size_t len);
void enc_nil(struct buf *b);

#endif
