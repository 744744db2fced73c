/* take.c - TAKE: one named case, or the one that a telephone number belongs to.
 *
 * By case: the store says whether the person owns it or it lies in one of the lanes that the
 * person's roles open. By number: the digits become a keyed index here and nothing else; of the
 * cases found an own one comes first, then one that nobody owns (whoever answers the telephone
 * may take it), and for another's the answer is `denied` and whose it is. */
#include "broker/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/keyring.h"
#include "broker/rights.h"
#include "broker/waiters.h"
#include "proto/chain.h"
#include "proto/keys.h"

#define RETRY_MS   2000
#define DIGITS_MAX 32
#define ROW_FIELDS 6 /* case, lane or hand:…, due, version, owner, task */

bool
work_number_index(struct broker *b, struct span digits, uint8_t ret[8])
{
	char text[DIGITS_MAX + 1];
	uint8_t key[32];
	bool has;

	if (digits.len == 0 || digits.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++)
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
	memcpy(text, digits.data, digits.len);
	text[digits.len] = '\0';
	has = keyring_reserved(b->keys, KEYS_REF_INDEX, key);
	if (has)
		chain_index(ret, key, "num", text);
	crypt_wipe(key, sizeof(key));
	crypt_wipe(text, sizeof(text));
	return has;
}

static void
submit_take(struct work *w, const uint8_t case_id[16], const char *lanes)
{
	struct op *o = op_create("take", work_done, w);

	op_bytes(o, w->ob, sizeof(w->ob));
	op_str(o, w->person);
	op_u(o, w->next_no);
	op_bytes(o, case_id, 16);
	op_str(o, lanes);
	op_submit(w->rq.b->batch, o);
}

/* Which of the cases with this number: the best rank, and the row's place. */
enum rank { RANK_NONE, RANK_OTHERS, RANK_ROLE, RANK_NOBODYS, RANK_OWN };

static bool
lane_is_open(const char *lanes, const char *lane)
{
	size_t len = strlen(lane);

	for (const char *at = lanes; *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, lane, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

static enum rank
rank_of(const struct work *w, const struct reply *r, size_t at, const char *lanes)
{
	char owner[40], lane[96];

	reply_text(r, at + 1, lane, sizeof(lane));
	reply_text(r, at + 4, owner, sizeof(owner));
	if (strcmp(owner, w->person) == 0)
		return RANK_OWN;
	if (strcmp(owner, "-") == 0 || owner[0] == '\0')
		return RANK_NOBODYS;
	return lane_is_open(lanes, lane) ? RANK_ROLE : RANK_OTHERS;
}

static void
choose_by_number(struct work *w, struct session *s, const struct reply *r)
{
	struct broker *b = w->rq.b;
	const struct person *p = roster_person(b->roster, w->person);
	enum rank best = RANK_NONE;
	size_t best_at = 0;
	char lanes[320] = "", owner[33];
	uint8_t case_id[16];

	if (p != NULL)
		(void)rights_take(p, lanes, sizeof(lanes));
	for (size_t at = 1; at + ROW_FIELDS <= r->n; at += ROW_FIELDS) {
		enum rank rank = rank_of(w, r, at, lanes);

		if (rank > best) {
			best = rank;
			best_at = at;
		}
	}
	if (best > RANK_OTHERS && reply_bytes(r, best_at, case_id, sizeof(case_id))) {
		struct work *next = work_create(b, s, MSG_TAKE, w->person, w->next_no);

		submit_take(next, case_id, best == RANK_NOBODYS ? "*" : lanes);
		return;
	}
	reply_text(r, best_at + 4, owner, sizeof(owner));
	work_none(b, s, w->person, w->next_no, best == RANK_NONE ? "not-found" : "denied", 0,
	    best == RANK_NONE ? "" : owner);
}

static void
on_number(void *arg, const struct reply *r)
{
	struct work *w = arg;
	struct session *s = request_end(&w->rq);

	if (s != NULL && !request_failed(&w->rq, s, r)) {
		if (r->outcome == DONE_OK)
			choose_by_number(w, s, r);
		else
			work_none(w->rq.b, s, w->person, w->next_no, "not-found", 0, "");
	}
	free(w);
}

static void
take_by_number(struct work *w, struct session *s, struct span digits)
{
	struct broker *b = w->rq.b;
	uint8_t index[8], key[32];
	struct op *o;

	if (!work_number_index(b, digits, index)) {
		bool has_key = keyring_reserved(b->keys, KEYS_REF_INDEX, key);

		crypt_wipe(key, sizeof(key));
		(void)request_end(&w->rq);
		work_none(b, s, w->person, w->next_no, has_key ? "not-found" : "backlog",
		    has_key ? 0 : RETRY_MS, "");
		free(w);
		return;
	}
	o = op_create("number", on_number, w);
	op_bytes(o, index, sizeof(index));
	op_submit(b->batch, o);
}

void
work_take(struct broker *b, struct session *s, const struct msg_take *m, struct span f1)
{
	const struct person *p = work_person(b, s, m->person, MSG_TAKE, m->next_no);
	const char *why;
	char lanes[320];
	struct work *w;

	if (p == NULL)
		return;
	waiters_drop(b->waiters, s->ob, m->person);
	if (!rights_take(p, lanes, sizeof(lanes))) {
		work_none(b, s, m->person, m->next_no, "denied", 0, "");
		return;
	}
	if (!broker_may_grant(b, &why)) {
		work_none(b, s, m->person, m->next_no, why, RETRY_MS, "");
		return;
	}
	w = work_create(b, s, MSG_TAKE, m->person, m->next_no);
	if (m->has_case)
		submit_take(w, m->case_id, lanes);
	else
		take_by_number(w, s, f1);
}
