/* Decides what two cells must share to be the same text.
 *
 * Happy path: printable ASCII and Han characters pass in one scan and are copied. Everything else
 * goes through three steps: single characters (invisible, blank, missing), NFKC of the whole, and
 * the marks that sheets put in front of text. Missing characters are what exam systems write for a
 * character outside their set: `?`, a box, U+FFFD or one of the private-use area. */
#include "ctl/import/norm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/check.h"

size_t
norm_cut(const uint8_t *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && (text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static bool
is_han(const uint8_t *s, size_t left)
{
	/* U+4E00 to U+9FFF, all of them stable under NFKC */
	return left >= 3 && s[0] >= 0xe4 && s[0] <= 0xe9 && (s[0] > 0xe4 || s[1] >= 0xb8);
}

/* Only text that needs nothing but trimming. */
static bool
is_plain(struct span in, enum norm_mode mode)
{
	size_t i = 0;

	while (i < in.len) {
		uint8_t c = in.data[i];

		if (c >= 0x20 && c < 0x7f) {
			if (c == '?' || c == '\'' || c == '=')
				return false;
			if (mode == NORM_NAME && (c == ' ' || c == '*' || c == '.'))
				return false;
			i++;
		} else if (is_han(in.data + i, in.len - i)) {
			i += 3;
		} else {
			return false;
		}
	}
	return true;
}

static bool
is_invisible(ucs4_t c)
{
	return c == 0xad || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
	       (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool
is_wide_blank(ucs4_t c)
{
	return c == 0x3000 || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
	       c == 0x205f;
}

static bool
is_private(ucs4_t c)
{
	return (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000 || c == 0xfffd;
}

static bool
is_placeholder(ucs4_t c)
{
	return c == '?' || c == 0xff1f || c == '*' || c == 0xff0a || c == 0x25a0 || c == 0x25a1 ||
	       c == 0x3013;
}

static bool
is_wide_alnum(ucs4_t c)
{
	return (c >= 0xff10 && c <= 0xff19) || (c >= 0xff21 && c <= 0xff3a) ||
	       (c >= 0xff41 && c <= 0xff5a);
}

static void
add_char(struct buf *out, ucs4_t c)
{
	uint8_t bytes[6];
	int n = u8_uctomb(bytes, c, sizeof(bytes));

	CHECK(n > 0);
	buf_add(out, bytes, (size_t)n);
}

/* Step one: character by character. */
static unsigned
filter(struct buf *out, struct span in, enum norm_mode mode)
{
	unsigned flags = 0;
	ucs4_t before = 0;

	for (size_t i = 0; i < in.len;) {
		ucs4_t c;
		int n = u8_mbtouc(&c, in.data + i, in.len - i);

		i += (size_t)n;
		if (is_invisible(c)) {
			flags |= NORM_INVISIBLE;
			continue;
		}
		if (c == '\t' || c == '\n' || c == '\r') {
			c = ' ';
		} else if (is_wide_blank(c)) {
			flags |= NORM_WIDTH;
			c = ' ';
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			flags |= NORM_CONTROL;
		} else if (is_private(c) || (mode == NORM_NAME && is_placeholder(c)) ||
		           (c == '?' && before == '?')) {
			flags |= NORM_MISSING;
		} else if (mode == NORM_FREE && is_wide_alnum(c)) {
			flags |= NORM_WIDTH;
			c -= 0xfee0;
		}
		before = c;
		add_char(out, c);
	}
	return flags;
}

static unsigned
compose(struct buf *text)
{
	size_t len = 0;
	uint8_t *nfkc;
	unsigned flags = 0;

	if (text->len == 0)
		return 0;
	nfkc = u8_normalize(UNINORM_NFKC, text->data, text->len, NULL, &len);
	CHECK(nfkc != NULL);
	if (len != text->len || memcmp(nfkc, text->data, len) != 0) {
		buf_clear(text);
		buf_add(text, nfkc, len);
		flags = NORM_WIDTH;
	}
	free(nfkc);
	return flags;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && (s.data[0] == ' ' || (s.data[0] >= '\t' && s.data[0] <= '\r'))) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && (s.data[s.len - 1] == ' ' ||
	                        (s.data[s.len - 1] >= '\t' && s.data[s.len - 1] <= '\r')))
		s.len--;
	return s;
}

/* What sheets and their exports put around text to keep it text: 'text and ="text". */
static unsigned
unmark(struct span *s, enum norm_mode mode)
{
	if (s->len >= 3 && s->data[0] == '=' && s->data[1] == '"' && s->data[s->len - 1] == '"') {
		*s = trim(span_of(s->data + 2, s->len - 3));
		return NORM_APOSTROPHE;
	}
	if (s->len >= 2 && s->data[0] == '\'' &&
	    (mode == NORM_CODE || strchr("=+-@", s->data[1]) != NULL)) {
		*s = trim(span_of(s->data + 1, s->len - 1));
		return NORM_APOSTROPHE;
	}
	return 0;
}

static bool
is_dot(ucs4_t c)
{
	return c == '.' || c == 0x2022 || c == 0x2027 || c == 0x22c5 || c == 0x30fb;
}

/* A blank stays only between two ASCII letters; dots between two letters are the middle dot. */
static unsigned
name_marks(struct buf *out, struct span s)
{
	unsigned flags = 0;
	ucs4_t before = 0;

	for (size_t i = 0; i < s.len;) {
		ucs4_t c, after = 0;

		i += (size_t)u8_mbtouc(&c, s.data + i, s.len - i);
		if (i < s.len)
			u8_mbtouc(&after, s.data + i, s.len - i);
		if (c == ' ' && (before >= 0x80 || after >= 0x80 || after == ' ')) {
			flags |= NORM_BLANK;
			continue;
		}
		if (is_dot(c) && before >= 0x2e80 && after >= 0x2e80) {
			flags |= NORM_DOT;
			c = 0xb7;
		}
		add_char(out, c);
		before = c;
	}
	return flags;
}

unsigned
norm_text(struct buf *out, struct span in, enum norm_mode mode)
{
	struct buf text = BUF_INIT;
	struct span s;
	unsigned flags;

	if (is_plain(in, mode)) {
		s = trim(in);
		buf_add(out, s.data, s.len);
		return 0;
	}
	flags = filter(&text, in, mode);
	if (mode != NORM_FREE)
		flags |= compose(&text);
	s = trim(buf_span(&text));
	flags |= unmark(&s, mode);
	if (mode == NORM_NAME)
		flags |= name_marks(out, s);
	else
		buf_add(out, s.data, s.len);
	buf_done(&text);
	return flags;
}

int
norm_is_blank(struct span text)
{
	for (size_t i = 0; i < text.len;) {
		ucs4_t c = text.data[i];

		if (c < 0x80) {
			i++;
		} else {
			if (is_han(text.data + i, text.len - i))
				return false;
			i += (size_t)u8_mbtouc(&c, text.data + i, text.len - i);
		}
		if (c != ' ' && (c < '\t' || c > '\r') && !is_wide_blank(c) && !is_invisible(c))
			return false;
	}
	return true;
}
