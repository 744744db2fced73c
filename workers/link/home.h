/* home.h - which installation a program works for, and where its parts are (ARCHITECTURE.md 2).
 *
 * HF_HOME names the directory (default var/local), env.conf in it says the rest. Secrets are read
 * from files in the directory `secrets`, never from the environment. */
#ifndef LINK_HOME_H
#define LINK_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rds.h"
#include "proto/frame.h"

struct home {
	char dir[512];
	char redis[256];  /* "unix:/…" */
	char pg[512];     /* without user= */
	char broker[512]; /* endpoints, separated by spaces */
	char keys[256];
	char dashboard[128];
	char archive[512];
	char secrets[512];
};

/* ERR_NOT_FOUND with what to do when there is no env.conf. */
int home_load(struct home *ret, struct err *err);
/* One line of a secret file, without the newline. NUL-terminated into out. */
int home_secret(const struct home *h, const char *name, char *out, size_t size, struct err *err);
/* 64 hex digits of a secret file -> 32 bytes. */
int home_secret_key(const struct home *h, const char *name, uint8_t out[32], struct err *err);
/* The secret key file and its public twin (name.key, name.pub), made when missing: how tells which kind. */
enum home_key { HOME_CURVE, HOME_SIGN };
int home_keypair(const struct home *h, const char *name, enum home_key how, uint8_t pk[32],
    uint8_t sk_or_seed[32], struct err *err);
/* A libpq conninfo with this user. */
void home_conninfo(const struct home *h, const char *user, char *out, size_t size);

/* Whether the archive lies on the same device as this directory of a store: one disk would then lose both. ERR_IO or
 * ERR_DENIED: one of them cannot be seen from here. */
int home_archive_beside(
    const struct home *h, const char *store_dir, bool *ret_beside, struct err *err);

/* A waiting connection to Redis as this user. */
int home_redis(const struct home *h, const char *user, struct rds_sync **ret, struct err *err);
/* wanted or HF_CAMPAIGN, which must be a member of hf:campaigns unless that is empty; else its only member.
 * ERR_NOT_FOUND: there is none yet, or none of that name; ERR_INVALID: there are several and none was named. */
int home_campaign(struct rds_sync *redis, const char *wanted, name_t ret, struct err *err);

/* Tells whoever started us that we run: a newline on HF_NOTIFY_FD, READY=1 to systemd. */
void home_ready(void);

#endif
