/* When a record is released.
 *
 * Happy path: read the log from where the archive ends up to what PostgreSQL has committed, seal a segment
 * when it is full or old enough, then mark its outboxes as released; evidence is moved beside the segments, and
 * records that name it are released when it is there. The archive's own end is its cursor.
 * Failures: an archive that cannot be opened or written, or whose next entries the log has not any more:
 * nothing is released, settling goes on; a lost queue store: the recorder's session ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "workers/recorder/archive.h"
#include "workers/recorder/release.h"
#include "workers/recorder/waiting.h"

#define READ_MAX     200
#define AGAIN_US     5000000LL
#define REPEAT_US    60000000LL
#define MARKS_A_CALL 200
#define FILES_US     1000000LL
#define STALE_MS     (24 * 3600 * 1000LL)

struct release {
	const struct recorder_opts *o;
	name_t campaign;
	struct waiting *waiting; /* with the archive */
	struct archive *archive; /* NULL: none, look again at next_try */
	int64_t files_at;        /* when evidence is looked for next */
	int64_t next_try, said_at;
	bool said;
};

struct release *
release_create(const struct recorder_opts *o, const char *campaign)
{
	struct release *r = xcalloc(1, sizeof(*r));

	r->o = o;
	snprintf(r->campaign, sizeof(r->campaign), "%s", campaign);
	return r;
}

void
release_destroy(struct release *r)
{
	if (r == NULL)
		return;
	archive_close(r->archive);
	waiting_close(r->waiting);
	free(r);
}

static void
trouble(struct release *r, const struct err *err)
{
	int64_t now = clock_boot_us();

	archive_close(r->archive);
	waiting_close(r->waiting);
	r->archive = NULL;
	r->waiting = NULL;
	r->next_try = now + AGAIN_US;
	if (r->said && now - r->said_at < REPEAT_US)
		return;
	r->said = true;
	r->said_at = now;
	log_error("archive.stopped",
	    "campaign=%s cause=\"%s\" hint=\"nothing is released until then\"", r->campaign,
	    err->text);
}

/* One disk must not hold both the stores and what they are rebuilt from, unless somebody wants that. */
static int
check_device(const struct release *r, struct err *err)
{
	const struct home *h = r->o->home;
	bool beside;

	if (file_mkdirs(h->archive, 0750, err) != 0 ||
	    home_archive_beside(h, h->dir, &beside, err) != 0)
		return -1;
	if (!beside)
		return 0;
	if (!r->o->same_device)
		return err_set(err, ERR_DENIED,
		    "the archive lies on the device of the installation: set archive in "
		    "env.conf, or archive_same_device = true in recorder.conf");
	log_warn("archive.same_device",
	    "campaign=%s hint=\"one disk holds the stores and the archive\"", r->campaign);
	return 0;
}

static bool
ready(struct release *r)
{
	struct err err = ERR_INIT;

	if (r->archive != NULL)
		return true;
	if (clock_boot_us() < r->next_try)
		return false;
	if (check_device(r, &err) != 0 ||
	    waiting_open(&r->waiting, r->o->home->archive, r->campaign, &err) != 0 ||
	    archive_open(&r->archive, r->o->home->archive, r->campaign, r->o->sign_sk, r->waiting,
	        &err) != 0) {
		trouble(r, &err);
		return false;
	}
	archive_wait(r->archive, r->o->archive_wait_us);
	if (r->said)
		log_info("archive.again", "campaign=%s", r->campaign);
	r->said = false;
	return true;
}

static int
send_marks(struct source *s, const struct book *book, size_t *n, struct err *err)
{
	if (*n == 0)
		return 0;
	*n = 0;
	return source_mark_send(s, book->saved, err);
}

/* Only what this queue store has: another epoch's outbox says HELLO first. */
static int
say_boxes(struct release *r, struct source *s, const struct book *book, const struct box *box,
    size_t n, struct err *err)
{
	size_t marks = 0;
	uint64_t upto, settled;

	for (size_t i = 0; i < n; i++) {
		if (source_box(s, box[i].ob, &upto, &settled, err) != 0)
			return -1;
		if (upto < box[i].upto)
			continue;
		if (marks == 0)
			source_mark_begin(s, book->saved.epoch);
		source_mark(s, LEVEL_RELEASED, &box[i], book->incarnation, r->o->sign_sk);
		if (++marks == MARKS_A_CALL && send_marks(s, book, &marks, err) != 0)
			return -1;
	}
	return send_marks(s, book, &marks, err);
}

/* What is sealed and waits for nothing, and what has waited long enough. -1 with ret_lost: the queue store. */
static int
say_released(
    struct release *r, struct source *s, const struct book *book, bool *ret_lost, struct err *err)
{
	size_t n, waited;
	const struct box *box = archive_sealed(r->archive, &n), *more;

	if (waiting_save(r->waiting, err) != 0)
		return -1;
	more = waiting_settle(r->waiting, &waited);
	if (say_boxes(r, s, book, box, n, err) != 0 ||
	    say_boxes(r, s, book, more, waited, err) != 0) {
		*ret_lost = true;
		return -1;
	}
	if (n > 0)
		archive_said(r->archive);
	return waiting_save(r->waiting, err);
}

/* ---- evidence ------------------------------------------------------------------------------------- */

static int
move_file(
    struct release *r, struct source *s, const uint8_t hash[32], bool *ret_lost, struct err *err)
{
	struct buf sealed = BUF_INIT;
	struct err why = ERR_INIT;
	uint64_t size;
	int rc = source_file(s, hash, &sealed, err);

	if (rc != 0) {
		*ret_lost = true;
	} else if (waiting_keep(r->waiting, hash, buf_span(&sealed), &why) == 0 ||
	           why.code == ERR_CORRUPT) {
		size = why.code == ERR_CORRUPT ? 0 : sealed.len;
		if (size == 0)
			log_warn("archive.evidence", "cause=\"%s\" decision=\"it begins anew\"",
			    why.text);
		rc = source_file_done(s, hash, size, err);
		*ret_lost = rc != 0;
	} else {
		if (err != NULL)
			*err = why;
		rc = -1;
	}
	buf_done(&sealed);
	return rc;
}

/* Moves what is whole beside the segments. */
static int
take_files(struct release *r, struct source *s, bool *ret_lost, struct err *err)
{
	uint8_t hash[20][32];
	size_t n = 0;

	if (clock_boot_us() < r->files_at)
		return 0;
	if (source_files(s, hash, &n, err) != 0 ||
	    source_files_stale(s, clock_campaign_ms() - STALE_MS, err) != 0) {
		*ret_lost = true;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (move_file(r, s, hash[i], ret_lost, err) != 0)
			return -1;
	r->files_at = clock_boot_us() + (n == 20 ? 0 : FILES_US);
	return 0;
}

/* Adds what is in the log; *ret_more: there may be more. -1 with ret_lost: the queue store is lost. */
static int
gather(
    struct release *r, struct source *s, const struct book *book, bool *ret_lost, struct err *err)
{
	const struct raw_entry *entry;
	struct log_id at, from = archive_read_upto(r->archive);
	size_t n;

	if (log_id_cmp(from, book->saved) >= 0 || archive_full(r->archive))
		return 0;
	if (source_read(s, from, READ_MAX, 1, &entry, &n, err) != 0) {
		*ret_lost = true;
		return -1;
	}
	for (size_t i = 0; i < n && !archive_full(r->archive); i++) {
		if (log_id_parse(entry[i].id, &at) && log_id_cmp(at, book->saved) > 0)
			break;
		if (archive_add(r->archive, &entry[i], err) != 0)
			return -1;
	}
	return 0;
}

struct log_id
release_archived(const struct release *r)
{
	return r->archive == NULL ? (struct log_id){0, 0} : archive_sealed_upto(r->archive);
}

int
release_step(struct release *r, struct source *s, const struct book *book, struct err *err)
{
	struct err story = ERR_INIT;
	bool lost = false;

	if (!ready(r))
		return 0;
	if (take_files(r, s, &lost, &story) != 0 ||
	    say_released(r, s, book, &lost, &story) != 0 || /* what a crash left unsaid */
	    gather(r, s, book, &lost, &story) != 0 ||
	    (archive_due(r->archive) && archive_seal(r->archive, &story) != 0) ||
	    say_released(r, s, book, &lost, &story) != 0) {
		if (lost) {
			*err = story;
			return -1;
		}
		trouble(r, &story);
	}
	return 0;
}
