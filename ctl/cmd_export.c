/* cmd_export.c - exports: hf-reconcile makes them; who may see names, two persons say here.
 *
 * Happy path of an approval: a RULING export-KIND of the person of --as, the purpose in its sealed body. Failures: a
 * kind that is not there; a person who is neither of the data group nor callback head (the broker's word). */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "ctl/act.h"
#include "ctl/show.h"
#include "proto/keys.h"

#define OPTIONS_MAX 16
#define PURPOSE_MAX 300

static const char *const kinds[] = {"ledger", "personal", "admission", "withdrawals", NULL};

static int
make(struct ctl *c, const char *verb, const char *kind, int argc, char **argv, struct err *err)
{
	char *words[OPTIONS_MAX + 1];

	if (argc > OPTIONS_MAX)
		return err_set(err, ERR_INVALID, "too many words");
	words[0] = xstrdup(kind);
	for (int i = 0; i < argc; i++)
		words[1 + i] = argv[i];
	return ctl_become(c, verb, argc + 1, words, err);
}

static int
export_ledger(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "ledger", argc, argv, err);
}

static int
export_audit(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "audit", argc, argv, err);
}

static int
export_pay(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "pay", argc, argv, err);
}

static int
export_daily(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "daily", argc, argv, err);
}

static int
export_weekly(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "weekly", argc, argv, err);
}

static int
export_personal(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "personal", argc, argv, err);
}

static int
export_admission(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "admission", argc, argv, err);
}

static int
export_withdrawals(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "export", "withdrawals", argc, argv, err);
}

static int
say_approval(struct ctl *c, const char *kind, const char *purpose, struct err *err)
{
	struct body body = {.text = span_str(purpose)};
	struct record_header h;
	struct acts *a;
	uint8_t key[32];
	char ruling[40];
	int got;

	(void)snprintf(ruling, sizeof(ruling), "export-%s", kind);
	if (ctl_campaign(c, err) != 0 || show_reserved_key(c, KEYS_REF_CAMPAIGN, key, err) != 0 ||
	    acts_open(c, &a, err) != 0)
		return -1;
	h = acts_header(a, REC_RULING);
	field_set_s(&h, F_verdict, ruling);
	got = acts_add(a, &h, &body, key, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	crypt_wipe(key, sizeof(key));
	return got;
}

static int
export_approve(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *purpose = opt_take(&argc, argv, "--purpose", true);
	int i = 0;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1 || purpose == NULL || purpose[0] == '\0')
		return ctl_usage(err, verbs_export, "export", "approve");
	while (kinds[i] != NULL && strcmp(kinds[i], argv[0]) != 0)
		i++;
	if (kinds[i] == NULL)
		return err_set(err, ERR_INVALID, "没有这种导出: %s", argv[0]);
	if (strlen(purpose) > PURPOSE_MAX)
		return err_set(err, ERR_INVALID, "用途最多 %d 字节", PURPOSE_MAX);
	if (say_approval(c, argv[0], purpose, err) != 0)
		return -1;
	printf("已同意: 一天之内, 同一用途有两个人同意, 就可以不遮盖地导出 %s\n", argv[0]);
	return 0;
}

static int
report_daily(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "report", "daily", argc, argv, err);
}

static int
report_weekly(struct ctl *c, int argc, char **argv, struct err *err)
{
	return make(c, "report", "weekly", argc, argv, err);
}

#define CSV   "--out DIR [--csv|--csv-gb]"
#define USUAL CSV " [--as-of N]"
#define FULL  " --unmasked --purpose TEXT"

const struct verb verbs_export[] = {
    {"export", "admission", export_admission, USUAL FULL,
        "给考试院的录取表: XLSX 和 DBF, BZ 是 T 退档 L 报到"},
    {"export", "approve", export_approve, "KIND --purpose TEXT",
        "同意不遮盖地导出 (数据组, 回访组长; 要两个人), 用 --as 说是谁"},
    {"export", "audit", export_audit, USUAL, "谁做了什么: 操作、隔离、对账、导出"},
    {"export", "daily", export_daily, USUAL " [--day DAY]", "每日战报: 表, 和可粘贴的 daily.txt"},
    {"export", "ledger", export_ledger, USUAL " [--unmasked --purpose TEXT]",
        "台账: 账本逐条, 带链值"},
    {"export", "pay", export_pay, "--out DIR [--as-of N]",
        "补贴表: 打印签字用的 pay.xlsx, 带可重算的公式"},
    {"export", "personal", export_personal, "--person P " USUAL " [--unmasked --purpose TEXT]",
        "个人台账: 名下每个个案一行"},
    {"export", "weekly", export_weekly, USUAL " [--day DAY]",
        "周报: 各组各人, 给组长和回访组长打印签字"},
    {"export", "withdrawals", export_withdrawals, USUAL FULL,
        "给考试院的退档名单: XLSX 和 DBF, 照片按名单命名"},
    {"report", "daily", report_daily, "[--day DAY]", "每日战报, 可粘贴的文字; 什么也不写"},
    {"report", "weekly", report_weekly, "[--day DAY] [--html FILE [--team T]]",
        "那一周的周报; --html: A4 打印页, 回访组长一页, 每组一页"},
    {NULL, NULL, NULL, NULL, NULL},
};
