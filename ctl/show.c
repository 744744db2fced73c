/* show.c - the words in which hfctl speaks of lanes and reasons, and how it finds a case.
 *
 * A case is found by its reference, or by the keyed index of its 考生号; the index key comes from the key
 * store, the number itself is never written anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/show.h"
#include "proto/chain.h"
#include "proto/record.h"
#include "proto/why.h"
#include "workers/link/keyclient.h"

static const struct word {
	const char *code, *zh;
} lanes[] = {
    {"unreleased", "未放出"},
    {"pool", "公共池"},
    {"strike", "突击组"},
    {"strike:hot", "突击组(急)"},
    {"papers", "材料"},
    {"supervision", "督查组"},
    {"triage", "待分派"},
    {"doubt", "存疑(等原持有人回来)"},
    {"parked", "搁置(多次领取没有记录,要有人看)"},
    {"resting", "休眠(到日期或来电再办)"},
    {"terminal", "已办结"},
};

/* Of the queue's own, of the ladder, and all of the law's. */
static const struct word whys[] = {{"new", "新导入"}, {"rung-1", "找人第 1 级: 发短信"},
    {"rung-2", "找人第 2 级: 加微信、QQ"}, {"rung-4", "找人第 4 级: 查同校考生"},
    {"rung-5", "找人第 5 级: 招办后台"}, {"rung-6", "找人第 6 级: 中学老师到班主任"},
    {"rung-7", "找人第 7 级: 114"}, {"rung-9", "找人第 9 级: 组长同意了问户籍派出所"},
    {"rung-9-asks", "找人第 9 级: 问户籍派出所要组长先同意 (hfctl rung agree), 这次不算"},
#define WHY_ROW(id, code, text) {code, text},
    WHY_TABLE(WHY_ROW)
#undef WHY_ROW
};

static const char *
word_of(const struct word *w, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(w[i].code, code) == 0)
			return w[i].zh;
	}
	return NULL;
}

/* "p01:retry" */
static void
own_lane(char *out, const char *name)
{
	static const struct word classes[] = {{"promise", "约好的、马上要打的"},
	    {"asked", "对方要求晚些打的"}, {"first", "首拨"}, {"retry", "重拨"}, {"due", "到期的"}};
	size_t n = strcspn(name, ":");
	const char *class = name + n + (name[n] == ':'),
	           *zh = word_of(classes, sizeof(classes) / sizeof(classes[0]), class);

	(void)snprintf(out, 128, "%.*s 的名单(%s)", (int)n, name, zh != NULL ? zh : class);
}

char *
show_lane(char *out, const char *lane)
{
	const char *zh = word_of(lanes, sizeof(lanes) / sizeof(lanes[0]), lane);

	if (zh != NULL)
		snprintf(out, 128, "%s", zh);
	else if (strncmp(lane, "own:", 4) == 0)
		own_lane(out, lane + 4);
	else if (strncmp(lane, "team:", 5) == 0)
		snprintf(out, 128, "%.*s 组长处%s", (int)strcspn(lane + 5, ":"), lane + 5,
		    strstr(lane, ":hot") != NULL ? "(急)" : "");
	else
		snprintf(out, 128, "%s", lane);
	return out;
}

const char *
show_why(const char *reason)
{
	const char *zh = word_of(whys, sizeof(whys) / sizeof(whys[0]), reason);

	return zh != NULL ? zh : reason;
}

const char *
show_kind(unsigned kind)
{
	const struct record_rule *r = record_rule((enum record_kind)kind);

	return r != NULL ? r->name : "?";
}

int64_t
show_now(struct ctl *c)
{
	return clock_open(c->home.dir, NULL) == 0 ? clock_campaign_ms() : clock_wall_ms();
}

int
show_reserved_key(struct ctl *c, uint8_t which, uint8_t key[32], struct err *err)
{
	struct keyclient *k = keyclient_create(c->home.keys);
	uint8_t ref[16];
	int got;

	keys_reserved(ref, which);
	got = keyclient_get(k, c->campaign, ref, key, err);
	keyclient_destroy(k);
	return got != 0 ? err_wrap(err, "密钥库") : 0;
}

static int
by_number(struct ctl *c, const char *no, uint8_t case_id[16], struct err *err)
{
	uint8_t key[32], index[8];
	char hex[17], name[40], path[96];
	const struct rds_reply *r;
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};
	size_t n;

	if (show_reserved_key(c, KEYS_REF_INDEX, key, err) != 0)
		return -1;
	chain_index(index, key, "no", no);
	crypt_wipe(key, sizeof(key));
	hex_encode(hex, index, 8);
	snprintf(name, sizeof(name), "num:%s", hex);
	argv[1] = span_str(call_key(path, sizeof(path), c->campaign, name));
	if (ctl_cmd(c, argv, 2, &r, err) != 0)
		return -1;
	n = rds_len(r);
	if (n == 1 && rds_str(rds_at(r, 0)).len == 16)
		memcpy(case_id, rds_str(rds_at(r, 0)).data, 16);
	rds_sync_free(r);
	if (n == 1)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "没有这个考生号或个案编号(编号是 32 位十六进制)");
}

int
show_resolve(struct ctl *c, const char *no, uint8_t case_id[16], struct err *err)
{
	if (ctl_campaign(c, err) != 0)
		return -1;
	if (strlen(no) == 32 && hex_decode(case_id, 16, no, 32))
		return 0;
	return by_number(c, no, case_id, err);
}

int
show_state(struct ctl *c, const uint8_t case_id[16], struct buf *text, struct case_state *s,
    struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(path, sizeof(path), c->campaign, "cases")), span_of(case_id, 16)};

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	if (rds_type(r) != RDS_STR) {
		rds_sync_free(r);
		return err_set(err, ERR_NOT_FOUND, "没有这个个案");
	}
	buf_add(text, rds_str(r).data, rds_str(r).len);
	rds_sync_free(r);
	return case_state_decode(s, buf_span(text), err);
}
