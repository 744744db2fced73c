/* Any bytes as a message of the key store: refused, or written again as the same bytes, rows and
 * all. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "proto/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_again(struct buf *out, struct keys_msg *m)
{
	struct keys_row row;

	switch (m->kind) {
	case KEYS_LOAD: keys_encode_load(out, m->campaign, m->from); break;
	case KEYS_SHRED: keys_encode_shred(out, m->campaign, m->case_id); break;
	case KEYS_ADDED: keys_encode_added(out, m->n); break;
	case KEYS_SHREDDED: keys_encode_shredded(out); break;
	case KEYS_ERROR: keys_encode_error(out, m->text); break;
	case KEYS_ADD: keys_encode_add(out, m->campaign, m->n_rows); break;
	case KEYS_ROWS: keys_encode_rows(out, m->next, m->done, m->n_rows); break;
	}
	if (m->kind != KEYS_ADD && m->kind != KEYS_ROWS)
		return;
	while (keys_row_next(m, &row))
		keys_encode_row(out, &row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT;
	struct err err = ERR_INIT;
	struct keys_msg m;

	if (size > KEYS_MSG_MAX)
		return 0;
	if (keys_decode(&m, span_of(data, size), &err) < 0) {
		CHECK(err.code == ERR_INVALID && err.text[0] != '\0');
		return 0;
	}
	write_again(&again, &m);
	CHECK(span_eq(buf_span(&again), span_of(data, size)));
	buf_done(&again);
	return 0;
}
