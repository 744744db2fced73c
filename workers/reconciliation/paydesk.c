/* paydesk.c - pay, close and supplement as a person or hfctl asks for them: tables, JSON, and what speaks against.
 *
 * Happy path: the rules in force, the sheet, the answer. Failures: 1 when the two computations differ or a sheet may not
 * be closed, each reason on stderr. */
#include "workers/reconciliation/paydesk.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proto/call.h"
#include "workers/reconciliation/closed.h"
#include "workers/reconciliation/dispute.h"
#include "workers/reconciliation/paybook.h"
#include "workers/reconciliation/payday.h"
#include "workers/reconciliation/sheet.h"

static int64_t
number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s != NULL ? s : "-";
}

void
paydesk_print(const json_t *out, bool explain)
{
	const json_t *row, *line;
	size_t i, k;

	printf("人员            报到率%%     标准(元/人)    补贴(元)      组长奖励(元)\n");
	json_array_foreach(json_object_get(out, "rows"), i, row)
	{
		printf("%-15s %-11s %-14s %-13s %s\n", text(row, "person"), text(row, "rate"),
		    text(row, "standard"), text(row, "pay"), text(row, "leader_bonus"));
		if (!explain)
			continue;
		json_array_foreach(json_object_get(row, "explain"), k, line)
		{
			printf("    %s\n", json_string_value(line));
		}
	}
}

static void
print_supplement(const json_t *out, bool explain)
{
	const json_t *row, *line;
	size_t i, k;

	json_array_foreach(json_object_get(out, "rows"), i, row)
	{
		printf("%-15s 补贴 %s -> %s, 差额 %s; 组长奖励 %s -> %s, 差额 %s\n",
		    text(row, "person"), text(row, "pay_was"), text(row, "pay_now"),
		    text(row, "pay_difference"), text(row, "bonus_was"), text(row, "bonus_now"),
		    text(row, "bonus_difference"));
		if (!explain)
			continue;
		json_array_foreach(json_object_get(row, "explain"), k, line)
		{
			printf("    %s\n", json_string_value(line));
		}
	}
	if (json_array_size(json_object_get(out, "rows")) == 0)
		printf("没有差额\n");
}

static void
put_json(const json_t *out)
{
	json_dumpf(out, stdout, JSON_COMPACT);
	printf("\n");
}

static int
print_differences(const json_t *out)
{
	const json_t *list = json_object_get(out, "differences"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		fprintf(stderr, "两次计算不一致: %s 的 %s, 程序 %s, 数据库 %s; 发放前请查明\n",
		    text(one, "person"), text(one, "what"), text(one, "here"), text(one, "sql"));
	}
	return json_array_size(list) == 0 ? 0 : 1;
}

/* Nothing to sign comes out while the two computations differ. */
static int
pay_book(const struct paydesk *d, const json_t *out, struct err *err)
{
	if (print_differences(out) != 0)
		return 1;
	if (paybook_write(d->xlsx, out, err) != 0)
		return -1;
	if (d->json)
		printf("{\"rows\":%zu}\n", json_array_size(json_object_get(out, "rows")));
	else
		printf("%s\n", d->xlsx);
	return 0;
}

static int
keep_person(json_t *sheet, const char *person, struct err *err)
{
	json_t *rows = json_array(), *row;
	size_t i;

	json_array_foreach(json_object_get(sheet, "rows"), i, row)
	{
		if (strcmp(text(row, "person"), person) == 0)
			json_array_append(rows, row);
	}
	json_object_set_new(sheet, "rows", rows);
	return json_array_size(rows) == 1
	           ? 0
	           : err_set(
	                 err, ERR_NOT_FOUND, "补贴表里没有 %s: 不是回访员, 名下也没有个案", person);
}

int
paydesk_show(const struct paydesk *d, struct err *err)
{
	char at[32] = "";
	int64_t share = d->rules->minimum_share;
	json_t *out;
	int code;

	if (d->sheet > 0
	        ? closed_read(d->pg, d->keys, d->campaign, d->sheet, &out, err) != 0
	        : sheet_read(d->pg, d->campaign, d->rules, d->past, d->minimum, &out, err) != 0)
		return err_wrap(err, "pay");
	if (d->sheet == 0 && dispute_put(d->pg, d->days, d->campaign, out, err) != 0) {
		json_decref(out);
		return err_wrap(err, "pay");
	}
	if (d->person != NULL && keep_person(out, d->person, err) != 0) {
		json_decref(out);
		return -1;
	}
	if (d->xlsx != NULL) {
		code = pay_book(d, out, err);
		json_decref(out);
		return code;
	}
	if (d->json) {
		put_json(out);
	} else if (json_object_get(out, "supplement") != NULL) {
		print_supplement(out, d->explain);
	} else {
		if (json_object_get(out, "minimum_share") !=
		    NULL) /* sheets of before do not say it */
			share = number(out, "minimum_share");
		paydesk_print(out, d->explain);
		if (json_object_get(out, "as_of") != NULL)
			clock_text(at, number(out, "as_of"));
		printf("%s%s到账本第 %jd 条为止; 规则第 %jd 版; %s; 最低工作量 %jd "
		       "(%jd%% × %jd ÷ %jd 人), 低于它而没有签字的懈怠认定, 不扣\n",
		    at, at[0] != '\0' ? " 的情形, " : "", (intmax_t)number(out, "as_of_ledger"),
		    (intmax_t)number(json_object_get(out, "rules"), "version"),
		    json_is_true(json_object_get(out, "provisional"))
		        ? "暂数: 录取名单没有冻结, 分母是各人未退档的个案"
		        : "分母是冻结的录取名单",
		    (intmax_t)number(out, "minimum"), (intmax_t)share,
		    (intmax_t)number(out, "placed"), (intmax_t)number(out, "callers"));
		if (number(out, "open_disputes") + number(out, "open_findings") > 0)
			printf("还没有答复的异议 %jd 件, 还没有裁定的认定 %jd 件 (hfctl approve "
			       "list), 没有算进来\n",
			    (intmax_t)number(out, "open_disputes"),
			    (intmax_t)number(out, "open_findings"));
	}
	code = print_differences(out);
	json_decref(out);
	return code;
}

/* The sheet on stdout; what speaks against closing it on stderr. */
int
paydesk_close(const struct paydesk *d, bool is_close, struct err *err)
{
	json_t *out, *reasons;
	const json_t *one;
	size_t i;
	int code;

	if (is_close ? payday_close(d->pg, d->keys, d->campaign, d->rules, d->days, d->past,
	                   d->minimum, &out, &reasons, err) != 0
	             : payday_supplement(
	                   d->pg, d->keys, d->campaign, d->days, d->past, &out, &reasons, err) != 0)
		return err_wrap(err, "%s", is_close ? "close" : "supplement");
	json_array_foreach(reasons, i, one)
	{
		fprintf(stderr, "不能关帐: %s\n", json_string_value(one));
	}
	code = json_array_size(reasons) == 0 ? 0 : 1;
	if (d->json)
		put_json(out);
	else if (is_close)
		paydesk_print(out, d->explain);
	else
		print_supplement(out, d->explain);
	json_decref(out);
	json_decref(reasons);
	return code;
}

static const char *
state_zh(const char *state)
{
	static const struct {
		const char *state, *zh;
	} words[] = {{"open", "等答复"}, {"upheld", "成立"}, {"refused", "不成立"},
	    {"late", "过了期限, 不作数"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(state, words[i].state) == 0)
			return words[i].zh;
	return state;
}

static void
print_disputes(const json_t *list)
{
	const json_t *row;
	char at[32];
	size_t i;

	json_array_foreach(list, i, row)
	{
		clock_text(at, number(row, "at"));
		printf("%-6jd %-12s %s  %s\n", (intmax_t)number(row, "no"), text(row, "person"), at,
		    state_zh(text(row, "state")));
	}
	if (json_array_size(list) == 0)
		printf("没有异议\n");
}

static json_t *
term_json(const struct dispute_term *t, int64_t now)
{
	bool is_closed = t->closed_at > 0, has_end = t->until != INT64_MAX;

	return json_pack("{s:o s:o s:b}", "closed_at",
	    is_closed ? json_integer(t->closed_at) : json_null(), "until",
	    has_end ? json_integer(t->until) : json_null(), "over", now > t->until);
}

int
paydesk_disputes(const struct paydesk *d, bool is_term, int64_t now, struct err *err)
{
	struct dispute_term t;
	json_t *out;
	char at[32];

	if (dispute_term_at(d->pg, d->days, d->campaign, now, &t, err) != 0)
		return -1;
	if (is_term)
		out = term_json(&t, now);
	else if (dispute_list(d->pg, d->days, d->campaign, &out, err) != 0)
		return -1;
	if (d->json)
		put_json(out);
	else if (!is_term)
		print_disputes(out);
	if (!d->json && t.until != INT64_MAX) {
		clock_text(at, t.until);
		printf("异议期到 %s 为止 (关帐以后 %d 个工作日)\n", at, DISPUTE_DAYS);
	} else if (!d->json) {
		printf("还没有关帐, 异议不限期\n");
	}
	json_decref(out);
	return 0;
}

static int
router_field(struct rds_sync *redis, const char *campaign, const char *field,
    const struct rds_reply **ret, struct err *err)
{
	char key[96];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), campaign, "router")), span_str(field)};

	return rds_sync_cmd(redis, argv, 3, ret, err);
}

/* The policy that the router goes by; without one the defaults hold. */
int
paydesk_rules(struct rds_sync *redis, const char *campaign, struct readings *ret, struct err *err)
{
	const struct rds_reply *r;
	int got;

	if (router_field(redis, campaign, "policy", &r, err) != 0)
		return -1;
	got = readings_of_policy(ret, rds_str(r), err);
	rds_sync_free(r);
	return got;
}

int
paydesk_days(struct rds_sync *redis, const char *campaign, struct weekdays *ret, struct err *err)
{
	const struct rds_reply *r;
	struct buf policy = BUF_INIT;
	struct span text;
	int got = -1;

	if (router_field(redis, campaign, "policy", &r, err) != 0)
		return -1;
	text = rds_str(r);
	buf_add(&policy, text.data, text.len);
	rds_sync_free(r);
	if (router_field(redis, campaign, "days", &r, err) == 0) {
		got = weekdays_read(ret, WEEKDAYS_WORKING, buf_span(&policy), rds_str(r), err);
		rds_sync_free(r);
		if (got != 0)
			err_wrap(err, "the router's days");
	}
	buf_done(&policy);
	return got;
}
