/* evidence.c - photos and papers on the agent's disk, sealed, until the archive has them.
 *
 * Happy path: put (seal, write, fsync, rename, fsync of the directory), named by a record, sent, released, unlinked.
 * The file's name says all that must outlive a restart: <hash>.<size>.<newest record that names it, 0 none>. It is
 * renamed before that record is stored: a crash between leaves a number whose record is another, and the file goes
 * when that one is released, which is after its own naming was given up. Whether all of it has arrived is asked anew
 * after a restart. Failures: a name that does not read is left alone. A file that no record names goes once it was
 * sent and the process starts anew. */
#include "workers/link/evidence.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"

struct item {
	uint8_t hash[32];
	uint64_t size, seq;
	bool sent, is_old; /* is_old: from before this process */
};

struct evidence {
	char *dir;
	struct item *items;
	size_t n;
};

static char *
path_of(const struct evidence *e, const struct item *i)
{
	char hex[65];

	hex_encode(hex, i->hash, 32);
	return xasprintf("%s/%s.%ju.%ju", e->dir, hex, (uintmax_t)i->size, (uintmax_t)i->seq);
}

static struct item *
find(const struct evidence *e, const uint8_t hash[32])
{
	for (size_t i = 0; i < e->n; i++)
		if (memcmp(e->items[i].hash, hash, 32) == 0)
			return &e->items[i];
	return NULL;
}

static void
add(struct evidence *e, const struct item *i)
{
	e->items = xrealloc(e->items, e->n + 1, sizeof(*e->items));
	e->items[e->n++] = *i;
}

static bool
read_name(struct item *ret, const char *name)
{
	const char *size = strchr(name, '.'), *seq = size != NULL ? strchr(size + 1, '.') : NULL;

	*ret = (struct item){.is_old = true};
	return seq != NULL && size - name == 64 && hex_decode(ret->hash, 32, name, 64) &&
	       text_to_u64(size + 1, (size_t)(seq - size - 1), &ret->size) &&
	       text_to_u64(seq + 1, strlen(seq + 1), &ret->seq);
}

int
evidence_open(struct evidence **ret, const char *dir, struct err *err)
{
	struct evidence *e = xcalloc(1, sizeof(*e));
	struct dirent *d;
	struct item item;
	DIR *all;

	e->dir = xasprintf("%s/evidence", dir);
	if (file_mkdirs(e->dir, 0700, err) != 0 || (all = opendir(e->dir)) == NULL) {
		if (err != NULL && err->code == ERR_NONE)
			(void)err_sys(err, "%s", e->dir);
		evidence_close(e);
		return -1;
	}
	while ((d = readdir(all)) != NULL)
		if (read_name(&item, d->d_name))
			add(e, &item);
	closedir(all);
	*ret = e;
	return 0;
}

void
evidence_close(struct evidence *e)
{
	if (e == NULL)
		return;
	free(e->items);
	free(e->dir);
	free(e);
}

/* ---- sealing --------------------------------------------------------------------------------------- */

static void
additional(struct buf *out, const uint8_t case_id[16])
{
	buf_adds(out, "hf1-evidence");
	buf_add(out, case_id, 16);
}

const char *
evidence_type(struct span plain)
{
	static const struct {
		const char *head, *type;
		size_t len;
	} types[] = {
	    {"\xff\xd8\xff", "jpg", 3}, {"\x89PNG\r\n\x1a\n", "png", 8}, {"%PDF-", "pdf", 5}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (plain.len > types[i].len &&
		    memcmp(plain.data, types[i].head, types[i].len) == 0)
			return types[i].type;
	return NULL;
}

int
evidence_put(struct evidence *e, const uint8_t case_id[16], const uint8_t key[32],
    struct span plain, uint8_t ret_hash[32], struct err *err)
{
	struct buf sealed = BUF_INIT, ad = BUF_INIT;
	struct item item = {.size = 0};
	struct span one;
	char *path;
	int rc;

	if (plain.len > EVIDENCE_PLAIN_MAX)
		return err_set(err, ERR_INVALID, "the file is larger than 10 MiB");
	if (evidence_type(plain) == NULL)
		return err_set(err, ERR_INVALID, "the file is no JPEG, PNG or PDF");
	additional(&ad, case_id);
	crypt_seal(&sealed, key, plain, buf_span(&ad));
	one = buf_span(&sealed);
	crypt_hash(item.hash, &one, 1);
	item.size = sealed.len;
	path = path_of(e, &item);
	rc = file_replace(path, one, 0600, err);
	if (rc == 0) {
		add(e, &item);
		memcpy(ret_hash, item.hash, 32);
	}
	free(path);
	buf_done(&ad);
	buf_done(&sealed);
	return rc;
}

int
evidence_unseal(struct buf *out, const uint8_t case_id[16], const uint8_t key[32],
    struct span sealed, struct err *err)
{
	struct buf ad = BUF_INIT;
	int rc;

	additional(&ad, case_id);
	rc = crypt_open(out, key, sealed, buf_span(&ad), err);
	buf_done(&ad);
	return rc;
}

/* ---- on the way -------------------------------------------------------------------------------------- */

void
evidence_named(struct evidence *e, const uint8_t hash[32], uint64_t seq)
{
	struct item *i = find(e, hash);
	char *from, *to;

	if (i == NULL || i->seq >= seq)
		return;
	from = path_of(e, i);
	i->seq = seq;
	to = path_of(e, i);
	if (rename(from, to) != 0)
		i->seq = 0; /* it stays as it was, and is forgotten later */
	else
		(void)file_sync_dir(to, NULL);
	free(from);
	free(to);
}

static void
forget(struct evidence *e, struct item *i)
{
	char *path = path_of(e, i);

	(void)unlink(path);
	free(path);
	*i = e->items[--e->n];
}

void
evidence_released(struct evidence *e, uint64_t upto)
{
	for (size_t k = e->n; k-- > 0;) {
		struct item *i = &e->items[k];

		if (i->sent && i->seq != 0 && i->seq <= upto)
			forget(e, i);
	}
}

bool
evidence_next(const struct evidence *e, uint8_t ret_hash[32], uint64_t *ret_size)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->items[i].sent)
			continue;
		memcpy(ret_hash, e->items[i].hash, 32);
		*ret_size = e->items[i].size;
		return true;
	}
	return false;
}

void
evidence_sent(struct evidence *e, const uint8_t hash[32])
{
	struct item *i = find(e, hash);

	if (i != NULL && i->is_old && i->seq == 0)
		forget(e, i);
	else if (i != NULL)
		i->sent = true;
}

void
evidence_ask_again(struct evidence *e)
{
	for (size_t i = 0; i < e->n; i++)
		e->items[i].sent = false;
}

int
evidence_piece(const struct evidence *e, const uint8_t hash[32], uint64_t offset, struct buf *out,
    struct err *err)
{
	const struct item *i = find(e, hash);
	uint8_t piece[EVIDENCE_PIECE];
	char *path;
	ssize_t n;
	int fd;

	if (i == NULL || offset >= i->size)
		return err_set(err, ERR_NOT_FOUND, "no such evidence");
	path = path_of(e, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, piece, sizeof(piece), (off_t)offset);
	if (n <= 0)
		(void)err_sys(err, "reading evidence");
	else
		buf_add(out, piece, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	free(path);
	return n > 0 ? 0 : -1;
}
