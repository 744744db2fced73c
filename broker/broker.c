/* broker.c - what no part can decide alone: whether we serve, and what follows from a change of
 * it.
 *
 * Served is only while the command link is attached, the log is followed, and the store keeps
 * what it acknowledges. The socket is bound when that holds for the first time; after that, who
 * comes while it does not hold is answered RETRY. */
#include "broker/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/front.h"
#include "broker/guard.h"
#include "broker/keyring.h"
#include "broker/observer.h"
#include "broker/roster.h"
#include "broker/session.h"
#include "broker/settings.h"
#include "broker/store.h"
#include "broker/tail.h"
#include "broker/waiters.h"
#include "workers/link/home.h"

bool
broker_is_serving(const struct broker *b)
{
	return b->store != NULL && store_is_ready(b->store) && tail_is_following(b->tail) &&
	       guard_is_durable(b->guard);
}

bool
broker_may_grant(const struct broker *b, const char **ret_why)
{
	const struct settings *set = b->settings;
	int64_t patience = (set->lease_ms + set->guard_ms) * 1000;

	*ret_why = guard_stops_grants(b->guard);
	if ((*ret_why)[0] == '\0' && keyring_count(b->keys) == 0)
		*ret_why = "backlog";
	if (b->has_claimant && clock_boot_us() < b->claimed_us + patience)
		*ret_why =
		    "backlog"; /* until a second one had time to come; a liar stops us no longer */
	return (*ret_why)[0] == '\0';
}

void
broker_begin(struct broker *b, const char *campaign)
{
	struct err err = ERR_INIT;

	(void)snprintf(b->campaign, sizeof(b->campaign), "%s", campaign);
	b->batch = batch_create(b->campaign, store_send_batch, b->store);
	b->tail = tail_create(b);
	b->observer = observer_create(b);
	b->keys = keyring_create(b, &err);
	if (b->keys == NULL)
		log_error(
		    "keys.unreachable", "why=\"%s\" decision=\"nothing is handed out\"", err.text);
}

static void
bind_once(struct broker *b)
{
	char endpoint[256];
	struct err err = ERR_INIT;

	if (b->is_bound)
		return;
	if (front_bind(b->front, b->settings->bind, endpoint, &err) != 0) {
		log_error("front.bind", "endpoint=%s why=\"%s\" decision=\"going down\"",
		    b->settings->bind, err.text);
		b->exit_code = 69;
		loop_stop(b->loop);
		return;
	}
	b->is_bound = true;
	log_info("front.bound", "endpoint=%s", endpoint);
}

void
broker_state_changed(struct broker *b)
{
	bool is = broker_is_serving(b);

	if (b->is_draining)
		return;
	if (is != b->was_serving) {
		b->was_serving = is;
		log_info("serving", "now=%s epoch=%ju mode=%ju", is ? "yes" : "no",
		    (uintmax_t)b->epoch, (uintmax_t)b->mode);
		if (is) {
			bind_once(b);
			waiters_all(b->waiters);
			home_ready();
		}
	}
}

static void
tell_epoch(void *arg, struct session *s)
{
	struct broker *b = arg;

	answer_nack_to(b, s, &(struct nack){.code = "EPOCH", .kind = MSG_HELLO});
	if (!s->is_gone)
		session_end(b->sessions, s);
}

void
broker_epoch_changed(struct broker *b, uint64_t epoch)
{
	log_info("epoch.changed", "epoch=%ju was=%ju", (uintmax_t)epoch, (uintmax_t)b->epoch);
	if (b->epoch != 0)
		sessions_each(b->sessions, tell_epoch, b);
	b->epoch = epoch;
	b->has_claimant = false;
}

static void
end_revoked(struct broker *b, struct session *s)
{
	answer_nack_to(b, s, &(struct nack){.code = "REVOKED", .kind = MSG_HELLO, .text = "agent"});
	front_cut_soon(b->front, span_of(s->rid, s->rid_len));
	if (!s->is_gone)
		session_end(b->sessions, s);
	log_info("agent.cut", "why=revoked");
}

struct revoke {
	struct broker *b;
	const uint8_t *agent;
};

static void
end_if_agent(void *arg, struct session *s)
{
	struct revoke *r = arg;

	if (memcmp(s->agent, r->agent, sizeof(s->agent)) == 0)
		end_revoked(r->b, s);
}

void
broker_agent_revoked(struct broker *b, const uint8_t agent[16])
{
	struct revoke r = {b, agent};

	sessions_each(b->sessions, end_if_agent, &r);
}

static void
end_if_unlisted(void *arg, struct session *s)
{
	struct broker *b = arg;
	const struct agent *a = roster_agent_by_key(b->roster, s->curve_pk);

	if (a == NULL || !a->active || memcmp(a->id, s->agent, sizeof(a->id)) != 0)
		end_revoked(b, s);
}

void
broker_roster_loaded(struct broker *b)
{
	sessions_each(b->sessions, end_if_unlisted, b);
}
