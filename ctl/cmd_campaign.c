/* cmd_campaign.c - campaign create: the one act that cannot be a record, since nothing is there yet.
 *
 * Happy path: row and epoch 1 in PostgreSQL, secrets, the queue's library in Redis, the campaign's three
 * keys in the key store, agent directories of hfctl and of the router, `open` and their admission, and
 * last the name in hf:campaigns, for which the daemons wait. Each step may be repeated: a create that was
 * cut off is run again and goes on. An existing campaign is refused, also one that only Redis forgot. */
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/show.h"
#include "proto/keys.h"
#include "proto/roles.h"
#include "workers/link/identity.h"
#include "workers/link/keyclient.h"

#define ADMIN_ROLES (ROLE_ADMIN | ROLE_DATA | ROLE_OPERATOR)

/* ---- what root made belongs to whom the installation belongs to ---- */

static uid_t give_uid;
static gid_t give_gid;

static int
give_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return lchown(path, give_uid, give_gid);
}

static int
give(const struct ctl *c, const char *path, struct err *err)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(c->home.secrets, &st) != 0)
		return err_sys(err, "%s", c->home.secrets);
	give_uid = st.st_uid;
	give_gid = st.st_gid;
	if (nftw(path, give_one, 16, FTW_PHYS) != 0)
		return err_sys(err, "chown %s", path);
	return 0;
}

/* ---- the steps ---- */

static int
redis_knows(struct ctl *c, bool *ret, struct err *err)
{
	struct span argv[3] = {
	    span_str("SISMEMBER"), span_str("hf:campaigns"), span_str(c->campaign)};
	const struct rds_reply *r;

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	*ret = rds_int(r) == 1;
	rds_sync_free(r);
	return 0;
}

/* The campaign's row and epoch 1; the incarnation is the one that stands there already, if any. */
static int
in_postgres(struct ctl *c, char incarnation[33], struct err *err)
{
	struct pg_param p[2] = {pg_text(c->campaign), pg_text(c->as != NULL ? c->as : "admin")};
	struct pg_result *r;

	if (ctl_pg(c, "hf_migrate", err) != 0)
		return err_wrap(err, "PostgreSQL (first: hfctl db migrate)");
	if (pg_exec(c->pg, "INSERT INTO hf.campaign (campaign) VALUES ($1) ON CONFLICT DO NOTHING",
	        p, 1, NULL, err) != 0 ||
	    pg_exec(c->pg,
	        "INSERT INTO hf.epoch (campaign, epoch, incarnation, why, by_whom) VALUES ($1, 1, "
	        "decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), 'create', $2) ON "
	        "CONFLICT DO NOTHING",
	        p, 2, NULL, err) != 0 ||
	    pg_exec(c->pg,
	        "SELECT encode(incarnation, 'hex') FROM hf.epoch WHERE campaign = $1 AND epoch = 1",
	        p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (pg_rows(r) != 1 || pg_get(r, 0, 0).len != 32) {
		pg_free(r);
		return err_set(err, ERR_CORRUPT, "PostgreSQL: epoch 1 does not read");
	}
	memcpy(incarnation, pg_get(r, 0, 0).data, 32);
	incarnation[32] = '\0';
	pg_free(r);
	return 0;
}

/* What a recorder has read stood in Redis once. If it is gone, opening epoch 1 again would give out the
 * tokens of that life a second time. */
static int
was_never_lived(struct ctl *c, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *r;
	bool lived;

	if (pg_exec(c->pg, "SELECT 1 FROM hf.cursor WHERE campaign = $1", p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	lived = pg_rows(r) > 0;
	pg_free(r);
	return !lived ? 0
	              : err_set(err, ERR_EXISTS,
	                    "活动 %s 早已建立, 是 Redis 丢了它的数据: 不能再建, 请用 hfctl recover "
	                    "redis",
	                    c->campaign);
}

int
ctl_load_library(struct ctl *c, struct err *err)
{
	char path[600];
	struct buf lua = BUF_INIT;
	const struct rds_reply *r;
	int got;

	if (file_read(&lua, ctl_share(path, sizeof(path), "queue.lua"), 1 << 20, err) != 0)
		return -1;
	struct span argv[4] = {
	    span_str("FUNCTION"), span_str("LOAD"), span_str("REPLACE"), buf_span(&lua)};

	got = ctl_cmd(c, argv, 4, &r, err);
	if (got == 0)
		rds_sync_free(r);
	buf_done(&lua);
	return got;
}

static int
make_kek(struct ctl *c, struct err *err)
{
	char path[PATH_MAX], text[66];
	uint8_t kek[32];
	int got;

	snprintf(path, sizeof(path), "%s/kek", c->home.secrets);
	if (access(path, F_OK) == 0)
		return 0;
	crypt_random(kek, sizeof(kek));
	hex_encode(text, kek, sizeof(kek));
	text[64] = '\n';
	got = file_replace(path, span_of(text, 65), 0600, err);
	crypt_wipe(kek, sizeof(kek));
	crypt_wipe(text, sizeof(text));
	return got;
}

/* Three reserved keys; those that are there already stay. */
static int
campaign_keys(struct ctl *c, struct err *err)
{
	struct keyclient *k = keyclient_create(c->home.keys);
	int got = 0;

	for (uint8_t which = 0; which <= KEYS_REF_RECEIPT && got == 0; which++) {
		struct keys_row row = {.shredded = false};
		struct err why = ERR_INIT;
		uint8_t old[32];

		keys_reserved(row.case_id, which);
		if (keyclient_get(k, c->campaign, row.case_id, old, &why) == 0)
			continue;
		if (why.code != ERR_NOT_FOUND) {
			*err = why;
			got = -1;
			break;
		}
		crypt_random(row.key, sizeof(row.key));
		got = keyclient_add(k, c->campaign, &row, 1, NULL, err);
		crypt_wipe(row.key, sizeof(row.key));
	}
	keyclient_destroy(k);
	return got != 0 ? err_wrap(err, "key store") : 0;
}

/* The agent directory HF_HOME/<what>/<campaign> with one unattended person. */
static int
own_agent(struct ctl *c, const char *what, const char *person, struct identity *id, uint8_t pk[32],
    struct err *err)
{
	char dir[560], path[600];
	struct person_key key;
	uint8_t sk[32];
	int got;

	snprintf(dir, sizeof(dir), "%s/%s/%s", c->home.dir, what, c->campaign);
	memcpy(id->campaign, c->campaign, sizeof(id->campaign));
	snprintf(id->brokers, sizeof(id->brokers), "%s", c->home.broker);
	if (home_keypair(&c->home, "broker", HOME_CURVE, id->broker_key, sk, err) != 0 ||
	    home_keypair(&c->home, "recorder", HOME_SIGN, id->recorder_key, sk, err) != 0)
		return -1;
	crypt_wipe(sk, sizeof(sk));
	snprintf(path, sizeof(path), "%s/agent.conf", dir);
	got = access(path, F_OK) == 0 ? identity_load(id, dir, err) : identity_create(id, dir, err);
	if (got != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/persons/%s.key", dir, person);
	if (access(path, F_OK) != 0)
		got = identity_add_person(id, person, NULL, pk, err);
	else if ((got = identity_open_person(id, person, NULL, &key, err)) == 0) {
		memcpy(pk, key.pk, 32);
		person_key_done(&key);
	}
	snprintf(path, sizeof(path), "%s/%s", c->home.dir, what);
	return got == 0 ? give(c, path, err) : -1;
}

static void
admit(struct call *call, const struct identity *id, const char *person, uint64_t roles,
    const uint8_t pk[32])
{
	char hex[65];

	call_entry(call, "admit_agent");
	hex_encode(hex, id->agent, 16);
	call_str(call, hex);
	hex_encode(hex, id->curve_pk, 32);
	call_str(call, hex);
	hex_encode(hex, id->sign_pk, 32);
	call_str(call, hex);
	call_str(call, "active");
	call_entry(call, "admit_person");
	call_str(call, person);
	call_u(call, roles);
	call_str(call, "-");
	call_str(call, "0");
	hex_encode(hex, pk, 32);
	call_str(call, hex);
	call_str(call, "1");
}

static int
open_queue(struct ctl *c, const char *incarnation, const char *admin, struct err *err)
{
	struct identity ctl_id = {.dir = ""}, router = {.dir = ""};
	uint8_t ctl_pk[32], router_pk[32];
	const struct rds_reply *r;
	struct call call;
	int got = 0;

	if (own_agent(c, "ctl", admin, &ctl_id, ctl_pk, err) != 0 ||
	    own_agent(c, "router", "router", &router, router_pk, err) != 0)
		return -1;
	call_begin(&call, "hf1_router", c->campaign, show_now(c), clock_wall_ms(), 0);
	call_entry(&call, "open");
	call_u(&call, 1);
	call_str(&call, incarnation);
	call_str(&call, "create");
	admit(&call, &ctl_id, admin, ADMIN_ROLES, ctl_pk);
	admit(&call, &router, "router", ROLE_SYSTEM, router_pk);
	got = ctl_fcall(c, &call, &r, err);
	for (size_t i = 5; got == 0 && i < rds_len(r); i++) {
		if (!span_eq_str(rds_str(rds_at(rds_at(r, i), 0)), "ok"))
			got = err_set(
			    err, ERR_CORRUPT, "redis: step %zu of the opening was refused", i - 4);
	}
	if (got == 0)
		rds_sync_free(r);
	call_done(&call);
	identity_done(&ctl_id);
	identity_done(&router);
	return got;
}

static int
announce(struct ctl *c, struct err *err)
{
	struct span argv[3] = {span_str("SADD"), span_str("hf:campaigns"), span_str(c->campaign)};
	const struct rds_reply *r;

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	rds_sync_free(r);
	return 0;
}

static int
campaign_create(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *admin = opt_take(&argc, argv, "--admin", true);
	char incarnation[33];
	bool known;

	if (argc != 1)
		return ctl_usage(err, verbs_campaign, "campaign", "create");
	if (!text_is_id(argv[0], strlen(argv[0])))
		return err_set(err, ERR_INVALID, "活动编号只能用 a-z 0-9 _ -, 最长 32 个字符");
	if (admin == NULL)
		admin = c->as != NULL ? c->as : "admin";
	if (!text_is_id(admin, strlen(admin)))
		return err_set(err, ERR_INVALID, "人员编号只能用 a-z 0-9 _ -, 最长 32 个字符");
	snprintf(c->campaign, sizeof(c->campaign), "%s", argv[0]);
	if (ctl_redis(c, "admin", err) != 0 || redis_knows(c, &known, err) != 0)
		return -1;
	if (known)
		return err_set(err, ERR_EXISTS, "活动 %s 已经存在", c->campaign);
	if (in_postgres(c, incarnation, err) != 0 || was_never_lived(c, err) != 0 ||
	    make_kek(c, err) != 0 || give(c, c->home.secrets, err) != 0 ||
	    ctl_load_library(c, err) != 0 || campaign_keys(c, err) != 0 ||
	    open_queue(c, incarnation, admin, err) != 0 || give(c, c->home.secrets, err) != 0 ||
	    announce(c, err) != 0)
		return -1;
	if (c->json)
		printf("{\"campaign\":\"%s\",\"epoch\":1,\"admin\":\"%s\"}\n", c->campaign, admin);
	else
		printf("活动 %s 已建立, 操作人 %s 的钥匙在 %s/ctl/%s\n", c->campaign, admin,
		    c->home.dir, c->campaign);
	return 0;
}

const struct verb verbs_campaign[] = {
    {"campaign", "create", campaign_create, "ID [--admin PERSON]", "建立一个活动"},
    {NULL, NULL, NULL, NULL, NULL},
};
