/* session_lease.c - the cases in hand: granted, proved, renewed, given back, lost.
 *
 * Happy path: GRANT, HOLD on the disk, shown; RENEW every sixth of the lease; a record ends it. A
 * deadline counts from the first sending of the request that was answered, so a message that took long
 * never makes a lease look younger than it is. Failures: a GRANT behind its deadline or without a HOLD
 * goes back unseen; behind the deadline of a lease in hand only a new call is not begun; a lost case
 * stays until its record is stored, since its call took place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "workers/link/session_int.h"

/* ---- the list ------------------------------------------------------------------------------------ */

static struct lease *
find(const struct session *s, uint64_t token)
{
	for (size_t i = 0; i < s->n_leases; i++)
		if (s->leases[i]->hold.token == token)
			return s->leases[i];
	return NULL;
}

static struct lease *
add(struct session *s, enum lease_state state)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->state = state;
	s->leases = xrealloc(s->leases, s->n_leases + 1, sizeof(struct lease *));
	s->leases[s->n_leases++] = l;
	return l;
}

static void
drop(struct session *s, struct lease *gone)
{
	size_t i = 0;

	while (s->leases[i] != gone)
		i++;
	s->n_leases--;
	memmove(&s->leases[i], &s->leases[i + 1], (s->n_leases - i) * sizeof(struct lease *));
	buf_done(&gone->hold.ticket);
	buf_done(&gone->hold.task);
	buf_done(&gone->last);
	crypt_wipe(gone->hold.key, sizeof(gone->hold.key));
	free(gone);
}

const struct lease *
session_lease(const struct session *s, uint64_t token)
{
	return find(s, token);
}

const struct lease *
session_lease_at(const struct session *s, size_t i)
{
	return i < s->n_leases ? s->leases[i] : NULL;
}

struct lease *
lease_pulled(const struct session *s, const char *person)
{
	for (size_t i = 0; i < s->n_leases; i++) {
		struct lease *l = s->leases[i];

		if (l->hold.pulled && l->state != LEASE_LOST && !l->ending &&
		    strcmp(l->hold.person, person) == 0)
			return l;
	}
	return NULL;
}

/* What the outbox brought over a restart. */
void
lease_restore(struct session *s)
{
	const struct fold *f = outbox_state(s->outbox);

	for (size_t i = 0; i < f->n_holds; i++) {
		const struct hold *h = f->holds[i];
		struct lease *l;

		if (h->ended)
			continue;
		l = add(s, LEASE_RESTORED);
		l->hold = *h;
		l->hold.ticket = l->hold.task = (struct buf)BUF_INIT;
		buf_add(&l->hold.ticket, h->ticket.data, h->ticket.len);
		buf_add(&l->hold.task, h->task.data, h->task.len);
	}
}

void
lease_forget(struct session *s)
{
	while (s->n_leases > 0)
		drop(s, s->leases[s->n_leases - 1]);
}

/* ---- steps --------------------------------------------------------------------------------------- */

static void
tell(struct session *s, const struct lease *l, const char *reason)
{
	if (l->shown) /* what this process never showed, nobody waits for */
		session_tell(s, (struct link_event){.kind = LINK_LEASE,
		                    .person = l->hold.person,
		                    .lease = l,
		                    .reason = reason});
}

static void
show(struct session *s, struct lease *l)
{
	l->shown = true;
	session_tell(
	    s, (struct link_event){.kind = LINK_GRANTED, .person = l->hold.person, .lease = l});
}

void
lease_show(struct session *s, struct lease *l)
{
	show(s, l);
}

/* After this call l may be gone. */
static void
step(struct session *s, struct lease *l, enum lease_event event, const char *reason, int64_t now)
{
	struct lease_move m = lease_move(l->state, event);
	enum lease_state was = l->state;
	struct hold h = l->hold; /* the names only; its buffers stay the lease's */

	if (m.effect != DO_TELL && m.effect != DO_TELL_END)
		l->state = m.next;
	switch (m.effect) {
	case DO_SHOW:
		show(s, l);
		ask_proved(s, h.person);
		break;
	case DO_PROVE: l->renew_us = now; break;
	case DO_GIVE:
		l->asked_us = l->sent_us = 0;
		l->tries = 0;
		if (reason[0] != '\0')
			(void)snprintf(l->reason, sizeof(l->reason), "%s", reason);
		if (was == LEASE_PROVING)
			ask_again(s, h.person);
		else if (was == LEASE_HOLDING)
			session_tell(
			    s, (struct link_event){
			           .kind = LINK_REFUSED, .person = h.person, .reason = "disk"});
		break;
	case DO_TELL:
		tell(s, l, reason);
		l->state = m.next;
		ask_confirmed(s, l);
		break;
	case DO_TELL_END: tell(s, l, reason); /* fall through */
	case DO_END:
	case DO_REASK:
		outbox_end_hold(s->outbox, h.case_id, h.token);
		drop(s, l);
		if (m.effect == DO_REASK)
			ask_again(s, h.person);
		break;
	default: break;
	}
}

/* ---- GRANT --------------------------------------------------------------------------------------- */

/* Back unseen; it has no HOLD. */
void
lease_return(
    struct session *s, const uint8_t case_id[16], uint64_t token, const char *person, bool pulled)
{
	struct lease *l = add(s, LEASE_GIVING);

	memcpy(l->hold.case_id, case_id, 16);
	l->hold.token = token;
	l->hold.pulled = pulled;
	(void)snprintf(l->hold.person, sizeof(l->hold.person), "%s", person);
	(void)snprintf(l->reason, sizeof(l->reason), "other");
}

bool
lease_known(const struct session *s, const uint8_t case_id[16], uint64_t token)
{
	return find(s, token) != NULL || fold_hold(outbox_state(s->outbox), case_id, token) != NULL;
}

/* prove: its age is not known, show it only when a RENEW was answered. */
int
lease_grant(
    struct session *s, const struct msg_grant *m, struct span f1, int64_t deadline, bool prove)
{
	struct grant_lists lists;
	struct lease *l;

	if (grant_lists_decode(&lists, f1, NULL) != 0 || lists.ticket.len > TICKET_MAX)
		return -1;
	l = add(s, prove ? LEASE_PROVING : LEASE_HOLDING);
	memcpy(l->hold.case_id, m->case_id, 16);
	memcpy(l->hold.key, m->key, 32);
	l->hold.token = m->token;
	l->hold.version = m->version;
	l->hold.due = m->due;
	l->hold.pulled = m->pulled != 0;
	memcpy(l->hold.person, m->person, sizeof(l->hold.person));
	memcpy(l->hold.why, m->why, sizeof(l->hold.why));
	buf_add(&l->hold.ticket, lists.ticket.data, lists.ticket.len);
	buf_add(&l->hold.task, lists.task.data, lists.task.len);
	buf_add(&l->last, f1.data, f1.len);
	l->rseq = m->rseq;
	l->deadline_us = prove ? 0 : deadline;
	l->renew_us = prove ? INT64_MAX : deadline - session_lease_us(s) * 5 / 6;
	outbox_add_hold(s->outbox, &l->hold);
	return 0;
}

/* ---- answers ------------------------------------------------------------------------------------- */

void
work_renewed(struct session *s, const struct msg_renewed *m, int64_t now)
{
	struct lease *l = find(s, m->token);
	int64_t lease_us = (int64_t)m->lease_ms * 1000, deadline;
	bool ours;

	if (l == NULL || memcmp(l->hold.case_id, m->case_id, 16) != 0 || l->asked_us == 0 ||
	    l->state == LEASE_GIVING || m->rseq <= l->rseq)
		return;
	deadline = l->asked_us + lease_us;
	ours = m->rseq ==
	       l->rseq + 1; /* else an older RENEW of ours had moved it, nobody knows when */
	l->rseq = m->rseq;
	l->asked_us = l->sent_us = 0;
	l->tries = 0;
	l->renew_us = now + lease_us / 6;
	if (!ours || now >= deadline) { /* too old to be worth anything: once more */
		l->renew_us = now;
		return;
	}
	l->deadline_us = deadline;
	step(s, l, LEASE_EV_RENEWED, "held", now);
}

void
work_lost(struct session *s, const struct msg_lost *m, int64_t now)
{
	struct lease *l = find(s, m->token);

	if (l != NULL && memcmp(l->hold.case_id, m->case_id, 16) == 0)
		step(s, l, LEASE_EV_LOST, m->reason, now);
	else if (fold_hold(outbox_state(s->outbox), m->case_id, m->token) == NULL)
		ask_lost(s);
}

/* The broker's list: rseqs that we may have missed, and leases that we know nothing of. */
void
lease_welcome(struct session *s, const struct welcome_lists *w, int64_t now)
{
	for (size_t i = 0; i < s->n_leases; i++) {
		s->leases[i]->sent_us = 0;
		s->leases[i]->tries = 0;
		s->leases[i]->renew_us = now;
	}
	for (uint32_t i = 0; i < w->n_leases; i++) {
		const struct welcome_lease *wl = &w->leases[i];
		struct lease *l = find(s, wl->token);

		if (l != NULL && wl->rseq > l->rseq) {
			l->rseq = wl->rseq;
			l->asked_us = 0;
		} else if (l == NULL && !lease_known(s, wl->case_id, wl->token) &&
		           !ask_expects(s, wl->person)) {
			lease_return(s, wl->case_id, wl->token, wl->person, wl->pulled != 0);
		}
	}
}

/* ---- commands ------------------------------------------------------------------------------------ */

int
session_give(struct session *s, uint64_t token, const char *reason, struct err *err)
{
	struct lease *l = find(s, token);

	if (l == NULL)
		return err_set(err, ERR_NOT_FOUND, "this case is not in hand");
	l->shown = true; /* who gives back is told what came of it */
	step(s, l, LEASE_EV_GIVE, l->state == LEASE_LOST ? "given-back" : reason, 0);
	return 0;
}

void
session_recorded(struct session *s, uint64_t token, uint64_t seq, bool keep)
{
	struct lease *l = find(s, token);

	if (l == NULL)
		return;
	if (keep) {
		l->worked = true;
		return;
	}
	l->ending = true;
	outbox_end_hold(s->outbox, l->hold.case_id, l->hold.token);
	ask_after(s, l->hold.person, seq);
}

void
lease_committed(struct session *s, bool stored, int64_t now)
{
	for (size_t i = s->n_leases; i-- > 0;) {
		struct lease *l = s->leases[i];

		if (l->ending) {
			l->ending = false;
			if (stored)
				step(s, l, LEASE_EV_RECORD, "", now);
		} else if (l->state == LEASE_HOLDING ||
		           (l->state == LEASE_PROVING && l->renew_us == INT64_MAX)) {
			step(s, l, stored ? LEASE_EV_STORED : LEASE_EV_UNSTORED, "other", now);
		}
	}
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void
send_giveback(struct session *s, struct lease *l)
{
	struct frame f = {.kind = MSG_GIVEBACK};

	memcpy(f.u.giveback.case_id, l->hold.case_id, 16);
	f.u.giveback.token = l->hold.token;
	memcpy(f.u.giveback.reason, l->reason, sizeof(l->reason));
	(void)session_send(s, &f, span_of("", 0));
}

static void
send_renew(struct session *s, struct lease *l)
{
	struct frame f = {.kind = MSG_RENEW};

	memcpy(f.u.renew.case_id, l->hold.case_id, 16);
	f.u.renew.token = l->hold.token;
	f.u.renew.rseq = l->rseq;
	(void)session_send(s, &f, span_of("", 0));
}

static bool
is_renewed(const struct lease *l)
{
	return l->state == LEASE_HELD || l->state == LEASE_EXPIRED || l->state == LEASE_RESTORED ||
	       l->state == LEASE_PROVING;
}

/* When this lease's next message is due; INT64_MAX: none. */
static int64_t
message_due(const struct lease *l)
{
	if (l->sent_us != 0)
		return l->sent_us + SESSION_SILENCE_US;
	if (l->state == LEASE_GIVING)
		return 0;
	return is_renewed(l) ? l->renew_us : INT64_MAX;
}

static int64_t
deadline_of(const struct session *s, const struct lease *l)
{
	if (l->state == LEASE_HELD)
		return l->deadline_us;
	if (l->state == LEASE_PROVING && l->asked_us != 0)
		return l->asked_us + session_lease_us(s);
	return INT64_MAX;
}

void
lease_tick(struct session *s, int64_t now)
{
	for (size_t i = s->n_leases; i-- > 0;)
		if (now >= deadline_of(s, s->leases[i]))
			step(s, s->leases[i], LEASE_EV_DEADLINE, "expired", now);
	for (size_t i = 0; i < s->n_leases && s->conn == CONN_UP; i++) {
		struct lease *l = s->leases[i];

		if (now < message_due(l))
			continue;
		if (l->sent_us != 0 && ++l->tries >= 2) {
			session_conn(s, CONN_EV_SILENCE, now);
			return;
		}
		l->sent_us = now;
		if (l->asked_us == 0)
			l->asked_us = now;
		if (l->state == LEASE_GIVING)
			send_giveback(s, l);
		else
			send_renew(s, l);
	}
}

int64_t
lease_due(const struct session *s)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < s->n_leases; i++) {
		const struct lease *l = s->leases[i];
		int64_t at = deadline_of(s, l);

		if (s->conn == CONN_UP && message_due(l) < at)
			at = message_due(l);
		due = at < due ? at : due;
	}
	return due;
}

/* The store is busy: that is not silence. */
void
lease_nack(struct session *s)
{
	for (size_t i = 0; i < s->n_leases; i++)
		s->leases[i]->tries = 0;
}
