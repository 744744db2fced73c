/* buf.h - a growing byte string, and a borrowed view of bytes. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view: borrowed bytes, not NUL-terminated. */
struct span {
	const uint8_t *data;
	size_t len;
};

/* Owned bytes. `data` is always followed by a NUL that `len` does not count, so that text can be
 * read as a C string; NULL only while nothing was ever added. */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_add_hex(struct buf *b, const void *data, size_t len); /* lower case */
void buf_add_be32(struct buf *b, uint32_t v);
void buf_add_be64(struct buf *b, uint64_t v);
void buf_clear(struct buf *b);                   /* len = 0, memory kept */
void buf_done(struct buf *b);                    /* frees, back to BUF_INIT */
char *buf_steal(struct buf *b, size_t *ret_len); /* caller frees; b is BUF_INIT again */
void buf_drop_front(struct buf *b, size_t n);    /* forget the first n bytes, n <= len */

struct span buf_span(const struct buf *b);
struct span span_of(const void *data, size_t len);
struct span span_str(const char *text);
bool span_eq(struct span a, struct span b);
bool span_eq_str(struct span a, const char *text);

uint32_t be32_get(const uint8_t *p);
uint64_t be64_get(const uint8_t *p);
void be32_put(uint8_t *p, uint32_t v);
void be64_put(uint8_t *p, uint64_t v);

#endif
