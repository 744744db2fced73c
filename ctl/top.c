/* top.c - problems first, then lanes, then the funnel; 48 people's lanes are one row. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/show.h"
#include "ctl/top.h"

#define ROWS_MAX 64

struct row {
	char name[128];
	json_int_t cases, age; /* seconds */
};

static json_int_t
num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

/* A Chinese character takes two columns. */
static int
columns(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		n += c < 0x80 ? 1 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	}
	return n;
}

static void
cell(struct buf *out, const char *s, int width)
{
	buf_addf(out, "%s%*s", s, width > columns(s) ? width - columns(s) : 1, "");
}

static void
right(struct buf *out, const char *s, int width)
{
	buf_addf(out, "%*s%s", width > columns(s) ? width - columns(s) : 1, "", s);
}

static void
wait_text(char out[48], json_int_t s)
{
	if (s <= 0)
		snprintf(out, 48, "-");
	else if (s < 60)
		snprintf(out, 48, "%" JSON_INTEGER_FORMAT " 秒", s);
	else if (s < 3600)
		snprintf(out, 48, "%" JSON_INTEGER_FORMAT " 分", s / 60);
	else
		snprintf(out, 48, "%" JSON_INTEGER_FORMAT " 小时 %" JSON_INTEGER_FORMAT " 分",
		    s / 3600, s % 3600 / 60);
}

/* In these lanes nothing is due: a case waits there for an act or a date of its own. */
static bool
is_still(const char *lane)
{
	return strcmp(lane, "unreleased") == 0 || strcmp(lane, "resting") == 0 ||
	       strcmp(lane, "terminal") == 0;
}

static size_t
rows_of(struct row *rows, const json_t *lanes)
{
	size_t n = 0, i;
	const json_t *l;

	json_array_foreach(lanes, i, l)
	{
		const char *lane = str(l, "lane");
		char name[128];
		struct row *r = rows;

		if (strncmp(lane, "own:", 4) == 0)
			snprintf(name, sizeof(name), "各人名单");
		else if (strncmp(lane, "team:", 5) == 0)
			snprintf(name, sizeof(name), "组长处");
		else
			(void)show_lane(name, lane);
		while (r < rows + n && strcmp(r->name, name) != 0)
			r++;
		if (r == rows + ROWS_MAX)
			continue;
		if (r == rows + n) {
			memset(r, 0, sizeof(*r));
			memcpy(r->name, name, sizeof(name));
			n++;
		}
		r->cases += num(l, "cases");
		if (!is_still(lane) && num(l, "age") > r->age)
			r->age = num(l, "age");
	}
	return n;
}

static int
more_cases(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->cases < y->cases) - (x->cases > y->cases);
}

static int
waited_longer(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->age != y->age ? (x->age < y->age) - (x->age > y->age) : more_cases(a, b);
}

static void
lane_line(struct buf *out, const char *name, json_int_t cases, const char *age)
{
	char n[32];

	snprintf(n, sizeof(n), "%" JSON_INTEGER_FORMAT, cases);
	cell(out, name, 24);
	right(out, n, 9);
	right(out, age, 18);
	buf_adds(out, "\n");
}

static void
lanes_text(struct buf *out, const json_t *state, bool by_age)
{
	struct row rows[ROWS_MAX];
	size_t n = rows_of(rows, json_object_get(state, "lanes"));
	json_int_t sum = num(state, "leases");
	char age[48];

	qsort(rows, n, sizeof(rows[0]), by_age ? waited_longer : more_cases);
	cell(out, "队列", 24);
	right(out, "件数", 9);
	right(out, "最久已到点", 18);
	buf_adds(out, "\n");
	for (size_t i = 0; i < n; i++) {
		wait_text(age, rows[i].age);
		lane_line(out, rows[i].name, rows[i].cases, age);
		sum += rows[i].cases;
	}
	lane_line(out, "在手", num(state, "leases"), "");
	lane_line(out, "合计", sum, "");
	buf_addf(out, "导入 %" JSON_INTEGER_FORMAT " 件 %s\n\n", num(state, "cases"),
	    sum == num(state, "cases") ? "= 队列加在手, 对得上" : "!! 对不上: hfctl doctor");
}

static void
ledger_text(struct buf *out, const json_t *l, const json_t *f, json_int_t lost)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const json_t *minutes = json_object_get(l, "per_minute"), *m;
	json_int_t top = 1, last = 0;
	size_t i;

	buf_addf(out,
	    "导入 %" JSON_INTEGER_FORMAT " · 打过 %" JSON_INTEGER_FORMAT
	    " · 确认 %" JSON_INTEGER_FORMAT " · 犹豫 %" JSON_INTEGER_FORMAT
	    " · 没联系上 %" JSON_INTEGER_FORMAT " · 退档 %" JSON_INTEGER_FORMAT
	    " · 已报到 %" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "\n",
	    num(f, "cases"), num(f, "attempted"), num(f, "confirmed"), num(f, "considering"),
	    num(f, "unreachable"), num(f, "withdrawn"), num(f, "registered"), num(f, "admitted"));
	if (lost >= 0)
		buf_addf(out,
		    "失联 %" JSON_INTEGER_FORMAT
		    " 人 (找遍了还没找到, 目标 0): hfctl strike list\n",
		    lost);
	json_array_foreach(minutes, i, m)
	{
		last = json_integer_value(m);
		top = last > top ? last : top;
	}
	buf_addf(out, "最近一分钟 %" JSON_INTEGER_FORMAT " 条 ", last);
	json_array_foreach(minutes, i, m) buf_adds(out, bars[json_integer_value(m) * 7 / top]);
	buf_addf(out,
	    " 最多 %" JSON_INTEGER_FORMAT ", 账本共 %" JSON_INTEGER_FORMAT
	    " 条, 待归档 %" JSON_INTEGER_FORMAT "\n\n",
	    top, num(l, "records"), num(l, "unreleased"));
}

static void
teams_text(struct buf *out, const json_t *teams)
{
	static const struct {
		const char *name, *key;
	} columns_of[] = {{"人员", "people"}, {"在岗", "working"}, {"在手", "held"},
	    {"到点未办", "due"}, {"近30分记录", "records"}, {"未打", "untouched"},
	    {"确认", "confirmed"}};
	size_t i, n = sizeof(columns_of) / sizeof(columns_of[0]);
	const json_t *t;

	if (json_array_size(teams) == 0)
		return;
	cell(out, "小组", 12);
	for (size_t k = 0; k < n; k++)
		right(out, columns_of[k].name, 12);
	buf_adds(out, "\n");
	json_array_foreach(teams, i, t)
	{
		cell(out, str(t, "team"), 12);
		for (size_t k = 0; k < n; k++)
			buf_addf(out, "%12" JSON_INTEGER_FORMAT, num(t, columns_of[k].key));
		buf_adds(out, "\n");
	}
}

static void
problems_text(struct buf *out, const json_t *problems)
{
	size_t i;
	const json_t *p;

	if (json_array_size(problems) == 0)
		buf_adds(out, "一切正常\n");
	else
		buf_addf(out, "需要处理 %zu 件\n", json_array_size(problems));
	json_array_foreach(problems, i, p)
	    buf_addf(out, " ! %s\n   影响: %s\n   现在: %s\n   找谁: %s\n", str(p, "what"),
	        str(p, "effect"), str(p, "now"), str(p, "who"));
	buf_adds(out, "\n");
}

void
top_text(struct buf *out, const json_t *state, long age_s, bool by_age)
{
	static const char *const modes[] = {"发放中", "恢复中", "已停"};
	const json_t *ledger = json_object_get(state, "ledger"),
	             *figures = json_object_get(state, "figures");
	json_int_t mode = num(state, "mode");
	char now[32];

	clock_text(now, num(state, "now"));
	buf_addf(out, "回访 %s   活动时间 %s   版本 %s   ", str(state, "campaign"), now,
	    str(state, "version"));
	if (age_s >= 3)
		buf_addf(out, "!! 数据是 %ld 秒前的\n", age_s);
	else
		buf_adds(out, age_s < 0 ? "\n" : "实时\n");
	buf_addf(out,
	    "Redis %s   PostgreSQL %s   队列 %s   纪元 %" JSON_INTEGER_FORMAT
	    "   机器 %" JSON_INTEGER_FORMAT "   人员 %" JSON_INTEGER_FORMAT "\n\n",
	    json_is_true(json_object_get(state, "redis")) ? "正常" : "连不上",
	    json_is_true(json_object_get(ledger, "up")) ? "正常" : "连不上",
	    num(state, "paused") != 0 ? "已暂停"
	    : mode >= 0 && mode < 3   ? modes[mode]
	                              : "?",
	    num(state, "epoch"), num(state, "agents"), num(state, "persons"));
	problems_text(out, json_object_get(state, "problems"));
	lanes_text(out, state, by_age);
	ledger_text(
	    out, ledger, figures, json_object_get(state, "lost") == NULL ? -1 : num(state, "lost"));
	teams_text(out, json_object_get(figures, "teams"));
}
