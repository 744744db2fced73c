/* batch.c - collects entries, sends them as one FCALL, hands each reply to its completion.
 *
 * Happy path: op_submit puts an op at the tail; batch_flush takes from the head what fits into one
 * call and keeps those ops in flight; batch_answered completes them in order. A reply with another
 * number of entries than was sent is no reply: all of them are UNKNOWN. Completions run after the
 * list in flight was taken over, so they may submit; these go into a later call. What waited while
 * the call was out goes to the store before the completions run: both work at the same time. */
#include "broker/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "proto/call.h"

struct op {
	const char *name; /* borrowed, static */
	op_fn *fn;
	void *arg; /* the completion's */
	struct buf bytes;
	uint32_t *end; /* owned: where argument i ends in bytes */
	size_t n, cap;
	struct op *next;
};

#define SPARE_MAX   512
#define SPARE_BYTES 4096

/* Ops that are done keep their memory for the next ones: a turn makes and ends hundreds. */
static struct op *spare;
static size_t n_spare;

struct op_list {
	struct op *head, **tail;
	size_t n, bytes;
};

struct batch {
	char campaign[33];
	batch_send_fn *send;
	void *arg; /* borrowed */
	struct op_list waiting, flying;
	struct call call; /* memory kept */
	bool is_open, is_flying;
	uint64_t epoch;
};

static void
list_init(struct op_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
	l->n = l->bytes = 0;
}

static void
list_append(struct op_list *l, struct op *o)
{
	o->next = NULL;
	*l->tail = o;
	l->tail = &o->next;
	l->n++;
	l->bytes += o->bytes.len;
}

static struct op *
list_take(struct op_list *l)
{
	struct op *o = l->head;

	if (o == NULL)
		return NULL;
	l->head = o->next;
	if (l->head == NULL)
		l->tail = &l->head;
	l->n--;
	l->bytes -= o->bytes.len;
	return o;
}

static void
list_move(struct op_list *to, struct op_list *from)
{
	*to = *from;
	if (to->head == NULL)
		to->tail = &to->head;
	list_init(from);
}

struct batch *
batch_create(const char *campaign, batch_send_fn *send, void *arg)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	CHECK(strlen(campaign) < sizeof(b->campaign));
	memcpy(b->campaign, campaign, strlen(campaign) + 1);
	b->send = send;
	b->arg = arg;
	list_init(&b->waiting);
	list_init(&b->flying);
	return b;
}

static void
op_free(struct op *o)
{
	buf_done(&o->bytes);
	free(o->end);
	free(o);
}

void
op_discard(struct op *o)
{
	if (n_spare >= SPARE_MAX || o->bytes.cap > SPARE_BYTES) {
		op_free(o);
		return;
	}
	buf_clear(&o->bytes);
	o->n = 0;
	o->next = spare;
	spare = o;
	n_spare++;
}

static struct op *
op_take_spare(void)
{
	struct op *o = spare;

	if (o == NULL)
		return xcalloc(1, sizeof(*o));
	spare = o->next;
	n_spare--;
	return o;
}

static void
complete(struct op *o, const struct reply *r)
{
	o->fn(o->arg, r);
	op_discard(o);
}

static void
complete_all(struct op_list *l, enum outcome outcome)
{
	struct reply r = {.outcome = outcome};
	struct op_list mine;
	struct op *o;

	list_move(&mine, l);
	while ((o = list_take(&mine)) != NULL)
		complete(o, &r);
}

void
batch_destroy(struct batch *b)
{
	if (b == NULL)
		return;
	b->is_open = false;
	complete_all(&b->flying, DONE_UNKNOWN);
	while (b->waiting.head != NULL)
		complete_all(&b->waiting, DONE_UNSENT);
	while (n_spare > 0)
		op_free(op_take_spare());
	call_done(&b->call);
	free(b);
}

struct op *
op_create(const char *name, op_fn *fn, void *arg)
{
	struct op *o = op_take_spare();

	o->name = name;
	o->fn = fn;
	o->arg = arg;
	return o;
}

void
op_bytes(struct op *o, const void *data, size_t len)
{
	buf_add(&o->bytes, data, len);
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 16 : o->cap * 2;
		o->end = xrealloc(o->end, o->cap, sizeof(*o->end));
	}
	CHECK(o->bytes.len <= UINT32_MAX);
	o->end[o->n++] = (uint32_t)o->bytes.len;
}

void
op_span(struct op *o, struct span s)
{
	op_bytes(o, s.data, s.len);
}

void
op_str(struct op *o, const char *s)
{
	op_bytes(o, s, strlen(s));
}

void
op_u(struct op *o, uint64_t v)
{
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	op_bytes(o, text + at, sizeof(text) - at);
}

void
op_token(struct op *o, uint64_t token)
{
	static const char digits[] = "0123456789abcdef";
	char text[16];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = digits[token >> (60 - 4 * i) & 15];
	op_bytes(o, text, sizeof(text));
}

void
op_submit(struct batch *b, struct op *o)
{
	list_append(&b->waiting, o);
}

void
batch_open(struct batch *b, uint64_t epoch)
{
	b->is_open = true;
	b->epoch = epoch;
}

void
batch_close(struct batch *b)
{
	b->is_open = false;
}

static void
add_entry(struct call *c, const struct op *o)
{
	uint32_t from = 0;

	call_entry(c, o->name);
	for (size_t i = 0; i < o->n; i++) {
		call_bytes(c, from == o->end[i] ? (const uint8_t *)"" : o->bytes.data + from,
		    o->end[i] - from);
		from = o->end[i];
	}
}

void
batch_flush(struct batch *b)
{
	struct call *c = &b->call;
	const struct span *argv;
	size_t argc;

	if (!b->is_open) {
		complete_all(&b->waiting, DONE_UNSENT);
		return;
	}
	if (b->is_flying || b->waiting.head == NULL)
		return;
	call_again(c, "hf1_broker", b->campaign, clock_campaign_ms(), clock_wall_ms(), b->epoch);
	while (b->waiting.head != NULL && b->flying.n < BATCH_ENTRIES &&
	       (b->flying.n == 0 || b->flying.bytes + b->waiting.head->bytes.len <= BATCH_BYTES)) {
		add_entry(c, b->waiting.head);
		list_append(&b->flying, list_take(&b->waiting));
	}
	b->is_flying = true;
	argv = call_argv(c, &argc);
	b->send(b->arg, argv, argc);
}

void
batch_answered(struct batch *b, const struct answer *a, bool go_on)
{
	struct op_list mine;
	struct op *o;

	if (!b->is_flying)
		return;
	if (a->n != b->flying.n) {
		batch_lost(b);
		return;
	}
	b->is_flying = false;
	list_move(&mine, &b->flying);
	if (go_on && b->is_open)
		batch_flush(b);
	for (size_t i = 0; (o = list_take(&mine)) != NULL; i++) {
		struct reply r = reply_of(a, i);

		complete(o, &r);
	}
}

void
batch_lost(struct batch *b)
{
	b->is_flying = false;
	complete_all(&b->flying, DONE_UNKNOWN);
}

bool
batch_is_idle(const struct batch *b)
{
	return !b->is_flying && b->waiting.head == NULL;
}

bool
batch_is_full(const struct batch *b)
{
	return b->waiting.bytes >= BATCH_WAITING;
}
