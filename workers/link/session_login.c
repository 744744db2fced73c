/* session_login.c - who acts through this agent, and the tickets that say so.
 *
 * Happy path: a person's key signs a ticket of twelve hours, HELLO carries it, WELCOME says yes; an
 * hour before its end it is made anew. Failures: a ticket that the broker calls expired is made once
 * more by the server's clock, since ours may be wrong; any other no is told, and what the person
 * asked for is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "workers/link/session_int.h"

static int64_t
server_wall_ms(const struct session *s, int64_t now)
{
	if (s->clock.server_wall == 0)
		return clock_wall_ms();
	return (int64_t)s->clock.server_wall + (now - (int64_t)s->clock.server_boot) / 1000;
}

static void
make_ticket(struct session *s, struct ask *a, int64_t now)
{
	uint64_t from = (uint64_t)(server_wall_ms(s, now) - LOGIN_BACK_MS);
	uint64_t until = from + (uint64_t)LOGIN_MAX_MS;

	if (a->until_ms != 0 && until > a->until_ms)
		until = a->until_ms > from ? a->until_ms : from + 1;
	identity_login(s->id, &a->key, outbox_id(s->outbox), from, until, &a->login);
	a->has_ticket = true;
}

void
login_list(struct session *s, struct hello_lists *l, int64_t now)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		if (!s->asks[i]->has_ticket)
			make_ticket(s, s->asks[i], now);
		l->persons[l->n_persons++] = s->asks[i]->login;
	}
}

void
login_renew(struct session *s, int64_t now)
{
	uint64_t soon = (uint64_t)(server_wall_ms(s, now) + LOGIN_LEAD_MS);

	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (!a->has_ticket || a->login.until > soon ||
		    (a->until_ms != 0 && a->login.until >= a->until_ms))
			continue;
		a->has_ticket = false;
		session_conn(s, CONN_EV_ASKED, now);
	}
}

void
login_welcome(struct session *s, struct ask *a, const struct welcome_person *p, int64_t now)
{
	bool may = p->ok != 0;

	if (!may && strcmp(p->why, "expired") == 0 && !a->renewed_ticket) {
		/* Our clock may be wrong; the server's is known now. */
		a->renewed_ticket = true;
		a->has_ticket = false;
		session_conn(s, CONN_EV_ASKED, now);
		return;
	}
	if (may)
		a->renewed_ticket = false;
	if (!a->is_known || a->may_act != may)
		session_tell(s, (struct link_event){.kind = LINK_PERSON,
		                    .person = a->person,
		                    .reason = may ? "" : p->why,
		                    .text = p->team,
		                    .verdict = p->roles,
		                    .seq = may});
	a->is_known = true;
	a->may_act = may;
	if (!may)
		ask_refuse(s, a, p->why, "");
}

int
session_login(
    struct session *s, const struct person_key *k, uint64_t until_ms, int64_t now, struct err *err)
{
	struct ask *a = session_ask(s, k->person);

	if (a == NULL) {
		if (s->n_asks == PERSONS_MAX)
			return err_set(err, ERR_FULL, "%d persons are logged in here", PERSONS_MAX);
		a = s->asks[s->n_asks++] = xcalloc(1, sizeof(*a));
		memcpy(a->person, k->person, sizeof(a->person));
		a->next_no = fold_next_no(outbox_state(s->outbox), k->person);
	}
	a->key = *k;
	a->until_ms = until_ms;
	a->has_ticket = a->is_known = a->renewed_ticket = false;
	session_conn(s, CONN_EV_ASKED, now);
	return 0;
}

void
session_logout(struct session *s, const char *person)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		if (strcmp(s->asks[i]->person, person) != 0)
			continue;
		person_key_done(&s->asks[i]->key);
		free(s->asks[i]);
		s->n_asks--;
		memmove(&s->asks[i], &s->asks[i + 1], (s->n_asks - i) * sizeof(struct ask *));
		return;
	}
}
