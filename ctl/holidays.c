/* holidays.c - days off and make-up workdays out of .ics (RFC 5545) and .csv.
 *
 * Happy path: each VEVENT covers whole days from DTSTART up to before DTEND and says what they are by
 * X-APPLE-SPECIAL-DAY or in SUMMARY (假期, 放假, 休: holiday; 补班, 上班, 班: workday); each row of a .csv is
 * date, kind, name. Failures: what is not understood is told with its line, up to PROBLEMS_MAX, and nothing is
 * taken: a repeating event, a day that is said to be two things, an event that is neither off nor a workday. */
#include "ctl/holidays.h"

#include <csv.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PROBLEMS_MAX 50
#define EVENT_DAYS   31
#define LINE_MAX_LEN 4000

struct reader {
	const char *file;
	int line;
	struct days days;
	struct buf *problems;
	int n_problems;
	/* .ics: the event that is open */
	bool in_event;
	int event_line;
	bool has_start, has_end, has_kind;
	int32_t start, end;
	enum day_kind kind;
	char label[DAYS_LABEL];
	/* .csv: the row so far */
	int field, row_end;
	char word[3][DAYS_LABEL];
};

static void __attribute__((format(printf, 3, 4)))
problem(struct reader *r, int line, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (++r->n_problems <= PROBLEMS_MAX)
		buf_addf(r->problems, "%s:%d: %s\n", r->file, line, text);
}

static void
put(struct reader *r, int line, int32_t day, enum day_kind kind, const char *label)
{
	struct day d = {.day = day, .kind = kind};
	const struct day *other = days_find(&r->days, day);
	char date[DAYS_DATE];

	days_date_text(date, day);
	days_label(d.label, span_str(label));
	if (other != NULL && other->kind != kind)
		problem(r, line, "%s 前面是 %s, 这里是 %s; 留一个", date,
		    day_kind_name(other->kind), day_kind_name(kind));
	else if (other == NULL && days_put(&r->days, &d, true) == DAYS_FULL)
		problem(r, line, "日子超过 %d 个; 只留今年的", DAYS_MAX);
}

/* ---- .ics ---- */

/* NAME;PARAMS:VALUE -> is it this name? */
static bool
is_property(struct span line, const char *name, struct span *ret_value)
{
	size_t n = strlen(name);
	const uint8_t *colon = memchr(line.data, ':', line.len);

	if (colon == NULL || line.len <= n || memcmp(line.data, name, n) != 0 ||
	    (line.data[n] != ':' && line.data[n] != ';'))
		return false;
	*ret_value = span_of(colon + 1, (size_t)(line.data + line.len - colon - 1));
	return true;
}

static bool
contains(struct span text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (memmem(text.data, text.len, *words, strlen(*words)) != NULL)
			return true;
	return false;
}

static void
summary(struct reader *r, struct span value)
{
	static const char *const work[] = {"补班", "上班", "调班", "(班)", "（班）", NULL};
	static const char *const off[] = {"假期", "放假", "休", NULL};
	bool is_work = contains(value, work);

	days_label(r->label, value);
	if (r->has_kind || (!is_work && !contains(value, off)))
		return;
	r->has_kind = true;
	r->kind = is_work ? DAY_WORKDAY : DAY_HOLIDAY;
}

static void
event_date(struct reader *r, struct span value, bool *has, int32_t *day)
{
	*has = days_date(value, day);
	if (!*has)
		problem(r, r->line, "日期看不懂; 要整天的日子, 如 DTSTART;VALUE=DATE:20260217");
}

static void
event_line(struct reader *r, struct span line)
{
	struct span v;

	if (is_property(line, "DTSTART", &v)) {
		event_date(r, v, &r->has_start, &r->start);
	} else if (is_property(line, "DTEND", &v)) {
		event_date(r, v, &r->has_end, &r->end);
	} else if (is_property(line, "SUMMARY", &v)) {
		summary(r, v);
	} else if (is_property(line, "X-APPLE-SPECIAL-DAY", &v)) {
		r->has_kind = true;
		r->kind = span_eq_str(v, "ALTERNATE-WORKDAY") ? DAY_WORKDAY : DAY_HOLIDAY;
	} else if (is_property(line, "RRULE", &v) || is_property(line, "RDATE", &v) ||
	           is_property(line, "DURATION", &v)) {
		problem(r, r->line, "重复的日程和 DURATION 不认; 每段日子写一个 VEVENT, 用 DTEND");
	}
}

static void
end_event(struct reader *r)
{
	int32_t end = r->has_end ? r->end : r->start + 1;

	r->in_event = false;
	if (!r->has_start) {
		problem(r, r->event_line, "这个 VEVENT 没有能用的 DTSTART; 补上日期");
		return;
	}
	if (end == r->start)
		end++;
	if (end < r->start || end - r->start > EVENT_DAYS) {
		problem(r, r->event_line,
		    "这个 VEVENT 的头尾不对; DTEND 是最后一天的下一天, 最多 %d 天", EVENT_DAYS);
		return;
	}
	if (!r->has_kind) {
		problem(r, r->event_line, "看不出这几天放假还是上班; SUMMARY 里写明“假期”或“补班”");
		return;
	}
	for (int32_t day = r->start; day < end; day++)
		put(r, r->event_line, day, r->kind, r->label);
}

static void
ics_line(struct reader *r, struct span line)
{
	if (span_eq_str(line, "BEGIN:VEVENT")) {
		if (r->in_event)
			problem(r, r->line, "前一个 VEVENT 没有 END:VEVENT");
		r->in_event = true;
		r->event_line = r->line;
		r->has_start = r->has_end = r->has_kind = false;
		r->label[0] = '\0';
	} else if (span_eq_str(line, "END:VEVENT") && r->in_event) {
		end_event(r);
	} else if (r->in_event && line.len > 0) {
		event_line(r, line);
	}
}

/* A line that begins with a blank continues the one before. */
static void
read_ics(struct reader *r, struct span text)
{
	const uint8_t *at = text.data, *end = text.data + text.len;
	struct buf whole = BUF_INIT;
	int next = 0;

	while (at < end) {
		const uint8_t *nl = memchr(at, '\n', (size_t)(end - at));
		const uint8_t *stop = nl == NULL ? end : nl;
		bool more = next > 0 && (*at == ' ' || *at == '\t');
		size_t n = (size_t)(stop - at) - (stop > at && stop[-1] == '\r');

		next++;
		if (!more) {
			ics_line(r, buf_span(&whole));
			buf_clear(&whole);
			r->line = next;
		}
		if (whole.len + n > LINE_MAX_LEN)
			problem(r, next, "这一行超过 %d 字节", LINE_MAX_LEN);
		else
			buf_add(&whole, at + more, n - more);
		at = nl == NULL ? end : nl + 1;
	}
	ics_line(r, buf_span(&whole));
	buf_done(&whole);
	if (r->in_event)
		problem(r, r->event_line, "这个 VEVENT 没有 END:VEVENT, 文件不全; 重新下载");
}

/* ---- .csv ---- */

static void
on_field(void *data, size_t len, void *arg)
{
	struct reader *r = arg;

	if (r->field < 3)
		days_label(r->word[r->field], span_of(data, len));
	r->field++;
}

static enum day_kind
csv_kind(const char *word)
{
	static const struct {
		const char *word;
		enum day_kind kind;
	} rows[] = {{"放假", DAY_HOLIDAY}, {"假期", DAY_HOLIDAY}, {"休", DAY_HOLIDAY},
	    {"补班", DAY_WORKDAY}, {"上班", DAY_WORKDAY}, {"班", DAY_WORKDAY},
	    {"放假照打", DAY_CALLING}, {"平常", DAY_ORDINARY}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].kind;
	return day_kind_by_name(word);
}

static void
on_row(int end, void *arg)
{
	struct reader *r = arg;
	enum day_kind kind = csv_kind(r->word[1]);
	int32_t day;

	if (end == '\n' && r->row_end == '\r' && r->field == 0) {
		r->row_end = end; /* the second half of a line's end */
		return;
	}
	r->row_end = end;
	r->line++;
	if (r->field == 0 || (r->field == 1 && r->word[0][0] == '\0')) {
		/* an empty line */
	} else if (days_date(span_str(r->word[0]), &day) && kind != DAY_KINDS && r->field <= 3) {
		put(r, r->line, day, kind, r->word[2]);
	} else if (r->line > 1 || (r->word[0][0] >= '0' && r->word[0][0] <= '9')) {
		problem(r, r->line,
		    "看不懂; 写成 日期,性质,名称, 性质是 放假 holiday、补班 workday、放假照打 "
		    "calling、"
		    "平常 ordinary");
	}
	r->field = 0;
	memset(r->word, 0, sizeof(r->word));
}

static void
read_csv(struct reader *r, struct span text)
{
	struct csv_parser p;

	if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
		problem(r, 1, "CSV 读不了");
		return;
	}
	if (csv_parse(&p, text.data, text.len, on_field, on_row, r) != text.len)
		problem(r, r->line + 1, "引号不成对; 一格里的引号写成两个");
	else if (csv_fini(&p, on_field, on_row, r) != 0)
		problem(r, r->line + 1, "引号没有关上");
	csv_free(&p);
}

int
holidays_read(
    struct days *ret, const char *file, struct span text, struct buf *problems, struct err *err)
{
	static struct reader r;

	memset(&r, 0, sizeof(r));
	r.file = file;
	r.problems = problems;
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = span_of(text.data + 3, text.len - 3);
	if (!utf8_valid(text.data, text.len))
		problem(&r, 1, "不是 UTF-8 文字; 请另存为 UTF-8");
	else if (text.len >= 15 && memcmp(text.data, "BEGIN:VCALENDAR", 15) == 0)
		read_ics(&r, text);
	else
		read_csv(&r, text);
	if (r.n_problems == 0 && r.days.n == 0)
		problem(&r, 1, "里面没有一个日子");
	if (r.n_problems > 0)
		return err_set(err, ERR_INVALID, "%s: %d 处问题, 什么也没有改", file, r.n_problems);
	*ret = r.days;
	return 0;
}
