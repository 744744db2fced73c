/* cmd_figures.c - rates, pay and verify: the program that owns the matter says it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "ctl/ctl.h"
#include "workers/link/helper.h"

#define WORDS 32

int
ctl_become(struct ctl *c, const char *verb, int argc, char **argv, struct err *err)
{
	char path[4200];
	char *words[WORDS];
	int n = 0;

	if (argc > WORDS - 8)
		return err_set(err, ERR_INVALID, "too many words");
	words[n++] = xstrdup("hf-reconcile");
	if (c->json)
		words[n++] = xstrdup("--json");
	if (c->wanted != NULL) {
		words[n++] = xstrdup("--campaign");
		words[n++] = xstrdup(c->wanted);
	}
	words[n++] = xstrdup(verb);
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	words[n] = NULL;
	execv(helper_path(path, sizeof(path), "hf-reconcile"), words);
	return err_sys(err, "hf-reconcile cannot be run");
}

static int
rates(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "rates", argc, argv, err);
}

static int
rates_ids(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "ids", argc, argv, err);
}

static int
pay_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "pay", argc, argv, err);
}

/* The own line, whatever the rights: what the office shows as well. */
static int
pay_my(struct ctl *c, int argc, char **argv, struct err *err)
{
	char person[] = "--person", explain[] = "--explain";
	char *words[] = {person, xstrdup(c->as != NULL ? c->as : ""), explain};

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_figures, "pay", "my");
	if (c->as == NULL)
		return err_set(err, ERR_INVALID, "用 --as 说是谁: hfctl --as P pay my");
	return ctl_become(c, "pay", 3, words, err);
}

static int
pay_what_if(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "what-if", argc, argv, err);
}

/* Whoever writes an archive or an export checks it; neither stores nor a campaign are needed. */
static int
verify(struct ctl *c, int argc, char **argv, struct err *err)
{
	char path[4200], program[] = "hf-recorder", word[] = "verify";
	char *words[WORDS] = {program, word};

	for (int i = 0; i < argc; i++) {
		(void)snprintf(path, sizeof(path), "%s/manifest.json", argv[i]);
		if (access(path, F_OK) == 0)
			return ctl_become(c, "verify", argc, argv, err);
	}
	if (argc > WORDS - 3)
		return err_set(err, ERR_INVALID, "too many words");
	for (int i = 0; i < argc; i++)
		words[2 + i] = argv[i];
	execv(helper_path(path, sizeof(path), program), words);
	return err_sys(err, "hf-recorder cannot be run");
}

const struct verb verbs_figures[] = {
    {"pay", "show", pay_show,
        "[--explain] [--minimum N] [--as-of TIME] [--person P] [--sheet NO] [--xlsx "
        "FILE]",
        "按账本算出的补贴, 逐行说明; --sheet: 账本里签过字的一张, --xlsx: 签字页"},
    {"pay", "my", pay_my, "", "自己的补贴 (试算), 怎么算的, 再多报到 1 人多多少; 用 --as 说是谁"},
    {"pay", "what-if", pay_what_if, "FILE [--explain]", "按一张表试算补贴, 不需要服务器"},
    {"rates", "ids", rates_ids,
        "--figure F [--person P | --team T] [--stage S[.PASS]] [--as-of TIME]",
        "打开 rates 里的一个数: 它数的是哪些个案, 哪些记录"},
    {"rates", NULL, rates, "[--by caller|team|campaign|stage] [--person P] [--as-of TIME]",
        "回访数与报到率"},
    {"verify", NULL, verify, "[--key FILE] [--archive DIR] DIR",
        "查验档案或导出: 链, 签名, 首条被改动的记录"},
    {NULL, NULL, NULL, NULL, NULL},
};
