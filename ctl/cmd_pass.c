/* cmd_pass.c - pass show: who has signed off, which teams' leaders have not, which cases are open or wait for a ruling.
 *
 * Happy path: the router's book from Redis, the cases as they are now: what hf-router would say if the pass were closed
 * this moment. Failures: no queue, no hf-router. Ids and words only, nobody's name. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/ruling.h"
#include "ctl/say.h"
#include "ctl/walk.h"
#include "proto/roles.h"

#define CASES_SHOWN 1000

struct pass {
	struct ctl *c;
	json_int_t stage, n, end, open, waiting;
	json_t *signed_by;    /* person -> true */
	json_t *owners;       /* person -> number of cases */
	json_t *team_of;      /* active persons only */
	json_t *leaders;      /* team -> [person] */
	json_t *cases, *laws; /* what is listed; what was walked */
};

/* ---- the book ---- */

static void
take_word(struct pass *p, const char *at, size_t len)
{
	const char *eq = memchr(at, '=', len);
	struct span key = span_of(at, eq == NULL ? 0 : (size_t)(eq - at));
	char v[80];

	if (eq == NULL)
		return;
	(void)snprintf(v, sizeof(v), "%.*s", (int)(len - key.len - 1), eq + 1);
	if (span_eq_str(key, "stage"))
		p->stage = strtoll(v, NULL, 10);
	else if (span_eq_str(key, "pass"))
		p->n = strtoll(v, NULL, 10);
	else if (span_eq_str(key, "pass_end"))
		p->end = strtoll(v, NULL, 10);
	else if (span_eq_str(key, "signed"))
		(void)json_object_set_new(p->signed_by, v, json_true());
}

static int
read_book(struct pass *p, struct err *err)
{
	struct buf book = BUF_INIT;
	int got = ruling_field(p->c, "book", &book, err);

	for (const char *at = (const char *)book.data; got == 0 && *at != '\0';) {
		size_t n = strcspn(at, " ");

		take_word(p, at, n);
		at += n + (at[n] == ' ');
	}
	buf_done(&book);
	return got;
}

/* ---- people and cases ---- */

static void
on_person(void *arg, const struct say_person *x)
{
	struct pass *p = arg;
	json_t *list;

	if (!x->active)
		return;
	(void)json_object_set_new(p->team_of, x->person, json_string(x->team));
	if (x->team[0] == '\0' || (x->roles & (ROLE_LEADER | ROLE_DEPUTY)) == 0)
		return;
	list = json_object_get(p->leaders, x->team);
	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(p->leaders, x->team, list);
	}
	(void)json_array_append_new(list, json_string(x->person));
}

static bool
is_released(void *arg, const struct case_state *s)
{
	(void)arg;
	return strcmp(s->lane, "unreleased") != 0;
}

static const char *
word_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static bool
is_open(const json_t *row)
{
	const json_t *law = json_object_get(row, "law");
	const char *state = word_of(law, "state"), *place = word_of(law, "place");

	return strcmp(place, "unreleased") != 0 && strcmp(place, "terminal") != 0 &&
	       strcmp(state, "confirmed") != 0 && strcmp(state, "admitted") != 0;
}

/* Only a ruling moves it on. */
static bool
waits(const json_t *row)
{
	return strcmp(word_of(row, "lane"), "supervision") == 0 ||
	       strcmp(word_of(row, "why"), "awaits-ruling") == 0;
}

static void
take_case(struct pass *p, json_t *row, bool waiting)
{
	const json_t *law = json_object_get(row, "law");

	if (json_array_size(p->cases) >= CASES_SHOWN)
		return;
	(void)json_object_set(row, "state", json_object_get(law, "state"));
	(void)json_object_set(row, "tries", json_object_get(law, "attempts"));
	(void)json_object_set_new(row, "waits", json_boolean(waiting));
	(void)json_object_del(row, "law");
	(void)json_array_append(p->cases, row);
}

static void
count_cases(struct pass *p)
{
	json_t *row;
	size_t i;

	json_array_foreach(p->laws, i, row)
	{
		const char *owner = word_of(row, "owner");

		if (json_object_get(p->team_of, owner) != NULL)
			(void)json_object_set_new(p->owners, owner,
			    json_integer(
			        json_integer_value(json_object_get(p->owners, owner)) + 1));
		p->waiting += waits(row);
		p->open += is_open(row);
	}
	for (int turn = 1; turn >= 0; turn--) /* who waits for a ruling stands first */
		json_array_foreach(p->laws, i, row)
		{
			bool w = json_object_get(row, "law") != NULL && waits(row);

			if (json_object_get(row, "law") != NULL && w == (turn == 1) &&
			    (w || is_open(row)))
				take_case(p, row, w);
		}
}

/* ---- the answer ---- */

static json_t *
owners_of(const struct pass *p)
{
	json_t *list = json_array(), *n;
	const char *person;

	json_object_foreach(p->owners, person, n)
	{
		(void)json_array_append_new(
		    list, json_pack("{s:s s:O s:O s:b}", "person", person, "team",
		              json_object_get(p->team_of, person), "cases", n, "signed",
		              json_object_get(p->signed_by, person) != NULL));
	}
	return list;
}

/* Teams that own cases; "" for who signed: nobody yet. A team without a leader needs none. */
static json_t *
teams_of(const struct pass *p)
{
	json_t *list = json_array(), *seen = json_object(), *n, *one;
	const char *person;
	size_t i;

	json_object_foreach(p->owners, person, n)
	{
		const char *team = json_string_value(json_object_get(p->team_of, person)),
		           *who = "";
		json_t *leaders = json_object_get(p->leaders, team);

		if (leaders == NULL || json_object_get(seen, team) != NULL)
			continue;
		(void)json_object_set_new(seen, team, json_true());
		json_array_foreach(leaders, i, one)
		{
			if (json_object_get(p->signed_by, json_string_value(one)) != NULL)
				who = json_string_value(one);
		}
		(void)json_array_append_new(list,
		    json_pack("{s:s s:O s:s}", "team", team, "leaders", leaders, "signed", who));
	}
	json_decref(seen);
	return list;
}

static void
print_pass(const struct pass *p, const json_t *owners, const json_t *teams)
{
	const json_t *o;
	char end[32];
	size_t i;

	clock_text(end, p->end);
	printf("阶段 %lld, 第 %lld 轮%s%s\n", (long long)p->stage, (long long)p->n,
	    p->end > 0 ? ", 到 " : "", p->end > 0 ? end : "");
	json_array_foreach(owners, i, o) printf("%s %-10s %-8s %4lld 个\n",
	    json_is_true(json_object_get(o, "signed")) ? "已签" : "没签", word_of(o, "person"),
	    word_of(o, "team"), (long long)json_integer_value(json_object_get(o, "cases")));
	json_array_foreach(teams, i, o)
	    printf("%s 小组 %s %s\n", word_of(o, "signed")[0] != '\0' ? "已签" : "没签",
	        word_of(o, "team"), word_of(o, "signed"));
	json_array_foreach(p->cases, i, o) printf("%s  %-10s %-24s %s\n", word_of(o, "case"),
	    word_of(o, "owner"), word_of(o, "lane"), show_why(word_of(o, "why")));
	printf("既未确认也未退档 %lld 个, 等裁定 %lld 个\n", (long long)p->open,
	    (long long)p->waiting);
}

static void
answer(const struct pass *p)
{
	json_t *owners = owners_of(p), *teams = teams_of(p), *o;

	if (!p->c->json) {
		print_pass(p, owners, teams);
	} else {
		o = json_pack("{s:I s:I s:I s:O s:O s:I s:I s:O}", "stage", p->stage, "pass", p->n,
		    "pass_end", p->end, "owners", owners, "teams", teams, "open", p->open,
		    "waiting", p->waiting, "cases", p->cases);
		(void)json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
	}
	json_decref(owners);
	json_decref(teams);
}

static int
pass_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct pass p = {.c = c};
	int got;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_pass, "pass", "show");
	if (ctl_campaign(c, err) != 0)
		return -1;
	p.signed_by = json_object();
	p.owners = json_object();
	p.team_of = json_object();
	p.leaders = json_object();
	p.cases = json_array();
	got = read_book(&p, err);
	if (got == 0)
		got = say_people(c, on_person, &p, err);
	if (got == 0)
		got = walk_cases(c, is_released, NULL, &p.laws, err);
	if (got == 0) {
		count_cases(&p);
		answer(&p);
	}
	json_decref(p.signed_by);
	json_decref(p.owners);
	json_decref(p.team_of);
	json_decref(p.leaders);
	json_decref(p.cases);
	json_decref(p.laws);
	return got;
}

const struct verb verbs_pass[] = {
    {"pass", "show", pass_show, "",
        "这一轮还差什么: 谁没有签字, 哪些个案没有定, 哪些等裁定; 什么也不改"},
    {NULL, NULL, NULL, NULL, NULL},
};
