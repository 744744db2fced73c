/* outbox.c - what is added, and the moment when it becomes true.
 *
 * Happy path: entries collect in `pend`; a commit writes them as one frame, syncs, and folds them
 * into the state. Failures: no room: the file is cut back to its old length, what was pending is
 * dropped, the outbox goes on. A failed sync, or a cut that fails: read-only until restart.
 * Afterwards it tidies: a full file is followed by a new one, and files whose records are all
 * released go, their senders' ids having been carried over. Tidying that fails is tried again. */
#include "workers/link/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "proto/chain.h"
#include "workers/link/outbox_int.h"

static void
drop_pending(struct outbox *o)
{
	if (o->pend.data != NULL)
		crypt_wipe(o->pend.data, o->pend.len);
	buf_clear(&o->pend);
	o->urgent = false;
	o->n_pend_ids = 0;
	o->tip = fold_head(&o->fold);
	CHECK(fold_hash_at(&o->fold, o->tip, o->tip_h));
}

static void
outbox_free(struct outbox *o)
{
	outbox_dir_close(o);
	if (o->lock_fd >= 0)
		(void)close(o->lock_fd);
	fold_done(&o->fold);
	buf_done(&o->pend);
	free(o->pend_ids);
	free(o->dir);
	free(o->path);
	free(o);
}

int
outbox_open(struct outbox **ret, const char *dir, const char *campaign,
    struct outbox_report *report, struct err *err)
{
	struct outbox *o = xcalloc(1, sizeof(*o));
	struct outbox_report unused;

	if (report == NULL)
		report = &unused;
	memset(report, 0, sizeof(*report));
	o->lock_fd = o->fd = -1;
	o->dir = xstrdup(dir);
	o->path = xasprintf("%s/outbox", dir);
	fold_init(&o->fold);
	if (outbox_dir_lock(o, err) != 0 || outbox_dir_load(o, campaign, report, err) != 0) {
		outbox_free(o);
		return err_wrap(err, "outbox in %s", dir);
	}
	drop_pending(o);
	*ret = o;
	return 0;
}

void
outbox_close(struct outbox *o)
{
	if (o == NULL)
		return;
	(void)outbox_commit(o, NULL);
	outbox_free(o);
}

int
outbox_retire(struct outbox *o, const char *word, struct outbox_report *report, struct err *err)
{
	char campaign[NAME_MAX_LEN + 1];

	memcpy(campaign, o->fold.campaign, sizeof(campaign));
	memset(report, 0, sizeof(*report));
	if (outbox_dir_replace(o, word, campaign, report, err) != 0) {
		o->poisoned = true;
		return err_wrap(err, "outbox in %s", o->dir);
	}
	drop_pending(o);
	return 0;
}

/* ---- questions ----------------------------------------------------------------------------------- */

const char *
outbox_dir(const struct outbox *o)
{
	return o->dir;
}

const uint8_t *
outbox_id(const struct outbox *o)
{
	return o->fold.ob;
}

const struct fold *
outbox_state(const struct outbox *o)
{
	return &o->fold;
}

uint64_t
outbox_tip(const struct outbox *o, uint8_t ret_h[32])
{
	memcpy(ret_h, o->tip_h, 32);
	return o->tip;
}

bool
outbox_find_id(const struct outbox *o, const uint8_t id[16], uint64_t *ret_seq)
{
	for (size_t i = 0; i < o->n_pend_ids; i++) {
		if (memcmp(o->pend_ids[i].id, id, 16) != 0)
			continue;
		*ret_seq = o->pend_ids[i].seq;
		return true;
	}
	return fold_find_id(&o->fold, id, ret_seq);
}

bool
outbox_needs_commit(const struct outbox *o)
{
	return o->urgent;
}

bool
outbox_has_news(const struct outbox *o)
{
	return o->pend.len > 0;
}

int
outbox_read(
    struct outbox *o, uint64_t seq, struct buf *store, struct fold_stored *ret, struct err *err)
{
	const struct fold_record *r = fold_record(&o->fold, seq);

	if (r == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "record %llu is not kept", (unsigned long long)seq);
	buf_clear(store);
	if (outbox_dir_read(o, r->segno, r->at, r->len, store, err) != 0 ||
	    fold_get_record(ret, buf_span(store), err) != 0)
		return err_wrap(err, "record %llu", (unsigned long long)seq);
	if (ret->seq != seq || memcmp(ret->h, r->h, 32) != 0)
		return err_set(
		    err, ERR_CORRUPT, "record %llu changed on the disk", (unsigned long long)seq);
	return 0;
}

/* ---- adding -------------------------------------------------------------------------------------- */

int
outbox_add_record(struct outbox *o, const struct fold_stored *r, struct err *err)
{
	uint8_t h[32], bc[32];

	if (o->poisoned)
		return err_set(err, ERR_IO, "outbox is read-only until restart");
	if (o->pend.len > OUTBOX_PEND_MAX)
		return err_set(err, ERR_BUSY, "too much at once");
	chain_body_hash(bc, r->body);
	chain_next(h, o->tip_h, o->fold.ob, r->seq, r->header, bc);
	CHECK(r->seq == o->tip + 1 && memcmp(h, r->h, 32) == 0);
	fold_put_record(&o->pend, r);
	o->tip++;
	memcpy(o->tip_h, h, 32);
	if (o->n_pend_ids == o->cap_pend_ids) {
		o->cap_pend_ids = o->cap_pend_ids != 0 ? o->cap_pend_ids * 2 : 16;
		o->pend_ids = xrealloc(o->pend_ids, o->cap_pend_ids, sizeof(struct outbox_pend));
	}
	memcpy(o->pend_ids[o->n_pend_ids].id, r->id, 16);
	o->pend_ids[o->n_pend_ids++].seq = r->seq;
	o->urgent = true;
	return 0;
}

void
outbox_add_hold(struct outbox *o, const struct hold *h)
{
	fold_put_hold(&o->pend, h);
	o->urgent = true;
}

void
outbox_end_hold(struct outbox *o, const uint8_t case_id[16], uint64_t token)
{
	fold_put_hold_end(&o->pend, case_id, token, o->tip);
}

void
outbox_add_next_no(struct outbox *o, const char *person, uint64_t next_no)
{
	fold_put_next_no(&o->pend, person, next_no);
	o->urgent = true;
}

void
outbox_add_campaign_key(struct outbox *o, const uint8_t key[32])
{
	if (o->fold.has_key && memcmp(o->fold.campaign_key, key, 32) == 0)
		return;
	memcpy(o->fold.campaign_key, key, 32);
	o->fold.has_key = true;
	fold_put_key(&o->pend, key);
}

void
outbox_add_mark(struct outbox *o, const struct fold_marking *m)
{
	struct buf one = BUF_INIT;
	struct segment_reader r;
	struct entry e;

	if (m->upto > fold_head(&o->fold) ||
	    (m->upto <= o->fold.mark[m->which].upto && m->verdict == FOLD_UNKNOWN))
		return;
	fold_put_mark(&one, m);
	r = (struct segment_reader){.file = buf_span(&one), .frame_end = one.len};
	CHECK(segment_next(&r, &e) == 1);
	if (fold_entry(&o->fold, &e, o->fold.segno, NULL) == 0)
		buf_add(&o->pend, one.data, one.len);
	buf_done(&one);
}

/* ---- committing ---------------------------------------------------------------------------------- */

static int
write_at(int fd, struct span data, size_t at, struct err *err)
{
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_sys(err, "seeking");
	return file_write_all(fd, data, err);
}

/* After a failed write nothing of it may be found again. */
static void
cut_back(struct outbox *o)
{
	if (ftruncate(o->fd, (off_t)o->size) != 0)
		o->poisoned = true;
}

static int
write_frames(struct outbox *o, struct span frames, struct err *err)
{
	if (write_at(o->fd, frames, o->size, err) != 0) {
		cut_back(o);
		return err_wrap(err, "nothing was stored");
	}
	if (fdatasync(o->fd) != 0) {
		(void)err_sys(err, "fdatasync");
		cut_back(o);
		o->poisoned = true;
		if (err != NULL)
			err->code = ERR_IO;
		return err_wrap(err, "nothing was stored, read-only until restart");
	}
	return 0;
}

static void
fold_frames(struct outbox *o, struct span frames)
{
	struct segment_reader r = segment_open_frames(frames);
	struct entry e;

	while (segment_next(&r, &e)) {
		e.at += o->size;
		CHECK(fold_entry(&o->fold, &e, o->fold.segno, NULL) == 0);
	}
	CHECK(r.end == SEGMENT_CLEAN);
}

static int
commit_pending(struct outbox *o, struct err *err)
{
	struct buf frames = BUF_INIT;
	int rc = 0;

	if (o->poisoned)
		rc = err_set(err, ERR_IO, "outbox is read-only until restart");
	if (rc == 0) {
		segment_frames(&frames, buf_span(&o->pend));
		rc = write_frames(o, buf_span(&frames), err);
	}
	if (rc == 0) {
		fold_frames(o, buf_span(&frames));
		o->size += frames.len;
		o->segs[o->n_segs - 1].last_seq = fold_head(&o->fold);
	}
	if (frames.data != NULL)
		crypt_wipe(frames.data, frames.len);
	buf_done(&frames);
	drop_pending(o);
	return rc;
}

/* The ids that are written down in the oldest file only, into the newest one. */
static int
carry_ids(struct outbox *o, struct err *err)
{
	uint64_t segno = o->segs[0].segno;
	const struct fold_id **ids;
	size_t n = 0;

	ids = xcalloc(o->fold.n_ids + 1, sizeof(*ids));
	for (size_t i = o->fold.id_first; i < o->fold.n_ids; i++)
		if (o->fold.id_order[i]->segno == segno)
			ids[n++] = o->fold.id_order[i];
	if (n > 0)
		fold_put_ids(&o->pend, ids, n);
	free(ids);
	return n > 0 ? commit_pending(o, err) : 0;
}

static void
tidy(struct outbox *o)
{
	uint64_t released = o->fold.mark[MARK_RELEASED].upto;
	uint64_t heard =
	    o->fold.mark[MARK_ACCEPTED].upto; /* or its verdict could not be asked for */
	size_t full = OUTBOX_SEGMENT > 2 * o->snapshot ? OUTBOX_SEGMENT : 2 * o->snapshot;

	if (released == fold_head(&o->fold) && full > OUTBOX_TIDY + 2 * o->snapshot)
		full = OUTBOX_TIDY + 2 * o->snapshot;
	if (o->size >= full && outbox_dir_rotate(o, NULL) != 0)
		return;
	while (o->n_segs > 1 && o->segs[0].last_seq <= (released < heard ? released : heard)) {
		uint64_t last = o->segs[0].last_seq;

		if (carry_ids(o, NULL) != 0 || outbox_dir_unlink_oldest(o, NULL) != 0)
			return;
		fold_forget(&o->fold, last);
	}
}

int
outbox_commit(struct outbox *o, struct err *err)
{
	if (o->pend.len == 0)
		return 0;
	if (commit_pending(o, err) != 0)
		return -1;
	tidy(o);
	return 0;
}
