/* watch.c - (case) -> (token, rseq, first seen, last sweep).
 *
 * The first sight counts from when its answer *came*, the later one from when it was *asked*: both
 * err towards a longer lease. */
#include "broker/watch.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/map.h"

struct seen {
	uint64_t token, rseq;
	int64_t since_us;
	uint64_t sweep;
};

struct watch {
	struct map *seen;
	uint64_t sweep;
};

struct watch *
watch_create(void)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->seen = map_create();
	return w;
}

void
watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	map_destroy(w->seen, free);
	free(w);
}

void
watch_reset(struct watch *w)
{
	map_destroy(w->seen, free);
	w->seen = map_create();
}

void
watch_begin(struct watch *w)
{
	w->sweep++;
}

bool
watch_see(struct watch *w, const uint8_t case_id[16], uint64_t token, uint64_t rseq,
    int64_t asked_us, int64_t heard_us, int64_t limit_us)
{
	struct seen *s = map_get(w->seen, case_id, 16);

	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		(void)map_put(w->seen, case_id, 16, s);
	} else if (s->token == token && s->rseq == rseq) {
		s->sweep = w->sweep;
		return asked_us - s->since_us >= limit_us;
	}
	*s = (struct seen){token, rseq, heard_us, w->sweep};
	return false;
}

void
watch_end(struct watch *w)
{
	struct map_iter it = map_begin(w->seen);
	const void *key;
	size_t len;
	void *value;

	while (map_next(&it, &key, &len, &value)) {
		struct seen *s = value;

		if (s->sweep == w->sweep)
			continue;
		(void)map_del(w->seen, key, len);
		free(s);
	}
}

size_t
watch_count(const struct watch *w)
{
	return map_count(w->seen);
}
