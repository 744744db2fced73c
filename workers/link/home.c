/* home.c - reads env.conf and the secrets of one installation; makes key pairs that are missing.
 *
 * Happy path: HF_HOME or var/local, env.conf through the settings table below, secrets by name. A
 * missing file is an error that says which command writes it. A key pair is made once, by whoever
 * comes first: the file is linked into place, so that two programs starting together agree. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/check.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "base/zsock.h"
#include "workers/link/home.h"

static const struct conf_key keys[] = {
    {"redis", CONF_STR, NULL, 0, 0, NULL, "the queue's Redis: unix:/path or tcp:host:port"},
    {"pg", CONF_STR, NULL, 0, 0, NULL, "libpq connection words without user"},
    {"broker", CONF_STR, NULL, 0, 0, NULL, "endpoints of the brokers, separated by spaces"},
    {"keys", CONF_STR, NULL, 0, 0, NULL, "endpoint of the key store"},
    {"dashboard", CONF_STR, NULL, 0, 0, NULL, "address:port of the dashboard"},
    {"archive", CONF_STR, NULL, 0, 0, NULL, "directory of the archive"},
    {"secrets", CONF_STR, NULL, 0, 0, NULL, "directory of the secret files"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

static void
copy(char *out, size_t size, const struct conf *c, const char *name)
{
	snprintf(out, size, "%s", conf_str(c, name));
}

int
home_load(struct home *ret, struct err *err)
{
	const char *dir = getenv("HF_HOME");
	char path[PATH_MAX];
	struct conf *c;
	struct home h = {.dir = ""};

	if (dir == NULL || dir[0] == '\0')
		dir = "var/local";
	if (realpath(dir, path) == NULL || strlen(path) >= sizeof(h.dir))
		return err_set(err, ERR_NOT_FOUND,
		    "HF_HOME=%s is not there; start an installation with: deploy/local up", dir);
	memcpy(h.dir, path, strlen(path) + 1);
	if ((size_t)snprintf(path, sizeof(path), "%s/env.conf", h.dir) >= sizeof(path) ||
	    access(path, R_OK) != 0)
		return err_set(err, ERR_NOT_FOUND,
		    "%s/env.conf cannot be read; start the installation with: deploy/local up",
		    h.dir);
	if (conf_load(&c, keys, path, err) != 0)
		return -1;
	copy(h.redis, sizeof(h.redis), c, "redis");
	copy(h.pg, sizeof(h.pg), c, "pg");
	copy(h.broker, sizeof(h.broker), c, "broker");
	copy(h.keys, sizeof(h.keys), c, "keys");
	copy(h.dashboard, sizeof(h.dashboard), c, "dashboard");
	copy(h.archive, sizeof(h.archive), c, "archive");
	copy(h.secrets, sizeof(h.secrets), c, "secrets");
	conf_destroy(c);
	*ret = h;
	return 0;
}

int
home_secret(const struct home *h, const char *name, char *out, size_t size, struct err *err)
{
	char path[PATH_MAX];
	struct buf text = BUF_INIT;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", h->secrets, name);
	if (file_read(&text, path, 4096, err) != 0)
		return err_wrap(err, "secret %s", name);
	n = strcspn((char *)text.data, "\r\n");
	if (n + 1 > size) {
		buf_done(&text);
		return err_set(err, ERR_INVALID, "secret %s: too long", name);
	}
	memcpy(out, text.data, n);
	out[n] = '\0';
	crypt_wipe(text.data, text.len);
	buf_done(&text);
	return 0;
}

int
home_secret_key(const struct home *h, const char *name, uint8_t out[32], struct err *err)
{
	char text[80];

	if (home_secret(h, name, text, sizeof(text), err) != 0)
		return -1;
	if (!hex_decode(out, 32, text, strlen(text)))
		return err_set(err, ERR_CORRUPT, "secret %s: wants 64 hex digits", name);
	crypt_wipe(text, sizeof(text));
	return 0;
}

/* Writes 64 hex digits beside the final name and links it there; a loser of the race keeps the
 * winner's file. */
static int
write_once(const char *path, const uint8_t key[32], mode_t mode, struct err *err)
{
	char text[66], tmp[PATH_MAX];

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.%ld", path, (long)getpid()) >= sizeof(tmp))
		return err_set(err, ERR_INVALID, "path too long");
	hex_encode(text, key, 32);
	text[64] = '\n';
	if (file_replace(tmp, span_of(text, 65), mode, err) != 0)
		return -1;
	if (link(tmp, path) != 0 && errno != EEXIST) {
		unlink(tmp);
		return err_sys(err, "%s", path);
	}
	unlink(tmp);
	return file_sync_dir(path, err);
}

static void
public_of(enum home_key how, uint8_t pk[32], const uint8_t sk[32])
{
	uint8_t expanded[SIGN_SK_LEN];

	if (how == HOME_CURVE) {
		CHECK(zsock_curve_public(pk, sk) == 0);
		return;
	}
	crypt_sign_from_seed(pk, expanded, sk);
	crypt_wipe(expanded, sizeof(expanded));
}

int
home_keypair(const struct home *h, const char *name, enum home_key how, uint8_t pk[32],
    uint8_t sk_or_seed[32], struct err *err)
{
	char path[PATH_MAX], key[64], pub[64];
	uint8_t fresh[32], fresh_pk[32];

	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(pub, sizeof(pub), "%s.pub", name);
	snprintf(path, sizeof(path), "%s/%s", h->secrets, key);
	if (access(path, F_OK) != 0) {
		if (how == HOME_CURVE)
			zsock_curve_keypair(fresh_pk, fresh);
		else
			crypt_random(fresh, sizeof(fresh));
		if (write_once(path, fresh, 0600, err) != 0)
			return -1;
		crypt_wipe(fresh, sizeof(fresh));
	}
	if (home_secret_key(h, key, sk_or_seed, err) != 0)
		return -1;
	public_of(how, pk, sk_or_seed);
	snprintf(path, sizeof(path), "%s/%s", h->secrets, pub);
	if (access(path, F_OK) != 0)
		return write_once(path, pk, 0644, err);
	return 0;
}

void
home_conninfo(const struct home *h, const char *user, char *out, size_t size)
{
	snprintf(out, size, "%s user=%s", h->pg, user);
}

int
home_archive_beside(const struct home *h, const char *store_dir, bool *ret_beside, struct err *err)
{
	struct stat store, archive;

	if (stat(h->archive, &archive) != 0)
		return err_sys(err, "looking at the archive %s", h->archive);
	if (stat(store_dir, &store) != 0)
		return err_sys(err, "looking at %s", store_dir);
	*ret_beside = store.st_dev == archive.st_dev;
	return 0;
}

int
home_redis(const struct home *h, const char *user, struct rds_sync **ret, struct err *err)
{
	char name[64], password[256];

	snprintf(name, sizeof(name), "redis-%s", user);
	if (home_secret(h, name, password, sizeof(password), err) != 0)
		return -1;
	if (rds_sync_open(ret, h->redis, user, password, 5000000, err) != 0)
		return err_wrap(err, "redis");
	return 0;
}

/* A store that lost everything knows no campaign: then the name is taken as it is, for `recover` and for what
 * is read from PostgreSQL. */
static int
named_campaign(const struct rds_reply *there, const char *wanted, name_t ret, struct err *err)
{
	size_t n = rds_len(there);
	struct span other;

	if (!text_is_id(wanted, strlen(wanted)))
		return err_set(err, ERR_INVALID, "campaign: wants a-z 0-9 _ -, at most 32");
	snprintf(ret, sizeof(name_t), "%s", wanted);
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (span_eq_str(rds_str(rds_at(there, i)), wanted))
			return 0;
	other = rds_str(rds_at(there, 0));
	return err_set(err, ERR_NOT_FOUND,
	    "there is no campaign %s, but %.*s%s (--campaign, HF_CAMPAIGN)", wanted,
	    (int)(other.len > 32 ? 32 : other.len), (const char *)other.data,
	    n > 1 ? " and others" : "");
}

static int
only_campaign(const struct rds_reply *there, name_t ret, struct err *err)
{
	size_t n = rds_len(there);
	struct span only = rds_str(rds_at(there, 0));

	if (n == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no campaign yet: hfctl campaign create ID (was there one? hfctl "
		    "recover redis)");
	if (n > 1 || !text_is_id((const char *)only.data, only.len))
		return err_set(
		    err, ERR_INVALID, "there are %zu campaigns: name one with --campaign", n);
	snprintf(ret, sizeof(name_t), "%.*s", (int)only.len, (const char *)only.data);
	return 0;
}

int
home_campaign(struct rds_sync *redis, const char *wanted, name_t ret, struct err *err)
{
	struct span argv[] = {span_str("SMEMBERS"), span_str("hf:campaigns")};
	const struct rds_reply *r;
	int rc;

	if (wanted == NULL || wanted[0] == '\0')
		wanted = getenv("HF_CAMPAIGN");
	if (rds_sync_cmd(redis, argv, 2, &r, err) != 0)
		return -1;
	rc = wanted != NULL && wanted[0] != '\0' ? named_campaign(r, wanted, ret, err)
	                                         : only_campaign(r, ret, err);
	rds_sync_free(r);
	return rc;
}

void
home_ready(void)
{
	const char *fd = getenv("HF_NOTIFY_FD");
	uint64_t n;

	if (fd != NULL && text_to_u64(fd, strlen(fd), &n) && n <= INT_MAX) {
		ssize_t unused = write((int)n, "\n", 1);

		(void)unused;
		close((int)n);
		unsetenv("HF_NOTIFY_FD");
	}
	sd_notify(0, "READY=1");
}
