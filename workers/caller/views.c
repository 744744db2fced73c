/* views.c - what a screen shows beyond the case in hand: the person's own cases, and the campaign's words.
 *
 * Happy path: LOOK own, page after page, answered as one list when the last is here. Failures: a broker that
 * does not answer makes it 503; a policy file that is not there makes an answer without outcomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "workers/caller/office_int.h"
#include "workers/caller/show.h"

#define PAGES_MAX 64

/* ---- own cases ----------------------------------------------------------------------------------- */

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

static json_t *
own_row(const json_t *seen)
{
	static const char *const copied[] = {"case", "name", "no", "major", "school"};
	const char *lane = json_string_value(json_object_get(seen, "lane"));
	json_int_t due = json_integer_value(json_object_get(seen, "due"));
	json_t *row = json_object();
	char text[32];

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		if (json_object_get(seen, copied[i]) != NULL)
			(void)json_object_set(row, copied[i], json_object_get(seen, copied[i]));
	put_class(row, lane != NULL ? lane : "");
	if (due > 0) {
		clock_rfc3339(text, due);
		(void)json_object_set_new(row, "due", json_string(text));
	} else {
		(void)json_object_set_new(row, "due", json_null());
	}
	return row;
}

static void
end_ask(struct room *r, struct own_ask *a, struct http_response *res)
{
	TAILQ_REMOVE(&r->own_asks, a, link);
	json_decref(a->rows);
	http_answer(a->later, res);
	free(a);
}

static void
answer_own(struct room *r, struct own_ask *a, uint64_t as_of)
{
	struct http_response res = {.status = 200};
	char text[32] = "";

	if (as_of > 0)
		clock_rfc3339(text, (int64_t)as_of);
	pages_json(&res, 200, json_pack("{s:O,s:s}", "rows", a->rows, "asof", text));
	end_ask(r, a, &res);
}

static void
say_unavailable(struct http_response *res)
{
	pages_error(res, 503, "unavailable", "现在连不上服务器, 看不到名单; 记录照样能存");
}

static void
refuse_own(struct room *r, struct own_ask *a)
{
	struct http_response res = {.status = 503};

	say_unavailable(&res);
	end_ask(r, a, &res);
}

static void
take_rows(struct room *r, struct own_ask *a, const struct link_event *e)
{
	json_t *seen = show_seen(e->seen, e->f1, desk_keep_key, r->desk), *row;
	size_t i;

	json_array_foreach(json_object_get(seen, "rows"), i, row)(void)
	    json_array_append_new(a->rows, own_row(row));
	json_decref(seen);
}

bool
views_seen(struct room *r, const struct link_event *e)
{
	struct own_ask *a;

	TAILQ_FOREACH(a, &r->own_asks, link)
	{
		if (a->look_no != e->seq)
			continue;
		if (e->seen == NULL || strcmp(e->seen->code, "ok") != 0) {
			refuse_own(r, a);
			return true;
		}
		take_rows(r, a, e);
		if (e->seen->page + 1 < e->seen->pages && e->seen->page + 1 < PAGES_MAX)
			a->look_no =
			    client_look(r->client, r->person, "own", e->seen->page + 1, NULL, NULL);
		else
			answer_own(r, a, e->seen->as_of);
		return true;
	}
	return false;
}

void
views_own(struct room *r, const struct http_request *req, struct http_response *res)
{
	struct own_ask *a;

	if (!session_is_up(client_session(r->client))) {
		say_unavailable(res);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->later = http_later(req);
	a->rows = json_array();
	a->look_no = client_look(r->client, r->person, "own", 0, NULL, NULL);
	TAILQ_INSERT_TAIL(&r->own_asks, a, link);
}

void
views_close(struct room *r)
{
	struct own_ask *a, *next;

	for (a = TAILQ_FIRST(&r->own_asks); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		refuse_own(r, a);
	}
}

/* ---- the campaign -------------------------------------------------------------------------------- */

json_t *
views_campaign(const struct room *r)
{
	json_t *o = r->office->rules != NULL ? json_copy(r->office->rules) : json_object();

	(void)json_object_set_new(o, "title", json_string(r->id.campaign));
	return o;
}
