/* incomplete.c - the number book held against its rule: an own number and a parent's, or a reason.
 *
 * Happy path: every case with an owner from Redis, the keys once from the key store, each task opened, looked at and
 * wiped. Failures: no key store (it says so), a task that does not open (passed over: export and router tell of it). */
#include "ctl/incomplete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "ctl/show.h"
#include "workers/link/everycase.h"
#include "proto/chain.h"
#include "workers/link/keyclient.h"

#define LOT 200

struct book {
	struct ctl *c;
	const char *person;
	struct map *keys,
	    *cases; /* case -> 32 bytes; case -> what is known of it, a row of the answer */
	json_t *rows;
	json_t *persons; /* owner -> {cases, incomplete} */
};

static void
on_key(void *arg, const struct keys_row *row)
{
	struct book *b = arg;
	uint8_t *key = map_get(b->keys, row->case_id, 16);

	if (row->shredded || map_get(b->cases, row->case_id, 16) == NULL)
		return;
	if (key == NULL) {
		key = xmalloc(32);
		(void)map_put(b->keys, row->case_id, 16, key);
	}
	memcpy(key, row->key, 32);
}

static void
wipe_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static void
drop_row(void *row)
{
	json_decref(row);
}

static void
on_case(void *arg, struct span id, struct span text)
{
	struct book *b = arg;
	struct case_state s;
	char hex[33];

	if (id.len != 16 || case_state_decode(&s, text, NULL) != 0 || s.owner[0] == '\0' ||
	    strcmp(s.lane, "terminal") == 0 || map_get(b->cases, id.data, 16) != NULL ||
	    (b->person != NULL && strcmp(b->person, s.owner) != 0))
		return;
	hex_encode(hex, id.data, 16);
	(void)map_put(b->cases, id.data, 16,
	    json_pack("{s:s s:s s:s}", "case", hex, "owner", s.owner, "lane", s.lane));
}

static void
count_person(struct book *b, const char *owner, bool incomplete)
{
	json_t *o = json_object_get(b->persons, owner);
	json_int_t cases = json_integer_value(json_object_get(o, "cases")),
	           lacking = json_integer_value(json_object_get(o, "incomplete"));

	(void)json_object_set_new(b->persons, owner,
	    json_pack(
	        "{s:I s:I}", "cases", cases + 1, "incomplete", lacking + (json_int_t)incomplete));
}

static void
on_task(struct book *b, const uint8_t *id, struct span sealed)
{
	const uint8_t *key = map_get(b->keys, id, 16);
	json_t *missing = json_array(), *row = map_get(b->cases, id, 16);
	const char *owner = json_string_value(json_object_get(row, "owner"));
	struct buf plain = BUF_INIT;
	struct task t;
	unsigned what = 0;

	if (key != NULL && chain_task_open(&plain, key, id, sealed, NULL) == 0 &&
	    task_decode(&t, buf_span(&plain), NULL) == 0)
		what = task_missing(&t);
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.cap);
	buf_done(&plain);
	if ((what & TASK_NO_SELF) != 0)
		(void)json_array_append_new(missing, json_string("self"));
	if ((what & TASK_NO_PARENT) != 0)
		(void)json_array_append_new(missing, json_string("parent"));
	count_person(b, owner, what != 0);
	if (what != 0) {
		(void)json_object_set(row, "missing", missing);
		(void)json_array_append(b->rows, row);
	}
	json_decref(missing);
}

static int
ask_tasks(struct book *b, const uint8_t *ids, size_t n, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[2 + LOT] = {
	    span_str("HMGET"), span_str(call_key(path, sizeof(path), b->c->campaign, "tasks"))};

	for (size_t i = 0; i < n; i++)
		argv[2 + i] = span_of(ids + 16 * i, 16);
	if (ctl_cmd(b->c, argv, 2 + n, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		on_task(b, ids + 16 * i, rds_str(rds_at(r, i)));
	rds_sync_free(r);
	return 0;
}

static int
look_at_all(struct book *b, struct err *err)
{
	struct keyclient *k = keyclient_create(b->c->home.keys);
	struct map_iter it;
	uint8_t ids[16 * LOT];
	const void *id;
	size_t n = 0;
	int got = keyclient_load(k, b->c->campaign, on_key, b, err);

	keyclient_destroy(k);
	if (got != 0)
		return err_wrap(err, "密钥库");
	it = map_begin(b->cases);
	while (got == 0 && map_next(&it, &id, NULL, NULL)) {
		memcpy(ids + 16 * n, id, 16);
		if (++n == LOT) {
			got = ask_tasks(b, ids, n, err);
			n = 0;
		}
	}
	return got == 0 && n > 0 ? ask_tasks(b, ids, n, err) : got;
}

static int
walk(struct book *b, struct err *err)
{
	int got = everycase(b->c->redis, b->c->campaign, on_case, b, err);

	if (got == 0 && map_count(b->cases) > 0)
		got = look_at_all(b, err);
	map_destroy(b->keys, wipe_key);
	map_destroy(b->cases, drop_row);
	return got;
}

int
incomplete_list(struct ctl *c, const char *person, json_t **ret, struct err *err)
{
	struct book b = {c, person, map_create(), map_create(), json_array(), json_object()};
	int got = walk(&b, err);

	json_decref(b.persons);
	if (got != 0)
		json_decref(b.rows);
	else
		*ret = b.rows;
	return got;
}

int
incomplete_by_person(struct ctl *c, json_t **ret, struct err *err)
{
	struct book b = {c, NULL, map_create(), map_create(), json_array(), json_object()};
	int got = walk(&b, err);

	json_decref(b.rows);
	if (got != 0)
		json_decref(b.persons);
	else
		*ret = b.persons;
	return got;
}
