/* gateway.c - rungs 1 and 2 of the search as messages through the college's gateway, off unless router.conf names one.
 *
 * Happy path: in calling hours, a case whose last call did not get through (or whose rung it is) and that has an own
 * mobile number of use; its task is opened, the campaign's text filled, posted with a key made of case and rung; the
 * gateway's yes becomes a MESSAGE record, which closes the rung. What wants a message is read off the cases' memory,
 * so a crash forgets nothing: the same key is posted again, and the gateway sends once. The record is a link of the
 * router's own chain: once. Failures: no answer, or one that is none, is tried again with the same key, later each time, gateway_tries times;
 * then, and when the gateway says no, the record says so and the task stays with the owner's own phone. A gateway that
 * is away is left alone for a while. No number, name or text is logged or kept. */
#include "workers/escalation/gateway.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/escalation/law_parts.h"
#include "workers/link/message.h"

#define LOOK_US    100000
#define AT_ONCE    4         /* messages under way */
#define NOBODY_US  600000000 /* no number to write to: looked at again then */
#define ANSWER_MAX 4096
#define SECRET_MAX 256

struct gateway {
	struct router *r;
	struct fetcher *fetcher;
	const char *url[GATEWAYS], *ca;
	char auth[SECRET_MAX + 32];
	struct map *jobs; /* case and rung -> struct job */
	int under_way;
	int64_t again_us, rest_us; /* rest: of the whole gateway after a silence */
	uint64_t tries;
	int64_t looked_at, rests_until;
};

struct job {
	bool busy, told;
	int64_t not_before;
	uint64_t tries;
	uint8_t number[8];
};

/* One question under way; it outlives a reload and is then nobody's. */
struct asked {
	struct gateway *g;
	uint64_t generation;
	uint8_t id[17]; /* case, rung */
};

void
gateway_key(char out[33], const uint8_t case_id[16], int rung)
{
	const uint8_t last = (uint8_t)rung;
	struct span parts[3] = {span_str("hf1-message"), span_of(case_id, 16), span_of(&last, 1)};
	uint8_t hash[HASH_LEN];

	crypt_hash(hash, parts, 3);
	hex_encode(out, hash, 16);
}

enum gateway_said
gateway_judge(long status, struct span body)
{
	json_t *o = body.len == 0 ? NULL : json_loadb((const char *)body.data, body.len, 0, NULL);
	const json_t *accepted = json_object_get(o, "accepted");
	enum gateway_said said = GATEWAY_SILENT;

	if (json_is_true(accepted) && status >= 200 && status < 300)
		said = GATEWAY_SENT;
	else if (json_is_false(accepted))
		said = GATEWAY_REFUSED;
	json_decref(o);
	return said;
}

/* ---- one message ---- */

static struct job *
job_of(struct gateway *g, const uint8_t id[17])
{
	struct job *j = map_get(g->jobs, id, 17);

	if (j == NULL) {
		j = xcalloc(1, sizeof(*j));
		(void)map_put(g->jobs, id, 17, j);
	}
	return j;
}

static void
tell(struct gateway *g, const struct asked *a, struct job *j, const char *verdict)
{
	struct message_told *m = xcalloc(1, sizeof(*m));

	memcpy(m->case_id, a->id, 16);
	memcpy(m->number, j->number, 8);
	m->rung = a->id[16];
	m->tries = j->tries;
	m->verdict = verdict;
	j->told = true;
	work_add(g->r, WORK_MESSAGE, m);
	log_info("message", "rung=%d tries=%ju verdict=%s", m->rung, (uintmax_t)j->tries, verdict);
	pump(g->r);
}

static void
silence(struct gateway *g, const struct asked *a, struct job *j, const struct fetch_answer *f)
{
	int64_t now = clock_boot_us();

	g->rest_us = g->rest_us == 0 ? g->again_us / 4 : 2 * g->rest_us;
	g->rest_us = g->rest_us > 4 * g->again_us ? 4 * g->again_us : g->rest_us;
	g->rests_until = now + g->rest_us;
	j->not_before = now + (g->again_us << (j->tries - 1));
	log_warn("message.silent", "rung=%d try=%ju status=%ld why=\"%s\" decision=\"%s\"",
	    a->id[16], (uintmax_t)j->tries, f->status,
	    f->status != 0 ? "not an answer of the gateway's" : f->why,
	    j->tries < g->tries ? "again with the same key" : "left to the owner's own phone");
	if (j->tries >= g->tries)
		tell(g, a, j, "failed");
}

static void
on_said(void *arg, const struct fetch_answer *f)
{
	struct asked *a = arg;
	struct gateway *g = a->g;
	struct job *j;

	if (a->generation != g->r->generation) {
		free(a);
		return;
	}
	j = job_of(g, a->id);
	j->busy = false;
	g->under_way--;
	switch (gateway_judge(f->status, f->body)) {
	case GATEWAY_SENT:
		g->rest_us = 0;
		tell(g, a, j, "sent");
		break;
	case GATEWAY_REFUSED:
		g->rest_us = 0;
		tell(g, a, j, "refused");
		break;
	case GATEWAY_SILENT: silence(g, a, j, f); break;
	}
	free(a);
}

/* {"to": …, "text": …}: nothing but what the message is. */
static void
post(struct gateway *g, struct asked *a, const char *to, const struct buf *text)
{
	const char *headers[] = {
	    "Content-Type: application/json", NULL, g->auth[0] != '\0' ? g->auth : NULL, NULL};
	char key[33], line[64];
	json_t *o = json_pack("{s:s s:s%}", "to", to, "text", text->data, text->len);
	char *body = json_dumps(o, JSON_COMPACT);

	gateway_key(key, a->id, a->id[16]);
	(void)snprintf(line, sizeof(line), "Idempotency-Key: %s", key);
	headers[1] = line;
	CHECK(body != NULL);
	job_of(g, a->id)->tries++;
	fetcher_post(g->fetcher, &(struct fetch_post){.url = g->url[a->id[16] - 1],
	                             .headers = headers,
	                             .body = span_str(body),
	                             .ca = g->ca,
	                             .timeout_ms = (long)conf_int(g->r->conf, "gateway_timeout"),
	                             .max = ANSWER_MAX,
	                             .done = on_said,
	                             .arg = a});
	crypt_wipe(body, strlen(body));
	free(body);
	json_decref(o);
}

/* 0 of no use, 1 not dialled yet, 2 dialled: the number that the call did not get through on is written to. */
static int
worth(const struct law_case *c, uint64_t id)
{
	for (int i = 0; i < c->n_numbers; i++)
		if (c->numbers[i].id == id)
			return !law_number_usable(c->numbers[i].state) ? 0
			       : c->numbers[i].state == NUMBER_NEW     ? 1
			                                               : 2;
	return 1;
}

/* The applicant's own mobile; false: there is none of use. */
static bool
own_mobile(const struct law_case *c, const struct task *t, const uint8_t key[32], char digits[16],
    uint8_t number[8])
{
	int best = 0;

	for (uint32_t i = 0; i < t->n_numbers; i++) {
		const struct task_number *n = &t->numbers[i];
		char text[16] = "";
		uint8_t id[8];

		if (!span_eq_str(n->kind, "self") || n->digits.len != 11 ||
		    n->digits.data[0] != '1')
			continue;
		memcpy(text, n->digits.data, n->digits.len);
		chain_number_id(id, key, text);
		if (worth(c, be64_get(id)) <= best)
			continue;
		best = worth(c, be64_get(id));
		memcpy(digits, text, sizeof(text));
		memcpy(number, id, sizeof(id));
	}
	return best > 0;
}

static void
with_task(struct gateway *g, struct asked *a, const struct rcase *c, struct span sealed)
{
	const uint8_t *key = seal_key(g->r, a->id);
	struct job *j = job_of(g, a->id);
	struct buf plain = BUF_INIT, text = BUF_INIT;
	char digits[16] = "";
	struct task t;

	if (key != NULL && chain_task_open(&plain, key, a->id, sealed, NULL) == 0 &&
	    task_decode(&t, buf_span(&plain), NULL) == 0 &&
	    own_mobile(&c->law, &t, key, digits, j->number)) {
		message_fill(
		    &text, g->r->policy->templates[a->id[16] - 1], t.name, t.batch, t.major);
		post(g, a, digits, &text);
	} else {
		j->busy = false;
		j->not_before = clock_boot_us() + NOBODY_US;
		g->under_way--;
		free(a);
	}
	crypt_wipe(digits, sizeof(digits));
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.cap);
	if (text.data != NULL)
		crypt_wipe(text.data, text.cap);
	buf_done(&plain);
	buf_done(&text);
}

/* Somebody may have got through meanwhile, or taken the case: then it is looked at again. */
static bool
wants(const struct router *r, const struct rcase *c, int rung)
{
	return !c->held && !r->is_doubt && law_wants_message(&c->law, r->policy, rung);
}

static void
on_task(void *arg, const struct rds_reply *reply, const struct err *err)
{
	struct asked *a = arg;
	struct gateway *g = a->g;
	struct rcase *c;

	if (a->generation != g->r->generation) {
		free(a);
		return;
	}
	c = case_find(g->r, a->id);
	if (err == NULL && c != NULL && wants(g->r, c, a->id[16])) {
		with_task(g, a, c, rds_str(reply));
		return;
	}
	job_of(g, a->id)->busy = false;
	g->under_way--;
	free(a);
}

/* ---- which ---- */

static void
begin(struct gateway *g, const struct rcase *c, int rung)
{
	char key[128];
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_of(c->id, 16)};
	struct asked *a = xcalloc(1, sizeof(*a));

	a->g = g;
	a->generation = g->r->generation;
	memcpy(a->id, c->id, 16);
	a->id[16] = (uint8_t)rung;
	job_of(g, a->id)->busy = true;
	g->under_way++;
	argv[1] = span_str(call_key(key, sizeof(key), g->r->campaign, "tasks"));
	rds_cmd(g->r->link, argv, 3, CALL_US, on_task, a);
}

static void
look_at(struct router *r, struct rcase *c, void *arg)
{
	struct gateway *g = arg;

	for (int rung = 1; rung <= GATEWAYS; rung++) {
		uint8_t id[17];
		struct job *j;

		if (g->under_way >= AT_ONCE || g->url[rung - 1][0] == '\0' ||
		    r->policy->templates[rung - 1][0] == '\0' || !wants(r, c, rung) ||
		    seal_key(r, c->id) == NULL)
			continue;
		memcpy(id, c->id, 16);
		id[16] = (uint8_t)rung;
		j = job_of(g, id);
		if (!j->busy && !j->told && clock_boot_us() >= j->not_before)
			begin(g, c, rung);
	}
}

void
gateway_look(struct router *r)
{
	struct gateway *g = r->gateway;
	int64_t now = clock_boot_us(), at = clock_campaign_ms();

	if (g == NULL || now - g->looked_at < LOOK_US || now < g->rests_until || r->is_doubt ||
	    r->mode != MODE_NORMAL || r->policy == NULL ||
	    calendar_open(&r->calendar, HOURS_CALLING, at) != at)
		return;
	g->looked_at = now;
	case_all(r, look_at, g);
}

/* ---- life ---- */

static int
take_url(struct gateway *g, int i, const char *name, struct err *err)
{
	g->url[i] = conf_str(g->r->conf, name);
	if (g->url[i][0] != '\0' && !fetch_is_safe(g->url[i]))
		return err_set(err, ERR_INVALID,
		    "router.conf %s: https://, or http:// to this machine; numbers and names go "
		    "there",
		    name);
	return 0;
}

int
gateway_open(struct router *r, struct err *err)
{
	struct gateway *g = xcalloc(1, sizeof(*g));
	char secret[SECRET_MAX] = "";
	struct err why = ERR_INIT;
	int got;

	g->r = r;
	got = take_url(g, 0, "gateway_sms", err);
	if (got == 0)
		got = take_url(g, 1, "gateway_im", err);
	if (got != 0 || (g->url[0][0] == '\0' && g->url[1][0] == '\0')) {
		free(g);
		return got;
	}
	g->ca = conf_str(r->conf, "gateway_ca");
	g->again_us = 1000 * conf_int(r->conf, "gateway_again");
	g->tries = (uint64_t)conf_int(r->conf, "gateway_tries");
	if (home_secret(&r->home, "gateway", secret, sizeof(secret), &why) == 0) {
		(void)snprintf(g->auth, sizeof(g->auth), "Authorization: Bearer %s", secret);
	} else if (why.code != ERR_NOT_FOUND) {
		free(g);
		return err_set(err, why.code, "%s", why.text);
	} else {
		log_warn("gateway", "decision=\"no secrets/gateway, posting without one\"");
	}
	crypt_wipe(secret, sizeof(secret));
	g->fetcher = fetcher_create(r->loop);
	g->jobs = map_create();
	r->gateway = g;
	log_info("gateway", "sms=%d im=%d", g->url[0][0] != '\0', g->url[1][0] != '\0');
	return 0;
}

void
gateway_forget(struct router *r)
{
	struct gateway *g = r->gateway;

	if (g == NULL)
		return;
	map_destroy(g->jobs, free);
	g->jobs = map_create();
	g->under_way = 0;
}

void
gateway_close(struct router *r)
{
	struct gateway *g = r->gateway;

	if (g == NULL)
		return;
	fetcher_destroy(g->fetcher);
	map_destroy(g->jobs, free);
	crypt_wipe(g->auth, sizeof(g->auth));
	free(g);
	r->gateway = NULL;
}
