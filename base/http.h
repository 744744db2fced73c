/* http.h - a small HTTP server inside the loop; the one wrapper of libmicrohttpd.
 *
 * A request is answered at once by `answer`, or later (http_later), or turned into a stream of
 * server-sent events. What is malformed or over a limit never reaches `answer`: request line 4 KiB,
 * 64 headers of 16 KiB together, headers within 10 s, 30 s idle, a body within 30 s and 20 KiB/s; an
 * encoded NUL, control characters, "..", absolute URIs, doubled Host or Content-Length,
 * Content-Length beside Transfer-Encoding, and methods other than GET, HEAD and POST are refused.
 * Every answer carries the safe headers (CSP of 'self', nosniff, no-store …). Plain HTTP: TLS is the
 * proxy's in front. A client that half-closes its side counts as gone. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

struct http_request {
	const char *path;   /* decoded, without the query; borrowed */
	const char *method; /* "GET" (of a HEAD too: its body is left out) or "POST" */
	struct span body;   /* of a POST; all borrowed, while `answer` runs */
	void *priv;
};
/* A value or NULL; borrowed, while `answer` runs. Header names in any case. */
const char *http_query(const struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);
const char *http_cookie(const struct http_request *r, const char *name);

struct http_response {
	int status;       /* 200, 404, 503 … */
	const char *type; /* "text/html; charset=utf-8" …, static */
	struct buf body;  /* taken over */
	bool stream;      /* becomes an event stream fed by http_publish; body is its first piece */
	struct buf headers; /* by http_set_header; taken over */
};
/* One more header, or instead of the safe one of that name. A value with control characters is left
 * out. */
void http_set_header(struct http_response *res, const char *name, const char *value);

typedef void http_fn(void *arg, const struct http_request *req, struct http_response *res);

struct http;
struct http_opts {
	const char *address; /* "127.0.0.1:port", port 0 any; or "unix:/path" (mode 0660) */
	http_fn *answer;
	void *arg;
	bool post;                /* POST is allowed */
	size_t body_max;          /* 0: 64 KiB */
	const char *big_paths[2]; /* they and all below them may have a body of big_max; or NULL */
	size_t big_max;
	/* Of such a POST, before its body is taken: 0, or the status to refuse with. NULL: 0. */
	int (*admit)(void *arg, const struct http_request *req);
	unsigned connections; /* 0: 256 */
	unsigned per_address; /* 0: no limit (behind a proxy everybody has one address) */
	int header_ms;        /* 0: 10000 */
};
int http_listen(
    struct http **ret, struct loop *l, const struct http_opts *o, int *ret_port, struct err *err);
/* The same for pages that only look: GET and HEAD, 64 connections an address. ret_port may be NULL. */
int http_create(struct http **ret, struct loop *l, const char *address, http_fn *answer, void *arg,
    int *ret_port, struct err *err);
/* NULL-safe; not inside `answer`. Streams end (on_gone is called), what waits is answered 503. */
void http_destroy(struct http *h);

/* Inside `answer`: the answer comes by http_answer, exactly once, whether the client still waits or
 * not, and even if the server is gone by then. It may come before `answer` returns. */
struct http_later;
struct http_later *http_later(const struct http_request *r);
void http_answer(struct http_later *l, struct http_response *res); /* res is taken over */

/* One event to every stream that `answer` made by `stream`: text holds its own "id:", "event:",
 * "data:" lines and blank line. A reader so slow that 256 KiB pile up is dropped: it comes back and
 * asks for the whole state. Comments are sent each 15 s, which is when a vanished reader is noticed. */
void http_publish(struct http *h, struct span text);
size_t http_streams(const struct http *h); /* streams of both kinds */

/* Inside `answer`: a stream of one's own. on_gone is called once, from the loop, when the reader has
 * left or was dropped, and ends s; not after http_stream_close, which ends s itself. */
struct http_stream;
struct http_stream *http_stream_open(const struct http_request *r, loop_fn *on_gone, void *arg);
void http_stream_send(struct http_stream *s, struct span text);
void http_stream_close(struct http_stream *s);
/* Writes one event: id and event may be NULL, data of several lines becomes several data lines. */
void http_event(struct buf *out, const char *id, const char *event, struct span data);

#endif
