/* Days off out of .ics and .csv: what is read, what is refused with its line, and the list itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/holidays.h"

static struct days got;

static void
reads(const char *text, const char *want)
{
	struct buf problems = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;

	if (holidays_read(&got, "f", span_str(text), &problems, &err) != 0)
		fail_msg("%s\n%s", err.text, problems.data == NULL ? "" : (char *)problems.data);
	days_print(&out, &got);
	assert_string_equal((char *)out.data, want);
	buf_done(&out);
	buf_done(&problems);
}

static void
refuses(const char *text, const char *told)
{
	struct buf problems = BUF_INIT;
	struct err err = ERR_INIT;

	got.n = 7;
	assert_int_equal(holidays_read(&got, "f", span_str(text), &problems, &err), -1);
	assert_int_equal(got.n, 7);
	if (problems.data == NULL || strncmp((char *)problems.data, told, strlen(told)) != 0)
		fail_msg(
		    "%s\nis not\n%s", problems.data == NULL ? "" : (char *)problems.data, told);
	buf_done(&problems);
}

#define ICS(...)   "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" __VA_ARGS__ "END:VCALENDAR\r\n"
#define EVENT(...) "BEGIN:VEVENT\r\n" __VA_ARGS__ "END:VEVENT\r\n"

static void
an_ics_says_days_off_and_workdays(void **state)
{
	(void)state;
	reads(
	    ICS(EVENT("DTSTART;VALUE=DATE:20260404\r\nDTEND;VALUE=DATE:20260407\r\nSUMMARY:清明\r\n"
	              "  假期\r\n") EVENT("SUMMARY:劳动节 补班\r\nDTSTART;VALUE=DATE:20260509\r\n")
	            EVENT("DTSTART;VALUE=DATE:20260619\r\nSUMMARY:端午\r\n"
	                  "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY\r\n")),
	    "day | 2026-04-04 | holiday | 清明 假期\nday | 2026-04-05 | holiday | 清明 假期\n"
	    "day | 2026-04-06 | holiday | 清明 假期\nday | 2026-05-09 | workday | 劳动节 补班\n"
	    "day | 2026-06-19 | holiday | 端午\n");
}

static void
an_ics_that_is_not_clear_is_refused_with_its_line(void **state)
{
	(void)state;
	refuses(ICS(EVENT("DTSTART:20260404T090000Z\r\nSUMMARY:清明 假期\r\n")), "f:4: 日期看不懂");
	refuses(ICS(EVENT("DTSTART:20260214\r\nSUMMARY:情人节\r\n")), "f:3: 看不出");
	refuses(
	    ICS(EVENT("DTSTART:20260214\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:假期\r\n")), "f:5: 重复");
	refuses(ICS(EVENT("SUMMARY:假期\r\n")), "f:3: 这个 VEVENT 没有能用的");
	refuses(ICS(EVENT("DTSTART:20260214\r\nDTEND:20270214\r\nSUMMARY:假期\r\n")),
	    "f:3: 这个 VEVENT 的头尾");
	refuses(ICS("BEGIN:VEVENT\r\nDTSTART:20260214\r\nSUMMARY:假期\r\n"),
	    "f:3: 这个 VEVENT 没有 END");
	refuses(ICS(EVENT("DTSTART:20260214\r\nSUMMARY:假期\r\n")
	                EVENT("DTSTART:20260214\r\nSUMMARY:补班\r\n")),
	    "f:7: 2026-02-14 前面是 holiday");
	refuses(ICS(""), "f:1: 里面没有一个日子");
}

static void
a_csv_says_date_kind_and_name(void **state)
{
	(void)state;
	reads("\xef\xbb\xbf日期,性质,名称\r\n2026-04-06,放假,\"清明, "
	      "第三天\"\r\n2026/5/9,补班,劳动节\r\n\r\n"
	      "20260503,calling,\n2026-10-01,平常\n",
	    "day | 2026-04-06 | holiday | 清明, 第三天\nday | 2026-05-03 | calling\n"
	    "day | 2026-05-09 | workday | 劳动节\nday | 2026-10-01 | ordinary\n");
	refuses("2026-02-30,放假,x\n", "f:1: 看不懂");
	refuses("日期,性质\n2026-04-06,睡觉\n", "f:2: 看不懂");
	refuses("2026-04-06,放假\n2026-04-06,补班\n", "f:2: 2026-04-06 前面是 holiday");
	refuses("日期,性质\r\n\r\n2026-04-06,睡觉\r\n", "f:3: 看不懂");
	refuses("2026-04-06,放假,\"清明\n", "f:1: 引号没有关上");
	refuses("2026-04-06,\xb7\xc5\xbc\xd9\n", "f:1: 不是 UTF-8");
}

static void
the_list_takes_each_day_once(void **state)
{
	struct day d = {.day = 20000, .kind = DAY_HOLIDAY, .label = "x"};
	static struct days list, back;
	struct buf one = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	list.n = 0;
	assert_int_equal(days_put(&list, &d, false), DAYS_CHANGED);
	assert_int_equal(days_put(&list, &d, false), DAYS_SAME);
	d.day = 19999;
	d.kind = DAY_WORKDAY;
	assert_int_equal(days_put(&list, &d, false), DAYS_CHANGED);
	assert_int_equal(list.at[0].day, 19999);
	days_print(&one, &list);
	assert_int_equal(days_parse(&back, buf_span(&one), &err), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.at[1].label, "x");
	d.kind = DAY_ORDINARY;
	assert_int_equal(days_put(&list, &d, false), DAYS_CHANGED);
	assert_int_equal(days_put(&list, &d, false), DAYS_SAME);
	assert_int_equal(list.n, 1);
	for (d.day = 0, d.kind = DAY_HOLIDAY; list.n < DAYS_MAX; d.day++)
		assert_int_equal(days_put(&list, &d, false), DAYS_CHANGED);
	assert_int_equal(days_put(&list, &d, false), DAYS_FULL);
	assert_int_equal(
	    days_parse(&back, span_str("day | 2026-04-06 | holiday\nhullo\n"), &err), -1);
	assert_non_null(strstr(err.text, "line 2"));
	buf_done(&one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ics_says_days_off_and_workdays),
	    cmocka_unit_test(an_ics_that_is_not_clear_is_refused_with_its_line),
	    cmocka_unit_test(a_csv_says_date_kind_and_name),
	    cmocka_unit_test(the_list_takes_each_day_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
