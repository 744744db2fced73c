/* cmd_reconcile.c - reconcile run, list and show: hf-reconcile looks, mends by rule, and keeps the night. */
#include <string.h>

#include "ctl/ctl.h"

static int
reconcile_run(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc > 1 || (argc == 1 && strcmp(argv[0], "--whole") != 0))
		return ctl_usage(err, verbs_reconcile, "reconcile", "run");
	return ctl_become(c, "night", argc, argv, err);
}

static int
reconcile_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc != 0)
		return ctl_usage(err, verbs_reconcile, "reconcile", "list");
	return ctl_become(c, "nights", argc, argv, err);
}

static int
reconcile_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc != 1)
		return ctl_usage(err, verbs_reconcile, "reconcile", "show");
	return ctl_become(c, "kept", argc, argv, err);
}

const struct verb verbs_reconcile[] = {
    {"reconcile", "run", reconcile_run, "[--whole]",
        "对账: 每件个案在且只在一处, 队列 = 账本 = 档案, 补贴算两遍; 记下这一夜; 同一夜再对, "
        "只看新的"},
    {"reconcile", "list", reconcile_list, "", "最近的对账, 一行一次"},
    {"reconcile", "show", reconcile_show, "NIGHT", "一个夜晚记下的报到率和补贴, 从此不变"},
    {NULL, NULL, NULL, NULL, NULL},
};
