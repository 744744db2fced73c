/* buf.c - a growing byte string. Growth doubles, so that appending n bytes costs O(n); one byte more
 * than `cap` says is kept for the NUL after the text. Out of memory aborts. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

/* Make room for `more` bytes beyond len, and the NUL. */
static void
reserve(struct buf *b, size_t more)
{
	size_t need, cap = b->cap < 32 ? 32 : b->cap;

	CHECK(!__builtin_add_overflow(b->len, more, &need) && need < SIZE_MAX / 2 - 1);
	if (b->data != NULL && need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	b->data = xrealloc(b->data, cap + 1, 1);
	b->cap = cap;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->data != NULL ? b->cap - b->len + 1 : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? (char *)b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	CHECK(n >= 0);
	if ((size_t)n >= room) { /* did not fit: once more, with room */
		reserve(b, (size_t)n);
		va_start(ap, fmt);
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void
buf_add_hex(struct buf *b, const void *data, size_t len)
{
	CHECK(len < SIZE_MAX / 4);
	reserve(b, 2 * len);
	hex_encode((char *)b->data + b->len, data, len);
	b->len += 2 * len;
}

void
buf_add_be32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	be32_put(bytes, v);
	buf_add(b, bytes, sizeof(bytes));
}

void
buf_add_be64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	be64_put(bytes, v);
	buf_add(b, bytes, sizeof(bytes));
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

char *
buf_steal(struct buf *b, size_t *ret_len)
{
	char *text;

	reserve(b, 0);
	b->data[b->len] = '\0';
	text = (char *)b->data;
	if (ret_len != NULL)
		*ret_len = b->len;
	*b = (struct buf)BUF_INIT;
	return text;
}

void
buf_drop_front(struct buf *b, size_t n)
{
	CHECK(n <= b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

struct span
buf_span(const struct buf *b)
{
	return (struct span){b->data, b->len};
}

struct span
span_of(const void *data, size_t len)
{
	return (struct span){data, len};
}

struct span
span_str(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
span_eq_str(struct span a, const char *text)
{
	return span_eq(a, span_str(text));
}

uint32_t
be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t
be64_get(const uint8_t *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

void
be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void
be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}
