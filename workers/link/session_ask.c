/* session_ask.c - persons and what they ask for: NEXT and TAKE, one at a time each.
 *
 * Happy path: a number is taken and made durable, NEXT goes out (alone or on a record), GRANT or NONE
 * comes back. After NONE it may wait: a GRANT that comes later, or that answers a number which waited,
 * is proved by a RENEW before anybody sees it. Failures: silence repeats the same number; a case that
 * is gone before it was seen asks anew under a new one. A limit that we cannot explain means a lease
 * whose GRANT was lost: HELLO names it, it is given back, and the person never hears of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/session_int.h"

#define REPOLL_US 30000000LL /* a push may be lost */
#define TURNS_MAX 3          /* the same number on so many connections, then a new one */
#define NACKS_MAX 5

struct ask *
session_ask(struct session *s, const char *person)
{
	for (size_t i = 0; i < s->n_asks; i++)
		if (strcmp(s->asks[i]->person, person) == 0)
			return s->asks[i];
	return NULL;
}

/* ---- steps --------------------------------------------------------------------------------------- */

static void
take_number(struct session *s, struct ask *a)
{
	a->next_no++;
	a->first_us = a->sent_us = a->not_before = a->retry_us = 0;
	a->sends = a->tries = a->turns = a->nacks = 0;
	a->has_waited = a->told = false;
	outbox_add_next_no(s->outbox, a->person, a->next_no);
}

static struct ask_move
step(struct session *s, struct ask *a, enum ask_event event)
{
	struct ask_move m = ask_move(a->state, event);

	a->state = m.next;
	if (m.effect == DO_SAVE) {
		a->suspects = false;
		take_number(s, a);
	}
	return m;
}

void
ask_refuse(struct session *s, struct ask *a, const char *reason, const char *text)
{
	if (step(s, a, ASK_EV_REFUSED).effect == DO_TELL)
		session_tell(s,
		    (struct link_event){
		        .kind = LINK_REFUSED, .person = a->person, .reason = reason, .text = text});
}

/* ---- what the leases ask of us ------------------------------------------------------------------- */

void
ask_proved(struct session *s, const char *person)
{
	struct ask *a = session_ask(s, person);

	if (a != NULL && a->state == ASK_PROVING)
		(void)step(s, a, ASK_EV_GRANT);
}

/* The case went away before anybody saw it. */
void
ask_again(struct session *s, const char *person)
{
	struct ask *a = session_ask(s, person);

	if (a != NULL)
		(void)step(s, a, a->state == ASK_IDLE ? ASK_EV_WANT : ASK_EV_LATE);
}

/* A lease from before the restart was found valid, or lost. */
void
ask_confirmed(struct session *s, struct lease *l)
{
	struct ask *a = session_ask(s, l->hold.person);

	if (a == NULL || !a->resumes || !l->hold.pulled ||
	    (l->state != LEASE_HELD && l->state != LEASE_LOST))
		return;
	a->resumes = false;
	if (l->state == LEASE_HELD)
		lease_show(s, l);
	else
		(void)step(s, a, ASK_EV_WANT);
}

/* LOST for a case that we never had: the answer to a number that was repeated. Which person's is not
 * said, so everybody who repeated asks anew. */
void
ask_lost(struct session *s)
{
	for (size_t i = 0; i < s->n_asks; i++)
		if (s->asks[i]->state == ASK_SENT && s->asks[i]->sends > 1)
			(void)step(s, s->asks[i], ASK_EV_LATE);
}

/* Is an answer out that may have granted this person a case? */
bool
ask_expects(const struct session *s, const char *person)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		const struct ask *a = s->asks[i];

		if (strcmp(a->person, person) == 0)
			return a->state != ASK_IDLE && a->state != ASK_SAVING && !a->suspects;
	}
	return false;
}

void
ask_after(struct session *s, const char *person, uint64_t seq)
{
	struct ask *a = session_ask(s, person);

	if (a != NULL)
		a->after_seq = seq;
}

/* ---- answers ------------------------------------------------------------------------------------- */

static bool
is_open(const struct ask *a, uint64_t next_no)
{
	return a->next_no == next_no && (a->state == ASK_READY || a->state == ASK_RIDING ||
	                                    a->state == ASK_SENT || a->state == ASK_WAITING);
}

void
work_grant(struct session *s, const struct msg_grant *m, struct span f1, int64_t now)
{
	struct ask *a = session_ask(s, m->person);
	int64_t deadline;

	if (lease_known(s, m->case_id, m->token))
		return; /* a repeat */
	if (a == NULL || !is_open(a, m->next_no) || a->first_us == 0) {
		lease_return(s, m->case_id, m->token, m->person, m->pulled != 0);
		return;
	}
	deadline = a->first_us + (int64_t)m->lease_ms * 1000;
	if (!a->has_waited && now >= deadline) {
		lease_return(s, m->case_id, m->token, m->person, m->pulled != 0);
		(void)step(s, a, ASK_EV_LATE);
	} else if (lease_grant(s, m, f1, deadline, a->has_waited) == 0) {
		(void)step(s, a, a->has_waited ? ASK_EV_PUSHED : ASK_EV_GRANT);
	}
}

static void
tell_none(struct session *s, struct ask *a, const struct msg_none *m, bool waits)
{
	if (a->told)
		return;
	a->told = true;
	session_tell(s, (struct link_event){.kind = LINK_NONE,
	                    .person = a->person,
	                    .reason = m->reason,
	                    .text = m->who,
	                    .retry_ms = m->retry_ms,
	                    .seq = waits});
}

/* This broker hands nothing out, whatever we ask; another one may. */
static void
turn_away(struct session *s, int64_t now)
{
	if (s->endpoints < 2 || (s->turned_us != 0 && now < s->turned_us + TURN_PACE_US))
		return;
	s->turned_us = now;
	session_conn(s, CONN_EV_SILENCE, now);
}

void
work_none(struct session *s, const struct msg_none *m, int64_t now)
{
	struct ask *a = session_ask(s, m->person);
	bool waits;

	if (a == NULL || !is_open(a, m->next_no))
		return;
	waits = !a->is_take &&
	        (strcmp(m->reason, "empty") == 0 || strcmp(m->reason, "closed-until") == 0 ||
	            strcmp(m->reason, "paused") == 0);
	if (strcmp(m->reason, "limit") == 0 && !a->is_take && !a->suspects &&
	    lease_pulled(s, a->person) == NULL) {
		a->suspects = true;
		session_conn(s, CONN_EV_ASKED, now);
		return;
	}
	if (waits) {
		a->has_waited = true;
		a->sent_us = now;
	}
	if (step(s, a, waits ? ASK_EV_WAIT : ASK_EV_NONE).effect == DO_TELL)
		tell_none(s, a, m, waits);
	if (strcmp(m->reason, "backlog") == 0)
		turn_away(s, now);
}

void
work_nack(struct session *s, const struct msg_nack *m, int64_t now)
{
	bool final = strcmp(m->code, "BADSIG") == 0 || strcmp(m->code, "TOOBIG") == 0 ||
	             strcmp(m->code, "UNSUPPORTED") == 0;

	if (m->kind != MSG_NEXT && m->kind != MSG_TAKE) {
		lease_nack(s);
		return;
	}
	if (strcmp(m->code, "REVOKED") == 0) /* WELCOME will say who */
		session_conn(s, CONN_EV_ASKED, now);
	/* The number is not a person's alone; who is meant by mistake only repeats once more. */
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (a->state != ASK_SENT || a->next_no != m->ref)
			continue;
		if (final || (strcmp(m->code, "REVOKED") == 0 && ++a->nacks >= NACKS_MAX)) {
			ask_refuse(s, a, m->code, m->text);
			continue;
		}
		a->retry_us = a->retry_us == 0 ? RETRY_US : a->retry_us * 2;
		if (a->retry_us > RETRY_MAX_US)
			a->retry_us = RETRY_MAX_US;
		a->not_before = now + (strcmp(m->code, "HALTED") == 0 ? HALTED_US : a->retry_us);
		a->tries = 0;
		(void)step(s, a, ASK_EV_SILENCE);
	}
}

void
work_taken(struct session *s, uint64_t seq, int64_t now)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (a->state != ASK_RIDING || a->ride_seq != seq)
			continue;
		(void)step(s, a, ASK_EV_TAKEN);
		a->sent_us = now;
		a->tries = 0;
	}
}

uint64_t
work_riding(struct session *s, uint64_t seq, int64_t now)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (a->state != ASK_RIDING || a->ride_seq != seq)
			continue;
		if (a->first_us == 0)
			a->first_us = now;
		a->sends++;
		return a->next_no;
	}
	return 0;
}

/* ---- WELCOME ------------------------------------------------------------------------------------- */

void
work_welcome(struct session *s, const struct welcome_lists *w, int64_t now)
{
	lease_welcome(s, w, now);
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (a->state == ASK_SENT && ++a->turns > TURNS_MAX && !a->suspects)
			(void)step(s, a, ASK_EV_LATE);
		else
			(void)step(s, a, ASK_EV_WELCOME);
		a->tries = 0;
	}
	for (uint32_t i = 0; i < w->n_persons; i++) {
		struct ask *a = session_ask(s, w->persons[i].person);

		if (a != NULL)
			login_welcome(s, a, &w->persons[i], now);
	}
}

/* ---- commands ------------------------------------------------------------------------------------ */

static struct ask *
free_ask(struct session *s, const char *person, struct err *err)
{
	struct ask *a = session_ask(s, person);

	if (a == NULL)
		(void)err_set(err, ERR_DENIED, "%s is not logged in", person);
	else if (a->resumes || (a->state != ASK_IDLE && a->state != ASK_WAITING))
		(void)err_set(err, ERR_BUSY, "the request before is not answered yet");
	else if (a->is_known && !a->may_act)
		(void)err_set(err, ERR_DENIED, "%s may not act from here", person);
	else
		return a;
	return NULL;
}

int
session_next(struct session *s, const char *person, struct err *err)
{
	struct ask *a = free_ask(s, person, err);
	struct lease *l = lease_pulled(s, person);

	if (a == NULL)
		return -1;
	if (l != NULL && !l->shown && l->state != LEASE_GIVING) {
		if (l->state == LEASE_HELD)
			lease_show(s, l);
		else
			a->resumes = true;
		return 0;
	}
	/* A try was recorded and no other one comes: leaving the case ends the lease. */
	if (l != NULL && l->worked && l->state != LEASE_GIVING)
		(void)session_give(s, l->hold.token, "other", NULL);
	a->is_take = false;
	(void)step(s, a, ASK_EV_WANT);
	return 0;
}

int
session_ride(struct session *s, const char *person, uint64_t seq, struct err *err)
{
	struct ask *a = free_ask(s, person, err);

	if (a == NULL)
		return -1;
	a->is_take = false;
	a->ride_seq = seq;
	(void)step(s, a, ASK_EV_RIDE);
	return 0;
}

int
session_take(struct session *s, const char *person, const uint8_t *case_id, const char *digits,
    struct err *err)
{
	struct ask *a = free_ask(s, person, err);

	if (a == NULL)
		return -1;
	if (digits != NULL && strlen(digits) >= sizeof(a->digits))
		return err_set(err, ERR_INVALID, "the number is too long");
	a->is_take = true;
	a->has_case = case_id != NULL;
	if (case_id != NULL)
		memcpy(a->case_id, case_id, 16);
	(void)snprintf(a->digits, sizeof(a->digits), "%s", digits != NULL ? digits : "");
	(void)step(s, a, ASK_EV_WANT);
	return 0;
}

/* ---- turns --------------------------------------------------------------------------------------- */

void
work_committed(struct session *s, bool stored, int64_t now)
{
	uint64_t head = fold_head(outbox_state(s->outbox));

	lease_committed(s, stored, now);
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		if (a->after_seq > head)
			a->after_seq = head;
		/* A number that waits for the next turn's commit was taken just now. */
		if (fold_next_no(outbox_state(s->outbox), a->person) == a->next_no)
			(void)step(s, a, ASK_EV_STORED);
		else if (!stored && a->state == ASK_SAVING)
			ask_refuse(s, a, "disk", "");
		else if (!stored && a->state == ASK_RIDING)
			(void)step(s, a, ASK_EV_UNSTORED);
	}
}

static bool
may_send(const struct session *s, const struct ask *a, int64_t now)
{
	const struct lease *l = lease_pulled(s, a->person);

	return s->conn == CONN_UP && a->may_act && now >= a->not_before &&
	       s->flow.accepted >= a->after_seq &&
	       (a->is_take || l == NULL || l->state != LEASE_GIVING);
}

static void
send_ask(struct session *s, struct ask *a, int64_t now)
{
	struct frame f = {.kind = a->is_take ? MSG_TAKE : MSG_NEXT};
	struct span digits = span_of("", 0);

	if (a->is_take) {
		f.u.take.next_no = a->next_no;
		memcpy(f.u.take.person, a->person, sizeof(f.u.take.person));
		f.u.take.has_case = a->has_case;
		memcpy(f.u.take.case_id, a->case_id, 16);
		digits = span_str(a->digits);
	} else {
		f.u.next.next_no = a->next_no;
		memcpy(f.u.next.person, a->person, sizeof(f.u.next.person));
	}
	(void)session_send(s, &f, digits);
	(void)step(s, a, ASK_EV_SENT);
	if (a->first_us == 0)
		a->first_us = now;
	a->sent_us = now;
	a->sends++;
}

void
work_tick(struct session *s, int64_t now)
{
	lease_tick(s, now);
	for (size_t i = 0; i < s->n_asks && s->conn == CONN_UP; i++) {
		struct ask *a = s->asks[i];

		if (a->state == ASK_SENT && now >= a->sent_us + SESSION_SILENCE_US) {
			if (++a->tries >= 2) {
				session_conn(s, CONN_EV_SILENCE, now);
				return;
			}
			(void)step(s, a, ASK_EV_SILENCE);
		} else if (a->state == ASK_WAITING && now >= a->sent_us + REPOLL_US) {
			a->tries = 0;
			(void)step(s, a, ASK_EV_SILENCE);
		}
		if (a->state == ASK_READY && may_send(s, a, now))
			send_ask(s, a, now);
	}
}

int64_t
work_due(const struct session *s)
{
	int64_t due = lease_due(s);

	for (size_t i = 0; i < s->n_asks && s->conn == CONN_UP; i++) {
		const struct ask *a = s->asks[i];
		int64_t at = INT64_MAX;

		if (a->state == ASK_SENT)
			at = a->sent_us + SESSION_SILENCE_US;
		else if (a->state == ASK_WAITING)
			at = a->sent_us + REPOLL_US;
		else if (a->state == ASK_READY && may_send(s, a, INT64_MAX))
			at = a->not_before;
		due = at < due ? at : due;
	}
	return due;
}

void
work_restore(struct session *s)
{
	lease_restore(s);
}

/* The outbox is another one: what was in hand belonged to the old one. */
void
work_forget(struct session *s)
{
	lease_forget(s);
	for (size_t i = 0; i < s->n_asks; i++) {
		struct ask *a = s->asks[i];

		a->resumes = a->suspects = false;
		a->after_seq = 0;
		ask_refuse(s, a, "outbox", "");
	}
}
