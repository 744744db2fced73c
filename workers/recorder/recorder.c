/* When a record is settled.
 *
 * Happy path: connect to both stores, take the campaign's lock, compare what each knows of the other,
 * then: read what the log has (what arrives during one commit makes the next batch, so nothing waits for
 * a batch to fill), commit, mark. Failures: a lost store or an unknown COMMIT: drop both connections,
 * wait 0.2 to 5 s, begin again from what PostgreSQL says; a refused row: entry by entry, then without
 * what is refused, at last in quarantine only; another recorder: stand by; stores that contradict each other: halt, say once a
 * minute which `hfctl recover` is needed, and look again. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/compare.h"
#include "workers/recorder/recorder.h"
#include "workers/recorder/release.h"
#include "workers/recorder/replay.h"
#include "workers/recorder/source.h"
#include "workers/recorder/writer.h"

#define BLOCK_MS       500
#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define REPEAT_US      60000000LL
#define FLAWS_LOGGED   20
#define LOOK_US        1000000LL

enum ending { END_STOPPED, END_LOST, END_WAITING, END_HALTED };

struct recorder {
	const struct recorder_opts *o;
	name_t campaign;
	struct source *source;
	struct writer *writer;
	struct book *book;
	struct release *release;
	struct replay *replay; /* NULL when the archive does not read */
	bool replaying;        /* what is written comes from the archive: no marks */
	bool catch_up;         /* PostgreSQL may lag behind Redis' marks, up to: */
	struct log_id target;
	struct log_id one_by_one; /* entries up to here are written singly */
	struct log_id strip;      /* this one without what `tried` says */
	size_t tried;             /* index into drops */
	int backoff_ms;
	int64_t looked_at; /* 0: not in this session */
	struct source_meta life;
	struct last_seen seen;
	bool has_router;                  /* waits until `end` is committed: */
	struct log_id router, router_end; /* the router's cursor, and the log's end, not earlier */
	char said[sizeof(((struct err *)NULL)->text)];
	int64_t said_at;
};

static bool
stopping(const struct recorder *r)
{
	struct pollfd p = {.fd = r->o->stop_fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Until the stop, or the end of the backoff. */
static void
wait_before_again(struct recorder *r)
{
	struct pollfd p = {.fd = r->o->stop_fd, .events = POLLIN};

	(void)poll(&p, 1, r->backoff_ms);
	r->backoff_ms = 2 * r->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : 2 * r->backoff_ms;
}

/* The same trouble is said once a minute. */
static bool
news(struct recorder *r, const char *text)
{
	int64_t now = clock_boot_us();

	if (strcmp(r->said, text) == 0 && now - r->said_at < REPEAT_US)
		return false;
	snprintf(r->said, sizeof(r->said), "%s", text);
	r->said_at = now;
	return true;
}

/* ---- a batch ------------------------------------------------------------------------------------- */

static void
log_flaws(const struct recorder *r, const struct batch *b)
{
	size_t n = 0;
	char ob[33];

	for (size_t i = 0; i < b->rows; i++) {
		const struct row *row = &b->row[i];
		const char *flaw = row->equivocal ? "equivocation" : flaw_text(row->flaw);

		if (flaw == NULL || (row->again && !row->equivocal) || n++ >= FLAWS_LOGGED)
			continue;
		hex_encode(ob, row->box->ob, sizeof(row->box->ob));
		log_warn("record.flaw", "campaign=%s flaw=%s ob=%s seq=%ju log=%ju-%ju",
		    r->campaign, flaw, ob, (uintmax_t)row->seq, (uintmax_t)row->e.epoch,
		    (uintmax_t)row->e.no);
	}
	for (size_t i = 0; i < b->odds && n++ < FLAWS_LOGGED; i++)
		log_warn("entry.flaw", "campaign=%s flaw=%s log=%ju-%ju", r->campaign,
		    flaw_text(b->odd[i].flaw), (uintmax_t)b->odd[i].at.epoch,
		    (uintmax_t)b->odd[i].at.no);
	if (n > FLAWS_LOGGED)
		log_warn("record.flaws", "campaign=%s more=%zu", r->campaign, n - FLAWS_LOGGED);
}

static int
mark(struct recorder *r, const struct batch *b, struct err *err)
{
	source_mark_begin(r->source, r->book->saved.epoch);
	for (const struct box *box = b->touched; box != NULL; box = box->next_touched)
		if (box->rows > 0 && box_h_known(box))
			source_mark(
			    r->source, LEVEL_SETTLED, box, r->book->incarnation, r->o->sign_sk);
	return source_mark_send(r->source, r->book->saved, err);
}

/* What is left out of an entry, from try to try: as little as will do. */
static const unsigned drops[] = {
    0, DROP_FIELDS, DROP_STATE, DROP_FIELDS | DROP_STATE, DROP_RECORD, DROP_RECORD | DROP_STATE};
#define N_DROPS (sizeof(drops) / sizeof(drops[0]))

/* PostgreSQL refused something of this batch: next time more carefully. Returns -1. */
static int
refused(struct recorder *r, const struct batch *b, const struct err *err)
{
	struct log_id last = r->book->cursor;

	if (!writer_refused(r->writer, err))
		return -1;
	if (b->entries > 1 || log_id_cmp(last, r->one_by_one) > 0) {
		r->one_by_one = last;
	} else if (log_id_cmp(r->strip, last) != 0) {
		r->strip = last;
		r->tried = 1;
	} else if (r->tried + 1 < N_DROPS) {
		r->tried++;
	} else {
		return -1; /* not even the quarantine takes it: it is not the entry's fault */
	}
	r->backoff_ms = BACKOFF_MIN_MS;
	return -1;
}

static int
write_batch(struct recorder *r, struct batch *b, struct err *err)
{
	bool careful = log_id_cmp(r->book->saved, r->one_by_one) < 0;

	if (careful && log_id_cmp(r->strip, r->book->cursor) == 0)
		batch_strip(b, drops[r->tried]);
	if (writer_commit(r->writer, b, careful ? WRITER_CAREFUL : WRITER_FAST, err) != 0)
		return refused(r, b, err);
	r->backoff_ms = BACKOFF_MIN_MS;
	log_flaws(r, b);
	return r->replaying ? 0 : mark(r, b, err);
}

/* After a rebuild: the ledger has all that Redis was told to be recorded. */
static int
caught_up(struct recorder *r, struct err *err)
{
	if (!r->catch_up || log_id_cmp(r->book->saved, r->target) < 0)
		return 0;
	log_info("recorder.caught_up", "campaign=%s", r->campaign);
	r->catch_up = false;
	return writer_caught_up(r->writer, err);
}

static enum ending
take(struct recorder *r, const struct raw_entry *entry, size_t n, struct err *err)
{
	struct batch *b = batch_create(r->book, n);
	enum ending end = END_STOPPED; /* nothing wrong */

	for (size_t i = 0; i < n && end == END_STOPPED; i++)
		if (batch_add(b, &entry[i], err) != 0)
			end = END_HALTED;
	if (end == END_STOPPED) {
		batch_close(b);
		if (!b->worth)
			writer_pend(r->writer, b);
		else if (write_batch(r, b, err) != 0)
			end = END_LOST;
	}
	batch_destroy(b);
	return end;
}

/* ---- a session: from connecting until something goes wrong ---------------------------------------- */

static enum ending
connect_stores(struct recorder *r, struct err *err)
{
	char conninfo[640];
	int locked;

	if (source_open(&r->source, r->o->home, r->campaign, err) != 0)
		return err->code == ERR_NOT_FOUND ? END_WAITING : END_LOST;
	home_conninfo(r->o->home, "hf_recorder", conninfo, sizeof(conninfo));
	if (writer_open(&r->writer, conninfo, r->campaign, err) != 0)
		return END_LOST;
	while ((locked = writer_lock(r->writer, err)) == 0) {
		if (stopping(r))
			return END_WAITING;
		if (news(r, "standby"))
			log_info("recorder.standby",
			    "campaign=%s hint=\"another hf-recorder is active\"", r->campaign);
	}
	return locked < 0 ? END_LOST : END_STOPPED;
}

/* The archive holds nothing that PostgreSQL has not: else the ledger was lost, or put back from a copy. */
static enum ending
compare_archive(struct recorder *r, struct err *err)
{
	struct err why = ERR_INIT;

	if (replay_open(&r->replay, r->o->home->archive, r->campaign, r->o->sign_sk + 32, &why) !=
	    0) {
		if (!r->catch_up)
			return END_STOPPED; /* release_step says what is wrong with it */
		*err = why;
		return END_HALTED;
	}
	if (log_id_cmp(replay_end(r->replay), r->book->cursor) <= 0 || r->catch_up)
		return END_STOPPED;
	(void)err_set(err, ERR_STALE, "PostgreSQL is older than the archive");
	return END_HALTED;
}

/* What the archive has and the ledger has not. */
static enum ending
rebuild(struct recorder *r, struct err *err)
{
	enum ending end = END_STOPPED;
	const struct raw_entry *entry;
	size_t n = 1;

	r->replaying = true;
	while (end == END_STOPPED && n > 0 && !stopping(r)) {
		bool singly = log_id_cmp(r->book->cursor, r->one_by_one) < 0;

		if (replay_read(
		        r->replay, r->book->cursor, singly ? 1 : r->o->batch, &entry, &n, err) != 0)
			end = END_HALTED;
		else if (n > 0)
			end = take(r, entry, n, err);
	}
	r->replaying = false;
	return end;
}

static enum ending
load(struct recorder *r, struct err *err)
{
	enum compare result;

	if (writer_load(r->writer, &r->book, &r->catch_up, err) != 0)
		return err->code == ERR_NOT_FOUND ? END_WAITING : END_LOST;
	if (source_agents(r->source, r->book, err) != 0)
		return END_LOST;
	result = compare_stores(
	    r->source, r->writer, r->book, r->o->sign_sk, r->catch_up, &r->seen, &r->target, err);
	switch (result) {
	case COMPARE_SAME: return compare_archive(r, err);
	case COMPARE_WAIT: return END_WAITING;
	case COMPARE_APART:
		if (strcmp(compare_hint(err), "hfctl recover redis") == 0) {
			struct err why = ERR_INIT;

			(void)source_halt(r->source, &why); /* may have nothing to halt */
		}
		return END_HALTED;
	case COMPARE_FAILED: break;
	}
	return END_LOST;
}

/* Once a second: is it still the same queue store, is PostgreSQL there, and what need not be kept for a new one any more? */
static int
look(struct recorder *r, struct err *err)
{
	struct source_meta now;

	if (r->looked_at != 0 && clock_boot_us() - r->looked_at < LOOK_US)
		return 0;
	if (source_meta(r->source, &now, err) != 0 || writer_alive(r->writer, err) != 0)
		return -1;
	if (r->looked_at == 0)
		r->life = now;
	r->looked_at = clock_boot_us();
	if (now.epoch == 0 || now.epoch != r->life.epoch ||
	    memcmp(now.incarnation, r->life.incarnation, sizeof(now.incarnation)) != 0)
		return err_set(err, ERR_STALE, "redis lost the campaign, or began anew");
	if (r->has_router && log_id_cmp(r->book->saved, r->router_end) >= 0) {
		struct log_id done = release_archived(r->release);

		r->has_router = false;
		if (writer_forget(r->writer, done, r->router, err) != 0)
			return -1;
		if (log_id_cmp(r->router, done) < 0)
			done = r->router;
		return source_trim(r->source, done, r->o->log_keep, err);
	}
	if (r->has_router)
		return 0;
	r->has_router = true;
	return source_router(r->source, &r->router, &r->router_end, err);
}

static enum ending
session(struct recorder *r, struct err *err)
{
	enum ending end = connect_stores(r, err);

	if (end == END_STOPPED)
		end = load(r, err);
	if (end != END_STOPPED)
		return end;
	r->said[0] = '\0';
	r->looked_at = 0;
	r->has_router = false;
	r->release = release_create(r->o, r->campaign);
	log_info("recorder.running", "campaign=%s log=%ju-%ju no=%ju", r->campaign,
	    (uintmax_t)r->book->cursor.epoch, (uintmax_t)r->book->cursor.no,
	    (uintmax_t)r->book->ledger_no);
	if (r->catch_up)
		end = rebuild(r, err);
	while (end == END_STOPPED && !stopping(r)) {
		const struct raw_entry *entry = NULL;
		bool singly = log_id_cmp(r->book->cursor, r->one_by_one) < 0;
		size_t n = 0;

		if (look(r, err) != 0 || caught_up(r, err) != 0)
			return END_LOST;
		if (source_read(r->source, r->book->cursor, singly ? 1 : r->o->batch, BLOCK_MS,
		        &entry, &n, err) != 0)
			return END_LOST;
		if (n > 0)
			end = take(r, entry, n, err);
		if (end == END_STOPPED && release_step(r->release, r->source, r->book, err) != 0)
			return END_LOST;
	}
	return end;
}

static void
report(struct recorder *r, enum ending end, const struct err *err)
{
	if (!news(r, err->text))
		return;
	if (end == END_LOST)
		log_warn("recorder.waits", "campaign=%s cause=\"%s\"", r->campaign, err->text);
	else if (end == END_WAITING)
		log_info("recorder.waits", "cause=\"%s\"", err->text);
	else
		log_error("recorder.halted", "campaign=%s cause=\"%s\" hint=\"%s\"", r->campaign,
		    err->text, compare_hint(err));
}

void
recorder_run(const struct recorder_opts *o)
{
	struct recorder r = {.o = o, .backoff_ms = BACKOFF_MIN_MS};

	CHECK(o->batch >= 1 && o->batch <= BATCH_MAX);
	while (!stopping(&r)) {
		struct err err = ERR_INIT;
		enum ending end = session(&r, &err);

		if (r.book != NULL && r.release != NULL)
			r.seen.cursor = r.book->saved;
		release_destroy(r.release);
		replay_close(r.replay);
		r.release = NULL;
		r.replay = NULL;
		source_close(r.source);
		writer_close(r.writer);
		book_destroy(r.book);
		r.source = NULL;
		r.writer = NULL;
		r.book = NULL;
		if (end == END_STOPPED || stopping(&r))
			break;
		report(&r, end, &err);
		wait_before_again(&r);
	}
	log_info("recorder.stopped", "campaign=%s", r.campaign);
}
