/* cmd_question.c - question list: the questions to leaders (问组长) that nobody has answered yet.
 *
 * Happy path: cases whose memory says that a question is open, with who asked, since when and until when; the question
 * itself is sealed, and read on the leader's screen. A note of somebody else on the case answers it. Reads PostgreSQL,
 * so it is behind the queue by as much as hf-recorder is. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/say.h"
#include "proto/meters.h"

static const char open_sql[] =
    "SELECT encode(case_ref, 'hex'), owner, blob FROM hf.case_state WHERE campaign = $1 AND "
    "lane LIKE 'own:%' AND owner IS NOT NULL AND length(blob) > 28 AND get_byte(blob, 28) & 2 <> 0 "
    "ORDER BY changed_at, case_ref LIMIT 5000";

struct teams {
	json_t *of; /* person -> team */
};

static void
add_team(void *arg, const struct say_person *p)
{
	(void)json_object_set_new(((struct teams *)arg)->of, p->person, json_string(p->team));
}

static void
add_row(json_t *rows, const char *team, const json_t *teams, const struct pg_result *r, int i)
{
	struct span hex = pg_get(r, i, 0), owner = pg_get(r, i, 1);
	struct buf blob = BUF_INIT;
	struct meters m;
	char person[40];
	const char *of;

	(void)snprintf(person, sizeof(person), "%.*s", (int)owner.len, (const char *)owner.data);
	of = json_string_value(json_object_get(teams, person));
	if (of == NULL)
		of = "";
	if ((team == NULL || strcmp(team, of) == 0) && pg_get_bytes(r, i, 2, &blob, NULL) == 0 &&
	    meters_read(&m, buf_span(&blob)) && m.asked)
		(void)json_array_append_new(
		    rows, json_pack("{s:s% s:s s:s s:I s:I}", "case", (const char *)hex.data,
		              hex.len, "person", person, "team", of, "since", (json_int_t)m.since,
		              "deadline", (json_int_t)m.deadline));
	buf_done(&blob);
}

static void
print_rows(const json_t *rows)
{
	const json_t *o;
	char since[32], until[32];
	size_t i;

	json_array_foreach(rows, i, o)
	{
		clock_text(since, json_integer_value(json_object_get(o, "since")));
		clock_text(until, json_integer_value(json_object_get(o, "deadline")));
		printf("%s  %-10s %-8s 问于 %s, 期限 %s\n",
		    json_string_value(json_object_get(o, "case")),
		    json_string_value(json_object_get(o, "person")),
		    json_string_value(json_object_get(o, "team")), since, until);
	}
	if (json_array_size(rows) == 0)
		printf("没有\n");
}

static int
question_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *team = opt_take(&argc, argv, "--team", true);
	struct pg_param p[1];
	struct pg_result *r;
	struct teams t;
	json_t *rows;
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 0)
		return ctl_usage(err, verbs_question, "question", "list");
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	if (pg_exec(c->pg, open_sql, p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	t.of = json_object();
	rows = json_array();
	got = say_people(c, add_team, &t, err);
	for (int i = 0; got == 0 && i < pg_rows(r); i++)
		add_row(rows, team, t.of, r, i);
	pg_free(r);
	if (got == 0 && c->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		printf("\n");
	} else if (got == 0) {
		print_rows(rows);
	}
	json_decref(rows);
	json_decref(t.of);
	return got;
}

const struct verb verbs_question[] = {
    {"question", "list", question_list, "[--team T]", "还没有人回答的问组长: 谁问的, 期限到几时"},
    {NULL, NULL, NULL, NULL, NULL},
};
