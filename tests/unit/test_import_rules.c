/* Whole sheets through import_run, without the sandbox: each rule as a line that comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "ctl/import/import.h"
#include "ctl/import/kinds.h"

#define ROSTER "考生号,姓名,身份证号,本人电话,其他电话\n"
#define PEOPLE "工号,姓名,小组,角色,合格\n"

#define LONG_NAME "志志志志志志志志志志志志志志志志志志志志志志志志志志志志志志"

/* Six numbers in a cell. */
#define SIX(x)                                                                                     \
	"199000000" x "1/199000000" x "2/199000000" x "3/199000000" x "4/199000000" x              \
	"5/199000000" x "6"

static int exit_code;

/* What hf-import prints for this file; the caller frees. */
static char *
run(const struct table_kind *kind, const char *bytes, size_t len)
{
	struct import_job job = {.kind = kind, .bad_rows_fd = -1, .today = {2026, 11, 23}};
	struct buf out = BUF_INIT;
	char chunk[4096];
	ssize_t n;

	job.input_fd = memfd_create("in", MFD_CLOEXEC);
	job.out_fd = memfd_create("out", MFD_CLOEXEC);
	assert_true(job.input_fd >= 0 && job.out_fd >= 0);
	assert_int_equal(file_write_all(job.input_fd, span_of(bytes, len), NULL), 0);
	assert_int_equal(import_prepare(&job, NULL), 0);
	exit_code = import_run(&job);
	import_done(&job);
	assert_int_equal(lseek(job.out_fd, 0, SEEK_SET), 0);
	while ((n = read(job.out_fd, chunk, sizeof(chunk))) > 0)
		buf_add(&out, chunk, (size_t)n);
	close(job.input_fd);
	close(job.out_fd);
	return buf_steal(&out, NULL);
}

static void
expect_kind(const struct table_kind *kind, const char *csv, int code, const char *part)
{
	char *out = run(kind, csv, strlen(csv));

	if (strstr(out, part) == NULL)
		fail_msg("no %s in:\n%s", part, out);
	assert_int_equal(exit_code, code);
	free(out);
}

static void
expect(const char *csv, int code, const char *part)
{
	expect_kind(&roster_kind, csv, code, part);
}

static void
a_good_row_is_one_line(void **state)
{
	(void)state;
	expect("考生号,姓名,性别,身份证号,省份,地区,城乡,中学,志愿序号,预录专业,通知书地址,"
	       "本人电话,父亲电话,"
	       "母亲电话,其他电话,报备人,批次\n"
	       "26999000000001,苍禾,女,999001200801010023,云岭省,青禾市,农村,一中,2,护理,石桥村,"
	       "19900000001,19900000002,,0340-5551234,p01,第一批\n",
	    0,
	    "{\"row\":2,\"key\":\"26999000000001\",\"name\":\"苍禾\",\"sex\":\"female\","
	    "\"id_no\":\"999001200801010023\",\"province\":\"云岭省\",\"area\":\"青禾市\","
	    "\"rural\":true,\"school\":\"一中\",\"choice\":2,\"major\":\"护理\",\"address\":"
	    "\"石桥村\","
	    "\"numbers\":[{\"kind\":\"self\",\"digits\":\"19900000001\"},"
	    "{\"kind\":\"father\",\"digits\":\"19900000002\"},"
	    "{\"kind\":\"other\",\"digits\":\"03405551234\"}],\"reporter\":\"p01\","
	    "\"batch\":\"第一批\",\"changed\":[\"其他电话：去掉空格和横线\"]}\n"
	    "{\"summary\":{\"rows\":1,\"good\":1,\"bad\":0,\"warnings\":1,\"changed\":1,\"sha256\":"
	    "\"");
}

static void
all_errors_of_a_row_are_told(void **state)
{
	const char *csv = ROSTER ",苍?,123,1,\n";
	static const char *const codes[] = {
	    "empty-cell", "missing-character", "bad-id", "bad-number"};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		expect(csv, 1, codes[i]);
	expect(csv, 1, "{\"summary\":{\"rows\":1,\"good\":0,\"bad\":1,\"warnings\":0,");
}

static void
texts_name_row_and_column_and_never_the_cell(void **state)
{
	char *out;

	(void)state;
	expect(ROSTER "26999000000001,苍禾,,5.1E+17,\n", 1,
	    "{\"row\":2,\"column\":\"本人电话\",\"code\":\"excel-number\",\"text\":\"第 2 "
	    "行“本人电话”：");
	out = run(&roster_kind, ROSTER "秘密一,秘密二?,秘密三,秘密四,\n",
	    strlen(ROSTER "秘密一,秘密二?,秘密三,秘密四,\n"));
	assert_null(strstr(out, "秘密"));
	free(out);
}

static void
a_key_stands_once(void **state)
{
	(void)state;
	expect(ROSTER "26999000000001,苍禾,,19900000001,\n26999000000002,苍荷,,19900000002,\n"
	              "２６９９９００００００００１,苍洛,,19900000003,\n",
	    1,
	    "\"row\":4,\"column\":\"考生号\",\"code\":\"duplicate-key\",\"text\":\"第 4 "
	    "行“考生号”：与第 2 行");
	expect(ROSTER "26 999,苍禾,,19900000001,\n", 0, "\"key\":\"26999\"");
	expect(ROSTER "26/999,苍禾,,19900000001,\n", 1, "bad-key");
}

static void
ages_are_told(void **state)
{
	(void)state;
	expect(ROSTER "26999000000001,苍禾,999001200811240025,19900000001,\n", 0, "\"minor\":true");
	expect(ROSTER "26999000000001,苍禾,999001201211230012,19900000001,\n", 0, "\"minor\":true");
	expect(ROSTER "26999000000001,苍禾,999001201211240018,19900000001,\n", 1, "under-14");
	expect(ROSTER "26999000000001,苍禾,11010519491231002x,19900000001,\n", 0,
	    "\"id_no\":\"11010519491231002X\"");
}

static void
a_row_without_number_is_taken_with_a_warning(void **state)
{
	(void)state;
	expect(ROSTER "26999000000001,苍禾,,,\n", 0, "\"code\":\"no-number\"");
	expect(ROSTER "26999000000001,苍禾,,,\n", 0, "\"numbers\":[]");
	expect(ROSTER "26999000000001,苍禾,,19900000001,19900000001\n", 0,
	    "\"numbers\":[{\"kind\":\"self\",\"digits\":\"19900000001\"}],\"changed\":["
	    "\"其他电话：");
}

static void
a_row_holds_twelve_numbers(void **state)
{
	(void)state;
	expect("考生号,姓名,本人电话,父亲电话\n26999,苍禾," SIX("1") "," SIX("2") "\n", 0,
	    "\"good\":1");
	expect("考生号,姓名,本人电话,父亲电话\n26999,苍禾," SIX("1") "," SIX("2") "/19900000039\n",
	    1, "\"column\":\"父亲电话\",\"code\":\"bad-number\"");
}

static void
rows_are_numbered_as_in_a_sheet(void **state)
{
	(void)state;
	expect(ROSTER "\n,,,,\n26999000000001,苍禾,,\"19900000001\n19900000002\",\n\n苍,,,,\n", 1,
	    "{\"row\":4,\"key\"");
	expect("\n\n" ROSTER "x,苍禾,,19900000001,\n", 1, "\"row\":4,\"column\":\"考生号\"");
	expect(
	    ROSTER "\r\n\r\n,,,\r\n,苍禾,,19900000001,\r\n", 1, "{\"row\":5,\"column\":\"考生号\"");
}

static void
headers_are_found_in_any_order_and_spelling(void **state)
{
	(void)state;
	expect("手机, 姓 名 ,ksh*\n19900000001,苍禾,26999000000001\n", 0,
	    "{\"row\":2,\"key\":\"26999000000001\",\"name\":\"苍禾\",\"numbers\":[{\"kind\":"
	    "\"self\"");
	expect("考生号,姓名,SJ,LXDH\n26999000000001,苍禾,19900000001,19900000002\n", 0,
	    "[{\"kind\":\"self\",\"digits\":\"19900000001\"},{\"kind\":\"other\",\"digits\":"
	    "\"19900000002\"}]");
	expect("考生号;姓名;本人电话\n26999000000001;苍禾;19900000001\n", 0, "\"good\":1");
	expect(
	    "考生号\t姓名\t性别\t本人电话\n26999000000001\t苍禾\t\t19900000001\n", 0, "\"good\":1");
}

static void
bad_headers_refuse_the_file(void **state)
{
	(void)state;
	expect("考生号,姓名,性别\n1,2,3\n", 65, "{\"fatal\":{\"code\":\"missing-column\"");
	expect("考生号,本人电话\n1,2\n", 65, "缺少这些列：姓名");
	expect("考生号,姓名,本人电话,姓 名\n1,2,3,4\n", 65,
	    "{\"fatal\":{\"code\":\"duplicate-header\",\"text\":\"表头重复：B 列和 D 列都是“姓名”");
	expect("考生号,姓名,本人电话,备注,备注\n1,2,3,4,5\n", 65, "duplicate-header");
	/* a long name is cut between two characters */
	expect("考生号,姓名,本人电话,a" LONG_NAME ",a" LONG_NAME "\n", 65, "都是“a志志志");
	/* the first row is an applicant: nothing of it is quoted */
	expect("26999000000001,苍禾,19900000001,19900000001\n", 65, "missing-column");
	expect("考生号,姓名,本人电话\n", 65, "no-rows");
	expect("", 65, "no-rows");
	expect("\n,,\n", 65, "no-rows");
}

static void
unknown_columns_are_kept(void **state)
{
	const char *csv = "考生号,姓名,本人电话,备注,\n26999000000001,苍禾,19900000001,a b,c\n"
	                  "26999000000002,苍荷,19900000002,,c,d\n";

	(void)state;
	expect(csv, 0, "{\"row\":1,\"column\":\"备注\",\"code\":\"unknown-column\"");
	expect(csv, 0, "{\"row\":2,\"column\":\"第5列\",\"code\":\"unnamed-column\"");
	expect(csv, 0, "{\"row\":3,\"column\":\"第6列\",\"code\":\"unnamed-column\"");
	expect(csv, 0, "\"extra\":{\"备注\":\"a b\",\"第5列\":\"c\"}");
	expect(
	    "考生号,姓名,本人电话,错误\n26999000000001,苍禾,19900000001,x\n", 0, "\"warnings\":0");
}

static void
odd_values_are_warned_about_or_refused(void **state)
{
	(void)state;
	expect(
	    "考生号,姓名,本人电话,性别\n26999000000001,苍禾,19900000001,M\n", 0, "unknown-value");
	expect(
	    "考生号,姓名,本人电话,城乡\n26999000000001,苍禾,19900000001,镇\n", 0, "unknown-value");
	expect("考生号,姓名,本人电话,城乡\n26999000000001,苍禾,19900000001,城镇\n", 0,
	    "\"rural\":false");
	expect(
	    "考生号,姓名,本人电话,志愿序号\n26999000000001,苍禾,19900000001,0\n", 1, "bad-choice");
	expect("考生号,姓名,本人电话,志愿序号\n26999000000001,苍禾,19900000001,100\n", 1,
	    "bad-choice");
	expect("考生号,姓名,本人电话,志愿序号\n26999000000001,苍禾,19900000001,1.0\n", 0,
	    "\"choice\":1");
	expect("考生号,姓名,本人电话,中学\n26999000000001,苍禾,19900000001,\xee\x80\x81中学\n", 0,
	    "\"code\":\"missing-character\",\"text\":\"第 2 行“中学”：");
	expect("考生号,姓名,本人电话,中学\n26999000000001,苍禾,19900000001,\x01\n", 1,
	    "bad-character");
}

static void
long_cells_and_rows_are_refused(void **state)
{
	struct buf csv = BUF_INIT;

	(void)state;
	buf_adds(&csv, "考生号,姓名,本人电话,通知书地址\n26999000000001,苍禾,19900000001,");
	for (int i = 0; i < 4096; i++)
		buf_addc(&csv, 'a');
	expect((char *)csv.data, 0, "\"good\":1");
	buf_addc(&csv, 'a');
	expect((char *)csv.data, 1, "cell-too-long");
	buf_adds(&csv, ",\"");
	for (int i = 0; i < 200000; i++)
		buf_addc(&csv, 'a');
	expect((char *)csv.data, 65, "{\"fatal\":{\"code\":\"row-too-long\",\"text\":\"第 2 行");
	buf_done(&csv);
	expect(ROSTER "26999000000001,苍禾,,\"1990", 65, "bad-quotes");
}

static void
too_many_columns_are_refused(void **state)
{
	struct buf csv = BUF_INIT;

	(void)state;
	buf_adds(&csv, "考生号,姓名,本人电话");
	for (int i = 0; i < 100; i++)
		buf_adds(&csv, ", ");
	buf_adds(&csv, "\n26999000000001,苍禾,19900000001");
	for (int i = 0; i < 61; i++)
		buf_adds(&csv, ",");
	expect((char *)csv.data, 0, "\"good\":1");
	buf_adds(&csv, ",x");
	expect((char *)csv.data, 65, "too-many-columns");
	buf_done(&csv);
}

static void
other_files_are_named(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *code;
	} files[] = {
	    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "old-excel"},
	    {"\xff\xfe\x03\x80", 4, "bad-encoding"},
	    {"a,b\n\0,c\n", 8, "unknown-format"},
	    {"PK\3\4 and nothing more", 21, "damaged"},
	    {"\x03\x7c\x01\x01", 4, "missing-column"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *out = run(&roster_kind, files[i].bytes, files[i].len);

		assert_non_null(strstr(out, files[i].code));
		assert_int_equal(exit_code, 65);
		free(out);
	}
}

static void
people_have_roles(void **state)
{
	(void)state;
	expect_kind(&people_kind, PEOPLE "P01,苍禾,T1,组员、组长,是\n", 0,
	    "{\"row\":2,\"person\":\"p01\",\"name\":\"苍禾\",\"team\":\"t1\","
	    "\"roles\":[\"caller\",\"leader\"],\"qualified\":true,\"changed\":["
	    "\"工号：大写改小写\"");
	expect_kind(&people_kind, PEOPLE "p01,,,，突击组长 督查组；数据组/财务，,\n", 0,
	    "\"roles\":[\"strike-head\",\"supervisor\",\"data\",\"finance\"],\"qualified\":false");
	expect_kind(
	    &people_kind, PEOPLE "d1,,,督查组长、督查组,是\n", 0, "\"roles\":[\"supervisor\"]");
	expect_kind(&people_kind, PEOPLE "p01,,,,\n", 0, "no-role");
	expect_kind(&people_kind, PEOPLE "p01,,,校长,\n", 1, "bad-role");
	expect_kind(&people_kind, PEOPLE "张三,,,组员,\n", 1, "bad-person");
	expect_kind(&people_kind, PEOPLE "p01,,第一组,组员,\n", 1, "bad-team");
	expect_kind(&people_kind, PEOPLE "p01,,t1,组员,可\n", 1, "bad-qualified");
	expect_kind(
	    &people_kind, PEOPLE "p01,,t1,组员,是\nP01,,t1,组员,是\n", 1, "与第 2 行的工号相同");
	expect_kind(&people_kind, "姓名\n苍禾\n", 65, "人员名单的表头，但缺少这些列：工号");
}

static void
holidays_are_days(void **state)
{
	(void)state;
	expect_kind(&holidays_kind, "日期,类型\n2026/10/1,假\n2026年10月10日,班\n", 0,
	    "{\"row\":2,\"day\":\"2026-10-01\",\"kind\":\"off\"}\n"
	    "{\"row\":3,\"day\":\"2026-10-10\",\"kind\":\"work\"}\n");
	expect_kind(&holidays_kind, "日期,类型\n2026-02-29,假\n", 1, "bad-date");
	expect_kind(&holidays_kind, "日期,类型\n2026-10-01,晴\n", 1, "bad-kind");
	expect_kind(
	    &holidays_kind, "日期,类型\n2026-10-01,假\n20261001,班\n", 1, "与第 2 行的日期相同");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_row_is_one_line),
	    cmocka_unit_test(all_errors_of_a_row_are_told),
	    cmocka_unit_test(texts_name_row_and_column_and_never_the_cell),
	    cmocka_unit_test(a_key_stands_once),
	    cmocka_unit_test(ages_are_told),
	    cmocka_unit_test(a_row_without_number_is_taken_with_a_warning),
	    cmocka_unit_test(a_row_holds_twelve_numbers),
	    cmocka_unit_test(rows_are_numbered_as_in_a_sheet),
	    cmocka_unit_test(headers_are_found_in_any_order_and_spelling),
	    cmocka_unit_test(bad_headers_refuse_the_file),
	    cmocka_unit_test(unknown_columns_are_kept),
	    cmocka_unit_test(odd_values_are_warned_about_or_refused),
	    cmocka_unit_test(long_cells_and_rows_are_refused),
	    cmocka_unit_test(too_many_columns_are_refused),
	    cmocka_unit_test(other_files_are_named),
	    cmocka_unit_test(people_have_roles),
	    cmocka_unit_test(holidays_are_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
