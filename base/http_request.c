/* http_request.c - what may come in, and how it is answered.
 *
 * Happy path: the first line (http_on_uri, before it is decoded), then the headers are judged, then the
 * body is gathered, then `answer`; a later answer suspends the connection until it comes. What is
 * refused gets its status and a closed connection, so that nothing behind it is taken for a second
 * request. A body that grows beyond its limit without having said so is cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/http_private.h"

#define LINE_MAX_BYTES   4096U
#define HEADER_MAX_BYTES 16384U
#define HEADER_MAX_COUNT 64U
#define SECOND           1000000LL
#define MIN_RATE         20480 /* bytes a second, of bodies and answers */

struct http_later {
	struct http_req *req; /* borrowed; NULL: nobody waits any more */
};

/* The page may load nothing but its own files, be framed by nobody, and is kept nowhere. */
static const char *const safe_headers[][2] = {
    {"Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
        "'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    {"Cache-Control", "no-store"},
};

/* ---- asking ------------------------------------------------------------------------------------ */

static const char *
look_up(const struct http_request *r, enum MHD_ValueKind kind, const char *name)
{
	const struct http_req *req = r->priv;

	return MHD_lookup_connection_value(req->mhd, kind, name);
}

const char *
http_query(const struct http_request *r, const char *name)
{
	return look_up(r, MHD_GET_ARGUMENT_KIND, name);
}

const char *
http_header(const struct http_request *r, const char *name)
{
	return look_up(r, MHD_HEADER_KIND, name);
}

const char *
http_cookie(const struct http_request *r, const char *name)
{
	return look_up(r, MHD_COOKIE_KIND, name);
}

/* ---- judging ----------------------------------------------------------------------------------- */

static bool
has_escape(const char *uri, const char *hex)
{
	for (const char *p = uri; (p = strchr(p, '%')) != NULL; p++) {
		if (strncasecmp(p + 1, hex, 2) == 0)
			return true;
	}
	return false;
}

/* The first line as it came: only here are an encoded NUL or dot still what they were. */
static int
judge_uri(const char *uri)
{
	size_t path = strcspn(uri, "?");

	if (strlen(uri) > LINE_MAX_BYTES)
		return 414;
	if (uri[0] != '/' || has_escape(uri, "00") || strchr(uri, '\\') != NULL)
		return 400;
	for (const char *p = uri; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			return 400;
	}
	for (size_t i = 0; i + 1 < path; i++) {
		if (uri[i] == '.' && uri[i + 1] == '.')
			return 400;
	}
	/* No file of ours has a dot, a slash or a control character that needs an escape. */
	for (size_t i = 0; i < path; i++) {
		if (uri[i] == '%' &&
		    (strncasecmp(uri + i, "%2e", 3) == 0 || strncasecmp(uri + i, "%2f", 3) == 0 ||
		        strncasecmp(uri + i, "%5c", 3) == 0 ||
		        strncasecmp(uri + i, "%7f", 3) == 0 || uri[i + 1] == '0' ||
		        uri[i + 1] == '1'))
			return 400;
	}
	return 0;
}

void *
http_on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http *h = arg;
	struct http_req *r = xcalloc(1, sizeof(*r));
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	r->h = h;
	r->mhd = mhd;
	r->conn = info != NULL ? info->socket_context : NULL;
	r->refused = judge_uri(uri);
	TAILQ_INSERT_TAIL(&h->reqs, r, link);
	return r;
}

struct tally {
	size_t count, bytes;
	int hosts, lengths, encodings;
	bool odd;
};

static bool
is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
			return false;
	}
	return true;
}

static enum MHD_Result
on_one_header(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_len,
    const char *value, size_t value_len)
{
	struct tally *t = arg;

	(void)kind;
	t->count++;
	t->bytes += key_len + value_len + 4;
	t->odd = t->odd || key_len == 0 || !is_plain(key, key_len) ||
	         (value != NULL && !is_plain(value, value_len));
	t->hosts += strcasecmp(key, "Host") == 0;
	t->lengths += strcasecmp(key, "Content-Length") == 0;
	t->encodings += strcasecmp(key, "Transfer-Encoding") == 0;
	return MHD_YES;
}

static int
admit(struct http_req *r, const char *url)
{
	struct http_request request = {.path = url, .method = "POST", .priv = r};

	return r->h->o.admit != NULL ? r->h->o.admit(r->h->o.arg, &request) : 0;
}

/* The path itself, and all below it. */
static bool
is_big(const char *big, const char *url)
{
	size_t len = big != NULL ? strlen(big) : 0;

	return len > 0 && strncmp(url, big, len) == 0 && (url[len] == '\0' || url[len] == '/');
}

static int
judge_body(struct http_req *r, const char *url, bool post)
{
	const char *text =
	    MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	bool big = is_big(r->h->o.big_paths[0], url) || is_big(r->h->o.big_paths[1], url);
	char *end = NULL;
	int refused = big && post ? admit(r, url) : 0;

	if (refused != 0)
		return refused;
	r->body_max = big ? r->h->o.big_max : r->h->o.body_max;
	if (text == NULL)
		return 0;
	if (text[0] < '0' || text[0] > '9')
		return 400;
	return strtoull(text, &end, 10) > r->body_max ? 413 : *end != '\0' ? 400 : 0;
}

/* 0, or the status to refuse with. */
static int
judge(struct http_req *r, const char *url, const char *method)
{
	bool post = strcmp(method, "POST") == 0;
	struct tally t = {0};
	int refused;

	if (r->refused != 0)
		return r->refused;
	(void)MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, on_one_header, &t);
	if (t.count > HEADER_MAX_COUNT || t.bytes > HEADER_MAX_BYTES)
		return 431;
	if (t.odd || t.hosts > 1 || t.lengths > 1 || t.encodings > 1 ||
	    (t.lengths > 0 && t.encodings > 0))
		return 400;
	if (!(post && r->h->o.post) && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return 405;
	refused = judge_body(r, url, post);
	if (refused == 0 && !post && t.lengths + t.encodings > 0)
		r->body_max = 0;
	return refused;
}

/* ---- answering --------------------------------------------------------------------------------- */

void
http_set_header(struct http_response *res, const char *name, const char *value)
{
	if (is_plain(name, strlen(name)) && is_plain(value, strlen(value)))
		buf_addf(&res->headers, "%s:%s\n", name, value);
}

static void
add_own_headers(struct MHD_Response *to, char *lines)
{
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');

		if (colon == NULL)
			continue;
		*colon = '\0';
		(void)MHD_add_response_header(to, line, colon + 1);
	}
}

/* Queues and lets go of response, whatever happens. */
static enum MHD_Result
queue(struct http_req *r, int status, const char *type, struct buf *headers,
    struct MHD_Response *response)
{
	enum MHD_Result got;

	if (headers != NULL && headers->data != NULL)
		add_own_headers(response, (char *)headers->data);
	if (type != NULL && MHD_get_response_header(response, "Content-Type") == NULL)
		(void)MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < sizeof(safe_headers) / sizeof(safe_headers[0]); i++) {
		if (MHD_get_response_header(response, safe_headers[i][0]) == NULL)
			(void)MHD_add_response_header(
			    response, safe_headers[i][0], safe_headers[i][1]);
	}
	if (r->refused != 0)
		(void)MHD_add_response_header(response, "Connection", "close");
	if (status == 405)
		(void)MHD_add_response_header(
		    response, "Allow", r->h->o.post ? "GET, HEAD, POST" : "GET, HEAD");
	got = MHD_queue_response(r->mhd, (unsigned)status, response);
	MHD_destroy_response(response);
	return got;
}

static enum MHD_Result
send_answer(struct http_req *r, struct http_response *res)
{
	size_t len = 0;
	char *body = buf_steal(&res->body, &len);
	enum MHD_Result got;

	http_deadline(r->conn, 60 * SECOND + (int64_t)(len / MIN_RATE) * SECOND);
	got = queue(r, res->status, res->type, &res->headers,
	    MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE));
	buf_done(&res->headers);
	return got;
}

static enum MHD_Result
refuse(struct http_req *r, int status)
{
	struct http_response res = {.status = status, .type = "text/plain; charset=utf-8"};

	r->refused = status;
	buf_addf(&res.body, "%d\n", status);
	return send_answer(r, &res);
}

static enum MHD_Result
begin_stream(struct http_req *r, struct http_response *res, bool head_only)
{
	struct http_stream *s = r->stream;
	enum MHD_Result got;

	if (s == NULL)
		s = http_stream_new(r, true);
	s->closed = s->closed || head_only;
	if (res->body.len > 0) {
		struct buf later = s->out;

		/* What was sent from inside `answer` comes after the first piece. */
		s->out = res->body;
		res->body = (struct buf)BUF_INIT;
		buf_add(&s->out, later.data != NULL ? later.data : (uint8_t *)"", later.len);
		buf_done(&later);
	}
	http_deadline(r->conn, 0);
	got = queue(r, 200, "text/event-stream", &res->headers, http_stream_response(s));
	buf_done(&res->headers);
	buf_done(&res->body);
	return got;
}

/* All of the request is here. */
static enum MHD_Result
decide(struct http_req *r, const char *url, const char *method)
{
	struct http_request request = {.path = url,
	    .method = strcmp(method, "POST") == 0 ? "POST" : "GET",
	    .body = buf_span(&r->body),
	    .priv = r};
	struct http_response res = {.status = 404, .type = "text/plain; charset=utf-8"};

	if (r->h->closing)
		return refuse(r, 503);
	r->h->o.answer(r->h->o.arg, &request, &res);
	if (r->have_answer || r->later != NULL) {
		CHECK(r->stream == NULL);
		buf_done(&res.body);
		buf_done(&res.headers);
	}
	if (r->have_answer)
		return send_answer(r, &r->answer);
	if (r->later != NULL) {
		http_deadline(r->conn, 0);
		r->suspended = true;
		MHD_suspend_connection(r->mhd);
		return MHD_YES;
	}
	if (r->stream != NULL || res.stream)
		return begin_stream(r, &res, strcmp(method, "HEAD") == 0);
	return send_answer(r, &res);
}

enum MHD_Result
http_on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_len, void **ctx)
{
	struct http_req *r = *ctx;
	int refused;

	(void)arg;
	(void)mhd;
	(void)version;
	if (!r->seen) {
		r->seen = true;
		refused = judge(r, url, method);
		http_deadline(r->conn, 30 * SECOND + (int64_t)(r->body_max / MIN_RATE) * SECOND);
		return refused != 0 ? refuse(r, refused) : MHD_YES;
	}
	if (*upload_len > 0) {
		if (*upload_len > r->body_max - r->body.len)
			return MHD_NO;
		buf_add(&r->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	if (r->have_answer)
		return send_answer(r, &r->answer);
	return decide(r, url, method);
}

void
http_on_completed(
    void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct http *h = arg;
	struct http_req *r = *ctx;

	(void)mhd;
	(void)why;
	if (r == NULL)
		return;
	if (r->later != NULL)
		r->later->req = NULL;
	http_deadline(r->conn, 30 * SECOND);
	TAILQ_REMOVE(&h->reqs, r, link);
	buf_done(&r->body);
	buf_done(&r->answer.body);
	buf_done(&r->answer.headers);
	free(r);
	*ctx = NULL;
}

/* ---- answering later --------------------------------------------------------------------------- */

struct http_later *
http_later(const struct http_request *r)
{
	struct http_req *req = r->priv;

	CHECK(req->later == NULL && !req->have_answer);
	req->later = xcalloc(1, sizeof(*req->later));
	req->later->req = req;
	return req->later;
}

void
http_answer(struct http_later *l, struct http_response *res)
{
	struct http_req *r = l->req;

	free(l);
	if (r == NULL) {
		buf_done(&res->body);
		buf_done(&res->headers);
		return;
	}
	r->later = NULL;
	r->answer = *res;
	r->have_answer = true;
	*res = (struct http_response){0};
	if (r->suspended) {
		r->suspended = false;
		MHD_resume_connection(r->mhd);
		http_kick(r->h);
	}
}

void
http_refuse_waiting(struct http *h)
{
	struct http_req *r;

	TAILQ_FOREACH(r, &h->reqs, link)
	{
		if (!r->suspended)
			continue;
		r->later->req = NULL;
		r->later = NULL;
		r->answer =
		    (struct http_response){.status = 503, .type = "text/plain; charset=utf-8"};
		r->have_answer = true;
		r->suspended = false;
		MHD_resume_connection(r->mhd);
	}
}
