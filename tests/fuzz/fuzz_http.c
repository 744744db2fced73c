/* Any bytes on a connection to the HTTP server: what reaches `answer` keeps the promises of base/http.h, and no
 * connection stays behind. The connection is given to libmicrohttpd as one that was accepted, and run as http.c runs it,
 * without the loop: it runs until nothing is left to do with the input, then until the client, who goes, is forgotten. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/http_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RUNS_AT_MOST 64 /* an input of some kilobytes may hold that many requests */

static struct http *http;

static void
answer(void *arg, const struct http_request *r, struct http_response *res)
{
	(void)arg;
	CHECK(r->path[0] == '/' && strstr(r->path, "..") == NULL);
	CHECK(strcmp(r->method, "GET") == 0 || strcmp(r->method, "POST") == 0);
	CHECK(r->body.len <= 4096);
	for (const char *p = r->path; *p != '\0'; p++)
		CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
	(void)http_query(r, "q");
	(void)http_cookie(r, "hf_session");
	(void)http_header(r, "X-HF-CSRF");
	res->status = 200;
	res->type = "text/plain";
	buf_adds(&res->body, "ok");
}

static void
begin(void)
{
	struct http_opts o = {
	    .address = "127.0.0.1:0", .answer = answer, .post = true, .body_max = 4096};

	CHECK(http_listen(&http, loop_create(), &o, NULL, NULL) == 0);
}

static void
run(void)
{
	http->running = true;
	(void)MHD_run(http->daemon);
	http->running = false;
	http_streams_bury(http);
}

/* Whether libmicrohttpd would be called again at once. */
static bool
has_more(void)
{
	MHD_UNSIGNED_LONG_LONG ms = 1;

	return MHD_get_timeout(http->daemon, &ms) == MHD_YES && ms == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un from = {.sun_family = AF_UNIX};
	int fd[2], n = 0;

	if (http == NULL)
		begin();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) == 0);
	(void)!send(fd[0], data, size, MSG_NOSIGNAL);
	CHECK(MHD_add_connection(http->daemon, fd[1], (struct sockaddr *)&from,
	          sizeof(from.sun_family)) == MHD_YES);
	run();
	while (has_more() && n++ < RUNS_AT_MOST)
		run();
	close(fd[0]);
	for (n = 0; !TAILQ_EMPTY(&http->conns) && n < RUNS_AT_MOST; n++)
		run();
	CHECK(TAILQ_EMPTY(&http->conns) && TAILQ_EMPTY(&http->reqs));
	return 0;
}
