/* paybook.c - what is paid, with a place to sign; the same computed by the workbook's own formulas; a page each person.
 *
 * Happy path: one row a person on the first two pages; the second refers to the first and says whether it agrees.
 * Failures: the file is there already, or cannot be written; nothing is left behind then. Money becomes a binary
 * number only where it is written, as the file format has no other; it is shown with two places. */
#include "workers/reconciliation/paybook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/check.h"
#include "workers/reconciliation/explain.h"
#include "workers/reconciliation/readings.h"
#include "workers/reconciliation/supplement.h"

#define TOP        3    /* first row of persons, counted from 0 */
#define BREAKS_MAX 1000 /* of a worksheet; the format has 1023 */

struct book {
	lxw_workbook *book;
	lxw_worksheet *paid, *check;
	lxw_format *bold, *money, *wrap;
};

/* The lower end of the tier and its standard: > except at 99 and 92 (Q1). */
#define TIER(c99, c98, c97, c96, c95, c94, c93, c92)                                               \
	"IF(B%u=0,0,IF(C%u*100>=99*B%u," c99 ",IF(C%u*100>98*B%u," c98 ",IF(C%u*100>97*B%u," c97   \
	",IF(C%u*100>96*B%u," c96 ",IF(C%u*100>95*B%u," c95 ",IF(C%u*100>94*B%u," c94              \
	",IF(C%u*100>93*B%u," c93 ",IF(C%u*100>=92*B%u," c92 ",0)))))))))"
#define TWICE8(n) n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s != NULL ? s : "";
}

/* For a cell, like yuan_of. */
static double
count(const json_t *row, const char *key)
{
	return (double)json_integer_value(json_object_get(row, key));
}

/* "1633.50", "-60.00": written by ourselves. */
static int64_t
fen(const json_t *row, const char *key)
{
	int ok;

	return supplement_fen(text(row, key), &ok);
}

/* A cell of the file format is a double, and nothing else is one here: sums are made before, in fen, and a count of
 * fen below 2^53 comes out as the decimal that it was. */
static double
yuan_of(int64_t amount)
{
	return (double)amount / 100;
}

static void
heads(lxw_worksheet *page, const struct book *b, const char *title, const char *const *head)
{
	worksheet_write_string(page, 0, 0, title, b->bold);
	for (lxw_col_t c = 0; head[c] != NULL; c++)
		worksheet_write_string(page, TOP - 1, c, head[c], b->bold);
	worksheet_set_column(page, 0, 11, 13, NULL);
	worksheet_freeze_panes(page, TOP, 0);
	worksheet_repeat_rows(page, TOP - 1, TOP - 1);
	worksheet_set_landscape(page);
	worksheet_set_paper(page, 9); /* A4 */
	worksheet_fit_to_pages(page, 1, 0);
}

static void
paid_row(const struct book *b, lxw_row_t at, const json_t *row)
{
	int64_t pay = fen(row, "pay"), bonus = fen(row, "leader_bonus");
	char formula[64];

	worksheet_write_string(b->paid, at, 0, text(row, "person"), NULL);
	worksheet_write_string(b->paid, at, 1, text(row, "team"), NULL);
	worksheet_write_number(b->paid, at, 2, count(row, "admitted"), NULL);
	worksheet_write_number(b->paid, at, 3, count(row, "registered"), NULL);
	worksheet_write_string(b->paid, at, 4, text(row, "rate"), NULL);
	worksheet_write_number(b->paid, at, 5, yuan_of(fen(row, "standard")), b->money);
	worksheet_write_number(b->paid, at, 6, yuan_of(pay), b->money);
	worksheet_write_number(b->paid, at, 7, yuan_of(bonus), b->money);
	(void)snprintf(formula, sizeof(formula), "=G%u+H%u", at + 1, at + 1);
	worksheet_write_formula_num(b->paid, at, 8, formula, b->money, yuan_of(pay + bonus));
}

/* What findings took off, and what is left: H slack, I wrong withdrawal, J deduction, K pay, L agrees. Whole fen are
 * rounded once, half up. */
static void
check_cuts(const struct book *b, lxw_row_t at, const json_t *row, const struct pay_row *law,
    const struct pay *pay)
{
	unsigned n = at + 1;
	char f[200];

	worksheet_write_number(b->check, at, 7, pay->below_minimum, NULL);
	worksheet_write_number(b->check, at, 8, law->wrong_withdrawal, NULL);
	worksheet_write_number(b->check, at, 9, law->deduction, NULL);
	(void)snprintf(
	    f, sizeof(f), "=ROUND(G%u*100*C%u*IF(I%u=1,50,100)*(100-J%u)/10000,0)/100", n, n, n, n);
	worksheet_write_formula_num(b->check, at, 10, f, b->money, yuan_of(fen(row, "pay")));
	(void)snprintf(f, sizeof(f), "=IF(K%u='补贴表'!G%u,\"一致\",\"不一致\")", n, n);
	worksheet_write_formula_str(b->check, at, 11, f, NULL, "一致");
}

/* Columns A person, B admitted, C registered, D lower end, E base, F steps, G standard; then check_cuts. */
static void
check_row(const struct book *b, lxw_row_t at, const json_t *row, int64_t minimum)
{
	struct pay_policy policy = pay_policy_default();
	struct pay_row law = {.rate = {json_integer_value(json_object_get(row, "registered")),
	                          json_integer_value(json_object_get(row, "admitted"))},
	    .called = json_integer_value(json_object_get(row, "called")),
	    .minimum = minimum,
	    .slack = json_is_true(json_object_get(row, "slack")),
	    .wrong_withdrawal = json_is_true(json_object_get(row, "wrong_withdrawal")),
	    .deduction = (int)json_integer_value(json_object_get(row, "deduction_percent"))};
	struct pay pay = pay_of(&policy, &law);
	int64_t lower = pay.base <= 0       ? 0
	                : pay.base == 5500  ? 92
	                : pay.base == 10000 ? 99
	                                    : 80 + pay.base / 500 + 1;
	unsigned n = at + 1;
	char f[700];

	(void)snprintf(f, sizeof(f), "='补贴表'!A%u", n);
	worksheet_write_formula_str(b->check, at, 0, f, NULL, text(row, "person"));
	(void)snprintf(f, sizeof(f), "='补贴表'!C%u", n);
	worksheet_write_formula_num(b->check, at, 1, f, NULL, count(row, "admitted"));
	(void)snprintf(f, sizeof(f), "='补贴表'!D%u", n);
	worksheet_write_formula_num(b->check, at, 2, f, NULL, count(row, "registered"));
	(void)snprintf(
	    f, sizeof(f), "=" TIER("99", "98", "97", "96", "95", "94", "93", "92"), TWICE8(n));
	worksheet_write_formula_num(b->check, at, 3, f, NULL, (double)lower);
	(void)snprintf(
	    f, sizeof(f), "=" TIER("100", "85", "80", "75", "70", "65", "60", "55"), TWICE8(n));
	worksheet_write_formula_num(b->check, at, 4, f, b->money, yuan_of(pay.base));
	(void)snprintf(
	    f, sizeof(f), "=IF(OR(D%u=0,H%u=1),0,QUOTIENT(1000*C%u,B%u)-10*D%u)", n, n, n, n, n);
	worksheet_write_formula_num(b->check, at, 5, f, NULL, pay.steps);
	(void)snprintf(f, sizeof(f), "=IF(D%u=0,0,E%u+F%u*0.5-5*H%u)", n, n, n, n);
	worksheet_write_formula_num(b->check, at, 6, f, b->money, yuan_of(fen(row, "standard")));
	check_cuts(b, at, row, &law, &pay);
}

static void
sums(const struct book *b, lxw_row_t at, const json_t *rows)
{
	static const char column[] = "GHI";
	int64_t sum[3] = {0, 0, 0};
	const json_t *row;
	char f[64];
	size_t i;

	json_array_foreach(rows, i, row)
	{
		sum[0] += fen(row, "pay");
		sum[1] += fen(row, "leader_bonus");
	}
	sum[2] = sum[0] + sum[1];
	worksheet_write_string(b->paid, at, 0, "合计", b->bold);
	for (int c = 0; c < 3 && at > TOP; c++) {
		(void)snprintf(
		    f, sizeof(f), "=SUM(%c%d:%c%u)", column[c], TOP + 1, column[c], (unsigned)at);
		worksheet_write_formula_num(
		    b->paid, at, (lxw_col_t)(6 + c), f, b->money, yuan_of(sum[c]));
	}
}

/* ---- a page for each person, to hand over ---- */

static const char *const own_end[] = {
    "有异议的, 关帐以后 5 个工作日内提出 (提异议, 或 hfctl dispute add)。",
    "本人签字: ______________        日期: ______________", NULL};

/* The person's lines from row `at` on; the row behind them. */
static lxw_row_t
own_page(
    const struct book *b, lxw_worksheet *page, lxw_row_t at, const json_t *row, const char *note)
{
	int64_t pay = fen(row, "pay"), bonus = fen(row, "leader_bonus");
	char sum[PAY_TEXT], line[200];
	const json_t *reason;
	size_t i;

	(void)snprintf(
	    line, sizeof(line), "%s  %s  补贴明细", text(row, "person"), text(row, "team"));
	worksheet_write_string(page, at++, 0, line, b->bold);
	worksheet_write_string(page, at++, 0, note, b->wrap);
	(void)snprintf(line, sizeof(line), "录取 %jd, 报到 %jd, %s%s",
	    (intmax_t)json_integer_value(json_object_get(row, "admitted")),
	    (intmax_t)json_integer_value(json_object_get(row, "registered")),
	    text(row, "rate")[0] != '\0' ? "报到率% " : "没有录取的个案", text(row, "rate"));
	worksheet_write_string(page, at++, 0, line, b->wrap);
	(void)snprintf(line, sizeof(line), "补贴 %s 元, 组长奖励 %s 元, 合计 %s 元",
	    text(row, "pay"), text(row, "leader_bonus"), pay_text(sum, pay + bonus));
	worksheet_write_string(page, at++, 0, line, b->bold);
	json_array_foreach(json_object_get(row, "explain"), i, reason)
	{
		worksheet_write_string(page, at++, 0, json_string_value(reason), b->wrap);
	}
	for (i = 0; own_end[i] != NULL; i++)
		worksheet_write_string(page, ++at, 0, own_end[i], b->wrap);
	return at + 2;
}

/* Each begins a page of paper; a workbook takes so many breaks. */
static void
own_pages(struct book *b, const json_t *rows, const char *note)
{
	lxw_worksheet *page = workbook_add_worksheet(b->book, "各人");
	lxw_row_t *breaks = xcalloc(json_array_size(rows) + 1, sizeof(*breaks)), at = 0;
	const json_t *row;
	size_t i, n = 0;

	b->wrap = workbook_add_format(b->book);
	format_set_text_wrap(b->wrap);
	format_set_align(b->wrap, LXW_ALIGN_VERTICAL_TOP);
	worksheet_set_column(page, 0, 0, 90, NULL);
	worksheet_set_paper(page, 9); /* A4 */
	json_array_foreach(rows, i, row)
	{
		if (i > 0 && n < BREAKS_MAX)
			breaks[n++] = at;
		at = own_page(b, page, at, row, note);
	}
	breaks[n] = 0;
	if (n > 0)
		(void)worksheet_set_h_pagebreaks(page, breaks);
	free(breaks);
}

static void
fill(struct book *b, const json_t *sheet)
{
	static const char *const paid[] = {"工号", "小组", "录取", "报到", "报到率%", "标准(元/人)",
	    "补贴(元)", "组长奖励(元)", "合计(元)", "签字", NULL};
	static const char *const check[] = {"工号", "录取", "报到", "档次下限%", "档次标准",
	    "0.1%个数", "标准(元/人)", "懈怠1", "误退1", "扣发%", "补贴(元)", "与补贴表", NULL};
	const json_t *rows = json_object_get(sheet, "rows"), *row;
	struct readings rules;
	char note[160];
	size_t i;

	b->bold = workbook_add_format(b->book);
	format_set_bold(b->bold);
	b->money = workbook_add_format(b->book);
	format_set_num_format(b->money, "0.00");
	b->paid = workbook_add_worksheet(b->book, "补贴表");
	/* The formulas know the default readings only. */
	b->check = json_object_get(sheet, "rules") == NULL ||
	                   (readings_of_json(&rules, json_object_get(sheet, "rules"), NULL) == 0 &&
	                       readings_are_default(&rules))
	               ? workbook_add_worksheet(b->book, "算式")
	               : NULL;
	heads(b->paid, b, "回访补贴表", paid);
	if (b->check != NULL)
		heads(b->check, b,
		    "按公式重算: 档次、每 0.1% 加 0.50 元、懈怠每人减 5 元、误退按 50%、扣发",
		    check);
	(void)snprintf(note, sizeof(note), "到账本第 %jd 条为止; 规则第 %jd 版%s",
	    (intmax_t)json_integer_value(json_object_get(sheet, "as_of_ledger")),
	    (intmax_t)json_integer_value(
	        json_object_get(json_object_get(sheet, "rules"), "version")),
	    json_is_true(json_object_get(sheet, "provisional"))
	        ? "; 暂数, 录取名单没有冻结, 不作发放依据"
	        : "");
	worksheet_write_string(b->paid, 1, 0, note, NULL);
	json_array_foreach(rows, i, row)
	{
		paid_row(b, (lxw_row_t)(TOP + i), row);
		if (b->check != NULL)
			check_row(b, (lxw_row_t)(TOP + i), row,
			    json_integer_value(json_object_get(sheet, "minimum")));
	}
	sums(b, (lxw_row_t)(TOP + i), rows);
	own_pages(b, rows, note);
}

/* ---- a supplement: what was, what is, the difference, and a place to sign ---- */

static void
supplement_row(const struct book *b, lxw_row_t at, const json_t *row)
{
	static const char *const keys[] = {
	    "pay_was", "pay_now", "pay_difference", "bonus_was", "bonus_now", "bonus_difference"};
	int64_t sum = fen(row, "pay_difference") + fen(row, "bonus_difference");
	char formula[64];

	worksheet_write_string(b->paid, at, 0, text(row, "person"), NULL);
	worksheet_write_string(b->paid, at, 1, text(row, "team"), NULL);
	for (lxw_col_t c = 0; c < 6; c++)
		worksheet_write_number(
		    b->paid, at, (lxw_col_t)(c + 2), yuan_of(fen(row, keys[c])), b->money);
	(void)snprintf(formula, sizeof(formula), "=E%u+H%u", at + 1, at + 1);
	worksheet_write_formula_num(b->paid, at, 8, formula, b->money, yuan_of(sum));
}

static void
fill_supplement(struct book *b, const json_t *sheet)
{
	static const char *const head[] = {"工号", "小组", "原补贴", "现补贴", "补贴差额",
	    "原组长奖励", "现组长奖励", "奖励差额", "合计(元)", "签字", NULL};
	const json_t *row;
	char note[160];
	size_t i;

	b->bold = workbook_add_format(b->book);
	format_set_bold(b->bold);
	b->money = workbook_add_format(b->book);
	format_set_num_format(b->money, "0.00");
	b->paid = workbook_add_worksheet(b->book, "补发表");
	heads(b->paid, b, "关帐以后的差额 (负数是退回)", head);
	(void)snprintf(note, sizeof(note), "第 %jd 次补发, 到账本第 %jd 条为止",
	    (intmax_t)json_integer_value(json_object_get(sheet, "supplement")),
	    (intmax_t)json_integer_value(json_object_get(sheet, "as_of_ledger")));
	worksheet_write_string(b->paid, 1, 0, note, NULL);
	json_array_foreach(json_object_get(sheet, "rows"), i, row)
	{
		supplement_row(b, (lxw_row_t)(TOP + i), row);
	}
}

/* Not "now": the same sheet is the same file. */
static void
set_date(const struct book *b, int64_t wall_ms)
{
	lxw_doc_properties about = {.created = (time_t)(wall_ms > 1000 ? wall_ms / 1000 : 1)};

	(void)workbook_set_properties(b->book, &about);
}

int
paybook_write(const char *path, const json_t *sheet, struct err *err)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	struct book b;
	lxw_error got;

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_EXISTS, "%s 已经有了; 请换一个目录, 或先移走它", path);
	if (fd < 0)
		return err_sys(err, "%s", path);
	(void)close(fd);
	b.book = workbook_new(path);
	if (b.book == NULL) {
		(void)unlink(path);
		return err_set(err, ERR_IO, "%s 写不出来", path);
	}
	set_date(&b, json_integer_value(json_object_get(sheet, "as_of_wall")));
	if (json_object_get(sheet, "supplement") != NULL)
		fill_supplement(&b, sheet);
	else
		fill(&b, sheet);
	got = workbook_close(b.book);
	if (got != LXW_NO_ERROR) {
		(void)unlink(path);
		return err_set(err, ERR_IO, "%s 写不出来: %s", path, lxw_strerror(got));
	}
	return 0;
}
