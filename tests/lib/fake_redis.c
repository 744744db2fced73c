/* fake_redis.c - keys in memory: hash, set, list, sorted set, stream.
 *
 * Every collection is an array of pointers to items; a key that becomes empty vanishes, as in Redis. Sorted
 * sets are kept sorted by (score, member). Names are found by a map, because a simulation has 100,000 cases.
 * A small hash keeps the order of insertion, as in Redis; a large one has none. Errors: WRONGTYPE, wrong arity,
 * unknown command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"
#include "tests/lib/fake_redis.h"

enum kind { HASH, SET, LIST, ZSET, STREAM, ANY };

#define ORDERED_MOST 64

struct item {
	struct buf name, value;
	double score;
	size_t pos; /* HASH, SET */
};

struct key {
	enum kind kind;
	struct item **base, **items; /* items: base and what went away at its front */
	size_t n, cap;               /* cap: of base */
	struct map *index;           /* name -> item; NULL: LIST, STREAM */
	uint64_t last_ms, last_no;   /* STREAM */
};

struct fake_redis {
	struct map *keys;
};

/* ---- replies ---- */

static void
reply_int(struct fv *r, int64_t i)
{
	*r = (struct fv){.type = FV_INT, .i = i};
}

static bool borrowing; /* the command that runs is looked at, not kept */

static void
reply_copy(struct fv *r, struct span s)
{
	*r = (struct fv){.type = FV_STR};
	buf_add(&r->s, s.data, s.len);
}

static void
reply_str(struct fv *r, struct span s)
{
	if (borrowing)
		*r = (struct fv){.type = FV_STR,
		    .is_borrowed = true,
		    .s = {.data = (uint8_t *)(uintptr_t)s.data, .len = s.len}};
	else
		reply_copy(r, s);
}

static void
reply_error(struct fv *r, const char *text)
{
	reply_str(r, span_str(text));
	r->type = FV_ERROR;
}

#define ROOM_LEAST 8

/* Room is there up to the next power of two. */
static struct fv *
reply_next(struct fv *r)
{
	if (r->n == 0 || (r->n >= ROOM_LEAST && (r->n & (r->n - 1)) == 0))
		r->at = xrealloc(r->at, r->n == 0 ? ROOM_LEAST : 2 * r->n, sizeof(*r->at));
	return &r->at[r->n++];
}

static void
reply_push(struct fv *r, struct span s)
{
	reply_str(reply_next(r), s);
}

static void
reply_push_nil(struct fv *r)
{
	*reply_next(r) = (struct fv){.type = FV_NIL};
}

/* ---- keys and items ---- */

static void
item_free(struct item *it)
{
	buf_done(&it->name);
	buf_done(&it->value);
	free(it);
}

static void
key_free(void *p)
{
	struct key *k = p;

	for (size_t i = 0; i < k->n; i++)
		item_free(k->items[i]);
	map_destroy(k->index, NULL);
	free(k->base);
	free(k);
}

static struct key *
key_find(struct fake_redis *f, struct span name)
{
	return map_get(f->keys, name.data, name.len);
}

static struct key *
key_make(struct fake_redis *f, struct span name, enum kind kind)
{
	struct key *k = key_find(f, name);

	if (k != NULL)
		return k;
	k = xcalloc(1, sizeof(*k));
	k->kind = kind;
	k->index = kind == LIST || kind == STREAM ? NULL : map_create();
	map_put(f->keys, name.data, name.len, k);
	return k;
}

static void
key_drop_if_empty(struct fake_redis *f, struct span name)
{
	struct key *k = key_find(f, name);

	if (k != NULL && k->n == 0 && k->kind != STREAM)
		key_free(map_del(f->keys, name.data, name.len));
}

static struct item *
item_find(const struct key *k, struct span name)
{
	return k == NULL ? NULL : map_get(k->index, name.data, name.len);
}

static void
make_room(struct key *k)
{
	size_t front = (size_t)(k->items - k->base);

	if (front + k->n < k->cap)
		return;
	if (front > k->cap / 2) {
		memmove(k->base, k->items, k->n * sizeof(*k->items));
	} else {
		k->cap = k->cap == 0 ? 8 : 2 * k->cap;
		k->base = xrealloc(k->base, k->cap, sizeof(*k->base));
		if (front > 0)
			memmove(k->base, k->base + front, k->n * sizeof(*k->base));
	}
	k->items = k->base;
}

static struct item *
item_insert(struct key *k, size_t at, struct span name)
{
	struct item *it = xcalloc(1, sizeof(*it));

	make_room(k);
	memmove(&k->items[at + 1], &k->items[at], (k->n - at) * sizeof(*k->items));
	k->n++;
	k->items[at] = it;
	it->pos = at;
	buf_add(&it->name, name.data, name.len);
	if (k->index != NULL)
		map_put(k->index, name.data, name.len, it);
	return it;
}

static void
item_remove(struct key *k, size_t at)
{
	struct item *it = k->items[at];
	bool unordered = (k->kind == HASH || k->kind == SET) && k->n > ORDERED_MOST;

	if (k->index != NULL)
		map_del(k->index, it->name.data, it->name.len);
	item_free(it);
	k->n--;
	if (unordered) {
		k->items[at] = k->items[k->n];
		k->items[at]->pos = at;
		return;
	}
	if (at == 0 && k->kind != HASH && k->kind != SET) {
		k->items++;
		return;
	}
	memmove(&k->items[at], &k->items[at + 1], (k->n - at) * sizeof(*k->items));
	for (; (k->kind == HASH || k->kind == SET) && at < k->n; at++)
		k->items[at]->pos = at;
}

static int
span_cmp(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.data, b.data, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Where (score, member) stands in a sorted set, or would. */
static size_t
zset_at(const struct key *k, double score, struct span member)
{
	size_t from = 0, to = k->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct item *it = k->items[mid];

		if (it->score < score ||
		    (it->score <= score && span_cmp(buf_span(&it->name), member) < 0))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static size_t
item_at(const struct key *k, const struct item *it)
{
	return k->kind == ZSET ? zset_at(k, it->score, buf_span(&it->name)) : it->pos;
}

static int64_t
arg_int(struct span s)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*s", (int)(s.len < 31 ? s.len : 31), (const char *)s.data);
	return strtoll(text, NULL, 10);
}

/* start, stop with negative counts from the end -> [from, to). */
static void
range(size_t n, struct span start, struct span stop, size_t *from, size_t *to)
{
	int64_t a = arg_int(start), b = arg_int(stop);

	if (a < 0)
		a += (int64_t)n;
	if (b < 0)
		b += (int64_t)n;
	if (a < 0)
		a = 0;
	if (b >= (int64_t)n)
		b = (int64_t)n - 1;
	*from = (size_t)a;
	*to = a > b ? (size_t)a : (size_t)b + 1;
}

/* ---- commands: argv[1] is the key ---- */

typedef void cmd_fn(
    struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r);

static void
cmd_hget(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	struct item *it = item_find(k, a[2]);

	(void)f;
	(void)n;
	if (it != NULL)
		reply_str(r, buf_span(&it->value));
}

static void
cmd_hmget(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	r->type = FV_ARRAY;
	for (size_t j = 2; j < n; j++) {
		struct item *it = item_find(k, a[j]);

		if (it == NULL)
			reply_push_nil(r);
		else
			reply_push(r, buf_span(&it->value));
	}
}

static void
cmd_hset(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	int64_t added = 0;

	k = key_make(f, a[1], HASH);
	for (size_t j = 2; j + 1 < n; j += 2) {
		struct item *it = item_find(k, a[j]);

		if (it == NULL) {
			it = item_insert(k, k->n, a[j]);
			added++;
		}
		buf_clear(&it->value);
		buf_add(&it->value, a[j + 1].data, a[j + 1].len);
	}
	reply_int(r, added);
}

/* HDEL, SREM, ZREM: items go by name. */
static void
cmd_remove(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	int64_t gone = 0;

	for (size_t j = 2; j < n; j++) {
		const struct item *it = item_find(k, a[j]);

		if (it == NULL)
			continue;
		item_remove(k, item_at(k, it));
		gone++;
	}
	key_drop_if_empty(f, a[1]);
	reply_int(r, gone);
}

static void
cmd_del(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)n;
	reply_int(r, k != NULL);
	while (k != NULL && k->n > 0)
		item_remove(k, k->n - 1);
	key_drop_if_empty(f, a[1]);
}

static void
cmd_hgetall(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	(void)a;
	(void)n;
	r->type = FV_ARRAY;
	for (size_t i = 0; k != NULL && i < k->n; i++) {
		reply_push(r, buf_span(&k->items[i]->name));
		reply_push(r, buf_span(&k->items[i]->value));
	}
}

static void
cmd_hvals(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	(void)a;
	(void)n;
	r->type = FV_ARRAY;
	for (size_t i = 0; k != NULL && i < k->n; i++)
		reply_push(r, buf_span(&k->items[i]->value));
}

static void
cmd_hexists(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	(void)n;
	reply_int(r, item_find(k, a[2]) != NULL);
}

static void
cmd_sadd(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	int64_t added = 0;

	k = key_make(f, a[1], SET);
	for (size_t j = 2; j < n; j++) {
		if (item_find(k, a[j]) == NULL) {
			item_insert(k, k->n, a[j]);
			added++;
		}
	}
	reply_int(r, added);
}

static void
cmd_names(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	(void)a;
	(void)n;
	r->type = FV_ARRAY;
	for (size_t i = 0; k != NULL && i < k->n; i++)
		reply_push(r, buf_span(&k->items[i]->name));
}

static void
cmd_lpush(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	k = key_make(f, a[1], LIST);
	for (size_t j = 2; j < n; j++)
		item_insert(k, 0, a[j]);
	reply_int(r, (int64_t)k->n);
}

static void
cmd_ltrim(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	size_t from, to;

	(void)n;
	reply_str(r, span_str("OK"));
	if (k == NULL)
		return;
	range(k->n, a[2], a[3], &from, &to);
	while (k->n > to)
		item_remove(k, k->n - 1);
	while (from-- > 0 && k->n > 0)
		item_remove(k, 0);
	key_drop_if_empty(f, a[1]);
}

static void
cmd_lrange(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	size_t from, to;

	(void)f;
	(void)n;
	r->type = FV_ARRAY;
	if (k == NULL)
		return;
	range(k->n, a[2], a[3], &from, &to);
	for (; from < to && from < k->n; from++)
		reply_push(r, buf_span(&k->items[from]->name));
}

/* Whether the member is new. */
static bool
zset_put(struct key *k, struct span member, double score)
{
	const struct item *it = item_find(k, member);
	bool is_new = it == NULL;

	if (!is_new)
		item_remove(k, item_at(k, it));
	item_insert(k, zset_at(k, score, member), member)->score = score;
	return is_new;
}

static void
cmd_zadd(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	int64_t added = 0;

	k = key_make(f, a[1], ZSET);
	for (size_t j = 2; j + 1 < n; j += 2)
		added += zset_put(k, a[j + 1], (double)arg_int(a[j]));
	reply_int(r, added);
}

static void
cmd_zrange(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	size_t from, to;
	char text[32];

	(void)f;
	r->type = FV_ARRAY;
	if (k == NULL)
		return;
	range(k->n, a[2], a[3], &from, &to);
	for (; from < to && from < k->n; from++) {
		reply_push(r, buf_span(&k->items[from]->name));
		if (n == 4)
			continue;
		snprintf(text, sizeof(text), "%.17g", k->items[from]->score);
		reply_copy(reply_next(r), span_str(text));
	}
}

/* key min max LIMIT offset count; min "-" or "(x", max "+". */
static void
cmd_zrangebylex(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	struct span after = {a[2].data + 1, a[2].len - 1};
	int64_t left = n >= 7 ? arg_int(a[6]) : INT64_MAX;
	size_t i = 0;

	(void)f;
	r->type = FV_ARRAY;
	if (k != NULL &&
	    a[2].data[0] == '(') /* all have one score, else Redis itself is not exact */
		i = zset_at(k, k->items[0]->score, after);
	for (; k != NULL && i < k->n && left > 0; i++) {
		if (a[2].data[0] == '(' && span_cmp(buf_span(&k->items[i]->name), after) <= 0)
			continue;
		reply_push(r, buf_span(&k->items[i]->name));
		left--;
	}
}

static void
cmd_card(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	(void)f;
	(void)a;
	(void)n;
	reply_int(r, k == NULL ? 0 : (int64_t)k->n);
}

static bool
id_read(struct span s, uint64_t *ms, uint64_t *no)
{
	const uint8_t *dash = memchr(s.data, '-', s.len);

	if (dash == NULL)
		return false;
	return text_to_u64((const char *)s.data, (size_t)(dash - s.data), ms) &&
	       text_to_u64((const char *)dash + 1, s.len - (size_t)(dash - s.data) - 1, no);
}

/* One item an entry: name = id, value = the fields, each as "len:bytes". */
static void
cmd_xadd(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	uint64_t ms, no;
	struct item *it;

	if (!id_read(a[2], &ms, &no)) {
		reply_error(r, "ERR Invalid stream ID");
		return;
	}
	k = key_make(f, a[1], STREAM);
	if (ms < k->last_ms || (ms == k->last_ms && no <= k->last_no)) {
		reply_error(r, "ERR The ID specified in XADD is equal or smaller");
		return;
	}
	k->last_ms = ms;
	k->last_no = no;
	it = item_insert(k, k->n, a[2]);
	for (size_t j = 3; j < n; j++) {
		buf_addf(&it->value, "%zu:", a[j].len);
		buf_add(&it->value, a[j].data, a[j].len);
	}
	reply_str(r, a[2]);
}

static void
cmd_xtrim(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	uint64_t ms = 0, no = 0, ims = 0, ino = 0;
	int64_t gone = 0;

	(void)f;
	(void)n;
	(void)id_read(a[3], &ms, &no);
	while (k != NULL && k->n > 0) {
		(void)id_read(buf_span(&k->items[0]->name), &ims, &ino);
		if (ims > ms || (ims == ms && ino >= no))
			break;
		item_remove(k, 0);
		gone++;
	}
	reply_int(r, gone);
}

/* The fields of an entry, one by one. */
static void
reply_fields(struct fv *r, struct span s)
{
	r->type = FV_ARRAY;
	while (s.len > 0) {
		const uint8_t *colon = memchr(s.data, ':', s.len);
		size_t skip = (size_t)(colon - s.data) + 1;
		uint64_t len = 0;

		(void)text_to_u64((const char *)s.data, skip - 1, &len);
		reply_push(r, span_of(s.data + skip, len));
		s = span_of(s.data + skip + len, s.len - skip - len);
	}
}

static bool
id_not_after(struct span id, uint64_t ms, uint64_t no)
{
	uint64_t ims = 0, ino = 0;

	(void)id_read(id, &ims, &ino);
	return ims < ms || (ims == ms && ino <= no);
}

/* The fake's own form of XREAD: XREAD key id count. */
static void
cmd_xread(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	uint64_t ms = 0, no = 0;
	size_t from = 0, to = k == NULL ? 0 : k->n;
	int64_t left = arg_int(a[3]);
	struct fv *list;

	(void)f;
	(void)n;
	(void)id_read(a[2], &ms, &no);
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (id_not_after(buf_span(&k->items[mid]->name), ms, no))
			from = mid + 1;
		else
			to = mid;
	}
	if (k == NULL || from == k->n)
		return;
	*r = (struct fv){.type = FV_ARRAY, .n = 1, .at = xcalloc(1, sizeof(struct fv))};
	r->at[0] = (struct fv){.type = FV_ARRAY};
	reply_push(&r->at[0], a[1]);
	reply_push_nil(&r->at[0]);
	list = &r->at[0].at[1];
	list->type = FV_ARRAY;
	if ((uint64_t)left > k->n - from)
		left = (int64_t)(k->n - from);
	list->at = xcalloc((size_t)left, sizeof(*list->at));
	for (; left > 0; from++, left--) {
		struct fv *e = &list->at[list->n++];

		e->type = FV_ARRAY;
		reply_push(e, buf_span(&k->items[from]->name));
		reply_push_nil(e);
		reply_fields(&e->at[1], buf_span(&k->items[from]->value));
	}
}

/* HSCAN key cursor COUNT n. */
static void
cmd_hscan(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	size_t at = (size_t)arg_int(a[2]), most = (size_t)arg_int(a[4]), has = k == NULL ? 0 : k->n;
	struct fv *list;
	char cursor[24];

	(void)f;
	(void)n;
	r->type = FV_ARRAY;
	snprintf(cursor, sizeof(cursor), "%zu", at + most < has ? at + most : 0);
	reply_copy(reply_next(r), span_str(cursor));
	reply_push_nil(r);
	list = &r->at[1];
	list->type = FV_ARRAY;
	for (size_t i = at; i < has && i < at + most; i++) {
		reply_push(list, buf_span(&k->items[i]->name));
		reply_push(list, buf_span(&k->items[i]->value));
	}
}

static void
cmd_zscore(struct fake_redis *f, struct key *k, const struct span *a, size_t n, struct fv *r)
{
	const struct item *it = item_find(k, a[2]);

	(void)f;
	(void)n;
	if (it != NULL)
		reply_int(r, (int64_t)it->score);
}

static const struct command {
	const char *name;
	cmd_fn *fn;
	enum kind kind;
	size_t argc; /* at least */
} commands[] = {
    {"HGET", cmd_hget, HASH, 3},
    {"HMGET", cmd_hmget, HASH, 3},
    {"HSET", cmd_hset, HASH, 4},
    {"HDEL", cmd_remove, HASH, 3},
    {"DEL", cmd_del, ANY, 2},
    {"HGETALL", cmd_hgetall, HASH, 2},
    {"HVALS", cmd_hvals, HASH, 2},
    {"HEXISTS", cmd_hexists, HASH, 3},
    {"HLEN", cmd_card, HASH, 2},
    {"SADD", cmd_sadd, SET, 3},
    {"SREM", cmd_remove, SET, 3},
    {"SMEMBERS", cmd_names, SET, 2},
    {"SCARD", cmd_card, SET, 2},
    {"LPUSH", cmd_lpush, LIST, 3},
    {"LTRIM", cmd_ltrim, LIST, 4},
    {"LRANGE", cmd_lrange, LIST, 4},
    {"ZADD", cmd_zadd, ZSET, 4},
    {"ZREM", cmd_remove, ZSET, 3},
    {"ZRANGE", cmd_zrange, ZSET, 4},
    {"ZRANGEBYLEX", cmd_zrangebylex, ZSET, 4},
    {"ZCARD", cmd_card, ZSET, 2},
    {"XADD", cmd_xadd, STREAM, 5},
    {"XTRIM", cmd_xtrim, STREAM, 4},
    {"ZSCORE", cmd_zscore, ZSET, 3},
    {"HSCAN", cmd_hscan, HASH, 5},
    {"XREAD", cmd_xread, STREAM, 4},
    {"XRANGE", cmd_hgetall, STREAM, 4},
};

void
fake_redis_cmd(struct fake_redis *f, const struct span *argv, size_t argc, struct fv *ret)
{
	*ret = (struct fv){.type = FV_NIL};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		struct key *k;

		if (argv[0].data[0] != (uint8_t)c->name[0] || !span_eq_str(argv[0], c->name))
			continue;
		if (argc < c->argc) {
			reply_error(ret, "ERR wrong number of arguments");
			return;
		}
		k = key_find(f, argv[1]);
		if (k != NULL && c->kind != ANY && k->kind != c->kind)
			reply_error(ret, "WRONGTYPE Operation against a key");
		else
			c->fn(f, k, argv, argc, ret);
		return;
	}
	reply_error(ret, "ERR unknown command");
}

void
fake_redis_look(struct fake_redis *f, const struct span *argv, size_t argc, struct fv *ret)
{
	borrowing = true;
	fake_redis_cmd(f, argv, argc, ret);
	borrowing = false;
}

struct fake_redis *
fake_redis_create(void)
{
	struct fake_redis *f = xcalloc(1, sizeof(*f));
	f->keys = map_create();
	return f;
}

static struct key *
key_copy(const struct key *k)
{
	struct key *n = xcalloc(1, sizeof(*n));

	n->kind = k->kind;
	n->last_ms = k->last_ms;
	n->last_no = k->last_no;
	n->index = k->index == NULL ? NULL : map_create();
	for (size_t i = 0; i < k->n; i++) {
		struct item *it = item_insert(n, i, buf_span(&k->items[i]->name));

		buf_add(&it->value, k->items[i]->value.data, k->items[i]->value.len);
		it->score = k->items[i]->score;
	}
	return n;
}

struct fake_redis *
fake_redis_copy(const struct fake_redis *f)
{
	struct fake_redis *n = fake_redis_create();
	struct map_iter it = map_begin(f->keys);
	const void *name;
	size_t len;
	void *k;

	while (map_next(&it, &name, &len, &k) != 0)
		map_put(n->keys, name, len, key_copy(k));
	return n;
}

void
fake_redis_destroy(struct fake_redis *f)
{
	if (f == NULL)
		return;
	map_destroy(f->keys, key_free);
	free(f);
}
