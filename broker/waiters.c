/* waiters.c - who waits for what, and who is asked again when something comes.
 *
 * Each waiter stands in the line of each of its lanes. One case wakes one waiter: the first in
 * the lane's line that is WAITING and whose session lives. A due time wakes through the ready
 * line: a few waiters are ASKED at once, the more the longer the store has cases for them, down
 * to one as soon as it has none; so a thousand waiters and one case do not make a thousand calls
 * at once. Due times lie in a heap; an item whose waiter has gone or was told another time is
 * passed over when it comes up. */
#include "broker/waiters.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "broker/dues.h"

#define LANES_MAX  64
#define WINDOW_MAX 64
#define DUES_MAX   65536

struct entry;

struct place { /* an entry in the line of one lane */
	struct place *prev, *next;
	struct entry *entry; /* borrowed */
	struct lane *lane;   /* borrowed */
};

struct lane {
	struct place *first, *last;
	size_t name_len;
	char name[80];
};

struct entry {
	struct waiter who;
	bool is_asked, is_ready;
	int64_t due;
	struct place *places; /* owned array, room for as many lanes as are named */
	size_t n_places, room;
	char *lanes; /* owned text, as given */
	size_t lanes_len;
	struct entry *ready_next; /* borrowed */
};

struct waiters {
	waiter_wake_fn *wake;
	waiter_alive_fn *alive;
	void *arg;
	struct map *entries; /* key -> struct entry, owned */
	struct map *lanes;   /* name -> struct lane, owned */
	struct entry *ready_first, *ready_last;
	struct dues dues;
	size_t asked, window;
};

static size_t
key_of(char out[80], const uint8_t ob[16], const char *person)
{
	size_t len = strlen(person);

	CHECK(len <= 32);
	memcpy(out, ob, 16);
	memcpy(out + 16, person, len);
	return 16 + len;
}

static struct entry *
find(const struct waiters *w, const uint8_t ob[16], const char *person)
{
	char key[80];
	size_t len = key_of(key, ob, person);

	return map_get(w->entries, key, len);
}

/* ---- the heap of due times ---- */

static bool
is_stale(const struct waiters *w, const struct due *item)
{
	const struct entry *e;

	if (item->is_lane)
		return map_get(w->lanes, item->key, item->key_len) == NULL;
	e = map_get(w->entries, item->key, item->key_len);
	return e == NULL || e->due != item->at;
}

/* Waiters that were told again and again leave stale items behind: once in a while all are looked
 * at. */
static void
dues_tidy(struct waiters *w)
{
	struct dues old = w->dues;

	if (old.n < DUES_MAX)
		return;
	memset(&w->dues, 0, sizeof(w->dues));
	for (size_t i = 0; i < old.n; i++)
		if (!is_stale(w, &old.heap[i]) && w->dues.n < DUES_MAX / 2)
			dues_push(&w->dues, &old.heap[i]);
	dues_done(&old);
}

static void
due_add(struct waiters *w, int64_t at, bool is_lane, const char *key, size_t len)
{
	struct due item = {.at = at, .is_lane = is_lane, .key_len = len};

	CHECK(len <= sizeof(item.key));
	dues_tidy(w);
	memcpy(item.key, key, len);
	dues_push(&w->dues, &item);
}

/* ---- lines ---- */

static struct lane *
lane_get(struct waiters *w, const char *name, size_t len)
{
	struct lane *l = map_get(w->lanes, name, len);

	if (l == NULL) {
		l = xcalloc(1, sizeof(*l));
		memcpy(l->name, name, len);
		l->name_len = len;
		(void)map_put(w->lanes, name, len, l);
	}
	return l;
}

static void
stand(struct waiters *w, struct entry *e, const char *name, size_t len)
{
	struct place *p = &e->places[e->n_places];

	if (e->n_places == e->room || len == 0 || len > sizeof(((struct lane *)0)->name))
		return;
	p->entry = e;
	p->lane = lane_get(w, name, len);
	p->next = NULL;
	p->prev = p->lane->last;
	if (p->prev != NULL)
		p->prev->next = p;
	else
		p->lane->first = p;
	p->lane->last = p;
	e->n_places++;
}

static void
leave_lines(struct waiters *w, struct entry *e)
{
	for (size_t i = 0; i < e->n_places; i++) {
		struct place *p = &e->places[i];
		struct lane *l = p->lane;

		if (p->prev != NULL)
			p->prev->next = p->next;
		else
			l->first = p->next;
		if (p->next != NULL)
			p->next->prev = p->prev;
		else
			l->last = p->prev;
		if (l->first == NULL) {
			(void)map_del(w->lanes, l->name, l->name_len);
			free(l);
		}
	}
	e->n_places = 0;
}

static void
stand_in_lines(struct waiters *w, struct entry *e, struct span lanes)
{
	const char *text = (const char *)lanes.data;
	size_t at = 0;

	leave_lines(w, e);
	free(e->lanes);
	e->lanes = xmalloc(lanes.len + 1);
	if (lanes.len > 0)
		memcpy(e->lanes, text, lanes.len);
	e->lanes_len = lanes.len;
	e->room = 1;
	for (size_t i = 0; i < lanes.len && e->room < LANES_MAX; i++)
		e->room += text[i] == ' ';
	e->places = xrealloc(e->places, e->room, sizeof(*e->places));
	while (at < lanes.len) {
		size_t len = 0;

		while (at + len < lanes.len && text[at + len] != ' ')
			len++;
		stand(w, e, text + at, len);
		at += len + 1;
	}
}

static void
make_ready(struct waiters *w, struct entry *e)
{
	if (e->is_asked || e->is_ready)
		return;
	e->is_ready = true;
	e->ready_next = NULL;
	if (w->ready_last != NULL)
		w->ready_last->ready_next = e;
	else
		w->ready_first = e;
	w->ready_last = e;
}

static void
unready(struct waiters *w, struct entry *e)
{
	struct entry **at = &w->ready_first, *prev = NULL;

	if (!e->is_ready)
		return;
	while (*at != e) {
		prev = *at;
		at = &(*at)->ready_next;
	}
	*at = e->ready_next;
	if (w->ready_last == e)
		w->ready_last = prev;
	e->is_ready = false;
}

static void
forget(struct waiters *w, struct entry *e)
{
	char key[80];
	size_t len = key_of(key, e->who.ob, e->who.person);

	if (e->is_asked)
		w->asked--;
	unready(w, e);
	leave_lines(w, e);
	(void)map_del(w->entries, key, len);
	free(e->places);
	free(e->lanes);
	free(e);
}

static void
ask(struct waiters *w, struct entry *e)
{
	struct waiter who = e->who;

	unready(w, e);
	e->is_asked = true;
	w->asked++;
	w->wake(w->arg, &who);
}

/* ---- from outside ---- */

struct waiters *
waiters_create(waiter_wake_fn *wake, waiter_alive_fn *alive, void *arg)
{
	struct waiters *w = xcalloc(1, sizeof(*w));

	w->wake = wake;
	w->alive = alive;
	w->arg = arg;
	w->entries = map_create();
	w->lanes = map_create();
	w->window = 1;
	return w;
}

void
waiters_destroy(struct waiters *w)
{
	struct map_iter it;
	void *value;

	if (w == NULL)
		return;
	it = map_begin(w->entries);
	while (map_next(&it, NULL, NULL, &value))
		forget(w, value);
	map_destroy(w->entries, NULL);
	map_destroy(w->lanes, NULL);
	dues_done(&w->dues);
	free(w);
}

void
waiters_put(struct waiters *w, const struct waiter *who, struct span lanes, int64_t due)
{
	struct entry *e = find(w, who->ob, who->person);
	char key[80];
	size_t len = key_of(key, who->ob, who->person);

	if (e != NULL && (e->who.next_no != who->next_no || e->who.session != who->session)) {
		forget(w, e);
		e = NULL;
	}
	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		e->who = *who;
		(void)map_put(w->entries, key, len, e);
	}
	if (e->is_asked) {
		e->is_asked = false;
		w->asked--;
		w->window = 1;
	}
	if (e->lanes == NULL || e->lanes_len != lanes.len ||
	    (lanes.len > 0 && memcmp(e->lanes, lanes.data, lanes.len) != 0))
		stand_in_lines(w, e, lanes);
	if (due != e->due && due > 0) {
		e->due = due;
		due_add(w, due, false, key, len);
	}
	e->due = due;
}

void
waiters_drop(struct waiters *w, const uint8_t ob[16], const char *person)
{
	struct entry *e = find(w, ob, person);

	if (e != NULL)
		forget(w, e);
}

void
waiters_drop_session(struct waiters *w, uint64_t session)
{
	struct map_iter it = map_begin(w->entries);
	void *value;

	while (map_next(&it, NULL, NULL, &value))
		if (((struct entry *)value)->who.session == session)
			forget(w, value);
}

void
waiters_answered(struct waiters *w, const uint8_t ob[16], const char *person, bool granted)
{
	w->window = !granted ? 1 : w->window * 2 < WINDOW_MAX ? w->window * 2 : WINDOW_MAX;
	waiters_drop(w, ob, person);
}

void
waiters_unanswered(struct waiters *w, const uint8_t ob[16], const char *person)
{
	struct entry *e = find(w, ob, person);

	if (e == NULL || !e->is_asked)
		return;
	e->is_asked = false;
	w->asked--;
}

bool
waiters_is_waiting(
    const struct waiters *w, const uint8_t ob[16], const char *person, uint64_t next_no)
{
	const struct entry *e = find(w, ob, person);

	return e != NULL && e->who.next_no == next_no;
}

/* The first of the lane's line that can be asked. */
static void
wake_one(struct waiters *w, const struct lane *l)
{
	for (struct place *p = l->first; p != NULL; p = p->next) {
		if (p->entry->is_asked || !w->alive(w->arg, p->entry->who.session))
			continue;
		ask(w, p->entry);
		return;
	}
}

void
waiters_case_came(struct waiters *w, struct span lane, int64_t due, int64_t now)
{
	const struct lane *l = map_get(w->lanes, lane.data, lane.len);

	if (l == NULL)
		return;
	if (due > now)
		due_add(w, due, true, l->name, l->name_len);
	else
		wake_one(w, l);
}

void
waiters_person(struct waiters *w, const char *person)
{
	struct map_iter it = map_begin(w->entries);
	void *value;

	while (map_next(&it, NULL, NULL, &value))
		if (strcmp(((struct entry *)value)->who.person, person) == 0)
			make_ready(w, value);
}

void
waiters_all(struct waiters *w)
{
	struct map_iter it = map_begin(w->entries);
	void *value;

	while (map_next(&it, NULL, NULL, &value))
		make_ready(w, value);
}

static void
ask_ready(struct waiters *w)
{
	struct entry *e = w->ready_first;

	while (e != NULL && w->asked < w->window) {
		struct entry *next = e->ready_next;

		if (w->alive(w->arg, e->who.session))
			ask(w, e);
		else
			unready(w, e);
		e = next;
	}
}

void
waiters_tick(struct waiters *w, int64_t now)
{
	while (dues_first(&w->dues) <= now) {
		struct due item = dues_pop(&w->dues);

		if (is_stale(w, &item))
			continue;
		if (item.is_lane) {
			wake_one(w, map_get(w->lanes, item.key, item.key_len));
		} else {
			struct entry *e = map_get(w->entries, item.key, item.key_len);

			e->due = 0;
			make_ready(w, e);
		}
	}
	ask_ready(w);
}

int64_t
waiters_next_due(const struct waiters *w)
{
	return dues_first(&w->dues);
}

size_t
waiters_count(const struct waiters *w)
{
	return map_count(w->entries);
}
