/* cmd_wanted.c - number wanted: cases for which the back office looks for a number (rung 5), and who has answered.
 *
 * Happy path: cases whose place says rung 4 or 5, rung 5 neither done nor waived; beside them what somebody of the back
 * office said of them since. Failures: no queue, no ledger. Ids only: the back office sees the name on its screen. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/say.h"
#include "ctl/walk.h"
#include "proto/roles.h"

#define RUNG 5

struct wanted {
	json_t *office; /* persons of the back office */
	json_t *rows;
};

static bool
is_wanted(void *arg, const struct case_state *s)
{
	(void)arg;
	return strncmp(s->lane, "own:", 4) == 0 &&
	       (strcmp(s->why, "rung-4") == 0 || strcmp(s->why, "rung-5") == 0);
}

static void
on_person(void *arg, const struct say_person *p)
{
	if ((p->roles & ROLE_BACK_OFFICE) != 0)
		(void)json_object_set_new(((struct wanted *)arg)->office, p->person, json_true());
}

static bool
has_rung(const json_t *law, const char *list)
{
	const json_t *n;
	size_t i;

	json_array_foreach(json_object_get(law, list), i, n)
	{
		if (json_integer_value(n) == RUNG)
			return true;
	}
	return false;
}

/* The newest word of the back office on each case; it counts while the case has not moved since. */
static int
answered(struct ctl *c, struct wanted *w, struct err *err)
{
	static const char sql[] =
	    "SELECT person, campaign_at, encode(case_ref, 'hex') FROM hf.ledger WHERE campaign = "
	    "$1 AND kind IN (2, 3) AND case_ref IS NOT NULL AND flaw IS NULL AND verdict = 0 ORDER "
	    "BY no DESC LIMIT 20000";
	struct pg_param p[1] = {pg_text(c->campaign)};
	json_t *seen = json_object(), *row;
	struct pg_result *r;
	size_t i;

	if (ctl_pg(c, "hf_read", err) != 0 || pg_exec(c->pg, sql, p, 1, &r, err) != 0) {
		json_decref(seen);
		return err_wrap(err, "PostgreSQL");
	}
	for (int k = 0; k < pg_rows(r); k++) {
		struct span person = pg_get(r, k, 0), id = pg_get(r, k, 2);
		char who[40], hex[40];

		(void)snprintf(
		    who, sizeof(who), "%.*s", (int)person.len, (const char *)person.data);
		(void)snprintf(hex, sizeof(hex), "%.*s", (int)id.len, (const char *)id.data);
		if (json_object_get(w->office, who) != NULL && json_object_get(seen, hex) == NULL)
			(void)json_object_set_new(seen, hex,
			    json_pack(
			        "{s:s s:I}", "by", who, "at", (json_int_t)pg_get_i64(r, k, 1)));
	}
	pg_free(r);
	json_array_foreach(w->rows, i, row)
	{
		json_t *said =
		    json_object_get(seen, json_string_value(json_object_get(row, "case")));

		/* a case's memory has whole seconds, rounded up */
		if (said != NULL && json_integer_value(json_object_get(said, "at")) + 1000 >
		                        json_integer_value(json_object_get(row, "since")))
			(void)json_object_set(row, "answered", said);
	}
	json_decref(seen);
	return 0;
}

static int
rows_of(struct ctl *c, struct wanted *w, struct err *err)
{
	json_t *all, *row;
	size_t i;

	if (say_people(c, on_person, w, err) != 0 || walk_cases(c, is_wanted, NULL, &all, err) != 0)
		return -1;
	json_array_foreach(all, i, row)
	{
		json_t *law = json_incref(json_object_get(row, "law"));

		(void)json_object_del(row, "law");
		if (!has_rung(law, "rungs_done") && !has_rung(law, "rungs_waived")) {
			(void)json_object_set_new(
			    row, "since", json_integer(lawview_time(law, "since")));
			(void)json_object_set_new(
			    row, "deadline", json_integer(lawview_time(law, "rung_by")));
			(void)json_object_set(row, "tries", json_object_get(law, "attempts"));
			(void)json_array_append(w->rows, row);
		}
		json_decref(law);
	}
	json_decref(all);
	return answered(c, w, err);
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
		printf("%s  %-10s %-8s 等于 %s, 期限 %s%s\n",
		    json_string_value(json_object_get(o, "case")),
		    json_string_value(json_object_get(o, "owner")),
		    json_string_value(json_object_get(o, "team")), since, until,
		    json_object_get(o, "answered") != NULL ? ", 已回" : "");
	}
	if (json_array_size(rows) == 0)
		printf("没有\n");
}

static int
number_wanted(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct wanted w;
	int got;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_wanted, "number", "wanted");
	if (ctl_campaign(c, err) != 0)
		return -1;
	w = (struct wanted){json_object(), json_array()};
	got = rows_of(c, &w, err);
	if (got == 0 && c->json) {
		(void)json_dumpf(w.rows, stdout, JSON_COMPACT);
		printf("\n");
	} else if (got == 0) {
		print_rows(w.rows);
	}
	json_decref(w.office);
	json_decref(w.rows);
	return got;
}

const struct verb verbs_wanted[] = {
    {"number", "wanted", number_wanted, "", "要招办后台查号码的个案 (找人第 5 级), 和谁已经回了"},
    {NULL, NULL, NULL, NULL, NULL},
};
