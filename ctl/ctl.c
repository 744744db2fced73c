/* ctl.c - opens what a verb needs, once, and takes options out of its words. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

static int
home_once(struct ctl *c, struct err *err)
{
	return c->home.dir[0] != '\0' ? 0 : home_load(&c->home, err);
}

int
ctl_redis(struct ctl *c, const char *user, struct err *err)
{
	if (c->redis != NULL)
		return 0;
	if (home_once(c, err) != 0)
		return -1;
	return home_redis(&c->home, c->read_only ? "dash" : user, &c->redis, err);
}

int
ctl_campaign(struct ctl *c, struct err *err)
{
	if (c->campaign[0] != '\0')
		return 0;
	if (ctl_redis(c, "admin", err) != 0)
		return -1;
	return home_campaign(c->redis, c->wanted, c->campaign, err);
}

int
ctl_pg(struct ctl *c, const char *user, struct err *err)
{
	char conninfo[700];

	if (c->pg != NULL)
		return 0;
	if (home_once(c, err) != 0)
		return -1;
	home_conninfo(&c->home, user, conninfo, sizeof(conninfo));
	return pg_open(&c->pg, conninfo, err);
}

int
ctl_cmd(
    struct ctl *c, const struct span *argv, size_t n, const struct rds_reply **ret, struct err *err)
{
	const struct rds_reply *r;
	struct span text;

	if (rds_sync_cmd(c->redis, argv, n, &r, err) != 0)
		return err_wrap(err, "redis");
	if (rds_type(r) == RDS_ERROR) {
		text = rds_str(r);
		err_set(err, ERR_CORRUPT, "redis: %.*s", (int)(text.len > 200 ? 200 : text.len),
		    (const char *)text.data);
		rds_sync_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

int
ctl_cmd_many(struct ctl *c, const struct span *argv, size_t argc, size_t n,
    const struct rds_reply **ret, struct err *err)
{
	if (rds_sync_many(c->redis, argv, argc, n, ret, err) != 0)
		return err_wrap(err, "redis");
	for (size_t i = 0; i < n; i++) {
		struct span text = rds_str(ret[i]);

		if (rds_type(ret[i]) != RDS_ERROR)
			continue;
		err_set(err, ERR_CORRUPT, "redis: %.*s", (int)(text.len > 200 ? 200 : text.len),
		    (const char *)text.data);
		for (size_t k = 0; k < n; k++)
			rds_sync_free(ret[k]);
		return -1;
	}
	return 0;
}

int
ctl_fcall(struct ctl *c, struct call *call, const struct rds_reply **ret, struct err *err)
{
	size_t n;
	const struct span *argv = call_argv(call, &n);
	int got = ctl_cmd(c, argv, n, ret, err);

	if (got == 0 && rds_len(*ret) < 5) {
		rds_sync_free(*ret);
		return err_set(
		    err, ERR_CORRUPT, "redis: the queue's answer has %zu parts", rds_len(*ret));
	}
	return got;
}

int
ctl_usage(struct err *err, const struct verb *table, const char *noun, const char *verb)
{
	for (const struct verb *v = table; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) == 0 &&
		    ((v->verb == NULL && verb == NULL) ||
		        (v->verb != NULL && verb != NULL && strcmp(v->verb, verb) == 0)))
			return err_set(err, ERR_INVALID, "用法: hfctl %s%s%s %s", noun,
			    verb ? " " : "", verb ? verb : "", v->usage);
	}
	return err_set(err, ERR_INVALID, "用法: hfctl --help");
}

char *
ctl_share(char *out, size_t size, const char *name)
{
	const char *dir = getenv("HF_SHARE");
	char exe[PATH_MAX];
	ssize_t n;

	if (dir != NULL && dir[0] != '\0') {
		snprintf(out, size, "%s/%s", dir, name);
		return out;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(exe, '/');

		if (slash != NULL)
			*slash = '\0';
	}
	snprintf(out, size, "%s/share/%s", exe, name);
	if (access(out, F_OK) != 0)
		snprintf(out, size, "%s/share/huifang/%s", exe, name);
	return out;
}

const char *
opt_take(int *argc, char **argv, const char *name, bool has_value)
{
	size_t len = strlen(name);

	for (int i = 0; i < *argc; i++) {
		const char *value = NULL;
		int used = 1;

		if (strcmp(argv[i], "--") == 0)
			break;
		if (strncmp(argv[i], name, len) != 0)
			continue;
		if (argv[i][len] == '\0' && !has_value) {
			value = "";
		} else if (argv[i][len] == '=' && has_value) {
			value = argv[i] + len + 1;
		} else if (argv[i][len] == '\0' && i + 1 < *argc) {
			value = argv[i + 1];
			used = 2;
		} else {
			continue;
		}
		memmove(&argv[i], &argv[i + used], (size_t)(*argc - i - used) * sizeof(*argv));
		*argc -= used;
		return value;
	}
	return NULL;
}

int
opt_none_left(int argc, char **argv, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0')
			return err_set(err, ERR_INVALID, "不认识的选项或缺少值: %s", argv[i]);
	}
	return 0;
}
