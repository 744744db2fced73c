/* http.h - a small HTTP server inside the loop; the one wrapper of libmicrohttpd.
 *
 * For GET and HEAD only: what changes something does not come this way. Requests are answered at once
 * from memory by `answer`; one path may turn into a stream of server-sent events that http_publish
 * feeds. Limits: 256 connections, 64 an address (a proxy is one address), 30 s idle,
 * 32 KiB a connection. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

struct http_request {
	const char *path; /* decoded, without the query; borrowed */
	void *priv;
};
/* A query parameter or NULL; borrowed. */
const char *http_query(const struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);

struct http_response {
	int status;       /* 200, 404, 503 … */
	const char *type; /* "text/html; charset=utf-8" …, static */
	struct buf body;  /* taken over */
	bool stream;      /* becomes an event stream; body is its first piece */
};

typedef void http_fn(void *arg, const struct http_request *req, struct http_response *res);

struct http;
/* address: "127.0.0.1:port", port 0 any. ret_port may be NULL. */
int http_create(struct http **ret, struct loop *l, const char *address, http_fn *answer, void *arg,
    int *ret_port, struct err *err);
void http_destroy(struct http *h); /* NULL-safe */
/* One event to every stream: text must hold its own "id:", "event:", "data:" lines and blank line. */
void http_publish(struct http *h, struct span text);
size_t http_streams(const struct http *h);

#endif
