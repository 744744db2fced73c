/* keyring.c - case -> key, as the key store pushes them.
 *
 * Kept for the life of the process and wiped when it ends or a case is shredded; the process
 * cannot be dumped (main.c). A key that is not there means: nothing that needs it is handed out. */
#include "broker/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/map.h"
#include "broker/broker.h"
#include "broker/settings.h"
#include "broker/waiters.h"
#include "workers/link/keyclient.h"

struct keyring {
	struct broker *b; /* borrowed */
	struct keyfollow *follow;
	struct map *keys; /* case -> 32 bytes, owned */
};

static void
wipe_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static void
on_row(void *arg, const struct keys_row *row)
{
	struct keyring *k = arg;
	uint8_t *key = map_get(k->keys, row->case_id, sizeof(row->case_id));

	if (row->shredded) {
		if (key == NULL)
			return;
		(void)map_del(k->keys, row->case_id, sizeof(row->case_id));
		wipe_key(key);
		return;
	}
	if (key == NULL) {
		key = xmalloc(sizeof(row->key));
		(void)map_put(k->keys, row->case_id, sizeof(row->case_id), key);
	}
	memcpy(key, row->key, sizeof(row->key));
}

static void
on_level(void *arg)
{
	struct keyring *k = arg;

	log_info("keys.loaded", "keys=%zu", map_count(k->keys));
	waiters_all(k->b->waiters);
}

struct keyring *
keyring_create(struct broker *b, struct err *err)
{
	struct keyring *k = xcalloc(1, sizeof(*k));

	k->b = b;
	k->keys = map_create();
	k->follow = keyfollow_create(
	    b->z, b->loop, b->settings->home.keys, b->campaign, on_row, on_level, k, err);
	if (k->follow == NULL) {
		keyring_destroy(k);
		return NULL;
	}
	return k;
}

void
keyring_destroy(struct keyring *k)
{
	if (k == NULL)
		return;
	keyfollow_destroy(k->follow);
	map_destroy(k->keys, wipe_key);
	free(k);
}

bool
keyring_get(const struct keyring *k, const uint8_t case_id[16], uint8_t out[32])
{
	const uint8_t *key = k == NULL ? NULL : map_get(k->keys, case_id, 16);

	if (key == NULL) {
		memset(out, 0, 32);
		return false;
	}
	memcpy(out, key, 32);
	return true;
}

bool
keyring_reserved(const struct keyring *k, uint8_t which, uint8_t out[32])
{
	uint8_t ref[16];

	keys_reserved(ref, which);
	return keyring_get(k, ref, out);
}

void
keyring_ask(struct keyring *k)
{
	if (k != NULL)
		keyfollow_ask(k->follow);
}

size_t
keyring_count(const struct keyring *k)
{
	return k == NULL ? 0 : map_count(k->keys);
}
