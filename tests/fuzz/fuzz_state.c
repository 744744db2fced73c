/* Any bytes as what Redis gives back: a case's state, a log entry (its parts separated by
 * newlines), an entry of the last records, a lease ticket. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "proto/call.h"
#include "proto/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_log(struct span in)
{
	struct span parts[32];
	struct log_entry e;
	size_t n = 0;

	while (n < 32 && in.len > 0) {
		const uint8_t *end = memchr(in.data, '\n', in.len);
		size_t len = end == NULL ? in.len : (size_t)(end - in.data);

		parts[n++] = span_of(in.data, len);
		len += end != NULL;
		in = span_of(in.data + len, in.len - len);
	}
	if (n > 0 && log_entry_decode(&e, parts[0], parts + 1, n - 1, NULL) == 0)
		CHECK(e.type[0] != '\0' && strlen(e.type) < sizeof(e.type));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32], ob[16];
	struct span in = span_of(data, size);
	struct case_state s;
	struct last_record last;
	uint8_t case_id[16];
	uint64_t token;
	char person[33];

	if (case_state_decode(&s, in, NULL) == 0) {
		CHECK(s.blob.len <= size && strlen(s.lane) < sizeof(s.lane));
		CHECK(strlen(s.owner) <= NAME_MAX_LEN && strlen(s.hand) <= NAME_MAX_LEN);
	}
	if (last_entry_decode(&last, in, NULL) == 0)
		CHECK(28 + last.header.len + last.body.len == size);
	CHECK(!chain_ticket_open(key, in, ob, case_id, &token, person));
	try_log(in);
	return 0;
}
