/* test_queue_fake.c - the fake answers like Redis: random call sequences of queue.lua run on both, every
 * reply, the whole log and every case compared; after each sequence every case is in exactly one lane
 * or under exactly one lease. Every fourth world has a twin that gets each entry in a call of its own: a
 * batch says and does what its entries say and do one by one.
 *
 * A world (one campaign) lives for 25 sequences. The fake runs at once; Redis gets the same commands
 * pipelined and its replies are compared as they come. HF_SEQUENCES sets how many (default 100000, a
 * tenth of it under a sanitizer), HF_SEED the first world; a difference names its world:
 * HF_SEED=that HF_SEQUENCES=25 plays it again. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/rds.h"
#include "base/text.h"
#include "proto/call.h"
#include "tests/lib/fake_redis.h"
#include "tests/lib/redis_server.h"

#define CASES   6
#define PERSONS 3
#define OBS     3
#define LIFE    25  /* sequences of one world */
#define AHEAD   400 /* commands on their way to Redis */

#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 10000
#else
#define SEQUENCES 100000
#endif

static const char *const persons[PERSONS] = {"p01", "p02", "s1"};
static const char *const lanes[] = {
    "pool", "own:p01:first", "own:p02:retry", "team:t1", "strike", "terminal"};
static const char agent[] = "abababababababababababababababab";

struct world {
	uint64_t rng, seed;
	int64_t now;
	char campaign[24];
	struct fake_redis *redis;
	struct fake_redis *twin; /* NULL: this world has none */
	struct fake_queue *queue;
	struct loop *loop;
	struct loop_timer *limit;
	struct rds *real;
	size_t pending;
	uint64_t upto[OBS];
	uint8_t h[OBS][32];
	char token[CASES][17];
	uint64_t version[CASES];
};

static uint64_t
rnd(struct world *w, uint64_t n)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return (w->rng >> 11) % n;
}

static void
case_id(uint8_t out[16], uint64_t i)
{
	memset(out, 'C', 16);
	out[15] = (uint8_t)i;
}

static void
ob_id(uint8_t out[16], uint64_t i)
{
	memset(out, 'O', 16);
	out[15] = (uint8_t)i;
}

/* ---- both sides ---- */

static void
real_text(struct buf *out, const struct rds_reply *r)
{
	struct span s;

	switch (rds_type(r)) {
	case RDS_NIL: buf_adds(out, "nil "); break;
	case RDS_INT: buf_addf(out, "%" PRId64 " ", rds_int(r)); break;
	case RDS_ERROR: buf_adds(out, "error "); break;
	case RDS_STATUS:
	case RDS_STR:
		s = rds_str(r);
		buf_addf(out, "%zu:", s.len);
		buf_add(out, s.data, s.len);
		buf_addc(out, ' ');
		break;
	case RDS_ARRAY:
		buf_addc(out, '[');
		for (size_t i = 0; i < rds_len(r); i++)
			real_text(out, rds_at(r, i));
		buf_addc(out, ']');
		break;
	}
}

/* One entry of XRANGE as the fake prints it: id, then all fields in one string. */
static void
real_log_text(struct buf *out, const struct rds_reply *r)
{
	struct buf fields = BUF_INIT;

	buf_addc(out, '[');
	for (size_t i = 0; i < rds_len(r); i++) {
		const struct rds_reply *pairs = rds_at(rds_at(r, i), 1);

		buf_clear(&fields);
		real_text(out, rds_at(rds_at(r, i), 0));
		for (size_t j = 0; j < rds_len(pairs); j++) {
			buf_addf(&fields, "%zu:", rds_str(rds_at(pairs, j)).len);
			buf_add(
			    &fields, rds_str(rds_at(pairs, j)).data, rds_str(rds_at(pairs, j)).len);
		}
		buf_addf(out, "%zu:", fields.len);
		buf_add(out, fields.data, fields.len);
		buf_addc(out, ' ');
	}
	buf_addc(out, ']');
	buf_done(&fields);
}

struct expected {
	struct world *w;
	uint64_t seed;
	bool log;
	struct buf text;
};

static void
on_reply(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct expected *e = arg;
	struct buf real = BUF_INIT;

	if (err != NULL)
		fail_msg("redis: %s", err->text);
	if (e->log)
		real_log_text(&real, r);
	else
		real_text(&real, r);
	if (!span_eq(buf_span(&e->text), buf_span(&real))) {
		print_error("world %" PRIu64 " differs\n fake: %.*s\n real: %.*s\n", e->seed,
		    (int)e->text.len, (char *)e->text.data, (int)real.len, (char *)real.data);
		fail();
	}
	if (--e->w->pending == 0)
		loop_stop(e->w->loop);
	buf_done(&real);
	buf_done(&e->text);
	free(e);
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("redis did not answer within 20 s");
}

static void
drain(struct world *w)
{
	if (w->pending == 0)
		return;
	loop_timer_after(w->limit, 20000000);
	loop_run(w->loop);
	loop_timer_stop(w->limit);
}

/* The same argv to both; the fake's reply is left in ret. */
static void
both(struct world *w, const struct span *argv, size_t argc, bool fcall, bool log, struct fv *ret)
{
	struct expected *e = xcalloc(1, sizeof(*e));

	if (fcall)
		fake_queue_fcall(w->queue, argv, argc, ret);
	else
		fake_redis_cmd(w->redis, argv, argc, ret);
	*e = (struct expected){.w = w, .seed = w->seed, .log = log};
	fv_text(&e->text, ret);
	w->pending++;
	rds_cmd(w->real, argv, argc, 15000000, on_reply, e);
	if (w->pending >= AHEAD)
		drain(w);
}

/* ---- random entries: mostly sensible ---- */
static const char *
some_person(struct world *w)
{
	return rnd(w, 40) == 0 ? "nobody" : rnd(w, 60) == 0 ? "Bad Name" : persons[rnd(w, PERSONS)];
}

static void
add_ob(struct world *w, struct call *c, uint64_t i)
{
	uint8_t ob[16];

	ob_id(ob, i);
	call_bytes(c, ob, rnd(w, 80) == 0 ? 15 : 16);
}

static void
add_case(struct world *w, struct call *c, uint64_t i)
{
	uint8_t id[16];

	case_id(id, i);
	call_bytes(c, id, rnd(w, 80) == 0 ? 3 : 16);
}

static void
add_token(struct world *w, struct call *c, uint64_t i)
{
	switch (rnd(w, 12)) {
	case 0: call_str(c, "0000000000000000"); break;
	case 1: call_str(c, "0000010000000001"); break;
	case 2: call_str(c, "nonsense"); break;
	default: call_str(c, w->token[i][0] != '\0' ? w->token[i] : "0000000000000000");
	}
}

static void
entry_record(struct world *w, struct call *c)
{
	uint64_t o = rnd(w, OBS), i = rnd(w, CASES);
	uint8_t h[32];
	bool good = rnd(w, 12) != 0;

	memset(h, (int)rnd(w, 200), 32);
	call_entry(c, "record");
	add_ob(w, c, o);
	call_u(c, good ? w->upto[o] + 1 : rnd(w, 6));
	call_bytes(c, good ? w->h[o] : h, 32);
	call_bytes(c, h, 32);
	call_str(c, some_person(w));
	call_u(c, rnd(w, 4) == 0 ? 2 : 1);
	call_u(c, rnd(w, 3) == 0 ? rnd(w, 128) : 7);
	if (rnd(w, 8) == 0)
		call_str(c, "");
	else
		add_case(w, c, i);
	add_token(w, c, i);
	call_u(c, rnd(w, 4) == 0 ? w->version[i] : 0);
	call_str(c, "f0");
	call_str(c, "body");
	call_str(c, "header");
	if (rnd(w, 5) == 0)
		call_str(c, rnd(w, 9) == 0 ? "No Word" : "role");
}

static void
entry_grant(struct world *w, struct call *c)
{
	call_entry(c, "grant");
	add_ob(w, c, rnd(w, OBS));
	call_str(c, some_person(w));
	call_u(c, rnd(w, 5) + 1);
	if (rnd(w, 6) == 0)
		call_u(c, rnd(w, 4));
}

static void
entry_take(struct world *w, struct call *c)
{
	call_entry(c, "take");
	add_ob(w, c, rnd(w, OBS));
	call_str(c, some_person(w));
	call_u(c, rnd(w, 5) + 1);
	add_case(w, c, rnd(w, CASES + 1));
	call_str(c, rnd(w, 2) == 0 ? "team:* strike" : "");
}

static void
entry_lease(struct world *w, struct call *c)
{
	uint64_t i = rnd(w, CASES), which = rnd(w, 3);

	call_entry(c, which == 0 ? "renew" : which == 1 ? "giveback" : "expire");
	if (which != 2)
		add_ob(w, c, rnd(w, OBS));
	add_case(w, c, i);
	add_token(w, c, i);
	if (which == 1)
		call_str(c, "class");
	else
		call_u(c, rnd(w, 3));
}

static void
entry_hello(struct world *w, struct call *c)
{
	uint64_t o = rnd(w, OBS), i = rnd(w, CASES);

	call_entry(c, "hello");
	add_ob(w, c, o);
	call_str(c, rnd(w, 20) == 0 ? "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" : agent);
	call_u(c, rnd(w, 10) == 0 ? 0 : w->upto[o]);
	call_bytes(c, w->h[o], 32);
	call_str(c, "2");
	call_str(c, "p01");
	call_str(c, persons[rnd(w, PERSONS)]);
	call_str(c, "1");
	add_case(w, c, i);
	add_token(w, c, i);
}

static void
entry_look(struct world *w, struct call *c)
{
	switch (rnd(w, 7)) {
	case 0:
		call_entry(c, "own");
		call_str(c, some_person(w));
		call_u(c, rnd(w, 2));
		break;
	case 1:
		call_entry(c, "lane");
		call_str(c, lanes[rnd(w, 6)]);
		call_u(c, 0);
		break;
	case 2:
		call_entry(c, "case");
		add_case(w, c, rnd(w, CASES + 1));
		break;
	case 3:
		call_entry(c, "number");
		call_bytes(c, "12345678", 8);
		break;
	case 4:
		call_entry(c, "leases");
		call_str(c, "");
		break;
	case 5:
		call_entry(c, "sync");
		add_ob(w, c, rnd(w, OBS));
		break;
	default: call_entry(c, "me"); call_str(c, some_person(w));
	}
}

#include "tests/sim/queue_files.h"
static void
broker_entry(struct world *w, struct call *c)
{
	switch (rnd(w, 11)) {
	case 10: entry_blob(w, c); break;
	case 0:
	case 1: entry_grant(w, c); break;
	case 2: entry_take(w, c); break;
	case 3:
	case 4:
	case 5: entry_record(w, c); break;
	case 6:
	case 7: entry_lease(w, c); break;
	case 8: entry_hello(w, c); break;
	default: entry_look(w, c);
	}
}

static void
router_entry(struct world *w, struct call *c)
{
	uint64_t i = rnd(w, CASES);

	switch (rnd(w, 7)) {
	case 0:
		call_entry(c, "gate");
		call_u(c, rnd(w, 5) == 0 ? (uint64_t)w->now + 50 : 0);
		call_u(c, rnd(w, 3) == 0 ? 0 : (uint64_t)w->now + 90);
		break;
	case 1:
		call_entry(c, "offer");
		call_str(c, persons[rnd(w, PERSONS)]);
		call_u(c, rnd(w, 4));
		for (uint64_t n = rnd(w, 5); n > 0; n--)
			call_str(c, rnd(w, 40) == 0 ? "Not a lane" : lanes[rnd(w, 6)]);
		break;
	case 2:
		call_entry(c, "number");
		add_case(w, c, i);
		call_str(c, rnd(w, 3) == 0 ? "1234567" : "12345678");
		break;
	case 3:
		call_entry(c, "pause");
		call_u(c, rnd(w, 8) == 0);
		break;
	default:
		call_entry(c, "place");
		add_case(w, c, i);
		call_u(c, rnd(w, 6) == 0 ? rnd(w, 9) : w->version[i]);
		call_str(c, "1-5");
		call_str(c, "blob|with bars");
		if (rnd(w, 5) == 0)
			break;
		call_str(c, lanes[rnd(w, 6)]);
		call_u(c, (uint64_t)w->now + rnd(w, 3) * 20);
		call_str(c, "retry");
		call_str(c, "in two hours");
		call_str(c, rnd(w, 4) == 0 ? "-" : rnd(w, 2) == 0 ? "" : persons[rnd(w, PERSONS)]);
	}
}

static void
begin(struct world *w, struct call *c, const char *function)
{
	call_begin(c, function, w->campaign, w->now, w->now + 7, rnd(w, 50) == 0 ? 9 : rnd(w, 2));
}

#define HEAD 7 /* FCALL function 1 key now wall epoch */

/* The entries of a batch one by one, at the twin; r is what the batch said. */
static void
one_by_one(struct world *w, const struct span *argv, size_t argc, const struct fv *r)
{
	struct span one[64];
	size_t n = 4;

	fake_queue_use(w->queue, w->twin);
	memcpy(one, argv, HEAD * sizeof(*one));
	for (size_t i = HEAD; i < argc; n++) {
		uint64_t args = 0;
		size_t len;
		struct buf together = BUF_INIT, apart = BUF_INIT;
		struct fv a;

		for (size_t d = 0; d < argv[i + 1].len; d++)
			args = 10 * args + argv[i + 1].data[d] - '0';
		len = 2 + args;
		assert_true(HEAD + len <= 64 && n < r->n);
		memcpy(one + HEAD, argv + i, len * sizeof(*one));
		fake_queue_fcall(w->queue, one, HEAD + len, &a);
		i += len;
		if (i == argc) { /* the counters too */
			fv_text(&together, &r->at[2]);
			fv_text(&together, &r->at[3]);
			fv_text(&apart, &a.at[2]);
			fv_text(&apart, &a.at[3]);
		}
		fv_text(&together, &r->at[n]);
		fv_text(&apart, &a.at[4]);
		if (!span_eq(buf_span(&together), buf_span(&apart)))
			fail_msg("world %" PRIu64
			         ", an entry of a batch\n together: %.*s\n apart: %.*s",
			    w->seed, (int)together.len, (char *)together.data, (int)apart.len,
			    (char *)apart.data);
		buf_done(&together);
		buf_done(&apart);
		fv_done(&a);
	}
	assert_int_equal(n, r->n);
	fake_queue_use(w->queue, w->redis);
}

static void
run_call(struct world *w, struct call *c)
{
	size_t argc;
	const struct span *argv = call_argv(c, &argc);
	struct fv r;

	both(w, argv, argc, true, false, &r);
	if (w->twin != NULL)
		one_by_one(w, argv, argc, &r);
	fv_done(&r);
	call_done(c);
}

static void
set_up(struct world *w)
{
	struct call c;
	uint8_t id[16];

	call_begin(&c, "hf1_router", w->campaign, w->now, w->now, 0);
	call_entry(&c, "open");
	call_u(&c, 1);
	call_str(&c, "0123456789abcdef0123456789abcdef");
	call_str(&c, "create");
	call_entry(&c, "admit_agent");
	call_str(&c, agent);
	call_str(&c, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	call_str(&c, "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210");
	call_str(&c, "active");
	for (uint64_t i = 0; i < PERSONS; i++) {
		call_entry(&c, "admit_person");
		call_str(&c, persons[i]);
		call_u(&c, i == 2 ? 8 : 1);
		call_str(&c, "t1");
		call_str(&c, "1");
		call_str(&c, "-");
		call_str(&c, "1");
		call_entry(&c, "offer");
		call_str(&c, persons[i]);
		call_u(&c, 2);
		call_str(&c, i == 2 ? "strike" : "own:p01:first");
		call_str(&c, "pool");
	}
	for (uint64_t i = 0; i < CASES; i++) {
		case_id(id, i);
		call_entry(&c, "create");
		call_bytes(&c, id, 16);
		call_str(&c, lanes[i % 3]);
		call_u(&c, 900 + 40 * i);
		call_str(&c, "task");
		call_str(&c, "blob");
		call_str(&c, i == 1 ? "p01" : "-");
		call_bytes(&c, "12345678abcdefgh", i % 2 == 0 ? 16 : 0);
	}
	run_call(w, &c);
	for (uint64_t i = 0; i < OBS; i++) {
		uint8_t zero[32] = {0};

		call_begin(&c, "hf1_broker", w->campaign, w->now, w->now, 0);
		ob_id(id, i);
		call_entry(&c, "hello");
		call_bytes(&c, id, 16);
		call_str(&c, agent);
		call_u(&c, 0);
		call_bytes(&c, zero, 32);
		call_str(&c, "1");
		call_str(&c, "p01");
		call_str(&c, "0");
		run_call(w, &c);
	}
}

/* What the generator knows is read from the fake: tokens, versions, heads of the outboxes. */
static void
learn(struct world *w)
{
	char key[80], hex[33];
	uint8_t id[16];
	struct fv r;

	for (uint64_t i = 0; i < CASES; i++) {
		struct case_state s;
		struct span argv[3] = {span_str("HGET"),
		    span_str(call_key(key, sizeof(key), w->campaign, "cases")), {id, 16}};

		case_id(id, i);
		fake_redis_cmd(w->redis, argv, 3, &r);
		assert_int_equal(r.type, FV_STR);
		assert_int_equal(case_state_decode(&s, buf_span(&r.s), NULL), 0);
		snprintf(w->token[i], sizeof(w->token[i]), "%016" PRIx64, s.token);
		w->version[i] = s.version;
		fv_done(&r);
	}
	for (uint64_t i = 0; i < OBS; i++) {
		char name[48];
		struct span argv[4] = {
		    span_str("HMGET"), {NULL, 0}, span_str("upto"), span_str("h")};

		ob_id(id, i);
		hex_encode(hex, id, 16);
		snprintf(name, sizeof(name), "ob:%s", hex);
		argv[1] = span_str(call_key(key, sizeof(key), w->campaign, name));
		fake_redis_cmd(w->redis, argv, 4, &r);
		assert_true(r.n == 2 && r.at[0].type == FV_STR && r.at[1].s.len == 32);
		text_to_u64((char *)r.at[0].s.data, r.at[0].s.len, &w->upto[i]);
		memcpy(w->h[i], r.at[1].s.data, 32);
		fv_done(&r);
	}
}

static size_t
times_in(struct world *w, const char *suffix, const uint8_t id[16])
{
	char key[80];
	struct fv r;
	size_t n = 0;
	struct span argv[4] = {span_str("ZRANGE"),
	    span_str(call_key(key, sizeof(key), w->campaign, suffix)), span_str("0"),
	    span_str("-1")};

	fake_redis_cmd(w->redis, argv, 4, &r);
	for (size_t i = 0; i < r.n; i++) {
		struct buf *s = &r.at[i].s;

		n += s->len >= 16 && memcmp(s->data + s->len - 16, id, 16) == 0;
	}
	fv_done(&r);
	return n;
}

/* G4: exactly one lane or exactly one lease. */
static void
check_places(struct world *w)
{
	static const char *const all[] = {"lane:pool", "lane:own:p01:first", "lane:own:p02:retry",
	    "lane:team:t1", "lane:strike", "lane:terminal", "lane:triage", "lane:parked", "leases"};
	uint8_t id[16];

	for (uint64_t i = 0; i < CASES; i++) {
		size_t n = 0;

		case_id(id, i);
		for (size_t j = 0; j < sizeof(all) / sizeof(all[0]); j++)
			n += times_in(w, all[j], id);
		assert_int_equal(n, 1);
	}
}

static void
compare_all(struct world *w)
{
	char key[80], log[80];
	uint8_t id[CASES][16];
	struct span argv[2 + CASES] = {
	    span_str("HMGET"), span_str(call_key(key, sizeof(key), w->campaign, "cases"))};
	struct span range[4] = {span_str("XRANGE"),
	    span_str(call_key(log, sizeof(log), w->campaign, "log")), span_str("-"), span_str("+")};
	struct fv r;

	for (uint64_t i = 0; i < CASES; i++) {
		case_id(id[i], i);
		argv[2 + i] = span_of(id[i], 16);
	}
	both(w, argv, 2 + CASES, false, false, &r);
	fv_done(&r);
	both(w, range, 4, false, true, &r);
	fv_done(&r);
}

static void
compare_twin(struct world *w)
{
	static const char *const names[] = {"log", "leases", "lane:triage", "lane:pool"};
	char key[80];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct span argv[4] = {span_str(i == 0 ? "XRANGE" : "ZRANGE"),
		    span_str(call_key(key, sizeof(key), w->campaign, names[i])),
		    span_str(i == 0 ? "-" : "0"), span_str(i == 0 ? "+" : "-1")};
		struct buf a = BUF_INIT, b = BUF_INIT;
		struct fv r;

		fake_redis_cmd(w->redis, argv, 4, &r);
		fv_text(&a, &r);
		fv_done(&r);
		fake_redis_cmd(w->twin, argv, 4, &r);
		fv_text(&b, &r);
		fv_done(&r);
		assert_true(span_eq(buf_span(&a), buf_span(&b)));
		buf_done(&a);
		buf_done(&b);
	}
}

static void
one_sequence(struct world *w)
{
	struct call c;

	for (uint64_t calls = 2 + rnd(w, 4); calls > 0; calls--) {
		uint64_t who = rnd(w, 16); /* below 4 the router, 4 the recorder */

		learn(w);
		w->now += (int64_t)rnd(w, 60);
		begin(w, &c, who < 4 ? "hf1_router" : who == 4 ? "hf1_recorder" : "hf1_broker");
		for (uint64_t n = 1 + rnd(w, 12); n > 0; n--) {
			if (who < 4)
				router_entry(w, &c);
			else if (who == 4)
				recorder_entry(w, &c);
			else
				broker_entry(w, &c);
		}
		run_call(w, &c);
	}
	check_places(w);
}

static void
one_world(struct world *w, uint64_t seed, uint64_t sequences)
{
	w->seed = seed;
	w->rng = seed * 0x9e3779b97f4a7c15u + 1;
	w->now = 1000;
	snprintf(w->campaign, sizeof(w->campaign), "q%" PRIu64, seed);
	w->redis = fake_redis_create();
	w->twin = seed % 4 == 0 ? fake_redis_create() : NULL;
	fake_queue_use(w->queue, w->redis);
	set_up(w);
	for (uint64_t i = 0; i < sequences; i++)
		one_sequence(w);
	compare_all(w);
	if (w->twin != NULL)
		compare_twin(w);
	fake_redis_destroy(w->twin);
	fake_redis_destroy(w->redis);
}

static uint64_t
env_u(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	uint64_t n;

	return v != NULL && text_to_u64(v, strlen(v), &n) ? n : otherwise;
}

static void
on_plain(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct world *w = arg;

	assert_null(err);
	assert_int_not_equal(rds_type(r), RDS_ERROR);
	if (--w->pending == 0)
		loop_stop(w->loop);
}

static void
plain(struct world *w, const struct span *argv, size_t argc)
{
	w->pending++;
	rds_cmd(w->real, argv, argc, 15000000, on_plain, w);
	drain(w);
}

static void
on_state(void *arg, bool connected)
{
	struct world *w = arg;

	if (connected)
		loop_stop(w->loop);
}

static void
open_world(struct world *w, const char *address)
{
	struct buf lua = BUF_INIT;
	struct err err = ERR_INIT;

	w->loop = loop_create();
	w->limit = loop_timer_create(w->loop, on_limit, w);
	w->real = rds_create(w->loop, address, NULL, NULL, on_state, w);
	loop_timer_after(w->limit, 20000000);
	loop_run(w->loop);
	loop_timer_stop(w->limit);
	CHECK(file_read(&lua, "broker/queue.lua", 1 << 20, &err) == 0);
	struct span argv[] = {
	    span_str("FUNCTION"), span_str("LOAD"), span_str("REPLACE"), buf_span(&lua)};

	plain(w, argv, 4);
	buf_done(&lua);
	w->queue = fake_queue_create(NULL, "broker/queue.lua");
}

static void
the_fake_answers_like_redis(void **state)
{
	uint64_t seed = env_u("HF_SEED", 1), n = env_u("HF_SEQUENCES", SEQUENCES);
	struct span flush[] = {span_str("FLUSHALL")};
	struct redis_server server;
	struct world w = {.now = 1000};

	(void)state;
	redis_server_start(&server, false);
	open_world(&w, server.address);
	for (uint64_t i = 0; i < n / LIFE; i++) {
		if (i % 200 == 199)
			plain(&w, flush, 1);
		one_world(&w, seed + i, LIFE);
	}
	drain(&w);
	fake_queue_destroy(w.queue);
	rds_destroy(w.real);
	loop_timer_destroy(w.limit);
	loop_destroy(w.loop);
	redis_server_stop(&server);
	print_message(
	    "# %" PRIu64 " sequences in worlds from %" PRIu64 "\n", n / LIFE * LIFE, seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_fake_answers_like_redis)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
