/* fake_value.c - the replies of the fake store: freed, and as a text in which equal ones are equal. */
#include <stdlib.h>

#include "tests/lib/fake_redis.h"

void
fv_done(struct fv *v)
{
	for (size_t i = 0; i < v->n; i++)
		fv_done(&v->at[i]);
	free(v->at);
	if (!v->is_borrowed)
		buf_done(&v->s);
	*v = (struct fv){.type = FV_NIL};
}

void
fv_text(struct buf *out, const struct fv *v)
{
	switch (v->type) {
	case FV_NIL: buf_adds(out, "nil "); break;
	case FV_INT: buf_addf(out, "%jd ", (intmax_t)v->i); break;
	case FV_ERROR: buf_adds(out, "error "); break;
	case FV_STR:
		buf_addf(out, "%zu:", v->s.len);
		buf_add(out, v->s.data, v->s.len);
		buf_addc(out, ' ');
		break;
	case FV_ARRAY:
		buf_addc(out, '[');
		for (size_t i = 0; i < v->n; i++)
			fv_text(out, &v->at[i]);
		buf_addc(out, ']');
		break;
	}
}
