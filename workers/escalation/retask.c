/* retask.c - a task's numbers after a record: the next one first, what became of each, and the one that was
 * found (PROTOCOL.md 14.8).
 *
 * Happy path: the log waits until Redis has answered with the task; it is opened with the case's key, put in
 * order, sealed again and sent as `create`, which leaves a known case where it is; a found number goes into the
 * index with it. Read once more after a crash it says the same, and then nothing is sent. Failures: no key or a
 * task that does not open: the task stays as it was, told. Nothing that was opened is kept or logged. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "proto/chain.h"
#include "workers/escalation/numbers.h"
#include "workers/escalation/router.h"

#define KEYS_WAIT_US 3000000 /* after a start; without a key store the work goes on */

/* Is there a number whose rank or state this record may change? */
bool
retask_wanted(struct router *r, const struct rcase *c, const struct record_header *h)
{
	const struct outcome_row *row;
	enum outcome o;
	uint64_t id;

	if (h->kind == REC_NUMBER)
		return !h->f[F_valid].set || h->f[F_valid].u != 0;
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

struct asked {
	struct router *r;
	uint64_t generation;
};

static void
on_task(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct asked *a = arg;
	struct router *r = a->r;
	bool mine = a->generation == r->generation;
	struct span task;

	free(a);
	if (!mine)
		return;
	r->is_asking = false;
	if (err != NULL) {
		router_reload(r, err->text);
		return;
	}
	task = rds_str(reply);
	buf_clear(&r->task);
	buf_add(&r->task, task.data, task.len);
	r->has_task = true;
	pump(r);
}

void
retask_ask(struct router *r, const struct rcase *c)
{
	char key[128];
	struct asked *a;
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_of(c->id, 16)};

	if (c->retasked == r->n_batches)
		return; /* its newer task is in the batch that goes out now; asked again behind it */
	a = xmalloc(sizeof(*a));
	argv[1] = span_str(call_key(key, sizeof(key), r->campaign, "tasks"));
	*a = (struct asked){r, r->generation};
	r->is_asking = true;
	rds_cmd(r->link, argv, 3, CALL_US, on_task, a);
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

static void
arrange(struct router *r, struct rcase *c, const uint8_t *key, struct span plain,
    const struct task_number *found, int64_t at)
{
	static struct number_notes notes;
	struct buf out = BUF_INIT, sealed = BUF_INIT;
	uint8_t index[8];
	struct task t;

	if (task_decode(&t, plain, NULL) == 0 &&
	    numbers_arrange(&t, &notes, &c->law, key, found, at)) {
		task_encode(&out, &t);
		chain_task_seal(&sealed, key, c->id, buf_span(&out));
		send(r, c, buf_span(&sealed), span_of(index, index_of(r, index, found->digits)));
		crypt_wipe(out.data, out.cap);
	}
	buf_done(&out);
	buf_done(&sealed);
}

void
retask(struct router *r, const struct log_entry *e, const struct record_header *h, struct rcase *c)
{
	const uint8_t *key = seal_key(r, c->id);
	struct buf plain = BUF_INIT, store = BUF_INIT;
	struct task_number found = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct body body;

	r->has_task = false;
	if (key == NULL || chain_task_open(&plain, key, c->id, buf_span(&r->task), NULL) != 0) {
		log_warn("retask", "entry=%ju-%ju decision=\"the task stays as it was\"",
		    (uintmax_t)e->epoch, (uintmax_t)e->no);
	} else {
		if (h->kind == REC_NUMBER && seal_open_body(r, e, c->id, &store, &body)) {
			found = (struct task_number){body.kind, body.digits, h->f[F_source].bytes};
			if (found.kind.len == 0)
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
