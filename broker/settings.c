/* settings.c - how long a lease is, where we listen, with which key.
 *
 * Where the stores are is the installation's matter (workers/link/home); the rows here are the
 * broker's own. The broker's key pair is made when it is missing: whoever enrols agents reads the
 * public half. A Redis without users needs no password file. */
#include "broker/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"

static const struct conf_key keys[] = {
    {"bind", CONF_STR, NULL, 0, 0, NULL, "endpoint to bind instead of the first of `broker`"},
    {"lease_ms", CONF_INT, "120000", 2000, 3600000, "ms", "a lease lasts so long unrenewed"},
    {"guard_ms", CONF_INT, "0", 0, 600000, "ms", "waited beyond it; 0: lease_ms/1000 + 2000"},
    {"call_timeout_ms", CONF_INT, "5000", 100, 60000, "ms", "a call of the store is lost then"},
    {"check_ms", CONF_INT, "10000", 100, 60000, "ms", "how often the store's settings are read"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

/* `bind`, else the first word of the installation's `broker`. */
static int
choose_endpoint(struct settings *s, struct err *err)
{
	const char *given = conf_str(s->conf, "bind");
	const char *from = given[0] != '\0' ? given : s->home.broker;
	size_t len = strcspn(from, " \t");

	if (len == 0 || len >= sizeof(s->bind))
		return err_set(err, ERR_INVALID, "no endpoint: set `broker` in env.conf or --bind");
	memcpy(s->bind, from, len);
	s->bind[len] = '\0';
	return 0;
}

static int
load_conf(struct settings *s, const char *const *flags, struct err *err)
{
	char *path = xasprintf("%s/broker.conf", s->home.dir);
	int rc = conf_load(&s->conf, keys, access(path, F_OK) == 0 ? path : NULL, err);

	for (size_t i = 0; rc == 0 && flags[i] != NULL; i++)
		rc = conf_override(s->conf, flags[i], err);
	free(path);
	return rc;
}

static int
load_secrets(struct settings *s, struct err *err)
{
	struct err e = ERR_INIT;

	if (home_keypair(&s->home, "broker", HOME_CURVE, s->curve_pk, s->curve_secret, err) != 0)
		return err_wrap(err, "the broker's key");
	if (home_secret(
	        &s->home, "redis-broker", s->redis_password, sizeof(s->redis_password), &e) == 0)
		return 0;
	s->redis_password[0] = '\0';
	return e.code == ERR_NOT_FOUND ? 0 : err_set(err, e.code, "%s", e.text);
}

int
settings_load(struct settings *ret, const char *campaign, const char *const *flags, struct err *err)
{
	struct settings *s = ret;

	memset(s, 0, sizeof(*s));
	if (campaign[0] != '\0' && !text_is_id(campaign, strlen(campaign)))
		return err_set(err, ERR_INVALID, "HF_CAMPAIGN: no campaign has such a name");
	(void)snprintf(s->campaign, sizeof(s->campaign), "%s", campaign);
	if (home_load(&s->home, err) != 0 || load_conf(s, flags, err) != 0 ||
	    choose_endpoint(s, err) != 0 || load_secrets(s, err) != 0) {
		settings_done(s);
		return -1;
	}
	s->lease_ms = conf_int(s->conf, "lease_ms");
	s->guard_ms = conf_int(s->conf, "guard_ms");
	if (s->guard_ms == 0)
		s->guard_ms = s->lease_ms / 1000 + 2000;
	s->call_timeout_us = conf_int(s->conf, "call_timeout_ms") * 1000;
	s->check_us = conf_int(s->conf, "check_ms") * 1000;
	return 0;
}

void
settings_done(struct settings *s)
{
	crypt_wipe(s->redis_password, sizeof(s->redis_password));
	crypt_wipe(s->curve_secret, sizeof(s->curve_secret));
	conf_destroy(s->conf);
	s->conf = NULL;
}

void
settings_print(struct buf *out, const struct settings *s)
{
	conf_print(out, keys, s->conf);
}
