/* fetch.h - one HTTP GET for a command-line tool, waiting. The only user of libcurl. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* The body of a 200 answer is appended to out, at most max bytes. No redirects, no proxy.
 * ERR_GONE: nobody answers at that address; ERR_LATE: not within timeout_ms; ERR_IO: another status;
 * ERR_FULL: more than max bytes. */
int fetch_get(struct buf *out, const char *url, size_t max, long timeout_ms, struct err *err);

#endif
