/* session_look.c - questions whose answers are shown and forgotten.
 *
 * Happy path: LOOK out, SEEN back, told. A look is for a person who waits, so silence only repeats it,
 * and after ten seconds it is told that there is no answer; nobody turns to another broker for it. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/session_int.h"

static void
look_done(struct session *s, size_t i, const struct msg_seen *seen, struct span f1)
{
	struct look look = s->looks[i];

	s->n_looks--;
	memmove(&s->looks[i], &s->looks[i + 1], (s->n_looks - i) * sizeof(struct look));
	session_tell(s, (struct link_event){.kind = LINK_SEEN,
	                    .person = look.person,
	                    .reason = look.what,
	                    .seq = look.no,
	                    .seen = seen,
	                    .f1 = f1});
}

static void
send_look(struct session *s, struct look *look, int64_t now)
{
	struct frame f = {.kind = MSG_LOOK};
	struct msg_look *m = &f.u.look;

	m->look_no = look->no;
	memcpy(m->person, look->person, sizeof(m->person));
	memcpy(m->what, look->what, sizeof(m->what));
	m->page = look->page;
	m->has_case = look->has_case;
	memcpy(m->case_id, look->case_id, 16);
	(void)session_send(s, &f, span_str(look->argument));
	look->sent_us = now;
}

void
look_tick(struct session *s, int64_t now)
{
	for (size_t i = s->n_looks; i-- > 0;) {
		struct look *look = &s->looks[i];

		if (now >= look->first_us + LOOK_GIVE_UP_US)
			look_done(s, i, NULL, span_of("", 0));
		else if (s->conn == CONN_UP && now >= look->not_before &&
		         (look->sent_us == 0 || now >= look->sent_us + SESSION_SILENCE_US))
			send_look(s, look, now);
	}
}

uint64_t
session_look(struct session *s, const char *person, const char *what, uint64_t page,
    const uint8_t *case_id, const char *argument, int64_t now)
{
	struct look *look;

	s->looks = xrealloc(s->looks, s->n_looks + 1, sizeof(struct look));
	look = &s->looks[s->n_looks++];
	memset(look, 0, sizeof(*look));
	look->no = ++s->look_no;
	(void)snprintf(look->person, sizeof(look->person), "%s", person);
	(void)snprintf(look->what, sizeof(look->what), "%s", what);
	look->page = page;
	look->has_case = case_id != NULL;
	if (case_id != NULL)
		memcpy(look->case_id, case_id, 16);
	if (argument != NULL)
		(void)snprintf(look->argument, sizeof(look->argument), "%s", argument);
	look->first_us = now;
	return look->no;
}

void
look_seen(struct session *s, const struct msg_seen *m, struct span f1)
{
	for (size_t i = 0; i < s->n_looks; i++) {
		if (s->looks[i].no != m->look_no)
			continue;
		look_done(s, i, m, f1);
		return;
	}
}

void
look_welcome(struct session *s)
{
	for (size_t i = 0; i < s->n_looks; i++)
		s->looks[i].sent_us = 0;
}

void
look_nack(struct session *s, const struct msg_nack *m, int64_t now)
{
	for (size_t i = 0; i < s->n_looks; i++) {
		struct look *look = &s->looks[i];

		if (look->no != m->ref)
			continue;
		look->sent_us = 0;
		look->not_before = now + (strcmp(m->code, "RETRY") == 0 ? RETRY_US : HALTED_US);
	}
}

int64_t
look_due(const struct session *s)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < s->n_looks; i++) {
		const struct look *look = &s->looks[i];
		int64_t at = look->first_us + LOOK_GIVE_UP_US, next;

		next = look->sent_us == 0 ? look->not_before : look->sent_us + SESSION_SILENCE_US;
		if (s->conn == CONN_UP && next < at)
			at = next;
		due = at < due ? at : due;
	}
	return due;
}
