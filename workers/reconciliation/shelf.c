/* shelf.c - walks the segments of an archive. Written from the description, not from the recorder's code.
 *
 * Happy path: 000000000001.seg, 2, 3 …: head, entries, hash, signature. Failures: a length that does not fit is
 * ERR_CORRUPT and names the segment; a broken chain or signature is told in the segment, for the caller to judge. */
#include "workers/reconciliation/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define MAGIC       "HFARCH1\n"
#define HEAD_LEN    (8 + 8 + HASH_LEN + 32 + 32 + 4)
#define SEGMENT_MAX (8u << 20)
#define STRINGS     64

static int
is_segment(const struct dirent *e)
{
	size_t len = strlen(e->d_name);
	uint64_t n;

	return len > 4 && strcmp(e->d_name + len - 4, ".seg") == 0 &&
	       text_to_u64(e->d_name, len - 4, &n);
}

bool
shelf_key(const struct home *home, uint8_t ret[SIGN_PK_LEN])
{
	return home_secret_key(home, "recorder.pub", ret, NULL) == 0;
}

static int
take_head(struct shelf_segment *s, struct span file, struct err *err)
{
	const uint8_t *p = file.data;
	struct span all;

	if (file.len < HEAD_LEN + SIGN_LEN || memcmp(p, MAGIC, 8) != 0)
		return err_set(err, ERR_CORRUPT, "it is no segment of an archive");
	s->number = be64_get(p + 8);
	memcpy(s->prev, p + 16, HASH_LEN);
	p += 16 + HASH_LEN + 32;
	s->first_epoch = be64_get(p);
	s->first_no = be64_get(p + 8);
	s->last_epoch = be64_get(p + 16);
	s->last_no = be64_get(p + 24);
	s->count = be32_get(p + 32);
	all = span_of(file.data, file.len - SIGN_LEN);
	crypt_hash(s->hash, &all, 1);
	return 0;
}

static bool
signed_by(const struct shelf_segment *s, struct span file, const uint8_t *pk)
{
	struct buf text = BUF_INIT;
	bool ok;

	if (pk == NULL)
		return true;
	buf_adds(&text, "hf1-archive");
	buf_add(&text, s->hash, HASH_LEN);
	ok = crypt_verify(file.data + file.len - SIGN_LEN, pk, buf_span(&text));
	buf_done(&text);
	return ok;
}

/* One entry off the front of rest: its id and strings. */
static int
next_entry(struct span *rest, char id[48], struct span *strings, size_t *ret_n, struct err *err)
{
	const uint8_t *p = rest->data, *end = rest->data + rest->len;
	uint32_t n;

	if (rest->len < 20 || (n = be32_get(p + 16)) > STRINGS)
		return err_set(err, ERR_CORRUPT, "an entry does not read");
	(void)snprintf(id, 48, "%ju-%ju", (uintmax_t)be64_get(p), (uintmax_t)be64_get(p + 8));
	p += 20;
	for (uint32_t i = 0; i < n; i++) {
		size_t len;

		if (end - p < 4 || (len = be32_get(p)) > (size_t)(end - p) - 4)
			return err_set(err, ERR_CORRUPT, "an entry ends too early");
		strings[i] = span_of(p + 4, len);
		p += 4 + len;
	}
	*rest = span_of(p, (size_t)(end - p));
	*ret_n = n;
	return 0;
}

static int
walk_entries(
    const struct shelf_segment *s, struct span rest, shelf_fn *fn, void *arg, struct err *err)
{
	struct span strings[STRINGS];
	struct log_entry e;
	char id[48];
	size_t n = 0;

	while (rest.len > 0) {
		if (next_entry(&rest, id, strings, &n, err) != 0)
			return -1;
		if (log_entry_decode(&e, span_str(id), strings, n, NULL) == 0 &&
		    strcmp(e.type, "record") == 0 && fn(arg, s, &e, err) != 0)
			return -1;
	}
	return 0;
}

static int
walk_one(struct span file, struct shelf_segment *before, const uint8_t *pk, shelf_fn *fn, void *arg,
    struct err *err)
{
	struct shelf_segment s = {.number = 0};

	if (take_head(&s, file, err) != 0)
		return -1;
	s.is_signed = signed_by(&s, file, pk);
	s.chained = s.number == before->number + 1 &&
	            (!before->is_known || memcmp(s.prev, before->hash, HASH_LEN) == 0);
	if (fn(arg, &s, NULL, err) != 0)
		return -1;
	if (walk_entries(&s, span_of(file.data + HEAD_LEN, file.len - HEAD_LEN - SIGN_LEN), fn, arg,
	        err) != 0)
		return -1;
	*before = s;
	before->is_known = true;
	return 0;
}

static uint64_t
number_of(const char *name)
{
	uint64_t n = 0;

	(void)text_to_u64(name, strlen(name) - 4, &n);
	return n;
}

int
shelf_walk_dir(const char *dir, uint64_t from, const uint8_t *sign_pk, shelf_fn *fn, void *arg,
    struct err *err)
{
	/* before the first there is nothing to hang on: a hash of zeros; before another, whatever it says */
	struct shelf_segment before = {.number = from - 1, .is_known = from == 1};
	char path[PATH_MAX + 300];
	struct dirent **name;
	int n, got = 0;

	n = scandir(dir, &name, is_segment, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(err, "the archive cannot be read");
	for (int i = 0; i < n; i++) {
		struct buf file = BUF_INIT;

		(void)snprintf(path, sizeof(path), "%s/%s", dir, name[i]->d_name);
		if (got == 0 && number_of(name[i]->d_name) >= from) {
			if (file_read(&file, path, SEGMENT_MAX, err) != 0)
				got = -1;
			else if (walk_one(buf_span(&file), &before, sign_pk, fn, arg, err) != 0)
				got = err_wrap(err, "archive, %s", name[i]->d_name);
		}
		buf_done(&file);
		free(name[i]);
	}
	free(name);
	return got;
}

int
shelf_walk(const struct home *home, const char *campaign, uint64_t from, const uint8_t *sign_pk,
    shelf_fn *fn, void *arg, struct err *err)
{
	char dir[PATH_MAX];

	(void)snprintf(dir, sizeof(dir), "%s/records/%s", home->archive, campaign);
	return shelf_walk_dir(dir, from, sign_pk, fn, arg, err);
}
