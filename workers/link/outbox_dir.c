/* outbox_dir.c - the files of an outbox: found, read, begun, put aside.
 *
 * DIR/outbox.lock is locked while a process has the outbox; DIR/outbox/ holds <16 hex>.seg, numbered
 * without gaps. A new file is written under another name, synced, renamed, and its directory synced,
 * so that a file that is there is whole up to its first frame.
 * Failures: a torn last frame of the last file is cut off; any other damage puts the directory aside
 * as outbox.quarantined-<time> and begins a new outbox; an I/O error ends the opening, since a disk
 * that answers later may still hold everything. */
#include "workers/link/outbox_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"

static char *
segment_path(const char *dir, uint64_t segno)
{
	return xasprintf("%s/%016" PRIx64 ".seg", dir, segno);
}

int
outbox_dir_lock(struct outbox *o, struct err *err)
{
	char *path = xasprintf("%s/outbox.lock", o->dir);
	int rc = 0;

	o->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->lock_fd < 0)
		rc = err_sys(err, "opening %s", path);
	else if (flock(o->lock_fd, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK ? err_set(err, ERR_BUSY, "another process has it open")
		                          : err_sys(err, "locking %s", path);
	free(path);
	return rc;
}

void
outbox_dir_close(struct outbox *o)
{
	if (o->fd >= 0)
		(void)close(o->fd);
	o->fd = -1;
	free(o->segs);
	o->segs = NULL;
	o->n_segs = 0;
}

/* ---- writing a new file -------------------------------------------------------------------------- */

static void
push_segment(struct outbox *o, uint64_t segno)
{
	o->segs = xrealloc(o->segs, o->n_segs + 1, sizeof(struct outbox_segment));
	o->segs[o->n_segs++] = (struct outbox_segment){segno, fold_head(&o->fold)};
}

static int
write_synced(const char *path, struct span data, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "creating %s", path);
	if (file_write_all(fd, data, err) != 0 || (fsync(fd) != 0 && err_sys(err, "fsync") != 0)) {
		(void)close(fd);
		(void)unlink(path);
		return err_wrap(err, "%s", path);
	}
	*ret_fd = fd;
	return 0;
}

/* Segment `segno` in dir: a snapshot of the fold. */
static int
begin_segment(const char *dir, const struct fold *f, uint64_t segno, int *ret_fd, size_t *ret_size,
    struct err *err)
{
	char *path = segment_path(dir, segno), *tmp = xasprintf("%s.tmp", path);
	struct buf entries = BUF_INIT, file = BUF_INIT;
	int fd = -1, rc;

	fold_put_snapshot(&entries, f, segno);
	buf_add(&file, SEGMENT_MAGIC, SEGMENT_MAGIC_LEN);
	segment_frames(&file, buf_span(&entries));
	rc = write_synced(tmp, buf_span(&file), &fd, err);
	if (rc == 0 && rename(tmp, path) != 0) {
		rc = err_sys(err, "renaming %s", tmp);
		(void)unlink(tmp);
	}
	if (rc == 0 && (rc = file_sync_dir(path, err)) != 0)
		(void)unlink(path);
	if (rc == 0) {
		*ret_fd = fd;
		*ret_size = file.len;
	} else if (fd >= 0) {
		(void)close(fd);
	}
	crypt_wipe(entries.data, entries.len);
	crypt_wipe(file.data, file.len);
	buf_done(&entries);
	buf_done(&file);
	free(tmp);
	free(path);
	return rc;
}

int
outbox_dir_rotate(struct outbox *o, struct err *err)
{
	uint64_t segno = o->segs[o->n_segs - 1].segno + 1;
	size_t size;
	int fd;

	if (begin_segment(o->path, &o->fold, segno, &fd, &size, err) != 0)
		return -1;
	(void)close(o->fd);
	o->fd = fd;
	o->size = o->snapshot = size;
	o->fold.segno = segno;
	push_segment(o, segno);
	return 0;
}

/* Removes what a crash left of an outbox that was never finished. */
static int
remove_unfinished(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "opening %s", dir);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) != 0)
			rc = err_sys(err, "removing %s/%s", dir, e->d_name);
	}
	(void)closedir(d);
	if (rc == 0 && rmdir(dir) != 0)
		rc = err_sys(err, "removing %s", dir);
	return rc;
}

/* A new outbox: made beside, then renamed into its place. */
static int
create(struct outbox *o, const char *campaign, struct err *err)
{
	char *dir = xasprintf("%s/outbox.new", o->dir);
	int fd = -1, rc;

	fold_done(&o->fold);
	fold_init(&o->fold);
	crypt_random(o->fold.ob, 16);
	CHECK(strlen(campaign) < sizeof(o->fold.campaign));
	memcpy(o->fold.campaign, campaign, strlen(campaign) + 1);
	rc = remove_unfinished(dir, err);
	if (rc == 0 && mkdir(dir, 0700) != 0)
		rc = err_sys(err, "making %s", dir);
	if (rc == 0)
		rc = begin_segment(dir, &o->fold, 1, &fd, &o->size, err);
	if (rc == 0 && rename(dir, o->path) != 0)
		rc = err_sys(err, "renaming %s", dir);
	if (rc == 0)
		rc = file_sync_dir(o->path, err);
	free(dir);
	if (rc != 0) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	o->fd = fd;
	o->snapshot = o->size;
	o->fold.opened = true;
	o->fold.segno = 1;
	push_segment(o, 1);
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static int
by_segno(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers of the files, rising. Unfinished ones go; what is not ours is left alone. */
static int
list_segments(const char *dir, uint64_t **ret, size_t *ret_n, struct err *err)
{
	DIR *d = opendir(dir);
	uint64_t *nos = NULL;
	struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		return err_sys(err, "opening %s", dir);
	while ((e = readdir(d)) != NULL) {
		uint64_t no;
		int used = 0;

		if (sscanf(e->d_name, "%16" SCNx64 ".seg%n", &no, &used) != 1 || used != 20)
			continue;
		if (strcmp(e->d_name + used, ".tmp") == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
		if (e->d_name[used] != '\0')
			continue;
		nos = xrealloc(nos, n + 1, sizeof(uint64_t));
		nos[n++] = no;
	}
	(void)closedir(d);
	if (n > 0)
		qsort(nos, n, sizeof(uint64_t), by_segno);
	*ret = nos;
	*ret_n = n;
	return 0;
}

static int
read_file(int fd, struct buf *out, const char *path, struct err *err)
{
	struct stat st;
	size_t len;

	if (fstat(fd, &st) != 0)
		return err_sys(err, "looking at %s", path);
	if (st.st_size > SEGMENT_FILE_MAX)
		return err_set(err, ERR_CORRUPT, "%s is too long", path);
	/* After a failed sync the cache may hold what the disk does not. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	len = (size_t)st.st_size;
	while (out->len < len) {
		uint8_t chunk[65536];
		size_t want = len - out->len < sizeof(chunk) ? len - out->len : sizeof(chunk);
		ssize_t n = read(fd, chunk, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_sys(err, "reading %s", path)
			             : err_set(err, ERR_IO, "%s became shorter", path);
		buf_add(out, chunk, (size_t)n);
	}
	return 0;
}

/* Folds one file; the last one stays open and loses a torn tail. */
static int
load_segment(
    struct outbox *o, uint64_t segno, bool last, struct outbox_report *rep, struct err *err)
{
	char *path = segment_path(o->path, segno);
	int rc = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct buf file = BUF_INIT;
	struct segment_reader r;
	struct entry e;

	if (fd < 0)
		rc = err_sys(err, "opening %s", path);
	else
		rc = read_file(fd, &file, path, err);
	if (rc == 0) {
		r = segment_open(buf_span(&file));
		while (rc == 0 && segment_next(&r, &e))
			rc = fold_entry(&o->fold, &e, segno, err);
		if (rc == 0 && (r.end == SEGMENT_DAMAGED || (r.end == SEGMENT_TORN && !last)))
			rc = err_set(err, ERR_CORRUPT, "damage behind byte %zu", r.good);
		else if (rc == 0 && (!o->fold.opened || o->fold.segno != segno))
			rc = err_set(err, ERR_CORRUPT, "no beginning");
		if (rc != 0)
			(void)err_wrap(err, "%s", path);
	}
	if (rc == 0 && r.end == SEGMENT_TORN) {
		rep->cut = file.len - r.good;
		if (ftruncate(fd, (off_t)r.good) != 0 || fsync(fd) != 0)
			rc = err_sys(err, "cutting %s", path);
	}
	if (rc == 0)
		push_segment(o, segno);
	if (rc == 0 && last) {
		o->size = o->snapshot = r.good;
		o->fd = fd;
		fd = -1;
	}
	if (fd >= 0)
		(void)close(fd);
	if (file.data != NULL)
		crypt_wipe(file.data, file.len);
	buf_done(&file);
	free(path);
	return rc;
}

static int
load(struct outbox *o, const char *campaign, struct outbox_report *rep, struct err *err)
{
	uint64_t *nos = NULL;
	size_t n = 0;
	int rc = list_segments(o->path, &nos, &n, err);

	if (rc == 0 && n == 0)
		rc = err_set(err, ERR_CORRUPT, "%s holds no segment", o->path);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = load_segment(o, nos[i], i == n - 1, rep, err);
		/* A directory of another campaign is a mistake, not damage. */
		if (rc == 0 && strcmp(o->fold.campaign, campaign) != 0)
			rc = err_set(err, ERR_INVALID, "it belongs to campaign %s, not %s",
			    o->fold.campaign, campaign);
	}
	free(nos);
	if (rc == 0)
		fold_settle(&o->fold);
	return rc;
}

int
outbox_dir_load(struct outbox *o, const char *campaign, struct outbox_report *rep, struct err *err)
{
	struct err why = ERR_INIT;

	if (access(o->path, F_OK) != 0 && errno == ENOENT) {
		rep->created = true;
		return create(o, campaign, err);
	}
	if (load(o, campaign, rep, &why) == 0)
		return 0;
	if (why.code != ERR_CORRUPT)
		return err_set(err, why.code, "%s", why.text);
	if (outbox_dir_replace(o, "quarantined", campaign, rep, err) != 0)
		return -1;
	(void)snprintf(rep->why, sizeof(rep->why), "%s", why.text);
	return 0;
}

int
outbox_dir_replace(struct outbox *o, const char *word, const char *campaign,
    struct outbox_report *rep, struct err *err)
{
	struct civil t = clock_civil(clock_wall_ms());
	char when[32], *to = NULL;
	int rc = -1;

	outbox_dir_close(o);
	(void)snprintf(when, sizeof(when), "%04d%02d%02dT%02d%02d%02d", t.year, t.month, t.day,
	    t.hour, t.minute, t.second);
	for (int i = 1; i <= 100 && rc != 0; i++) {
		free(to);
		to = i == 1 ? xasprintf("%s.%s-%s", o->path, word, when)
		            : xasprintf("%s.%s-%s-%d", o->path, word, when, i);
		if (access(to, F_OK) == 0)
			continue;
		rc = rename(o->path, to);
		if (rc != 0)
			break;
	}
	if (rc != 0) {
		rc = err_sys(err, "putting %s aside", o->path);
	} else {
		rc = file_sync_dir(o->path, err);
		(void)snprintf(rep->kept_as, sizeof(rep->kept_as), "%s", to);
		rep->created = true;
		rep->cut = 0;
	}
	free(to);
	return rc == 0 ? create(o, campaign, err) : -1;
}

int
outbox_dir_unlink_oldest(struct outbox *o, struct err *err)
{
	char *path = segment_path(o->path, o->segs[0].segno);
	int rc = unlink(path) == 0 ? file_sync_dir(path, err) : err_sys(err, "removing %s", path);

	free(path);
	if (rc != 0)
		return -1;
	o->n_segs--;
	memmove(o->segs, o->segs + 1, o->n_segs * sizeof(struct outbox_segment));
	return 0;
}

int
outbox_dir_read(
    struct outbox *o, uint64_t segno, size_t at, size_t len, struct buf *out, struct err *err)
{
	bool newest = segno == o->segs[o->n_segs - 1].segno;
	char *path = segment_path(o->path, segno);
	int fd = newest ? o->fd : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	uint8_t *room = xmalloc(len + 1);
	size_t got = 0;

	if (fd < 0)
		rc = err_sys(err, "opening %s", path);
	while (rc == 0 && got < len) {
		ssize_t n = pread(fd, room + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			rc = n < 0 ? err_sys(err, "reading %s", path)
			           : err_set(err, ERR_CORRUPT, "%s is too short", path);
		else
			got += (size_t)n;
	}
	if (rc == 0)
		buf_add(out, room, len);
	if (!newest && fd >= 0)
		(void)close(fd);
	free(room);
	free(path);
	return rc;
}
