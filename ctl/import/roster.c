/* Decides whether a row of the roster is an applicant that can be called, and says it in one line:
 * {"row","key","name","sex","id_no","minor","province","area","rural","school","choice","major",
 * "address","numbers":[{"kind","digits"}],"reporter","batch","extra":{},"changed":[]}.
 *
 * Happy path: every cell is usable, the key is new, id and numbers are possible; empty values are
 * left out of the line. All errors of a row are reported, not only the first. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "ctl/import/excel.h"
#include "ctl/import/idno.h"
#include "ctl/import/kinds.h"
#include "ctl/import/phone.h"

enum {
	KEY,
	NAME,
	SEX,
	ID_NO,
	PROVINCE,
	AREA,
	RURAL,
	SCHOOL,
	CHOICE,
	MAJOR,
	ADDRESS,
	SELF,
	FATHER,
	MOTHER,
	OTHER,
	REPORTER,
	BATCH,
	COLUMNS
};

/* A file may have two of these: the first is the applicant's own, the second goes to the others. */
#define OWN_NUMBER                                                                                 \
	"BRDH BRSJ SJ SJH SJHM YDDH LXDH LXSJ 手机 手机号 手机号码 本人手机 联系电话 联系手机"

/* The short names are those of the exam authorities' files: initials in pinyin, at most ten bytes. */
static const struct table_column columns[COLUMNS] = {
    [KEY] = {"考生号", "KSH 考生编号", NORM_CODE, COLUMN_REQUIRED},
    [NAME] = {"姓名", "XM 考生姓名", NORM_NAME, COLUMN_REQUIRED},
    [SEX] = {"性别", "XB XBDM XBMC", NORM_CODE, COLUMN_OPTIONAL},
    [ID_NO] = {"身份证号", "SFZH SFZHM SFZJH 身份证 身份证号码 身份证件号", NORM_CODE,
        COLUMN_OPTIONAL},
    [PROVINCE] = {"省份", "SF SFMC SFDM 省", NORM_FREE, COLUMN_OPTIONAL},
    [AREA] = {"地区", "DQ DQMC DQDM 地市 市县", NORM_FREE, COLUMN_OPTIONAL},
    [RURAL] = {"城乡", "CX CXMC 城乡类别", NORM_CODE, COLUMN_OPTIONAL},
    [SCHOOL] = {"中学", "ZX ZXMC BYZX BYXX BYXXMC 毕业中学 毕业学校", NORM_FREE, COLUMN_OPTIONAL},
    [CHOICE] = {"志愿序号", "ZYXH TDZYXH ZYH 志愿号", NORM_CODE, COLUMN_OPTIONAL},
    [MAJOR] = {"预录专业", "YLZY LQZY LQZYMC ZYMC 专业", NORM_FREE, COLUMN_OPTIONAL},
    [ADDRESS] = {"通知书地址", "TZSDZ TXDZ JTDZ YJDZ 通讯地址 家庭地址 邮寄地址", NORM_FREE,
        COLUMN_OPTIONAL},
    [SELF] = {"本人电话", OWN_NUMBER, NORM_CODE, COLUMN_ONE_OF},
    [FATHER] = {"父亲电话", "FQDH FQSJ 父亲手机", NORM_CODE, COLUMN_ONE_OF},
    [MOTHER] = {"母亲电话", "MQDH MQSJ 母亲手机", NORM_CODE, COLUMN_ONE_OF},
    [OTHER] = {"其他电话", "QTDH JTDH 家庭电话 其它电话 备用电话 " OWN_NUMBER, NORM_CODE,
        COLUMN_ONE_OF},
    [REPORTER] = {"报备人", "BBR BBRGH 报备人工号", NORM_CODE, COLUMN_OPTIONAL},
    [BATCH] = {"批次", "PC PCMC PCDM", NORM_FREE, COLUMN_OPTIONAL},
};

#define NUMBERS 12 /* as many as a case's task holds */

struct applicant {
	struct buf id_no; /* owned */
	bool minor;
	int rural; /* -1 unknown */
	const char *sex;
	int64_t choice; /* 0 unknown */
	struct {
		const char *kind;
		struct phone phone;
	} numbers[NUMBERS];
	size_t n;
};

/* Text of a cell that must be digits, wherever it came from; false if the digits were lost. */
static bool
take_digits(struct table *t, int column, struct span *ret, char scratch[EXCEL_DIGITS + 1])
{
	struct table_value *v = &t->value[column];

	*ret = v->text;
	if (v->kind == CELL_NUMBER) {
		if (excel_number(v->text, scratch) == EXCEL_INTEGER) {
			*ret = span_str(scratch);
			return true;
		}
	} else if (!excel_is_scientific(v->text)) {
		if (excel_drop_zero_fraction(ret))
			table_changed(t, column, "去掉小数点和零");
		return true;
	}
	table_problem(t, column, PROBLEM_EXCEL_NUMBER, 0);
	return false;
}

/* Copies text without the two bytes in `drop`; true if there were any. */
static bool
without(struct buf *out, struct span text, const char drop[2])
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == (uint8_t)drop[0] || text.data[i] == (uint8_t)drop[1]) {
			buf_add(out, text.data + from, i - from);
			from = i + 1;
		}
	buf_add(out, text.data + from, text.len - from);
	return out->len != text.len;
}

static bool
is_key(struct span key)
{
	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.data[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'))
			return false;
	}
	return key.len >= 4 && key.len <= 32;
}

bool
kinds_read_key(struct table *t, int column, struct buf *ret)
{
	char scratch[EXCEL_DIGITS + 1];
	struct span text;

	if (!table_usable(t, column) || !take_digits(t, column, &text, scratch))
		return false;
	if (without(ret, text, " -"))
		table_changed(t, column, "去掉空格和横线");
	if (is_key(buf_span(ret)))
		return true;
	table_problem(t, column, PROBLEM_KEY, 0);
	return false;
}

void
kinds_take_key(struct table *t, int column, struct buf *ret)
{
	int64_t first;

	if (!kinds_read_key(t, column, ret))
		return;
	first = keyset_add(t->keys, buf_span(ret), t->row);
	if (first != 0)
		table_problem(t, column, PROBLEM_KEY_TWICE, first);
}

static void
take_name(struct table *t)
{
	if (table_usable(t, NAME) && t->value[NAME].text.len > 120)
		table_problem(t, NAME, PROBLEM_NAME_LONG, 0);
}

static void
judge_id(struct table *t, struct applicant *a)
{
	static const enum problem problems[] = {
	    [IDNO_SHAPE] = PROBLEM_ID,
	    [IDNO_OLD] = PROBLEM_ID_OLD,
	    [IDNO_CHECK] = PROBLEM_ID_CHECK,
	    [IDNO_BIRTH] = PROBLEM_ID_BIRTH,
	};
	struct day birth;
	enum idno_verdict verdict = idno_check(buf_span(&a->id_no), t->today, &birth);

	if (verdict != IDNO_OK) {
		table_problem(t, ID_NO, problems[verdict], 0);
		return;
	}
	a->minor = day_age(birth, t->today) < 18;
	if (day_age(birth, t->today) < 14)
		table_problem(t, ID_NO, PROBLEM_UNDER_14, 0);
}

static void
take_id(struct table *t, struct applicant *a)
{
	char scratch[EXCEL_DIGITS + 1];
	struct span text;

	if (!table_usable(t, ID_NO) || t->value[ID_NO].text.len == 0 ||
	    !take_digits(t, ID_NO, &text, scratch))
		return;
	if (without(&a->id_no, text, " -"))
		table_changed(t, ID_NO, "去掉空格和横线");
	if (a->id_no.len == 18 && a->id_no.data[17] == 'x') {
		a->id_no.data[17] = 'X';
		table_changed(t, ID_NO, "小写 x 改为 X");
	}
	judge_id(t, a);
}

static void
list_phone_changes(struct table *t, int column, const struct phone_list *list)
{
	char what[40];

	if (list->changes & PHONE_SPACING)
		table_changed(t, column, "去掉空格和横线");
	if (list->changes & PHONE_COUNTRY)
		table_changed(t, column, "去掉国家码 86");
	if (list->changes & PHONE_TRUNK)
		table_changed(t, column, "去掉手机号前的 0");
	if (list->changes & PHONE_SPLIT) {
		snprintf(what, sizeof(what), "拆成 %zu 个号码", list->n);
		table_changed(t, column, what);
	}
}

static bool
add_number(
    struct table *t, struct applicant *a, int column, const char *kind, const struct phone *phone)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->numbers[i].phone.digits, phone->digits) == 0) {
			table_changed(t, column, "与前面的号码相同，只留一个");
			return true;
		}
	if (a->n == NUMBERS) {
		table_problem(t, column, PROBLEM_NUMBER_MANY, 0);
		return false;
	}
	a->numbers[a->n].kind = kind;
	a->numbers[a->n++].phone = *phone;
	return true;
}

static void
take_numbers(struct table *t, struct applicant *a, int column, const char *kind)
{
	static const enum problem problems[] = {
	    [PHONE_LENGTH] = PROBLEM_NUMBER_LENGTH,
	    [PHONE_AREA] = PROBLEM_NUMBER_AREA,
	    [PHONE_CHAR] = PROBLEM_NUMBER_CHAR,
	    [PHONE_MANY] = PROBLEM_NUMBER_MANY,
	};
	char scratch[EXCEL_DIGITS + 1];
	struct phone_list list;
	enum phone_verdict verdict;
	struct span text;

	if (!table_usable(t, column) || t->value[column].text.len == 0 ||
	    !take_digits(t, column, &text, scratch))
		return;
	verdict = phone_parse(text, &list);
	if (verdict != PHONE_OK) {
		table_problem(t, column, problems[verdict], 0);
		return;
	}
	list_phone_changes(t, column, &list);
	for (size_t i = 0; i < list.n; i++)
		if (!add_number(t, a, column, kind, &list.phones[i]))
			return;
}

static bool
is_one_of(struct span text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_eq_str(text, *words))
			return true;
	return false;
}

static void
take_sex(struct table *t, struct applicant *a)
{
	static const char *const male[] = {"男", "1", "男性", NULL};
	static const char *const female[] = {"女", "2", "女性", NULL};
	struct span text = t->value[SEX].text;

	if (!table_usable(t, SEX) || text.len == 0)
		return;
	if (is_one_of(text, male))
		a->sex = "male";
	else if (is_one_of(text, female))
		a->sex = "female";
	else
		table_problem(t, SEX, PROBLEM_UNKNOWN_VALUE, 0);
}

static void
take_rural(struct table *t, struct applicant *a)
{
	static const char *const rural[] = {"农村", "乡村", "乡", "农业", NULL};
	static const char *const town[] = {"城镇", "城市", "城", "非农业", NULL};
	struct span text = t->value[RURAL].text;

	if (!table_usable(t, RURAL) || text.len == 0)
		return;
	if (is_one_of(text, rural))
		a->rural = 1;
	else if (is_one_of(text, town))
		a->rural = 0;
	else
		table_problem(t, RURAL, PROBLEM_UNKNOWN_VALUE, 0);
}

static void
take_choice(struct table *t, struct applicant *a)
{
	char scratch[EXCEL_DIGITS + 1];
	struct span text;

	if (!table_usable(t, CHOICE) || t->value[CHOICE].text.len == 0 ||
	    !take_digits(t, CHOICE, &text, scratch))
		return;
	for (size_t i = 0; i < text.len && i < 3; i++)
		if (text.data[i] >= '0' && text.data[i] <= '9')
			a->choice = a->choice * 10 + (text.data[i] - '0');
		else
			a->choice = 1000;
	if (a->choice < 1 || a->choice > 99 || text.len > 3)
		table_problem(t, CHOICE, PROBLEM_CHOICE, 0);
}

static void
put_text(struct table *t, struct line *line, const char *key, int column)
{
	struct table_value *v = &t->value[column];
	char scratch[EXCEL_DIGITS + 1];

	if (v->text.len == 0)
		return;
	if (v->kind == CELL_NUMBER && excel_number(v->text, scratch) == EXCEL_INTEGER)
		line_str(line, key, span_str(scratch));
	else
		line_str(line, key, v->text);
}

static void
put_numbers(const struct applicant *a, struct line *line)
{
	line_array(line, "numbers");
	for (size_t i = 0; i < a->n; i++) {
		line_object(line, NULL);
		line_str(line, "kind", span_str(a->numbers[i].kind));
		line_str(line, "digits", span_str(a->numbers[i].phone.digits));
		line_close(line);
	}
	line_close(line);
}

static void
put(struct table *t, const struct applicant *a, struct span key)
{
	struct line line;

	line_begin(&line);
	line_int(&line, "row", t->row);
	line_str(&line, "key", key);
	put_text(t, &line, "name", NAME);
	if (a->sex != NULL)
		line_str(&line, "sex", span_str(a->sex));
	if (a->id_no.len > 0)
		line_str(&line, "id_no", buf_span(&a->id_no));
	if (a->minor)
		line_bool(&line, "minor", true);
	put_text(t, &line, "province", PROVINCE);
	put_text(t, &line, "area", AREA);
	if (a->rural >= 0)
		line_bool(&line, "rural", a->rural);
	put_text(t, &line, "school", SCHOOL);
	if (a->choice > 0)
		line_int(&line, "choice", a->choice);
	put_text(t, &line, "major", MAJOR);
	put_text(t, &line, "address", ADDRESS);
	put_numbers(a, &line);
	put_text(t, &line, "reporter", REPORTER);
	put_text(t, &line, "batch", BATCH);
	table_put(t, &line);
}

/* Something stands in a number column, be it right or wrong. */
static bool
has_number(const struct table *t)
{
	for (int i = SELF; i <= OTHER; i++)
		if (t->value[i].text.len > 0 || t->value[i].kind == CELL_ERROR)
			return true;
	return false;
}

static void
judge(struct table *t)
{
	static const int texts[] = {PROVINCE, AREA, SCHOOL, MAJOR, ADDRESS, REPORTER, BATCH};
	struct applicant a = {.rural = -1};
	struct buf key = BUF_INIT;

	kinds_take_key(t, KEY, &key);
	take_name(t);
	take_sex(t, &a);
	take_id(t, &a);
	take_rural(t, &a);
	take_choice(t, &a);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		table_usable(t, texts[i]);
	take_numbers(t, &a, SELF, "self");
	take_numbers(t, &a, FATHER, "father");
	take_numbers(t, &a, MOTHER, "mother");
	take_numbers(t, &a, OTHER, "other");
	if (!has_number(t))
		table_problem(t, NO_COLUMN, PROBLEM_NO_NUMBER, 0);
	if (!t->is_bad)
		put(t, &a, buf_span(&key));
	buf_done(&key);
	buf_done(&a.id_no);
}

const struct table_kind roster_kind = {"考生名单", columns, COLUMNS, true, judge};
