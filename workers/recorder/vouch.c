/* Which rows of an outbox its agent signed.
 *
 * Happy path: the rows hang on each other, so one signature over the newest hash covers them all.
 * Failures: where the chain is broken the stretch before it needs a signature of its own; if a
 * stretch's newest signature is bad, the newest good one is looked for and what comes after it is
 * flawed; without the agent's key all are. */
#include "base/crypt.h"
#include "workers/recorder/vouch.h"

static bool
signed_by(const struct row *r, const struct agent_key *key)
{
	return r->flaw != FLAW_FRAME &&
	       crypt_verify(r->rec.sig, key->sign_pk, span_of(r->rec.h, sizeof(r->rec.h)));
}

static void
find_fault(struct row *r, enum flaw flaw)
{
	if (r->flaw == FLAW_NONE)
		r->flaw = flaw;
}

void
vouch_box(struct batch *b, struct box *box)
{
	const struct agent_key *key = box->has_agent ? book_agent_find(b->book, box->agent) : NULL;
	bool covered = false;

	for (size_t i = box->last_row; i != SIZE_MAX; i = b->row[i].prev) {
		struct row *r = &b->row[i];

		if (key == NULL)
			find_fault(r, FLAW_AGENT);
		else if (!covered && !signed_by(r, key))
			find_fault(r, FLAW_SIGNATURE);
		else
			covered = true;
		/* What this row does not hang on, it does not cover. */
		covered = covered && r->linked;
	}
}
