/* settings.h - what the broker is told: env.conf of the installation, broker.conf beside it (may be
 * absent), environment and flags, in rising authority. Read once. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"

struct settings {
	struct conf *env, *own; /* owned; the strings below live in them */
	char home[256];
	char campaign[33]; /* "" = the only one there is */
	const char *redis, *keys;
	char bind[256]; /* where the ROUTER listens */
	const char *redis_user;
	char *redis_password; /* owned; NULL: Redis asks for none */
	uint8_t curve_secret[32];
	int64_t lease_ms, guard_ms;
	int64_t call_timeout_us; /* a batch without a reply for so long is unknown */
	int64_t check_us;        /* how often the store's own settings are looked at */
};

/* flags: "key=value" words, NULL-terminated or NULL. home, campaign: NULL or "" for none. */
int settings_load(struct settings *ret, const char *home, const char *campaign, const char **flags,
    struct err *err);
void settings_done(struct settings *s);
/* The commented broker.conf, with the values in force. */
void settings_print(struct buf *out, const struct settings *s);

#endif
