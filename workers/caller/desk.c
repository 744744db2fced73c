/* desk.c - what one person's commands and answers have in common: the sink, what is still open, what was
 * shown.
 *
 * Happy path: commands.c takes a command, events.c what the client tells; both say objects, which go to
 * the sink at once. It does no I/O and cannot fail. Keys and cases that were shown are wiped at the end. */
#include "workers/caller/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "workers/caller/desk_int.h"

/* ---- the sink ------------------------------------------------------------------------------------ */

void
desk_answer(struct desk *d, const char *what, json_t *o, void *tag)
{
	json_t *said = json_object();

	(void)json_object_set_new(said, what, o);
	d->o.say(d->o.arg, said, tag);
	json_decref(said);
}

void
desk_say(struct desk *d, const char *what, json_t *o)
{
	desk_answer(d, what, o, NULL);
}

json_t *
desk_error_object(const char *code, const char *text, const json_t *command)
{
	json_t *o = json_object(), *v;

	(void)json_object_set_new(o, "code", json_string(code));
	(void)json_object_set_new(o, "text", json_string(text));
	v = json_object_get(command, "do");
	if (json_is_string(v))
		(void)json_object_set(o, "do", v);
	v = json_object_get(command, "id");
	if (json_is_string(v))
		(void)json_object_set(o, "id", v);
	return o;
}

void
desk_error(struct desk *d, const char *code, const char *text, const json_t *command)
{
	desk_say(d, "error", desk_error_object(code, text, command));
}

void
desk_report(struct desk *d, const struct outbox_report *rep)
{
	char text[700];

	if (rep->kept_as[0] != '\0') {
		(void)snprintf(text, sizeof(text),
		    "本机发件箱已损坏, 原样留在 %s, 已另开新的; 请告诉管理员 (%s)", rep->kept_as,
		    rep->why);
		desk_error(d, "outbox-quarantined", text, NULL);
	}
}

/* ---- what is known ------------------------------------------------------------------------------- */

const struct hold *
desk_hold(const struct desk *d, const uint8_t case_id[16])
{
	const struct hold *h = client_hold(d->client, case_id, 0);

	/* One that ended before a restart came back without its task. */
	for (size_t i = 0; (h == NULL || h->task.len == 0) && i < DESK_SHOWN; i++)
		if (d->shown[i] != NULL && memcmp(d->shown[i]->case_id, case_id, 16) == 0)
			h = d->shown[i];
	return h;
}

void
desk_keep_key(void *arg, const uint8_t case_id[16], const uint8_t key[32])
{
	struct desk *d = arg;
	uint8_t *copy = xmalloc(32);

	memcpy(copy, key, 32);
	copy = map_put(d->keys, case_id, 16, copy);
	if (copy != NULL)
		crypt_wipe(copy, 32);
	free(copy);
}

bool
desk_is_idle(const struct desk *d)
{
	return client_is_done(d->client) && d->n_pending == 0 && d->looking == 0 && !d->asking &&
	       d->giving == 0;
}

/* ---- life ---------------------------------------------------------------------------------------- */

struct desk *
desk_create(const struct desk_opts *o)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->o = *o;
	d->keys = map_create();
	return d;
}

void
desk_start(struct desk *d, struct client *c)
{
	d->client = c;
}

static void
wipe_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

void
desk_destroy(struct desk *d)
{
	if (d == NULL)
		return;
	map_destroy(d->keys, wipe_key);
	for (size_t i = 0; i < DESK_SHOWN; i++)
		hold_destroy(d->shown[i]);
	free(d->pending);
	free(d);
}
