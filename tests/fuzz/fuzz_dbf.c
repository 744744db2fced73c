/* DBF: the input is taken as it is; anything that is no DBF is CSV, which does no harm here. */
#include "tests/fuzz/import_once.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = import_file_of(data, len);

	import_once(&roster_kind, fd);
	close(fd);
	return 0;
}
