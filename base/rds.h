/* rds.h - one Redis connection inside the loop; the one wrapper of hiredis 0.14.
 *
 * Owns what hiredis does not: deadlines, reconnects (200 ms … 5 s, doubled), and NULL replies.
 * Each command completes exactly once: with a reply, or with err (deadline, connection lost before
 * the reply: the outcome is UNKNOWN, not "no"). Commands issued while the connection is down fail
 * at once with ERR_GONE, from the loop, never from inside rds_cmd. */
#ifndef BASE_RDS_H
#define BASE_RDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum rds_type { RDS_NIL, RDS_INT, RDS_STR, RDS_STATUS, RDS_ERROR, RDS_ARRAY };

/* A view of a reply, valid only inside the callback (or until rds_sync_free). */
struct rds_reply;
enum rds_type rds_type(const struct rds_reply *r); /* NULL counts as RDS_NIL */
int64_t rds_int(const struct rds_reply *r);        /* 0 unless RDS_INT */
struct span rds_str(const struct rds_reply *r);    /* STR, STATUS, ERROR; else empty */
size_t rds_len(const struct rds_reply *r);         /* elements of an ARRAY, else 0 */
const struct rds_reply *rds_at(const struct rds_reply *r, size_t i); /* NULL out of range */

struct rds;
typedef void rds_state_fn(void *arg, bool connected);
/* address: "unix:/path" or "tcp:host:port" (host a number: names are looked up blocking). user may be
 * NULL. on_state is called from the loop after AUTH succeeded and the server is ready, and when the
 * connection was lost. An address that cannot be read never connects; rds_trouble says so. */
struct rds *rds_create(struct loop *l, const char *address, const char *user, const char *password,
    rds_state_fn *on_state, void *arg);
/* Pending commands complete with ERR_GONE first; they may not issue others. NULL-safe, allowed inside
 * every callback. */
void rds_destroy(struct rds *r);
bool rds_connected(const struct rds *r);
const char *rds_trouble(const struct rds *r); /* why it is not connected; "" when it is */

typedef void rds_fn(void *arg, const struct rds_reply *reply, const struct err *err);
/* argv is copied. timeout_us counts from now; ERR_LATE: it passed. After a timeout the connection is dropped and made
 * anew (its other commands fail with ERR_GONE), since a late reply would be taken for the next. */
void rds_cmd(
    struct rds *r, const struct span *argv, size_t argc, int64_t timeout_us, rds_fn *fn, void *arg);
/* Writes now what would be written before the loop sleeps. It may be called inside callbacks. */
void rds_push(struct rds *r);

/* For command-line tools only: one command, waiting. Result freed by rds_sync_free. */
struct rds_sync;
int rds_sync_open(struct rds_sync **ret, const char *address, const char *user,
    const char *password, int64_t timeout_us, struct err *err);
int rds_sync_cmd(struct rds_sync *s, const struct span *argv, size_t argc,
    const struct rds_reply **ret, struct err *err); /* error replies are returned, not failures */
/* n commands of argc words each, one after the other in argv, sent at once; ret gets n replies, or none. */
int rds_sync_many(struct rds_sync *s, const struct span *argv, size_t argc, size_t n,
    const struct rds_reply **ret, struct err *err);
void rds_sync_free(const struct rds_reply *reply);
void rds_sync_close(struct rds_sync *s);

#endif
