/* CSV of any encoding, as one of the three kinds of sheet: which, its length says. */
#include "tests/fuzz/import_once.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct table_kind *const kinds[] = {&roster_kind, &people_kind, &holidays_kind};

	import_once(kinds[len % 3], span_of(data, len));
	return 0;
}
