/* Any bytes as a record's header: what is accepted is written again as the same bytes, and fits
 * its row; what is refused never tells a name that is none. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "proto/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT;
	struct err err = ERR_INIT;
	struct record_header h;
	const struct record_rule *r;

	if (record_header_decode(&h, span_of(data, size), &err) < 0) {
		CHECK(err.code == ERR_INVALID && err.text[0] != '\0');
		CHECK(h.person[0] == '\0' || text_is_id(h.person, strlen(h.person)));
		return 0;
	}
	r = record_rule(h.kind);
	CHECK(r != NULL && text_is_id(h.person, strlen(h.person)));
	CHECK(h.token == 0 || h.has_case);
	for (int key = 1; key < FIELD_KEYS; key++)
		CHECK(!h.f[key].set || ((r->required | r->allowed) >> key & 1) == 1);
	record_header_encode(&again, &h);
	CHECK(span_eq(buf_span(&again), span_of(data, size)));
	buf_done(&again);
	return 0;
}
