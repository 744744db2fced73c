/* Any bytes as a case's memory: refused, or a memory that packs to the same bytes. The checksum is put
 * right first, or nothing would come through. */
#include "workers/escalation/state.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t in[LAW_BLOB_MAX + 1], out[LAW_BLOB_MAX];
	struct law_case c;
	size_t len = size < sizeof(in) ? size : sizeof(in);
	uint32_t h = 2166136261u;

	memcpy(in, data, len);
	law_case_unpack(&c, span_of(in, len), NULL);
	if (len < 5)
		return 0;
	for (size_t i = 0; i < len - 4; i++)
		h = (h ^ in[i]) * 16777619u;
	be32_put(in + len - 4, h);
	if (law_case_unpack(&c, span_of(in, len), NULL) == 0) {
		CHECK(law_case_pack(out, &c) == len);
		CHECK(memcmp(in, out, len) == 0);
	}
	return 0;
}
