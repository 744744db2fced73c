/* raw.c - Redis without us, over the same socket and with the same durability.
 *
 *	raw streams ADDRESS USER PASSWORD CLIENTS SECONDS two|one PIDS
 *	raw fcall   ADDRESS USER PASSWORD FIRST_AGENT SECONDS RATE PIDS   (RATE 0: as fast as it goes)
 *
 * streams: CLIENTS consumers of one group, a connection each. two: XREADGROUP COUNT 1, then XACK and
 * XDEL in one write; one: all three in one write. No lease is watched, nothing is retried. fcall: one
 * connection, one call outstanding, the entries that the broker would send for one agent: `grant`, then
 * `record`. Output: one line of key=value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/loop.h"
#include "base/rds.h"
#include "base/text.h"
#include "proto/call.h"
#include "proto/chain.h"
#include "proto/record.h"
#include "tests/bench/load.h"
#include "tests/bench/watch.h"

#define CLIENTS_MAX 512
#define WARM_US     400000
#define LIMIT_US    10000000
#define SAMPLES_MAX 4000000

struct client {
	struct rds *r;
	int64_t asked_us;
	char name[16], id[48];
};

static struct loop *loop;
static struct loop_timer *phase, *pace;
static struct client clients[CLIENTS_MAX];
static unsigned n_clients, up;
static bool by_call, one, counting, stopping;
static int64_t run_us, begin_us, rate_us, due_us;
static uint64_t cycles, samples, failures;
static uint32_t *sample;

static void ask(struct client *c);

static void
got(struct client *c)
{
	if (counting && samples < SAMPLES_MAX)
		sample[samples++] = (uint32_t)(clock_boot_us() - c->asked_us);
}

static void
command(struct client *c, const char *const *words, size_t n, rds_fn *fn)
{
	struct span argv[12];

	for (size_t i = 0; i < n; i++)
		argv[i] = span_str(words[i]);
	rds_cmd(c->r, argv, n, LIMIT_US, fn, c);
}

static void
fail(const struct rds_reply *r, const struct err *err)
{
	struct span s = rds_str(r);

	if (failures++ == 0)
		fprintf(stderr, "raw: %s %.*s\n",
		    err != NULL ? err->text : "unexpected reply:", (int)s.len,
		    (const char *)s.data);
	stopping = true;
	loop_stop(loop);
}

/* ---- streams ---- */

static void
on_deleted(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct client *c = arg;

	if (err != NULL || rds_int(r) != 1) {
		fail(r, err);
		return;
	}
	cycles += counting;
	if (!one)
		ask(c);
}

static void
on_acked(void *arg, const struct rds_reply *r, const struct err *err)
{
	(void)arg;
	if (err != NULL || rds_int(r) != 1)
		fail(r, err);
}

static void
on_entry(void *arg, const struct rds_reply *r, const struct err *err)
{
	struct client *c = arg;
	struct span id = rds_str(rds_at(rds_at(rds_at(rds_at(r, 0), 1), 0), 0));

	if (err != NULL || id.len == 0 || id.len >= sizeof(c->id)) {
		fail(r, err);
		return;
	}
	got(c);
	memcpy(c->id, id.data, id.len);
	c->id[id.len] = '\0';
	command(c, (const char *const[]){"XACK", "bench", "g", c->id}, 4, on_acked);
	command(c, (const char *const[]){"XDEL", "bench", c->id}, 3, on_deleted);
	if (one)
		ask(c);
}

static void
ask(struct client *c)
{
	if (stopping)
		return;
	c->asked_us = clock_boot_us();
	command(c,
	    (const char *const[]){
	        "XREADGROUP", "GROUP", "g", c->name, "COUNT", "1", "STREAMS", "bench", ">"},
	    9, on_entry);
}

/* ---- the same entries, one call at a time ---- */

static struct bench_agent me;
static uint8_t case_id[16];
static uint64_t token;

static void
send_call(struct call *k, rds_fn *fn)
{
	size_t argc;
	const struct span *argv = call_argv(k, &argc);

	rds_cmd(clients[0].r, argv, argc, LIMIT_US, fn, &clients[0]);
	call_done(k);
}

static void
begin_call(struct call *k, const char *entry)
{
	int64_t now = clock_wall_ms();

	call_begin(k, "hf1_broker", "c1", now, now, 0);
	call_entry(k, entry);
	call_bytes(k, me.ob, 16);
}

static void ask_by_call(void);

static void
ask_grant(void *arg)
{
	(void)arg;
	clients[0].asked_us = clock_boot_us();
	ask_by_call();
}

static void
on_recorded(void *arg, const struct rds_reply *r, const struct err *err)
{
	int64_t wait;

	(void)arg;
	if (err != NULL || !span_eq_str(rds_str(rds_at(rds_at(r, 4), 0)), "ok")) {
		fail(rds_at(rds_at(r, 4), 1), err);
		return;
	}
	cycles += counting;
	if (stopping) {
		loop_stop(loop);
		return;
	}
	due_us += rate_us;
	wait = due_us - clock_boot_us();
	if (wait > 0)
		loop_timer_after(pace, wait);
	else
		ask_grant(NULL);
}

static void
send_record(void)
{
	static struct buf f0 = BUF_INIT;
	static uint8_t body[600];
	struct frame f;
	struct call k;

	bench_record(&f0, &me, case_id, token, span_of(body, sizeof(body)), false, false);
	CHECK(frame_decode(&f, buf_span(&f0), NULL) == 0);
	begin_call(&k, "record");
	call_u(&k, f.u.record.seq);
	call_bytes(&k, f.u.record.prev_h, 32);
	call_bytes(&k, f.u.record.h, 32);
	call_str(&k, me.person);
	call_u(&k, REC_ATTEMPT);
	call_u(&k, RECORD_MOVES);
	call_bytes(&k, case_id, 16);
	call_token(&k, token);
	call_u(&k, 0);
	call_span(&k, buf_span(&f0));
	call_bytes(&k, body, sizeof(body));
	call_span(&k, f.u.record.header);
	send_call(&k, on_recorded);
}

static void
on_granted(void *arg, const struct rds_reply *r, const struct err *err)
{
	const struct rds_reply *g = rds_at(r, 4);

	if (err != NULL || rds_str(rds_at(g, 1)).len != 16 ||
	    !token_parse(&token, rds_str(rds_at(g, 2)))) {
		fail(rds_at(g, 1), err);
		return;
	}
	got(arg);
	memcpy(case_id, rds_str(rds_at(g, 1)).data, 16);
	send_record();
}

static void
ask_by_call(void)
{
	struct call k;

	begin_call(&k, "grant");
	call_str(&k, me.person);
	call_u(&k, ++me.next_no);
	send_call(&k, on_granted);
}

static void
on_registered(void *arg, const struct rds_reply *r, const struct err *err)
{
	if (err != NULL || !span_eq_str(rds_str(rds_at(rds_at(r, 4), 0)), "ok")) {
		fail(rds_at(rds_at(r, 4), 1), err);
		return;
	}
	(void)arg;
	due_us = clock_boot_us();
	ask_grant(NULL);
}

static void
register_outbox(void)
{
	char agent[33];
	struct call k;

	hex_encode(agent, me.id, 16);
	begin_call(&k, "hello");
	call_str(&k, agent);
	call_u(&k, 0);
	call_bytes(&k, me.h, 32);
	call_u(&k, 1);
	call_str(&k, me.person);
	call_u(&k, 0);
	send_call(&k, on_registered);
}

/* ---- both ---- */

static void
on_phase(void *arg)
{
	(void)arg;
	if (!counting) {
		counting = true;
		watch_begin();
		begin_us = clock_boot_us();
		loop_timer_after(phase, run_us);
		return;
	}
	run_us = clock_boot_us() - begin_us;
	watch_end();
	counting = false;
	stopping = true;
	if (!by_call) /* a call finishes its lease first */
		loop_stop(loop);
}

static void
on_state(void *arg, bool connected)
{
	(void)arg;
	if (!connected || ++up != n_clients)
		return;
	loop_timer_after(phase, WARM_US);
	if (by_call) {
		register_outbox();
		return;
	}
	for (unsigned i = 0; i < n_clients; i++)
		ask(&clients[i]);
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	CHECK(argc == 9 && crypt_init(NULL) == 0);
	watch_set(argv[8]);
	by_call = strcmp(argv[1], "fcall") == 0;
	n_clients = by_call ? 1 : (unsigned)atoi(argv[5]);
	CHECK(n_clients >= 1 && n_clients <= CLIENTS_MAX);
	run_us = (int64_t)(atof(argv[6]) * 1e6);
	one = strcmp(argv[7], "one") == 0;
	if (by_call) {
		rate_us = atof(argv[7]) > 0 ? (int64_t)(1e6 / atof(argv[7])) : 0;
		bench_agent_make(&me, (unsigned)atoi(argv[5]));
	}
	sample = xcalloc(SAMPLES_MAX, sizeof(*sample));
	loop = loop_create();
	phase = loop_timer_create(loop, on_phase, NULL);
	pace = loop_timer_create(loop, ask_grant, NULL);
	for (unsigned i = 0; i < n_clients; i++) {
		(void)snprintf(clients[i].name, sizeof(clients[i].name), "w%u", i);
		clients[i].r = rds_create(loop, argv[2], argv[3], argv[4], on_state, NULL);
	}
	loop_run(loop);
	qsort(sample, samples, sizeof(*sample), by_value);
	printf("cycles_s=%.0f p50=%u p99=%u cycles=%llu failures=%llu",
	    (double)cycles * 1e6 / (double)run_us, samples ? sample[samples / 2] : 0,
	    samples ? sample[samples * 99 / 100] : 0, (unsigned long long)cycles,
	    (unsigned long long)failures);
	watch_print(cycles);
	putchar('\n');
	fflush(stdout);
	_Exit(failures != 0);
}
