/* codec.c - the restricted msgpack of PROTOCOL.md 2.
 *
 * Reading: take() hands out one element's head and counts it against the array that is open; an
 * array whose last element was read closes by itself. left[0] stands for the one element that a
 * message is, so a second one is refused like a sixth field of five. What is wrong sets `failed`,
 * and from then on every read gives zeros: a caller looks once, at the end.
 * Writing goes through msgpack-c, which picks the shortest form by itself. */
#include "proto/codec.h"

#include <msgpack.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define NESTING_MAX  3
#define ELEMENTS_MAX 4096

/* msgpack's first bytes that we speak */
enum {
	M_FIXINT_LAST = 0x7f,
	M_FIXARRAY = 0x90,
	M_FIXSTR = 0xa0,
	M_NIL = 0xc0,
	M_BIN8 = 0xc4,
	M_BIN16 = 0xc5,
	M_U8 = 0xcc,
	M_U16 = 0xcd,
	M_U32 = 0xce,
	M_U64 = 0xcf,
	M_STR8 = 0xd9,
	M_STR16 = 0xda,
	M_ARRAY16 = 0xdc,
};

struct dec
dec_open(struct span bytes)
{
	struct dec d = {.at = bytes.data, .end = bytes.data, .left = {1}};

	if (bytes.len > 0)
		d.end += bytes.len;
	return d;
}

void
dec_fail(struct dec *d)
{
	d->failed = true;
}

static size_t
room(const struct dec *d)
{
	return (size_t)(d->end - d->at);
}

/* The first byte of an element that is about to be consumed; 0xc1, which msgpack never uses, when
 * there is none. */
static uint8_t
take(struct dec *d)
{
	if (d->failed || d->left[d->depth] == 0 || room(d) == 0) {
		d->failed = true;
		return 0xc1;
	}
	d->left[d->depth]--;
	return *d->at++;
}

/* An element was read to its end: close what it completes. */
static void
leave(struct dec *d)
{
	while (d->depth > 0 && d->left[d->depth] == 0)
		d->depth--;
}

/* n bytes, big-endian, which must be at least `least`: a smaller number has a shorter form. */
static uint64_t
number(struct dec *d, size_t n, uint64_t least)
{
	uint64_t v = 0;

	if (d->failed || room(d) < n) {
		d->failed = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | *d->at++;
	if (v < least)
		d->failed = true;
	return d->failed ? 0 : v;
}

/* The next `len` bytes, borrowed. */
static struct span
bytes_of(struct dec *d, uint64_t len, size_t max)
{
	struct span s = {NULL, 0};

	if (d->failed || len > max || len > room(d)) {
		d->failed = true;
		return s;
	}
	s = span_of(d->at, (size_t)len);
	d->at += len;
	leave(d);
	return s;
}

uint32_t
dec_array(struct dec *d)
{
	uint8_t c = take(d);
	uint64_t n = 0;

	if (c >= M_FIXARRAY && c <= M_FIXARRAY + 15)
		n = c - M_FIXARRAY;
	else if (c == M_ARRAY16)
		n = number(d, 2, 16);
	else
		d->failed = true;
	/* an element has at least one byte, so a false count is known at once */
	if (d->failed || n > ELEMENTS_MAX || n > room(d) || d->depth >= NESTING_MAX) {
		d->failed = true;
		return 0;
	}
	d->left[++d->depth] = (uint32_t)n;
	leave(d);
	return (uint32_t)n;
}

bool
dec_array_of(struct dec *d, uint32_t n)
{
	if (dec_array(d) != n)
		d->failed = true;
	return !d->failed;
}

uint64_t
dec_u(struct dec *d)
{
	uint8_t c = take(d);
	uint64_t v = 0;

	if (c <= M_FIXINT_LAST)
		v = c;
	else if (c == M_U8)
		v = number(d, 1, M_FIXINT_LAST + 1);
	else if (c == M_U16)
		v = number(d, 2, 1U << 8);
	else if (c == M_U32)
		v = number(d, 4, 1U << 16);
	else if (c == M_U64)
		v = number(d, 8, 1ULL << 32);
	else
		d->failed = true;
	if (v > INT64_MAX)
		d->failed = true;
	if (d->failed)
		return 0;
	leave(d);
	return v;
}

struct span
dec_b(struct dec *d, size_t max)
{
	uint8_t c = take(d);
	uint64_t len = 0;

	if (c == M_BIN8)
		len = number(d, 1, 0);
	else if (c == M_BIN16)
		len = number(d, 2, 1U << 8);
	else
		d->failed = true;
	return bytes_of(d, len, max);
}

bool
dec_bn(struct dec *d, uint8_t *out, size_t n)
{
	struct span s = dec_b(d, n);

	if (s.len != n)
		d->failed = true;
	if (d->failed)
		memset(out, 0, n);
	else if (n > 0)
		memcpy(out, s.data, n);
	return !d->failed;
}

struct span
dec_s(struct dec *d, size_t max)
{
	uint8_t c = take(d);
	uint64_t len = 0;
	struct span s;

	if (c >= M_FIXSTR && c <= M_FIXSTR + 31)
		len = c - M_FIXSTR;
	else if (c == M_STR8)
		len = number(d, 1, 32);
	else if (c == M_STR16)
		len = number(d, 2, 1U << 8);
	else
		d->failed = true;
	s = bytes_of(d, len, max);
	if (!d->failed && !utf8_valid(s.data, s.len))
		d->failed = true;
	return d->failed ? (struct span){NULL, 0} : s;
}

static void
copy_text(char *out, struct span s)
{
	if (s.len > 0)
		memcpy(out, s.data, s.len);
	out[s.len] = '\0';
}

void
dec_name(struct dec *d, char out[33])
{
	struct span s = dec_s(d, 32);

	if (!d->failed && !text_is_id((const char *)s.data, s.len))
		d->failed = true;
	copy_text(out, d->failed ? (struct span){NULL, 0} : s);
}

void
dec_opt_name(struct dec *d, char out[33])
{
	if (!d->failed && dec_peek(d) == M_FIXSTR)
		dec_text(d, out, 33);
	else
		dec_name(d, out);
}

void
dec_text(struct dec *d, char *out, size_t size)
{
	copy_text(out, dec_s(d, size - 1));
}

bool
dec_nil(struct dec *d)
{
	if (d->failed || dec_peek(d) != M_NIL)
		return false;
	(void)take(d);
	leave(d);
	return !d->failed;
}

uint8_t
dec_peek(const struct dec *d)
{
	return d->failed || room(d) == 0 ? 0 : *d->at;
}

bool
dec_is_array(const struct dec *d)
{
	uint8_t c = dec_peek(d);

	return (c >= M_FIXARRAY && c <= M_FIXARRAY + 15) || c == M_ARRAY16;
}

struct span
dec_skip(struct dec *d)
{
	const uint8_t *start = d->at;
	int outer = d->depth;

	/* An array that was entered is left when its last element was read; only then is the depth
	 * what it was, or less when that was the last element of the outer array too. */
	do {
		uint8_t c = dec_peek(d);

		if (c <= M_FIXINT_LAST || (c >= M_U8 && c <= M_U64))
			(void)dec_u(d);
		else if (c == M_NIL)
			(void)dec_nil(d);
		else if (c == M_BIN8 || c == M_BIN16)
			(void)dec_b(d, SIZE_MAX);
		else if ((c >= M_FIXSTR && c <= M_FIXSTR + 31) || c == M_STR8 || c == M_STR16)
			(void)dec_s(d, SIZE_MAX);
		else
			(void)dec_array(d);
	} while (!d->failed && d->depth > outer);
	return d->failed ? (struct span){NULL, 0} : span_of(start, (size_t)(d->at - start));
}

bool
dec_end(struct dec *d)
{
	if (d->at != d->end || d->depth != 0 || d->left[0] != 0)
		d->failed = true;
	return !d->failed;
}

static int
append(void *data, const char *bytes, size_t len)
{
	buf_add(data, bytes, len);
	return 0;
}

static msgpack_packer
packer(struct buf *b)
{
	msgpack_packer p;

	msgpack_packer_init(&p, b, append);
	return p;
}

void
enc_array(struct buf *b, uint32_t n)
{
	msgpack_packer p = packer(b);

	CHECK(n <= ELEMENTS_MAX);
	(void)msgpack_pack_array(&p, n);
}

void
enc_u(struct buf *b, uint64_t v)
{
	msgpack_packer p = packer(b);

	CHECK(v <= INT64_MAX);
	(void)msgpack_pack_uint64(&p, v);
}

void
enc_b(struct buf *b, const void *data, size_t len)
{
	msgpack_packer p = packer(b);

	CHECK(len <= UINT16_MAX);
	(void)msgpack_pack_bin(&p, len);
	buf_add(b, data, len);
}

void
enc_span(struct buf *b, struct span s)
{
	enc_b(b, s.data, s.len);
}

void
enc_s(struct buf *b, const char *text)
{
	enc_sn(b, text, strlen(text));
}

void
enc_sn(struct buf *b, const char *text, size_t len)
{
	msgpack_packer p = packer(b);

	CHECK(len <= UINT16_MAX);
	/* a text that was cut to fit may end inside a character */
	while (len > 0 && !utf8_valid((const uint8_t *)text, len))
		len--;
	(void)msgpack_pack_str(&p, len);
	buf_add(b, text, len);
}

void
enc_nil(struct buf *b)
{
	msgpack_packer p = packer(b);

	(void)msgpack_pack_nil(&p);
}
