/* gb18030.c - UTF-8 to GB18030 through iconv. Failures: none, GB18030 has a place for every character; text that is not
 * well-formed UTF-8 is a fault of the caller, and CHECKed. */
#include "workers/link/gb18030.h"

#include <errno.h>
#include <iconv.h>

#include "base/check.h"

void
encode_gb18030(struct buf *out, struct span text)
{
	static iconv_t to_gb18030 = (iconv_t)-1;
	char block[4096];
	char *in = (char *)(uintptr_t)text.data;
	size_t left = text.len;

	if (to_gb18030 == (iconv_t)-1)
		to_gb18030 = iconv_open("GB18030", "UTF-8");
	CHECK(to_gb18030 != (iconv_t)-1);
	while (left > 0) {
		char *to = block;
		size_t room = sizeof(block);
		size_t rc = iconv(to_gb18030, &in, &left, &to, &room);

		/* GB18030 has a place for every character */
		CHECK(rc != (size_t)-1 || errno == E2BIG);
		buf_add(out, block, sizeof(block) - room);
	}
}
