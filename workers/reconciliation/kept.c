/* kept.c - a night as it was kept: rates and pay, which never change afterwards. Reads only.
 *
 * Failures: ERR_NOT_FOUND for a night that was not kept, with how to make up for it. */
#include <stdio.h>
#include <string.h>

#include "workers/reconciliation/explain.h"
#include "workers/reconciliation/nightly.h"
#include "workers/reconciliation/rate.h"

static const char night_sql[] =
    "SELECT late, ledger_no, records, run FROM hf.night WHERE campaign = $1 AND night = $2::date";
static const char rate_sql[] = "SELECT scope, who, team, cases, attempted, attempts, contacts, "
                               "seconds, confirmed, considering, "
                               "unreachable, withdrawn, admitted, registered FROM hf.night_rate "
                               "WHERE campaign = $1 AND night = "
                               "$2::date ORDER BY scope = 'campaign', scope, team, who";
static const char pay_sql[] =
    "SELECT person, coalesce(team, ''), admitted, registered, called, minimum, standard, amount, "
    "bonus "
    "FROM hf.night_pay WHERE campaign = $1 AND night = $2::date ORDER BY team NULLS LAST, person";

/* Each column under its name; those from `money` on are fen. */
static json_t *
row_json(const struct pg_result *r, int i, const char *const *names, int texts, int money)
{
	json_t *o = json_object();
	char text[PAY_TEXT];

	for (int c = 0; names[c] != NULL; c++) {
		struct span s = pg_get(r, i, c);

		if (c < texts)
			json_object_set_new(o, names[c], json_stringn((const char *)s.data, s.len));
		else if (c < money)
			json_object_set_new(o, names[c], json_integer(pg_get_i64(r, i, c)));
		else
			json_object_set_new(
			    o, names[c], json_string(pay_text(text, pg_get_i64(r, i, c))));
	}
	return o;
}

static int
read_rates(struct pg *pg, const struct pg_param *p, json_t *out, struct err *err)
{
	static const char *const names[] = {"scope", "who", "team", "cases", "attempted",
	    "attempts", "contacts", "seconds", "confirmed", "considering", "unreachable",
	    "withdrawn", "admitted", "registered", NULL};
	struct pg_result *r;
	json_t *rows, *row;
	char text[24];

	if (pg_exec(pg, rate_sql, p, 2, &r, err) != 0)
		return -1;
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++) {
		row = row_json(r, i, names, 3, 14);
		rate_text(text, (struct rate){pg_get_i64(r, i, 13), pg_get_i64(r, i, 12)});
		json_object_set_new(row, "rate", text[0] != '\0' ? json_string(text) : json_null());
		json_array_append_new(rows, row);
	}
	pg_free(r);
	json_object_set_new(out, "rates", rows);
	return 0;
}

static int
read_pay(struct pg *pg, const struct pg_param *p, json_t *out, struct err *err)
{
	static const char *const names[] = {"person", "team", "admitted", "registered", "called",
	    "minimum", "standard", "pay", "leader_bonus", NULL};
	struct pg_result *r;
	json_t *rows;

	if (pg_exec(pg, pay_sql, p, 2, &r, err) != 0)
		return -1;
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		json_array_append_new(rows, row_json(r, i, names, 2, 6));
	pg_free(r);
	json_object_set_new(out, "pay", rows);
	return 0;
}

int
nightly_kept(struct pg *pg, const char *campaign, const char *night, json_t **ret, struct err *err)
{
	struct pg_param p[2] = {pg_text(campaign), pg_text(night)};
	struct pg_result *r;
	json_t *out;

	if (pg_exec(pg, night_sql, p, 2, &r, err) != 0)
		return err_wrap(err, "夜晚要 2026-03-09 这样的日子");
	if (pg_rows(r) != 1) {
		pg_free(r);
		return err_set(err, ERR_NOT_FOUND,
		    "%.20s 的夜晚没有记下; 有哪些: hfctl reconcile list", night);
	}
	out = json_pack("{s:s s:b s:I s:I s:I}", "night", night, "late",
	    (int)span_eq_str(pg_get(r, 0, 0), "t"), "ledger_no", (json_int_t)pg_get_i64(r, 0, 1),
	    "records", (json_int_t)pg_get_i64(r, 0, 2), "run", (json_int_t)pg_get_i64(r, 0, 3));
	pg_free(r);
	if (read_rates(pg, p, out, err) != 0 || read_pay(pg, p, out, err) != 0) {
		json_decref(out);
		return -1;
	}
	*ret = out;
	return 0;
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

static intmax_t
number(const json_t *o, const char *key)
{
	return (intmax_t)json_integer_value(json_object_get(o, key));
}

void
nightly_print_kept(const json_t *out)
{
	const json_t *row;
	size_t i;

	printf("%s 的夜晚%s, 账本第 %jd 条为止, 新记录 %jd 条\n", text_of(out, "night"),
	    json_is_true(json_object_get(out, "late")) ? " (补记: 没有补贴)" : "",
	    number(out, "ledger_no"), number(out, "records"));
	printf("%-10s %-14s %6s %6s %6s %6s %6s %6s %9s\n", "scope", "who", "cases", "tried",
	    "calls", "conf", "unrch", "reg", "rate %");
	json_array_foreach(json_object_get(out, "rates"), i, row)
	{
		const char *who = text_of(row, "who");

		printf("%-10s %-14s %6jd %6jd %6jd %6jd %6jd %6jd %9s\n", text_of(row, "scope"),
		    who[0] != '\0' ? who : "(nobody)", number(row, "cases"),
		    number(row, "attempted"), number(row, "attempts"), number(row, "confirmed"),
		    number(row, "unreachable"), number(row, "registered"), text_of(row, "rate"));
	}
	json_array_foreach(json_object_get(out, "pay"), i, row)
	{
		printf("补贴 %-14s 标准 %s, 补贴 %s, 组长奖励 %s 元\n", text_of(row, "person"),
		    text_of(row, "standard"), text_of(row, "pay"), text_of(row, "leader_bonus"));
	}
}
