/* roster.c - seals rows and says them in batches that fit one record.
 *
 * Keys of new cases go to the key store before the record that carries them. Known cases are found by the
 * keyed index of their 考生号; their task is opened with their own key and compared, and sent only when it
 * changed. Rows are looked up LOOK_ROWS at a time. Memory: the
 * campaign's keys and one batch. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "ctl/act.h"
#include "ctl/roster.h"
#include "ctl/show.h"
#include "proto/chain.h"
#include "proto/codec.h"
#include "proto/keys.h"
#include "proto/lists.h"
#include "workers/link/keyclient.h"

#define BATCH_BYTES (F1_MAX - 4096) /* room for the seal and one more row's head */
#define BATCH_ROWS  500
#define LOOK_ROWS   256   /* looked up in Redis at once */
#define LIMIT_MS    60000 /* without progress: the router opens all rows before the first case */

/* A line that waits for its lookup. */
struct row {
	json_t *line; /* owned */
	uint8_t index[8], id[16];
	bool known;
	const struct rds_reply *task; /* owned; of a known case */
};

struct roster {
	struct ctl *c;
	struct keyclient *keys;
	struct map *key_of; /* case -> 32 bytes, owned */
	uint8_t campaign_key[32], index_key[32], import[16];
	struct acts *acts;
	struct buf rows;
	struct keys_row fresh[BATCH_ROWS];
	size_t n_fresh, n_rows, sent;
	struct row wait[LOOK_ROWS];
	size_t n_wait, fresh_rows, known_rows;
	bool look;
};

static void
on_key(void *arg, const struct keys_row *row)
{
	struct roster *r = arg;
	uint8_t *key = map_get(r->key_of, row->case_id, 16);

	if (row->shredded)
		return;
	if (key == NULL) {
		key = xmalloc(32);
		map_put(r->key_of, row->case_id, 16, key);
	}
	memcpy(key, row->key, 32);
}

static int
reserved(struct roster *r, uint8_t which, uint8_t out[32], struct err *err)
{
	uint8_t ref[16];
	const uint8_t *key;

	keys_reserved(ref, which);
	key = map_get(r->key_of, ref, 16);
	if (key == NULL)
		return err_set(err, ERR_CORRUPT, "the key store has not the campaign's keys");
	memcpy(out, key, 32);
	return 0;
}

int
roster_open(struct ctl *c, struct roster **ret, struct err *err)
{
	struct roster *r = xcalloc(1, sizeof(*r));

	r->c = c;
	r->key_of = map_create();
	r->keys = keyclient_create(c->home.keys);
	if (keyclient_load(r->keys, c->campaign, on_key, r, err) != 0 ||
	    reserved(r, KEYS_REF_CAMPAIGN, r->campaign_key, err) != 0 ||
	    reserved(r, KEYS_REF_INDEX, r->index_key, err) != 0) {
		roster_close(r);
		return err_wrap(err, "key store");
	}
	*ret = r;
	return 0;
}

static void
wipe_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static void
forget_waiting(struct roster *r)
{
	for (size_t i = 0; i < r->n_wait; i++) {
		json_decref(r->wait[i].line);
		rds_sync_free(r->wait[i].task);
	}
	r->n_wait = 0;
}

void
roster_close(struct roster *r)
{
	if (r == NULL)
		return;
	forget_waiting(r);
	acts_close(r->acts);
	keyclient_destroy(r->keys);
	map_destroy(r->key_of, wipe_key);
	buf_done(&r->rows);
	crypt_wipe(r, sizeof(*r));
	free(r);
}

int
roster_begin(struct roster *r, struct err *err)
{
	crypt_random(r->import, sizeof(r->import));
	return acts_open(r->c, &r->acts, err);
}

/* ---- one row ---- */

static struct span
text_of(const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	return span_str(s == NULL ? "" : s);
}

static void
extras(struct task *t, const json_t *line)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(line, "extra"), key, value)
	{
		if (t->n_extra + 2 > TASK_EXTRAS || !json_is_string(value))
			continue;
		t->extra[t->n_extra++] = span_str(key);
		t->extra[t->n_extra++] = span_str(json_string_value(value));
	}
}

static void
task_of(struct task *t, const json_t *line)
{
	const json_t *numbers = json_object_get(line, "numbers"), *n;
	size_t i;

	*t = (struct task){.no = text_of(line, "key"),
	    .name = text_of(line, "name"),
	    .sex = text_of(line, "sex"),
	    .id_no = text_of(line, "id_no"),
	    .province = text_of(line, "province"),
	    .area = text_of(line, "area"),
	    .school = text_of(line, "school"),
	    .major = text_of(line, "major"),
	    .address = text_of(line, "address"),
	    .reporter = text_of(line, "reporter"),
	    .batch = text_of(line, "batch"),
	    .rural = json_is_true(json_object_get(line, "rural")),
	    .minor = json_is_true(json_object_get(line, "minor")),
	    .choice = (uint64_t)json_integer_value(json_object_get(line, "choice"))};
	json_array_foreach(numbers, i, n)
	{
		if (t->n_numbers < TASK_NUMBERS)
			t->numbers[t->n_numbers++] = (struct task_number){
			    text_of(n, "kind"), text_of(n, "digits"), span_str("")};
	}
	extras(t, line);
}

/* The cases of the 考生号 that wait. */
static int
find_cases(struct roster *r, struct err *err)
{
	char path[LOOK_ROWS][96];
	const struct rds_reply *reply[LOOK_ROWS];
	struct span argv[2 * LOOK_ROWS];

	for (size_t i = 0; i < r->n_wait; i++) {
		char hex[17], name[40];

		hex_encode(hex, r->wait[i].index, 8);
		snprintf(name, sizeof(name), "num:%s", hex);
		argv[2 * i] = span_str("SMEMBERS");
		argv[2 * i + 1] =
		    span_str(call_key(path[i], sizeof(path[i]), r->c->campaign, name));
	}
	if (ctl_cmd_many(r->c, argv, 2, r->n_wait, reply, err) != 0)
		return -1;
	for (size_t i = 0; i < r->n_wait; i++) {
		struct span id = rds_str(rds_at(reply[i], 0));
		struct row *w = &r->wait[i];

		w->known = rds_len(reply[i]) > 0 && id.len == 16;
		if (w->known)
			memcpy(w->id, id.data, 16);
		r->known_rows += w->known;
		r->fresh_rows += !w->known;
		rds_sync_free(reply[i]);
	}
	return 0;
}

/* What is known of those that are. */
static int
fetch_tasks(struct roster *r, struct err *err)
{
	char path[96];
	const struct rds_reply *reply[LOOK_ROWS];
	struct span argv[3 * LOOK_ROWS];
	size_t n = 0;

	call_key(path, sizeof(path), r->c->campaign, "tasks");
	for (size_t i = 0; i < r->n_wait; i++) {
		if (!r->wait[i].known)
			continue;
		argv[3 * n] = span_str("HGET");
		argv[3 * n + 1] = span_str(path);
		argv[3 * n++ + 2] = span_of(r->wait[i].id, 16);
	}
	if (n == 0)
		return 0;
	if (ctl_cmd_many(r->c, argv, 3, n, reply, err) != 0)
		return -1;
	n = 0;
	for (size_t i = 0; i < r->n_wait; i++)
		if (r->wait[i].known)
			r->wait[i].task = reply[n++];
	return 0;
}

/* Numbers that were found and what is known of them stay: *plain becomes the task with them. */
static bool
same_task(const struct row *w, const uint8_t key[32], struct task *t, struct buf *plain)
{
	struct buf old = BUF_INIT;
	struct task was;
	bool same = false;

	if (chain_task_open(&old, key, w->id, rds_str(w->task), NULL) == 0 &&
	    task_decode(&was, buf_span(&old), NULL) == 0) {
		task_keep_numbers(t, &was);
		buf_clear(plain);
		task_encode(plain, t);
		same = span_eq(buf_span(&old), buf_span(plain));
	}
	*t = (struct task){.reporter = t->reporter};
	if (task_decode(&was, buf_span(plain), NULL) == 0)
		*t = was; /* borrows from what is sent, not from what is freed here */
	if (old.data != NULL)
		crypt_wipe(old.data, old.cap);
	buf_done(&old);
	return same;
}

static void
new_case(struct roster *r, uint8_t id[16], uint8_t key[32])
{
	static const uint8_t zeros[15];
	struct keys_row *row = &r->fresh[r->n_fresh++];

	do
		crypt_random(id, 16);
	while (memcmp(id, zeros, 15) == 0);
	crypt_random(key, 32);
	memcpy(row->case_id, id, 16);
	memcpy(row->key, key, 32);
	row->shredded = false;
}

static int
send_batch(struct roster *r, struct err *err)
{
	struct buf list = BUF_INIT;
	struct body body = {.note = {NULL, 0}};
	struct record_header h;
	int got;

	if (r->n_rows == 0)
		return 0;
	if (r->n_fresh > 0 &&
	    keyclient_add(r->keys, r->c->campaign, r->fresh, r->n_fresh, NULL, err) != 0)
		return -1;
	enc_array(&list, (uint32_t)r->n_rows);
	buf_add(&list, r->rows.data, r->rows.len);
	body.rows = buf_span(&list);
	h = acts_header(r->acts, REC_IMPORT);
	field_set_u(&h, F_count, r->n_rows);
	field_set_b(&h, F_import, r->import, 16);
	got = acts_add(r->acts, &h, &body, r->campaign_key, err);
	r->sent += r->n_rows;
	r->n_rows = r->n_fresh = 0;
	buf_clear(&r->rows);
	buf_done(&list);
	return got;
}

static int
add_row(struct roster *r, const uint8_t id[16], const uint8_t key[32], const uint8_t index[8],
    const struct task *t, struct span plain, struct err *err)
{
	struct buf row = BUF_INIT, task = BUF_INIT, indexes = BUF_INIT;
	int got = 0;

	chain_task_seal(&task, key, id, plain);
	for (uint32_t i = 0; i < t->n_numbers; i++) {
		char digits[64];
		uint8_t number[8];

		snprintf(digits, sizeof(digits), "%.*s", (int)t->numbers[i].digits.len,
		    (const char *)t->numbers[i].digits.data);
		chain_index(number, r->index_key, "num", digits);
		buf_add(&indexes, number, 8);
	}
	enc_array(&row, 5);
	enc_b(&row, id, 16);
	enc_b(&row, index, 8);
	enc_span(&row, buf_span(&task));
	enc_span(&row, buf_span(&indexes));
	enc_sn(&row, (const char *)t->reporter.data, t->reporter.len);
	if (r->rows.len + row.len > BATCH_BYTES || r->n_rows == BATCH_ROWS) {
		/* the new key of this row stays in the batch that carries the row */
		struct keys_row mine = r->n_fresh > 0 ? r->fresh[r->n_fresh - 1]
		                                      : (struct keys_row){.shredded = false};
		bool fresh = r->n_fresh > 0 && memcmp(mine.case_id, id, 16) == 0;

		got = send_batch(r, err);
		if (fresh)
			r->fresh[r->n_fresh++] = mine;
	}
	buf_add(&r->rows, row.data, row.len);
	r->n_rows++;
	buf_done(&row);
	buf_done(&task);
	buf_done(&indexes);
	return got;
}

static int
send_row(struct roster *r, struct row *w, struct err *err)
{
	uint8_t key[32];
	const uint8_t *old_key = w->known ? map_get(r->key_of, w->id, 16) : NULL;
	struct buf plain = BUF_INIT;
	struct task t;
	bool same = false;
	int got = 0;

	if (w->known && old_key == NULL)
		return err_set(err, ERR_CORRUPT, "a known case has no key in the key store");
	task_of(&t, w->line);
	task_encode(&plain, &t);
	if (w->known) {
		memcpy(key, old_key, 32);
		same = same_task(w, key, &t, &plain);
	} else {
		new_case(r, w->id, key);
	}
	if (!same)
		got = add_row(r, w->id, key, w->index, &t, buf_span(&plain), err);
	crypt_wipe(key, sizeof(key));
	crypt_wipe(plain.data, plain.cap);
	buf_done(&plain);
	return got;
}

/* All that wait: looked up, and said unless it is only a look. */
static int
take_waiting(struct roster *r, struct err *err)
{
	int got = 0;

	if (r->n_wait == 0)
		return 0;
	if (find_cases(r, err) != 0 || (!r->look && fetch_tasks(r, err) != 0))
		got = -1;
	for (size_t i = 0; i < r->n_wait && got == 0 && !r->look; i++)
		got = send_row(r, &r->wait[i], err);
	forget_waiting(r);
	return got;
}

int
roster_row(struct roster *r, json_t *line, bool look, struct err *err)
{
	struct row *w = &r->wait[r->n_wait++];

	r->look = look;
	*w = (struct row){.line = json_incref(line)};
	chain_index(w->index, r->index_key, "no", json_string_value(json_object_get(line, "key")));
	return r->n_wait == LOOK_ROWS ? take_waiting(r, err) : 0;
}

int
roster_end(struct roster *r, size_t *ret_fresh, size_t *ret_known, struct err *err)
{
	int got = take_waiting(r, err);

	*ret_fresh = r->fresh_rows;
	*ret_known = r->known_rows;
	r->fresh_rows = r->known_rows = 0;
	return got;
}

int
roster_commit(struct roster *r, uint64_t (*seen)(void *), void *arg, struct err *err)
{
	struct record_header h;
	struct acts_result res = {0, 0, 0, ""};

	if (send_batch(r, err) != 0)
		return -1;
	if (r->sent == 0)
		return 0;
	h = acts_header(r->acts, REC_COMMIT);
	field_set_b(&h, F_import, r->import, 16);
	field_set_u(&h, F_rows, r->sent);
	acts_watch(r->acts, seen, arg);
	if (acts_add(r->acts, &h, NULL, NULL, err) != 0 ||
	    acts_finish(r->acts, &res, LIMIT_MS, err) != 0)
		return -1;
	if (res.late + res.quarantined > 0)
		return err_set(err, ERR_DENIED, "没有被接受: %s", res.why);
	return 0;
}
