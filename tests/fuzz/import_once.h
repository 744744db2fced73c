/* import_once.h - one file through the import helper, without the sandbox; for the fuzz targets.
 *
 * The file is the input itself in memory and what is written goes nowhere: the calls that touch a descriptor are
 * wrapped (Makefile), so an input costs no call of the system. The seed is fixed, so that a find replays. */
#ifndef TESTS_FUZZ_IMPORT_ONCE_H
#define TESTS_FUZZ_IMPORT_ONCE_H

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ctl/import/import.h"
#include "ctl/import/kinds.h"

#define FILE_FD (1 << 20) /* no descriptor of a process has these numbers */
#define OUT_FD  (FILE_FD + 1)

static struct span file_now;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's own names */
ssize_t __real_pread(int fd, void *out, size_t n, off_t at);
int __real_fstat(int fd, struct stat *st);
off_t __real_lseek(int fd, off_t at, int whence);
int __real_file_write_all(int fd, struct span data, struct err *err);

ssize_t
__wrap_pread(int fd, void *out, size_t n, off_t at)
{
	size_t from = (size_t)at;

	if (fd != FILE_FD)
		return __real_pread(fd, out, n, at);
	if (at < 0 || from >= file_now.len)
		return 0;
	n = n < file_now.len - from ? n : file_now.len - from;
	memcpy(out, file_now.data + from, n);
	return (ssize_t)n;
}

int
__wrap_fstat(int fd, struct stat *st)
{
	if (fd != FILE_FD)
		return __real_fstat(fd, st);
	*st = (struct stat){.st_mode = S_IFREG | 0600, .st_size = (off_t)file_now.len};
	return 0;
}

/* Only the end is ever asked for. */
off_t
__wrap_lseek(int fd, off_t at, int whence)
{
	return fd == FILE_FD ? (off_t)file_now.len : __real_lseek(fd, at, whence);
}

int
__wrap_file_write_all(int fd, struct span data, struct err *err)
{
	return fd == OUT_FD ? 0 : __real_file_write_all(fd, data, err);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* Aborts on what no file may bring about: an exit code that is none. */
static inline void
import_once(const struct table_kind *kind, struct span file)
{
	static struct import_job job = {
	    .today = {2026, 11, 23}, .input_fd = FILE_FD, .out_fd = OUT_FD, .bad_rows_fd = OUT_FD};
	int code;

	if (job.decoder == NULL) {
		/* The readers' blocks stay with the process: no page is asked of the system for each input. */
		(void)mallopt(M_MMAP_THRESHOLD, 1 << 24);
		(void)mallopt(M_TRIM_THRESHOLD, 1 << 26);
		if (import_prepare(&job, NULL) != 0)
			abort();
		job.seed = 1;
	}
	file_now = file;
	job.kind = kind;
	code = import_run(&job);
	if (code != IMPORT_GOOD && code != IMPORT_SOME_BAD && code != IMPORT_UNUSABLE)
		abort();
}

#endif
