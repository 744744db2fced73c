/* http_private.h - what http.c (the server), http_request.c and http_stream.c share. */
#ifndef BASE_HTTP_PRIVATE_H
#define BASE_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <sys/queue.h>

#include "base/http.h"

/* One connection. deadline_us (BOOTTIME) is when we cut it, 0: it waits for us, or streams. */
struct http_conn {
	TAILQ_ENTRY(http_conn) link;
	struct MHD_Connection *mhd; /* borrowed */
	int64_t deadline_us;
};
TAILQ_HEAD(http_conns, http_conn);

/* One request, from its first line to its completion. */
struct http_req {
	TAILQ_ENTRY(http_req) link;
	struct http *h;             /* borrowed */
	struct MHD_Connection *mhd; /* borrowed */
	struct http_conn *conn;     /* borrowed */
	int refused;                /* status that its first line has earned, or 0 */
	bool seen;                  /* its headers were judged */
	struct buf body;            /* owned */
	size_t body_max;
	struct http_later *later;   /* borrowed: the promise to answer, or NULL */
	struct http_stream *stream; /* borrowed: libmicrohttpd's response owns it */
	bool suspended, have_answer;
	struct http_response answer; /* owned, when have_answer */
};
TAILQ_HEAD(http_reqs, http_req);

struct http_stream {
	TAILQ_ENTRY(http_stream) link;
	struct http *h;             /* borrowed */
	struct MHD_Connection *mhd; /* borrowed; NULL once the connection is over */
	struct buf out;             /* owned */
	bool broadcast, suspended, closed;
	loop_fn *on_gone; /* NULL: nobody wants to know */
	void *arg;
};
TAILQ_HEAD(http_streams, http_stream);

struct http {
	struct loop *loop;         /* borrowed */
	struct MHD_Daemon *daemon; /* owned */
	struct loop_io *io;        /* owned */
	struct loop_timer *timer;  /* owned */
	struct http_opts o;        /* its strings owned */
	char *unix_path;           /* owned, or NULL */
	struct http_conns conns;
	struct http_reqs reqs;
	struct http_streams streams;
	struct http_streams gone; /* ended, on_gone not yet called */
	int64_t swept_us, beat_us;
	bool running; /* inside MHD_run */
	bool closing; /* what still comes in is refused */
};

/* Let libmicrohttpd look at its connections soon (from the loop, never from within itself). */
void http_kick(struct http *h);
/* The connection must have moved on within us microseconds; 0: no limit. */
void http_deadline(struct http_conn *c, int64_t us);

void *http_on_uri(void *arg, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_len, void **ctx);
void http_on_completed(
    void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_RequestTerminationCode why);
void http_refuse_waiting(struct http *h);

struct MHD_Response *http_stream_response(struct http_stream *s);
struct http_stream *http_stream_new(struct http_req *r, bool broadcast);
void http_streams_beat(struct http *h);
void http_streams_end(struct http *h);
void http_streams_bury(struct http *h);

#endif
