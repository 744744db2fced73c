/* When the archive has a record: only then may outboxes and the queue store forget it.
 *
 * Happy path: entries gather in memory, become one file by write, fsync, rename and fsync of the
 * directory, and its outboxes' newest records may be called released. After a crash what was gathered is
 * read from the log again, and the newest segment's outboxes are said once more. A file that was not
 * renamed is overwritten. Failures: no room or no disk: nothing is released, the caller tries again; a
 * newest segment that does not verify: refused, for nothing may hang on it. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/recorder/archive.h"
#include "workers/recorder/segfile.h"
#include "workers/recorder/waiting.h"

#define WAIT_US 30000000LL /* unless archive_wait said otherwise */

struct archive {
	char dir[PATH_MAX - 64];
	name_t campaign;
	uint8_t sign_sk[SIGN_SK_LEN];
	struct waiting *waiting; /* borrowed */
	struct segfile newest;   /* number 0: none yet */
	struct buf pending;      /* entries */
	uint32_t count;
	struct log_id first, last; /* of pending; last also before it */
	int64_t wait_us;           /* how long the oldest entry waits for a segment */
	int64_t since;             /* BOOTTIME of the first of pending */
	struct map *at;            /* ob -> index + 1 into boxes */
	struct box *boxes;         /* owned: named by the segment */
	size_t n_boxes, cap, n_sealed;
};

static struct box *
box_of(struct archive *a, const uint8_t ob[16])
{
	uintptr_t at = (uintptr_t)map_get(a->at, ob, 16);
	struct box *box;

	if (at != 0)
		return &a->boxes[at - 1];
	if (a->n_boxes == a->cap) {
		a->cap = a->cap == 0 ? 64 : 2 * a->cap;
		a->boxes = xrealloc(a->boxes, a->cap, sizeof(*a->boxes));
	}
	box = &a->boxes[a->n_boxes++];
	*box = (struct box){0};
	memcpy(box->ob, ob, sizeof(box->ob));
	(void)map_put(a->at, ob, 16, (void *)(uintptr_t)a->n_boxes);
	return box;
}

/* A record moves its outbox on; one that cannot be read has no hash to release it by. */
static void
note_record(struct archive *a, const struct raw_entry *raw)
{
	struct log_entry e;
	struct frame f;
	struct box *box;

	if (log_entry_decode(&e, raw->id, raw->pair, raw->n, NULL) != 0 ||
	    strcmp(e.type, "record") != 0 || frame_decode(&f, e.f0, NULL) != 0 ||
	    f.kind != MSG_RECORD || (a->waiting != NULL && waiting_note(a->waiting, &f.u.record)))
		return;
	box = box_of(a, f.u.record.ob);
	if (f.u.record.seq <= box->upto)
		return;
	box->upto = f.u.record.seq;
	memcpy(box->h, f.u.record.h, sizeof(box->h));
}

/* ---- opening --------------------------------------------------------------------------------------- */

static void
path_of(const struct archive *a, uint64_t number, char *out, size_t size)
{
	snprintf(out, size, "%s/%012ju.seg", a->dir, (uintmax_t)number);
}

static int
newest_number(const struct archive *a, uint64_t *ret, struct err *err)
{
	DIR *d = opendir(a->dir);
	struct dirent *e;
	uint64_t n;

	if (d == NULL)
		return err_sys(err, "open the archive's directory");
	*ret = 0;
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len > 4 && strcmp(e->d_name + len - 4, ".seg") == 0 &&
		    text_to_u64(e->d_name, len - 4, &n) && n > *ret)
			*ret = n;
	}
	closedir(d);
	return 0;
}

static int
take_newest(struct archive *a, uint64_t number, struct span file, struct err *err)
{
	uint8_t pk[SIGN_PK_LEN];
	struct segfile_entry e;
	struct span rest;
	int rc;

	memcpy(pk, a->sign_sk + 32, sizeof(pk)); /* as libsodium keeps them */
	if (segfile_decode(&a->newest, file, err) != 0)
		return -1;
	if (a->newest.number != number || strcmp(a->newest.campaign, a->campaign) != 0 ||
	    !segfile_signed(&a->newest, pk))
		return err_set(err, ERR_CORRUPT,
		    "it is not what this recorder signed: run hf-recorder verify");
	rest = a->newest.entries;
	while ((rc = segfile_next(&rest, &e, err)) == 1)
		note_record(a, &e.raw);
	a->last = a->newest.last;
	a->n_sealed = a->n_boxes;
	a->newest.entries = span_of(NULL, 0);
	return rc;
}

static int
load_newest(struct archive *a, struct err *err)
{
	char path[PATH_MAX];
	struct buf file = BUF_INIT;
	uint64_t number = 0;
	int rc;

	if (newest_number(a, &number, err) != 0)
		return -1;
	if (number == 0)
		return 0;
	path_of(a, number, path, sizeof(path));
	rc = file_read(&file, path, SEGFILE_MAX, err);
	if (rc == 0)
		rc = file_sync_dir(path, err); /* the rename may be all that a crash left */
	if (rc == 0)
		rc = take_newest(a, number, buf_span(&file), err);
	buf_done(&file);
	return rc == 0 ? 0 : err_wrap(err, "segment %ju of the archive", (uintmax_t)number);
}

int
archive_open(struct archive **ret, const char *dir, const char *campaign, const uint8_t sign_sk[64],
    struct waiting *waiting, struct err *err)
{
	struct archive *a = xcalloc(1, sizeof(*a));

	a->wait_us = WAIT_US;
	a->at = map_create();
	a->waiting = waiting;
	snprintf(a->dir, sizeof(a->dir), "%s/records/%s", dir, campaign);
	snprintf(a->campaign, sizeof(a->campaign), "%s", campaign);
	memcpy(a->sign_sk, sign_sk, sizeof(a->sign_sk));
	if (file_mkdirs(a->dir, 0750, err) != 0 || load_newest(a, err) != 0) {
		archive_close(a);
		return -1;
	}
	*ret = a;
	return 0;
}

void
archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	crypt_wipe(a->sign_sk, sizeof(a->sign_sk));
	buf_done(&a->pending);
	map_destroy(a->at, NULL);
	free(a->boxes);
	free(a);
}

/* ---- adding ---------------------------------------------------------------------------------------- */

struct log_id
archive_read_upto(const struct archive *a)
{
	return a->last;
}

void
archive_wait(struct archive *a, int64_t us)
{
	a->wait_us = us;
}

struct log_id
archive_sealed_upto(const struct archive *a)
{
	return a->newest.last;
}

int
archive_add(struct archive *a, const struct raw_entry *raw, struct err *err)
{
	struct log_id at;

	CHECK(a->n_sealed == 0);
	if (!log_id_parse(raw->id, &at))
		return err_set(err, ERR_CORRUPT, "a log id does not read");
	if (at.epoch == a->last.epoch && at.no != a->last.no + 1)
		return err_set(err, ERR_STALE, "log entries after %ju-%ju are missing",
		    (uintmax_t)a->last.epoch, (uintmax_t)a->last.no);
	if (a->count++ == 0) {
		a->first = at;
		a->since = clock_boot_us();
	}
	a->last = at;
	segfile_entry(&a->pending, at, raw);
	note_record(a, raw);
	return 0;
}

bool
archive_full(const struct archive *a)
{
	return a->pending.len >= SEGFILE_BYTES - 80 * 1024;
}

bool
archive_due(const struct archive *a)
{
	return a->count > 0 && (archive_full(a) || clock_boot_us() - a->since >= a->wait_us);
}

int
archive_seal(struct archive *a, struct err *err)
{
	struct segfile s = {.number = a->newest.number + 1, .first = a->first, .last = a->last};
	struct buf file = BUF_INIT;
	char path[PATH_MAX];
	int rc;

	if (a->count == 0)
		return 0;
	memcpy(s.prev, a->newest.hash, sizeof(s.prev));
	memcpy(s.campaign, a->campaign, sizeof(s.campaign));
	s.count = a->count;
	s.entries = buf_span(&a->pending);
	segfile_encode(&file, &s, a->sign_sk);
	path_of(a, s.number, path, sizeof(path));
	rc = file_replace(path, buf_span(&file), 0440, err);
	buf_done(&file);
	if (rc != 0)
		return err_wrap(err, "archive");
	s.entries = span_of(NULL, 0);
	a->newest = s;
	a->n_sealed = a->n_boxes;
	a->count = 0;
	buf_clear(&a->pending);
	return 0;
}

struct box *
archive_sealed(struct archive *a, size_t *ret_n)
{
	*ret_n = a->n_sealed;
	return a->boxes;
}

void
archive_said(struct archive *a)
{
	map_destroy(a->at, NULL);
	a->at = map_create();
	a->n_boxes = a->n_sealed = 0;
}
