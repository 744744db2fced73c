/* identity.c - reads and makes an agent's directory, opens persons' keys, signs logins.
 *
 * Happy path: agent.conf through the settings table, two key files, a person's key by PIN. A directory is
 * made file by file, agent.conf last, so one without it was never finished and may be made again.
 * Failures: what is missing or damaged is named with its file; a wrong PIN is ERR_DENIED. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "base/zsock.h"
#include "proto/chain.h"
#include "workers/link/identity.h"

static const struct conf_key agent_keys[] = {
    {"campaign", CONF_STR, NULL, 0, 0, NULL, "the campaign this agent works for"},
    {"brokers", CONF_STR, NULL, 0, 0, NULL, "endpoints of the brokers, separated by spaces"},
    {"broker_key", CONF_STR, NULL, 0, 0, NULL, "the brokers' CURVE public key, hex"},
    {"recorder_key", CONF_STR, NULL, 0, 0, NULL, "the recorder's Ed25519 public key, hex"},
    {"agent", CONF_STR, NULL, 0, 0, NULL, "this agent's id, hex"},
    {"curve_pk", CONF_STR, NULL, 0, 0, NULL, "this agent's CURVE public key, hex"},
    {"sign_pk", CONF_STR, NULL, 0, 0, NULL, "this agent's Ed25519 public key, hex"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

static const struct conf_key person_keys[] = {
    {"salt", CONF_STR, NULL, 0, 0, NULL, "of argon2id, hex"},
    {"sealed", CONF_STR, NULL, 0, 0, NULL, "the seed sealed under the PIN's key, hex"},
    {"unattended", CONF_STR, NULL, 0, 0, NULL, "1: the seed lies open"},
    {"seed", CONF_STR, NULL, 0, 0, NULL, "the open seed, hex"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

static int
path_of(char out[600], const struct identity *id, const char *name, struct err *err)
{
	if (snprintf(out, 600, "%s/%s", id->dir, name) >= 600)
		return err_set(err, ERR_INVALID, "the agent's directory has too long a name");
	return 0;
}

static int
read_hex(const struct identity *id, const char *name, uint8_t out[32], struct err *err)
{
	char path[600];
	struct buf text = BUF_INIT;
	int got;

	if (path_of(path, id, name, err) != 0 || file_read(&text, path, 4096, err) != 0)
		return -1;
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	got = hex_decode(out, 32, (char *)text.data, text.len)
	          ? 0
	          : err_set(err, ERR_CORRUPT, "%s: wants 64 hex digits", path);
	crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return got;
}

static int
conf_hex(const struct conf *c, const char *key, uint8_t *out, size_t len, const char *path,
    struct err *err)
{
	const char *text = conf_str(c, key);

	if (!hex_decode(out, len, text, strlen(text)))
		return err_set(err, ERR_CORRUPT, "%s: %s wants %zu hex digits", path, key, 2 * len);
	return 0;
}

static int
load_conf(struct identity *id, struct err *err)
{
	char path[600];
	struct conf *c;
	int got = -1;

	if (path_of(path, id, "agent.conf", err) != 0)
		return -1;
	if (access(path, R_OK) != 0)
		return err_set(err, ERR_NOT_FOUND,
		    "%s cannot be read: enrol with hfctl agent enrol --person P --out DIR", path);
	if (conf_load(&c, agent_keys, path, err) != 0)
		return -1;
	snprintf(id->campaign, sizeof(id->campaign), "%s", conf_str(c, "campaign"));
	snprintf(id->brokers, sizeof(id->brokers), "%s", conf_str(c, "brokers"));
	if (!text_is_id(id->campaign, strlen(id->campaign)) || id->brokers[0] == '\0')
		err_set(err, ERR_CORRUPT, "%s: campaign or brokers missing", path);
	else if (conf_hex(c, "broker_key", id->broker_key, 32, path, err) == 0 &&
	         conf_hex(c, "recorder_key", id->recorder_key, 32, path, err) == 0 &&
	         conf_hex(c, "agent", id->agent, 16, path, err) == 0)
		got = 0;
	conf_destroy(c);
	return got;
}

/* Public halves from the secret ones; the agent's id must be theirs. */
static int
load_keys(struct identity *id, struct err *err)
{
	uint8_t seed[32], agent[16];

	if (read_hex(id, "curve.key", id->curve_sk, err) != 0 ||
	    read_hex(id, "sign.key", seed, err) != 0)
		return -1;
	if (zsock_curve_public(id->curve_pk, id->curve_sk) != 0)
		return err_set(err, ERR_CORRUPT, "%s/curve.key is no CURVE key", id->dir);
	crypt_sign_from_seed(id->sign_pk, id->sign_sk, seed);
	crypt_wipe(seed, sizeof(seed));
	chain_agent_id(agent, id->curve_pk, id->sign_pk);
	if (memcmp(agent, id->agent, 16) != 0)
		return err_set(
		    err, ERR_CORRUPT, "%s: the keys are not those of agent.conf", id->dir);
	return 0;
}

int
identity_load(struct identity *ret, const char *dir, struct err *err)
{
	struct identity id = {.dir = ""};

	if (strlen(dir) >= sizeof(id.dir))
		return err_set(err, ERR_INVALID, "the agent's directory has too long a name");
	memcpy(id.dir, dir, strlen(dir) + 1);
	if (load_conf(&id, err) != 0 || load_keys(&id, err) != 0) {
		identity_done(&id);
		return -1;
	}
	*ret = id;
	identity_done(&id);
	return 0;
}

void
identity_done(struct identity *id)
{
	crypt_wipe(id->curve_sk, sizeof(id->curve_sk));
	crypt_wipe(id->sign_sk, sizeof(id->sign_sk));
}

/* ---- making ---- */

static int
write_hex(const struct identity *id, const char *name, const uint8_t key[32], struct err *err)
{
	char path[600], text[66];
	int got;

	if (path_of(path, id, name, err) != 0)
		return -1;
	hex_encode(text, key, 32);
	text[64] = '\n';
	got = file_replace(path, span_of(text, 65), 0600, err);
	crypt_wipe(text, sizeof(text));
	return got;
}

static void
add_hex(struct buf *b, const char *key, const uint8_t *data, size_t len)
{
	char hex[65];

	hex_encode(hex, data, len);
	buf_addf(b, "%s = \"%s\"\n", key, hex);
}

static int
write_conf(const struct identity *id, struct err *err)
{
	char path[600];
	struct buf b = BUF_INIT;
	int got;

	if (path_of(path, id, "agent.conf", err) != 0)
		return -1;
	buf_addf(&b, "campaign = \"%s\"\nbrokers = \"%s\"\n", id->campaign, id->brokers);
	add_hex(&b, "broker_key", id->broker_key, 32);
	add_hex(&b, "recorder_key", id->recorder_key, 32);
	add_hex(&b, "agent", id->agent, 16);
	add_hex(&b, "curve_pk", id->curve_pk, 32);
	add_hex(&b, "sign_pk", id->sign_pk, 32);
	got = file_replace(path, buf_span(&b), 0600, err);
	buf_done(&b);
	return got;
}

int
identity_create(struct identity *id, const char *dir, struct err *err)
{
	char path[600];
	uint8_t seed[32];
	int got;

	if (strlen(dir) >= sizeof(id->dir))
		return err_set(err, ERR_INVALID, "the agent's directory has too long a name");
	memcpy(id->dir, dir, strlen(dir) + 1);
	if (path_of(path, id, "agent.conf", err) != 0)
		return -1;
	if (access(path, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "%s is an enrolled agent's already", dir);
	if (path_of(path, id, "persons", err) != 0 || file_mkdirs(path, 0700, err) != 0)
		return -1;
	zsock_curve_keypair(id->curve_pk, id->curve_sk);
	crypt_random(seed, sizeof(seed));
	crypt_sign_from_seed(id->sign_pk, id->sign_sk, seed);
	chain_agent_id(id->agent, id->curve_pk, id->sign_pk);
	got = write_hex(id, "curve.key", id->curve_sk, err) != 0 ||
	              write_hex(id, "sign.key", seed, err) != 0 || write_conf(id, err) != 0
	          ? -1
	          : 0;
	crypt_wipe(seed, sizeof(seed));
	return got;
}

/* ---- persons ---- */

static int
person_path(char out[600], const struct identity *id, const char *person, struct err *err)
{
	char name[80];

	if (!text_is_id(person, strlen(person)))
		return err_set(err, ERR_INVALID, "person: wants a-z 0-9 _ -, at most 32");
	snprintf(name, sizeof(name), "persons/%s.key", person);
	return path_of(out, id, name, err);
}

static void
person_ad(struct buf *ad, const char *person)
{
	buf_adds(ad, "hf1-person");
	buf_adds(ad, person);
}

static int
seal_seed(
    struct buf *out, const char *person, const char *pin, const uint8_t seed[32], struct err *err)
{
	uint8_t salt[16], key[32];
	struct buf ad = BUF_INIT, sealed = BUF_INIT;
	char hex[2 * (32 + SEAL_OVERHEAD) + 1];

	crypt_random(salt, sizeof(salt));
	if (crypt_password_key(key, pin, salt, err) != 0)
		return -1;
	person_ad(&ad, person);
	crypt_seal(&sealed, key, span_of(seed, 32), buf_span(&ad));
	crypt_wipe(key, sizeof(key));
	add_hex(out, "salt", salt, sizeof(salt));
	hex_encode(hex, sealed.data, sealed.len);
	buf_addf(out, "sealed = \"%s\"\n", hex);
	buf_done(&ad);
	buf_done(&sealed);
	return 0;
}

static int
write_person(const char *path, const char *person, const char *pin, const uint8_t seed[32],
    uint8_t ret_pk[32], struct err *err)
{
	struct buf text = BUF_INIT;
	uint8_t sk[64];
	int got = 0;

	if (pin != NULL) {
		got = seal_seed(&text, person, pin, seed, err);
	} else {
		buf_adds(&text, "unattended = \"1\"\n");
		add_hex(&text, "seed", seed, 32);
	}
	if (got == 0)
		got = file_replace(path, buf_span(&text), 0600, err);
	if (got == 0)
		crypt_sign_from_seed(ret_pk, sk, seed);
	crypt_wipe(sk, sizeof(sk));
	crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return got;
}

int
identity_add_person(const struct identity *id, const char *person, const char *pin,
    uint8_t ret_pk[32], struct err *err)
{
	char path[600];
	uint8_t seed[32];
	int got;

	if (person_path(path, id, person, err) != 0)
		return -1;
	if (access(path, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "%s has a key there already", person);
	crypt_random(seed, sizeof(seed));
	got = write_person(path, person, pin, seed, ret_pk, err);
	crypt_wipe(seed, sizeof(seed));
	return got;
}

static int
read_seal(struct person_seal *ret, const struct conf *c, struct err *err)
{
	const char *seed = conf_str(c, "seed"), *salt = conf_str(c, "salt"),
	           *sealed = conf_str(c, "sealed");

	ret->is_open = strcmp(conf_str(c, "unattended"), "1") == 0;
	if (ret->is_open)
		return hex_decode(ret->seed, 32, seed, strlen(seed))
		           ? 0
		           : err_set(err, ERR_CORRUPT, "key of %s: seed wants 64 hex digits",
		                 ret->person);
	if (!hex_decode(ret->salt, 16, salt, strlen(salt)) ||
	    !hex_decode(ret->sealed, sizeof(ret->sealed), sealed, strlen(sealed)))
		return err_set(err, ERR_CORRUPT, "key of %s is damaged", ret->person);
	return 0;
}

int
identity_person_seal(
    const struct identity *id, const char *person, struct person_seal *ret, struct err *err)
{
	char path[600];
	struct conf *c;
	int got;

	if (person_path(path, id, person, err) != 0)
		return -1;
	if (access(path, R_OK) != 0)
		return err_set(err, ERR_NOT_FOUND, "%s is not enrolled in %s", person, id->dir);
	if (conf_load(&c, person_keys, path, err) != 0)
		return -1;
	snprintf(ret->person, sizeof(ret->person), "%s", person);
	got = read_seal(ret, c, err);
	conf_destroy(c);
	return got;
}

static int
unseal(const struct person_seal *s, const char *pin, uint8_t seed[32], struct err *err)
{
	uint8_t key[32];
	struct buf ad = BUF_INIT, plain = BUF_INIT;
	int got;

	if (s->is_open) {
		memcpy(seed, s->seed, 32);
		return 0;
	}
	if (pin == NULL)
		return err_set(err, ERR_DENIED, "%s: a PIN is needed", s->person);
	if (crypt_password_key(key, pin, s->salt, err) != 0)
		return -1;
	person_ad(&ad, s->person);
	got = crypt_open(&plain, key, span_of(s->sealed, sizeof(s->sealed)), buf_span(&ad), NULL);
	crypt_wipe(key, sizeof(key));
	if (got == 0)
		memcpy(seed, plain.data, 32);
	else
		err_set(err, ERR_DENIED, "%s: wrong PIN", s->person);
	crypt_wipe(plain.data, plain.cap);
	buf_done(&plain);
	buf_done(&ad);
	return got;
}

int
person_unseal(const struct person_seal *s, const char *pin, struct person_key *ret, struct err *err)
{
	uint8_t seed[32];

	if (unseal(s, pin, seed, err) != 0)
		return -1;
	memcpy(ret->person, s->person, sizeof(ret->person));
	crypt_sign_from_seed(ret->pk, ret->sk, seed);
	crypt_wipe(seed, sizeof(seed));
	return 0;
}

int
identity_open_person(const struct identity *id, const char *person, const char *pin,
    struct person_key *ret, struct err *err)
{
	struct person_seal s;
	int got = identity_person_seal(id, person, &s, err);

	if (got == 0)
		got = person_unseal(&s, pin, ret, err);
	crypt_wipe(&s, sizeof(s));
	return got;
}

int
identity_reset_pin(const struct identity *id, const char *person, const char *pin,
    uint8_t ret_pk[32], bool *ret_new, struct err *err)
{
	struct person_seal s;
	char path[600];
	int got;

	if (person_path(path, id, person, err) != 0 ||
	    identity_person_seal(id, person, &s, err) != 0)
		return -1;
	*ret_new = !s.is_open;
	if (*ret_new)
		crypt_random(s.seed, sizeof(s.seed));
	got = write_person(path, person, pin, s.seed, ret_pk, err);
	crypt_wipe(&s, sizeof(s));
	return got;
}

void
person_key_done(struct person_key *k)
{
	crypt_wipe(k->sk, sizeof(k->sk));
}

bool
identity_is_unattended(const struct identity *id, const char *person)
{
	char path[600];
	struct conf *c;
	bool open;

	if (person_path(path, id, person, NULL) != 0 || conf_load(&c, person_keys, path, NULL) != 0)
		return false;
	open = strcmp(conf_str(c, "unattended"), "1") == 0;
	conf_destroy(c);
	return open;
}

int
identity_only_person(const struct identity *id, name_t ret, struct err *err)
{
	char path[600];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	if (path_of(path, id, "persons", err) != 0)
		return -1;
	d = opendir(path);
	if (d == NULL)
		return err_sys(err, "%s", path);
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 5 || len > 36 || strcmp(e->d_name + len - 4, ".key") != 0 ||
		    !text_is_id(e->d_name, len - 4))
			continue;
		if (n++ == 0)
			snprintf(ret, sizeof(name_t), "%.*s", (int)(len - 4), e->d_name);
	}
	closedir(d);
	if (n == 1)
		return 0;
	return n == 0 ? err_set(err, ERR_NOT_FOUND, "nobody is enrolled in %s", id->dir)
	              : err_set(err, ERR_INVALID, "%zu persons are enrolled in %s: name one", n,
	                    id->dir);
}

void
identity_login(const struct identity *id, const struct person_key *k, const uint8_t ob[16],
    uint64_t from, uint64_t until, struct login *ret)
{
	struct buf b = BUF_INIT;

	memcpy(ret->person, k->person, sizeof(ret->person));
	ret->from = from;
	ret->until = until;
	chain_login_bytes(&b, id->campaign, k->person, id->agent, ob, from, until);
	crypt_sign(ret->sig, k->sk, buf_span(&b));
	buf_done(&b);
}

void
identity_sign_outbox(const struct identity *id, const uint8_t ob[16], uint8_t sig[64])
{
	struct buf b = BUF_INIT;

	chain_outbox_bytes(&b, id->campaign, id->agent, ob);
	crypt_sign(sig, id->sign_sk, buf_span(&b));
	buf_done(&b);
}
