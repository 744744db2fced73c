/* store.c - finds the campaign, looks whether the store deserves trust, attaches, carries batches.
 *
 * Attach says which store we knew: its incarnation, and the highest epoch and opseq that any
 * reply told us, and whether its log still says what we read last: the router may write into an
 * older copy before we come, and raise its opseq over ours. A store that is older than that halts
 * itself (H13). We call ourselves a witness only after we saw it NORMAL: a broker that came up
 * with the store knows nothing of the leases before. What an older store counts and says teaches
 * us nothing: when the right one comes back, it is known by what we saw of it. A new epoch was
 * opened by an operator on purpose, so there we begin as a stranger. A
 * call that fails, is late or is answered by an error has an unknown outcome; we look and attach
 * again. */
#include "broker/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rds.h"
#include "base/text.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/guard.h"
#include "broker/settings.h"
#include "proto/call.h"
#include "workers/link/home.h"

#define STEP_TIMEOUT_US 3000000
#define RETRY_US        1000000

struct store {
	struct broker *b; /* borrowed */
	struct rds *link;
	struct loop_timer *retry, *look;
	struct answer answer;   /* of the batch in flight, memory kept */
	bool is_ready, is_busy; /* busy: a step of coming up is under way */
	bool said_waiting;
	/* the store that we know */
	bool was_normal;
	bool is_older; /* the attached one is behind what we saw of it, and halted itself */
	char incarnation[65];
	char run_id[64]; /* of the Redis in which we saw it last */
	char seen_id[48],
	    seen_e[128]; /* "" none; of the newest entry that we read while attached */
};

static void begin(void *arg);

struct rds *
store_link(const struct store *s)
{
	return s->link;
}

bool
store_is_ready(const struct store *s)
{
	return s->is_ready;
}

bool
store_is_connected(const struct store *s)
{
	return rds_connected(s->link);
}

/* Back to down; again after a while if the connection stands (else when it comes back). */
static void
fall_back(struct store *s)
{
	s->is_busy = false;
	if (s->is_ready) {
		s->is_ready = false;
		batch_close(s->b->batch);
		broker_state_changed(s->b);
	}
	loop_timer_after(s->retry, RETRY_US);
}

static void
step_failed(struct store *s, const char *step, const char *why)
{
	log_warn("store.not_ready", "step=%s why=\"%s\" decision=\"again in 1 s\"", step, why);
	fall_back(s);
}

/* ---- the replies of batches ---- */

static void
learn(struct store *s, const struct answer *a)
{
	struct broker *b = s->b;

	if (a->mode != b->mode)
		log_info(
		    "mode.changed", "mode=%ju was=%ju", (uintmax_t)a->mode, (uintmax_t)b->mode);
	b->mode = a->mode;
	if (s->is_older)
		return; /* what it counts is of another story */
	if (a->epoch == b->epoch && a->opseq > b->opseq)
		b->opseq = a->opseq;
	if (a->mode == MODE_NORMAL)
		s->was_normal = true;
}

static bool
head_u(const struct rds_reply *r, size_t i, uint64_t *ret)
{
	struct span s = rds_str(rds_at(r, i));

	return text_to_u64((const char *)s.data, s.len, ret);
}

/* [mode, epoch, opseq, logno, [field, …], …] */
static bool
read_answer(struct answer *a, const struct rds_reply *r)
{
	answer_start(a);
	if (rds_type(r) != RDS_ARRAY || !head_u(r, 0, &a->mode) || !head_u(r, 1, &a->epoch) ||
	    !head_u(r, 2, &a->opseq) || !head_u(r, 3, &a->logno))
		return false;
	for (size_t i = 4; i < rds_len(r); i++) {
		const struct rds_reply *row = rds_at(r, i);

		answer_entry(a);
		for (size_t j = 0; j < rds_len(row); j++)
			answer_field(a, rds_str(rds_at(row, j)));
	}
	return true;
}

static void
on_call(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct store *s = arg;
	struct broker *b = s->b;
	bool is_known;

	if (err != NULL || !read_answer(&s->answer, r)) {
		struct span said = rds_str(r);

		b->stats.batches_unknown++;
		log_warn("batch.unknown", "why=\"%.*s\" decision=\"no answer, agents repeat\"",
		    err != NULL ? (int)strlen(err->text) : (int)said.len,
		    err != NULL ? err->text : (const char *)said.data);
		batch_lost(b->batch);
		fall_back(s);
		return;
	}
	learn(s, &s->answer);
	is_known = !s->is_older && s->answer.epoch == b->epoch && s->answer.opseq >= b->opseq;
	batch_answered(b->batch, &s->answer, is_known);
	if (is_known)
		return;
	log_error("store.other_epoch",
	    "epoch=%ju opseq=%ju known_epoch=%ju known_opseq=%ju "
	    "decision=\"attach again\"",
	    (uintmax_t)s->answer.epoch, (uintmax_t)s->answer.opseq, (uintmax_t)b->epoch,
	    (uintmax_t)b->opseq);
	fall_back(s);
	loop_timer_after(s->retry, 0);
}

void
store_send_batch(void *arg, const struct span *argv, size_t argc)
{
	struct store *s = arg;

	s->b->stats.batches++;
	rds_cmd(s->link, argv, argc, s->b->settings->call_timeout_us, on_call, s);
	rds_push(s->link);
}

/* ---- attach ---- */

static void
attached(struct store *s, const struct answer *a)
{
	struct broker *b = s->b;
	struct reply r = reply_of(a, 0);

	if (r.outcome != DONE_OK) {
		char said[80];

		reply_text(&r, 0, said, sizeof(said));
		step_failed(s, "attach", said);
		return;
	}
	s->is_older = reply_is(&r, 2, "older");
	if (!s->is_older) {
		reply_text(&r, 0, s->incarnation, sizeof(s->incarnation));
		(void)snprintf(s->run_id, sizeof(s->run_id), "%s", guard_run_id(b->guard));
		s->was_normal = false;
	}
	if (a->epoch != b->epoch && !s->is_older) {
		b->opseq = 0;
		s->seen_id[0] = '\0';
		broker_epoch_changed(b, a->epoch);
	}
	learn(s, a);
	log_info("store.attached", "epoch=%ju opseq=%ju mode=%ju", (uintmax_t)a->epoch,
	    (uintmax_t)a->opseq, (uintmax_t)a->mode);
	s->is_busy = false;
	s->is_ready = true;
	s->said_waiting = false;
	batch_open(b->batch, b->epoch);
	broker_state_changed(b);
}

static void
on_attach(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct store *s = arg;

	if (err != NULL) {
		step_failed(s, "attach", err->text);
	} else if (!read_answer(&s->answer, r) || s->answer.n != 1) {
		struct span said = rds_str(r);
		char text[120];

		(void)snprintf(text, sizeof(text), "%.*s", (int)said.len, (const char *)said.data);
		step_failed(s, "attach", text);
	} else {
		attached(s, &s->answer);
	}
}

void
store_saw(struct store *s, struct span id, struct span e)
{
	if (!s->is_ready || s->is_older || id.len >= sizeof(s->seen_id) ||
	    e.len >= sizeof(s->seen_e))
		return;
	(void)snprintf(s->seen_id, sizeof(s->seen_id), "%.*s", (int)id.len, (const char *)id.data);
	(void)snprintf(s->seen_e, sizeof(s->seen_e), "%.*s", (int)e.len, (const char *)e.data);
}

static void
send_attach(struct store *s, bool as_witness, bool is_other)
{
	struct call c;
	const struct span *argv;
	size_t argc;

	call_begin(&c, "hf1_broker", s->b->campaign, clock_campaign_ms(), clock_wall_ms(), 0);
	call_entry(&c, "attach");
	call_str(&c, guard_run_id(s->b->guard));
	call_str(&c, as_witness ? s->incarnation : "");
	call_u(&c, as_witness ? s->b->epoch : 0);
	call_u(&c, as_witness ? s->b->opseq : 0);
	call_str(&c, is_other ? "1" : "0");
	call_u(&c, as_witness && strcmp(s->run_id, guard_run_id(s->b->guard)) != 0);
	argv = call_argv(&c, &argc);
	rds_cmd(s->link, argv, argc, STEP_TIMEOUT_US, on_attach, s);
	call_done(&c);
}

/* The newest entry up to the one that we read last. None: the log is trimmed further than that. */
static void
on_seen(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct store *s = arg;
	const struct rds_reply *entry = rds_at(r, 0), *fields = rds_at(entry, 1);
	bool is_other = rds_len(r) > 0 && !span_eq_str(rds_str(rds_at(entry, 0)), s->seen_id);

	if (err != NULL || rds_type(r) != RDS_ARRAY) {
		step_failed(s, "log", err != NULL ? err->text : "refused");
		return;
	}
	for (size_t i = 0; i + 1 < rds_len(fields); i += 2)
		if (span_eq_str(rds_str(rds_at(fields, i)), "e"))
			is_other =
			    is_other || !span_eq_str(rds_str(rds_at(fields, i + 1)), s->seen_e);
	send_attach(s, true, is_other);
}

static void
ask_seen(struct store *s)
{
	char key[80];
	struct span argv[] = {span_str("XREVRANGE"),
	    span_str(call_key(key, sizeof(key), s->b->campaign, "log")), span_str(s->seen_id),
	    span_str("-"), span_str("COUNT"), span_str("1")};

	rds_cmd(s->link, argv, 6, STEP_TIMEOUT_US, on_seen, s);
}

/* The campaign's epoch, before we show ourselves. */
static void
on_meta(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct store *s = arg;
	struct broker *b = s->b;
	struct span text = rds_str(r);
	uint64_t epoch = 0;

	if (err != NULL || rds_type(r) == RDS_ERROR) {
		step_failed(s, "meta", err != NULL ? err->text : "refused");
		return;
	}
	if (!text_to_u64((const char *)text.data, text.len, &epoch) && b->epoch > 0) {
		b->mode = MODE_HALTED;
		step_failed(s, "meta", "the store lost the campaign; see hfctl recover redis");
		return;
	}
	if (epoch == 0) {
		fall_back(s); /* not opened yet */
		return;
	}
	if (!s->was_normal || epoch > b->epoch)
		send_attach(s, false, false);
	else if (s->seen_id[0] == '\0')
		send_attach(s, true, false);
	else
		ask_seen(s);
}

static void
on_looked(void *arg, bool ok)
{
	struct store *s = arg;
	char key[80];
	struct span argv[] = {span_str("HGET"), {NULL, 0}, span_str("epoch")};

	if (!ok || !guard_is_durable(s->b->guard)) {
		fall_back(s);
		return;
	}
	argv[1] = span_str(call_key(key, sizeof(key), s->b->campaign, "meta"));
	rds_cmd(s->link, argv, 3, STEP_TIMEOUT_US, on_meta, s);
}

/* ---- which campaign ---- */

static void
wait_for_campaign(struct store *s, const char *why)
{
	if (!s->said_waiting)
		log_info("campaign.waiting", "why=\"%s\"", why);
	s->said_waiting = true;
	home_ready(); /* whoever waits for us need not wait for the campaign too */
	fall_back(s);
}

static void
on_campaigns(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct store *s = arg;
	const char *wanted = s->b->settings->campaign;
	struct span found = {NULL, 0};

	if (err != NULL || rds_type(r) == RDS_ERROR) {
		step_failed(s, "campaign", err != NULL ? err->text : "refused");
		return;
	}
	for (size_t i = 0; i < rds_len(r); i++) {
		struct span name = rds_str(rds_at(r, i));

		if (wanted[0] != '\0' ? span_eq_str(name, wanted) : rds_len(r) == 1)
			found = name;
	}
	if (found.len == 0 || !text_is_id((const char *)found.data, found.len)) {
		wait_for_campaign(
		    s, rds_len(r) > 1 ? "several and none named in HF_CAMPAIGN" : "not there yet");
		return;
	}
	{
		char name[33];

		(void)snprintf(
		    name, sizeof(name), "%.*s", (int)found.len, (const char *)found.data);
		log_info("campaign.found", "campaign=%s", name);
		broker_begin(s->b, name);
	}
	s->is_busy = false;
	begin(s);
}

static void
begin(void *arg)
{
	struct store *s = arg;
	struct span argv[] = {span_str("SMEMBERS"), span_str("hf:campaigns")};

	if (s->is_busy || s->is_ready || !rds_connected(s->link) || s->b->is_draining)
		return;
	s->is_busy = true;
	if (s->b->campaign[0] == '\0')
		rds_cmd(s->link, argv, 2, STEP_TIMEOUT_US, on_campaigns, s);
	else
		guard_look(s->b->guard, on_looked, s);
}

/* ---- the periodic look, and the link ---- */

static void
on_looked_again(void *arg, bool ok)
{
	struct store *s = arg;

	s->is_busy = false;
	if (ok)
		broker_state_changed(s->b);
	if (!s->is_ready)
		begin(s);
}

static void
on_look(void *arg)
{
	struct store *s = arg;

	if (!s->is_ready || s->is_busy)
		return;
	s->is_busy = true;
	guard_look(s->b->guard, on_looked_again, s);
}

static void
on_state(void *arg, bool connected)
{
	struct store *s = arg;

	if (connected) {
		log_info("store.connected", "address=%s", s->b->settings->home.redis);
		begin(s);
		return;
	}
	log_warn("store.lost", "why=\"%s\" decision=\"connecting again\"", rds_trouble(s->link));
	fall_back(s);
}

static void
on_witnessed(void *arg, const struct reply *r)
{
	(void)arg;
	if (r->outcome == DONE_OK && r->mode == MODE_HALTED)
		log_error("store.regressed", "decision=\"halted; see hfctl recover redis\"");
}

void
store_witness(struct store *s, uint64_t epoch, uint64_t opseq)
{
	struct op *o;

	if (!s->is_ready || s->incarnation[0] == '\0')
		return;
	o = op_create("attach", on_witnessed, s);
	op_str(o, guard_run_id(s->b->guard));
	op_str(o, s->incarnation);
	op_u(o, epoch);
	op_u(o, opseq);
	op_str(o, "1"); /* it was behind when they said HELLO, whatever it has counted since */
	op_submit(s->b->batch, o);
}

struct store *
store_create(struct broker *b)
{
	struct store *s = xcalloc(1, sizeof(*s));
	const struct settings *set = b->settings;
	bool has_user = set->redis_password[0] != '\0';

	s->b = b;
	s->retry = loop_timer_create(b->loop, begin, s);
	s->look = loop_timer_create(b->loop, on_look, s);
	loop_timer_every(s->look, set->check_us);
	s->link = rds_create(b->loop, set->home.redis, has_user ? "broker" : NULL,
	    has_user ? set->redis_password : NULL, on_state, s);
	return s;
}

void
store_destroy(struct store *s)
{
	if (s == NULL)
		return;
	rds_destroy(s->link);
	loop_timer_destroy(s->retry);
	loop_timer_destroy(s->look);
	answer_done(&s->answer);
	free(s);
}
