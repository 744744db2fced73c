/* DBF: the input is taken as it is; anything that is no DBF is CSV, which does no harm here. */
#include "tests/fuzz/import_once.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	import_once(&roster_kind, span_of(data, len));
	return 0;
}
