/* cmd_service.c - service list: what has been done since for whom (payment, dormitory, bus, group, notice), and who
 * wants the special-master's path.
 *
 * Happy path: the bits of `items` in the records of calls and notes (PROTOCOL.md 14.3) and the imported list of
 * payments, one row a person, or a row a case of one person. Failures: PostgreSQL's. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/ctl.h"

#define DONE 6

static const struct {
	const char *key, *zh;
} done[DONE] = {{"paid", "缴费"}, {"dormitory", "宿舍"}, {"bus", "校车"}, {"group", "进群"},
    {"notice", "通知书"}, {"special_master", "专硕意向"}};

/* Of cases that are neither withdrawn nor nobody's. The list of payments counts as said. */
#define CASES                                                                                      \
	"WITH said AS (SELECT case_ref, bit_or(items) AS bits FROM hf.ledger WHERE campaign = $1 " \
	"AND kind IN (1, 2) AND items IS NOT NULL AND verdict = 0 AND flaw IS NULL GROUP BY 1), "  \
	"c AS (SELECT f.case_ref, f.owner, coalesce(s.bits, 0) | CASE WHEN f.paid THEN 1 ELSE 0 "  \
	"END AS bits FROM hf.v_figure f LEFT JOIN said s USING (case_ref) WHERE f.campaign = $1 "  \
	"AND f.owner IS NOT NULL AND NOT coalesce(f.withdrawn, false)) "

static const char by_person[] = CASES
    "SELECT owner, count(*), count(*) FILTER (WHERE bits & 1 <> 0), count(*) FILTER (WHERE bits & "
    "2 <> 0), count(*) FILTER (WHERE bits & 4 <> 0), count(*) FILTER (WHERE bits & 8 <> 0), "
    "count(*) FILTER (WHERE bits & 16 <> 0), count(*) FILTER (WHERE bits & 32 <> 0) FROM c GROUP "
    "BY owner ORDER BY owner";
static const char by_case[] =
    CASES "SELECT encode(case_ref, 'hex'), bits FROM c WHERE owner = $2 ORDER BY case_ref";

static json_t *
person_row(const struct pg_result *r, int i)
{
	struct span owner = pg_get(r, i, 0);
	json_t *o = json_pack("{s:s% s:I}", "person", (const char *)owner.data, owner.len, "cases",
	    (json_int_t)pg_get_i64(r, i, 1));

	for (int k = 0; k < DONE; k++)
		(void)json_object_set_new(
		    o, done[k].key, json_integer((json_int_t)pg_get_i64(r, i, 2 + k)));
	return o;
}

static json_t *
case_row(const struct pg_result *r, int i)
{
	struct span no = pg_get(r, i, 0);
	int64_t bits = pg_get_i64(r, i, 1);
	json_t *o = json_pack("{s:s%}", "case", (const char *)no.data, no.len);

	for (int k = 0; k < DONE; k++)
		(void)json_object_set_new(o, done[k].key, json_boolean((bits >> k & 1) != 0));
	return o;
}

static void
print_row(const json_t *o)
{
	const char *person = json_string_value(json_object_get(o, "person"));

	if (person != NULL)
		printf("%-12s 个案 %jd", person,
		    (intmax_t)json_integer_value(json_object_get(o, "cases")));
	else
		printf("%s", json_string_value(json_object_get(o, "case")));
	for (int k = 0; k < DONE; k++) {
		const json_t *v = json_object_get(o, done[k].key);

		if (person != NULL)
			printf("  %s %jd", done[k].zh, (intmax_t)json_integer_value(v));
		else if (json_is_true(v))
			printf("  %s", done[k].zh);
	}
	printf("\n");
}

static int
service_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *person = opt_take(&argc, argv, "--person", true);
	struct pg_result *r;
	struct pg_param p[2];
	json_t *rows, *o;
	size_t at;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 0)
		return ctl_usage(err, verbs_service, "service", "list");
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	p[1] = pg_text(person == NULL ? "" : person);
	if (pg_exec(c->pg, person == NULL ? by_person : by_case, p, person == NULL ? 1 : 2, &r,
	        err) != 0)
		return err_wrap(err, "PostgreSQL");
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++)
		(void)json_array_append_new(
		    rows, person == NULL ? person_row(r, i) : case_row(r, i));
	pg_free(r);
	if (c->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		json_array_foreach(rows, at, o) print_row(o);
	}
	json_decref(rows);
	return 0;
}

const struct verb verbs_service[] = {
    {"service", "list", service_list, "[--person P]",
        "服务到哪一步: 缴费、宿舍、校车、进群、通知书, 和专硕意向"},
    {NULL, NULL, NULL, NULL, NULL},
};
