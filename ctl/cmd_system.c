/* cmd_system.c - db migrate, config show, doctor.
 *
 * doctor asks each part the question that its users depend on and prints one line each; exit 1 when
 * one of them is a problem. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/migrate.h"
#include "ctl/show.h"
#include "base/crypt.h"
#include "proto/keys.h"

/* As hf_migrate; on a fresh server that role is not there yet, and the caller is the superuser. */
static int
db_migrate(struct ctl *c, int argc, char **argv, struct err *err)
{
	char dir[600], conninfo[700];
	struct pg *probe;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_system, "db", "migrate");
	if (home_load(&c->home, err) != 0)
		return -1;
	home_conninfo(&c->home, "hf_migrate", conninfo, sizeof(conninfo));
	if (pg_open(&probe, conninfo, NULL) == 0)
		pg_close(probe);
	else
		snprintf(conninfo, sizeof(conninfo), "%s", c->home.pg);
	if (migrate_run(conninfo, ctl_share(dir, sizeof(dir), "schema"), err) != 0)
		return err_wrap(err, "db migrate");
	fprintf(stderr, "数据库结构已是最新\n");
	return 0;
}

static int
config_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_system, "config", "show");
	if (home_load(&c->home, err) != 0)
		return -1;
	printf("home = \"%s\"\nredis = \"%s\"\npg = \"%s\"\nbroker = \"%s\"\nkeys = "
	       "\"%s\"\ndashboard = \"%s\"\n"
	       "archive = \"%s\"\nsecrets = \"%s\"\n",
	    c->home.dir, c->home.redis, c->home.pg, c->home.broker, c->home.keys, c->home.dashboard,
	    c->home.archive, c->home.secrets);
	return 0;
}

/* ---- doctor ---- */

static int
say(bool ok, const char *what, const char *text)
{
	printf("%s %-12s %s\n", ok ? "正常" : "问题", what, text);
	return ok ? 0 : EXIT_FOUND;
}

static bool
redis_value(struct ctl *c, const char *key, char *ret, size_t size)
{
	struct span argv[3] = {span_str("CONFIG"), span_str("GET"), span_str(key)}, value;
	const struct rds_reply *r;

	if (ctl_cmd(c, argv, 3, &r, NULL) != 0)
		return false;
	value = rds_str(rds_at(r, 1));
	(void)snprintf(ret, size, "%.*s", (int)value.len, (const char *)value.data);
	rds_sync_free(r);
	return true;
}

static bool
redis_setting(struct ctl *c, const char *key, const char *want)
{
	char value[64];

	return redis_value(c, key, value, sizeof(value)) && strcmp(value, want) == 0;
}

static int
check_redis(struct ctl *c)
{
	struct err err = ERR_INIT;

	if (ctl_redis(c, "admin", &err) != 0)
		return say(false, "redis", err.text);
	if (!redis_setting(c, "appendonly", "yes") || !redis_setting(c, "appendfsync", "always") ||
	    !redis_setting(c, "no-appendfsync-on-rewrite", "no"))
		return say(false, "redis",
		    "没有逐条落盘 (appendonly yes, appendfsync always, no-appendfsync-on-rewrite "
		    "no)");
	if (!redis_setting(c, "maxmemory-policy", "noeviction"))
		return say(false, "redis", "会丢键: maxmemory-policy 应为 noeviction");
	return say(true, "redis", "逐条落盘");
}

static int
check_pg(struct ctl *c)
{
	struct err err = ERR_INIT;

	if (ctl_pg(c, "hf_read", &err) != 0)
		return say(false, "postgresql", err.text);
	return say(true, "postgresql", "可读");
}

static int
check_keys(struct ctl *c)
{
	struct err err = ERR_INIT;
	uint8_t key[32];

	if (show_reserved_key(c, KEYS_REF_CAMPAIGN, key, &err) != 0)
		return say(false, "keys", err.text);
	crypt_wipe(key, sizeof(key));
	return say(true, "keys", "密钥库应答");
}

/* The installation's directory, and Redis' own if it is on this machine. */
static int
check_archive(struct ctl *c)
{
	static const char shared[] =
	    "与存储在同一块盘上: 这块盘坏了, 记录和归档一起没有; env.conf 的 archive 换一处";
	struct err err = ERR_INIT;
	char dir[512];
	bool beside;

	if (home_archive_beside(&c->home, c->home.dir, &beside, &err) != 0)
		return say(false, "archive", err.text);
	if (!beside && strncmp(c->home.redis, "unix:", 5) == 0 &&
	    redis_value(c, "dir", dir, sizeof(dir)))
		(void)home_archive_beside(&c->home, dir, &beside, NULL);
	return say(!beside, "archive", beside ? shared : "在另一块盘上");
}

static const char *const mode_text[] = {"发放中", "恢复中: 等租约到期或持有人回来",
    "已停: 存储不是原来那一份, 不要重启任何部分, 保留现场"};

static int
check_queue(struct ctl *c)
{
	struct call call;
	const struct rds_reply *r;
	struct err err = ERR_INIT;
	struct span mode;
	int code = EXIT_FOUND;

	call_begin(&call, "hf1_broker", c->campaign, show_now(c), clock_wall_ms(), 0);
	call_entry(&call, "leases");
	call_str(&call, "");
	if (ctl_fcall(c, &call, &r, &err) == 0) {
		mode = rds_str(rds_at(r, 0));
		code = mode.len == 1 && mode.data[0] <= '2'
		           ? say(mode.data[0] == '0', "queue", mode_text[mode.data[0] - '0'])
		           : say(false, "queue", "?");
		rds_sync_free(r);
	} else {
		say(false, "queue", err.text);
	}
	call_done(&call);
	return code;
}

static int
doctor(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct err why = ERR_INIT;
	int found;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_system, "doctor", NULL);
	if (home_load(&c->home, err) != 0)
		return -1;
	found = check_redis(c);
	found |= check_pg(c);
	if (found == 0 && ctl_campaign(c, &why) != 0)
		return say(false, "campaign", why.text);
	if (c->campaign[0] != '\0') {
		found |= check_keys(c);
		found |= check_archive(c);
		found |= check_queue(c);
	}
	return found;
}

const struct verb verbs_system[] = {
    {"db", "migrate", db_migrate, "", "把数据库结构升到最新"},
    {"config", "show", config_show, "", "此安装的各部分在哪里"},
    {"doctor", NULL, doctor, "", "逐项检查, 有问题时退出码为 1"},
    {NULL, NULL, NULL, NULL, NULL},
};
