/* cut.c - bounded reading of an entry's payload; lengths come from the file and are never believed. */
#include "workers/link/cut.h"

#include <string.h>

#include "base/text.h"

struct cut
cut_open(struct span s)
{
	return (struct cut){s.data, s.len, false};
}

struct span
cut_span(struct cut *c, size_t n)
{
	struct span s = {c->p, n};

	if (c->failed || n > c->left) {
		c->failed = true;
		return (struct span){c->p, 0};
	}
	c->p += n;
	c->left -= n;
	return s;
}

void
cut_bytes(struct cut *c, void *out, size_t n)
{
	struct span s = cut_span(c, n);

	memset(out, 0, n);
	if (!c->failed)
		memcpy(out, s.data, n);
}

uint64_t
cut_u64(struct cut *c)
{
	uint8_t b[8];

	cut_bytes(c, b, sizeof(b));
	return be64_get(b);
}

uint8_t
cut_u8(struct cut *c)
{
	uint8_t b;

	cut_bytes(c, &b, 1);
	return b;
}

struct span
cut_long(struct cut *c)
{
	uint8_t b[4];

	cut_bytes(c, b, sizeof(b));
	return cut_span(c, be32_get(b));
}

void
cut_text(struct cut *c, char *out, size_t size)
{
	struct span s = cut_span(c, cut_u8(c));

	if (s.len >= size || memchr(s.data, '\0', s.len) != NULL)
		c->failed = true;
	if (c->failed)
		s.len = 0;
	memcpy(out, s.data, s.len);
	out[s.len] = '\0';
}

void
cut_name(struct cut *c, char out[NAME_MAX_LEN + 1])
{
	cut_text(c, out, NAME_MAX_LEN + 1);
	if (!c->failed && !text_is_id(out, strlen(out)))
		c->failed = true;
}

bool
cut_end(const struct cut *c)
{
	return !c->failed && c->left == 0;
}
