/* Any JSON as a command of hf-caller --lines: refused, or a record that a broker would take. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "workers/caller/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
record(const json_t *o)
{
	static const uint8_t sk[64], ob[16], prev[32], key[32] = {1};
	struct refusal why = {.code = NULL};
	struct records_clock clock = {0, 0};
	struct record_header again;
	struct entry_record e;
	struct records_made m;

	if (entry_record(&e, o, "w01", &why) != 0) {
		CHECK(why.code != NULL && why.text[0] != '\0');
		return;
	}
	entry_number(&e, key, "19900000001");
	records_stamp(&e.h, &clock);
	if (records_make(&m, sk, ob, 1, prev, &e.h, &e.body, key, NULL) != 0)
		return;
	CHECK(record_header_decode(&again, m.r.header, NULL) == 0);
	CHECK(m.r.body.len <= F1_MAX);
	records_done(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	CHECK(crypt_init(NULL) == 0);
	if (json_is_object(o) && json_is_string(json_object_get(o, "do")))
		record(o);
	json_decref(o);
	return 0;
}
