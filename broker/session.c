/* session.c - sessions by id, by connection, by outbox.
 *
 * A session ends when its connection is found gone, when its key is revoked, when the epoch
 * changes or when it has been silent for long. ROUTER does not tell of a lost connection, so
 * silence is the rule and the rest is faster. An agent that reconnects has a new routing id and
 * a new session; the old one dies of silence, and pushes go to the newest of the outbox. */
#include "broker/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"

struct sessions {
	struct map *by_id;  /* owned */
	struct map *by_rid; /* borrowed */
	struct map *by_ob;  /* borrowed */
	uint64_t last_id;
};

struct sessions *
sessions_create(void)
{
	struct sessions *s = xcalloc(1, sizeof(*s));

	s->by_id = map_create();
	s->by_rid = map_create();
	s->by_ob = map_create();
	return s;
}

static void
session_free(void *arg)
{
	struct session *x = arg;

	free(x->persons);
	free(x->others);
	free(x);
}

void
sessions_destroy(struct sessions *s)
{
	if (s == NULL)
		return;
	map_destroy(s->by_rid, NULL);
	map_destroy(s->by_ob, NULL);
	map_destroy(s->by_id, session_free);
	free(s);
}

struct session *
session_find(const struct sessions *s, uint64_t id)
{
	struct session *x = map_get(s->by_id, &id, sizeof(id));

	return x == NULL || x->is_gone ? NULL : x;
}

struct session *
session_by_rid(const struct sessions *s, struct span rid)
{
	return map_get(s->by_rid, rid.data, rid.len);
}

struct session *
session_by_ob(const struct sessions *s, const uint8_t ob[16])
{
	return map_get(s->by_ob, ob, 16);
}

void
session_end(struct sessions *s, struct session *x)
{
	x->is_gone = true;
	if (map_get(s->by_rid, x->rid, x->rid_len) == x)
		(void)map_del(s->by_rid, x->rid, x->rid_len);
	if (map_get(s->by_ob, x->ob, sizeof(x->ob)) == x)
		(void)map_del(s->by_ob, x->ob, sizeof(x->ob));
}

struct session *
session_open(struct sessions *s, struct span rid, const uint8_t curve_pk[32],
    const uint8_t agent[16], const uint8_t ob[16])
{
	struct session *x = session_by_rid(s, rid);

	if (x != NULL && memcmp(x->agent, agent, sizeof(x->agent)) == 0 &&
	    memcmp(x->ob, ob, sizeof(x->ob)) == 0) {
		(void)map_put(s->by_ob, ob, 16, x);
		return x;
	}
	if (x != NULL)
		session_end(s, x);
	CHECK(rid.len <= ROUTING_ID_MAX);
	x = xcalloc(1, sizeof(*x));
	x->id = ++s->last_id;
	memcpy(x->rid, rid.data, rid.len);
	x->rid_len = rid.len;
	memcpy(x->curve_pk, curve_pk, sizeof(x->curve_pk));
	memcpy(x->agent, agent, sizeof(x->agent));
	memcpy(x->ob, ob, sizeof(x->ob));
	x->heard_us = clock_boot_us();
	(void)map_put(s->by_id, &x->id, sizeof(x->id), x);
	(void)map_put(s->by_rid, x->rid, x->rid_len, x);
	(void)map_put(s->by_ob, x->ob, sizeof(x->ob), x);
	return x;
}

void
session_set_persons(struct session *x, const struct session_person *persons, uint32_t n)
{
	x->persons = xrealloc(x->persons, n == 0 ? 1 : n, sizeof(*persons));
	if (n > 0)
		memcpy(x->persons, persons, n * sizeof(*persons));
	x->n_persons = n;
}

struct session_person *
session_person(struct session *x, const char *name)
{
	for (uint32_t i = 0; i < x->n_persons; i++)
		if (strcmp(x->persons[i].name, name) == 0)
			return &x->persons[i];
	return NULL;
}

struct session_other *
session_other(struct session *x, const char *name)
{
	for (uint32_t i = 0; i < x->n_others; i++)
		if (strcmp(x->others[i].name, name) == 0)
			return &x->others[i];
	return NULL;
}

struct session_other *
session_add_other(struct session *x, const char *name)
{
	struct session_other *o;

	if (x->n_others == SESSION_OTHERS)
		return NULL;
	if (x->others == NULL)
		x->others = xcalloc(SESSION_OTHERS, sizeof(*x->others));
	o = &x->others[x->n_others];
	CHECK(strlen(name) < sizeof(o->name));
	memcpy(o->name, name, strlen(name) + 1);
	o->state = OTHER_ASKED;
	x->n_others++;
	return o;
}

void
sessions_sweep(struct sessions *s, int64_t silent_before_us, session_end_fn *on_end, void *arg)
{
	struct map_iter it = map_begin(s->by_id);
	void *value;

	while (map_next(&it, NULL, NULL, &value)) {
		struct session *x = value;
		uint64_t id = x->id;

		if (!x->is_gone && x->heard_us >= silent_before_us)
			continue;
		if (!x->is_gone)
			session_end(s, x);
		(void)map_del(s->by_id, &id, sizeof(id));
		session_free(x);
		on_end(arg, id);
	}
}

void
sessions_each(struct sessions *s, session_each_fn *f, void *arg)
{
	struct map_iter it = map_begin(s->by_id);
	void *value;

	while (map_next(&it, NULL, NULL, &value))
		if (!((struct session *)value)->is_gone)
			f(arg, value);
}

size_t
sessions_count(const struct sessions *s)
{
	return map_count(s->by_id);
}
