/* The recorder's memory between two commits. Nothing here fails. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/recorder/book.h"

int
log_id_cmp(struct log_id a, struct log_id b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	if (a.no != b.no)
		return a.no < b.no ? -1 : 1;
	return 0;
}

bool
log_id_parse(struct span text, struct log_id *ret)
{
	const uint8_t *dash = text.len == 0 ? NULL : memchr(text.data, '-', text.len);
	struct log_id id;
	size_t len;

	if (dash == NULL)
		return false;
	len = (size_t)(dash - text.data);
	if (!text_to_u64((const char *)text.data, len, &id.epoch) ||
	    !text_to_u64((const char *)dash + 1, text.len - len - 1, &id.no))
		return false;
	*ret = id;
	return true;
}

struct book *
book_create(const char *campaign)
{
	struct book *b = xcalloc(1, sizeof(*b));

	CHECK(strlen(campaign) <= NAME_MAX_LEN);
	memcpy(b->campaign, campaign, strlen(campaign));
	b->boxes = map_create();
	b->agents = map_create();
	return b;
}

void
book_destroy(struct book *b)
{
	if (b == NULL)
		return;
	map_destroy(b->boxes, free);
	map_destroy(b->agents, free);
	free(b);
}

struct box *
book_box(struct book *b, const uint8_t ob[16])
{
	struct box *box = map_get(b->boxes, ob, 16);

	if (box == NULL) {
		box = xcalloc(1, sizeof(*box));
		memcpy(box->ob, ob, sizeof(box->ob));
		(void)map_put(b->boxes, ob, 16, box);
	}
	return box;
}

void
book_agent(struct book *b, const uint8_t agent[16], const uint8_t sign_pk[32])
{
	struct agent_key *k = map_get(b->agents, agent, 16);

	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		(void)map_put(b->agents, agent, 16, k);
	}
	memcpy(k->sign_pk, sign_pk, sizeof(k->sign_pk));
}

const struct agent_key *
book_agent_find(const struct book *b, const uint8_t agent[16])
{
	return map_get(b->agents, agent, 16);
}

bool
box_h_known(const struct box *b)
{
	static const uint8_t zeros[32];

	return b->upto == 0 || memcmp(b->h, zeros, sizeof(zeros)) != 0;
}
