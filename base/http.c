/* http.c - libmicrohttpd on our loop: its epoll descriptor and its timeout, no thread of its own.
 *
 * Happy path: the descriptor is readable or its timeout has passed, MHD_run, `answer` fills a response.
 * A stream is a response whose reader hands out what http_publish queued and suspends when there is nothing.
 * A slow reader that lets 256 KiB pile up is dropped: it comes back and asks for the whole state. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/http.h"
#include "base/text.h"

#define STREAM_MAX (256 * 1024)

struct stream {
	struct stream *next;
	struct MHD_Connection *conn;
	struct buf out;
	bool suspended, dropped;
};

struct http {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	struct stream *streams;
	http_fn *answer;
	void *arg;
};

static void run(struct http *h);

static const char *const safe_headers[][2] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                                "'self'; connect-src 'self'; font-src 'self'; "
                                "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

const char *
http_query(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->priv, MHD_GET_ARGUMENT_KIND, name);
}

const char *
http_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->priv, MHD_HEADER_KIND, name);
}

/* ---- streams ---- */

static ssize_t
on_stream_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct stream *s = arg;
	size_t n = s->out.len < max ? s->out.len : max;

	(void)pos;
	if (s->dropped)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		if (!s->suspended) {
			s->suspended = true;
			MHD_suspend_connection(s->conn);
		}
		return 0;
	}
	memcpy(out, s->out.data, n);
	buf_drop_front(&s->out, n);
	return (ssize_t)n;
}

static void
stream_free(void *arg)
{
	struct stream *s = arg;

	buf_done(&s->out);
	free(s);
}

static void
unlink_stream(struct http *h, const struct stream *s)
{
	for (struct stream **at = &h->streams; *at != NULL; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			return;
		}
	}
}

static void
on_completed(void *arg, struct MHD_Connection *c, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct http *h = arg;

	(void)c;
	(void)why;
	if (*ctx != NULL && *ctx != h)
		unlink_stream(h, *ctx);
	*ctx = NULL;
}

void
http_publish(struct http *h, struct span text)
{
	for (struct stream *s = h->streams; s != NULL; s = s->next) {
		if (s->out.len + text.len > STREAM_MAX)
			s->dropped = true;
		else
			buf_add(&s->out, text.data, text.len);
		if (s->suspended) {
			s->suspended = false;
			MHD_resume_connection(s->conn);
		}
	}
	if (h->streams != NULL)
		run(h);
}

size_t
http_streams(const struct http *h)
{
	size_t n = 0;

	for (const struct stream *s = h->streams; s != NULL; s = s->next)
		n++;
	return n;
}

/* ---- requests ---- */

static enum MHD_Result
queue(struct MHD_Connection *c, unsigned status, const char *type, struct MHD_Response *r)
{
	enum MHD_Result got;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < sizeof(safe_headers) / sizeof(safe_headers[0]); i++)
		MHD_add_response_header(r, safe_headers[i][0], safe_headers[i][1]);
	got = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return got;
}

static enum MHD_Result
begin_stream(struct http *h, struct MHD_Connection *c, struct http_response *res, void **ctx)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->conn = c;
	s->out = res->body;
	s->next = h->streams;
	h->streams = s;
	*ctx = s;
	return queue(c, 200, "text/event-stream",
	    MHD_create_response_from_callback(
	        MHD_SIZE_UNKNOWN, 4096, on_stream_read, s, stream_free));
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_len, void **ctx)
{
	struct http *h = arg;
	struct http_request req = {url, c};
	struct http_response res = {.status = 404, .type = "text/plain; charset=utf-8"};
	size_t len;
	char *body;

	(void)version;
	(void)upload;
	if (*ctx == NULL) { /* the head alone; the call that counts comes next */
		*ctx = h;
		return MHD_YES;
	}
	if (*upload_len > 0) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return queue(c, 405, res.type,
		    MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
	h->answer(h->arg, &req, &res);
	if (res.stream && strcmp(method, "GET") == 0)
		return begin_stream(h, c, &res, ctx);
	body = buf_steal(&res.body, &len);
	return queue(c, (unsigned)res.status, res.type,
	    MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE));
}

/* ---- the loop ---- */

static void
run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		loop_timer_after(h->timer, ms == 0 ? 1 : (int64_t)(ms > 1000 ? 1000 : ms) * 1000);
	else
		loop_timer_after(h->timer, 1000000);
}

static void
on_io(void *arg, int events)
{
	(void)events;
	run(arg);
}

static void
on_timer(void *arg)
{
	run(arg);
}

static int
parse(const char *address, struct sockaddr_in *at, struct err *err)
{
	const char *colon = strrchr(address, ':');
	char host[64];
	uint64_t port;

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	if (colon == NULL || (size_t)(colon - address) >= sizeof(host) ||
	    !text_to_u64(colon + 1, strlen(colon + 1), &port) || port > 65535)
		return err_set(
		    err, ERR_INVALID, "address wants host:port, like 127.0.0.1:7480: %s", address);
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	at->sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &at->sin_addr) != 1)
		return err_set(err, ERR_INVALID, "address wants an IPv4 address: %s", host);
	return 0;
}

int
http_create(struct http **ret, struct loop *l, const char *address, http_fn *answer, void *arg,
    int *ret_port, struct err *err)
{
	struct http *h = xcalloc(1, sizeof(*h));
	const union MHD_DaemonInfo *info;
	struct sockaddr_in at;

	if (parse(address, &at, err) != 0) {
		free(h);
		return -1;
	}
	h->loop = l;
	h->answer = answer;
	h->arg = arg;
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    on_request, h, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, 256u,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
	if (h->daemon == NULL) {
		free(h);
		return err_sys(err, "cannot listen on %s", address);
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (ret_port != NULL)
		*ret_port = info != NULL ? info->port : 0;
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	CHECK(info != NULL);
	h->io = loop_io_create(l, info->epoll_fd, LOOP_READ, on_io, h);
	h->timer = loop_timer_create(l, on_timer, h);
	run(h);
	*ret = h;
	return 0;
}

void
http_destroy(struct http *h)
{
	if (h == NULL)
		return;
	for (struct stream *s = h->streams; s != NULL; s = s->next) {
		if (s->suspended)
			MHD_resume_connection(s->conn);
		s->suspended = false;
		s->dropped = true;
	}
	loop_io_destroy(h->io);
	loop_timer_destroy(h->timer);
	MHD_stop_daemon(h->daemon);
	free(h);
}
