/* Decides whether a row of a ledger that was kept elsewhere can be a record:
 * {"row","key","day":"YYYY-MM-DD","minute":n|absent,"count","seconds","channel","result","note"}.
 *
 * Happy path: 考生号 (as often as it was called), 日期 with or without a time, 结果 as the campaign calls it (the one who
 * imports knows the words), and what else the sheet has: 次数, 总时长 in minutes, 途径, 备注. What cannot be read is an
 * error: nothing is guessed, nothing is taken for a call that was none. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/import/kinds.h"

enum { KEY, DAY, COUNT, LENGTH, CHANNEL, RESULT, NOTE, COLUMNS };

#define COUNT_MOST  99
#define LENGTH_MOST (24 * 3600)

static const struct table_column columns[COLUMNS] = {
    [KEY] = {"考生号", "KSH 考生编号", NORM_CODE, COLUMN_REQUIRED},
    [DAY] = {"日期", "时间 回访时间 回访日期", NORM_CODE, COLUMN_REQUIRED},
    [COUNT] = {"次数", "回访次数", NORM_CODE, COLUMN_OPTIONAL},
    [LENGTH] = {"总时长", "时长 通话时长", NORM_CODE, COLUMN_OPTIONAL},
    [CHANNEL] = {"途径", "方式", NORM_CODE, COLUMN_OPTIONAL},
    [RESULT] = {"结果", "回访结果", NORM_FREE, COLUMN_REQUIRED},
    [NOTE] = {"备注", "说明", NORM_FREE, COLUMN_OPTIONAL},
};

/* "2026-03-09", "2026-03-09 14:30" */
static void
take_when(struct table *t, struct day *day, int *minute)
{
	struct span text = t->value[DAY].text;
	size_t n = 0;
	int h, m, used = 0;
	char time[16];

	if (!table_usable(t, DAY))
		return;
	while (n < text.len && text.data[n] != ' ' && text.data[n] != 'T')
		n++;
	*minute = -1;
	if (!day_parse(span_of(text.data, n), day)) {
		table_problem(t, DAY, PROBLEM_CALL_DAY, 0);
		return;
	}
	if (n == text.len)
		return;
	(void)snprintf(
	    time, sizeof(time), "%.*s", (int)(text.len - n - 1), (const char *)text.data + n + 1);
	if (sscanf(time, "%2d:%2d%n", &h, &m, &used) != 2 || h < 0 || h > 23 || m < 0 || m > 59 ||
	    (time[used] != '\0' && time[used] != ':'))
		table_problem(t, DAY, PROBLEM_CALL_DAY, 0);
	else
		*minute = h * 60 + m;
}

static uint64_t
take_count(struct table *t)
{
	struct span text = t->value[COUNT].text;
	uint64_t n = 1;

	if (!table_usable(t, COUNT) || text.len == 0)
		return 1;
	if (!text_to_u64((const char *)text.data, text.len, &n) || n < 1 || n > COUNT_MOST)
		table_problem(t, COUNT, PROBLEM_CALL_COUNT, 0);
	return n;
}

/* "12" and "12分" are minutes, "12分30秒", "90秒". */
static uint64_t
take_length(struct table *t)
{
	char text[48];
	unsigned minutes = 0, seconds = 0;
	int used = 0;

	if (!table_usable(t, LENGTH) || t->value[LENGTH].text.len == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)t->value[LENGTH].text.len,
	    (const char *)t->value[LENGTH].text.data);
	if (!((sscanf(text, "%5u分%5u秒%n", &minutes, &seconds, &used) == 2 && used > 0) ||
	        (seconds = 0, sscanf(text, "%5u分钟%n", &minutes, &used) == 1 && used > 0) ||
	        (sscanf(text, "%5u分%n", &minutes, &used) == 1 && used > 0) ||
	        (minutes = 0, sscanf(text, "%5u秒%n", &seconds, &used) == 1 && used > 0) ||
	        (seconds = 0, sscanf(text, "%5u%n", &minutes, &used) == 1 && used > 0)) ||
	    text[used] != '\0' || minutes * 60u + seconds > LENGTH_MOST) {
		table_problem(t, LENGTH, PROBLEM_CALL_LENGTH, 0);
		return 0;
	}
	return minutes * 60u + seconds;
}

static const char *
take_channel(struct table *t)
{
	static const char *const words[][2] = {{"电话", "phone"}, {"手机", "phone"},
	    {"座机", "phone"}, {"微信", "wechat"}, {"QQ", "qq"}, {"qq", "qq"}, {"短信", "sms"},
	    {"上门", "visit"}, {"面谈", "visit"}, {"其他", "other"}};
	struct span text = t->value[CHANNEL].text;

	if (!table_usable(t, CHANNEL) || text.len == 0)
		return "phone";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_eq_str(text, words[i][0]))
			return words[i][1];
	table_problem(t, CHANNEL, PROBLEM_CALL_CHANNEL, 0);
	return "";
}

static void
judge(struct table *t)
{
	struct buf key = BUF_INIT;
	struct day day = {0, 0, 0};
	uint64_t count, seconds;
	const char *channel;
	int minute = -1;
	struct line line;
	char text[16];

	kinds_read_key(t, KEY, &key);
	take_when(t, &day, &minute);
	count = take_count(t);
	seconds = take_length(t);
	channel = take_channel(t);
	(void)table_usable(t, RESULT);
	(void)table_usable(t, NOTE);
	if (!t->is_bad) {
		(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", day.year % 10000,
		    day.month % 100, day.day % 100);
		line_begin(&line);
		line_int(&line, "row", t->row);
		line_str(&line, "key", buf_span(&key));
		line_str(&line, "day", span_str(text));
		if (minute >= 0)
			line_int(&line, "minute", minute);
		line_int(&line, "count", (int64_t)count);
		line_int(&line, "seconds", (int64_t)seconds);
		line_str(&line, "channel", span_str(channel));
		line_str(&line, "result", t->value[RESULT].text);
		if (t->value[NOTE].text.len > 0)
			line_str(&line, "note", t->value[NOTE].text);
		table_put(t, &line);
	}
	buf_done(&key);
}

const struct table_kind records_kind = {"回访台账", columns, COLUMNS, false, judge};
