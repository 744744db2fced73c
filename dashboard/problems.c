/* problems.c - what an operator must see first, decided from the counts alone.
 *
 * Pure. Each problem is one line: what is wrong, what it does to the work, what to do now. The order is the order
 * in which they should be dealt with. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/state.h"

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)

/* Whom to ring. */
#define OPERATOR "操作员"
#define DATA     "数据组"

#define NIGHT_LATE (26 * HOUR)

int64_t
state_waiting(const struct state *s)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < s->n_lanes; i++)
		n += s->lanes[i].n;
	return n;
}

int64_t
state_lane(const struct state *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		if (strcmp(s->lanes[i].name, name) == 0)
			return s->lanes[i].n;
	}
	return 0;
}

int64_t
lane_age(const struct state *s, const struct lane_state *l)
{
	return l->n > 0 && l->first_due >= 0 && l->first_due < s->now ? s->now - l->first_due : 0;
}

struct list {
	struct problem *out;
	uint32_t n;
};

static struct problem *
add(struct list *l, const char *effect, const char *now, const char *who)
{
	static struct problem spill;
	struct problem *p = l->n < STATE_PROBLEMS ? &l->out[l->n++] : &spill;

	p->what[0] = '\0';
	p->effect = effect;
	p->now = now;
	p->who = who;
	return p;
}

/* before, a number, after; n below 0: no number, no after. */
static void
say(struct problem *p, const char *before, int64_t n, const char *after)
{
	if (n < 0)
		(void)snprintf(p->what, sizeof(p->what), "%s", before);
	else
		(void)snprintf(p->what, sizeof(p->what), "%s%" PRId64 "%s", before, n, after);
}

static void
stores(const struct state *s, struct list *l)
{
	if (!s->redis_up)
		say(add(l, "领不到个案; 记录存在各人本机, 恢复后自动补送",
		        "deploy/local status; hfctl doctor", OPERATOR),
		    "Redis 连不上", -1, "");
	if (!s->ledger.up)
		say(add(l, "照常回访; 记录显示已受理, 暂不入账",
		        "deploy/local status; hfctl doctor", OPERATOR),
		    "PostgreSQL 连不上", -1, "");
	if (s->redis_up && s->mode == 2)
		say(add(l, "停止发放和受理", "hfctl doctor", OPERATOR),
		    "队列已停: 存储不是原来那一份", -1, "");
	if (s->redis_up && s->mode == 1)
		say(add(l, "暂不发放, 记录照收", "等一个租约的时间; 不消失则 hfctl doctor",
		        OPERATOR),
		    "队列在恢复", -1, "");
	if (s->redis_up && s->paused != 0)
		say(add(l, "没有人领得到个案", "hfctl doctor; 问是谁暂停的", DATA), "发放已暂停",
		    -1, "");
}

static void
brokers(const struct state *s, struct list *l)
{
	if (s->brokers > 0 && s->brokers_up == 0)
		say(add(l, "领不到新的个案; 手里的照常记录, 存在各人本机",
		        "deploy/local up; systemctl status hf-broker", OPERATOR),
		    "broker 连不上", -1, "");
	else if (s->brokers_up < s->brokers)
		say(add(l, "其余的 broker 照常发放", "systemctl status hf-broker", OPERATOR),
		    "broker 有 ", s->brokers - s->brokers_up, " 个连不上");
}

static void
sums(const struct state *s, struct list *l)
{
	int64_t there = state_waiting(s) + s->leases;

	if (s->redis_up && there != s->cases)
		say(add(l, "有个案不在任何队列里, 或在两处", "hfctl reconcile run", OPERATOR),
		    "对不上账: 差 ", s->cases > there ? s->cases - there : there - s->cases, " 件");
	if (s->ledger.up && s->ledger.quarantined > 0)
		say(add(l, "这些记录没有入账", "psql: SELECT * FROM hf.v_problem", OPERATOR), "",
		    s->ledger.quarantined, " 条记录被隔离");
	if (s->ledger.up && s->ledger.frozen > 0)
		say(add(l, "那些机器的新记录不再受理, 存在本机",
		        "hfctl case trace 看最后的记录; 重新登记那台机器", OPERATOR),
		    "", s->ledger.frozen, " 台机器的记录前后矛盾, 已冻结");
	if (s->ledger.up && s->ledger.night_differences > 0)
		say(add(l, "报到率或补贴可能不对", "hfctl reconcile run 逐条列出", DATA), "对账有 ",
		    s->ledger.night_differences, " 处不一致");
	if (s->ledger.up && s->ledger.night_at > 0 && s->wall - s->ledger.night_at > NIGHT_LATE)
		say(add(l, "差错没有人发现",
		        "systemctl status hf-reconcile.timer; hfctl reconcile run", OPERATOR),
		    "夜间对账已有 ", (s->wall - s->ledger.night_at) / HOUR, " 小时没有做");
}

/* Lanes that should not keep anybody waiting. */
static void
waiting(const struct state *s, struct list *l)
{
	static const struct {
		const char *lane;
		int64_t limit;
		const char *before, *after, *effect, *now, *who;
	} rules[] = {
	    {"triage", MINUTE, "", " 件有记录而没人分派", "个案停住不动",
	        "hf-router 在运行吗? deploy/local status", OPERATOR},
	    {"supervision", 15 * MINUTE, "", " 件投诉或舆情超 15 分钟", "停止拨打, 等处理",
	        "通知督查组", "督查组"},
	    {"strike", HOUR, "突击组 ", " 件超 1 小时没人接", "失联不清零", "通知突击组组长",
	        "突击组组长"},
	    {"papers", 4 * HOUR, "材料 ", " 件超 4 小时", "退档办不完", "通知数据组", DATA},
	};

	for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
		for (uint32_t i = 0; i < s->n_lanes; i++) {
			const struct lane_state *lane = &s->lanes[i];

			if (strcmp(lane->name, rules[r].lane) == 0 &&
			    lane_age(s, lane) > rules[r].limit)
				say(add(l, rules[r].effect, rules[r].now, rules[r].who),
				    rules[r].before, lane->n, rules[r].after);
		}
	}
}

static void
piled(const struct state *s, struct list *l)
{
	int64_t parked = state_lane(s, "parked"), doubt = state_lane(s, "doubt");

	if (parked > 0)
		say(add(l, "多次领取没有记录, 没有人再领到", "hfctl case why 编号; 请组长看",
		        "归属人的组长"),
		    "", parked, " 件被搁置");
	if (doubt > 0)
		say(add(l, "等原持有人的电脑回来", "hfctl case why 编号; 等那台电脑连上", OPERATOR),
		    "", doubt, " 件存疑");
}

static void
archive(const struct state *s, struct list *l)
{
	if (s->archive_beside)
		say(add(l, "这块盘坏了, 记录和归档一起没有",
		        "env.conf 的 archive 换到另一块盘或另一台机器, 重启 hf-recorder", OPERATOR),
		    "归档与存储在同一块盘上", -1, "");
}

uint32_t
state_problems(const struct state *s, struct problem out[STATE_PROBLEMS])
{
	struct list l = {out, 0};

	if (s->campaign[0] == '\0' && s->redis_up) {
		say(add(&l, "没有可看的", "hfctl campaign create 编号", DATA), "还没有活动", -1,
		    "");
		return l.n;
	}
	stores(s, &l);
	brokers(s, &l);
	if (s->redis_up) {
		sums(s, &l);
		waiting(s, &l);
		piled(s, &l);
	}
	archive(s, &l);
	return l.n;
}

bool
state_ready(const struct state *s)
{
	return s->campaign[0] != '\0' && s->redis_up && s->ledger.up && s->mode == 0;
}
