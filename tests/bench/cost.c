/* cost.c - what one cycle's cryptography costs, each piece alone: microseconds of this processor.
 *
 * The pieces are called as the programs call them, on a record as bench_record makes it. Output: one
 * line "name=µs" a piece; names say whose work it is (agent, broker, recorder). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"
#include "proto/record.h"
#include "tests/bench/load.h"

#define ROUNDS 5000

static struct bench_agent me;
static struct buf f0 = BUF_INIT, body = BUF_INIT, sealed = BUF_INIT;
static struct frame f;
static uint8_t key[32], out[64];

static void
frame_in(void)
{
	struct frame g;

	CHECK(frame_decode(&g, buf_span(&f0), NULL) == 0);
}

static void
header_in(void)
{
	static struct record_header h;

	CHECK(record_header_decode(&h, f.u.record.header, NULL) == 0);
}

static void
chain(void)
{
	CHECK(chain_record_ok(&f.u.record, buf_span(&sealed)));
}

static void
receipt(void)
{
	struct msg_accepted a = {.seq = 1};

	chain_accept_receipt(out, key, &a);
}

static void
seal(void)
{
	static struct buf b = BUF_INIT;

	buf_clear(&b);
	crypt_seal(&b, key, buf_span(&body), span_str("hf1-body"));
}

static void
sign(void)
{
	crypt_sign(out, me.sign_sk, span_of(me.h, 32));
}

static void
verify(void)
{
	static uint8_t sig[64];
	static bool made;

	if (!made)
		crypt_sign(sig, me.sign_sk, span_of(me.h, 32));
	made = true;
	CHECK(crypt_verify(sig, me.sign_pk, span_of(me.h, 32)));
}

static double
cpu_us(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
measure(const char *name, void (*piece)(void))
{
	double best = 1e9;

	for (int turn = 0; turn < 3; turn++) {
		double begin = cpu_us(), us;

		for (int i = 0; i < ROUNDS; i++)
			piece();
		us = (cpu_us() - begin) / ROUNDS;
		if (us < best)
			best = us;
	}
	printf("%s=%.2f\n", name, best);
}

int
main(void)
{
	static const uint8_t case_id[16] = {1};

	CHECK(crypt_init(NULL) == 0);
	bench_agent_make(&me, 0);
	for (int i = 0; i < 560; i++)
		buf_addc(&body, (char)i);
	crypt_seal(&sealed, key, buf_span(&body), span_str("hf1-body"));
	bench_record(&f0, &me, case_id, 1, buf_span(&sealed), false, false);
	CHECK(frame_decode(&f, buf_span(&f0), NULL) == 0);
	measure("agent:seal_600_B", seal);
	measure("agent:sign", sign);
	measure("broker:frame", frame_in);
	measure("broker:header", header_in);
	measure("broker:chain", chain);
	measure("broker:receipt", receipt);
	measure("recorder:verify", verify);
	return 0;
}
