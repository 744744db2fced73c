/* main.c - hfctl: finds the verb, runs it, turns a failure into one line and an exit code.
 *
 * Happy path: global options, noun and verb from the tables, the verb's answer is the exit code.
 * Failures: unknown words say what there is (64); a story from below is printed once, on stderr. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/crypt.h"
#include "base/log.h"
#include "base/version.h"
#include "ctl/ctl.h"

#define TABLE(name) verbs_##name,
static const struct verb *const tables[] = {CTL_VERBS(TABLE)};

static void
help(void)
{
	printf("用法: hfctl [--campaign ID] [--as PERSON] [--json] [--read-only] NOUN VERB …\n"
	       "数据在标准输出,说明在标准错误。退出码: 0 成功, 1 检查发现问题, 64-78 见 "
	       "sysexits(75: 10 秒内未生效)。\n\n");
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (const struct verb *v = tables[t]; v->noun != NULL; v++) {
			char head[128];

			snprintf(head, sizeof(head), "%s%s%s %s", v->noun, v->verb ? " " : "",
			    v->verb ? v->verb : "", v->usage);
			printf("  %-58s %s\n", head, v->doc);
		}
	}
	printf("\nHF_HOME 指明安装目录(缺省 var/local),HF_CAMPAIGN 指明活动。\n");
}

static const struct verb *
find_in(const struct verb *table, const char *noun, const char *verb)
{
	for (const struct verb *v = table; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) != 0)
			continue;
		if (v->verb == NULL || (verb != NULL && strcmp(v->verb, verb) == 0))
			return v;
	}
	return NULL;
}

static const struct verb *
find(const char *noun, const char *verb)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		const struct verb *v = find_in(tables[t], noun, verb);

		if (v != NULL)
			return v;
	}
	return NULL;
}

static int
exit_code(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return EX_SOFTWARE;
	case ERR_INVALID: return EX_USAGE;
	case ERR_NOT_FOUND: return EX_NOINPUT;
	case ERR_EXISTS: return EX_CANTCREAT;
	case ERR_DENIED: return EX_NOPERM;
	case ERR_BUSY:
	case ERR_LATE: return EX_TEMPFAIL;
	case ERR_GONE: return EX_UNAVAILABLE;
	case ERR_STALE:
	case ERR_CORRUPT: return EX_DATAERR;
	case ERR_FULL:
	case ERR_IO: return EX_IOERR;
	}
	return EX_SOFTWARE;
}

static int
unknown(const char *noun, const char *verb)
{
	fprintf(stderr, "hfctl: 没有这个命令: %s %s\n", noun, verb == NULL ? "" : verb);
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (const struct verb *v = tables[t]; v->noun != NULL; v++) {
			if (strcmp(v->noun, noun) == 0)
				fprintf(stderr, "  hfctl %s %s %s\n", v->noun,
				    v->verb ? v->verb : "", v->usage);
		}
	}
	fprintf(stderr, "全部命令: hfctl --help\n");
	return EX_USAGE;
}

static int
run(struct ctl *c, int argc, char **argv)
{
	struct err err = ERR_INIT;
	const struct verb *v = find(argv[0], argc > 1 ? argv[1] : NULL);
	int skip, got;

	if (v == NULL)
		return unknown(argv[0], argc > 1 ? argv[1] : NULL);
	skip = v->verb == NULL ? 1 : 2;
	got = v->run(c, argc - skip, argv + skip, &err);
	if (got >= 0)
		return got;
	fprintf(stderr, "hfctl: %s\n", err.text);
	return exit_code(err.code);
}

int
main(int argc, char **argv)
{
	struct ctl c = {.json = false};
	struct err err = ERR_INIT;
	int code;

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("hfctl", LOG_LVL_WARN);
	if (crypt_init(&err) != 0) {
		fprintf(stderr, "hfctl: %s\n", err.text);
		return EX_SOFTWARE;
	}
	argc--;
	argv++;
	if (opt_take(&argc, argv, "--version", false) != NULL) {
		printf("hfctl %s\n", HF_VERSION);
		return 0;
	}
	if (opt_take(&argc, argv, "--help", false) != NULL) {
		help();
		return 0;
	}
	if (argc == 0) {
		help();
		return EX_USAGE;
	}
	c.wanted = opt_take(&argc, argv, "--campaign", true);
	c.as = opt_take(&argc, argv, "--as", true);
	c.json = opt_take(&argc, argv, "--json", false) != NULL;
	c.read_only = opt_take(&argc, argv, "--read-only", false) != NULL;
	if (argc == 0)
		return unknown("", NULL);
	code = run(&c, argc, argv);
	if (c.redis != NULL)
		rds_sync_close(c.redis);
	pg_close(c.pg);
	return fflush(stdout) == 0 ? code : EX_IOERR;
}
