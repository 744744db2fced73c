/* cmd_admitted.c - the authority's list: import, what differs from our cases, and the freeze that makes it the
 * denominator.
 *
 * Happy path: the data group imports the list, looks at the differences, freezes with their number typed; a head
 * gives (approve give N), and from then on rates and pay count by it. A later change is an import and a freeze again, by
 * two persons again. Failures: no list, pass 3 not closed, differences not typed or changed since (exit 1). */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "ctl/decide.h"
#include "ctl/lists.h"
#include "ctl/ruling.h"

static int
admitted_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	return lists_import(c, &list_admitted, argc, argv, verbs_admitted, err);
}

/* ---- what differs ---- */

static const struct {
	const char *what, *zh;
} differences[] = {
    {"unknown", "录取名单上有, 我们没有 (先 roster import, 再导入录取名单)"},
    {"not-listed", "我们有, 录取名单上没有"},
    {"withdrawn-but-listed", "我们已退档, 录取名单上还有"},
};

static const char *
in_words(const char *what)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (strcmp(differences[i].what, what) == 0)
			return differences[i].zh;
	return what;
}

static json_t *
row_of(const struct pg_result *r, int i)
{
	json_t *o = json_object();
	static const char *const names[] = {"what", "case", "owner"};

	for (int k = 0; k < 3; k++) {
		struct span s = pg_get(r, i, k);

		json_object_set_new(o, names[k],
		    pg_is_null(r, i, k) ? json_null() : json_stringn((const char *)s.data, s.len));
	}
	json_object_set_new(
	    o, "row", pg_is_null(r, i, 3) ? json_null() : json_integer(pg_get_i64(r, i, 3)));
	return o;
}

/* *ret_listed: cases on the list. */
static int
read_differences(struct ctl *c, json_t **ret, int64_t *ret_listed, struct err *err)
{
	struct pg_param p;
	struct pg_result *r;

	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p = pg_text(c->campaign);
	if (pg_exec(c->pg,
	        "SELECT count(*) FROM hf.v_listed WHERE campaign = $1 AND what = 'admitted'", &p, 1,
	        &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	*ret_listed = pg_get_i64(r, 0, 0);
	pg_free(r);
	if (pg_exec(c->pg,
	        "SELECT what, encode(case_ref, 'hex'), owner, sheet_row FROM hf.v_list_difference "
	        "WHERE campaign = $1 ORDER BY what, sheet_row, owner, case_ref",
	        &p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	*ret = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		json_array_append_new(*ret, row_of(r, i));
	pg_free(r);
	return *ret_listed > 0 ? 0
	                       : err_set(err, ERR_NOT_FOUND,
	                             "还没有录取名单; 请先导入: hfctl admitted import FILE");
}

static void
print_differences(const json_t *list)
{
	const json_t *d;
	size_t i;

	json_array_foreach(list, i, d)
	{
		const char *ref = json_string_value(json_object_get(d, "case"));
		const char *owner = json_string_value(json_object_get(d, "owner"));
		const json_t *row = json_object_get(d, "row");

		printf("%s: ", in_words(json_string_value(json_object_get(d, "what"))));
		if (ref != NULL)
			printf("%s 归属 %s\n", ref, owner != NULL ? owner : "-");
		else
			printf("第 %jd 行\n", (intmax_t)json_integer_value(row));
	}
}

static int
admitted_differences(struct ctl *c, int argc, char **argv, struct err *err)
{
	json_t *list = NULL;
	int64_t listed;
	int code;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_admitted, "admitted", "differences");
	if (read_differences(c, &list, &listed, err) != 0) {
		json_decref(list);
		return -1;
	}
	code = json_array_size(list) == 0 ? 0 : EXIT_FOUND;
	if (c->json) {
		json_t *o =
		    json_pack("{s:I s:O}", "admitted", (json_int_t)listed, "differences", list);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
	} else {
		print_differences(list);
		printf("录取名单 %" PRId64 " 人, 不一致 %zu 处\n", listed, json_array_size(list));
	}
	json_decref(list);
	return code;
}

/* ---- the freeze ---- */

/* Every listed case with the owner of this moment; one record holds cases of one owner. */
static int
say_owners(struct list_say *s, const struct pg_result *r, struct err *err)
{
	struct buf cases = BUF_INIT;
	int got = 0;

	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		struct span owner = pg_get(r, i, 0);
		bool ends = i + 1 == pg_rows(r) || !span_eq(owner, pg_get(r, i + 1, 0));
		name_t subject;

		got = pg_get_bytes(r, i, 1, &cases, err);
		if (got != 0 || !ends)
			continue;
		(void)snprintf(
		    subject, sizeof(subject), "%.*s", (int)owner.len, (const char *)owner.data);
		got = list_say_cases(
		    s, cases.data, cases.len / 16, true, subject[0] != '\0' ? subject : NULL, err);
		buf_clear(&cases);
	}
	buf_done(&cases);
	return got;
}

static int
say_freeze(struct ctl *c, struct list_say *s, struct err *err)
{
	struct pg_param p = pg_text(c->campaign);
	struct pg_result *r;
	struct acts *a;
	int got;

	if (pg_exec(c->pg,
	        "SELECT coalesce(g.owner, ''), g.case_ref FROM hf.v_figure g JOIN hf.v_listed d ON "
	        "d.campaign = g.campaign AND d.case_ref = g.case_ref AND d.what = 'admitted' WHERE "
	        "g.campaign = $1 ORDER BY 1, 2",
	        &p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (acts_open(c, &a, err) != 0) {
		pg_free(r);
		return -1;
	}
	list_say_begin(s, a, "frozen");
	got = say_owners(s, r, err);
	if (got == 0)
		got = list_say_commit(s, err);
	acts_close(a);
	pg_free(r);
	return got == 0 ? list_wait(c, s->import, err) : -1;
}

/* The number typed is that of the differences: who freezes has seen them. */
static int
check_typed(const json_t *list, const char *typed, struct err *err)
{
	size_t n = json_array_size(list);
	uint64_t said = 0;

	if (typed != NULL && !text_to_u64(typed, strlen(typed), &said))
		return err_set(err, ERR_INVALID, "--differences 要一个整数");
	if (said == n)
		return 0;
	return err_set(err, ERR_STALE,
	    "录取名单和我们的个案有 %zu 处不一致; 看过以后 (hfctl admitted differences) 用 "
	    "--differences %zu 冻结",
	    n, n);
}

static int
admitted_freeze(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *typed = opt_take(&argc, argv, "--differences", true);
	struct list_say s = {.rows = 0};
	json_t *list = NULL;
	int64_t listed, no = 0;
	bool closed = false;
	int got;

	if (argc != 0)
		return ctl_usage(err, verbs_admitted, "admitted", "freeze");
	got = read_differences(c, &list, &listed, err);
	if (got == 0)
		got = check_typed(list, typed, err);
	json_decref(list);
	if (got != 0 || ruling_closed(c, &closed, err) != 0)
		return -1;
	if (!closed)
		return EXIT_FOUND;
	if (say_freeze(c, &s, err) != 0 || decide_newest(c, "frozen", &no, err) != 0)
		return -1;
	if (c->json)
		printf("{\"admitted\":%ju,\"no\":%" PRId64 "}\n", (uintmax_t)s.rows, no);
	else
		printf("录取名单 %ju 人, 等第二个人: hfctl --as 回访组长 approve give %" PRId64
		       "\n",
		    (uintmax_t)s.rows, no);
	return 0;
}

const struct verb verbs_admitted[] = {
    {"admitted", "import", admitted_import, "FILE [--dry-run]",
        "导入录取名单 (考生号), 整张名单, 更正就再导入一次"},
    {"admitted", "differences", admitted_differences, "", "录取名单和我们的个案哪里不一致"},
    {"admitted", "freeze", admitted_freeze, "[--differences N]",
        "冻结录取名单作分母; 第二个人用 approve give 同意"},
    {NULL, NULL, NULL, NULL, NULL},
};
