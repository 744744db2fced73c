/* ask.c - one question to Redis that an entry of the log waits for.
 *
 * Happy path: asked, answered, fn goes on. Failures: no answer: everything is read again; everything was
 * read again meanwhile (another generation): the answer is nobody's any more. */
#include <stdlib.h>

#include "base/check.h"
#include "workers/escalation/ask.h"

struct asked {
	struct router *r;
	uint64_t generation;
	answer_fn *fn;
};

static void
on_answer(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct asked a = *(struct asked *)arg;

	free(arg);
	if (a.generation != a.r->generation)
		return;
	a.r->is_asking = false;
	if (err != NULL)
		router_reload(a.r, err->text);
	else
		a.fn(a.r, reply);
}

void
ask_redis(struct router *r, const struct span *argv, size_t n, answer_fn *fn)
{
	struct asked *a = xmalloc(sizeof(*a));

	*a = (struct asked){r, r->generation, fn};
	r->is_asking = true;
	rds_cmd(r->link, argv, n, CALL_US, on_answer, a);
}

void
ask_pieces(struct buf *out, const struct rds_reply *reply)
{
	buf_clear(out);
	for (size_t i = 0; i < rds_len(reply); i++) {
		struct span s = rds_str(rds_at(reply, i));

		buf_add_be32(out, (uint32_t)s.len);
		buf_add(out, s.data, s.len);
	}
}
