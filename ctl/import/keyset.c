/* Open addressing over an arena of keys: slot = (part of the hash, row, where the key lies). At
 * most two thirds full, doubled when needed. Limits are the caller's: rows are bounded. */
#include "ctl/import/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct slot {
	uint32_t row; /* 0: free */
	uint32_t hash;
	uint32_t at; /* in the arena: length byte, then the key */
};

struct keyset {
	uint64_t seed;
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used;
	struct buf arena;
};

struct keyset *
keyset_create(uint64_t seed)
{
	struct keyset *s = xcalloc(1, sizeof(*s));

	s->seed = seed;
	s->size = 4096;
	s->slots = xcalloc(s->size, sizeof(*s->slots));
	return s;
}

void
keyset_destroy(struct keyset *s)
{
	if (s == NULL)
		return;
	free(s->slots);
	buf_done(&s->arena);
	free(s);
}

static uint32_t
hash_of(const struct keyset *s, struct span key)
{
	uint64_t h = s->seed ^ (key.len * 0x9e3779b97f4a7c15u);

	for (size_t i = 0; i < key.len; i++) {
		h = (h ^ key.data[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return (uint32_t)(h ^ (h >> 29));
}

static struct slot *
find(struct keyset *s, struct span key, uint32_t hash)
{
	size_t i = hash & (s->size - 1);

	for (; s->slots[i].row != 0; i = (i + 1) & (s->size - 1)) {
		const uint8_t *at = s->arena.data + s->slots[i].at;

		if (s->slots[i].hash == hash && *at == key.len &&
		    memcmp(at + 1, key.data, key.len) == 0)
			break;
	}
	return &s->slots[i];
}

static void
grow(struct keyset *s)
{
	struct slot *old = s->slots;
	size_t size = s->size;

	s->size *= 2;
	s->slots = xcalloc(s->size, sizeof(*s->slots));
	for (size_t i = 0; i < size; i++) {
		size_t at = old[i].hash & (s->size - 1);

		if (old[i].row == 0)
			continue;
		while (s->slots[at].row != 0)
			at = (at + 1) & (s->size - 1);
		s->slots[at] = old[i];
	}
	free(old);
}

int64_t
keyset_add(struct keyset *s, struct span key, int64_t row)
{
	uint32_t hash = hash_of(s, key);
	struct slot *slot;

	CHECK(key.len <= 255 && row > 0 && row <= UINT32_MAX);
	slot = find(s, key, hash);
	if (slot->row != 0)
		return slot->row;
	CHECK(s->arena.len < UINT32_MAX - 256);
	*slot = (struct slot){(uint32_t)row, hash, (uint32_t)s->arena.len};
	buf_addc(&s->arena, (char)key.len);
	buf_add(&s->arena, key.data, key.len);
	if (++s->used * 3 > s->size * 2)
		grow(s);
	return 0;
}
