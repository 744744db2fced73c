/* import_once.h - one file through the import helper, without the sandbox; for the fuzz targets. */
#ifndef TESTS_FUZZ_IMPORT_ONCE_H
#define TESTS_FUZZ_IMPORT_ONCE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "ctl/import/import.h"
#include "ctl/import/kinds.h"

/* Aborts on what no file may bring about: an exit code that is none. */
static inline void
import_once(const struct table_kind *kind, int input_fd)
{
	static int out = -1;
	static struct import_job job = {.today = {2026, 11, 23}};
	int code;

	if (out < 0) {
		out = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (out < 0 || import_prepare(&job, NULL) != 0)
			abort();
	}
	job.kind = kind;
	job.input_fd = input_fd;
	job.out_fd = out;
	job.bad_rows_fd = out;
	code = import_run(&job);
	if (code != IMPORT_GOOD && code != IMPORT_SOME_BAD && code != IMPORT_UNUSABLE)
		abort();
}

static inline int
import_file_of(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || file_write_all(fd, span_of(data, len), NULL) != 0)
		abort();
	return fd;
}

#endif
