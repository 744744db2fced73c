/* What Redis says to the recorder, and what the recorder says to Redis.
 *
 * Happy path: XREAD from the cursor that PostgreSQL keeps (no consumer group: a second memory would be a
 * second truth), later one FCALL with the marks of a batch. Failures: any lost connection ends the
 * source; an answer of another shape likewise; a mark that is refused means that this store is not the
 * one whose log was recorded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/rds.h"
#include "base/text.h"
#include "proto/call.h"
#include "proto/chain.h"
#include "workers/recorder/source_call.h"

int
source_open(struct source **ret, const struct home *h, name_t ret_campaign, struct err *err)
{
	struct source *s = xcalloc(1, sizeof(*s));

	if (home_redis(h, "recorder", &s->redis, err) != 0 ||
	    home_campaign(s->redis, NULL, s->campaign, err) != 0) {
		source_close(s);
		return -1;
	}
	memcpy(ret_campaign, s->campaign, sizeof(name_t));
	*ret = s;
	return 0;
}

static void
forget(struct source *s)
{
	if (s->reply != NULL)
		rds_sync_free(s->reply);
	s->reply = NULL;
	free(s->entry);
	free(s->pair);
	s->entry = NULL;
	s->pair = NULL;
}

void
source_call_end(struct source *s)
{
	if (s->calling)
		call_done(&s->call);
	s->calling = false;
}

void
source_close(struct source *s)
{
	if (s == NULL)
		return;
	forget(s);
	source_call_end(s);
	if (s->redis != NULL)
		rds_sync_close(s->redis);
	free(s);
}

/* A reply that is not an error; the caller frees it. */
int
source_ask(struct source *s, const struct span *argv, size_t argc, const struct rds_reply **ret,
    struct err *err)
{
	if (rds_sync_cmd(s->redis, argv, argc, ret, err) != 0)
		return -1;
	if (rds_type(*ret) == RDS_ERROR) {
		struct span text = rds_str(*ret);

		(void)err_set(
		    err, ERR_INVALID, "redis: %.*s", (int)text.len, (const char *)text.data);
		rds_sync_free(*ret);
		return -1;
	}
	return 0;
}

uint64_t
source_number(const struct rds_reply *r, size_t i)
{
	struct span s = rds_str(rds_at(r, i));
	uint64_t v = 0;

	return text_to_u64((const char *)s.data, s.len, &v) ? v : 0;
}

/* Which process answers; empty when it does not say. */
static int
run_id(struct source *s, char *ret, size_t size, struct err *err)
{
	struct span argv[] = {span_str("INFO"), span_str("server")}, text;
	const struct rds_reply *r;
	const char *at;

	if (source_ask(s, argv, 2, &r, err) != 0)
		return -1;
	text = rds_str(r);
	if (text.len > 0 && (at = memmem(text.data, text.len, "run_id:", 7)) != NULL)
		(void)snprintf(ret, size, "%.40s", at + 7);
	rds_sync_free(r);
	return 0;
}

int
source_meta(struct source *s, struct source_meta *ret, struct err *err)
{
	char meta[80], recorder[80];
	struct span m[] = {span_str("HMGET"),
	    span_str(call_key(meta, sizeof(meta), s->campaign, "meta")), span_str("epoch"),
	    span_str("incarnation"), span_str("opseq"), span_str("logno"), span_str("life_opseq"),
	    span_str("life_logno")};
	struct span k[] = {span_str("HGET"),
	    span_str(call_key(recorder, sizeof(recorder), s->campaign, "recorder")),
	    span_str("recorded")};
	const struct rds_reply *r;
	struct span text;

	memset(ret, 0, sizeof(*ret));
	if (run_id(s, ret->run_id, sizeof(ret->run_id), err) != 0 ||
	    source_ask(s, m, 8, &r, err) != 0)
		return -1;
	ret->epoch = source_number(r, 0);
	text = rds_str(rds_at(r, 1));
	if (!hex_decode(ret->incarnation, 16, (const char *)text.data, text.len))
		ret->epoch = 0;
	ret->opseq = source_number(r, 2);
	ret->logno = source_number(r, 3);
	ret->life_opseq = source_number(r, 4);
	ret->life_logno = source_number(r, 5);
	rds_sync_free(r);
	if (source_ask(s, k, 3, &r, err) != 0)
		return -1;
	if (!log_id_parse(rds_str(r), &ret->recorded))
		ret->recorded = (struct log_id){0, 0};
	rds_sync_free(r);
	return 0;
}

int
source_router(struct source *s, struct log_id *ret_cursor, struct log_id *ret_end, struct err *err)
{
	char key[80];
	struct span argv[] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), s->campaign, "router")), span_str("cursor")};
	const struct rds_reply *r;
	struct source_meta meta;

	if (source_ask(s, argv, 3, &r, err) != 0)
		return -1;
	if (!log_id_parse(rds_str(r), ret_cursor))
		*ret_cursor = (struct log_id){0, 0};
	rds_sync_free(r);
	if (source_meta(s, &meta, err) != 0)
		return -1;
	*ret_end = (struct log_id){meta.epoch, meta.logno};
	return 0;
}

int
source_call_send(struct source *s, struct err *err)
{
	const struct rds_reply *r;
	size_t argc;
	const struct span *argv = call_argv(&s->call, &argc);
	int rc = source_ask(s, argv, argc, &r, err);

	if (rc == 0)
		rds_sync_free(r);
	source_call_end(s);
	return rc;
}

int
source_touch(struct source *s, struct err *err)
{
	source_mark_begin(s, 0);
	return source_call_send(s, err);
}

int
source_halt(struct source *s, struct err *err)
{
	source_mark_begin(s, 0);
	call_entry(&s->call, "halt");
	call_str(&s->call, "store-regressed");
	return source_call_send(s, err);
}

int
source_box(struct source *s, const uint8_t ob[16], uint64_t *ret_upto, uint64_t *ret_settled,
    struct err *err)
{
	char name[40] = "ob:", key[100];
	const struct rds_reply *r;

	hex_encode(name + 3, ob, 16);
	struct span argv[] = {span_str("HMGET"),
	    span_str(call_key(key, sizeof(key), s->campaign, name)), span_str("upto"),
	    span_str("settled")};

	if (source_ask(s, argv, 4, &r, err) != 0)
		return -1;
	*ret_upto = source_number(r, 0);
	*ret_settled = source_number(r, 1);
	rds_sync_free(r);
	return 0;
}

/* "<curve pk hex64> <sign pk hex64> <state>" */
static bool
agent_row(struct span row, uint8_t ret_sign_pk[32])
{
	return row.len > 130 && row.data[64] == ' ' && row.data[129] == ' ' &&
	       hex_decode(ret_sign_pk, 32, (const char *)row.data + 65, 64);
}

int
source_agents(struct source *s, struct book *book, struct err *err)
{
	char key[80];
	struct span argv[] = {
	    span_str("HGETALL"), span_str(call_key(key, sizeof(key), s->campaign, "agents"))};
	const struct rds_reply *r;
	uint8_t agent[16], sign_pk[32];

	if (source_ask(s, argv, 2, &r, err) != 0)
		return -1;
	for (size_t i = 0; i + 1 < rds_len(r); i += 2) {
		struct span name = rds_str(rds_at(r, i));

		if (hex_decode(agent, 16, (const char *)name.data, name.len) &&
		    agent_row(rds_str(rds_at(r, i + 1)), sign_pk) &&
		    book_agent_find(book, agent) == NULL)
			book_agent(book, agent, sign_pk);
	}
	rds_sync_free(r);
	return 0;
}

/* ---- the log -------------------------------------------------------------------------------------- */

/* [[key, [[id, [name, value, …]], …]]] */
static int
view_entries(struct source *s, size_t *ret_n, struct err *err)
{
	const struct rds_reply *list = rds_at(rds_at(s->reply, 0), 1);
	size_t n = rds_len(list), spans = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		spans += rds_len(rds_at(rds_at(list, i), 1));
	s->entry = xcalloc(n + 1, sizeof(*s->entry));
	s->pair = xcalloc(spans + 1, sizeof(*s->pair));
	for (size_t i = 0; i < n; i++) {
		const struct rds_reply *fields = rds_at(rds_at(list, i), 1);
		struct raw_entry *e = &s->entry[i];

		e->id = rds_str(rds_at(rds_at(list, i), 0));
		e->pair = s->pair + at;
		e->n = rds_len(fields);
		if (e->id.len == 0)
			return err_set(err, ERR_CORRUPT, "redis: the log has another shape");
		for (size_t k = 0; k < e->n; k++)
			s->pair[at++] = rds_str(rds_at(fields, k));
	}
	*ret_n = n;
	return 0;
}

int
source_read(struct source *s, struct log_id after, size_t max, int block_ms,
    const struct raw_entry **ret, size_t *ret_n, struct err *err)
{
	char key[80], count[24], block[24], id[48];
	struct span argv[8];

	forget(s);
	snprintf(count, sizeof(count), "%zu", max);
	snprintf(block, sizeof(block), "%d", block_ms);
	snprintf(id, sizeof(id), "%ju-%ju", (uintmax_t)after.epoch, (uintmax_t)after.no);
	argv[0] = span_str("XREAD");
	argv[1] = span_str("COUNT");
	argv[2] = span_str(count);
	argv[3] = span_str("BLOCK");
	argv[4] = span_str(block);
	argv[5] = span_str("STREAMS");
	argv[6] = span_str(call_key(key, sizeof(key), s->campaign, "log"));
	argv[7] = span_str(id);
	if (source_ask(s, argv, 8, &s->reply, err) != 0) {
		s->reply = NULL;
		return -1;
	}
	*ret_n = 0;
	if (view_entries(s, ret_n, err) != 0)
		return -1;
	*ret = s->entry;
	return 0;
}

/* ---- marks ---------------------------------------------------------------------------------------- */

void
source_mark_begin(struct source *s, uint64_t epoch)
{
	source_call_end(s);
	call_begin(
	    &s->call, "hf1_recorder", s->campaign, clock_campaign_ms(), clock_wall_ms(), epoch);
	s->calling = true;
	s->marks = 0;
}

void
source_mark(struct source *s, unsigned level, const struct box *box, const uint8_t incarnation[16],
    const uint8_t sign_sk[64])
{
	struct frame f = {.kind = MSG_RECEIPT};
	struct msg_receipt *m = &f.u.receipt;
	struct buf signed_bytes = BUF_INIT, f0 = BUF_INIT;

	m->level = level;
	memcpy(m->ob, box->ob, sizeof(m->ob));
	m->upto = box->upto;
	memcpy(m->h, box->h, sizeof(m->h));
	memcpy(m->incarnation, incarnation, sizeof(m->incarnation));
	chain_receipt_bytes(&signed_bytes, m);
	crypt_sign(m->sig, sign_sk, buf_span(&signed_bytes));
	frame_encode(&f0, &f);
	call_entry(&s->call, "mark");
	call_bytes(&s->call, box->ob, sizeof(box->ob));
	call_u(&s->call, level);
	call_u(&s->call, box->upto);
	call_bytes(&s->call, box->h, sizeof(box->h));
	call_span(&s->call, buf_span(&f0));
	s->marks++;
	buf_done(&signed_bytes);
	buf_done(&f0);
}

static int
check_answers(const struct rds_reply *r, size_t wanted, struct err *err)
{
	if (rds_len(r) != 4 + wanted)
		return err_set(
		    err, ERR_CORRUPT, "redis: %zu answers to %zu marks", rds_len(r), wanted);
	for (size_t i = 4; i < 4 + wanted; i++) {
		struct span word = rds_str(rds_at(rds_at(r, i), 0));
		struct span why = rds_str(rds_at(rds_at(r, i), 1));

		if (!span_eq_str(word, "ok"))
			return err_set(err, ERR_STALE, "redis: mark refused: %.*s", (int)why.len,
			    (const char *)why.data);
	}
	return 0;
}

int
source_mark_send(struct source *s, struct log_id recorded, struct err *err)
{
	const struct rds_reply *r;
	const struct span *argv;
	char id[48];
	size_t argc;
	int rc;

	snprintf(id, sizeof(id), "%ju-%ju", (uintmax_t)recorded.epoch, (uintmax_t)recorded.no);
	call_entry(&s->call, "recorded");
	call_str(&s->call, id);
	argv = call_argv(&s->call, &argc);
	rc = source_ask(s, argv, argc, &r, err);
	if (rc == 0) {
		rc = check_answers(r, s->marks + 1, err);
		rds_sync_free(r);
	}
	source_call_end(s);
	return rc;
}
