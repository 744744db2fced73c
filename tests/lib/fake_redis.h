/* fake_redis.h - the few Redis commands that queue.lua uses, in memory, and the real queue.lua run over
 * them in liblua5.1. It is checked against a real Redis (tests/sim/test_queue_fake.c); nothing else
 * of the queue is written twice. One thread; hashes keep the order of insertion as small ones do. */
#ifndef TESTS_FAKE_REDIS_H
#define TESTS_FAKE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum fv_type { FV_NIL, FV_INT, FV_STR, FV_ARRAY, FV_ERROR };

/* A reply: owned by whoever got it, freed by fv_done. */
struct fv {
	enum fv_type type;
	int64_t i;
	struct buf s;
	struct fv *at;
	size_t n;
	bool is_borrowed; /* s is the store's */
};
void fv_done(struct fv *v);
/* Appends a text form of the reply: equal replies give equal texts. */
void fv_text(struct buf *out, const struct fv *v);

struct fake_redis;
struct fake_redis *fake_redis_create(void);
struct fake_redis *fake_redis_copy(const struct fake_redis *f); /* as somebody puts a store aside */
void fake_redis_destroy(struct fake_redis *f);
/* One plain command. An unknown one is FV_ERROR. */
void fake_redis_cmd(struct fake_redis *f, const struct span *argv, size_t argc, struct fv *ret);

/* The same, its strings borrowed until the next command. */
void fake_redis_look(struct fake_redis *f, const struct span *argv, size_t argc, struct fv *ret);

struct fake_queue;
/* Loads the library's text; CHECKs that it loads (a broken library is a broken test). */
struct fake_queue *fake_queue_create(struct fake_redis *f, const char *lua_path);
/* The same library over another store: loading takes longer than a sequence. */
void fake_queue_use(struct fake_queue *q, struct fake_redis *f);
void fake_queue_destroy(struct fake_queue *q);
/* FCALL function 1 key arg…: argv as for Redis, argv[0] = "FCALL". */
void fake_queue_fcall(struct fake_queue *q, const struct span *argv, size_t argc, struct fv *ret);

#endif
