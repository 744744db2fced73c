/* roster.c - two tables read from texts. A row that does not read changes nothing, and is told. */
#include "broker/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"

struct roster {
	struct map *agents; /* id -> struct agent, owned */
	struct map *keys;   /* curve_pk -> the same, borrowed */
	struct map *persons;
};

struct roster *
roster_create(void)
{
	struct roster *r = xcalloc(1, sizeof(*r));

	r->agents = map_create();
	r->keys = map_create();
	r->persons = map_create();
	return r;
}

void
roster_destroy(struct roster *r)
{
	if (r == NULL)
		return;
	map_destroy(r->keys, NULL);
	map_destroy(r->agents, free);
	map_destroy(r->persons, free);
	free(r);
}

/* Takes the next word (up to a space or the end) off the front of s. */
static struct span
next_word(struct span *s)
{
	struct span word = {s->data, 0};

	while (word.len < s->len && s->data[word.len] != ' ')
		word.len++;
	s->data += word.len;
	s->len -= word.len;
	if (s->len > 0) {
		s->data++;
		s->len--;
	}
	return word;
}

static bool
word_hex(struct span word, uint8_t *out, size_t len)
{
	return hex_decode(out, len, (const char *)word.data, word.len);
}

static bool
word_flag(struct span word, bool *ret)
{
	if (word.len != 1 || (word.data[0] != '0' && word.data[0] != '1'))
		return false;
	*ret = word.data[0] == '1';
	return true;
}

static bool
word_name(struct span word, char out[33])
{
	if (!text_is_id((const char *)word.data, word.len))
		return false;
	memcpy(out, word.data, word.len);
	out[word.len] = '\0';
	return true;
}

bool
roster_put_agent(struct roster *r, struct span id, struct span row)
{
	struct agent a, *old, *holder;
	struct span state;

	if (!word_hex(id, a.id, sizeof(a.id)) ||
	    !word_hex(next_word(&row), a.curve_pk, sizeof(a.curve_pk)) ||
	    !word_hex(next_word(&row), a.sign_pk, sizeof(a.sign_pk)))
		return false;
	state = next_word(&row);
	a.active = span_eq_str(state, "active");
	if ((!a.active && !span_eq_str(state, "revoked")) || row.len != 0)
		return false;
	old = map_get(r->agents, a.id, sizeof(a.id));
	if (old == NULL) {
		old = xcalloc(1, sizeof(*old));
		(void)map_put(r->agents, a.id, sizeof(a.id), old);
	} else if (map_get(r->keys, old->curve_pk, sizeof(old->curve_pk)) == old) {
		(void)map_del(r->keys, old->curve_pk, sizeof(old->curve_pk));
	}
	*old = a;
	/* A revoked row does not hide an active one of the same key: rows come in any order. */
	holder = map_get(r->keys, a.curve_pk, sizeof(a.curve_pk));
	if (holder == NULL || a.active || !holder->active)
		(void)map_put(r->keys, a.curve_pk, sizeof(a.curve_pk), old);
	return true;
}

bool
roster_put_person(struct roster *r, struct span name, struct span row)
{
	struct person p = {.has_pk = true}, *old;
	struct span roles, team, pk;
	uint64_t bits;

	if (!word_name(name, p.name))
		return false;
	roles = next_word(&row);
	if (!text_to_u64((const char *)roles.data, roles.len, &bits) || bits > UINT32_MAX)
		return false;
	p.roles = (uint32_t)bits;
	team = next_word(&row);
	if (!span_eq_str(team, "-") && !word_name(team, p.team))
		return false;
	if (!word_flag(next_word(&row), &p.qualified))
		return false;
	pk = next_word(&row);
	if (span_eq_str(pk, "-"))
		p.has_pk = false;
	else if (!word_hex(pk, p.pk, sizeof(p.pk)))
		return false;
	if (!word_flag(next_word(&row), &p.active) || row.len != 0)
		return false;
	old = map_get(r->persons, p.name, strlen(p.name));
	if (old == NULL) {
		old = xcalloc(1, sizeof(*old));
		(void)map_put(r->persons, p.name, strlen(p.name), old);
	}
	*old = p;
	return true;
}

const struct agent *
roster_agent(const struct roster *r, const uint8_t id[16])
{
	return map_get(r->agents, id, 16);
}

const struct agent *
roster_agent_by_key(const struct roster *r, const uint8_t curve_pk[32])
{
	return map_get(r->keys, curve_pk, 32);
}

const struct person *
roster_person(const struct roster *r, const char *name)
{
	return map_get(r->persons, name, strlen(name));
}

size_t
roster_agents(const struct roster *r)
{
	return map_count(r->agents);
}
