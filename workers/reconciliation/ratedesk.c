/* ratedesk.c - rates and ids as a person or hfctl asks for them: tables and JSON, with the moment they are true for.
 *
 * Happy path: the figures, the last three, up to which record. Failures: an unknown word; those of figures.h. */
#include "workers/reconciliation/ratedesk.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FEW 10 /* admitted: a rate of so few is flagged */

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s != NULL ? s : "-";
}

static int64_t
number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void
print_moment(const json_t *out)
{
	char at[32] = "-";

	if (number(out, "as_of") > 0)
		clock_text(at, number(out, "as_of"));
	printf("到账本第 %jd 条 (%s) 为止; %s\n", (intmax_t)number(out, "as_of_ledger"), at,
	    json_is_true(json_object_get(out, "provisional"))
	        ? "暂数: 录取名单没有冻结, 分母是未退档的个案"
	        : "分母是冻结的录取名单");
}

/* N4: for a person to rule on; with few cases one of them decides. */
static void
print_last(const json_t *rows)
{
	const json_t *row;
	const char *between = "末三名 (并列都列出, 由人裁定): ";
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (!json_is_true(json_object_get(row, "last_three")))
			continue;
		printf("%s%s%s", between, json_string_value(json_object_get(row, "who")),
		    number(row, "admitted") < FEW ? " (人数少)" : "");
		between = ", ";
	}
	if (between[0] == ',')
		printf("\n");
}

static void
print_rates(const json_t *out)
{
	const json_t *row;
	size_t i;

	printf("%-14s %-6s %6s %6s %6s %6s %6s %6s %6s %6s %6s %6s %8s %6s %6s\n", "who", "team",
	    "cases", "tried", "calls", "talks", "min", "conf", "cons", "unrch", "wdrn", "reg",
	    "rate %", "talks/", "min/");
	json_array_foreach(json_object_get(out, "rows"), i, row)
	{
		const char *rate = json_string_value(json_object_get(row, "rate"));
		const char *who = json_string_value(json_object_get(row, "who"));

		printf("%-14s %-6s %6jd %6jd %6jd %6jd %6jd %6jd %6jd %6jd %6jd %6jd %8s %6s %6s\n",
		    who[0] != '\0' ? who : "(nobody)",
		    json_string_value(json_object_get(row, "team")), (intmax_t)number(row, "cases"),
		    (intmax_t)number(row, "attempted"), (intmax_t)number(row, "attempts"),
		    (intmax_t)number(row, "contacts"), (intmax_t)(number(row, "seconds") / 60),
		    (intmax_t)number(row, "confirmed"), (intmax_t)number(row, "considering"),
		    (intmax_t)number(row, "unreachable"), (intmax_t)number(row, "withdrawn"),
		    (intmax_t)number(row, "registered"), rate != NULL ? rate : "-",
		    text(row, "average_contacts"), text(row, "average_minutes"));
	}
	print_last(json_object_get(out, "rows"));
	print_moment(out);
}

static void
put_json(const json_t *out)
{
	json_dumpf(out, stdout, JSON_COMPACT);
	printf("\n");
}

int
ratedesk_rates(struct pg *pg, const char *campaign, const char *by, const char *person,
    const struct past *past, bool json, struct err *err)
{
	static const char *const words[] = {
	    [BY_CALLER] = "caller",
	    [BY_TEAM] = "team",
	    [BY_CAMPAIGN] = "campaign",
	    [BY_STAGE] = "stage",
	};
	size_t n = sizeof(words) / sizeof(words[0]), i = 0;
	json_t *out;

	while (i < n && strcmp(by, words[i]) != 0)
		i++;
	if (i == n)
		return err_set(err, ERR_INVALID, "--by 要 caller, team, campaign 或 stage");
	if (figures_rates(pg, campaign, (enum figures_by)i, person, past, &out, err) != 0)
		return -1;
	if (json)
		put_json(out);
	else
		print_rates(out);
	if (!json && i == BY_STAGE)
		printf("2.1 是阶段 2 第 1 遍; 每行只数那时打过电话的个案, "
		       "报到率的分母是其中录取的\n");
	json_decref(out);
	return 0;
}

int
ratedesk_ids(struct pg *pg, const char *campaign, const struct figures_of *of,
    const struct past *past, bool json, struct err *err)
{
	const json_t *id, *records;
	json_t *out;
	size_t i;

	if (figures_ids(pg, campaign, of, past, &out, err) != 0)
		return -1;
	records = json_object_get(out, "records");
	if (json) {
		put_json(out);
	} else {
		json_array_foreach(json_object_get(out, "cases"), i, id)
		{
			printf("%s", json_string_value(id));
			if (records != NULL)
				printf("  账本第 %jd 条",
				    (intmax_t)json_integer_value(json_array_get(records, i)));
			printf("\n");
		}
		printf("%s: %jd 个", text(out, "figure"), (intmax_t)number(out, "count"));
		if (records != NULL)
			printf(", 共 %jd 秒", (intmax_t)number(out, "total"));
		printf("; ");
		print_moment(out);
	}
	json_decref(out);
	return 0;
}
