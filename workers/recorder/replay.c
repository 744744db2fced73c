/* What of the archive comes after an entry.
 *
 * Happy path: segment by segment from number 1, each checked (signature, place, the hash of the one before), its
 * entries handed out in order. Failures: a missing or damaged segment ends it, since whatever came after a hole
 * would be recorded without what was before. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/recorder/replay.h"
#include "workers/recorder/segfile.h"

struct replay {
	char dir[PATH_MAX - 32];
	name_t campaign;
	uint8_t pk[SIGN_PK_LEN];
	uint64_t newest;
	struct log_id end;
	struct segfile at; /* the open one; number 0: none yet */
	struct buf file;
	struct span rest;
	struct segfile_entry *entry; /* owned */
	struct raw_entry *raw;       /* owned */
	size_t room;
};

static int
find_newest(struct replay *r, struct err *err)
{
	DIR *d = opendir(r->dir);
	struct dirent *e;
	uint64_t n;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "open the archive's directory");
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len > 4 && strcmp(e->d_name + len - 4, ".seg") == 0 &&
		    text_to_u64(e->d_name, len - 4, &n) && n > r->newest)
			r->newest = n;
	}
	closedir(d);
	return 0;
}

static int
read_segment(struct replay *r, uint64_t number, struct segfile *ret, struct err *err)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/%012ju.seg", r->dir, (uintmax_t)number);
	buf_clear(&r->file);
	rc = file_read(&r->file, path, SEGFILE_MAX, err);
	if (rc == 0)
		rc = segfile_decode(ret, buf_span(&r->file), err);
	if (rc == 0 && (ret->number != number || strcmp(ret->campaign, r->campaign) != 0 ||
	                   !segfile_signed(ret, r->pk)))
		rc = err_set(err, ERR_CORRUPT, "it is not what this recorder signed");
	return rc == 0 ? 0 : err_wrap(err, "segment %ju of the archive", (uintmax_t)number);
}

int
replay_open(struct replay **ret, const char *dir, const char *campaign, const uint8_t sign_pk[32],
    struct err *err)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	struct segfile newest;

	snprintf(r->dir, sizeof(r->dir), "%s/records/%s", dir, campaign);
	snprintf(r->campaign, sizeof(r->campaign), "%s", campaign);
	memcpy(r->pk, sign_pk, sizeof(r->pk));
	if (find_newest(r, err) != 0 ||
	    (r->newest > 0 && read_segment(r, r->newest, &newest, err) != 0)) {
		replay_close(r);
		return -1;
	}
	if (r->newest > 0)
		r->end = newest.last;
	*ret = r;
	return 0;
}

void
replay_close(struct replay *r)
{
	if (r == NULL)
		return;
	buf_done(&r->file);
	free(r->entry);
	free(r->raw);
	free(r);
}

struct log_id
replay_end(const struct replay *r)
{
	return r->end;
}

static int
next_segment(struct replay *r, struct err *err)
{
	struct segfile s;

	if (read_segment(r, r->at.number + 1, &s, err) != 0)
		return -1;
	if (r->at.number > 0 && memcmp(s.prev, r->at.hash, HASH_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "segment %ju of the archive does not follow the one before",
		    (uintmax_t)s.number);
	r->rest = s.entries;
	r->at = s;
	return 0;
}

int
replay_read(struct replay *r, struct log_id after, size_t max, const struct raw_entry **ret,
    size_t *ret_n, struct err *err)
{
	size_t n = 0;
	int rc = 0;

	if (r->room < max) {
		r->entry = xrealloc(r->entry, max, sizeof(*r->entry));
		r->raw = xrealloc(r->raw, max, sizeof(*r->raw));
		r->room = max;
	}
	while (n == 0) {
		while (n < max && (rc = segfile_next(&r->rest, &r->entry[n], err)) == 1) {
			if (log_id_cmp(r->entry[n].at, after) <= 0)
				continue;
			/* the entry's own views point into itself, which stays where it is */
			r->raw[n] = (struct raw_entry){
			    span_str(r->entry[n].id), r->entry[n].pair, r->entry[n].raw.n};
			n++;
		}
		if (rc < 0)
			return -1;
		if (n > 0 || r->at.number >= r->newest)
			break;
		if (next_segment(r, err) != 0)
			return -1;
	}
	*ret = r->raw;
	*ret_n = n;
	return 0;
}
