/* Any bytes on a connection to the HTTP server: what reaches `answer` keeps the promises of base/http.h, and no
 * connection stays behind. The loop turns a few times with the input, then a few times after the client has gone. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS 6

static struct loop *loop;
static struct loop_timer *now;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int turns;

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
on_turn(void *arg)
{
	(void)arg;
	if (++turns >= TURNS)
		loop_stop(loop);
	else
		loop_timer_after(now, 0);
}

static void
turn(void)
{
	turns = 0;
	loop_timer_after(now, 0);
	loop_run(loop);
}

static void
begin(void)
{
	static char dir[] = "/tmp/hf-fuzz-XXXXXX", where[128];
	struct http_opts o = {.address = where, .answer = answer, .post = true, .body_max = 4096};
	struct http *http;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
	snprintf(where, sizeof(where), "unix:%s", address.sun_path);
	loop = loop_create();
	now = loop_timer_create(loop, on_turn, NULL);
	CHECK(http_listen(&http, loop, &o, NULL, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;

	if (loop == NULL)
		begin();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	(void)!send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
	close(fd);
	turn();
	return 0;
}
