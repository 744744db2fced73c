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

/* "own:p01:due" -> "due"; "hand:p01" -> "hand". */
static const char *
class_of(const char *lane)
{
	const char *last = strrchr(lane, ':');

	if (strncmp(lane, "hand:", 5) == 0)
		return "hand";
	return last != NULL ? last + 1 : lane;
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
	(void)json_object_set_new(row, "class", json_string(class_of(lane != NULL ? lane : "")));
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
refuse_own(struct room *r, struct own_ask *a)
{
	struct http_response res = {.status = 503};

	pages_error(&res, 503, "unavailable", "现在连不上服务器, 看不到名单; 记录照样能存");
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
	struct own_ask *a = xcalloc(1, sizeof(*a));

	(void)res;
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
views_campaign(void)
{
	return json_object();
}
