/* policy_read.c - a policy file, line by line: `keyword | field | field …` (deploy/policy/README.md).
 *
 * Happy path: each line goes to the reader of its keyword, each thing is set exactly once, then
 * check_policy looks at the whole. Every problem of the file is told, up to READER_PROBLEMS, with
 * line, what is wrong and how to mend it; one problem and there is no policy. Never trusts a byte. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/escalation/policy_reader.h"

static bool __attribute__((format(printf, 3, 0)))
tell(struct reader *r, int line, const char *fmt, va_list ap)
{
	char text[400];

	if (++r->n_problems > READER_PROBLEMS || r->problems == NULL)
		return false;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (line > 0)
		buf_addf(r->problems, "%s:%d: %s\n", r->file, line, text);
	else
		buf_addf(r->problems, "%s: %s\n", r->file, text);
	return false;
}

bool
problem(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(r, r->line, fmt, ap);
	va_end(ap);
	return false;
}

bool
problem_file(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(r, 0, fmt, ap);
	va_end(ap);
	return false;
}

bool
reader_once(struct reader *r, int *at, const char *what)
{
	if (*at != 0)
		return problem(r, "%s在第%d行已经写过；两行留一行", what, *at);
	*at = r->line;
	return true;
}

static void
read_policy(struct reader *r)
{
	struct value version = value_of(r->field[1]), date = value_of(r->field[2]);
	int32_t day;

	if (!reader_once(r, &r->at_policy, "policy 行"))
		return;
	if (!value_int(version.text, 1, 1000000, &r->p->version))
		problem(r, "版本号“%s”不是1到1000000的整数；每改一次加1", version.text);
	if (!value_date(date.text, &day))
		problem(r, "日期“%s”看不懂；写成 2026-03-01 这样", date.text);
	else
		snprintf(r->p->date, sizeof(r->p->date), "%.10s", date.text);
	if (!value_label(r->field[3], r->p->author, sizeof(r->p->author)))
		problem(r, "第4栏要写是谁定的（部门或职务，最多63字节）");
}

static void
read_office(struct reader *r, const char *text)
{
	char word[32];

	if (!reader_once(r, &r->at_office, "hours | office "))
		return;
	while (value_word(&text, ",", word, sizeof(word))) {
		const char *trimmed = word + strspn(word, " ");

		if (r->p->n_office == 3 || !value_hours(trimmed, &r->p->office[r->p->n_office])) {
			problem(r, "办公时间看不懂；写成 08:30-11:30, 14:00-17:00，最多三段");
			return;
		}
		r->p->n_office++;
	}
	if (r->p->n_office == 0)
		problem(r, "没有办公时间；写成 08:30-11:30, 14:00-17:00");
}

static void
read_hours(struct reader *r)
{
	struct value which = value_of(r->field[1]), v = value_of(r->field[2]);
	struct {
		const char *name;
		int *at;
		struct hours *to;
	} rows[] = {{"offered", &r->at_offered, &r->p->offered},
	    {"quiet", &r->at_quiet, &r->p->quiet}, {"asked", &r->at_asked, &r->p->asked}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(which.text, rows[i].name) != 0)
			continue;
		if (reader_once(r, rows[i].at, "这一段时间") && !value_hours(v.text, rows[i].to))
			problem(r, "时间“%s”看不懂；写成 08:30-21:00，开始早于结束",
			    value_shown(r->field[2]).text);
		return;
	}
	if (strcmp(which.text, "office") == 0)
		read_office(r, v.text);
	else
		problem(r, "hours 后面是 offered、quiet、asked 或 office，不是“%s”",
		    value_shown(r->field[1]).text);
}

static void
read_days(struct reader *r)
{
	struct value which = value_of(r->field[1]), v = value_of(r->field[2]);
	bool calling = strcmp(which.text, "calling") == 0;

	if (!calling && strcmp(which.text, "working") != 0) {
		problem(
		    r, "days 后面是 calling 或 working，不是“%s”", value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, calling ? &r->at_calling : &r->at_working, "这几天"))
		return;
	if (!value_days(v.text, calling ? &r->p->calling_days : &r->p->working_days))
		problem(
		    r, "星期“%s”看不懂；写成 mon-fri 或 周一-周五", value_shown(r->field[2]).text);
}

static void
read_daypart(struct reader *r)
{
	struct value which = value_of(r->field[1]), v = value_of(r->field[2]);
	int i = which.text[0] - 'a';

	if (i < 0 || i > 3 || which.text[1] != '\0')
		problem(r, "时段名是 a、b、c、d，不是“%s”", value_shown(r->field[1]).text);
	else if (reader_once(r, &r->at_daypart[i], "这个时段") &&
	         !value_hours(v.text, &r->p->dayparts[i]))
		problem(r, "时段“%s”看不懂；写成 08:30-12:00", value_shown(r->field[2]).text);
}

/* Dates come in any order; they are kept rising. */
static void
read_day(struct reader *r)
{
	struct value date = value_of(r->field[1]), kind = value_of(r->field[2]);
	struct policy *p = r->p;
	struct day_row row = {0, false, false};
	int at;

	if (!value_date(date.text, &row.day)) {
		problem(r, "日期“%s”看不懂；写成 2026-04-04 这样", value_shown(r->field[1]).text);
		return;
	}
	if (strcmp(kind.text, "workday") == 0)
		row.calling = row.working = true;
	else if (strcmp(kind.text, "calling") == 0)
		row.calling = true;
	else if (strcmp(kind.text, "holiday") != 0) {
		problem(r, "“%s”不认识；holiday 放假不打，workday 调休上班，calling 放假但打电话",
		    value_shown(r->field[2]).text);
		return;
	}
	if (p->n_days == POLICY_DAYS) {
		problem(r, "特殊日子最多%d行；删去早已过去的", POLICY_DAYS);
		return;
	}
	for (at = p->n_days; at > 0 && p->days[at - 1].day >= row.day; at--)
		if (p->days[at - 1].day == row.day) {
			problem(r, "日期 %s 写了两次；留一行", date.text);
			return;
		}
	memmove(&p->days[at + 1], &p->days[at], (size_t)(p->n_days - at) * sizeof(row));
	p->days[at] = row;
	p->n_days++;
}

/* Dates that are known late, so both lines may be missing. Days are whole days in Shanghai. */
static void
read_date(struct reader *r)
{
	struct value which = value_of(r->field[1]), v = value_of(r->field[2]);
	const char *at = v.text;
	char from[16] = "", until[16] = "";
	bool two = value_word(&at, " ,", from, sizeof(from)) &&
	           value_word(&at, " ,", until, sizeof(until));
	int32_t first, last;

	if (!value_date(from, &first) || !value_date(two ? until : from, &last) || last < first ||
	    at[strspn(at, " ,")] != '\0') {
		problem(r, "日期看不懂；写成 2026-09-05，或头尾两天 2026-09-05, 2026-09-06");
	} else if (strcmp(which.text, "registration") == 0) {
		if (!reader_once(r, &r->at_registration, "报到日期"))
			return;
		r->p->registration_from = (int64_t)first * 86400000 - CLOCK_SHANGHAI_MS;
		r->p->registration_until = (int64_t)(last + 1) * 86400000 - CLOCK_SHANGHAI_MS;
	} else if (strcmp(which.text, "notice") == 0) {
		if (reader_once(r, &r->at_notice, "寄通知书日期"))
			r->p->notice_sent = (int64_t)first * 86400000 - CLOCK_SHANGHAI_MS;
	} else {
		problem(r, "date 后面是 registration 或 notice，不是“%s”",
		    value_shown(r->field[1]).text);
	}
}

static void
read_pass(struct reader *r)
{
	struct value which = value_of(r->field[1]), length = value_of(r->field[2]);
	struct value who = value_of(r->field[3]);
	int32_t n;

	if (!value_int(which.text, 1, 3, &n)) {
		problem(r, "批次是 1、2、3，不是“%s”", value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, &r->at_pass[n], "这一批"))
		return;
	if (!value_step(length.text, &r->p->pass_length[n]) || r->p->pass_length[n].n == 0)
		problem(r, "批次长度“%s”看不懂；写成 8h（拨打时间8小时）",
		    value_shown(r->field[2]).text);
	if (strcmp(who.text, "all") == 0)
		r->p->pass_calls_all[n] = true;
	else if (strcmp(who.text, "open") != 0)
		problem(r, "第4栏是 all（全部再打一遍）或 open（只打没定的），不是“%s”",
		    value_shown(r->field[3]).text);
}

static const struct keyword {
	const char *name;
	int least, most; /* fields with the keyword; the last ones may be a remark */
	void (*read)(struct reader *r);
} keywords[] = {
    {"policy", 4, 5, read_policy},
    {"hours", 3, 4, read_hours},
    {"days", 3, 4, read_days},
    {"daypart", 3, 4, read_daypart},
    {"day", 3, 4, read_day},
    {"date", 3, 4, read_date},
    {"pass", 4, 5, read_pass},
    {"set", 3, 4, read_setting},
    {"outcome", 13, 14, read_outcome},
    {"rung", 5, 6, read_rung},
    {"question", 3, 4, read_question},
    {"template", 3, 4, read_template},
};

static void
add_field(struct reader *r, const uint8_t *from, const uint8_t *until)
{
	while (from < until && (*from == ' ' || *from == '\t'))
		from++;
	while (until > from && (until[-1] == ' ' || until[-1] == '\t'))
		until--;
	if (r->n_fields < READER_FIELDS)
		r->field[r->n_fields] = span_of(from, (size_t)(until - from));
	r->n_fields++;
}

/* Fields are kept apart by | or by ｜ (EF BD 9C), which a Chinese keyboard gives. */
static void
split_line(struct reader *r, struct span line)
{
	const uint8_t *from = line.data, *end = line.data + line.len;

	r->n_fields = 0;
	for (const uint8_t *s = line.data; s < end; s++) {
		size_t wide = end - s >= 3 && memcmp(s, "\xef\xbd\x9c", 3) == 0 ? 3 : 1;

		if (*s != '|' && wide == 1)
			continue;
		add_field(r, from, s);
		from = s + wide;
		s += wide - 1;
	}
	add_field(r, from, end);
}

static void
read_line(struct reader *r, struct span line)
{
	struct value word;

	split_line(r, line);
	if (r->n_fields == 1 && r->field[0].len == 0)
		return;
	word = value_of(r->field[0]);
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const struct keyword *k = &keywords[i];

		if (strcmp(word.text, k->name) != 0)
			continue;
		if (r->n_fields < k->least || r->n_fields > k->most)
			problem(r, "%s 行要有%d栏（可再加一栏说明），这里有%d栏；栏之间用 | 隔开",
			    k->name, k->least, r->n_fields);
		else
			k->read(r);
		return;
	}
	problem(r,
	    "不认识的开头“%s”；可以是 policy hours days daypart day date pass set outcome rung "
	    "question，说明以 # 开头",
	    value_shown(r->field[0]).text);
}

static void
read_lines(struct reader *r, struct span text)
{
	const uint8_t *at = text.data, *end = text.data + text.len;

	if (text.len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end) {
		const uint8_t *nl = memchr(at, '\n', (size_t)(end - at));
		const uint8_t *stop = nl == NULL ? end : nl;
		struct span line = span_of(at, (size_t)(stop - at));

		r->line++;
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		at = nl == NULL ? end : nl + 1;
		if (line.len > 0 && line.data[0] == '#')
			continue;
		if (!utf8_valid(line.data, line.len))
			problem(r, "不是 UTF-8 文字；请用“另存为 UTF-8”保存");
		else
			read_line(r, line);
	}
}

int
policy_read(
    struct policy **ret, const char *file, struct span text, struct buf *problems, struct err *err)
{
	struct reader *r;
	int n, rc = 0;

	if (text.len > POLICY_FILE_MAX) {
		if (problems != NULL)
			buf_addf(problems, "%s: 文件超过%d字节；删去多余的说明\n", file,
			    POLICY_FILE_MAX);
		return err_set(err, ERR_FULL, "%s: larger than %d bytes", file, POLICY_FILE_MAX);
	}
	r = xcalloc(1, sizeof(*r));
	r->p = xcalloc(1, sizeof(*r->p));
	r->file = file;
	r->problems = problems;
	read_lines(r, text);
	r->line = 0;
	check_policy(r);
	n = r->n_problems;
	if (n > READER_PROBLEMS && problems != NULL)
		buf_addf(problems, "%s: 另有%d处问题没有列出\n", file, n - READER_PROBLEMS);
	if (n > 0) {
		rc = err_set(
		    err, ERR_INVALID, "%s: %d problem%s in the policy", file, n, n == 1 ? "" : "s");
		policy_free(r->p);
	} else {
		*ret = r->p;
	}
	free(r);
	return rc;
}

int
policy_load(struct policy **ret, const char *path, struct buf *problems, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = file_read(&text, path, POLICY_FILE_MAX, err);

	if (rc == 0)
		rc = policy_read(ret, path, buf_span(&text), problems, err);
	buf_done(&text);
	return rc;
}
