/* dues.c - a binary heap in an array. */
#include "broker/dues.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static bool
is_before(const struct due *a, const struct due *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
dues_push(struct dues *d, const struct due *item)
{
	struct due mine = *item;
	size_t i = d->n++;

	if (d->n > d->cap) {
		d->cap = d->cap == 0 ? 64 : d->cap * 2;
		d->heap = xrealloc(d->heap, d->cap, sizeof(*d->heap));
	}
	mine.seq = d->seq++;
	while (i > 0 && is_before(&mine, &d->heap[(i - 1) / 2])) {
		d->heap[i] = d->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	d->heap[i] = mine;
}

struct due
dues_pop(struct dues *d)
{
	struct due top, last;
	size_t i = 0, child;

	CHECK(d->n > 0);
	top = d->heap[0];
	last = d->heap[--d->n];
	while ((child = 2 * i + 1) < d->n) {
		if (child + 1 < d->n && is_before(&d->heap[child + 1], &d->heap[child]))
			child++;
		if (!is_before(&d->heap[child], &last))
			break;
		d->heap[i] = d->heap[child];
		i = child;
	}
	if (d->n > 0)
		d->heap[i] = last;
	return top;
}

int64_t
dues_first(const struct dues *d)
{
	return d->n > 0 ? d->heap[0].at : INT64_MAX;
}

void
dues_done(struct dues *d)
{
	free(d->heap);
	memset(d, 0, sizeof(*d));
}
