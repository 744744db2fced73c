/* nightly_print.c - a run in words. Decides nothing. */
#include <stdio.h>
#include <string.h>

#include "workers/reconciliation/nightly.h"

static const struct {
	const char *kind, *zh;
} words[] = {
    {"redis-pg", "队列与账本的个案状态不一致"},
    {"adds-up", "导入数与队列加在手不等"},
    {"place-nowhere", "个案不在任何队列里"},
    {"place-twice", "个案同时在两处"},
    {"place-other", "个案不在它的状态所说的地方"},
    {"place-unknown", "队列里有不认识的个案"},
    {"places", "账本里各处的个案加起来不等于导入数"},
    {"imported", "导入数不在名单提交数的范围里"},
    {"ledger-gap", "账本编号有缺"},
    {"counts", "按个案的累计与账本不一致, 已重算"},
    {"outbox-gap", "某台电脑的记录有缺"},
    {"pay", "补贴两次计算不一致"},
    {"ledger-only", "账本有、档案没有的记录"},
    {"archive-only", "档案有、账本没有的记录"},
    {"ledger-archive", "账本与档案的同一条记录不一样"},
    {"archive-altered", "档案的这一段不是记账程序签的那一份"},
    {"archive-broken", "档案的这一段接不上前一段"},
    {"archive-unreadable", "档案读不了"},
    {"archive-behind", "档案没有跟上账本, 最早的一条已过"},
    {"stuck", "待分派太久"},
    {"held-long", "在手太久"},
    {"doubt", "存疑太久"},
    {"parked", "被搁置"},
    {"leader-late", "组长处过期"},
    {"strike-late", "突击组过期"},
    {"papers-late", "材料过期"},
    {"owner-late", "本人名单过期"},
};

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static intmax_t
number(const json_t *o, const char *key)
{
	return (intmax_t)json_integer_value(json_object_get(o, key));
}

static const char *
kind_zh(const char *kind)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].kind, kind) == 0)
			return words[i].zh;
	}
	return kind;
}

static void
print_finding(const json_t *f)
{
	bool is_notice = strcmp(text(f, "level"), "notice") == 0;

	printf("%s %s",
	    json_is_true(json_object_get(f, "mended")) ? "已修正"
	    : is_notice                                ? "注意  "
	                                               : "不一致",
	    kind_zh(text(f, "kind")));
	if (text(f, "case")[0] != '\0')
		printf(" %s", text(f, "case"));
	if (is_notice)
		printf(" (%s 分钟, 限 %s)\n", text(f, "here"), text(f, "there"));
	else
		printf("  现为 %s, 应为 %s\n",
		    text(f, "here")[0] != '\0' ? text(f, "here") : "没有",
		    text(f, "there")[0] != '\0' ? text(f, "there") : "没有");
}

void
nightly_print(const json_t *out)
{
	const json_t *findings = json_object_get(out, "findings"), *f, *late;
	const json_t *archive = json_object_get(out, "archive");
	size_t i;

	printf("导入 %jd, 在手 %jd; 账本落后 %jd 条; 档案 %jd 段 %jd 条\n", number(out, "imported"),
	    number(out, "leases"), number(out, "behind"), number(archive, "segments"),
	    number(archive, "records"));
	if (!json_is_true(json_object_get(out, "whole")))
		printf("只看上一次对账以后的: 动过的个案 %jd 件 (全部重看: --whole)\n",
		    number(out, "moved"));
	json_array_foreach(findings, i, f)
	{
		print_finding(f);
	}
	json_array_foreach(json_object_get(out, "late"), i, late)
	{
		printf("补记 %s 的夜晚 (按账本, 没有补贴)\n", json_string_value(late));
	}
	printf("%s 夜%s; %zu 处不一致没有修正\n", text(out, "night"),
	    json_is_true(json_object_get(out, "kept")) ? "已记: 报到率与补贴从此不变"
	                                               : "先前已记, 这次只核对",
	    nightly_differences(out));
}

void
nightly_print_list(const json_t *rows)
{
	const json_t *row;
	size_t i;

	printf("次数  夜晚        结束              账本条数  不一致  注意  已修正\n");
	json_array_foreach(rows, i, row)
	{
		printf("%4jd  %s  %s  %8jd  %6jd  %4jd  %6jd\n", number(row, "run"),
		    text(row, "night"), text(row, "ended"), number(row, "ledger_no"),
		    number(row, "differences"), number(row, "notices"), number(row, "mended"));
	}
}
