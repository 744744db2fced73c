/* file.h - files written so that they survive a power cut. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Reads a whole regular file of at most max bytes (ERR_FULL beyond), ERR_NOT_FOUND when absent.
 * Appends; out->data is a C string afterwards, also when the file was empty. */
int file_read(struct buf *out, const char *path, size_t max, struct err *err);
/* Writes path.tmp, fsync, rename, fsync of the directory: old or new, never half. */
int file_replace(const char *path, struct span data, mode_t mode, struct err *err);
int file_sync_dir(const char *path_in_dir, struct err *err); /* fsync of the directory of path */
int file_mkdirs(const char *path, mode_t mode, struct err *err); /* like mkdir -p */
/* Writes all of data at the current offset, EINTR retried. */
int file_write_all(int fd, struct span data, struct err *err);
/* Where a file that `make` puts into share/ is (queue.lua, schema, policy): $HF_SHARE if set, else
 * beside the running program: ../share/huifang (installed) or ../share (built in place). */
int file_share(char *out, size_t size, const char *name, struct err *err);

#endif
