/* waiting.c - evidence beside the archive's segments, and who waits for it.
 *
 * Happy path: a record names files that are all in evidence/<campaign>/: nothing waits. One that is missing holds its
 * record and the outbox behind it, in memory and in the file <campaign>.waiting, until it has come. After a crash the
 * newest segment is noted once more; what is known already is not added. Failures: a disk that fails is the caller's
 * trouble, as for a segment; a line of the file that does not read stops the archive, for it would release too much. */
#include "workers/recorder/waiting.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/record.h"

#define FILE_MAX   (16u << 20)
#define HASHES_MAX 8

/* One record; those of an outbox stand in the order of seq. */
struct held {
	uint8_t ob[16];
	uint64_t seq;
	uint8_t prev_h[32];
	uint64_t newest; /* of that outbox in the archive, on its last row */
	uint8_t newest_h[32];
	size_t n;
	uint8_t hash[HASHES_MAX][32];
};

struct waiting {
	char dir[PATH_MAX - 100], file[PATH_MAX];
	struct held *held;
	size_t n;
	bool dirty;
	struct box *boxes; /* of the last settle */
	size_t n_boxes;
};

/* ---- files ----------------------------------------------------------------------------------------- */

static void
path_of(const struct waiting *w, const uint8_t hash[32], char out[PATH_MAX])
{
	char hex[65];

	hex_encode(hex, hash, 32);
	snprintf(out, PATH_MAX, "%s/%s", w->dir, hex);
}

bool
waiting_is_here(const struct waiting *w, const uint8_t hash[32])
{
	char path[PATH_MAX];

	path_of(w, hash, path);
	return access(path, F_OK) == 0;
}

int
waiting_keep(struct waiting *w, const uint8_t hash[32], struct span sealed, struct err *err)
{
	char path[PATH_MAX];
	uint8_t is[32];

	crypt_hash(is, &sealed, 1);
	if (memcmp(is, hash, 32) != 0)
		return err_set(err, ERR_CORRUPT, "evidence is not what its hash says");
	path_of(w, hash, path);
	return file_replace(path, sealed, 0440, err);
}

static bool
word(const char **at, uint8_t *out, size_t len)
{
	if (!hex_decode(out, len, *at, 2 * len))
		return false;
	*at += 2 * len;
	*at += **at == ' ';
	return true;
}

static bool
number(const char **at, uint64_t *out)
{
	size_t len = strspn(*at, "0123456789");

	if (!text_to_u64(*at, len, out))
		return false;
	*at += len;
	*at += **at == ' ';
	return true;
}

static bool
read_row(struct held *h, const char *at)
{
	size_t len = strlen(at);

	*h = (struct held){.n = 0};
	if (len < 32 || !word(&at, h->ob, 16) || !number(&at, &h->seq) || strlen(at) < 64 ||
	    !word(&at, h->prev_h, 32) || !number(&at, &h->newest) || strlen(at) < 64 ||
	    !word(&at, h->newest_h, 32))
		return false;
	while (strlen(at) >= 64 && h->n < HASHES_MAX)
		if (!word(&at, h->hash[h->n++], 32))
			return false;
	return *at == '\0' && h->n > 0;
}

static void
add(struct waiting *w, const struct held *h)
{
	w->held = xrealloc(w->held, w->n + 1, sizeof(*w->held));
	w->held[w->n++] = *h;
}

static int
load(struct waiting *w, struct err *err)
{
	struct buf text = BUF_INIT;
	char *save = NULL;
	int rc = 0;

	if (access(w->file, F_OK) != 0)
		return 0;
	rc = file_read(&text, w->file, FILE_MAX, err);
	for (char *row = rc == 0 ? strtok_r((char *)text.data, "\n", &save) : NULL;
	     row != NULL && rc == 0; row = strtok_r(NULL, "\n", &save)) {
		struct held h;

		if (read_row(&h, row))
			add(w, &h);
		else
			rc = err_set(err, ERR_CORRUPT, "%s: a row does not read", w->file);
	}
	buf_done(&text);
	return rc;
}

static void
put_hex(struct buf *out, const uint8_t *data, size_t len)
{
	char hex[65];

	hex_encode(hex, data, len);
	buf_addf(out, " %s", hex);
}

int
waiting_save(struct waiting *w, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (!w->dirty)
		return 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct held *h = &w->held[i];
		char ob[33];

		hex_encode(ob, h->ob, 16);
		buf_addf(&text, "%s %ju", ob, (uintmax_t)h->seq);
		put_hex(&text, h->prev_h, 32);
		buf_addf(&text, " %ju", (uintmax_t)h->newest);
		put_hex(&text, h->newest_h, 32);
		for (size_t k = 0; k < h->n; k++)
			put_hex(&text, h->hash[k], 32);
		buf_adds(&text, "\n");
	}
	rc = file_replace(w->file, buf_span(&text), 0600, err);
	buf_done(&text);
	w->dirty = rc != 0;
	return rc;
}

int
waiting_open(struct waiting **ret, const char *dir, const char *campaign, struct err *err)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	snprintf(w->dir, sizeof(w->dir), "%s/evidence/%s", dir, campaign);
	snprintf(w->file, sizeof(w->file), "%s/evidence/%s.waiting", dir, campaign);
	if (file_mkdirs(w->dir, 0750, err) != 0 || load(w, err) != 0) {
		waiting_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

void
waiting_close(struct waiting *w)
{
	if (w == NULL)
		return;
	free(w->held);
	free(w->boxes);
	free(w);
}

/* ---- who waits ---------------------------------------------------------------------------------------- */

/* Does an older row of this outbox hold what has this number? */
static bool
is_behind(const struct waiting *w, const uint8_t ob[16], uint64_t seq)
{
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(w->held[i].ob, ob, 16) == 0)
			return seq >= w->held[i].seq;
	return false;
}

/* The last row of this outbox, or NULL. */
static struct held *
last_of(struct waiting *w, const uint8_t ob[16])
{
	for (size_t i = w->n; i-- > 0;)
		if (memcmp(w->held[i].ob, ob, 16) == 0)
			return &w->held[i];
	return NULL;
}

static bool
all_here(const struct waiting *w, const struct held *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (!waiting_is_here(w, h->hash[i]))
			return false;
	return true;
}

static void
named_by(struct held *ret, const struct msg_record *r)
{
	struct record_header h;
	const struct field *f;

	*ret = (struct held){.seq = r->seq};
	memcpy(ret->ob, r->ob, 16);
	memcpy(ret->prev_h, r->prev_h, 32);
	if (record_header_decode(&h, r->header, NULL) != 0)
		return; /* quarantined: it names nothing */
	f = &h.f[F_evidence];
	for (size_t i = 0; f->set && i < f->n && ret->n < HASHES_MAX; i++)
		if (f->list[i].len == 32)
			memcpy(ret->hash[ret->n++], f->list[i].data, 32);
}

bool
waiting_note(struct waiting *w, const struct msg_record *r)
{
	struct held h, *last = last_of(w, r->ob);

	if (last == NULL || last->seq < r->seq) {
		named_by(&h, r);
		if (h.n > 0 && !all_here(w, &h)) {
			log_info("archive.waits",
			    "seq=%ju files=%zu hint=\"evidence is on its way\"", (uintmax_t)r->seq,
			    h.n);
			add(w, &h);
			last = &w->held[w->n - 1];
		}
	}
	if (last == NULL || !is_behind(w, r->ob, r->seq))
		return false;
	if (r->seq > last->newest) {
		last->newest = r->seq;
		memcpy(last->newest_h, r->h, 32);
		w->dirty = true;
	}
	return true;
}

static void
release(struct waiting *w, const uint8_t ob[16], uint64_t upto, const uint8_t h[32])
{
	struct box *b;

	if (upto == 0)
		return;
	w->boxes = xrealloc(w->boxes, w->n_boxes + 1, sizeof(*w->boxes));
	b = &w->boxes[w->n_boxes++];
	*b = (struct box){.upto = upto};
	memcpy(b->ob, ob, 16);
	memcpy(b->h, h, 32);
}

const struct box *
waiting_settle(struct waiting *w, size_t *ret_n)
{
	size_t kept = 0;

	w->n_boxes = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct held h = w->held[i];
		bool is_first = true, is_last = true;
		size_t next = w->n;

		for (size_t k = 0; k < kept; k++)
			is_first = is_first && memcmp(w->held[k].ob, h.ob, 16) != 0;
		for (size_t k = w->n; k-- > i + 1;)
			if (memcmp(w->held[k].ob, h.ob, 16) == 0) {
				is_last = false;
				next = k;
			}
		if (!is_first || !all_here(w, &h)) {
			w->held[kept++] = h;
			continue;
		}
		w->dirty = true;
		if (is_last)
			release(w, h.ob, h.newest, h.newest_h);
		else
			release(w, h.ob, w->held[next].seq - 1, w->held[next].prev_h);
	}
	w->n = kept;
	*ret_n = w->n_boxes;
	return w->boxes;
}
