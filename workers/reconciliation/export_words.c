/* export_words.c - codes of records in the words of the campaign's papers. A code that is not here is shown as it is. */
#include "workers/reconciliation/export.h"

struct word {
	const char *code, *zh;
};

static const struct word outcomes[] = {{"confirmed", "确认就读"}, {"considering", "还要考虑"},
    {"will-not-say", "不表态"}, {"withdraw-asked", "申请退档"}, {"needs-help", "求助组长"},
    {"ask-leader", "问组长"}, {"call-later", "稍后再打"}, {"third-party", "他人接听"},
    {"no-answer", "没人接"}, {"busy", "占线"}, {"rejected", "拒接"}, {"do-not-call", "要求别再打"},
    {"powered-off", "关机"}, {"suspended", "停机"}, {"no-signal", "无法接通"}, {"screened", "拦截"},
    {"empty-number", "空号"}, {"wrong-number", "错号"}, {"school-closed", "学校无人"},
    {"sms-sent", "已发短信"}, {"im-requested", "已加微信/QQ"}, {"im-talk", "微信/QQ聊过"},
    {"number-found", "找到新号码"}, {"rung-empty", "此法无果"}, {"data-error", "信息不符"},
    {"incident", "投诉/舆情"}, {"papers-received", "材料收到"}, {"papers-incomplete", "材料不全"},
    {"withdraw-cancelled", "撤回退档"}, {"withdrawn", "已退档"},
    {"admitted-unconfirmed", "未确认录取"}, {"following", "跟进正常"}, {"wavering", "动摇"},
    {"regret", "反悔不来"}, {"on-the-way", "在路上"}, {"late-arrival", "延迟报到"},
    {"deferred", "保留资格"}, {"not-coming", "明确不来"}, {"persuaded", "已劝回"},
    {"registered", "已报到"}, {NULL, NULL}};

static const struct word channels[] = {{"phone", "电话"}, {"wechat", "微信"}, {"qq", "QQ"},
    {"sms", "短信"}, {"visit", "上门"}, {"other", "其他"}, {NULL, NULL}};

static const struct word spokes[] = {{"self", "本人"}, {"father", "父亲"}, {"mother", "母亲"},
    {"parent", "家长"}, {"guardian", "监护人"}, {"teacher", "老师"}, {"other", "他人"},
    {NULL, NULL}};

static const char *const kinds[] = {"", "拨打联系", "附记", "号码", "材料", "移交", "督查意见",
    "放出个案", "阶段", "轮次", "规则", "请假", "审批", "更正", "导入", "提交导入", "登记电脑",
    "吊销电脑", "人员", "签字", "裁定", "免步", "重开", "采用迟到记录", "不采用", "查看全号",
    "咨询", "抽查", "异议", "到点", "暂停", "决定"};

static const char *
find(const struct word *w, struct span code)
{
	for (; w->code != NULL; w++) {
		if (span_eq_str(code, w->code))
			return w->zh;
	}
	return NULL;
}

const char *
zh_outcome(struct span code)
{
	return find(outcomes, code);
}

const char *
zh_channel(struct span code)
{
	return find(channels, code);
}

const char *
zh_spoke(struct span code)
{
	return find(spokes, code);
}

const char *
zh_kind(int64_t kind)
{
	return kind > 0 && kind < (int64_t)(sizeof(kinds) / sizeof(kinds[0])) ? kinds[kind] : "?";
}
