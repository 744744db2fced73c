/* settings.c - where the store, the keys and the secrets are, and how long a lease is.
 *
 * Two tables: env.conf is the installation's and the same for all programs, so its rows that are not
 * ours are read over; broker.conf is ours. A secret's file that is missing is refused, except the
 * Redis password: a private Redis without users needs none. */
#include "broker/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"

static const struct conf_key env_keys[] = {
    {"redis", CONF_STR, NULL, 0, 0, NULL, "the queue's store: unix:/path or tcp:host:port"},
    {"pg", CONF_STR, NULL, 0, 0, NULL, "the ledger (not read by the broker)"},
    {"broker", CONF_STR, NULL, 0, 0, NULL, "endpoints of the brokers; the first is bound"},
    {"keys", CONF_STR, NULL, 0, 0, NULL, "the key store's endpoint"},
    {"dashboard", CONF_STR, NULL, 0, 0, NULL, "not read by the broker"},
    {"archive", CONF_STR, NULL, 0, 0, NULL, "not read by the broker"},
    {"secrets", CONF_STR, NULL, 0, 0, NULL, "directory of broker.key and redis-<user>"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

static const struct conf_key own_keys[] = {
    {"bind", CONF_STR, NULL, 0, 0, NULL, "endpoint to bind instead of the first of `broker`"},
    {"redis_user", CONF_STR, "broker", 0, 0, NULL, "Redis user; its password is redis-<user>"},
    {"lease_ms", CONF_INT, "120000", 2000, 3600000, "ms", "a lease lasts so long unrenewed"},
    {"guard_ms", CONF_INT, "0", 0, 600000, "ms", "waited beyond it; 0: lease_ms/1000 + 2000"},
    {"call_timeout_ms", CONF_INT, "5000", 100, 60000, "ms", "a call of the store is lost then"},
    {"check_ms", CONF_INT, "10000", 100, 60000, "ms", "how often the store's settings are read"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

static int
read_secret(struct buf *out, const char *dir, const char *name, struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name);
	int rc = file_read(out, path, 4096, err);

	free(path);
	while (rc == 0 && out->len > 0 && strchr(" \t\r\n", out->data[out->len - 1]) != NULL)
		out->data[--out->len] = '\0';
	return rc;
}

static int
read_curve_secret(struct settings *s, const char *dir, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = read_secret(&text, dir, "broker.key", err);

	if (rc != 0)
		(void)err_wrap(err, "the broker's key");
	else if (!hex_decode(s->curve_secret, sizeof(s->curve_secret), (const char *)text.data,
		     text.len))
		rc = err_set(err, ERR_INVALID, "%s/broker.key: wants 64 hex digits", dir);
	if (text.data != NULL)
		crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return rc;
}

static int
read_password(struct settings *s, const char *dir, struct err *err)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	char *name = xasprintf("redis-%s", s->redis_user);
	int rc = read_secret(&text, dir, name, &e);

	free(name);
	if (rc == 0) {
		s->redis_password = xstrdup((const char *)text.data);
	} else if (e.code == ERR_NOT_FOUND) {
		s->redis_user = NULL;
		rc = 0;
	} else {
		rc = err_set(err, e.code, "the Redis password: %s", e.text);
	}
	if (text.data != NULL)
		crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return rc;
}

/* `bind`, else the first word of `broker`. */
static int
choose_endpoint(struct settings *s, struct err *err)
{
	const char *given = conf_str(s->own, "bind");
	const char *from = given[0] != '\0' ? given : conf_str(s->env, "broker");
	size_t len = strcspn(from, " \t");

	if (len == 0 || len >= sizeof(s->bind))
		return err_set(err, ERR_INVALID, "no endpoint: set `broker` in env.conf or --bind");
	memcpy(s->bind, from, len);
	s->bind[len] = '\0';
	return 0;
}

static int
load_files(struct settings *s, const char **flags, struct err *err)
{
	char *env_path = xasprintf("%s/env.conf", s->home);
	char *own_path = xasprintf("%s/broker.conf", s->home);
	bool has_own = access(own_path, F_OK) == 0;
	int rc = conf_load(&s->env, env_keys, env_path, err);

	if (rc == 0)
		rc = conf_load(&s->own, own_keys, has_own ? own_path : NULL, err);
	for (size_t i = 0; rc == 0 && flags != NULL && flags[i] != NULL; i++)
		rc = conf_override(s->own, flags[i], err);
	free(env_path);
	free(own_path);
	return rc;
}

int
settings_load(struct settings *ret, const char *home, const char *campaign, const char **flags,
    struct err *err)
{
	struct settings s = {.env = NULL};
	const char *secrets;

	if (home == NULL || home[0] == '\0')
		home = "var/local";
	if (campaign == NULL)
		campaign = "";
	if (strlen(home) >= sizeof(s.home))
		return err_set(err, ERR_INVALID, "HF_HOME is longer than %zu", sizeof(s.home) - 1);
	if (campaign[0] != '\0' && !text_is_id(campaign, strlen(campaign)))
		return err_set(err, ERR_INVALID, "HF_CAMPAIGN is no campaign's id");
	(void)snprintf(s.home, sizeof(s.home), "%s", home);
	(void)snprintf(s.campaign, sizeof(s.campaign), "%s", campaign);
	if (load_files(&s, flags, err) != 0 || choose_endpoint(&s, err) != 0)
		goto fail;
	s.redis = conf_str(s.env, "redis");
	s.keys = conf_str(s.env, "keys");
	s.redis_user = conf_str(s.own, "redis_user");
	s.lease_ms = conf_int(s.own, "lease_ms");
	s.guard_ms = conf_int(s.own, "guard_ms");
	if (s.guard_ms == 0)
		s.guard_ms = s.lease_ms / 1000 + 2000;
	s.call_timeout_us = conf_int(s.own, "call_timeout_ms") * 1000;
	s.check_us = conf_int(s.own, "check_ms") * 1000;
	secrets = conf_str(s.env, "secrets");
	if (s.redis[0] == '\0') {
		(void)err_set(err, ERR_INVALID, "env.conf names no `redis`");
		goto fail;
	}
	if (read_curve_secret(&s, secrets, err) != 0 || read_password(&s, secrets, err) != 0)
		goto fail;
	*ret = s;
	return 0;
fail:
	settings_done(&s);
	return -1;
}

void
settings_done(struct settings *s)
{
	if (s->redis_password != NULL)
		crypt_wipe(s->redis_password, strlen(s->redis_password));
	free(s->redis_password);
	crypt_wipe(s->curve_secret, sizeof(s->curve_secret));
	conf_destroy(s->env);
	conf_destroy(s->own);
}

void
settings_print(struct buf *out, const struct settings *s)
{
	conf_print(out, own_keys, s->own);
}
