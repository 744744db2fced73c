/* retask.c - a task's numbers after a record: the next one first, what became of each, and the one that was
 * found (PROTOCOL.md 14.8).
 *
 * Happy path: the log waits until Redis has answered with the task; it is opened with the case's key, put in
 * order, sealed again and sent as `create`, which leaves a known case where it is; a found number goes into the
 * index with it. A number that does not exist (空号) is dead in every case that has it; one that is somebody else's
 * (错号) is so in this case, and a warning in the others. Read once more after a crash it says the same, and then nothing is sent. Failures: no key or a
 * task that does not open: the task stays as it was, told. Nothing that was opened is kept or logged. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/escalation/ask.h"
#include "workers/escalation/numbers.h"
#include "workers/escalation/router.h"

#define KEYS_WAIT_US 5000000 /* after a start; without a key store the work goes on */
#define OTHERS_MAX   500     /* cases that have one number: more than that is no applicant's */

/* Is there a number whose rank or state this record may change? */
bool
retask_wanted(struct router *r, const struct rcase *c, const struct record_header *h)
{
	const struct outcome_row *row;
	enum outcome o;
	uint64_t id;

	if (h->kind == REC_NUMBER) /* one that was found, or why there is none */
		return !h->f[F_valid].set || h->f[F_valid].u != 0 || !h->f[F_number].set;
	if (h->kind != REC_ATTEMPT || !h->f[F_number].set || h->f[F_number].bytes.len != 8)
		return false;
	o = outcome_by_code((const char *)h->f[F_outcome].bytes.data, h->f[F_outcome].bytes.len);
	if (o == OUT_NONE)
		return false;
	row = policy_outcome(r->policy, o);
	id = be64_get(h->f[F_number].bytes.data);
	if (c->law.n_numbers > 1)
		return row->attempt || row->number != NUMBER_UNCHANGED;
	for (int i = 0; i < c->law.n_numbers; i++)
		if (c->law.numbers[i].id == id)
			return row->number != NUMBER_UNCHANGED &&
			       row->number != c->law.numbers[i].state;
	return row->number != NUMBER_UNCHANGED;
}

int
retask_ready(struct router *r, const struct rcase *c)
{
	if (seal_key(r, c->id) != NULL)
		return 1;
	if (r->keys_level)
		return -1;
	if (r->keys_since == 0)
		r->keys_since = clock_boot_us();
	return clock_boot_us() - r->keys_since < KEYS_WAIT_US ? 0 : -1;
}

static void
on_task(struct router *r, const struct rds_reply *reply)
{
	struct span task = rds_str(reply);

	buf_clear(&r->task);
	buf_add(&r->task, task.data, task.len);
	r->has_task = true;
	pump(r);
}

void
retask_ask(struct router *r, const struct rcase *c)
{
	char key[128];
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_of(c->id, 16)};

	if (c->retasked == r->n_batches)
		return; /* its newer task is in the batch that goes out now; asked again behind it */
	argv[1] = span_str(call_key(key, sizeof(key), r->campaign, "tasks"));
	ask_redis(r, argv, 3, on_task);
}

/* The index under which the found number is looked up from now on. */
static size_t
index_of(struct router *r, uint8_t out[8], struct span found)
{
	uint8_t ref[16];
	char digits[32] = "";
	const uint8_t *key;

	keys_reserved(ref, KEYS_REF_INDEX);
	key = seal_key(r, ref);
	if (found.len == 0 || found.len >= sizeof(digits) || key == NULL)
		return 0;
	memcpy(digits, found.data, found.len);
	chain_index(out, key, "num", digits);
	crypt_wipe(digits, sizeof(digits));
	return 8;
}

/* ---- a number that does not exist, in other cases ---- */

/* The digits of the task's number with this id, in `digits`; false: it has none such. */
static bool
digits_of(struct router *r, const struct rcase *c, const struct record_header *h, char digits[32])
{
	const uint8_t *key = seal_key(r, c->id);
	struct buf plain = BUF_INIT;
	struct task t;
	bool found = false;

	if (key != NULL && chain_task_open(&plain, key, c->id, buf_span(&r->task), NULL) == 0 &&
	    task_decode(&t, buf_span(&plain), NULL) == 0) {
		for (uint32_t i = 0; i < t.n_numbers && !found; i++) {
			struct span d = t.numbers[i].digits;
			uint8_t id[8];

			if (d.len == 0 || d.len >= 32)
				continue;
			memset(digits, 0, 32);
			memcpy(digits, d.data, d.len);
			chain_number_id(id, key, digits);
			found = span_eq(span_of(id, 8), h->f[F_number].bytes);
		}
	}
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.cap);
	buf_done(&plain);
	return found;
}

static void
on_other_tasks(struct router *r, const struct rds_reply *reply)
{
	ask_pieces(&r->other_tasks, reply);
	r->has_others = true;
	pump(r);
}

static void
ask_other_tasks(struct router *r)
{
	char key[128];
	struct span argv[2 + OTHERS_MAX];
	size_t n = 2;

	argv[0] = span_str("HMGET");
	argv[1] = span_str(call_key(key, sizeof(key), r->campaign, "tasks"));
	for (size_t at = 0; at < r->others.len; at += 16)
		argv[n++] = span_of(r->others.data + at, 16);
	ask_redis(r, argv, n, on_other_tasks);
}

static void
on_others(struct router *r, const struct rds_reply *reply)
{
	buf_clear(&r->others);
	buf_clear(&r->other_tasks);
	for (size_t i = 0; i < rds_len(reply) && r->others.len < OTHERS_MAX * 16; i++)
		if (rds_str(rds_at(reply, i)).len == 16)
			buf_add(&r->others, rds_str(rds_at(reply, i)).data, 16);
	if (r->others.len > 0) {
		ask_other_tasks(r);
		return;
	}
	r->has_others = true;
	pump(r);
}

/* 空号 holds for all cases with the number, 错号 for this one, and the others are warned. */
static bool
is_of_others(const struct record_header *h)
{
	return h->kind == REC_ATTEMPT && (span_eq_str(h->f[F_outcome].bytes, "empty-number") ||
	                                     span_eq_str(h->f[F_outcome].bytes, "wrong-number"));
}

bool
retask_ask_others(struct router *r, const struct rcase *c, const struct record_header *h)
{
	char key[128], name[24] = "num:", digits[32];
	uint8_t index[8];
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};

	if (!is_of_others(h) || !digits_of(r, c, h, digits))
		return false;
	if (index_of(r, index, span_str(digits)) == 0)
		return false;
	hex_encode(name + 4, index, 8);
	argv[1] = span_str(call_key(key, sizeof(key), r->campaign, name));
	ask_redis(r, argv, 2, on_others);
	return true;
}

/* `create` of a case that is known: its place, its memory and its owner stay. */
static void
send(struct router *r, struct rcase *c, struct span task, struct span index)
{
	struct words *w = words_make("create");

	words_add(w, span_of(c->id, 16));
	words_str(w, c->lane);
	words_u(w, (uint64_t)(c->due < 0 ? 0 : c->due));
	words_add(w, task);
	words_add(w, span_of(c->saved_blob, c->saved_len));
	words_str(w, "-");
	words_add(w, index);
	words_queue(r, w);
	c->retasked = r->n_batches;
}

/* Whether its numbers are complete goes with its place, before the task. */
static void
complete(struct router *r, struct rcase *c, const struct task *t, int64_t at)
{
	bool incomplete = task_missing(t) != 0;

	if (incomplete == c->law.incomplete)
		return;
	c->law.incomplete = incomplete;
	if (!c->has_want)
		case_look(r, c, at);
	case_queue(r, c);
}

static void
arrange(struct router *r, struct rcase *c, const uint8_t *key, struct span plain,
    const struct task_number *found, int64_t at)
{
	static struct number_notes notes;
	struct buf out = BUF_INIT, sealed = BUF_INIT;
	uint8_t index[8];
	struct task t;
	bool changed;

	if (task_decode(&t, plain, NULL) != 0)
		return;
	changed = numbers_arrange(&t, &notes, &c->law, key, found, at);
	complete(r, c, &t, at);
	if (changed) {
		task_encode(&out, &t);
		chain_task_seal(&sealed, key, c->id, buf_span(&out));
		send(r, c, buf_span(&sealed), span_of(index, index_of(r, index, found->digits)));
		crypt_wipe(out.data, out.cap);
	}
	buf_done(&out);
	buf_done(&sealed);
}

/* True: the other case's memory is another one now. */
static bool
learn(struct law_number *n, bool dead)
{
	if (dead && n->state != NUMBER_DEAD) {
		n->state = NUMBER_DEAD;
		return true;
	}
	if (!dead && !n->wrong_elsewhere) {
		n->wrong_elsewhere = true;
		return true;
	}
	return false;
}

/* Its memory and its task say it. A task that is on its way to Redis is newer than what was read: it stays, and
 * says it with the case's next record. */
static void
tell_other(struct router *r, const struct log_entry *e, struct rcase *other, const uint8_t *key,
    uint64_t id, bool dead, struct span task)
{
	static const struct task_number none;
	struct buf plain = BUF_INIT;
	bool news = false;

	for (int i = 0; i < other->law.n_numbers; i++)
		if (other->law.numbers[i].id == id)
			news = learn(&other->law.numbers[i], dead) || news;
	if (news) {
		case_look(r, other, e->now);
		case_queue(r, other);
	}
	if (other->retasked != r->n_batches &&
	    chain_task_open(&plain, key, other->id, task, NULL) == 0)
		arrange(r, other, key, buf_span(&plain), &none, e->now);
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.cap);
	buf_done(&plain);
}

static void
tell_others(struct router *r, const struct log_entry *e, const struct record_header *h,
    const struct rcase *c)
{
	bool dead = span_eq_str(h->f[F_outcome].bytes, "empty-number");
	char digits[32];
	size_t task = 0;
	uint8_t id[8];

	if (!r->has_others || !digits_of(r, c, h, digits))
		return;
	for (size_t at = 0; at + 16 <= r->others.len && task + 4 <= r->other_tasks.len; at += 16) {
		struct rcase *other = case_find(r, r->others.data + at);
		const uint8_t *key = other == NULL || other == c ? NULL : seal_key(r, other->id);
		size_t len = be32_get(r->other_tasks.data + task);
		struct span sealed = span_of(r->other_tasks.data + task + 4, len);

		task += 4 + len;
		if (key == NULL)
			continue;
		chain_number_id(id, key, digits);
		tell_other(r, e, other, key, be64_get(id), dead, sealed);
	}
	crypt_wipe(digits, sizeof(digits));
}

void
retask(struct router *r, const struct log_entry *e, const struct record_header *h, struct rcase *c)
{
	const uint8_t *key = seal_key(r, c->id);
	struct buf plain = BUF_INIT, store = BUF_INIT;
	struct task_number found = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct body body;

	tell_others(r, e, h, c);
	r->has_task = r->has_others = false;
	if (key == NULL || chain_task_open(&plain, key, c->id, buf_span(&r->task), NULL) != 0) {
		log_warn("retask", "entry=%ju-%ju decision=\"the task stays as it was\"",
		    (uintmax_t)e->epoch, (uintmax_t)e->no);
	} else {
		if (h->kind == REC_NUMBER && seal_open_body(r, e, c->id, &store, &body)) {
			bool none = h->f[F_valid].set && h->f[F_valid].u == 0;

			found = (struct task_number){body.kind,
			    none ? (struct span){NULL, 0} : body.digits,
			    none ? body.note : h->f[F_source].bytes};
			if (found.kind.len == 0 && !none)
				found.kind = span_str("other");
		}
		arrange(r, c, key, buf_span(&plain), &found, e->now);
	}
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.cap);
	if (store.data != NULL)
		crypt_wipe(store.data, store.cap);
	buf_done(&plain);
	buf_done(&store);
}
