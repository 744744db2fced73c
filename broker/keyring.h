/* keyring.h - the case keys, in memory only, followed from the key store. */
#ifndef BROKER_KEYRING_H
#define BROKER_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct broker;
struct keyring;

/* NULL with err when the socket cannot be made; a key store that does not answer is no error. */
struct keyring *keyring_create(struct broker *b, struct err *err);
void keyring_destroy(struct keyring *k); /* NULL-safe; wipes */
/* false: not known (yet), or shredded; out is then zeros. */
bool keyring_get(const struct keyring *k, const uint8_t case_id[16], uint8_t out[32]);
bool keyring_reserved(const struct keyring *k, uint8_t which, uint8_t out[32]); /* KEYS_REF_* */
void keyring_ask(struct keyring *k); /* somebody missed a key: look now */
size_t keyring_count(const struct keyring *k);

#endif
