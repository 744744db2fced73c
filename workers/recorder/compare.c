/* Which of the two stores is older than it should be.
 *
 * Happy path: same incarnation, Redis' counters not behind what PostgreSQL saw, PostgreSQL's cursor and
 * outboxes not behind what Redis was told. Failures: Redis is behind or another one (its log or its
 * counters lie before the cursor): `recover redis`; PostgreSQL is behind (it was restored, or lost):
 * `recover postgres`. Where Redis was started since we last read it, it is measured as it was then: a router
 * that comes before us writes on into an older store too, past our cursor. Marks are only said after a COMMIT, so an honest crash never looks like that. */
#include <string.h>

#include "workers/recorder/compare.h"

#define MARKS_A_CALL 200

static enum compare
apart(struct err *err, const char *text)
{
	(void)err_set(err, ERR_STALE, "%s", text);
	return COMPARE_APART;
}

const char *
compare_hint(const struct err *err)
{
	return strncmp(err->text, "redis", 5) == 0 ? "hfctl recover redis"
	                                           : "hfctl recover postgres";
}

static enum compare
compare_meta(struct writer *w, const struct book *book, const struct source_meta *m,
    bool is_new_life, struct err *err)
{
	uint64_t opseq = is_new_life ? m->life_opseq : m->opseq;
	uint64_t logno = is_new_life ? m->life_logno : m->logno;
	uint8_t incarnation[16];
	int known;

	if (m->epoch == 0) {
		if (book->has_cursor)
			return apart(err, "redis has no campaign, PostgreSQL has recorded it");
		(void)err_set(err, ERR_NOT_FOUND, "the campaign is not open yet");
		return COMPARE_WAIT;
	}
	known = writer_epoch(w, m->epoch, incarnation, err);
	if (known < 0)
		return COMPARE_FAILED;
	if (known > 0 && memcmp(incarnation, m->incarnation, sizeof(incarnation)) != 0)
		return apart(err, "redis is another store than this epoch was opened with");
	if (m->epoch < book->cursor.epoch || opseq < book->opseq ||
	    (m->epoch == book->cursor.epoch && logno < book->cursor.no))
		return apart(err, "redis is older than what PostgreSQL has recorded of it");
	return COMPARE_SAME;
}

struct marker {
	struct source *source;
	const struct book *book;
	const uint8_t *sign_sk;
	uint64_t epoch;
	size_t n;
};

static int
flush(struct marker *m, struct err *err)
{
	if (m->n == 0)
		return 0;
	m->n = 0;
	return source_mark_send(m->source, m->book->saved, err);
}

static int
mark_again(struct marker *m, const struct box *box, struct err *err)
{
	if (m->n == 0)
		source_mark_begin(m->source, m->epoch);
	source_mark(m->source, LEVEL_SETTLED, box, m->book->incarnation, m->sign_sk);
	return ++m->n < MARKS_A_CALL ? 0 : flush(m, err);
}

static enum compare
compare_boxes(struct marker *m, bool catch_up, struct err *err)
{
	struct map_iter it = map_begin(m->book->boxes);
	uint64_t upto, settled;
	void *value;

	while (map_next(&it, NULL, NULL, &value)) {
		const struct box *box = value;

		if (source_box(m->source, box->ob, &upto, &settled, err) != 0)
			return COMPARE_FAILED;
		if (upto < box->upto)
			return apart(err, "redis lacks records that PostgreSQL has");
		if (settled > box->upto && !catch_up)
			return apart(err, "PostgreSQL lacks records that were settled");
		if (settled < box->upto && box_h_known(box) && mark_again(m, box, err) != 0)
			return COMPARE_FAILED;
	}
	return flush(m, err) == 0 ? COMPARE_SAME : COMPARE_FAILED;
}

enum compare
compare_stores(struct source *s, struct writer *w, const struct book *book,
    const uint8_t sign_sk[64], bool catch_up, struct last_seen *seen, struct log_id *ret_target,
    struct err *err)
{
	struct marker m = {.source = s, .book = book, .sign_sk = sign_sk};
	struct source_meta meta;
	enum compare result;

	bool is_new_life;

	if (source_touch(s, err) != 0 || source_meta(s, &meta, err) != 0)
		return COMPARE_FAILED;
	is_new_life = seen->run_id[0] != '\0' && strcmp(seen->run_id, meta.run_id) != 0 &&
	              log_id_cmp(seen->cursor, book->cursor) == 0 &&
	              meta.epoch == book->cursor.epoch;
	result = compare_meta(w, book, &meta, is_new_life, err);
	if (result != COMPARE_SAME)
		return result;
	*ret_target = meta.recorded;
	if (log_id_cmp(meta.recorded, book->cursor) > 0 && !catch_up)
		return apart(err, "PostgreSQL is older than what Redis was told to be recorded");
	m.epoch = meta.epoch;
	result = compare_boxes(&m, catch_up, err);
	if (result == COMPARE_SAME)
		memcpy(seen->run_id, meta.run_id, sizeof(seen->run_id));
	return result;
}
