/* map.c - a hash table from byte strings to pointers, over uthash.
 *
 * An entry holds a copy of its key and a borrowed value. Entries keep the order of their first put,
 * so a walk is the same in each run. The walk remembers the entry after the one it gave out, which is
 * why the one given out may be removed (and no other). */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define uthash_fatal(msg) check_failed(__FILE__, __LINE__, msg)
#include <uthash.h>

struct entry {
	UT_hash_handle hh;
	void *value; /* borrowed */
	size_t key_len;
	unsigned char key[];
};

struct map {
	struct entry *head;
};

struct map *
map_create(void)
{
	return xcalloc(1, sizeof(struct map));
}

static void
remove_entry(struct map *m, struct entry *e)
{
	HASH_DELETE(hh, m->head, e); /* NOLINT(clang-analyzer-unix.Malloc): lost in the macro */
	free(e);
}

void
map_destroy(struct map *m, void (*free_value)(void *))
{
	struct entry *e, *next;

	if (m == NULL)
		return;
	for (e = m->head; e != NULL; e = next) {
		void *value = e->value;

		next = e->hh.next;
		remove_entry(m, e);
		if (free_value != NULL)
			free_value(value);
	}
	free(m);
}

static struct entry *
find(const struct map *m, const void *key, size_t key_len)
{
	struct entry *e = NULL;

	HASH_FIND(hh, m->head, key, (unsigned int)key_len, e);
	return e;
}

void *
map_get(const struct map *m, const void *key, size_t key_len)
{
	struct entry *e = find(m, key, key_len);

	return e == NULL ? NULL : e->value;
}

void *
map_put(struct map *m, const void *key, size_t key_len, void *value)
{
	struct entry *e = find(m, key, key_len);
	void *old = NULL;

	CHECK(key_len < 1U << 30);
	if (e != NULL) {
		old = e->value;
		e->value = value;
		return old;
	}
	e = xcalloc(1, sizeof(*e) + key_len);
	memcpy(e->key, key, key_len);
	e->key_len = key_len;
	e->value = value;
	HASH_ADD_KEYPTR(hh, m->head, e->key, (unsigned int)key_len, e);
	return NULL;
}

void *
map_del(struct map *m, const void *key, size_t key_len)
{
	struct entry *e = find(m, key, key_len);
	void *value;

	if (e == NULL)
		return NULL;
	value = e->value;
	remove_entry(m, e);
	return value;
}

size_t
map_count(const struct map *m)
{
	return HASH_COUNT(m->head);
}

struct map_iter
map_begin(const struct map *m)
{
	return (struct map_iter){m->head};
}

int
map_next(struct map_iter *it, const void **ret_key, size_t *ret_key_len, void **ret_value)
{
	struct entry *e = it->next;

	if (e == NULL)
		return 0;
	it->next = e->hh.next;
	if (ret_key != NULL)
		*ret_key = e->key;
	if (ret_key_len != NULL)
		*ret_key_len = e->key_len;
	if (ret_value != NULL)
		*ret_value = e->value;
	return 1;
}
