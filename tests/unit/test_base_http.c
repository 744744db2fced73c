/* The HTTP server in a process of its own, spoken to through raw sockets: what is refused, what is
 * answered now, later and as a stream, and that it ends clean (the sanitizers judge its exit). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/http.h"

/* ---- the server process ------------------------------------------------------------------------ */

struct server {
	struct loop *loop;
	struct http *http;
	struct http_later *later[8];
	size_t waiting;
	struct http_stream *own;
	int gone;
	struct loop_timer *soon;
};

static void
on_soon(void *arg)
{
	struct server *s = arg;
	struct http_response res = {.status = 202, .type = "text/plain"};

	for (; s->waiting > 0; s->waiting--) {
		buf_adds(&res.body, "later\n");
		http_answer(s->later[s->waiting - 1], &res);
		res.status = 202;
		res.type = "text/plain";
	}
}

static void
on_gone(void *arg)
{
	struct server *s = arg;

	s->own = NULL;
	s->gone++;
}

static void
echo(const struct http_request *req, struct http_response *res)
{
	const char *q = http_query(req, "q"), *x = http_header(req, "x-thing"),
	           *c = http_cookie(req, "hf");

	res->status = 200;
	buf_addf(&res->body, "%s %s q=%s x=%s c=%s body=%zu:%.*s\n", req->method, req->path,
	    q != NULL ? q : "-", x != NULL ? x : "-", c != NULL ? c : "-", req->body.len,
	    (int)(req->body.len < 100 ? req->body.len : 100), (const char *)req->body.data);
}

static void
answer(void *arg, const struct http_request *req, struct http_response *res)
{
	struct server *s = arg;

	if (strcmp(req->path, "/later") == 0 || strcmp(req->path, "/never") == 0) {
		CHECK(s->waiting < 8);
		s->later[s->waiting++] = http_later(req);
		if (req->path[1] == 'l')
			loop_timer_after(s->soon, 20000);
	} else if (strcmp(req->path, "/now") == 0) {
		struct http_response now = {.status = 201, .type = "text/plain"};

		buf_adds(&now.body, "now");
		http_answer(http_later(req), &now);
	} else if (strcmp(req->path, "/events") == 0) {
		res->stream = true;
		buf_adds(&res->body, "data: first\n\n");
	} else if (strcmp(req->path, "/own") == 0) {
		s->own = http_stream_open(req, on_gone, s);
		http_stream_send(s->own, span_str("data: mine\n\n"));
	} else if (strcmp(req->path, "/publish") == 0) {
		http_publish(s->http, span_str("data: all\n\n"));
		if (s->own != NULL)
			http_stream_send(s->own, span_str("data: more\n\n"));
		res->status = 200;
	} else if (strcmp(req->path, "/end-own") == 0) {
		if (s->own != NULL)
			http_stream_close(s->own);
		s->own = NULL;
		res->status = 200;
	} else if (strcmp(req->path, "/flood") == 0) {
		struct buf much = BUF_INIT;

		for (int i = 0; i < 100000; i++)
			buf_addc(&much, 'x');
		for (int i = 0; i < 50 && s->own != NULL; i++)
			http_stream_send(s->own, buf_span(&much));
		buf_done(&much);
		res->status = 200;
	} else if (strcmp(req->path, "/count") == 0) {
		res->status = 200;
		buf_addf(&res->body, "streams=%zu gone=%d\n", http_streams(s->http), s->gone);
	} else if (strcmp(req->path, "/headers") == 0) {
		res->status = 200;
		http_set_header(res, "Set-Cookie", "__Host-hf=1; Secure; HttpOnly");
		http_set_header(res, "Cache-Control", "max-age=60");
		http_set_header(res, "X-Bad", "a\r\nX-Injected: b");
	} else {
		echo(req, res);
	}
}

static void
on_term(void *arg)
{
	struct server *s = arg;

	loop_stop(s->loop);
}

/* Sends the port through fd, serves until SIGTERM, and leaves with 0 if everything was in order. */
static int
serve(const char *address, int fd)
{
	struct server s = {0};
	struct http_opts o = {.address = address,
	    .answer = answer,
	    .arg = &s,
	    .post = true,
	    .body_max = 1000,
	    .big_paths = {NULL, "/big"},
	    .big_max = 200000,
	    .header_ms = 300};
	int port = 0;

	s.loop = loop_create();
	s.soon = loop_timer_create(s.loop, on_soon, &s);
	loop_on_signal(s.loop, SIGTERM, on_term, &s);
	if (http_listen(&s.http, s.loop, &o, &port, NULL) != 0 ||
	    write(fd, &port, sizeof(port)) != sizeof(port))
		return 3;
	(void)close(fd);
	loop_run(s.loop);
	http_destroy(s.http);
	on_soon(&s); /* answers that come after the server has gone */
	loop_timer_destroy(s.soon);
	loop_destroy(s.loop);
	return s.own == NULL ? 0 : 4;
}

/* ---- our side ---------------------------------------------------------------------------------- */

static pid_t server;
static int port;
static char dir[64], unix_path[96];
static char text[1 << 20];

static void
start(const char *address)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	server = fork();
	CHECK(server >= 0);
	if (server == 0) {
		(void)close(fds[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(serve(address, fds[1]));
	}
	(void)close(fds[1]);
	CHECK(read(fds[0], &port, sizeof(port)) == sizeof(port));
	(void)close(fds[0]);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/hf-http-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(unix_path, sizeof(unix_path), "%s/s", dir);
	start("127.0.0.1:0");
	return 0;
}

static int
stop(void)
{
	int status = -1;

	CHECK(kill(server, SIGTERM) == 0);
	CHECK(waitpid(server, &status, 0) == server);
	return status;
}

static int
teardown(void **state)
{
	int status = stop();

	(void)state;
	(void)rmdir(dir);
	return status;
}

static int
dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	return fd;
}

static void
say_bytes(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* it hung up on us: what it said counts */
		data += n;
		len -= (size_t)n;
	}
}

static void
say(int fd, const char *words)
{
	say_bytes(fd, words, strlen(words));
}

/* Reads into text until words are there, or (NULL) until the other side closes. */
static bool
hear(int fd, const char *words, int limit_ms)
{
	int64_t until = clock_boot_us() + limit_ms * 1000LL;
	size_t len = 0;

	text[0] = '\0';
	while (words == NULL || strstr(text, words) == NULL) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = (until - clock_boot_us()) / 1000;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) < 1)
			return false;
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n <= 0)
			return words == NULL;
		len += (size_t)n;
		text[len] = '\0';
	}
	return true;
}

/* One request on a connection of its own; answers its status, 0 if there was none. */
static int
ask_bytes(const char *request, size_t len)
{
	int fd = dial(), status = 0;

	say_bytes(fd, request, len);
	/* Who says "close" waits; all others hang up, which an answer to come later would not survive. */
	if (memmem(request, len, "Connection: close", 17) == NULL)
		(void)shutdown(fd, SHUT_WR);
	(void)hear(fd, NULL, 5000);
	(void)close(fd);
	if (sscanf(text, "HTTP/1.%*d %d", &status) != 1)
		return 0;
	return status;
}

static int
ask(const char *request)
{
	return ask_bytes(request, strlen(request));
}

static int
get(const char *path)
{
	char request[256];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	return ask(request);
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void
a_request_is_answered_with_what_it_said(void **state)
{
	(void)state;
	assert_int_equal(ask("GET /a%20b?q=1%262 HTTP/1.1\r\nHost: x\r\nX-Thing: y\r\n"
	                     "Cookie: a=1; hf=s3\r\nConnection: close\r\n\r\n"),
	    200);
	assert_non_null(strstr(text, "GET /a b q=1&2 x=y c=s3 body=0:\n"));
	assert_int_equal(ask("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
	                     "Connection: close\r\n\r\nhello"),
	    200);
	assert_non_null(strstr(text, "POST /p q=- x=- c=- body=5:hello\n"));
	assert_int_equal(ask("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
	                     "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
	    200);
	assert_non_null(strstr(text, "body=5:abcde\n"));
	assert_int_equal(ask("HEAD /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200);
	assert_null(strstr(text, "body="));
	assert_int_equal(ask("HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200);
	assert_int_equal(ask("HEAD /own HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200);
	assert_int_equal(get("/count"), 200);
	assert_non_null(strstr(text, "streams=0 gone=1\n"));
}

static void
every_answer_carries_the_safe_headers(void **state)
{
	(void)state;
	assert_int_equal(get("/x"), 200);
	assert_non_null(
	    strstr(text, "Content-Security-Policy: default-src 'none'; script-src 'self'"));
	assert_non_null(strstr(text, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(text, "Cache-Control: no-store\r\n"));
	assert_int_equal(get("/../x"), 400);
	assert_non_null(strstr(text, "X-Content-Type-Options: nosniff\r\n"));
	assert_int_equal(get("/headers"), 200);
	assert_non_null(strstr(text, "Set-Cookie: __Host-hf=1; Secure; HttpOnly\r\n"));
	assert_non_null(strstr(text, "Cache-Control: max-age=60\r\n"));
	assert_null(strstr(text, "no-store"));
	assert_null(strstr(text, "Injected"));
}

static void
what_is_malformed_never_reaches_the_handler(void **state)
{
	static const struct {
		int status;
		const char *request;
	} rows[] = {
	    {400, "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a/%2e%2E/b HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a%1fb HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a%7Fb HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a?b=%00 HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a\xff HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {400, "GET /a HTTP/1.1\r\n\r\n"},
	    {400, "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
	    {400,
	        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
	    {400, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
	          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	    {400, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc"},
	    {400, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3x\r\n\r\nabc"},
	    {413, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"},
	    {413, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"},
	    {405, "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n"},
	    {405, "BREW /a HTTP/1.1\r\nHost: x\r\n\r\n"},
	};
	char odd[] = "GET /a HTTP/1.1\r\nHost: x\r\nX-A: a?b\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = ask(rows[i].request);

		/* libmicrohttpd may hang up before we come to judge; it must not be let through. */
		if (status != rows[i].status && status != 0)
			print_error("row %zu: %s", i, rows[i].request);
		assert_true(status == rows[i].status || status == 0);
		assert_null(strstr(text, " q="));
		assert_non_null(strstr(text, status == 0 ? "" : "Connection: close"));
	}
	odd[sizeof("GET /a HTTP/1.1\r\nHost: x\r\nX-A: a") - 1] = '\x01';
	assert_int_equal(ask_bytes(odd, sizeof(odd) - 1), 400);
}

/* A second request hidden behind a refused one would be somebody else's, seen from a proxy. */
static void
nothing_behind_a_refused_request_is_read(void **state)
{
	(void)state;
	assert_int_equal(ask("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n"
	                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n"
	                     "Host: x\r\n\r\n"),
	    400);
	assert_null(strstr(text, "smuggled"));
}

static void
limits_hold(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "GET /");
	for (int i = 0; i < 4200; i++)
		buf_addc(&b, 'a');
	buf_adds(&b, " HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(ask_bytes((char *)b.data, b.len), 414);
	buf_clear(&b);
	buf_adds(&b, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 64; i++)
		buf_addf(&b, "X-%d: y\r\n", i);
	buf_adds(&b, "\r\n");
	assert_int_equal(ask_bytes((char *)b.data, b.len), 431);
	buf_clear(&b);
	buf_adds(&b, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ");
	for (int i = 0; i < 17000; i++)
		buf_addc(&b, 'a');
	buf_adds(&b, "\r\n\r\n");
	assert_int_equal(ask_bytes((char *)b.data, b.len), 431);
	buf_clear(&b);
	/* Beyond the memory of a connection, without an end. */
	buf_adds(&b, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ");
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, 'a');
	assert_int_not_equal(ask_bytes((char *)b.data, b.len), 200);
	buf_clear(&b);
	/* A chunked body says nothing of its length beforehand. */
	buf_adds(&b, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 30; i++)
		buf_addf(&b, "64\r\n%0100d\r\n", i);
	buf_adds(&b, "0\r\n\r\n");
	assert_int_not_equal(ask_bytes((char *)b.data, b.len), 200);
	buf_clear(&b);
	buf_adds(&b, "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\n"
	             "Connection: close\r\n\r\n");
	for (int i = 0; i < 1500; i++)
		buf_addf(&b, "%0100d", i);
	assert_int_equal(ask_bytes((char *)b.data, b.len), 200);
	assert_non_null(strstr(text, "body=150000:"));
	buf_done(&b);
	assert_int_equal(get("/after"), 200);
}

static void
a_drip_of_headers_is_cut_off(void **state)
{
	static const char head[] = "GET /slow HTTP/1.1\r\nHost: x\r\nX-Drip: ";
	int64_t began = clock_boot_us();
	int fd = dial();

	(void)state;
	say(fd, head);
	while (!hear(fd, NULL, 50) && clock_boot_us() - began < 4000000)
		say(fd, "a");
	assert_true(clock_boot_us() - began >= 300000);
	assert_true(clock_boot_us() - began < 3000000);
	assert_null(strstr(text, "200 OK"));
	(void)close(fd);
	assert_int_equal(get("/after"), 200);
}

static void
an_answer_may_come_later(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(get("/later"), 202);
	assert_non_null(strstr(text, "later\n"));
	assert_int_equal(get("/now"), 201);
	/* The connection goes on after it. */
	fd = dial();
	for (int i = 0; i < 3; i++) {
		say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_true(hear(fd, "later\n", 3000));
	}
	/* Whoever leaves before the answer harms nobody. */
	say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	(void)close(fd);
	assert_int_equal(get("/later"), 202);
}

static void
what_waits_at_the_end_is_refused(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(get("/after"), 200);
	assert_int_equal(stop(), 0);
	assert_true(hear(fd, "HTTP/1.1 503", 3000));
	(void)close(fd);
	start("127.0.0.1:0");
}

static void
streams_get_what_is_published(void **state)
{
	int a = dial(), b = dial(), own = dial();

	(void)state;
	say(a, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	say(b, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	say(own, "GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(hear(a, "data: first\n\n", 3000));
	assert_non_null(strstr(text, "Content-Type: text/event-stream"));
	assert_true(hear(b, "data: first\n\n", 3000));
	assert_true(hear(own, "data: mine\n\n", 3000));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get("/publish"), 200);
		assert_true(hear(a, "data: all\n\n", 3000));
		assert_true(hear(b, "data: all\n\n", 3000));
		assert_true(hear(own, "data: more\n\n", 3000));
		assert_null(strstr(text, "all"));
	}
	assert_int_equal(get("/end-own"), 200);
	assert_true(hear(own, "0\r\n\r\n", 3000));
	assert_int_equal(get("/count"), 200);
	assert_non_null(strstr(text, "streams=2 gone=0\n"));
	/* Two readers leave; the next words find it out (the first write may still go through). */
	(void)close(a);
	(void)close(b);
	for (int i = 0; i < 50 && strstr(text, "streams=0") == NULL; i++) {
		assert_int_equal(get("/publish"), 200);
		assert_int_equal(get("/count"), 200);
	}
	assert_non_null(strstr(text, "streams=0 gone=0\n"));
	(void)close(own);
}

static void
a_reader_that_does_not_read_is_dropped(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(hear(fd, "data: mine\n\n", 3000));
	for (int i = 0; i < 50 && strstr(text, "gone=1") == NULL; i++) {
		assert_int_equal(get("/flood"), 200);
		assert_int_equal(get("/count"), 200);
	}
	assert_non_null(strstr(text, "streams=0 gone=1\n"));
	(void)close(fd);
}

static void
an_open_stream_ends_with_the_server(void **state)
{
	int fd = dial(), own = dial();

	(void)state;
	say(fd, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	say(own, "GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(hear(fd, "data: first\n\n", 3000));
	assert_true(hear(own, "data: mine\n\n", 3000));
	assert_int_equal(stop(), 0);
	assert_true(hear(fd, NULL, 3000));
	(void)close(fd);
	(void)close(own);
	start("127.0.0.1:0");
}

static int
dial_unix(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", unix_path);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
a_unix_socket_serves_and_is_tidied_up(void **state)
{
	char address[128];
	int fd, status;

	(void)state;
	assert_int_equal(stop(), 0);
	(void)snprintf(address, sizeof(address), "unix:%s", unix_path);
	for (int round = 0; round < 2; round++) {
		start(address);
		assert_int_equal(port, 0);
		fd = dial_unix();
		assert_true(fd >= 0);
		say(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_true(hear(fd, "GET /a", 3000));
		(void)close(fd);
		if (round == 0) {
			/* Killed: its socket file stays, and is no obstacle. */
			assert_int_equal(kill(server, SIGKILL), 0);
			assert_int_equal(waitpid(server, &status, 0), server);
			assert_int_equal(access(unix_path, F_OK), 0);
		}
	}
	assert_int_equal(stop(), 0);
	assert_int_equal(access(unix_path, F_OK), -1);
	start("127.0.0.1:0");
}

static void
an_address_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "127.0.0.1", "localhost:80", "127.0.0.1:70000",
	    "300.0.0.1:80", ":80", "unix:/nowhere/at/all/s", "unix:/tmp",
	    "unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789"};
	struct loop *l = loop_create();
	struct http *h = NULL;
	struct err err = ERR_INIT;
	char taken[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_create(&h, l, bad[i], answer, NULL, NULL, &err), -1);
		assert_null(h);
	}
	(void)snprintf(taken, sizeof(taken), "127.0.0.1:%d", port);
	assert_int_equal(http_create(&h, l, taken, answer, NULL, NULL, &err), -1);
	http_destroy(NULL);
	loop_destroy(l);
}

static void
events_are_written_line_by_line(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	http_event(&out, "7", "state", span_str("a\nb"));
	assert_string_equal((char *)out.data, "id: 7\nevent: state\ndata: a\ndata: b\n\n");
	buf_clear(&out);
	http_event(&out, NULL, NULL, span_of(NULL, 0));
	assert_string_equal((char *)out.data, "data: \n\n");
	buf_done(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_is_answered_with_what_it_said),
	    TEST(every_answer_carries_the_safe_headers),
	    TEST(what_is_malformed_never_reaches_the_handler),
	    TEST(nothing_behind_a_refused_request_is_read),
	    TEST(limits_hold),
	    TEST(a_drip_of_headers_is_cut_off),
	    TEST(an_answer_may_come_later),
	    TEST(what_waits_at_the_end_is_refused),
	    TEST(streams_get_what_is_published),
	    TEST(a_reader_that_does_not_read_is_dropped),
	    TEST(an_open_stream_ends_with_the_server),
	    TEST(a_unix_socket_serves_and_is_tidied_up),
	    TEST(an_address_that_is_none_is_refused),
	    cmocka_unit_test(events_are_written_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
