/* walk.c - all cases of the queue, those that are asked about, the law's memory of each beside.
 *
 * Happy path: HSCAN over the cases, one lot of memories through hf-router --law, teams from the persons. A case that moved
 * meanwhile came twice and stands once, as it was seen last. Failures: the queue's, hf-router that cannot be run. */
#include "ctl/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/say.h"
#include "workers/link/everycase.h"

struct walk {
	walk_fn *fn;
	void *arg;
	json_t *teams;  /* person -> team */
	json_t *places; /* case -> its place in rows */
	json_t *rows;
	struct buf *blobs; /* of the rows, in their order */
	size_t n, cap;
};

static void
on_person(void *arg, const struct say_person *p)
{
	struct walk *w = arg;

	(void)json_object_set_new(w->teams, p->person, json_string(p->team));
}

static size_t
place_of(struct walk *w, const char *hex)
{
	const json_t *had = json_object_get(w->places, hex);

	if (had != NULL)
		return (size_t)json_integer_value(had);
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 256 : 2 * w->cap;
		w->blobs = xrealloc(w->blobs, w->cap, sizeof(*w->blobs));
	}
	w->blobs[w->n] = (struct buf)BUF_INIT;
	(void)json_array_append_new(w->rows, json_null());
	(void)json_object_set_new(w->places, hex, json_integer((json_int_t)w->n));
	return w->n++;
}

static void
on_case(void *arg, struct span id, struct span text)
{
	struct walk *w = arg;
	struct case_state s;
	const char *team;
	char hex[33];
	size_t at;

	if (id.len != 16 || case_state_decode(&s, text, NULL) != 0 || !w->fn(w->arg, &s))
		return;
	hex_encode(hex, id.data, 16);
	at = place_of(w, hex);
	buf_clear(&w->blobs[at]);
	buf_add(&w->blobs[at], s.blob.data, s.blob.len);
	team = json_string_value(json_object_get(w->teams, s.owner));
	(void)json_array_set_new(w->rows, at,
	    json_pack("{s:s s:s s:s s:s s:s s:s}", "case", hex, "owner", s.owner, "team",
	        team != NULL ? team : "", "lane", s.lane, "held", s.held ? s.hand : "", "why",
	        s.why));
}

static int
add_laws(struct walk *w, struct err *err)
{
	struct span *blobs = xcalloc(w->n + 1, sizeof(*blobs));
	json_t *laws = NULL, *row;
	size_t i;
	int got;

	for (i = 0; i < w->n; i++)
		blobs[i] = buf_span(&w->blobs[i]);
	got = lawview(blobs, w->n, &laws, err);
	if (got == 0) {
		json_array_foreach(w->rows, i, row)(void)
		    json_object_set(row, "law", json_array_get(laws, i));
	}
	json_decref(laws);
	free(blobs);
	return got;
}

int
walk_cases(struct ctl *c, walk_fn *fn, void *arg, json_t **ret, struct err *err)
{
	struct walk w = {.fn = fn, .arg = arg};
	int got;

	w.teams = json_object();
	w.places = json_object();
	w.rows = json_array();
	got = say_people(c, on_person, &w, err);
	if (got == 0)
		got = everycase(c->redis, c->campaign, on_case, &w, err);
	if (got == 0)
		got = add_laws(&w, err);
	for (size_t i = 0; i < w.n; i++)
		buf_done(&w.blobs[i]);
	free(w.blobs);
	json_decref(w.teams);
	json_decref(w.places);
	if (got == 0)
		*ret = w.rows;
	else
		json_decref(w.rows);
	return got;
}
