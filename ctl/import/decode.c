/* Turns GB18030 (and so GBK and GB2312) or UTF-8 into well-formed UTF-8. Nothing fails: a byte that
 * fits nowhere is replaced, and reading goes on behind it, so that a comma or a line end that
 * follows is still seen. */

#include "ctl/import/decode.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct decoder {
	iconv_t gb18030, utf8;
	iconv_t now;
	bool is_valid;
	char waiting[8];
	size_t n;
};

int
decoder_create(struct decoder **ret, struct err *err)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->gb18030 = iconv_open("UTF-8", "GB18030");
	if (d->gb18030 == (iconv_t)-1) {
		free(d);
		return err_sys(err, "opening the GB18030 conversion");
	}
	d->utf8 = iconv_open("UTF-8", "UTF-8");
	if (d->utf8 == (iconv_t)-1) {
		iconv_close(d->gb18030);
		free(d);
		return err_sys(err, "opening the UTF-8 conversion");
	}
	d->now = d->utf8;
	*ret = d;
	return 0;
}

void
decoder_destroy(struct decoder *d)
{
	if (d == NULL)
		return;
	iconv_close(d->gb18030);
	iconv_close(d->utf8);
	free(d);
}

void
decoder_use(struct decoder *d, enum input_encoding encoding, bool is_valid)
{
	d->is_valid = is_valid && encoding == ENCODING_UTF8;
	d->now = encoding == ENCODING_GB18030 ? d->gb18030 : d->utf8;
	d->n = 0;
	iconv(d->now, NULL, NULL, NULL, NULL);
}

/* Converts as much as possible; what is left at the end is the beginning of a character. */
static size_t
convert(struct decoder *d, struct buf *out, char *in, size_t left)
{
	char block[4096];

	while (left > 0) {
		char *to = block;
		size_t room = sizeof(block);
		size_t rc = iconv(d->now, &in, &left, &to, &room);
		int why = rc == (size_t)-1 ? errno : 0;

		buf_add(out, block, sizeof(block) - room);
		if (why == EINVAL)
			break;
		if (why == EILSEQ) {
			buf_adds(out, REPLACEMENT);
			in++;
			left--;
		} else if (why != E2BIG) {
			CHECK(why == 0);
		}
	}
	return left;
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] >= 0x80)
			return false;
	return true;
}

void
decoder_add(struct decoder *d, struct buf *out, struct span in)
{
	const uint8_t *at = in.data;
	size_t left = in.len;

	if (d->is_valid) {
		buf_add(out, in.data, in.len);
		return;
	}
	/* complete what waits byte by byte: at most three bytes are missing */
	while (d->n > 0 && left > 0) {
		size_t rest;

		CHECK(d->n < sizeof(d->waiting));
		d->waiting[d->n++] = (char)*at++;
		left--;
		rest = convert(d, out, d->waiting, d->n);
		memmove(d->waiting, d->waiting + d->n - rest, rest);
		d->n = rest;
	}
	if (is_ascii(span_of(at, left))) {
		buf_add(out, at, left);
		return;
	}
	d->n = convert(d, out, (char *)(uintptr_t)at, left);
	CHECK(d->n < sizeof(d->waiting));
	memcpy(d->waiting, at + left - d->n, d->n);
}

void
decoder_end(struct decoder *d, struct buf *out)
{
	if (d->n > 0)
		buf_adds(out, REPLACEMENT);
	d->n = 0;
}
