/* cmd_absence.c - absence set: somebody is away until a time, and their open work goes to others.
 *
 * Happy path: the work is what lies in the person's own lanes: promises, due cases, first calls. --dry-run says
 * what would go to whom and does nothing. With --to the ABSENCE record names the one who takes over and the
 * router moves all; with split each case is a hand-over of its own, dealt round the rest of the team. Times and
 * promises stay as they are, and so does the credit. Failures: somebody who is not there or not qualified, an
 * end in the past, another person's absence said by one who is neither leader nor deputy: refused before
 * anything is stored. --until now ends an absence. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "proto/roles.h"

#define TEAM_MOST 64

struct item {
	uint8_t id[16];
	char cls[16]; /* promise, asked, first, retry, due */
	int64_t due;
	size_t to; /* index of takers */
};

struct away {
	struct say_person who;
	struct say_person takers[TEAM_MOST];
	size_t n_takers;
	struct item *items;
	size_t n_items;
	int64_t until;
	bool dry, split;
};

/* ---- what there is to move ---- */

static int
read_item(struct ctl *c, struct away *a, struct span id, struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	struct item *it = &a->items[a->n_items];
	char prefix[48];
	int got;

	if (id.len != 16)
		return 0;
	memcpy(it->id, id.data, 16);
	got = show_state(c, it->id, &text, &s, err);
	(void)snprintf(prefix, sizeof(prefix), "own:%s:", a->who.person);
	if (got == 0 && strncmp(s.lane, prefix, strlen(prefix)) == 0) {
		(void)snprintf(it->cls, sizeof(it->cls), "%s", s.lane + strlen(prefix));
		it->due = s.due;
		it->to = a->n_takers > 0 ? a->n_items % a->n_takers : 0;
		a->n_items++;
	}
	buf_done(&text);
	return got;
}

static int
by_due(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->due != y->due ? (x->due < y->due ? -1 : 1) : memcmp(x->id, y->id, 16);
}

static int
read_items(struct ctl *c, struct away *a, struct err *err)
{
	char name[48], path[96];
	const struct rds_reply *r;
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};
	int got = 0;

	(void)snprintf(name, sizeof(name), "owned:%s", a->who.person);
	argv[1] = span_str(call_key(path, sizeof(path), c->campaign, name));
	if (ctl_cmd(c, argv, 2, &r, err) != 0)
		return -1;
	a->items = xcalloc(rds_len(r) + 1, sizeof(*a->items));
	for (size_t i = 0; i < rds_len(r) && got == 0; i++)
		got = read_item(c, a, rds_str(rds_at(r, i)), err);
	rds_sync_free(r);
	qsort(a->items, a->n_items, sizeof(*a->items), by_due);
	for (size_t i = 0; i < a->n_items && a->n_takers > 0; i++)
		a->items[i].to = i % a->n_takers; /* the earliest ones are dealt evenly, too */
	return got;
}

/* ---- who takes over ---- */

static void
add_taker(void *arg, const struct say_person *p)
{
	struct away *a = arg;

	if (a->n_takers < TEAM_MOST && p->active && p->qualified && (p->roles & ROLE_CALLER) != 0 &&
	    strcmp(p->team, a->who.team) == 0 && strcmp(p->person, a->who.person) != 0)
		a->takers[a->n_takers++] = *p;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct say_person *)a)->person, ((const struct say_person *)b)->person);
}

static int
find_takers(struct ctl *c, struct away *a, const char *to, struct err *err)
{
	if (to == NULL)
		return 0;
	if (strcmp(to, "split") != 0) {
		if (say_person(c, to, &a->takers[0], err) != 0)
			return -1;
		if (!a->takers[0].active || !a->takers[0].qualified ||
		    a->takers[0].team[0] == '\0' || strcmp(to, a->who.person) == 0)
			return err_set(err, ERR_INVALID,
			    "%s 不能接: 要一个已合格并编入小组的别人 (hfctl person set)", to);
		a->n_takers = 1;
		return 0;
	}
	a->split = true;
	if (a->who.team[0] == '\0' || say_people(c, add_taker, a, err) != 0)
		return a->who.team[0] == '\0'
		           ? err_set(err, ERR_INVALID, "%s 不在小组里, 不能分给组员", a->who.person)
		           : -1;
	if (a->n_takers == 0)
		return err_set(err, ERR_INVALID, "小组 %s 没有别的合格组员可分", a->who.team);
	qsort(a->takers, a->n_takers, sizeof(a->takers[0]), by_name);
	return 0;
}

/* A caller speaks for no one else; who moves cases is a leader. */
static int
may(struct ctl *c, const struct away *a, struct err *err)
{
	struct say_person me;
	name_t name;
	bool leads;

	if (say_actor(c, name, err) != 0 || say_person(c, name, &me, err) != 0)
		return -1;
	leads = (me.roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0;
	if (leads || (!a->split && strcmp(name, a->who.person) == 0))
		return 0;
	return err_set(
	    err, ERR_DENIED, "%s 不是组长或副组长: 只能为自己请假, 分派要组长来办", name);
}

/* ---- doing and showing ---- */

static int
do_it(struct ctl *c, const struct away *a, const char *reason, struct err *err)
{
	struct record_header h;
	struct acts *acts;
	int got;

	if (acts_open(c, &acts, err) != 0)
		return -1;
	/* The work first: once they count as away, the router hands what is urgent to the leader. */
	got = 0;
	for (size_t i = 0; i < a->n_items && a->split && got == 0; i++) {
		h = acts_header(acts, REC_HANDOVER);
		say_case(&h, a->items[i].id);
		field_set_s(&h, F_to, a->takers[a->items[i].to].person);
		got = say_reason(&h, reason, "absent", err);
		if (got == 0)
			got = acts_add(acts, &h, NULL, NULL, err);
	}
	h = acts_header(acts, REC_ABSENCE);
	field_set_s(&h, F_subject, a->who.person);
	field_set_u(&h, F_until, (uint64_t)a->until);
	if (a->n_takers == 1 && !a->split)
		field_set_s(&h, F_to, a->takers[0].person);
	if (got == 0)
		got = say_reason(&h, reason, "absent", err);
	if (got == 0)
		got = acts_add(acts, &h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(acts, err);
	acts_close(acts);
	return got;
}

static size_t
count_of(const struct away *a, size_t taker, bool promises)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_items; i++)
		n += a->items[i].to == taker &&
		     (!promises || strcmp(a->items[i].cls, "promise") == 0 ||
		         strcmp(a->items[i].cls, "asked") == 0);
	return n;
}

static json_t *
cases_of(const struct away *a, size_t taker)
{
	json_t *list = json_array();
	char hex[33];

	for (size_t i = 0; i < a->n_items; i++) {
		if (a->items[i].to != taker)
			continue;
		hex_encode(hex, a->items[i].id, 16);
		(void)json_array_append_new(list, json_string(hex));
	}
	return list;
}

static void
show(struct ctl *c, const struct away *a)
{
	json_t *moves = json_array(), *out;
	char until[32];

	clock_text(until, a->until);
	if (!c->json)
		printf("%s %s到 %s; 名下待办 %zu 个%s\n", a->who.person,
		    a->dry ? "(预演, 什么都没有改) 不在" : "不在", until, a->n_items,
		    a->n_takers == 0 ? ", 不移交" : ", 归属都不变:");
	for (size_t i = 0; i < a->n_takers; i++) {
		size_t n = count_of(a, i, false), promises = count_of(a, i, true);

		json_array_append_new(moves,
		    json_pack("{s:s s:I s:I s:o}", "to", a->takers[i].person, "cases",
		        (json_int_t)n, "promises", (json_int_t)promises, "which", cases_of(a, i)));
		if (!c->json)
			printf("  %-16s %zu 个, 其中约好的 %zu 个\n", a->takers[i].person, n,
			    promises);
	}
	out = json_pack("{s:s s:I s:b s:I s:o}", "person", a->who.person, "until",
	    (json_int_t)a->until, "dry_run", a->dry, "cases", (json_int_t)a->n_items, "moves",
	    moves);
	if (c->json) {
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
	}
	json_decref(out);
}

static int
absence_set(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *until = opt_take(&argc, argv, "--until", true),
	           *to = opt_take(&argc, argv, "--to", true),
	           *reason = opt_take(&argc, argv, "--reason", true);
	struct away *a;
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	int64_t end = 0;
	int got = -1;

	if (argc != 1 || until == NULL)
		return ctl_usage(err, verbs_absence, "absence", "set");
	if (ctl_campaign(c, err) != 0)
		return -1;
	if (strcmp(until, "now") == 0)
		end = show_now(c);
	else if (!clock_parse(until, &end) || end <= show_now(c))
		return err_set(err, ERR_INVALID,
		    "--until 要将来的时间, 如 \"2026-03-09 17:00\", 或 now (回来了)");
	if (strcmp(until, "now") == 0 && to != NULL)
		return err_set(err, ERR_INVALID, "--until now 是回来了, 不能同时移交");
	a = xcalloc(1, sizeof(*a));
	a->dry = dry;
	a->until = end;
	if (say_person(c, argv[0], &a->who, err) == 0 && find_takers(c, a, to, err) == 0 &&
	    may(c, a, err) == 0 && read_items(c, a, err) == 0 &&
	    (dry || do_it(c, a, reason, err) == 0)) {
		show(c, a);
		got = 0;
	}
	free(a->items);
	free(a);
	return got;
}

const struct verb verbs_absence[] = {
    {"absence", "set", absence_set,
        "PERSON --until TIME|now [--to PERSON|split] [--reason TEXT] [--dry-run]",
        "请假: 待办交给一人或分给组员, 归属不变; --dry-run 只看会移交什么"},
    {NULL, NULL, NULL, NULL, NULL},
};
