/* seal.c - case keys in memory, and the bodies that the router must open: rows of an import, the text of
 * a policy, the digits of a number that was found. Nothing that was opened is kept or logged. */
#include <stdlib.h>
#include <string.h>

#include "base/crypt.h"
#include "base/log.h"
#include "proto/chain.h"
#include "workers/escalation/router.h"

const uint8_t *
seal_key(struct router *r, const uint8_t case_id[16])
{
	const uint8_t *key = map_get(r->keys, case_id, 16);

	if (key == NULL && r->follow != NULL)
		keyfollow_ask(r->follow);
	return key;
}

bool
seal_open_body(struct router *r, const struct log_entry *e, const uint8_t *case_id,
    struct buf *store, struct body *ret)
{
	static const uint8_t none[16];
	const uint8_t *key = seal_key(r, case_id == NULL ? none : case_id);
	struct frame f;

	memset(ret, 0, sizeof(*ret));
	if (e->f1.len == 0)
		return true;
	return key != NULL && frame_decode(&f, e->f0, NULL) == 0 && f.kind == MSG_RECORD &&
	       chain_body_open(store, key, case_id == NULL ? none : case_id, f.u.record.ob,
	           f.u.record.seq, e->f1, NULL) == 0 &&
	       body_decode(ret, buf_span(store), NULL) == 0;
}
