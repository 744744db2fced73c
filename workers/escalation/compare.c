/* compare.c - a policy file held against the one in force: is it right, what does it change, whom does it concern.
 *
 * Happy path: problems of the file come first and end it; then `was`, `next`, each line that goes or comes, and for
 * each person (`-`: nobody's) how many open cases would go on otherwise if their last call came out the same once
 * more. Reads Redis as the router does and writes nothing. Failures: no campaign, a store that does not answer. */
#include "workers/escalation/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/rds.h"
#include "proto/call.h"
#include "proto/days.h"
#include "workers/escalation/book.h"
#include "workers/link/home.h"

static struct law_placement
after_the_same(const struct law_case *c, const struct law_ctx *ctx)
{
	struct law_case copy = *c;
	struct law_placement p;
	struct law_act act;

	memset(&p, 0, sizeof(p));
	law_act_init(&act, LAW_ATTEMPT);
	act.outcome = c->last == OUT_NONE ? outcome_code(OUT_NO_ANSWER) : outcome_code(c->last);
	if (c->last != OUT_NONE && outcome_family(c->last) == FAMILY_PAPER)
		act.kind = LAW_PAPER;
	act.person = ctx->owner;
	act.at = ctx->now;
	act.ticks = 7;
	act.items = PAPER_ALL;
	act.evidence = 1;
	law_fold(&copy, ctx, &act);
	if (law_next(&copy, ctx, &act, &p, NULL) != 0)
		memset(&p, 0, sizeof(p));
	return p;
}

bool
policy_concerns(const struct law_case *c, const struct law_ctx *ctx, const struct policy *next,
    const struct calendar *next_calendar)
{
	struct law_ctx x = *ctx;
	struct law_placement a, b;

	if (c->place == PLACE_TERMINAL || c->place == PLACE_UNRELEASED)
		return false;
	x.policy = next;
	x.calendar = next_calendar;
	a = after_the_same(c, ctx);
	b = after_the_same(c, &x);
	return strcmp(a.lane, b.lane) != 0 || a.due != b.due || a.timer_at != b.timer_at ||
	       a.reason != b.reason;
}

/* ---- the campaign as it stands ---- */

struct trial {
	struct rds_sync *redis;
	name_t campaign;
	struct policy *was, *next;
	struct buf was_text, next_text;
	struct calendar was_calendar, next_calendar;
	struct days days;
	struct book book;
	struct map *teams;  /* person -> owned name */
	struct map *counts; /* person or "-" -> owned size_t */
	size_t cases, concerned;
};

static int
ask(struct trial *t, const struct rds_reply **ret, struct err *err, const char *command,
    const char *suffix, const char *a, const char *b, const char *c)
{
	char key[128];
	const char *more[3] = {a, b, c};
	struct span argv[5];
	size_t n = 0;

	argv[n++] = span_str(command);
	argv[n++] = span_str(call_key(key, sizeof(key), t->campaign, suffix));
	for (int i = 0; i < 3 && more[i] != NULL; i++)
		argv[n++] = span_str(more[i]);
	if (rds_sync_cmd(t->redis, argv, n, ret, err) != 0)
		return -1;
	if (rds_type(*ret) != RDS_ERROR)
		return 0;
	rds_sync_free(*ret);
	return err_set(err, ERR_IO, "redis refuses %s", command);
}

static void
calendars(struct trial *t, struct calendar *c, const struct policy *p)
{
	calendar_init(c, p);
	for (uint32_t i = 0; i < t->days.n; i++)
		(void)calendar_set_day(c, t->days.at[i].day, t->days.at[i].kind != DAY_HOLIDAY,
		    t->days.at[i].kind == DAY_WORKDAY);
}

static int
read_router(struct trial *t, const char *shipped, struct err *err)
{
	const struct rds_reply *r;
	struct span policy, book, days;
	int got = 0;

	if (ask(t, &r, err, "HMGET", "router", "policy", "book", "days") != 0)
		return -1;
	policy = rds_str(rds_at(r, 0));
	book = rds_str(rds_at(r, 1));
	days = rds_str(rds_at(r, 2));
	book_init(&t->book);
	if (book.len > 0)
		got = book_parse(&t->book, book, err);
	if (got == 0)
		got = days_parse(&t->days, days, err);
	if (got == 0 && policy.len > 0)
		buf_add(&t->was_text, policy.data, policy.len);
	else if (got == 0)
		got = file_read(&t->was_text, shipped, POLICY_FILE_MAX, err);
	rds_sync_free(r);
	if (got == 0)
		got = policy_read(&t->was, "policy in force", buf_span(&t->was_text), NULL, err);
	return got;
}

static int
read_teams(struct trial *t, struct err *err)
{
	const struct rds_reply *r;

	if (ask(t, &r, err, "HGETALL", "persons", NULL, NULL, NULL) != 0)
		return -1;
	for (size_t i = 0; i + 1 < rds_len(r); i += 2) {
		struct span name = rds_str(rds_at(r, i)), row = rds_str(rds_at(r, i + 1));
		const uint8_t *space = row.len == 0 ? NULL : memchr(row.data, ' ', row.len);
		char *team;
		size_t n = 0, rest;

		if (space == NULL)
			continue;
		rest = row.len - (size_t)(space + 1 - row.data);
		while (n < rest && space[1 + n] != ' ')
			n++;
		team = xcalloc(1, sizeof(name_t));
		if (n < sizeof(name_t) && (n != 1 || space[1] != '-'))
			memcpy(team, space + 1, n);
		free(map_put(t->teams, name.data, name.len, team));
	}
	rds_sync_free(r);
	return 0;
}

/* ---- each case ---- */

static void
count(struct trial *t, const char *person)
{
	size_t *n = map_get(t->counts, person, strlen(person));

	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		map_put(t->counts, person, strlen(person), n);
	}
	(*n)++;
	t->concerned++;
}

/* Unreleased: whether it will be kept for its reporter (Q11). */
static void
try_reserved(struct trial *t, const struct law_case *c)
{
	const char *team = map_get(t->teams, c->hand, strlen(c->hand));

	if (c->place != PLACE_UNRELEASED || team == NULL || team[0] == '\0')
		return;
	t->cases++;
	if (policy_reads(t->was, 11, "random-only") != policy_reads(t->next, 11, "random-only"))
		count(t, c->hand);
}

static void
try_case(struct trial *t, struct span text, int64_t now)
{
	struct case_state s;
	struct law_case c;
	const char *team;
	struct law_ctx x = {.policy = t->was, .calendar = &t->was_calendar, .now = now};

	if (case_state_decode(&s, text, NULL) != 0 || law_case_unpack(&c, s.blob, NULL) != 0)
		return;
	if (c.place == PLACE_TERMINAL || c.place == PLACE_UNRELEASED) {
		try_reserved(t, &c);
		return;
	}
	team = map_get(t->teams, s.owner, strlen(s.owner));
	x.stage = (int)t->book.stage;
	x.pass = (int)t->book.pass;
	x.stage_opened_at = t->book.stage_opened_at;
	x.pass_end = t->book.pass_end;
	x.registration_from = t->was->registration_from;
	x.registration_until = t->was->registration_until;
	x.notice_sent_at = t->was->notice_sent;
	x.owner = s.owner;
	x.team = team == NULL ? "" : team;
	x.reserved_for = "";
	t->cases++;
	if (policy_concerns(&c, &x, t->next, &t->next_calendar))
		count(t, s.owner[0] == '\0' ? "-" : s.owner);
}

static int
try_cases(struct trial *t, struct err *err)
{
	char scan[24] = "0";
	int64_t now = clock_campaign_ms();
	const struct rds_reply *r;

	do {
		struct span next;

		if (ask(t, &r, err, "HSCAN", "cases", scan, "COUNT", "1000") != 0)
			return -1;
		next = rds_str(rds_at(r, 0));
		for (size_t i = 0; i + 1 < rds_len(rds_at(r, 1)); i += 2)
			try_case(t, rds_str(rds_at(rds_at(r, 1), i + 1)), now);
		(void)snprintf(scan, sizeof(scan), "%.*s", (int)next.len, (const char *)next.data);
		rds_sync_free(r);
	} while (strcmp(scan, "0") != 0);
	return 0;
}

/* ---- what is changed ---- */

static struct span
next_line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = *at, *nl = memchr(from, '\n', (size_t)(end - from));
	size_t n = (size_t)((nl == NULL ? end : nl) - from);

	*at = nl == NULL ? end : nl + 1;
	while (n > 0 && (from[n - 1] == '\r' || from[n - 1] == ' '))
		n--;
	return span_of(from, n);
}

static bool
has_line(struct span text, struct span line)
{
	const uint8_t *at = text.data, *end = text.data + text.len;

	while (at < end)
		if (span_eq(next_line(&at, end), line))
			return true;
	return false;
}

static void
print_missing(const char *tag, struct span from, struct span in)
{
	const uint8_t *at = from.data, *end = from.data + from.len;

	while (at < end) {
		struct span line = next_line(&at, end);

		if (line.len > 0 && line.data[0] != '#' && !has_line(in, line))
			printf("%s\t%.*s\n", tag, (int)line.len, (const char *)line.data);
	}
}

static void
print_all(const struct trial *t)
{
	struct map_iter it = map_begin(t->counts);
	const void *person;
	size_t len;
	void *n;

	printf("was\t%d\t%s\t%s\nnext\t%d\t%s\t%s\n", t->was->version, t->was->date, t->was->author,
	    t->next->version, t->next->date, t->next->author);
	print_missing("-", buf_span(&t->was_text), buf_span(&t->next_text));
	print_missing("+", buf_span(&t->next_text), buf_span(&t->was_text));
	printf("cases\t%zu\t%zu\n", t->cases, t->concerned);
	while (map_next(&it, &person, &len, &n) != 0)
		printf("person\t%.*s\t%zu\n", (int)len, (const char *)person, *(size_t *)n);
}

static int
try_it(struct trial *t, struct home *home, const char *wanted, const char *shipped, struct err *err)
{
	if (home_load(home, err) != 0 || clock_open(home->dir, err) != 0 ||
	    home_redis(home, "router", &t->redis, err) != 0 ||
	    home_campaign(t->redis, wanted[0] == '\0' ? NULL : wanted, t->campaign, err) != 0 ||
	    read_router(t, shipped, err) != 0 || read_teams(t, err) != 0)
		return -1;
	calendars(t, &t->was_calendar, t->was);
	calendars(t, &t->next_calendar, t->next);
	if (try_cases(t, err) != 0)
		return -1;
	print_all(t);
	return 0;
}

int
compare_run(struct home *home, const char *wanted, const char *shipped, const char *path)
{
	static struct trial t;
	struct buf problems = BUF_INIT;
	struct err err = ERR_INIT;
	int code = EX_UNAVAILABLE;

	t.teams = map_create();
	t.counts = map_create();
	if (file_read(&t.next_text, path, POLICY_FILE_MAX, &err) != 0) {
		code = EX_NOINPUT;
	} else if (policy_read(&t.next, path, buf_span(&t.next_text), &problems, &err) != 0) {
		(void)fputs(problems.data == NULL ? "" : (const char *)problems.data, stderr);
		code = EX_DATAERR;
	} else if (try_it(&t, home, wanted, shipped, &err) == 0) {
		code = 0;
	}
	if (code != 0)
		fprintf(stderr, "%s\n", err.text);
	map_destroy(t.teams, free);
	map_destroy(t.counts, free);
	policy_free(t.was);
	policy_free(t.next);
	buf_done(&t.was_text);
	buf_done(&t.next_text);
	buf_done(&problems);
	rds_sync_close(t.redis);
	return code;
}
