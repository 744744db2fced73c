/* map.h - a hash table from byte strings to pointers; the one wrapper of uthash.
 *
 * Keys are copied, values are borrowed: whoever puts a value frees it (map_done's `free_value` may
 * be NULL). Removing the entry under the iterator is allowed. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

struct map;

struct map *map_create(void);
void map_destroy(struct map *m, void (*free_value)(void *)); /* NULL-safe */
void *map_get(const struct map *m, const void *key, size_t key_len);
/* Returns the value that was there before, or NULL. */
void *map_put(struct map *m, const void *key, size_t key_len, void *value);
void *map_del(struct map *m, const void *key, size_t key_len);
size_t map_count(const struct map *m);

struct map_iter {
	void *next;
};
struct map_iter map_begin(const struct map *m);
/* 0 at the end; else fills what is not NULL. */
int map_next(struct map_iter *it, const void **ret_key, size_t *ret_key_len, void **ret_value);

#endif
