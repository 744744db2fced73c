/* CSV of any encoding, as each of the three kinds of sheet. */
#include "tests/fuzz/import_once.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = import_file_of(data, len);

	import_once(&roster_kind, fd);
	import_once(&people_kind, fd);
	import_once(&holidays_kind, fd);
	close(fd);
	return 0;
}
