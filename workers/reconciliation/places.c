/* places.c - each case is in exactly one place: one lane, or one lease, and the one that its state names.
 *
 * Happy path: every lane and the leases are read, each case they name is struck off the list of states; nothing is
 * left and nothing comes twice. Failures: Redis away. While people work, a case may move between two reads: the
 * caller looks twice. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"
#include "proto/call.h"
#include "workers/link/everycase.h"
#include "workers/reconciliation/finding.h"

#define LEASES "(leases)"

struct place {
	char where[80]; /* as the state says; LEASES while held */
	char first[80]; /* where it was found */
	unsigned found;
};

struct place_key {
	char key[160], member[40];
	size_t len;
};

struct places {
	struct rds_sync *redis;
	const char *campaign;
	struct map *cases; /* case -> struct place, owned */
	json_t *findings;
};

static int
command(struct places *p, const struct span *argv, size_t n, const struct rds_reply **ret,
    struct err *err)
{
	if (rds_sync_cmd(p->redis, argv, n, ret, err) != 0)
		return err_wrap(err, "redis");
	if (rds_type(*ret) == RDS_ERROR) {
		rds_sync_free(*ret);
		return err_set(err, ERR_DENIED, "redis refused to list the places of cases");
	}
	return 0;
}

static void
add_state(void *arg, struct span id, struct span text)
{
	struct places *p = arg;
	struct case_state s;
	struct place *x;

	if (id.len != 16 || case_state_decode(&s, text, NULL) != 0)
		return; /* the census says it */
	x = xcalloc(1, sizeof(*x));
	(void)snprintf(x->where, sizeof(x->where), "%s", s.held ? LEASES : s.lane);
	free(map_put(p->cases, id.data, 16, x));
}

static void
found(struct places *p, struct span id, const char *where)
{
	struct place *x;
	char hex[33];

	if (id.len != 16)
		return;
	x = map_get(p->cases, id.data, 16);
	hex_encode(hex, id.data, 16);
	if (x == NULL)
		finding_add(p->findings, "difference", "place-unknown", hex, where, NULL);
	else if (x->found++ == 0)
		(void)snprintf(x->first, sizeof(x->first), "%s", where);
	else
		finding_add(p->findings, "difference", "place-twice", hex, where, x->first);
}

/* A member of `leases` is token hex16 + case raw. */
static int
read_place(struct places *p, const char *suffix, const char *where, struct err *err)
{
	bool is_lease = strcmp(where, LEASES) == 0;
	char key[160];
	const struct rds_reply *r;
	struct span argv[4] = {span_str("ZRANGE"),
	    span_str(call_key(key, sizeof(key), p->campaign, suffix)), span_str("0"),
	    span_str("-1")};

	if (command(p, argv, 4, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < rds_len(r); i++) {
		struct span m = rds_str(rds_at(r, i));

		if (!is_lease)
			found(p, m, where);
		else if (m.len > 16)
			found(p, span_of(m.data + 16, m.len - 16), where);
	}
	rds_sync_free(r);
	return 0;
}

static int
read_places(struct places *p, struct err *err)
{
	char key[80], suffix[96];
	const struct rds_reply *r;
	struct span argv[2] = {
	    span_str("SMEMBERS"), span_str(call_key(key, sizeof(key), p->campaign, "lanes"))};
	int got;

	if (command(p, argv, 2, &r, err) != 0)
		return -1;
	got = read_place(p, "leases", LEASES, err);
	for (size_t i = 0; i < rds_len(r) && got == 0; i++) {
		struct span lane = rds_str(rds_at(r, i));

		(void)snprintf(
		    suffix, sizeof(suffix), "lane:%.*s", (int)lane.len, (const char *)lane.data);
		got = read_place(p, suffix, suffix + 5, err);
	}
	rds_sync_free(r);
	return got;
}

static void
judge(struct places *p)
{
	struct map_iter it = map_begin(p->cases);
	const void *id;
	void *v;
	char hex[33];

	while (map_next(&it, &id, NULL, &v) != 0) {
		const struct place *x = v;

		hex_encode(hex, id, 16);
		if (x->found == 0)
			finding_add(
			    p->findings, "difference", "place-nowhere", hex, NULL, x->where);
		else if (strcmp(x->first, x->where) != 0)
			finding_add(
			    p->findings, "difference", "place-other", hex, x->first, x->where);
	}
}

int
places_check(struct rds_sync *redis, const char *campaign, json_t *findings, struct err *err)
{
	struct places p = {
	    .redis = redis, .campaign = campaign, .cases = map_create(), .findings = findings};
	int got =
	    everycase(p.redis, p.campaign, add_state, &p, err) != 0 || read_places(&p, err) != 0
	        ? -1
	        : 0;

	if (got == 0)
		judge(&p);
	map_destroy(p.cases, free);
	return got;
}

/* The set and the member in it that a state says: keys holds both. */
static void
place_of(
    const struct case_state *s, const char *campaign, const uint8_t id[16], struct place_key *ret)
{
	char suffix[96];

	(void)snprintf(suffix, sizeof(suffix), "lane:%s", s->lane);
	call_key(ret->key, sizeof(ret->key), campaign, s->held ? "leases" : suffix);
	ret->len = s->held ? 32 : 16;
	if (s->held)
		(void)snprintf(ret->member, 17, "%016" PRIx64, s->token);
	memcpy(ret->member + ret->len - 16, id, 16);
}

int
places_check_some(struct rds_sync *redis, const char *campaign, uint8_t (*id)[16],
    const struct span *state, size_t n, json_t *findings, struct err *err)
{
	struct place_key *at = xcalloc(n + 1, sizeof(*at));
	struct span argv[3 * MOVED_BATCH];
	const struct rds_reply *r[MOVED_BATCH];
	size_t which[MOVED_BATCH], of = 0;
	struct case_state s;

	for (size_t i = 0; i < n; i++) {
		if (case_state_decode(&s, state[i], NULL) != 0)
			continue; /* the census says it */
		place_of(&s, campaign, id[i], &at[of]);
		argv[3 * of] = span_str("ZSCORE");
		argv[3 * of + 1] = span_str(at[of].key);
		argv[3 * of + 2] = span_of(at[of].member, at[of].len);
		which[of++] = i;
	}
	if (of > 0 && rds_sync_many(redis, argv, 3, of, r, err) != 0) {
		free(at);
		return err_wrap(err, "redis");
	}
	for (size_t i = 0; i < of; i++) {
		char hex[33];

		hex_encode(hex, id[which[i]], 16);
		if (rds_type(r[i]) == RDS_NIL)
			finding_add(findings, "difference", "place-nowhere", hex, NULL,
			    strchr(at[i].key, '}') + 2);
		rds_sync_free(r[i]);
	}
	free(at);
	return 0;
}
