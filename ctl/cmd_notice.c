/* cmd_notice.c - notice reads: who has read which notice (a new script, a new stage), and who has not.
 *
 * Happy path: a read mark is the reader's own NOTE with what = read:ID; the first one counts. Failures: no ledger; who has
 * read nothing at all stands among the people only. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "proto/roles.h"

#define READERS (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE | ROLE_STRIKE_HEAD)

struct reads {
	const char *person, *team; /* NULL: all */
	json_t *teams;             /* person -> team */
	json_t *people, *rows;
};

static bool
is_asked(const struct reads *x, const char *person, const char *team)
{
	return (x->person == NULL || strcmp(x->person, person) == 0) &&
	       (x->team == NULL || strcmp(x->team, team) == 0);
}

static void
on_person(void *arg, const struct say_person *p)
{
	struct reads *x = arg;

	if (!p->active || (p->roles & READERS) == 0 || !is_asked(x, p->person, p->team))
		return;
	(void)json_object_set_new(x->teams, p->person, json_string(p->team));
	(void)json_array_append_new(
	    x->people, json_pack("{s:s s:s}", "person", p->person, "team", p->team));
}

static int
read_marks(struct ctl *c, struct reads *x, struct err *err)
{
	static const char sql[] =
	    "SELECT substr(what, 6), person, min(campaign_at) FROM hf.ledger WHERE campaign = $1 "
	    "AND kind = 2 AND what LIKE 'read:%' AND flaw IS NULL AND verdict < 2 GROUP BY 1, 2 "
	    "ORDER BY 1, 3, 2 LIMIT 100000";
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *r;

	if (ctl_pg(c, "hf_read", err) != 0)
		return -1;
	if (pg_exec(c->pg, sql, p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r); i++) {
		struct span id = pg_get(r, i, 0), person = pg_get(r, i, 1);
		char who[40];

		(void)snprintf(
		    who, sizeof(who), "%.*s", (int)person.len, (const char *)person.data);
		if (json_object_get(x->teams, who) != NULL)
			(void)json_array_append_new(x->rows,
			    json_pack("{s:s% s:s s:O s:I}", "notice", (const char *)id.data, id.len,
			        "person", who, "team", json_object_get(x->teams, who), "at",
			        (json_int_t)pg_get_i64(r, i, 2)));
	}
	pg_free(r);
	return 0;
}

static void
print_reads(const struct reads *x)
{
	const json_t *o;
	char at[32];
	size_t i;

	json_array_foreach(x->rows, i, o)
	{
		clock_text(at, json_integer_value(json_object_get(o, "at")));
		printf("%-40s %-10s %-8s %s\n", json_string_value(json_object_get(o, "notice")),
		    json_string_value(json_object_get(o, "person")),
		    json_string_value(json_object_get(o, "team")), at);
	}
	printf("%zu 人要读\n", json_array_size(x->people));
}

static int
notice_reads(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct reads x = {opt_take(&argc, argv, "--person", true),
	    opt_take(&argc, argv, "--team", true), NULL, NULL, NULL};
	json_t *all;
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 0)
		return ctl_usage(err, verbs_notice, "notice", "reads");
	if (ctl_campaign(c, err) != 0)
		return -1;
	x.teams = json_object();
	x.people = json_array();
	x.rows = json_array();
	got = say_people(c, on_person, &x, err);
	if (got == 0)
		got = read_marks(c, &x, err);
	if (got == 0 && c->json) {
		all = json_pack("{s:O s:O}", "people", x.people, "reads", x.rows);
		(void)json_dumpf(all, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(all);
	} else if (got == 0) {
		print_reads(&x);
	}
	json_decref(x.teams);
	json_decref(x.people);
	json_decref(x.rows);
	return got;
}

const struct verb verbs_notice[] = {
    {"notice", "reads", notice_reads, "[--person P] [--team T]", "通知 (新话术、新阶段) 谁读过了"},
    {NULL, NULL, NULL, NULL, NULL},
};
