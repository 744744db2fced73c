/* fetch.h - HTTP as a client: one GET that waits, for a command-line tool; and POSTs beside a loop, for a daemon.
 * The one wrapper of libcurl. No redirects, no proxy; certificates are always checked. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

/* The body of a 200 answer is appended to out, at most max bytes.
 * ERR_GONE: nobody answers at that address; ERR_LATE: not within timeout_ms; ERR_IO: another status;
 * ERR_FULL: more than max bytes. */
int fetch_get(struct buf *out, const char *url, size_t max, long timeout_ms, struct err *err);

/* https, or http to this machine: nothing that is said goes over a wire in the clear. */
bool fetch_is_safe(const char *url);

struct fetch_answer {
	long status; /* 0: none came */
	struct span body;
	const char *why; /* without a status: in words, no address in them */
};
/* Once a POST, from the loop; or from fetcher_destroy, and then it must not post again. */
typedef void fetch_done_fn(void *arg, const struct fetch_answer *a);

struct fetch_post {
	const char *url;            /* one that fetch_is_safe */
	const char *const *headers; /* "Name: value", NULL at the end */
	struct span body;           /* copied, and wiped afterwards */
	const char *ca; /* a file of certificates to believe beside none other; "" the system's */
	long timeout_ms;
	size_t max; /* bytes of the answer; a longer one is none */
	fetch_done_fn *done;
	void *arg;
};
struct fetcher *fetcher_create(struct loop *l);
void fetcher_destroy(struct fetcher *f); /* NULL-safe; what is under way is given up */
void fetcher_post(struct fetcher *f, const struct fetch_post *p);

#endif
