/* report_run.c - a report's program as a child of the office, for all who wait for it.
 *
 * Happy path: the program's JSON is the answer, kept five seconds for whoever asks for the same (fresh: half a second). One run a name and
 * three in all at a time, the others wait in line. Failures: a program that fails, is late (60 s) or says more than
 * 8 MiB: each is an error with a text of its own; a sentence of the program's own is passed on, its log is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/caller/reports.h"

#define KEEP_US  (5 * SECOND_US)
#define FRESH_US (SECOND_US / 2) /* kept for who has just said something */
#define LIMIT_US (60 * SECOND_US)
#define OUT_MAX  ((size_t)8 << 20)
#define RUNS_MAX 3
#define LINE_MAX 32 /* runs that are kept or wait */
#define WAIT_MAX 64 /* who wait for one run */

void
run_word(struct run *r, const char *word)
{
	CHECK(r->n_argv < REPORT_WORDS);
	r->argv[r->n_argv++] = word;
}

void
run_value(struct run *r, const char *value)
{
	(void)snprintf(r->text[r->n_text], REPORT_TEXT, "%s", value);
	run_word(r, r->text[r->n_text++]);
}

static bool
is_same(const struct run *a, const struct run *b)
{
	if (a->row != b->row || a->n_argv != b->n_argv)
		return false;
	for (size_t i = 0; i < a->n_argv; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return true;
}

/* All of it, or the rows of this person with what stands around them. */
static json_t *
answer_for(const struct run *r, const char *person)
{
	const json_t *data = json_object_get(r->answer, "data"), *row;
	json_t *ret, *own, *rows;
	const char *who;
	size_t i;

	if (!r->row->mine || !json_is_object(data))
		return json_incref(r->answer);
	rows = json_array();
	json_array_foreach(json_object_get(data, "rows"), i, row)
	{
		who = json_string_value(json_object_get(row, "person"));
		if (who != NULL && strcmp(who, person) == 0)
			(void)json_array_append(rows, (json_t *)(uintptr_t)row);
	}
	own = json_copy((json_t *)(uintptr_t)data);
	(void)json_object_set_new(own, "rows", rows);
	(void)json_object_del(own, "differences");
	ret = json_copy(r->answer);
	(void)json_object_set_new(ret, "data", own);
	return ret;
}

static void
give(const struct run *r, const char *person, struct http_later *later)
{
	struct http_response res = {.status = r->status};

	pages_json(&res, r->status, answer_for(r, person));
	http_answer(later, &res);
}

static void
drop(struct run *r)
{
	TAILQ_REMOVE(&r->all->runs, r, link);
	r->all->n_runs--;
	json_decref(r->answer);
	free(r);
}

static void run_next(struct reports *all);

static void
finish(struct run *r, int status, json_t *o)
{
	struct waiter *w, *next;

	r->status = status;
	r->answer = o;
	r->done_us = clock_boot_us();
	for (w = TAILQ_FIRST(&r->waiters); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		TAILQ_REMOVE(&r->waiters, w, link);
		give(r, w->person, w->later);
		free(w);
	}
}

static json_t *
error_of(const char *code, const char *text)
{
	return json_pack("{s:{s:s,s:s}}", "error", "code", code, "text", text);
}

/* One value, or one a line. */
static json_t *
read_out(struct span out)
{
	json_error_t why;
	json_t *first, *list;
	size_t at = 0;

	first = json_loadb((const char *)out.data, out.len, JSON_DISABLE_EOF_CHECK, &why);
	if (first == NULL)
		return NULL;
	at = (size_t)why.position;
	while (at < out.len && strchr(" \t\r\n", out.data[at]) != NULL)
		at++;
	if (at >= out.len)
		return first;
	list = json_array();
	(void)json_array_append_new(list, first);
	while (at < out.len) {
		json_t *one = json_loadb(
		    (const char *)out.data + at, out.len - at, JSON_DISABLE_EOF_CHECK, &why);

		if (one == NULL)
			break;
		(void)json_array_append_new(list, one);
		at += (size_t)why.position;
		while (at < out.len && strchr(" \t\r\n", out.data[at]) != NULL)
			at++;
	}
	return list;
}

/* Where the program's own sentence begins, if it is there; a line of its log is none. */
static const char *
sentence(const char *text)
{
	static const char *const heads[] = {"hfctl: ", "hf-reconcile: "};

	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		at += *at == '\n' ? 1 : 0;
		for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
			if (strncmp(at, heads[i], strlen(heads[i])) == 0)
				return at + strlen(heads[i]);
	}
	return NULL;
}

void
run_story(char out[STORY_SIZE], struct span story)
{
	char text[4097];
	const char *at;
	size_t len;

	(void)snprintf(text, sizeof(text), "%.*s", (int)story.len, (const char *)story.data);
	at = sentence(text);
	len = at == NULL ? 0 : strcspn(at, "\n");
	if (len >= STORY_SIZE)
		len = STORY_SIZE - 1;
	while (len > 0 && !utf8_valid((const uint8_t *)at, len))
		len--; /* to a whole character */
	if (len > 0)
		(void)snprintf(out, STORY_SIZE, "%.*s", (int)len, at);
	else
		(void)snprintf(out, STORY_SIZE, "这张表现在算不出来, 请告诉管理员");
}

static void
refuse_exit(struct run *r, const struct child_result *c)
{
	char text[STORY_SIZE];

	run_story(text, c->story);
	switch (c->code) {
	case EX_USAGE: finish(r, 400, error_of("bad-field", text)); break;
	case EX_NOINPUT: finish(r, 404, error_of("not-found", text)); break;
	case EX_NOPERM: finish(r, 403, error_of("denied", text)); break;
	default:
		log_warn("office.report_failed", "report=%s exit=%d", r->row->name, c->code);
		finish(r, 503, error_of("failed", text));
	}
}

static void
on_done(void *arg, const struct child_result *c)
{
	struct run *r = arg;
	struct reports *all = r->all;
	json_t *data = NULL;
	char at[32];

	r->child = NULL;
	if (c->end == CHILD_LATE)
		finish(r, 503, error_of("timeout", "这张表算了一分钟还没有算完, 请稍后再看"));
	else if (c->end != CHILD_EXITED)
		finish(r, 503, error_of("failed", "这张表现在算不出来, 请告诉管理员"));
	else if (c->code > 1 || (data = read_out(c->out)) == NULL)
		refuse_exit(r, c);
	else {
		clock_rfc3339(at, clock_campaign_ms());
		finish(r, 200,
		    json_pack("{s:s,s:s,s:o}", "name", r->row->name, "asof", at, "data", data));
	}
	run_next(all);
}

static bool
is_free(const struct reports *all, const struct report_row *row)
{
	size_t n = 0;
	const struct run *r;

	TAILQ_FOREACH(r, &all->runs, link)
	{
		if (r->child == NULL)
			continue;
		if (r->row == row)
			return false;
		n++;
	}
	return n < RUNS_MAX;
}

static void
start(struct run *r)
{
	struct err err = ERR_INIT;
	struct child_opts o = {.loop = r->all->office->o.loop,
	    .argv = (char *const *)(uintptr_t)r->argv,
	    .out_max = OUT_MAX,
	    .limit_us = LIMIT_US,
	    .done = on_done,
	    .arg = r};

	if (child_start(&r->child, &o, &err) == 0)
		return;
	log_warn("office.report_not_run", "report=%s cause=\"%s\"", r->row->name, err.text);
	finish(r, 503, error_of("failed", "这张表现在算不出来, 请告诉管理员"));
}

static void
run_next(struct reports *all)
{
	struct run *r;

	TAILQ_FOREACH(r, &all->runs, link)
	{
		if (r->done_us == 0 && r->child == NULL && is_free(all, r->row))
			start(r);
	}
}

/* What was kept long enough, and the oldest of the rest when there is no room. */
static bool
make_room(struct reports *all, int64_t now)
{
	struct run *r, *next;

	for (r = TAILQ_FIRST(&all->runs); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->done_us != 0 && (now - r->done_us >= KEEP_US || all->n_runs >= LINE_MAX))
			drop(r);
	}
	return all->n_runs < LINE_MAX;
}

static void
wait_for(
    struct run *r, const char *person, const struct http_request *req, struct http_response *res)
{
	struct waiter *w;

	if (r->done_us != 0) {
		pages_json(res, r->status, answer_for(r, person));
		return;
	}
	if (r->n_waiters >= WAIT_MAX) {
		pages_error(res, 503, "busy", "太多人在看这张表, 请稍后刷新");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->later = http_later(req);
	(void)snprintf(w->person, sizeof(w->person), "%s", person);
	r->n_waiters++;
	TAILQ_INSERT_TAIL(&r->waiters, w, link);
}

void
run_ask(struct reports *all, struct run *wanted, const char *person, const struct http_request *req,
    struct http_response *res)
{
	int64_t now = clock_boot_us();
	struct run *r, *next;

	if (!make_room(all, now)) {
		pages_error(res, 503, "busy", "太多人在看这张表, 请稍后刷新");
		free(wanted);
		return;
	}
	for (r = TAILQ_FIRST(&all->runs); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!is_same(r, wanted))
			continue;
		if (r->done_us != 0 && now - r->done_us >= FRESH_US &&
		    http_query(req, "fresh") != NULL) {
			drop(r);
			continue;
		}
		free(wanted);
		wait_for(r, person, req, res);
		return;
	}
	wanted->all = all;
	TAILQ_INIT(&wanted->waiters);
	TAILQ_INSERT_TAIL(&all->runs, wanted, link);
	all->n_runs++;
	wait_for(wanted, person, req, res);
	run_next(all);
}

void
reports_close(struct reports *all)
{
	struct run *r, *next;

	if (all == NULL)
		return;
	for (r = TAILQ_FIRST(&all->runs); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		child_stop(r->child);
		if (r->done_us == 0)
			finish(r, 503, error_of("busy", "服务器正在关闭, 请稍后刷新"));
		drop(r);
	}
	free(all);
}
