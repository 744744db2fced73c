/* http_stream.c - server-sent events: a response whose reader hands out what was sent to it, and
 * suspends its connection while there is nothing.
 *
 * libmicrohttpd owns a stream through its response, and ends it by on_response_over; the user hears of
 * it (on_gone) only after libmicrohttpd has let go of everything, from the loop. While a connection is
 * suspended nobody notices that the reader has left: the beat each 15 s wakes it up to find out. A
 * reader that lets 256 KiB pile up is cut. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/http_private.h"

#define STREAM_MAX ((size_t)256 * 1024)
#define BLOCK      4096

static void
wake(struct http_stream *s)
{
	if (s->suspended) {
		s->suspended = false;
		MHD_resume_connection(s->mhd);
	}
	http_kick(s->h);
}

static ssize_t
on_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct http_stream *s = arg;
	size_t n = s->out.len < max ? s->out.len : max;

	(void)pos;
	if (n > 0) {
		memcpy(out, s->out.data, n);
		buf_drop_front(&s->out, n);
		return (ssize_t)n;
	}
	if (s->closed)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!s->suspended) {
		s->suspended = true;
		MHD_suspend_connection(s->mhd);
	}
	return 0;
}

static void
on_response_over(void *arg)
{
	struct http_stream *s = arg;

	s->mhd = NULL;
	s->suspended = false;
	TAILQ_REMOVE(&s->h->streams, s, link);
	TAILQ_INSERT_TAIL(&s->h->gone, s, link);
}

struct http_stream *
http_stream_new(struct http_req *r, bool broadcast)
{
	struct http_stream *s = xcalloc(1, sizeof(*s));

	CHECK(r->stream == NULL);
	s->h = r->h;
	s->mhd = r->mhd;
	s->broadcast = broadcast;
	r->stream = s;
	TAILQ_INSERT_TAIL(&r->h->streams, s, link);
	return s;
}

struct MHD_Response *
http_stream_response(struct http_stream *s)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK, on_read, s, on_response_over);

	CHECK(response != NULL);
	return response;
}

struct http_stream *
http_stream_open(const struct http_request *r, loop_fn *on_gone, void *arg)
{
	struct http_stream *s = http_stream_new(r->priv, false);

	s->on_gone = on_gone;
	s->arg = arg;
	return s;
}

/* Over: whatever is in its way. The user's on_gone follows when libmicrohttpd has noticed. */
static void
drop(struct http_stream *s)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(s->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	s->closed = true;
	buf_clear(&s->out);
	if (info != NULL)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
	wake(s);
}

void
http_stream_send(struct http_stream *s, struct span text)
{
	if (s->mhd == NULL || s->closed)
		return;
	if (s->out.len + text.len > STREAM_MAX) {
		drop(s);
		return;
	}
	buf_add(&s->out, text.data, text.len);
	wake(s);
}

void
http_stream_close(struct http_stream *s)
{
	s->on_gone = NULL;
	s->closed = true;
	if (s->mhd != NULL)
		wake(s);
}

void
http_publish(struct http *h, struct span text)
{
	struct http_stream *s;

	TAILQ_FOREACH(s, &h->streams, link)
	{
		if (s->broadcast)
			http_stream_send(s, text);
	}
}

size_t
http_streams(const struct http *h)
{
	const struct http_stream *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &h->streams, link)
	n++;
	return n;
}

void
http_streams_beat(struct http *h)
{
	struct http_stream *s;

	TAILQ_FOREACH(s, &h->streams, link)
	http_stream_send(s, span_str(":\n\n"));
}

void
http_streams_end(struct http *h)
{
	struct http_stream *s;

	TAILQ_FOREACH(s, &h->streams, link)
	{
		s->closed = true;
		wake(s);
	}
}

void
http_streams_bury(struct http *h)
{
	struct http_stream *s;

	while ((s = TAILQ_FIRST(&h->gone)) != NULL) {
		TAILQ_REMOVE(&h->gone, s, link);
		if (s->on_gone != NULL)
			s->on_gone(s->arg);
		buf_done(&s->out);
		free(s);
	}
}

void
http_event(struct buf *out, const char *id, const char *event, struct span data)
{
	const uint8_t *at = data.data, *end = data.data + data.len;

	if (id != NULL)
		buf_addf(out, "id: %s\n", id);
	if (event != NULL)
		buf_addf(out, "event: %s\n", event);
	do {
		const uint8_t *line = at;

		while (at < end && *at != '\n' && *at != '\r')
			at++;
		buf_adds(out, "data: ");
		buf_add(out, line, (size_t)(at - line));
		buf_addc(out, '\n');
	} while (at++ < end);
	buf_addc(out, '\n');
}
