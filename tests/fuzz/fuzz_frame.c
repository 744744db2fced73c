/* Any bytes as F0: refused with a reason, or understood so well that writing it again gives the
 * same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT;
	struct err err = ERR_INIT;
	struct frame f;

	if (frame_decode(&f, span_of(data, size), &err) < 0) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_NOT_FOUND);
		CHECK(err.text[0] != '\0');
		return 0;
	}
	frame_encode(&again, &f);
	CHECK(span_eq(buf_span(&again), span_of(data, size)));
	buf_done(&again);
	return 0;
}
