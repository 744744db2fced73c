/* reply.c - typed access to the flat strings that the queue's functions answer with.
 *
 * The store is trusted to be ours, but a newer queue.lua may say more or less than we know: a field
 * that is missing reads as zero, and whoever needs it decides. */
#include "broker/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "proto/call.h"

void
answer_start(struct answer *a)
{
	a->mode = a->epoch = a->opseq = a->logno = 0;
	a->n = 0;
	a->fields = 0;
}

static void
mark_begin(struct answer *a, size_t i)
{
	if (i >= a->begin_cap) {
		a->begin_cap = a->begin_cap == 0 ? 64 : a->begin_cap * 2;
		a->begin = xrealloc(a->begin, a->begin_cap, sizeof(*a->begin));
	}
	a->begin[i] = a->fields;
}

void
answer_entry(struct answer *a)
{
	mark_begin(a, a->n);
	a->n++;
	mark_begin(a, a->n);
}

void
answer_field(struct answer *a, struct span bytes)
{
	CHECK(a->n > 0);
	if (a->fields == a->field_cap) {
		a->field_cap = a->field_cap == 0 ? 512 : a->field_cap * 2;
		a->field = xrealloc(a->field, a->field_cap, sizeof(*a->field));
	}
	a->field[a->fields++] = bytes;
	a->begin[a->n] = a->fields;
}

void
answer_done(struct answer *a)
{
	free(a->field);
	free(a->begin);
	memset(a, 0, sizeof(*a));
}

struct reply
reply_of(const struct answer *a, size_t i)
{
	struct reply r = {.mode = a->mode, .epoch = a->epoch, .opseq = a->opseq};
	size_t from, to;

	CHECK(i < a->n);
	from = a->begin[i];
	to = a->begin[i + 1];
	r.outcome = DONE_UNKNOWN;
	if (from == to)
		return r;
	if (span_eq_str(a->field[from], "ok"))
		r.outcome = DONE_OK;
	else if (span_eq_str(a->field[from], "no"))
		r.outcome = DONE_NO;
	else if (span_eq_str(a->field[from], "err"))
		r.outcome = DONE_ERR;
	else
		return r;
	r.field = a->field + from + 1;
	r.n = to - from - 1;
	return r;
}

struct span
reply_at(const struct reply *r, size_t i)
{
	return i < r->n ? r->field[i] : span_of("", 0);
}

uint64_t
reply_u(const struct reply *r, size_t i)
{
	struct span s = reply_at(r, i);
	uint64_t v;

	return text_to_u64((const char *)s.data, s.len, &v) ? v : 0;
}

uint64_t
reply_token(const struct reply *r, size_t i)
{
	uint64_t v;

	return token_parse(&v, reply_at(r, i)) ? v : 0;
}

bool
reply_bytes(const struct reply *r, size_t i, void *out, size_t n)
{
	struct span s = reply_at(r, i);

	if (s.len != n) {
		memset(out, 0, n);
		return false;
	}
	memcpy(out, s.data, n);
	return true;
}

void
reply_text(const struct reply *r, size_t i, char *out, size_t size)
{
	struct span s = reply_at(r, i);
	size_t len = s.len < size ? s.len : size - 1;

	if (len > 0)
		memcpy(out, s.data, len);
	out[len] = '\0';
}

bool
reply_is(const struct reply *r, size_t i, const char *text)
{
	return i < r->n && span_eq_str(r->field[i], text);
}
