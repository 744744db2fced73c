/* views.c - what a screen shows beyond the case in hand: lists with names, and the campaign's words.
 *
 * Happy path: a LOOK; the own cases page after page, answered as one list when the last is here, any other list by the
 * page. Failures: what the broker denies is 403, what it does not know 404, no answer 503; a policy file that is not there makes an answer without outcomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "workers/caller/entry.h"
#include "workers/caller/office_int.h"
#include "workers/caller/show.h"

#define PAGES_MAX 64

/* ---- rows ---------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
} classes[] = {
    {"hand", "在手上"},
    {"promise", "约好的"},
    {"asked", "约在晚上"},
    {"first", "还没打过"},
    {"due", "到点"},
    {"retry", "再打"},
    {"team", "转组长"},
    {"strike", "转突击组"},
    {"papers", "退档材料"},
    {"pool", "公共池"},
    {"resting", "暂时不用打"},
    {"terminal", "已结束"},
    {"supervision", "督查处理"},
    {"parked", "待管理员看"},
    {"triage", "正在安排"},
    {"doubt", "正在核对"},
    {"unreleased", "未放号"},
};

/* "own:p01:due" -> "due"; "hand:p01" -> "hand"; "team:t1:hot" -> "team". */
static void
put_class(json_t *row, const char *lane)
{
	bool own = strncmp(lane, "own:", 4) == 0 && strrchr(lane, ':') != lane + 3;
	const char *at = own ? strrchr(lane, ':') + 1 : lane;
	size_t len = strcspn(at, ":");

	(void)json_object_set_new(row, "class", json_stringn(at, len));
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == len && strncmp(classes[i].name, at, len) == 0)
			(void)json_object_set_new(row, "class_text", json_string(classes[i].text));
}

static void
put_time(json_t *row, const char *key, const json_t *ms)
{
	char text[32];

	if (json_integer_value(ms) <= 0)
		return;
	clock_rfc3339(text, json_integer_value(ms));
	(void)json_object_set_new(row, key, json_string(text));
}

/* What the newest record says: its outcome; and who asked what, while somebody waits for the leader. */
static void
put_newest(json_t *row, const json_t *seen)
{
	json_t *newest = json_object_get(seen, "newest"), *v = json_object_get(newest, "outcome");
	bool waits = json_is_true(json_object_get(seen, "asked")) ||
	             json_integer_value(json_object_get(seen, "deadline")) > 0;

	if (newest == NULL)
		return;
	(void)json_object_set(row, "newest", newest);
	(void)json_object_set_new(row, "last", v != NULL ? json_incref(v) : json_null());
	if (!waits)
		return;
	if ((v = json_object_get(newest, "person")) != NULL)
		(void)json_object_set(row, "asked_by", v);
	if ((v = json_object_get(newest, "note")) != NULL)
		(void)json_object_set(row, "question", v);
}

static json_t *
list_row(const json_t *seen)
{
	static const char *const copied[] = {
	    "case", "name", "no", "major", "school", "why", "tries", "contacts", "asked"};
	const char *lane = json_string_value(json_object_get(seen, "lane"));
	json_int_t due = json_integer_value(json_object_get(seen, "due"));
	json_t *row = json_object();
	char text[32];

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		if (json_object_get(seen, copied[i]) != NULL)
			(void)json_object_set(row, copied[i], json_object_get(seen, copied[i]));
	put_class(row, lane != NULL ? lane : "");
	if (lane != NULL)
		(void)json_object_set_new(row, "lane", json_string(lane));
	if (json_object_get(seen, "version") != NULL)
		(void)json_object_set(row, "version", json_object_get(seen, "version"));
	if (due > 0) {
		clock_rfc3339(text, due);
		(void)json_object_set_new(row, "due", json_string(text));
	} else {
		(void)json_object_set_new(row, "due", json_null());
	}
	if (json_object_get(seen, "seconds") != NULL)
		(void)json_object_set_new(row, "minutes",
		    json_integer(json_integer_value(json_object_get(seen, "seconds")) / 60));
	put_time(row, "since", json_object_get(seen, "since"));
	put_time(row, "deadline", json_object_get(seen, "deadline"));
	put_newest(row, seen);
	return row;
}

/* ---- the campaign -------------------------------------------------------------------------------- */

/* The lines of this stage, of all while it is not known; `lines` says more of each than `text`. */
static void
put_script(json_t *o, const json_t *script, json_int_t stage)
{
	static const char *const copied[] = {"version", "date", "by"};
	json_t *ret, *lines = json_array(), *text = json_array(), *line;
	size_t i;

	if (script == NULL) {
		json_decref(lines);
		json_decref(text);
		return;
	}
	ret = json_object();
	for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		(void)json_object_set(ret, copied[i], json_object_get(script, copied[i]));
	json_array_foreach(json_object_get(script, "lines"), i, line)
	{
		if (stage != 0 && json_integer_value(json_object_get(line, "stage")) != stage)
			continue;
		(void)json_array_append(lines, line);
		(void)json_array_append(text, json_object_get(line, "text"));
	}
	(void)json_object_set_new(ret, "lines", lines);
	(void)json_object_set_new(ret, "text", text);
	(void)json_object_set_new(o, "script", ret);
}

static json_t *
campaign_words(const struct room *r)
{
	json_t *o = r->office->rules != NULL ? json_copy(r->office->rules) : json_object();

	(void)json_object_set_new(o, "title", json_string(r->id.campaign));
	if (r->office->script != NULL)
		(void)json_object_set(
		    o, "concerns", json_object_get(r->office->script, "concerns"));
	put_script(o, r->office->script, 0);
	return o;
}

/* ---- asking -------------------------------------------------------------------------------------- */

static void
end_ask(struct room *r, struct view_ask *a, struct http_response *res)
{
	TAILQ_REMOVE(&r->view_asks, a, link);
	json_decref(a->rows);
	http_answer(a->later, res);
	free(a);
}

static const char *
time_text(char text[32], uint64_t ms)
{
	text[0] = '\0';
	if (ms > 0)
		clock_rfc3339(text, (int64_t)ms);
	return text;
}

static void
say_unavailable(struct http_response *res)
{
	pages_error(res, 503, "unavailable", "现在连不上服务器, 看不到名单; 记录照样能存");
}

static void
refuse_ask(struct room *r, struct view_ask *a, const char *code)
{
	struct http_response res = {.status = 503};

	if (strcmp(code, "denied") == 0)
		pages_error(&res, 403, "denied", "这个名单不归你看");
	else if (strcmp(code, "not-found") == 0)
		pages_error(&res, 404, "not-found", "没有这个名单");
	else
		say_unavailable(&res);
	end_ask(r, a, &res);
}

/* Of a case and of oneself all is shown that came, of a list its rows alike. */
static void
take_rows(struct room *r, struct view_ask *a, const struct link_event *e)
{
	const char *what = e->seen->what;
	bool as_is = strcmp(what, "case") == 0 || strcmp(what, "me") == 0 ||
	             strcmp(e->seen->code, "ok") != 0;
	json_t *seen = show_seen(e->seen, e->f1, desk_keep_key, r->desk), *row;
	size_t i;

	json_array_foreach(json_object_get(seen, "rows"), i, row)
	{
		if (as_is)
			(void)json_array_append(a->rows, row);
		else
			(void)json_array_append_new(a->rows, list_row(row));
	}
	json_decref(seen);
}

/* A caller's PC may believe what it likes: the time is the server's. */
static void
note_clock(struct office *o, uint64_t as_of)
{
	if (as_of > 0 && as_of < INT64_MAX)
		o->ahead_ms = (int64_t)as_of - clock_campaign_ms();
}

static void
answer_whole(struct room *r, struct view_ask *a, uint64_t as_of)
{
	struct http_response res = {.status = 200};
	char text[32];

	note_clock(r->office, as_of);
	pages_json(
	    &res, 200, json_pack("{s:O,s:s}", "rows", a->rows, "asof", time_text(text, as_of)));
	end_ask(r, a, &res);
}

static void
answer_page(struct room *r, struct view_ask *a, const struct msg_seen *m)
{
	struct http_response res = {.status = 200};
	char text[32];

	pages_json(&res, 200,
	    json_pack("{s:s,s:s,s:I,s:I,s:s,s:O}", "what", m->what, "code", m->code, "page",
	        (json_int_t)m->page, "pages", (json_int_t)m->pages, "asof",
	        time_text(text, m->as_of), "rows", a->rows));
	end_ask(r, a, &res);
}

/* Whose a number is may be said even where the case may not be seen. */
static bool
is_answer(const struct link_event *e)
{
	return e->seen != NULL && (strcmp(e->seen->code, "ok") == 0 || e->f1.len > 0);
}

/* The campaign's words, and where it is, if a broker says so. */
static void
answer_campaign(struct room *r, struct view_ask *a, const struct link_event *e)
{
	struct http_response res = {.status = 200};
	json_t *o = campaign_words(r), *me = NULL, *seen = NULL;

	if (e != NULL && is_answer(e)) {
		seen = show_seen(e->seen, e->f1, desk_keep_key, r->desk);
		me = json_array_get(json_object_get(seen, "rows"), 0);
	}
	if (json_integer_value(json_object_get(me, "stage")) > 0) {
		(void)json_object_set(o, "stage", json_object_get(me, "stage"));
		(void)json_object_set(o, "pass", json_object_get(me, "pass"));
		put_time(o, "pass_end", json_object_get(me, "pass_end"));
		put_script(o, r->office->script, json_integer_value(json_object_get(me, "stage")));
	}
	json_decref(seen);
	pages_json(&res, 200, o);
	end_ask(r, a, &res);
}

bool
views_seen(struct room *r, const struct link_event *e)
{
	struct view_ask *a;

	TAILQ_FOREACH(a, &r->view_asks, link)
	{
		if (a->look_no != e->seq)
			continue;
		if (a->campaign) {
			answer_campaign(r, a, e);
			return true;
		}
		if (!is_answer(e)) {
			refuse_ask(r, a, e->seen == NULL ? "" : e->seen->code);
			return true;
		}
		take_rows(r, a, e);
		if (!a->whole)
			answer_page(r, a, e->seen);
		else if (e->seen->page + 1 < e->seen->pages && e->seen->page + 1 < PAGES_MAX)
			a->look_no = client_look(
			    r->client, r->person, "own", e->seen->page + 1, NULL, LOOK_MORE);
		else
			answer_whole(r, a, e->seen->as_of);
		return true;
	}
	return false;
}

struct wanted {
	const char *what, *number;
	uint64_t page;
	bool has_case;
	uint8_t case_id[16];
};

/* NULL: answered already. */
static struct view_ask *
ask(struct room *r, const struct http_request *req, struct http_response *res,
    const struct wanted *w, bool whole)
{
	struct view_ask *a;

	if (!session_is_up(client_session(r->client))) {
		say_unavailable(res);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->later = http_later(req);
	a->whole = whole;
	a->rows = json_array();
	a->look_no = client_look(r->client, r->person, w->what, w->page,
	    w->has_case ? w->case_id : NULL, w->number != NULL ? w->number : LOOK_MORE);
	TAILQ_INSERT_TAIL(&r->view_asks, a, link);
	return a;
}

void
views_own(struct room *r, const struct http_request *req, struct http_response *res)
{
	(void)ask(r, req, res, &(struct wanted){.what = "own"}, true);
}

void
views_campaign(struct room *r, const struct http_request *req, struct http_response *res)
{
	struct view_ask *a = NULL;

	if (session_is_up(client_session(r->client)))
		a = ask(r, req, res, &(struct wanted){.what = "me"}, false);
	if (a != NULL)
		a->campaign = true;
	else
		pages_json(res, 200, campaign_words(r));
}

void
views_list(struct room *r, const struct http_request *req, struct http_response *res)
{
	static const char *const whats[] = {
	    "own", "team", "strike", "papers", "case", "number", "me"};
	const char *page = http_query(req, "page"), *hex = http_query(req, "case"),
	           *number = http_query(req, "number"), *wrong = NULL;
	struct wanted w = {.number = number};

	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++)
		if (strcmp(req->path + strlen(OFFICE_LIST), whats[i]) == 0)
			w.what = whats[i];
	if (w.what == NULL) {
		pages_error(res, 404, "not-found", "没有这个名单");
		return;
	}
	w.has_case = hex != NULL;
	if (page != NULL && !text_to_u64(page, strlen(page), &w.page))
		wrong = "page 的值不对";
	else if (hex != NULL && !hex_decode(w.case_id, 16, hex, strlen(hex)))
		wrong = "case 的值不对";
	else if (w.has_case != (strcmp(w.what, "case") == 0))
		wrong = "名单 case 要 case, 别的不要";
	else if (number != NULL && !entry_digits(number))
		wrong = "number 要 3 到 20 位数字";
	else if ((number != NULL) != (strcmp(w.what, "number") == 0))
		wrong = "名单 number 要 number, 别的不要";
	if (wrong != NULL)
		pages_error(res, 400, "bad-field", wrong);
	else
		(void)ask(r, req, res, &w, false);
}

void
views_close(struct room *r)
{
	struct view_ask *a, *next;

	for (a = TAILQ_FIRST(&r->view_asks); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		refuse_ask(r, a, "");
	}
}
