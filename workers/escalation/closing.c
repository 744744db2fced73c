/* closing.c - may pass 3 end? Each owner has signed the own list off, so has a leader or deputy of each team
 * that has an owner, no case is left that is neither confirmed nor at an end nor ruled, and each confirmed one is
 * complete: an own number and a parent's, or the reason why not. (Who was ruled has the ruling for a reason.)
 *
 * What is missing goes to Redis as one line, `closing` beside the book, for hfctl to say: numbers of cases and
 * ids of persons, nobody's name. Persons who were removed sign nothing: their leader does. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/escalation/campaign.h"

#define CASES_NAMED 50

struct closing {
	struct buf cases, numbers;
	struct map *owners; /* person id -> their rperson */
	uint64_t open, incomplete;
};

static void
look(struct router *r, struct rcase *c, void *arg)
{
	struct closing *x = arg;
	const char *owner = c->has_want ? c->want.owner : c->owner;
	struct rperson *p = owner[0] == '\0' ? NULL : person_find(r, owner);
	char hex[33];

	if (c->law.place == PLACE_UNRELEASED)
		return;
	if (p != NULL && p->active)
		map_put(x->owners, p->person, strlen(p->person), p);
	if (c->law.place != PLACE_TERMINAL && c->law.state == STATE_CONFIRMED &&
	    c->law.incomplete && policy_n(r->policy, SET_CLOSE_NUMBERS) != 0 &&
	    x->incomplete++ < CASES_NAMED) {
		hex_encode(hex, c->id, 16);
		buf_addf(&x->numbers, " number=%s,%s", hex, owner);
	}
	if (c->law.place == PLACE_TERMINAL || c->law.state == STATE_CONFIRMED ||
	    c->law.state == STATE_ADMITTED)
		return;
	if (x->open++ < CASES_NAMED) {
		hex_encode(hex, c->id, 16);
		buf_addf(&x->cases, " case=%s", hex);
	}
}

static bool
leads(const struct rperson *p, const char *team)
{
	return p->active && (p->roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0 &&
	       strcmp(p->team, team) == 0;
}

/* Has the team a leader at all, and has one signed? */
static bool
leader_signed(struct router *r, const char *team)
{
	struct map_iter it = map_begin(r->persons);
	bool any = false;
	void *v;

	while (map_next(&it, NULL, NULL, &v) != 0) {
		const struct rperson *p = v;

		if (!leads(p, team))
			continue;
		any = true;
		if (book_has_signed(&r->book, p->person))
			return true;
	}
	return !any;
}

static uint64_t
who_is_missing(struct router *r, struct closing *x, struct buf *out)
{
	struct map_iter it = map_begin(x->owners);
	struct map *teams = map_create();
	uint64_t n = 0;
	void *v;

	while (map_next(&it, NULL, NULL, &v) != 0) {
		struct rperson *p = v;

		if (!book_has_signed(&r->book, p->person)) {
			buf_addf(out, " owner=%s", p->person);
			n++;
		}
		if (p->team[0] == '\0' || map_get(teams, p->team, strlen(p->team)) != NULL)
			continue;
		map_put(teams, p->team, strlen(p->team), p);
		if (!leader_signed(r, p->team)) {
			buf_addf(out, " leader=%s", p->team);
			n++;
		}
	}
	map_destroy(teams, NULL);
	return n;
}

bool
closing_may(struct router *r, struct logid at)
{
	struct closing x = {.cases = BUF_INIT, .numbers = BUF_INIT, .owners = map_create()};
	uint64_t unsigned_lists;

	case_all(r, look, &x);
	buf_clear(&r->closing);
	buf_addf(&r->closing, "at=%" PRIu64 "-%" PRIu64, at.epoch, at.no);
	unsigned_lists = who_is_missing(r, &x, &r->closing);
	buf_addf(&r->closing, " open=%" PRIu64, x.open);
	buf_add(&r->closing, x.cases.data, x.cases.len);
	buf_addf(&r->closing, " incomplete=%" PRIu64, x.incomplete);
	buf_add(&r->closing, x.numbers.data, x.numbers.len);
	if (unsigned_lists + x.open + x.incomplete > 0)
		log_warn("pass.open",
		    "unsigned=%ju cases=%ju incomplete=%ju decision=\"pass 3 stays open\"",
		    (uintmax_t)unsigned_lists, (uintmax_t)x.open, (uintmax_t)x.incomplete);
	map_destroy(x.owners, NULL);
	buf_done(&x.cases);
	buf_done(&x.numbers);
	return unsigned_lists + x.open + x.incomplete == 0;
}
