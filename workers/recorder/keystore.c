/* Which key a case has, and that it lies in two files before anybody is told so.
 *
 * Happy path: open both files, level them, index the slots; add appends to the copy, then to the store.
 * Shredding appends a tombstone first, so that a crash in between is finished at the next open, then
 * blanks the key's slot. Failures: files that contradict each other end the opening; a damaged slot is
 * taken from the other file, or counted and skipped; a failed write leaves memory as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/map.h"
#include "workers/recorder/keyfile.h"
#include "workers/recorder/keystore.h"

#define KEY_OF_MAP (NAME_MAX_LEN + 1 + 16)

struct keystore {
	struct keyfile *file, *copy; /* owned; copy may be NULL */
	struct keyslot *slot;        /* owned, n of them, by position */
	size_t n, cap;
	struct map *by_case; /* campaign, case -> position + 1 of the newest slot */
	bool has_kek;
	uint8_t kek[32];
};

static void
map_key(uint8_t out[KEY_OF_MAP], const char *campaign, const uint8_t case_id[16])
{
	memset(out, 0, KEY_OF_MAP);
	memcpy(out, campaign, strnlen(campaign, NAME_MAX_LEN));
	memcpy(out + NAME_MAX_LEN + 1, case_id, 16);
}

/* The newest slot of a case, or NULL. */
static struct keyslot *
find(struct keystore *k, const char *campaign, const uint8_t case_id[16])
{
	uint8_t key[KEY_OF_MAP];
	uintptr_t at;

	map_key(key, campaign, case_id);
	at = (uintptr_t)map_get(k->by_case, key, sizeof(key));
	return at == 0 ? NULL : &k->slot[at - 1];
}

static void
remember(struct keystore *k, const struct keyslot *s)
{
	uint8_t key[KEY_OF_MAP];

	if (k->n == k->cap) {
		k->cap = k->cap == 0 ? 1024 : 2 * k->cap;
		k->slot = xrealloc(k->slot, k->cap, sizeof(*k->slot));
	}
	k->slot[k->n++] = *s;
	if (s->type == KEYSLOT_DAMAGED)
		return;
	map_key(key, s->campaign, s->case_id);
	(void)map_put(k->by_case, key, sizeof(key), (void *)(uintptr_t)k->n);
}

static void
forget_after(struct keystore *k, size_t n)
{
	uint8_t key[KEY_OF_MAP];

	while (k->n > n) {
		k->n--;
		map_key(key, k->slot[k->n].campaign, k->slot[k->n].case_id);
		(void)map_del(k->by_case, key, sizeof(key));
	}
}

/* ---- two files ---------------------------------------------------------------------------------- */

static bool
same_case(const struct keyslot *a, const struct keyslot *b)
{
	return (a->type == KEYSLOT_TOMB) == (b->type == KEYSLOT_TOMB) &&
	       strcmp(a->campaign, b->campaign) == 0 &&
	       memcmp(a->case_id, b->case_id, sizeof(a->case_id)) == 0;
}

static int
level_slot(struct keystore *k, uint64_t at, struct keystore_health *health, struct err *err)
{
	struct keyslot a, b;
	struct keyfile *lacks;

	if (keyfile_read(k->file, at, &a, err) != 0 || keyfile_read(k->copy, at, &b, err) != 0)
		return -1;
	if (a.type != KEYSLOT_DAMAGED && b.type != KEYSLOT_DAMAGED)
		return same_case(&a, &b)
		           ? 0
		           : err_set(err, ERR_CORRUPT, "key store and copy differ in slot %ju",
		                 (uintmax_t)at);
	if (a.type == b.type)
		return 0;
	lacks = a.type == KEYSLOT_DAMAGED ? k->file : k->copy;
	health->restored++;
	return keyfile_put(lacks, at, a.type == KEYSLOT_DAMAGED ? &b : &a, err);
}

static int
append_missing(
    struct keyfile *to, struct keyfile *from, struct keystore_health *health, struct err *err)
{
	struct keyslot *part = xcalloc(KEYS_ROWS_MAX, sizeof(*part));
	int rc = 0;

	while (rc == 0 && keyfile_count(to) < keyfile_count(from)) {
		uint64_t at = keyfile_count(to);
		size_t n = 0;

		for (; rc == 0 && n < KEYS_ROWS_MAX && at + n < keyfile_count(from); n++)
			rc = keyfile_read(from, at + n, &part[n], err);
		if (rc == 0)
			rc = keyfile_append(to, part, n, err);
		health->restored += n;
	}
	free(part);
	return rc;
}

static int
level(struct keystore *k, struct keystore_health *health, struct err *err)
{
	uint64_t both = keyfile_count(k->file);

	if (keyfile_count(k->copy) < both)
		both = keyfile_count(k->copy);
	for (uint64_t i = 0; i < both; i++)
		if (level_slot(k, i, health, err) != 0)
			return -1;
	if (append_missing(k->file, k->copy, health, err) != 0)
		return -1;
	return append_missing(k->copy, k->file, health, err);
}

/* Once one file failed neither grows any more, or the two would part. */
static int
append(struct keystore *k, const struct keyslot *slots, size_t n, struct err *err)
{
	if (!keyfile_ok(k->file) || (k->copy != NULL && !keyfile_ok(k->copy)))
		return err_set(
		    err, ERR_IO, "the key store takes no writes after a failure: restart");
	if (k->copy != NULL && keyfile_append(k->copy, slots, n, err) != 0)
		return -1;
	return keyfile_append(k->file, slots, n, err);
}

/* Destroys the wrapped key in both files, if it is still there. */
static int
blank(struct keystore *k, size_t at, struct err *err)
{
	struct keyfile *files[] = {k->file, k->copy};
	struct keyslot s;

	for (size_t i = 0; i < 2 && files[i] != NULL; i++) {
		if (keyfile_read(files[i], at, &s, err) != 0)
			return -1;
		if (s.type != KEYSLOT_KEY)
			continue;
		s.type = KEYSLOT_BLANK;
		memset(s.sealed, 0, sizeof(s.sealed));
		if (keyfile_put(files[i], at, &s, err) != 0)
			return -1;
	}
	k->slot[at].type = KEYSLOT_BLANK;
	crypt_wipe(k->slot[at].sealed, sizeof(k->slot[at].sealed));
	return 0;
}

static int
index_slots(struct keystore *k, struct keystore_health *health, struct err *err)
{
	struct keyslot s;
	struct keyslot *old;

	for (uint64_t i = 0; i < keyfile_count(k->file); i++) {
		if (keyfile_read(k->file, i, &s, err) != 0)
			return -1;
		health->slots++;
		health->damaged += s.type == KEYSLOT_DAMAGED;
		old = s.type == KEYSLOT_TOMB ? find(k, s.campaign, s.case_id) : NULL;
		if (old != NULL && blank(k, (size_t)(old - k->slot), err) != 0)
			return -1;
		remember(k, &s);
	}
	return 0;
}

int
keystore_open(struct keystore **ret, const char *path, const char *copy_path, bool wait,
    struct keystore_health *ret_health, struct err *err)
{
	struct keystore *k = xcalloc(1, sizeof(*k));
	struct keystore_health health = {0};
	int rc;

	k->by_case = map_create();
	rc = keyfile_open(&k->file, path, wait, err);
	if (rc == 0 && copy_path != NULL)
		rc = keyfile_open(&k->copy, copy_path, wait, err);
	if (rc == 0 && k->copy != NULL)
		rc = level(k, &health, err);
	if (rc == 0)
		rc = index_slots(k, &health, err);
	if (rc != 0) {
		keystore_close(k);
		return -1;
	}
	*ret = k;
	*ret_health = health;
	return 0;
}

void
keystore_close(struct keystore *k)
{
	if (k == NULL)
		return;
	keyfile_close(k->file);
	keyfile_close(k->copy);
	map_destroy(k->by_case, NULL);
	free(k->slot);
	crypt_wipe(k->kek, sizeof(k->kek));
	free(k);
}

/* ---- wrapping ----------------------------------------------------------------------------------- */

static void
ad_of(struct buf *out, const char *campaign, const uint8_t case_id[16])
{
	buf_adds(out, campaign);
	buf_add(out, case_id, 16);
}

static void
wrap(const struct keystore *k, struct keyslot *s, const uint8_t key[32])
{
	struct buf ad = BUF_INIT, sealed = BUF_INIT;

	ad_of(&ad, s->campaign, s->case_id);
	crypt_seal(&sealed, k->kek, span_of(key, 32), buf_span(&ad));
	CHECK(sealed.len == sizeof(s->sealed));
	memcpy(s->sealed, sealed.data, sealed.len);
	buf_done(&sealed);
	buf_done(&ad);
}

static int
unwrap(const uint8_t kek[32], const struct keyslot *s, uint8_t ret_key[32], struct err *err)
{
	struct buf ad = BUF_INIT, plain = BUF_INIT;
	int rc;

	ad_of(&ad, s->campaign, s->case_id);
	rc = crypt_open(&plain, kek, span_of(s->sealed, sizeof(s->sealed)), buf_span(&ad), err);
	if (rc == 0 && plain.len != 32)
		rc = err_set(err, ERR_CORRUPT, "a wrapped key has another length");
	if (rc == 0)
		memcpy(ret_key, plain.data, 32);
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
	buf_done(&ad);
	return rc;
}

int
keystore_set_kek(struct keystore *k, const uint8_t kek[32], struct err *err)
{
	uint8_t key[32];

	for (size_t i = 0; i < k->n; i++) {
		if (k->slot[i].type != KEYSLOT_KEY)
			continue;
		if (unwrap(kek, &k->slot[i], key, err) != 0)
			return err_set(err, ERR_DENIED, "this kek does not open the key store");
		crypt_wipe(key, sizeof(key));
		break;
	}
	memcpy(k->kek, kek, sizeof(k->kek));
	k->has_kek = true;
	return 0;
}

bool
keystore_has_kek(const struct keystore *k)
{
	return k->has_kek;
}

static int
need_kek(const struct keystore *k, struct err *err)
{
	return k->has_kek ? 0 : err_set(err, ERR_BUSY, "the key-encryption key (kek) is missing");
}

/* ---- reading ------------------------------------------------------------------------------------ */

uint64_t
keystore_end(const struct keystore *k)
{
	return k->n;
}

int
keystore_next(struct keystore *k, const char *campaign, uint64_t at, struct keys_row *ret,
    uint64_t *ret_next, struct err *err)
{
	const struct keyslot *s;

	while (at < k->n &&
	       (k->slot[at].type == KEYSLOT_DAMAGED || strcmp(k->slot[at].campaign, campaign) != 0))
		at++;
	*ret_next = at;
	if (at >= k->n)
		return 0;
	s = &k->slot[at];
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->case_id, s->case_id, sizeof(ret->case_id));
	ret->shredded = s->type != KEYSLOT_KEY;
	*ret_next = at + 1;
	if (ret->shredded)
		return 1;
	if (need_kek(k, err) != 0 || unwrap(k->kek, s, ret->key, err) != 0)
		return -1;
	return 1;
}

/* ---- changing ----------------------------------------------------------------------------------- */

/* 1 known with this key, 0 new, -1 refused. */
static int
known(struct keystore *k, const char *campaign, const struct keys_row *row, struct err *err)
{
	const struct keyslot *s = find(k, campaign, row->case_id);
	uint8_t key[32];
	bool same;

	if (row->shredded)
		return err_set(err, ERR_INVALID, "a key is empty");
	if (s == NULL)
		return 0;
	if (s->type != KEYSLOT_KEY)
		return err_set(err, ERR_DENIED, "a case of these is shredded");
	if (unwrap(k->kek, s, key, err) != 0)
		return -1;
	same = crypt_equal(key, row->key, sizeof(key));
	crypt_wipe(key, sizeof(key));
	return same ? 1 : err_set(err, ERR_EXISTS, "a case of these has another key");
}

int
keystore_add(struct keystore *k, const char *campaign, const struct keys_row *rows, size_t n,
    size_t *ret_new, struct err *err)
{
	size_t before = k->n;
	struct keyslot s;
	int rc = need_kek(k, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = known(k, campaign, &rows[i], err);
		if (rc == 0) {
			memset(&s, 0, sizeof(s));
			s.type = KEYSLOT_KEY;
			memcpy(s.campaign, campaign, strnlen(campaign, NAME_MAX_LEN));
			memcpy(s.case_id, rows[i].case_id, sizeof(s.case_id));
			wrap(k, &s, rows[i].key);
			remember(k, &s);
		}
		rc = rc < 0 ? -1 : 0;
	}
	if (rc == 0 && k->n > before)
		rc = append(k, &k->slot[before], k->n - before, err);
	if (rc != 0)
		forget_after(k, before);
	else
		*ret_new = k->n - before;
	return rc;
}

int
keystore_shred(struct keystore *k, const char *campaign, const uint8_t case_id[16], struct err *err)
{
	struct keyslot *old = find(k, campaign, case_id);
	size_t at = old == NULL ? 0 : (size_t)(old - k->slot);
	bool had = old != NULL;
	struct keyslot tomb = {.type = KEYSLOT_TOMB};

	if (had && old->type == KEYSLOT_TOMB)
		return 0;
	memcpy(tomb.campaign, campaign, strnlen(campaign, NAME_MAX_LEN));
	memcpy(tomb.case_id, case_id, sizeof(tomb.case_id));
	if (append(k, &tomb, 1, err) != 0)
		return -1;
	remember(k, &tomb);
	return had ? blank(k, at, err) : 0;
}
