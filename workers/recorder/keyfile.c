/* What of a key file may be believed, and how it grows.
 *
 * Happy path: open, lock, read the head, append slots (write, fdatasync, new head, fdatasync).
 * Failures: a damaged head: all slots that fit up to the first that does not are taken; a damaged slot
 * is reported as such; any failed write or fsync closes the file for writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "workers/recorder/keyfile.h"

#define SLOT       128
#define AT_CAMP    8
#define AT_CASE    40
#define AT_SEALED  56
#define HEAD_BYTES 16
static const char magic[] = "hfkeys1\n";

struct keyfile {
	int fd;
	char *path;
	uint64_t count;
	bool broken;
};

static void
encode_head(uint8_t out[SLOT], uint64_t count)
{
	memset(out, 0, SLOT);
	memcpy(out, magic, 8);
	be64_put(out + 8, count);
	be32_put(out + HEAD_BYTES, crc32c(0, out, HEAD_BYTES));
}

static void
encode_slot(uint8_t out[SLOT], const struct keyslot *s)
{
	size_t len = strlen(s->campaign);

	CHECK(len <= NAME_MAX_LEN);
	memset(out, 0, SLOT);
	out[4] = (uint8_t)s->type;
	memcpy(out + AT_CAMP, s->campaign, len);
	memcpy(out + AT_CASE, s->case_id, sizeof(s->case_id));
	memcpy(out + AT_SEALED, s->sealed, sizeof(s->sealed));
	be32_put(out, crc32c(0, out + 4, SLOT - 4));
}

static void
decode_slot(struct keyslot *ret, const uint8_t in[SLOT])
{
	memset(ret, 0, sizeof(*ret));
	ret->type = KEYSLOT_DAMAGED;
	if (be32_get(in) != crc32c(0, in + 4, SLOT - 4) || in[4] < KEYSLOT_KEY ||
	    in[4] > KEYSLOT_BLANK)
		return;
	ret->type = (enum keyslot_type)in[4];
	memcpy(ret->campaign, in + AT_CAMP, NAME_MAX_LEN);
	memcpy(ret->case_id, in + AT_CASE, sizeof(ret->case_id));
	memcpy(ret->sealed, in + AT_SEALED, sizeof(ret->sealed));
}

/* 1 read, 0 the file ends before, -1. */
static int
read_at(struct keyfile *f, uint64_t index, uint8_t out[SLOT], struct err *err)
{
	size_t got = 0;

	while (got < SLOT) {
		ssize_t n = pread(f->fd, out + got, SLOT - got, (off_t)(index * SLOT + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "reading %s", f->path);
		if (n == 0)
			return 0;
		got += (size_t)n;
	}
	return 1;
}

static int
write_at(struct keyfile *f, uint64_t index, const uint8_t *data, size_t len, struct err *err)
{
	off_t at = (off_t)(index * SLOT);

	if (f->broken)
		return err_set(err, ERR_IO, "%s takes no more writes after a failure", f->path);
	while (len > 0) {
		ssize_t n = pwrite(f->fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			f->broken = true;
			return err_sys(err, "writing %s", f->path);
		}
		data += n;
		len -= (size_t)n;
		at += n;
	}
	if (fdatasync(f->fd) != 0) {
		f->broken = true;
		return err_sys(err, "fsync of %s", f->path);
	}
	return 0;
}

static int
read_head(struct keyfile *f, struct err *err)
{
	uint8_t b[SLOT];
	struct keyslot s = {0};
	int rc = read_at(f, 0, b, err);

	if (rc < 0)
		return -1;
	if (rc == 1 && memcmp(b, magic, 8) == 0 &&
	    be32_get(b + HEAD_BYTES) == crc32c(0, b, HEAD_BYTES)) {
		f->count = be64_get(b + 8);
		return 0;
	}
	for (f->count = 0;; f->count++) {
		rc = read_at(f, f->count + 1, b, err);
		if (rc < 0)
			return -1;
		if (rc == 1)
			decode_slot(&s, b);
		if (rc == 0 || s.type == KEYSLOT_DAMAGED)
			break;
	}
	encode_head(b, f->count);
	return write_at(f, 0, b, SLOT, err);
}

static int
create(const char *path, struct err *err)
{
	uint8_t head[SLOT];
	struct stat st;

	if (stat(path, &st) == 0 && st.st_size > 0)
		return 0;
	encode_head(head, 0);
	return file_replace(path, span_of(head, sizeof(head)), 0600, err);
}

static int
lock(struct keyfile *f, bool wait, struct err *err)
{
	int rc;

	do
		rc = flock(f->fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	while (rc != 0 && errno == EINTR && wait);
	if (rc != 0 && errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY, "%s is in use", f->path);
	return rc == 0 ? 0 : err_sys(err, "locking %s", f->path);
}

int
keyfile_open(struct keyfile **ret, const char *path, bool wait, struct err *err)
{
	struct keyfile *f;

	if (create(path, err) != 0)
		return -1;
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0)
		(void)err_sys(err, "opening %s", path);
	if (f->fd < 0 || lock(f, wait, err) != 0 || read_head(f, err) != 0) {
		keyfile_close(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void
keyfile_close(struct keyfile *f)
{
	if (f == NULL)
		return;
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f->path);
	free(f);
}

uint64_t
keyfile_count(const struct keyfile *f)
{
	return f->count;
}

bool
keyfile_ok(const struct keyfile *f)
{
	return !f->broken;
}

int
keyfile_read(struct keyfile *f, uint64_t at, struct keyslot *ret, struct err *err)
{
	uint8_t b[SLOT];
	int rc;

	CHECK(at < f->count);
	rc = read_at(f, at + 1, b, err);
	if (rc < 0)
		return -1;
	memset(ret, 0, sizeof(*ret));
	ret->type = KEYSLOT_DAMAGED;
	if (rc == 1)
		decode_slot(ret, b);
	return 0;
}

int
keyfile_append(struct keyfile *f, const struct keyslot *slots, size_t n, struct err *err)
{
	uint8_t head[SLOT];
	uint8_t *bytes;
	int rc;

	if (n == 0)
		return 0;
	bytes = xcalloc(n, SLOT);
	for (size_t i = 0; i < n; i++)
		encode_slot(bytes + i * SLOT, &slots[i]);
	encode_head(head, f->count + n);
	rc = write_at(f, f->count + 1, bytes, n * SLOT, err);
	if (rc == 0)
		rc = write_at(f, 0, head, SLOT, err);
	if (rc == 0)
		f->count += n;
	free(bytes);
	return rc;
}

int
keyfile_put(struct keyfile *f, uint64_t at, const struct keyslot *slot, struct err *err)
{
	uint8_t b[SLOT];

	CHECK(at < f->count);
	encode_slot(b, slot);
	return write_at(f, at + 1, b, SLOT, err);
}
