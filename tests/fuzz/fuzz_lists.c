/* Any bytes as F1 of HELLO, WELCOME, GRANT, SEEN: what one of them accepts it writes again as the
 * same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "proto/lists.h"
#include "proto/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct buf *again, struct span in)
{
	CHECK(span_eq(buf_span(again), in));
	buf_clear(again);
}

static void
read_rows(struct buf *again, struct span in)
{
	struct seen_row row;
	struct dec d;
	uint32_t n = seen_rows_open(&d, in), left, unknown = 0;

	enc_array(again, n);
	for (left = n; left > 0 && seen_row_next(&d, &row); left--) {
		seen_row_encode(again, &row);
		unknown += row.unknown;
	}
	if (left == 0 && dec_end(&d) && unknown == 0)
		same(again, in);
	buf_clear(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hello_lists hello;
	static struct welcome_lists welcome;
	struct grant_lists grant;
	struct seen_case seen;
	struct span in = span_of(data, size);
	struct buf again = BUF_INIT;

	if (size > F1_MAX)
		return 0;
	if (hello_lists_decode(&hello, in, NULL) == 0) {
		hello_lists_encode(&again, &hello);
		same(&again, in);
	}
	if (welcome_lists_decode(&welcome, in, NULL) == 0) {
		welcome_lists_encode(&again, &welcome);
		same(&again, in);
	}
	if (grant_lists_decode(&grant, in, NULL) == 0) {
		grant_lists_encode(&again, &grant);
		same(&again, in);
	}
	if (seen_case_decode(&seen, in, NULL) == 0 && seen.row.unknown == 0) {
		seen_case_encode(&again, &seen);
		same(&again, in);
	}
	read_rows(&again, in);
	buf_done(&again);
	return 0;
}
