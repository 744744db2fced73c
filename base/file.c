/* file.c - files that are wholly old or wholly new after a power cut.
 *
 * Happy path of a replacement: write path.tmp, fsync it, rename it over path, fsync the directory.
 * Failures: any step removes path.tmp again and reports; before the rename the old file stands. A
 * failed fsync of the directory is reported although the new file is visible: it may not survive. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static int
read_all(struct buf *out, int fd, const char *path, size_t max, struct err *err)
{
	size_t start = out->len;
	char chunk[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "reading %s", path);
		if (n == 0)
			break;
		if ((size_t)n > max - (out->len - start))
			return err_set(err, ERR_FULL, "%s has more than %zu bytes", path, max);
		buf_add(out, chunk, (size_t)n);
	}
	buf_add(out, "", 0);
	return 0;
}

int
file_read(struct buf *out, const char *path, size_t max, struct err *err)
{
	size_t start = out->len;
	struct stat st;
	int rc, fd;

	/* O_NONBLOCK: a FIFO of that name shall be refused, not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "opening %s", path);
	if (fstat(fd, &st) != 0)
		rc = err_sys(err, "looking at %s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(err, ERR_INVALID, "%s is not a regular file", path);
	else
		rc = read_all(out, fd, path, max, err);
	(void)close(fd);
	if (rc != 0 && out->data != NULL) {
		out->len = start;
		out->data[start] = '\0';
	}
	return rc;
}

int
file_write_all(int fd, struct span data, struct err *err)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.data, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "writing");
		data.data += n;
		data.len -= (size_t)n;
	}
	return 0;
}

int
file_sync_dir(const char *path_in_dir, struct err *err)
{
	const char *slash = strrchr(path_in_dir, '/');
	char *dir;
	int fd, rc = 0;

	if (slash == NULL)
		dir = xstrdup(".");
	else if (slash == path_in_dir)
		dir = xstrdup("/");
	else
		dir = xasprintf("%.*s", (int)(slash - path_in_dir), path_in_dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		rc = err_sys(err, "opening directory %s", dir);
	} else {
		if (fsync(fd) != 0)
			rc = err_sys(err, "fsync of directory %s", dir);
		(void)close(fd);
	}
	free(dir);
	return rc;
}

static int
write_new(const char *tmp, struct span data, mode_t mode, struct err *err)
{
	int fd, rc = 0;

	/* A leftover of a crash may have another mode or owner: never write into it. */
	if (unlink(tmp) != 0 && errno != ENOENT)
		return err_sys(err, "removing old %s", tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_sys(err, "creating %s", tmp);
	if (fchmod(fd, mode) != 0)
		rc = err_sys(err, "setting the mode of %s", tmp);
	else if (file_write_all(fd, data, err) != 0)
		rc = err_wrap(err, "%s", tmp);
	else if (fsync(fd) != 0)
		rc = err_sys(err, "fsync of %s", tmp);
	if (close(fd) != 0 && rc == 0)
		rc = err_sys(err, "closing %s", tmp);
	return rc;
}

int
file_replace(const char *path, struct span data, mode_t mode, struct err *err)
{
	char *tmp = xasprintf("%s.tmp", path);
	int rc = write_new(tmp, data, mode, err);

	if (rc == 0 && rename(tmp, path) != 0)
		rc = err_sys(err, "renaming %s", tmp);
	if (rc != 0)
		(void)unlink(tmp);
	else
		rc = file_sync_dir(path, err);
	free(tmp);
	return rc;
}

static int
make_one(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return file_sync_dir(path, err);
	if (errno != EEXIST)
		return err_sys(err, "making directory %s", path);
	if (stat(path, &st) != 0)
		return err_sys(err, "looking at %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s is not a directory", path);
	return 0;
}

int
file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy; rc == 0 && *p != '\0'; p++) {
		if (*p != '/' || p == copy || p[-1] == '/')
			continue;
		*p = '\0';
		rc = make_one(copy, mode, err);
		*p = '/';
	}
	if (rc == 0 && copy[0] != '\0' && copy[strlen(copy) - 1] != '/')
		rc = make_one(copy, mode, err);
	free(copy);
	return rc;
}

/* The folder of the running program, or "" when /proc does not say. */
static void
program_dir(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	out[n < 0 ? 0 : n] = '\0';
	slash = strrchr(out, '/');
	if (slash != NULL)
		*slash = '\0';
}

int
file_share(char *out, size_t size, const char *name, struct err *err)
{
	static const char *const places[] = {"../share/huifang", "../share", "../../share"};
	const char *given = getenv("HF_SHARE");
	char dir[PATH_MAX];

	if (given != NULL && given[0] != '\0') {
		if ((size_t)snprintf(out, size, "%s/%s", given, name) < size &&
		    access(out, F_OK) == 0)
			return 0;
		return err_set(err, ERR_NOT_FOUND, "no %s in HF_SHARE=%s", name, given);
	}
	program_dir(dir, sizeof(dir));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(out, size, "%s/%s/%s", dir, places[i], name);

		if (n > 0 && (size_t)n < size && access(out, F_OK) == 0)
			return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no shared file %s near %s", name, dir);
}
