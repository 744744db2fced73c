/* rds_sync.c - Redis for tools that may wait, the views of a reply, and addresses.
 *
 * One command at a time with one time limit. An error that Redis answers is a reply. When no answer
 * came (ERR_LATE, ERR_GONE) the outcome is unknown and the connection is of no more use, since a late
 * answer would be taken for the next one's: every further command fails. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/rds.h"
#include "base/rds_reply.h"
#include "base/text.h"

struct rds_sync {
	redisContext *c; /* owned */
	struct rds_address address;
};

static const redisReply *
raw(const struct rds_reply *r)
{
	return (const redisReply *)(const void *)r;
}

enum rds_type
rds_type(const struct rds_reply *r)
{
	if (r == NULL)
		return RDS_NIL;
	switch (raw(r)->type) {
	case REDIS_REPLY_INTEGER: return RDS_INT;
	case REDIS_REPLY_STRING: return RDS_STR;
	case REDIS_REPLY_STATUS: return RDS_STATUS;
	case REDIS_REPLY_ERROR: return RDS_ERROR;
	case REDIS_REPLY_ARRAY: return RDS_ARRAY;
	default: return RDS_NIL;
	}
}

int64_t
rds_int(const struct rds_reply *r)
{
	return rds_type(r) == RDS_INT ? raw(r)->integer : 0;
}

struct span
rds_str(const struct rds_reply *r)
{
	enum rds_type type = rds_type(r);

	if (type != RDS_STR && type != RDS_STATUS && type != RDS_ERROR)
		return span_of("", 0);
	return span_of(raw(r)->str, raw(r)->len);
}

size_t
rds_len(const struct rds_reply *r)
{
	return rds_type(r) == RDS_ARRAY ? raw(r)->elements : 0;
}

const struct rds_reply *
rds_at(const struct rds_reply *r, size_t i)
{
	if (i >= rds_len(r))
		return NULL;
	return (const struct rds_reply *)(const void *)raw(r)->element[i];
}

static int
parse_tcp(struct rds_address *out, const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');
	uint64_t port = 0;
	size_t len;

	if (colon == NULL || colon == text || !text_to_u64(colon + 1, strlen(colon + 1), &port) ||
	    port < 1 || port > 65535)
		return err_set(err, ERR_INVALID, "redis address %s: not tcp:host:port", out->text);
	len = (size_t)(colon - text);
	if (len >= sizeof(out->host))
		return err_set(err, ERR_INVALID, "redis address %s: host too long", out->text);
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	out->port = (int)port;
	return 0;
}

int
rds_address_parse(struct rds_address *out, const char *address, struct err *err)
{
	*out = (struct rds_address){.is_unix = strncmp(address, "unix:", 5) == 0};
	(void)snprintf(out->text, sizeof(out->text), "%s", address);
	if (strncmp(address, "tcp:", 4) == 0)
		return parse_tcp(out, address + 4, err);
	if (!out->is_unix || address[5] == '\0')
		return err_set(err, ERR_INVALID,
		    "redis address %s: neither unix:/path nor tcp:host:port", out->text);
	/* hiredis would cut the path, and connect somewhere else. */
	if (strlen(address + 5) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, ERR_INVALID, "redis address %s: path too long", out->text);
	(void)snprintf(out->host, sizeof(out->host), "%s", address + 5);
	return 0;
}

/* The connection failed in the middle of something. */
static int
broken(struct rds_sync *s, struct err *err)
{
	bool late = s->c->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);

	return err_set(err, late ? ERR_LATE : ERR_GONE, "redis %s: %s, outcome unknown",
	    s->address.text, late ? "no answer in time" : s->c->errstr);
}

static int
authenticate(struct rds_sync *s, const char *user, const char *password, struct err *err)
{
	struct span argv[3] = {span_str("AUTH")};
	const struct rds_reply *reply = NULL;
	size_t n = 1;
	int rc = 0;

	if (password == NULL || password[0] == '\0')
		return 0;
	if (user != NULL && user[0] != '\0')
		argv[n++] = span_str(user);
	argv[n++] = span_str(password);
	if (rds_sync_cmd(s, argv, n, &reply, err) != 0)
		return -1;
	if (rds_type(reply) == RDS_ERROR)
		rc = err_set(err, ERR_DENIED, "redis %s: %.*s", s->address.text,
		    (int)rds_str(reply).len, (const char *)rds_str(reply).data);
	rds_sync_free(reply);
	return rc;
}

int
rds_sync_open(struct rds_sync **ret, const char *address, const char *user, const char *password,
    int64_t timeout_us, struct err *err)
{
	struct timeval tv = {.tv_sec = timeout_us / 1000000, .tv_usec = timeout_us % 1000000};
	struct rds_sync *s = xcalloc(1, sizeof(*s));
	int rc = rds_address_parse(&s->address, address, err);

	if (rc == 0) {
		s->c = s->address.is_unix
		           ? redisConnectUnixWithTimeout(s->address.host, tv)
		           : redisConnectWithTimeout(s->address.host, s->address.port, tv);
		CHECK(s->c != NULL);
		if (s->c->err != 0)
			rc = err_set(err, ERR_GONE, "redis %s: %s", address, s->c->errstr);
		else if (redisSetTimeout(s->c, tv) != REDIS_OK)
			rc = err_set(err, ERR_IO, "redis %s: no time limit", address);
		else
			rc = authenticate(s, user, password, err);
	}
	if (rc == 0)
		*ret = s;
	else
		rds_sync_close(s);
	return rc;
}

int
rds_sync_cmd(struct rds_sync *s, const struct span *argv, size_t argc, const struct rds_reply **ret,
    struct err *err)
{
	const char **args = xcalloc(argc, sizeof(*args));
	size_t *lens = xcalloc(argc, sizeof(*lens));
	redisReply *reply = NULL;
	int rc = 0;

	CHECK(argc >= 1 && argc <= 1 << 20);
	for (size_t i = 0; i < argc; i++) {
		args[i] = argv[i].len > 0 ? (const char *)argv[i].data : "";
		lens[i] = argv[i].len;
	}
	errno = 0;
	if (s->c->err != 0)
		rc = err_set(
		    err, ERR_GONE, "redis %s: the connection broke before", s->address.text);
	else if ((reply = redisCommandArgv(s->c, (int)argc, args, lens)) == NULL)
		rc = broken(s, err);
	else if (ret != NULL)
		*ret = (const struct rds_reply *)(const void *)reply;
	else
		freeReplyObject(reply);
	free(args);
	free(lens);
	return rc;
}

static void
append(struct rds_sync *s, const struct span *argv, size_t argc)
{
	const char **args = xcalloc(argc, sizeof(*args));
	size_t *lens = xcalloc(argc, sizeof(*lens));

	for (size_t i = 0; i < argc; i++) {
		args[i] = argv[i].len > 0 ? (const char *)argv[i].data : "";
		lens[i] = argv[i].len;
	}
	CHECK(redisAppendCommandArgv(s->c, (int)argc, args, lens) == REDIS_OK);
	free(args);
	free(lens);
}

int
rds_sync_many(struct rds_sync *s, const struct span *argv, size_t argc, size_t n,
    const struct rds_reply **ret, struct err *err)
{
	size_t got = 0;

	CHECK(argc >= 1 && argc <= 1 << 20);
	errno = 0;
	if (s->c->err != 0)
		return err_set(
		    err, ERR_GONE, "redis %s: the connection broke before", s->address.text);
	for (size_t i = 0; i < n; i++)
		append(s, argv + i * argc, argc);
	for (; got < n; got++) {
		void *reply = NULL;

		if (redisGetReply(s->c, &reply) != REDIS_OK || reply == NULL)
			break;
		ret[got] = (const struct rds_reply *)reply;
	}
	if (got == n)
		return 0;
	while (got > 0)
		rds_sync_free(ret[--got]);
	return broken(s, err);
}

void
rds_sync_free(const struct rds_reply *reply)
{
	union {
		const struct rds_reply *view;
		void *owned;
	} r = {.view = reply};

	freeReplyObject(r.owned);
}

void
rds_sync_close(struct rds_sync *s)
{
	if (s == NULL)
		return;
	if (s->c != NULL)
		redisFree(s->c);
	free(s);
}
