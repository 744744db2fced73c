/* keyclient.h - asking the key store (proto/keys.h): waiting calls for tools, a follower for daemons. */
#ifndef LINK_KEYCLIENT_H
#define LINK_KEYCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/zsock.h"
#include "proto/keys.h"

/* ---- for tools: each call waits up to 10 s, repeating itself over a new connection. ERR_LATE: no
 * answer (is hf-recorder running?); ERR_DENIED: refused, the store's words are in err. */

struct keyclient;
/* endpoint: `keys` of env.conf. Connects lazily, so it always succeeds. */
struct keyclient *keyclient_create(const char *endpoint);
void keyclient_destroy(struct keyclient *c); /* NULL-safe */

/* Any number of rows, in messages of KEYS_ROWS_MAX: a failure may leave the first of them added, and
 * repeating the whole is harmless. ret_new may be NULL. */
int keyclient_add(struct keyclient *c, const char *campaign, const struct keys_row *rows, size_t n,
    uint64_t *ret_new, struct err *err);
int keyclient_shred(
    struct keyclient *c, const char *campaign, const uint8_t case_id[16], struct err *err);
/* Every row of the campaign once, oldest first; a later row of the same case replaces an earlier one. */
typedef void keyclient_row_fn(void *arg, const struct keys_row *row);
int keyclient_load(struct keyclient *c, const char *campaign, keyclient_row_fn *on_row, void *arg,
    struct err *err);
/* One case's key. ERR_NOT_FOUND: unknown or shredded. Loads the whole campaign each time. */
int keyclient_get(struct keyclient *c, const char *campaign, const uint8_t case_id[16],
    uint8_t ret_key[32], struct err *err);

/* ---- for daemons: loads, then follows. on_row for each row, on_level once when the first load is
 * complete. Asks again every 3 s, so that lost pushes and a restarted store do no harm; a row may come
 * twice. NULL with err when the socket cannot be made. */

struct keyfollow;
typedef void keyfollow_level_fn(void *arg);
struct keyfollow *keyfollow_create(struct zctx *z, struct loop *l, const char *endpoint,
    const char *campaign, keyclient_row_fn *on_row, keyfollow_level_fn *on_level, void *arg,
    struct err *err);
void keyfollow_destroy(struct keyfollow *f); /* NULL-safe */
/* Asks now: for somebody who just missed a key. */
void keyfollow_ask(struct keyfollow *f);
/* The key of the campaign itself (KEYS_REF_CAMPAIGN), over a connection of its own to keys. Wipe it after use. */
int keyclient_campaign_key(
    const char *keys, const char *campaign, uint8_t key[32], struct err *err);

#endif
