/* draws.c - a supervisor fixes a spot check before its records are made, and draws it later, from the screen.
 *
 * Happy path: hfctl chooses a seed, judges the time and takes the rates of the policy, and says nothing (--prepare); the
 * seed is kept in a file of the office, its hash goes out as the person's own DRAW record; when the time has come the seed
 * goes out in another one, and whoever has the ledger draws the same sample. Failures: another role, no HF_HOME, a time
 * that is over or not yet here, a seed that lies elsewhere (hfctl's own), one at a time. The seed is in no log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/caller/reports.h"

#define LIMIT_US  (60 * SECOND_US)
#define OUT_MAX   4096
#define PATH_SIZE 700
#define HASH_TEXT 24

struct draw {
	struct office *office;
	struct room *room;
	char until[40];
	struct http_later *later;
	struct child *child;
};

static const char *
dir_of(const struct office *o, char out[PATH_SIZE])
{
	(void)snprintf(out, PATH_SIZE, "%s/.draws", o->o.agents);
	return out;
}

static bool
path_of(const struct office *o, const char *hash, char out[PATH_SIZE])
{
	size_t len = strlen(hash);

	(void)snprintf(out, PATH_SIZE, "%s/.draws/%s", o->o.agents, hash);
	return len == HASH_TEXT && strspn(hash, "0123456789abcdef") == len;
}

/* The person's own record, in words of an act. */
static void
say(const struct room *r, const char *what, uint64_t seed, int64_t until)
{
	json_t *o = json_pack("{s:s,s:s,s:{s:i,s:I,s:s}}", "do", "act", "kind", "draw", "fields",
	    "count", 0, "seed", (json_int_t)seed, "what", what);
	char *line;

	if (until > 0)
		(void)json_object_set_new(
		    json_object_get(o, "fields"), "until", json_integer((json_int_t)until));
	line = json_dumps(o, JSON_COMPACT);
	CHECK(line != NULL);
	(void)desk_do(r->desk, line, strlen(line), NULL);
	crypt_wipe(line, strlen(line));
	free(line);
	json_decref(o);
}

/* ---- the commitment ------------------------------------------------------------------------------ */

static void
end_draw(struct draw *d, int status, json_t *o)
{
	struct http_response res = {.status = status};

	d->office->draw = NULL;
	pages_json(&res, status, o);
	http_answer(d->later, &res);
	free(d);
}

static void
refuse_draw(struct draw *d, int status, const char *code, const char *text)
{
	end_draw(d, status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "text", text));
}

static int
keep_seed(
    const struct office *o, const char *hash, const char *seed, int64_t until, struct err *err)
{
	char path[PATH_SIZE], text[64];
	int got;

	(void)snprintf(text, sizeof(text), "%s %lld\n", seed, (long long)until);
	got = file_mkdirs(dir_of(o, path), 0700, err);
	if (got == 0 && !path_of(o, hash, path))
		got = err_set(err, ERR_CORRUPT, "hfctl said no hash");
	if (got == 0)
		got = file_replace(path, span_str(text), 0600, err);
	crypt_wipe(text, sizeof(text));
	return got;
}

static void
publish(struct draw *d, const json_t *said)
{
	const char *hash = json_string_value(json_object_get(said, "commitment")),
	           *seed = json_string_value(json_object_get(said, "seed")),
	           *what = json_string_value(json_object_get(said, "what"));
	json_int_t until = json_integer_value(json_object_get(said, "until"));
	struct err err = ERR_INIT;

	if (hash == NULL || seed == NULL || what == NULL || until <= 0) {
		refuse_draw(d, 503, "failed", "没有定下来, 请再试一次, 或告诉管理员");
	} else if (keep_seed(d->office, hash, seed, until, &err) != 0) {
		log_error("office.seed_not_kept", "cause=\"%s\" decision=\"nothing is published\"",
		    err.text);
		refuse_draw(d, 503, "no-disk", "服务器存不下种子, 没有公布; 请找管理员");
	} else {
		say(d->room, what, 0, until);
		end_draw(d, 200, json_pack("{s:s,s:I}", "commitment", hash, "until", until));
	}
}

static void
on_done(void *arg, const struct child_result *c)
{
	struct draw *d = arg;
	json_t *said = NULL;
	char why[STORY_SIZE];

	d->child = NULL;
	if (c->end == CHILD_EXITED && c->code == 0)
		said =
		    json_loadb((const char *)c->out.data, c->out.len, JSON_DISABLE_EOF_CHECK, NULL);
	if (c->out.len > 0)
		crypt_wipe((void *)(uintptr_t)c->out.data, c->out.len);
	if (said != NULL) {
		publish(d, said);
	} else {
		run_story(why, c->story);
		refuse_draw(
		    d, c->end == CHILD_EXITED && c->code == 64 ? 400 : 503, "bad-field", why);
	}
	json_decref(said);
}

static void
commit(struct room *r, const char *until, bool weekly, const struct http_request *req)
{
	struct draw *d = xcalloc(1, sizeof(*d));
	const char *argv[] = {"hfctl", "--json", "--read-only", "--campaign", r->id.campaign,
	    "spotcheck", "commit", "--prepare", "--until", d->until, weekly ? "--weekly" : NULL,
	    NULL};
	struct child_opts o = {.loop = r->office->o.loop,
	    .argv = (char *const *)(uintptr_t)argv,
	    .out_max = OUT_MAX,
	    .limit_us = LIMIT_US,
	    .done = on_done,
	    .arg = d};
	struct err err = ERR_INIT;

	d->office = r->office;
	d->room = r;
	d->later = http_later(req);
	(void)snprintf(d->until, sizeof(d->until), "%s", until);
	r->office->draw = d;
	if (child_start(&d->child, &o, &err) == 0)
		return;
	log_warn("office.draw_not_prepared", "cause=\"%s\"", err.text);
	refuse_draw(d, 503, "failed", "没有定下来, 请再试一次, 或告诉管理员");
}

/* ---- the draw ------------------------------------------------------------------------------------ */

static int
own_seed(const struct office *o, const char *hash, uint64_t *seed, int64_t *until)
{
	char path[PATH_SIZE], *space, *end;
	struct buf text = BUF_INIT;
	int got = -1;

	if (path_of(o, hash, path) && file_read(&text, path, 64, NULL) == 0) {
		buf_addc(&text, '\0');
		space = strchr((char *)text.data, ' ');
		if (space != NULL &&
		    text_to_u64((char *)text.data, (size_t)(space - (char *)text.data), seed)) {
			*until = strtoll(space + 1, &end, 10);
			got = *end == '\n' ? 0 : -1;
		}
		crypt_wipe(text.data, text.len);
	}
	buf_done(&text);
	return got;
}

static void
draw(const struct room *r, const char *hash, struct http_response *res)
{
	char what[64], at[32], text[120];
	uint64_t seed;
	int64_t until;

	if (own_seed(r->office, hash, &seed, &until) != 0) {
		pages_error(res, 404, "not-found",
		    "这个承诺的种子不在这里; 请在承诺它的服务器上 hfctl spotcheck draw");
		return;
	}
	(void)clock_open(getenv("HF_HOME"), NULL); /* a demo's clock may have been set */
	if (until > clock_campaign_ms()) {
		clock_text(at, until);
		(void)snprintf(text, sizeof(text), "这个承诺到 %s 才能抽", at);
		pages_error(res, 409, "early", text);
		return;
	}
	(void)snprintf(what, sizeof(what), "draw %s", hash);
	say(r, what, seed, 0);
	pages_json(res, 200, json_pack("{s:s}", "commitment", hash));
}

/* ---- asking -------------------------------------------------------------------------------------- */

void
draws_ask(struct room *r, const struct http_request *req, struct http_response *res)
{
	json_t *body = json_loadb((const char *)req->body.data, req->body.len, 0, NULL);
	const char *until = json_string_value(json_object_get(body, "until")),
	           *hash = json_string_value(json_object_get(body, "commitment"));
	int64_t ms;

	if ((r->roles & (ROLE_SUPERVISOR | ROLE_LEADING)) == 0)
		pages_error(res, 403, "denied", "只有督查组、领导小组能抽查");
	else if (!r->office->reports->has_home)
		pages_error(res, 503, "no-home", "这台机器不是服务器, 请用 hfctl spotcheck");
	else if (hash != NULL)
		draw(r, hash, res);
	else if (until == NULL || strlen(until) >= 40 || !clock_parse(until, &ms))
		pages_error(res, 400, "bad-field", "until 要一个时刻, 如 2026-03-09 21:00");
	else if (r->office->draw != NULL)
		pages_error(res, 409, "busy", "正在定另一次抽查, 请稍后再试");
	else
		commit(r, until, json_is_true(json_object_get(body, "weekly")), req);
	json_decref(body);
}

void
draws_close(struct office *o)
{
	if (o->draw == NULL)
		return;
	child_stop(o->draw->child);
	refuse_draw(o->draw, 503, "busy", "服务器正在关闭, 请稍后再试");
}
