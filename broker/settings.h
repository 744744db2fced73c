/* settings.h - what the broker is told: the installation (env.conf), broker.conf beside it (may be
 * absent), environment and flags, in rising authority. Read once. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "workers/link/home.h"

struct settings {
	struct home home;
	struct conf *conf;        /* owned */
	name_t campaign;          /* "" = the only one there is */
	char bind[256];           /* where the ROUTER listens */
	char redis_password[256]; /* "": Redis asks for none */
	uint8_t curve_pk[32], curve_secret[32];
	int64_t lease_ms, guard_ms;
	int64_t call_timeout_us; /* a batch without a reply for so long is unknown */
	int64_t check_us;        /* how often the store's own settings are looked at */
};

/* flags: "key=value" words, NULL-terminated. campaign: "" for none. */
int settings_load(
    struct settings *ret, const char *campaign, const char *const *flags, struct err *err);
void settings_done(struct settings *s);
/* The commented broker.conf, with the values in force. */
void settings_print(struct buf *out, const struct settings *s);

#endif
