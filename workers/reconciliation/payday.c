/* payday.c - judges whether a sheet may be closed (practice.md 13), and makes the supplement to what was closed.
 *
 * Happy path: at the moment it is closed as of the list was frozen, the minimum is set, both computations of that
 * moment agree, and now no dispute and no finding is open. What is newer than that moment is for a supplement. Failures:
 * every reason that speaks against it, with what mends it; a closed sheet that does not read (closed.c). */
#include "workers/reconciliation/payday.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "workers/reconciliation/closed.h"
#include "workers/reconciliation/dispute.h"
#include "workers/reconciliation/sheet.h"
#include "workers/reconciliation/supplement.h"

static void __attribute__((format(printf, 2, 3))) because(json_t *reasons, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(reasons, json_string(text));
}

static int64_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void
judge(const json_t *sheet, const struct readings *rules, int64_t as_of, json_t *reasons)
{
	size_t differ = json_array_size(json_object_get(sheet, "differences"));
	char at[32] = "";

	if (as_of > 0)
		clock_text(at, as_of);
	if (json_is_true(json_object_get(sheet, "provisional")))
		because(reasons,
		    "到 %s, 录取名单没有冻结: hfctl admitted freeze, 再由第二个人 approve give",
		    at);
	if (number(sheet, "open_disputes") > 0)
		because(reasons, "还有 %jd 件异议没有答复: hfctl dispute list",
		    (intmax_t)number(sheet, "open_disputes"));
	if (number(sheet, "open_findings") > 0)
		because(reasons, "还有 %jd 件认定没有裁定: hfctl finding list",
		    (intmax_t)number(sheet, "open_findings"));
	if (rules->unable[0] != '\0')
		because(
		    reasons, "规则要求的读法 %s 补贴还不能算; 请改规则或手工核定", rules->unable);
	if (differ > 0)
		because(reasons, "程序和数据库有 %zu 处算得不一样: hfctl pay show", differ);
}

static void
seal_facts(json_t *sheet, int64_t as_of)
{
	json_object_del(sheet, "differences");
	json_object_set_new(sheet, "as_of", json_integer(as_of));
}

int
payday_close(struct pg *pg, const char *keys, const char *campaign, const struct readings *rules,
    const struct weekdays *days, const struct past *past, int64_t minimum, json_t **ret,
    json_t **reasons, struct err *err)
{
	json_t *closed;

	if (closed_all(pg, keys, campaign, &closed, err) != 0)
		return -1;
	if (sheet_read(pg, campaign, rules, past, minimum, ret, err) != 0) {
		json_decref(closed);
		return -1;
	}
	if (dispute_put(pg, days, campaign, *ret, err) != 0) {
		json_decref(*ret);
		json_decref(closed);
		return -1;
	}
	*reasons = json_array();
	if (json_array_size(closed) > 0)
		because(*reasons, "已经关帐, 关了就不再改; 差额用 hfctl pay supplement");
	json_decref(closed);
	judge(*ret, rules->unable[0] != '\0' ? rules : &past->rules, past->at, *reasons);
	seal_facts(*ret, past->at);
	return 0;
}

static int
make_supplement(json_t *sheet, const json_t *closed, struct err *err)
{
	json_t *rows = supplement_rows(closed, sheet);

	if (rows == NULL)
		return err_set(err, ERR_CORRUPT, "已关的补贴表里有读不出的金额");
	json_object_set_new(sheet, "rows", rows);
	json_object_set_new(sheet, "supplement", json_integer((json_int_t)json_array_size(closed)));
	return 0;
}

/* The sheet of now, or of a moment, by the minimum and the rules of the closed one. */
static int
read_as_closed(struct pg *pg, const char *campaign, const json_t *closed, struct past *past,
    struct readings *rules, json_t **ret, struct err *err)
{
	const json_t *first = json_array_get(closed, 0);

	if (first == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "还没有关帐: hfctl pay close --as-of TIME --minimum N");
	if (readings_of_json(rules, json_object_get(first, "rules"), err) != 0)
		return -1;
	if (past != NULL)
		past->rules = *rules;
	return sheet_read(pg, campaign, rules, past, number(first, "minimum"), ret, err);
}

static int64_t
newest_as_of(const json_t *closed)
{
	const json_t *one;
	int64_t newest = 0;
	size_t i;

	json_array_foreach(closed, i, one)
	{
		if (number(one, "as_of") > newest)
			newest = number(one, "as_of");
	}
	return newest;
}

int
payday_supplement(struct pg *pg, const char *keys, const char *campaign,
    const struct weekdays *days, struct past *past, json_t **ret, json_t **reasons, struct err *err)
{
	int64_t as_of = past != NULL ? past->at : 0, newest = 0;
	json_t *closed, *sheet = NULL;
	struct readings rules;
	int got;

	if (closed_all(pg, keys, campaign, &closed, err) != 0)
		return -1;
	got = read_as_closed(pg, campaign, closed, past, &rules, &sheet, err);
	newest = newest_as_of(closed);
	if (got == 0 && (make_supplement(sheet, closed, err) != 0 ||
	                    dispute_put(pg, days, campaign, sheet, err) != 0)) {
		json_decref(sheet);
		got = -1;
	}
	json_decref(closed);
	if (got != 0)
		return -1;
	*reasons = json_array();
	judge(sheet, &rules, as_of, *reasons);
	if (as_of != 0 && as_of < newest)
		because(*reasons, "已经关到更晚的时间; --as-of 要在上一张表的截止时间以后");
	seal_facts(sheet, as_of);
	*ret = sheet;
	return 0;
}
