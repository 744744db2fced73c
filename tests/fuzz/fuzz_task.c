/* Any bytes as the plain text of a task or a body. Keys that are not known and empty texts are
 * left out when it is written again, so the second writing must equal the first. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "proto/lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_task(struct span in)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct task t, back;

	if (task_decode(&t, in, NULL) == 0) {
		task_encode(&once, &t);
		CHECK(task_decode(&back, buf_span(&once), NULL) == 0);
		task_encode(&twice, &back);
		CHECK(span_eq(buf_span(&once), buf_span(&twice)));
		CHECK(once.len <= in.len);
	}
	buf_done(&once);
	buf_done(&twice);
}

static void
try_rows(struct span rows)
{
	struct buf again = BUF_INIT;
	struct import_row row;
	struct dec d;
	uint32_t n = import_rows_open(&d, rows), left;

	enc_array(&again, n);
	for (left = n; left > 0 && import_row_next(&d, &row); left--)
		import_row_encode(&again, &row);
	if (left == 0 && dec_end(&d))
		CHECK(span_eq(buf_span(&again), rows));
	buf_done(&again);
}

static void
try_body(struct span in)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct body b, back;

	if (body_decode(&b, in, NULL) == 0) {
		try_rows(b.rows);
		body_encode(&once, &b);
		CHECK(body_decode(&back, buf_span(&once), NULL) == 0);
		body_encode(&twice, &back);
		CHECK(span_eq(buf_span(&once), buf_span(&twice)));
		CHECK(once.len <= in.len);
	}
	buf_done(&once);
	buf_done(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 65536)
		return 0;
	try_task(span_of(data, size));
	try_body(span_of(data, size));
	return 0;
}
