/* fake_queue.c - the real queue.lua in liblua5.1, with redis.call answered by fake_redis.
 *
 * Loads the library as Redis 7.0 does: while it loads, no global but `redis` is there; afterwards
 * the base, string, table and math libraries are. An error of redis.call is a table with the field
 * err. A library that does not load is a broken test and CHECKed. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "tests/lib/fake_redis.h"

/* Lua makes and drops small things all the time: they come from lists by size, without the C library. */
#define SMALL_MOST  512
#define SMALL_STEP  16
#define BLOCK_BYTES 65536

struct block {
	struct block *next;
	_Alignas(16) unsigned char bytes[BLOCK_BYTES];
};

struct free_one {
	struct free_one *next;
};

struct fake_queue {
	lua_State *lua;
	struct fake_redis *redis;
	struct block *blocks;
	size_t used; /* of the first block */
	struct free_one *free[SMALL_MOST / SMALL_STEP + 1];
};

static struct fake_redis *
redis_of(lua_State *l)
{
	void *q;

	(void)lua_getallocf(l, &q);
	return ((struct fake_queue *)q)->redis;
}

static void *
small_take(struct fake_queue *q, size_t class)
{
	struct free_one *one = q->free[class];
	size_t size = class * SMALL_STEP;

	if (one != NULL) {
		q->free[class] = one->next;
		return one;
	}
	if (q->blocks == NULL || q->used + size > BLOCK_BYTES) {
		struct block *b = xmalloc(sizeof(*b));

		b->next = q->blocks;
		q->blocks = b;
		q->used = 0;
	}
	q->used += size;
	return q->blocks->bytes + q->used - size;
}

static void
small_give(struct fake_queue *q, void *p, size_t class)
{
	struct free_one *one = p;

	one->next = q->free[class];
	q->free[class] = one;
}

static void *
on_alloc(void *ud, void *p, size_t was, size_t wants)
{
	struct fake_queue *q = ud;
	size_t from = p == NULL ? 0 : (was + SMALL_STEP - 1) / SMALL_STEP,
	       to = (wants + SMALL_STEP - 1) / SMALL_STEP;
	bool from_small = p != NULL && was <= SMALL_MOST, to_small = wants <= SMALL_MOST;
	void *n = NULL;

	if (wants > 0 && from_small && to_small && from == to)
		return p;
	if (wants > 0 && p != NULL && !from_small && !to_small)
		return xrealloc(p, wants, 1);
	if (wants > 0)
		n = to_small ? small_take(q, to) : xmalloc(wants);
	if (n != NULL && p != NULL)
		memcpy(n, p, was < wants ? was : wants);
	if (from_small)
		small_give(q, p, from);
	else
		free(p);
	return n;
}

static void
push(lua_State *l, const struct fv *v)
{
	switch (v->type) {
	case FV_NIL: lua_pushboolean(l, 0); break;
	case FV_INT: lua_pushnumber(l, (lua_Number)v->i); break;
	case FV_STR: lua_pushlstring(l, (const char *)v->s.data, v->s.len); break;
	case FV_ERROR:
		lua_newtable(l);
		lua_pushlstring(l, (const char *)v->s.data, v->s.len);
		lua_setfield(l, -2, "err");
		break;
	case FV_ARRAY:
		lua_newtable(l);
		for (size_t i = 0; i < v->n; i++) {
			push(l, &v->at[i]);
			lua_rawseti(l, -2, (int)i + 1);
		}
		break;
	}
}

static int
on_call(lua_State *l)
{
	int n = lua_gettop(l);
	struct span argv[64], *a = argv;
	struct fv r;
	bool failed;

	if (n > 64)
		a = xcalloc((size_t)n, sizeof(*a));
	for (int i = 0; i < n; i++) {
		size_t len;
		const char *s = lua_tolstring(l, i + 1, &len);

		CHECK(s != NULL);
		a[i] = span_of(s, len);
	}
	fake_redis_look(redis_of(l), a, (size_t)n, &r);
	if (a != argv)
		free(a);
	push(l, &r);
	failed = r.type == FV_ERROR;
	fv_done(&r);
	return failed ? lua_error(l) : 1;
}

static int
on_error_reply(lua_State *l)
{
	lua_newtable(l);
	lua_pushvalue(l, 1);
	lua_setfield(l, -2, "err");
	return 1;
}

static int
on_register(lua_State *l)
{
	lua_getfield(l, LUA_REGISTRYINDEX, "functions");
	lua_pushvalue(l, 1);
	lua_pushvalue(l, 2);
	lua_settable(l, -3);
	return 0;
}

static void
open_libraries(lua_State *l)
{
	static const struct {
		const char *name;
		lua_CFunction open;
	} libs[] = {{"", luaopen_base}, {LUA_STRLIBNAME, luaopen_string},
	    {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math}};

	for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++) {
		lua_pushcfunction(l, libs[i].open);
		lua_pushstring(l, libs[i].name);
		lua_call(l, 1, 0);
	}
}

void
fake_queue_use(struct fake_queue *q, struct fake_redis *f)
{
	q->redis = f;
}

struct fake_queue *
fake_queue_create(struct fake_redis *f, const char *lua_path)
{
	struct fake_queue *q = xcalloc(1, sizeof(*q));
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	char *body;
	lua_State *l = lua_newstate(on_alloc, q);

	CHECK(l != NULL);
	CHECK(file_read(&text, lua_path, 1 << 20, &err) == 0);
	body = strchr((char *)text.data, '\n'); /* without the #! line */
	CHECK(body != NULL);
	q->lua = l;
	fake_queue_use(q, f);
	lua_newtable(l);
	lua_setfield(l, LUA_REGISTRYINDEX, "functions");
	lua_newtable(l);
	lua_pushcfunction(l, on_register);
	lua_setfield(l, -2, "register_function");
	lua_pushcfunction(l, on_call);
	lua_setfield(l, -2, "call");
	lua_pushcfunction(l, on_error_reply);
	lua_setfield(l, -2, "error_reply");
	lua_setglobal(l, "redis");
	if (luaL_loadbuffer(l, body, strlen(body), "queue") != 0 || lua_pcall(l, 0, 0, 0) != 0) {
		fprintf(stderr, "queue.lua: %s\n", lua_tostring(l, -1));
		check_failed(__FILE__, __LINE__, "queue.lua loads");
	}
	buf_done(&text);
	open_libraries(l);
	return q;
}

void
fake_queue_destroy(struct fake_queue *q)
{
	if (q == NULL)
		return;
	lua_close(q->lua);
	while (q->blocks != NULL) {
		struct block *b = q->blocks;

		q->blocks = b->next;
		free(b);
	}
	free(q);
}

static void
pull(lua_State *l, int at, struct fv *ret)
{
	size_t len;
	const char *s;

	*ret = (struct fv){.type = FV_NIL};
	switch (lua_type(l, at)) {
	case LUA_TNUMBER:
		ret->type = FV_INT;
		ret->i = (int64_t)lua_tonumber(l, at);
		break;
	case LUA_TSTRING:
		s = lua_tolstring(l, at, &len);
		ret->type = FV_STR;
		buf_add(&ret->s, s, len);
		break;
	case LUA_TTABLE:
		lua_getfield(l, at, "err");
		if (lua_isstring(l, -1)) {
			pull(l, lua_gettop(l), ret);
			ret->type = FV_ERROR;
			lua_pop(l, 1);
			break;
		}
		lua_pop(l, 1);
		ret->type = FV_ARRAY;
		ret->n = lua_objlen(l, at);
		ret->at = xcalloc(ret->n + 1, sizeof(*ret->at));
		for (size_t i = 0; i < ret->n; i++) {
			lua_rawgeti(l, at, (int)i + 1);
			pull(l, lua_gettop(l), &ret->at[i]);
			lua_pop(l, 1);
		}
		break;
	default: break;
	}
}

static void
push_list(lua_State *l, const struct span *argv, size_t n)
{
	lua_newtable(l);
	for (size_t i = 0; i < n; i++) {
		lua_pushlstring(l, (const char *)argv[i].data, argv[i].len);
		lua_rawseti(l, -2, (int)i + 1);
	}
}

void
fake_queue_fcall(struct fake_queue *q, const struct span *argv, size_t argc, struct fv *ret)
{
	lua_State *l = q->lua;

	CHECK(argc >= 4);
	lua_settop(l, 0);
	lua_getfield(l, LUA_REGISTRYINDEX, "functions");
	lua_pushlstring(l, (const char *)argv[1].data, argv[1].len);
	lua_gettable(l, -2);
	CHECK(lua_isfunction(l, -1));
	push_list(l, &argv[3], 1);
	push_list(l, &argv[4], argc - 4);
	if (lua_pcall(l, 2, 1, 0) != 0) {
		*ret = (struct fv){.type = FV_ERROR};
		if (lua_isstring(l, -1))
			buf_adds(&ret->s, lua_tostring(l, -1));
		return;
	}
	pull(l, lua_gettop(l), ret);
}
