/* cmd_figures.c - rates, pay and verify: the program that owns the matter says it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "ctl/ctl.h"
#include "workers/link/helper.h"

#define WORDS 24

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
pay_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "pay", argc, argv, err);
}

static int
pay_what_if(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "what-if", argc, argv, err);
}

/* Whoever writes the archive checks it; neither stores nor a campaign are needed. */
static int
verify(struct ctl *c, int argc, char **argv, struct err *err)
{
	char path[4200], program[] = "hf-recorder", word[] = "verify";
	char *words[WORDS] = {program, word};

	(void)c;
	if (argc > WORDS - 3)
		return err_set(err, ERR_INVALID, "too many words");
	for (int i = 0; i < argc; i++)
		words[2 + i] = argv[i];
	execv(helper_path(path, sizeof(path), program), words);
	return err_sys(err, "hf-recorder cannot be run");
}

static int
export_pay(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *dir = opt_take(&argc, argv, "--out", true);
	char *words[2];

	if (dir == NULL || argc != 0)
		return ctl_usage(err, verbs_figures, "export", "pay");
	if (file_mkdirs(dir, 0700, err) != 0)
		return -1;
	words[0] = xstrdup("--xlsx");
	words[1] = xasprintf("%s/pay.xlsx", dir);
	return ctl_become(c, "pay", 2, words, err);
}

const struct verb verbs_figures[] = {
    {"export", "pay", export_pay, "--out DIR", "补贴表: 打印签字用的 pay.xlsx, 带可重算的公式"},
    {"pay", "show", pay_show, "[--explain]", "按账本算出的补贴, 逐行说明"},
    {"pay", "what-if", pay_what_if, "FILE [--explain]", "按一张表试算补贴, 不需要服务器"},
    {"rates", NULL, rates, "[--by caller|team|campaign]", "回访数与报到率"},
    {"verify", NULL, verify, "[--key FILE] DIR", "查验档案: 链, 签名, 首条被改动的记录"},
    {NULL, NULL, NULL, NULL, NULL},
};
