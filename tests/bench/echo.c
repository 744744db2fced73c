/* echo.c - a ROUTER that answers each message with one of the same size: what the wire alone costs.
 *
 * Same sockets as the broker's (base/zsock, ZAP, one I/O thread), nothing else: no decoding, no
 * store. Usage: echo ENDPOINT [SECRET_HEX]; a newline on HF_NOTIFY_FD says that it listens. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/zsock.h"

#define READS_A_TURN 256 /* as the broker */

static struct loop *loop;
static struct zsock *sock;

static bool
allow(void *arg, const uint8_t client_key[CURVE_KEY_LEN])
{
	(void)arg;
	(void)client_key;
	return true;
}

static void
on_ready(void *arg)
{
	struct zmsg m;

	(void)arg;
	for (int i = 0; i < READS_A_TURN && zsock_recv(sock, &m, NULL) == 1; i++) {
		if (m.parts <= ZSOCK_PARTS)
			(void)zsock_send(sock, m.part, m.parts, NULL);
		zmsg_done(&m);
	}
}

static void
on_term(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

int
main(int argc, char **argv)
{
	uint8_t secret[CURVE_KEY_LEN];
	struct zsock_opts o = {.type = ZSOCK_ROUTER, .zap_domain = "hf"};
	struct err err = ERR_INIT;
	struct zctx *z = zctx_create(1, 0);
	const char *fd = getenv("HF_NOTIFY_FD");
	struct zap *zap;

	CHECK(argc >= 2 && crypt_init(&err) == 0);
	if (argc > 2) {
		CHECK(hex_decode(secret, sizeof(secret), argv[2], strlen(argv[2])));
		o.curve_secret = secret;
	}
	loop = loop_create();
	zap = zap_create(z, loop, allow, NULL, &err);
	sock = zsock_create(z, loop, &o, on_ready, NULL, &err);
	if (zap == NULL || sock == NULL || zsock_bind(sock, argv[1], NULL, &err) != 0) {
		fprintf(stderr, "echo: %s\n", err.text);
		return 1;
	}
	if (fd != NULL)
		CHECK(write(atoi(fd), "\n", 1) == 1);
	loop_on_signal(loop, SIGTERM, on_term, NULL);
	loop_run(loop);
	zsock_destroy(sock);
	zap_destroy(zap);
	loop_destroy(loop);
	zctx_destroy(z);
	return 0;
}
