/* export_names.c - whose case it is: tasks opened with the keys of the key store, for the exports that may show it.
 *
 * Happy path: all keys, then all tasks of case_state. Failures: the key store away; a task that does not open (its
 * key was shredded) has no name. Masked: first character of a name, ends of numbers. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "proto/chain.h"
#include "proto/lists.h"
#include "workers/link/evidence.h"
#include "workers/link/keyclient.h"
#include "workers/reconciliation/export.h"

static void
on_key(void *arg, const struct keys_row *row)
{
	struct map *keys = arg;
	uint8_t *key;

	if (row->shredded) {
		free(map_del(keys, row->case_id, 16));
		return;
	}
	key = xmalloc(32);
	memcpy(key, row->key, 32);
	free(map_put(keys, row->case_id, 16, key));
}

static void
copy(char *out, size_t size, struct span s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	while (n < s.len && n > 0 && (s.data[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	if (n > 0)
		memcpy(out, s.data, n);
	out[n] = '\0';
}

static void
add_name(struct export *x, const uint8_t *id, struct span sealed)
{
	const uint8_t *key = map_get(x->keys, id, 16);
	struct buf plain = BUF_INIT;
	struct task task;
	struct name_of *n;

	if (key != NULL && chain_task_open(&plain, key, id, sealed, NULL) == 0 &&
	    task_decode(&task, buf_span(&plain), NULL) == 0) {
		n = xcalloc(1, sizeof(*n));
		copy(n->no, sizeof(n->no), task.no);
		copy(n->name, sizeof(n->name), task.name);
		copy(n->major, sizeof(n->major), task.major);
		if (task.n_numbers > 0)
			copy(n->phone, sizeof(n->phone), task.numbers[0].digits);
		free(map_put(x->names, id, 16, n));
	}
	crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
}

static int
load_tasks(struct export *x, struct err *err)
{
	struct pg_param p = pg_text(x->campaign);
	struct pg_result *r;
	int got = 0;

	if (pg_exec(x->pg,
	        "SELECT case_ref, task FROM hf.case_state WHERE campaign = $1 AND task IS NOT NULL",
	        &p, 1, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		struct buf id = BUF_INIT, task = BUF_INIT;

		got = pg_get_bytes(r, i, 0, &id, err);
		if (got == 0)
			got = pg_get_bytes(r, i, 1, &task, err);
		if (got == 0 && id.len == 16)
			add_name(x, id.data, buf_span(&task));
		buf_done(&id);
		buf_done(&task);
	}
	pg_free(r);
	return got;
}

int
names_load(struct export *x, struct err *err)
{
	struct keyclient *k;
	int got;

	if (x->names != NULL)
		return 0;
	k = keyclient_create(x->home->keys);
	x->keys = map_create();
	x->names = map_create();
	got = keyclient_load(k, x->campaign, on_key, x->keys, err);
	keyclient_destroy(k);
	if (got != 0)
		return err_wrap(err, "密钥库");
	return load_tasks(x, err);
}

int
names_evidence(const struct export *x, const struct pg_result *r, int row, int col,
    struct span hash_hex, struct buf *out, struct err *err)
{
	struct buf id = BUF_INIT, sealed = BUF_INIT;
	char path[PATH_MAX];
	const uint8_t *key;
	int got = -1;

	if (hash_hex.len != 2 * HASH_LEN)
		return err_set(err, ERR_NOT_FOUND, "no evidence is named");
	(void)snprintf(path, sizeof(path), "%s/evidence/%s/%.*s", x->home->archive, x->campaign,
	    (int)hash_hex.len, (const char *)hash_hex.data);
	if (pg_get_bytes(r, row, col, &id, err) == 0 &&
	    file_read(&sealed, path, EVIDENCE_PLAIN_MAX + SEAL_OVERHEAD, err) == 0) {
		key = id.len == 16 ? map_get(x->keys, id.data, 16) : NULL;
		got = key != NULL ? evidence_unseal(out, id.data, key, buf_span(&sealed), err)
		                  : err_set(err, ERR_NOT_FOUND, "the case has no key any more");
	}
	buf_done(&id);
	buf_done(&sealed);
	return got;
}

bool
names_campaign_text(
    const struct export *x, const uint8_t ob[16], uint64_t seq, struct span sealed, struct buf *out)
{
	uint8_t ref[16];
	const uint8_t *key;
	struct buf plain = BUF_INIT;
	struct body body;
	bool ok;

	keys_reserved(ref, KEYS_REF_CAMPAIGN);
	key = x->keys != NULL ? map_get(x->keys, ref, 16) : NULL;
	ok = key != NULL && chain_body_open(&plain, key, ref, ob, seq, sealed, NULL) == 0 &&
	     body_decode(&body, buf_span(&plain), NULL) == 0;
	if (ok)
		buf_add(out, body.text.data, body.text.len);
	buf_done(&plain);
	return ok;
}

/* "2451****0231": the ends stay when the middle is longer than both. */
static void
mask_ends(char *text, size_t head, size_t tail)
{
	size_t len = strlen(text);

	if (len <= head + tail) {
		memset(text, '*', len);
		return;
	}
	memset(text + head, '*', len - head - tail);
}

static void
mask_name(char *name)
{
	size_t n = 1;

	while ((name[n] & 0xc0) == 0x80)
		n++;
	if (name[0] != '\0')
		memcpy(name + n, "**", 3);
}

const struct name_of *
names_get(const struct export *x, const struct pg_result *r, int row, int col, struct name_of *out)
{
	const struct name_of *n = NULL;
	struct buf id = BUF_INIT;

	memset(out, 0, sizeof(*out));
	if (!pg_is_null(r, row, col) && pg_get_bytes(r, row, col, &id, NULL) == 0 && id.len == 16)
		n = map_get(x->names, id.data, 16);
	buf_done(&id);
	if (n == NULL)
		return out;
	*out = *n;
	if (!x->unmasked) {
		mask_ends(out->no, 4, 4);
		mask_ends(out->phone, 3, 4);
		mask_name(out->name);
	}
	return out;
}

static void
free_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static void
free_name(void *name)
{
	crypt_wipe(name, sizeof(struct name_of));
	free(name);
}

void
names_drop(struct export *x)
{
	map_destroy(x->names, free_name);
	map_destroy(x->keys, free_key);
	x->names = x->keys = NULL;
}
