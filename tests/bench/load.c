/* load.c - N agents in one process: NEXT, GRANT, RECORD, ACCEPTED, again and again for some seconds.
 *
 * Each agent is a DEALER of its own. This file speaks to libzmq itself and not through base/zsock,
 * which asks every socket in every turn of the loop: right for a program with three sockets, but a
 * load generator with 512 would then measure itself. Happy path: all say HELLO; when all are
 * welcome and warm, the counting begins; at the end every lease is finished with a record. An
 * answer that does not come within 2 s is asked for again. Against an echo (--echo) each frame is
 * answered by one frame and nothing is read. With --idle there is nothing to hand out: all ask once and
 * wait (a line on stderr says so), and what is measured is what waiting costs. Output: one line of key=value. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "proto/chain.h"
#include "tests/bench/load.h"
#include "tests/bench/watch.h"

#define AGENTS_MAX  16384
#define JOIN_WINDOW 100 /* with --idle: so many come at once */
#define WARM_US     400000
#define REPEAT_US   2000000
#define RETRY_US    20000
#define DRAIN_US    10000000
#define WARM_MAX_US 120000000 /* given up then */
#define SAMPLES_MAX 4000000

enum state { JOINING, READY, ASKED, SAYING, DONE };

struct agent {
	struct bench_agent who;
	void *socket;
	enum state state;
	int64_t sent_us, again_us; /* again: when to repeat */
	int64_t asked_us, due_us;  /* when NEXT was sent; paced: when the next cycle begins */
	struct buf f0, f1;         /* the newest message, for repeating */
	bool has_case, accepted, next_out;
	uint8_t case_id[16];
	uint64_t token;
};

static struct {
	const char *endpoint, *campaign;
	bool echo, one, curve, idle, sign;
	uint8_t server[32];
	unsigned n, first;       /* agents, and the number of the first one's keys */
	int64_t run_us, pace_us; /* pace: between the starts of two cycles of an agent, 0 none */
	size_t body;
} opt = {.campaign = "c1", .n = 8, .run_us = 2000000, .body = 600};

static struct agent *agents;
static struct buf body = BUF_INIT;
static unsigned opened, joined, finished;
static bool counting, stopping;
static uint64_t cycles, nones, nacks, losts, repeats, samples;
static uint32_t *sample;

static void
say(struct agent *a, enum state state, int64_t now)
{
	a->state = state;
	a->sent_us = now;
	a->again_us = now + REPEAT_US;
	if (zmq_send(a->socket, a->f0.data, a->f0.len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
		a->again_us = now + RETRY_US; /* not connected yet */
		return;
	}
	CHECK(zmq_send(a->socket, a->f1.data, a->f1.len, ZMQ_DONTWAIT) >= 0);
}

static void
say_next(struct agent *a, int64_t now)
{
	bench_next(&a->f0, &a->who);
	buf_clear(&a->f1);
	a->asked_us = now;
	a->next_out = true;
	say(a, ASKED, now);
}

static void
say_record(struct agent *a, int64_t now)
{
	bool with_next = opt.one && !stopping && opt.pace_us == 0;

	bench_record(&a->f0, &a->who, a->case_id, a->token, buf_span(&body), with_next, opt.sign);
	buf_clear(&a->f1);
	buf_add(&a->f1, body.data, body.len);
	a->has_case = a->accepted = false;
	a->next_out = with_next;
	if (with_next)
		a->asked_us = now;
	say(a, SAYING, now);
}

/* Paced agents begin at moments of their own, spread evenly: people do not call all at once. Who is late
 * waits for its next moment, so a hiccup does not make all of them fall into step. */
static int64_t
next_moment(const struct agent *a, int64_t now)
{
	int64_t phase = (a - agents) * opt.pace_us / opt.n;

	return now + opt.pace_us - (now - phase) % opt.pace_us;
}

/* Nothing is out: what comes next? */
static void
go_on(struct agent *a, int64_t now)
{
	if (a->has_case) {
		say_record(a, now);
	} else if (stopping) {
		a->state = DONE;
		finished++;
	} else if (opt.pace_us != 0 && now < a->due_us) {
		a->state = READY;
	} else {
		if (opt.pace_us != 0)
			a->due_us = next_moment(a, now);
		say_next(a, now);
	}
}

static void
on_granted(struct agent *a, int64_t now)
{
	a->has_case = true;
	a->next_out = false;
	if (counting && samples < SAMPLES_MAX)
		sample[samples++] = (uint32_t)(now - a->asked_us);
}

static void
on_accepted(struct agent *a)
{
	if (!a->accepted)
		cycles += counting;
	a->accepted = true;
}

static void
on_welcome(struct agent *a)
{
	if (a->state != JOINING)
		return;
	a->state = READY;
	joined++;
}

static void
on_frame(struct agent *a, const struct frame *f, int64_t now)
{
	switch (f->kind) {
	case MSG_WELCOME: on_welcome(a); return;
	case MSG_GRANT:
		if (!a->next_out || f->u.grant.next_no != a->who.next_no)
			return;
		memcpy(a->case_id, f->u.grant.case_id, 16);
		a->token = f->u.grant.token;
		on_granted(a, now);
		break;
	case MSG_ACCEPTED:
		if (a->state != SAYING || f->u.accepted.seq != a->who.seq)
			return;
		losts += f->u.accepted.verdict != VERDICT_EFFECTIVE;
		on_accepted(a);
		break;
	case MSG_NONE: /* the request waits, or is repeated */
		nones++;
		if (opt.idle)
			a->again_us = INT64_MAX;
		return;
	case MSG_NACK:
		nacks++;
		a->again_us = now + RETRY_US;
		return;
	case MSG_LOST: losts++; return;
	default: return;
	}
	if (!a->next_out && (a->state == ASKED || a->accepted))
		go_on(a, now);
}

static void
on_echo(struct agent *a, int64_t now)
{
	if (a->state == JOINING) {
		on_welcome(a);
		return;
	}
	if (a->state == SAYING)
		on_accepted(a);
	if (a->next_out)
		on_granted(a, now);
	go_on(a, now);
}

/* All that waits. The last thing is a receive that found nothing: so the descriptor speaks again. */
static void
read_all(struct agent *a)
{
	zmq_msg_t m0, m1;
	struct frame f;

	for (;;) {
		CHECK(zmq_msg_init(&m0) == 0 && zmq_msg_init(&m1) == 0);
		if (zmq_msg_recv(&m0, a->socket, ZMQ_DONTWAIT) < 0) {
			CHECK(errno == EAGAIN);
			return;
		}
		CHECK(zmq_msg_more(&m0) && zmq_msg_recv(&m1, a->socket, ZMQ_DONTWAIT) >= 0);
		if (opt.echo)
			on_echo(a, clock_boot_us());
		else if (frame_decode(&f, span_of(zmq_msg_data(&m0), zmq_msg_size(&m0)), NULL) == 0)
			on_frame(a, &f, clock_boot_us());
		(void)zmq_msg_close(&m0);
		(void)zmq_msg_close(&m1);
	}
}

static void
sweep(int64_t now)
{
	for (unsigned i = 0; i < opened; i++) {
		struct agent *a = &agents[i];

		if (a->state == READY && joined == opt.n && !(opt.idle && opt.echo))
			go_on(a, now);
		else if (a->state != READY && a->state != DONE && now >= a->again_us) {
			repeats += a->state != JOINING;
			say(a, a->state, now);
		} else
			continue;
		read_all(a);
	}
}

static void
open_agent(struct agent *a, void *ctx, int epoll, unsigned no)
{
	int zero = 0, one = 1, fd, ms = 200;
	size_t size = sizeof(fd);
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = no};

	bench_agent_make(&a->who, opt.first + no);
	a->socket = zmq_socket(ctx, ZMQ_DEALER);
	CHECK(a->socket != NULL);
	CHECK(zmq_setsockopt(a->socket, ZMQ_LINGER, &zero, sizeof(zero)) == 0);
	CHECK(zmq_setsockopt(a->socket, ZMQ_IMMEDIATE, &one, sizeof(one)) == 0);
	CHECK(zmq_setsockopt(a->socket, ZMQ_RECONNECT_IVL, &ms, sizeof(ms)) == 0);
	if (opt.curve) {
		CHECK(zmq_setsockopt(a->socket, ZMQ_CURVE_SERVERKEY, opt.server, 32) == 0);
		CHECK(zmq_setsockopt(a->socket, ZMQ_CURVE_PUBLICKEY, a->who.curve_pk, 32) == 0);
		CHECK(zmq_setsockopt(a->socket, ZMQ_CURVE_SECRETKEY, a->who.curve_sk, 32) == 0);
	}
	CHECK(zmq_connect(a->socket, opt.endpoint) == 0);
	CHECK(zmq_getsockopt(a->socket, ZMQ_FD, &fd, &size) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0);
	bench_hello(&a->f0, &a->f1, &a->who, opt.campaign);
	say(a, JOINING, clock_boot_us());
	read_all(a);
}

static bool
is_warm(void)
{
	return joined == opt.n && (!opt.idle || opt.echo || nones >= opt.n);
}

/* Joins, warms up, counts, drains. Returns the microseconds that were counted. */
static int64_t
drive(void *ctx, int epoll)
{
	struct epoll_event ev[256];
	int64_t opening = clock_boot_us(), begin = 0, end = 0, swept = 0;

	while (finished < opt.n) {
		int n = epoll_wait(epoll, ev, 256, opt.pace_us != 0 ? 1 : 10);
		int64_t now;

		while (opened < opt.n && (!opt.idle || opened - joined < JOIN_WINDOW)) {
			open_agent(&agents[opened], ctx, epoll, opened);
			opened++;
		}
		for (int i = 0; i < n; i++)
			read_all(&agents[ev[i].data.u32]);
		now = clock_boot_us();
		if (now - swept >= (opt.pace_us != 0 ? 500 : 10000) || (begin == 0 && is_warm())) {
			if (begin == 0 && is_warm())
				begin = now + WARM_US;
			swept = now;
			sweep(now);
		}
		if (begin != 0 && end == 0 && !counting && now >= begin) {
			begin = now;
			counting = true;
			watch_begin();
			if (opt.idle)
				fputs("all wait\n", stderr);
		}
		if (counting && now >= begin + opt.run_us) {
			counting = false;
			stopping = true;
			end = now;
			watch_end();
		}
		if (end != 0 && opt.idle)
			finished = opt.n; /* nobody holds anything */
		if ((end != 0 && now > end + DRAIN_US) ||
		    (begin == 0 && now > opening + WARM_MAX_US))
			break;
	}
	return end - begin;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
report(int64_t us)
{
	qsort(sample, samples, sizeof(*sample), by_value);
	printf("cycles_s=%.0f p50=%u p99=%u cycles=%llu none=%llu nack=%llu lost=%llu repeats=%llu "
	       "undone=%u",
	    (double)cycles * 1e6 / (double)us, samples ? sample[samples / 2] : 0,
	    samples ? sample[samples * 99 / 100] : 0, (unsigned long long)cycles,
	    (unsigned long long)nones, (unsigned long long)nacks, (unsigned long long)losts,
	    (unsigned long long)repeats, opt.n - finished);
	watch_print(cycles);
	putchar('\n');
}

static void
usage(void)
{
	fputs("usage: load --print-keys N\n"
	      "       load --connect ENDPOINT [--server-key HEX] [--agents N] [--first N] "
	      "[--seconds S] [--one]\n"
	      "            [--echo] [--idle] [--sign] [--rate CYCLES_A_SECOND] [--body BYTES]\n"
	      "            [--campaign NAME] [--watch PID,PID…]\n",
	    stderr);
	exit(64);
}

static void
print_keys(unsigned n)
{
	static struct bench_agent a;

	for (unsigned i = 0; i < n; i++) {
		bench_agent_make(&a, i);
		bench_agent_print(&a);
	}
}

static void
read_options(int argc, char **argv)
{
	double rate = 0;

	for (int i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--echo") == 0) {
			opt.echo = true;
			continue;
		}
		if (strcmp(argv[i], "--one") == 0) {
			opt.one = true;
			continue;
		}
		if (strcmp(argv[i], "--idle") == 0) {
			opt.idle = true;
			continue;
		}
		if (strcmp(argv[i], "--sign") == 0) {
			opt.sign = true;
			continue;
		}
		if (++i >= argc)
			usage();
		if (strcmp(argv[i - 1], "--connect") == 0)
			opt.endpoint = v;
		else if (strcmp(argv[i - 1], "--server-key") == 0)
			opt.curve = hex_decode(opt.server, 32, v, strlen(v));
		else if (strcmp(argv[i - 1], "--agents") == 0)
			opt.n = (unsigned)atoi(v);
		else if (strcmp(argv[i - 1], "--first") == 0)
			opt.first = (unsigned)atoi(v);
		else if (strcmp(argv[i - 1], "--seconds") == 0)
			opt.run_us = (int64_t)(atof(v) * 1e6);
		else if (strcmp(argv[i - 1], "--rate") == 0)
			rate = atof(v);
		else if (strcmp(argv[i - 1], "--body") == 0)
			opt.body = (size_t)atoi(v);
		else if (strcmp(argv[i - 1], "--campaign") == 0)
			opt.campaign = v;
		else if (strcmp(argv[i - 1], "--watch") == 0)
			watch_set(v);
		else
			usage();
	}
	if (opt.endpoint == NULL || opt.n < 1 || opt.n > AGENTS_MAX)
		usage();
	opt.pace_us = rate > 0 ? (int64_t)(opt.n * 1e6 / rate) : 0;
}

int
main(int argc, char **argv)
{
	struct rlimit files = {65536, 65536};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	void *ctx = zmq_ctx_new();
	int64_t us;

	CHECK(crypt_init(NULL) == 0 && epoll >= 0 && ctx != NULL);
	if (argc == 3 && strcmp(argv[1], "--print-keys") == 0) {
		print_keys((unsigned)atoi(argv[2]));
		return 0;
	}
	watch_set("");
	read_options(argc, argv);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	CHECK(zmq_ctx_set(ctx, ZMQ_MAX_SOCKETS, AGENTS_MAX + 8) == 0);
	agents = xcalloc(opt.n, sizeof(*agents));
	sample = xcalloc(SAMPLES_MAX, sizeof(*sample));
	for (size_t i = 0; i < opt.body; i++)
		buf_addc(&body, (char)(i * 7));
	us = drive(ctx, epoll);
	report(us);
	fflush(stdout);
	_Exit(finished == opt.n ? 0 : 1);
}
