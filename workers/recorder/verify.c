/* Whether anything of an archive was altered, and what first.
 *
 * Happy path: segment by segment: number, chain, entries, the recorder's signature; in them every record:
 * hashes, its place in its outbox, its agent's signature. Failures: the first thing that does not hold is
 * named (record before segment, for a record is what somebody altered) and ends that campaign's check. What
 * was cut off at the end cannot be seen from inside: compare the last line with the ledger. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "proto/chain.h"
#include "proto/record.h"
#include "workers/recorder/book.h"
#include "workers/recorder/segfile.h"
#include "workers/recorder/verify.h"
#include "workers/recorder/words.h"

#define EVIDENCE_SEALED_MAX ((size_t)(10u << 20) + 40)

struct check {
	const char *dir;
	const uint8_t *sign_pk;
	FILE *out;
	struct segfile before;            /* number 0: none */
	struct book *book;                /* outboxes and agents as the archive tells them */
	uint64_t records, files, missing; /* files: evidence */
	char bad[200];                    /* of the segment in hand */
};

int
verify_key(const char *path, uint8_t ret_pk[32], struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = file_read(&text, path, 4096, err);

	while (rc == 0 && text.len > 0 && text.data[text.len - 1] <= ' ')
		text.len--;
	if (rc == 0 && !hex_decode(ret_pk, 32, (const char *)text.data, text.len))
		rc = err_set(err, ERR_INVALID, "%s: not a public key of 64 hex digits", path);
	buf_done(&text);
	return rc;
}

static void
bad_record(struct check *c, const struct log_entry *e, uint64_t seq, const uint8_t ob[16],
    const char *what)
{
	char hex[33];

	hex_encode(hex, ob, 16);
	if (c->bad[0] == '\0')
		snprintf(c->bad, sizeof(c->bad), "log %ju-%ju: record %ju of outbox %s: %s",
		    (uintmax_t)e->epoch, (uintmax_t)e->no, (uintmax_t)seq, hex, what);
}

/* Who signs for an outbox, and with which key. */
static void
note_keys(struct check *c, const struct log_entry *e)
{
	struct span d = e->detail;
	uint8_t a[32], curve_pk[32], sign_pk[32];

	if (strcmp(e->type, "agent") == 0 && word_hex(&d, a, 16) && word_hex(&d, curve_pk, 32) &&
	    word_hex(&d, sign_pk, 32)) {
		uint8_t id[16];

		chain_agent_id(
		    id, curve_pk, sign_pk); /* the id is the keys' hash: no other will do */
		if (memcmp(id, a, 16) == 0)
			book_agent(c->book, a, sign_pk);
	} else if (strcmp(e->type, "outbox") == 0 && word_hex(&d, a, 16)) {
		struct box *box = book_box(c->book, a);

		box->has_agent = word_hex(&d, box->agent, 16);
	}
}

/* The files that a record names, by their hash: one that is not there (yet) is counted. */
static void
check_evidence(struct check *c, const struct log_entry *e, const struct msg_record *r)
{
	struct record_header h;
	const struct field *f = &h.f[F_evidence];

	if (record_header_decode(&h, r->header, NULL) != 0)
		return;
	for (size_t i = 0; f->set && i < f->n; i++) {
		struct buf file = BUF_INIT;
		struct span one;
		char path[PATH_MAX], hex[65];
		uint8_t is[32];

		hex_encode(hex, f->list[i].data, 32);
		snprintf(path, sizeof(path), "%.*s/../../evidence/%.40s/%s", PATH_MAX - 200, c->dir,
		    strrchr(c->dir, '/') != NULL ? strrchr(c->dir, '/') + 1 : c->dir, hex);
		if (file_read(&file, path, EVIDENCE_SEALED_MAX, NULL) != 0) {
			c->missing++;
		} else {
			one = buf_span(&file);
			crypt_hash(is, &one, 1);
			if (memcmp(is, f->list[i].data, 32) != 0)
				bad_record(c, e, r->seq, r->ob, "its evidence was altered");
			c->files++;
		}
		buf_done(&file);
	}
}

static void
check_record(struct check *c, const struct log_entry *e)
{
	const struct agent_key *key;
	struct frame f;
	struct box *box;
	const struct msg_record *r = &f.u.record;
	const char *what = NULL;

	if (frame_decode(&f, e->f0, NULL) != 0 || f.kind != MSG_RECORD)
		return; /* quarantined as frame; the segment's signature covers it */
	box = book_box(c->book, r->ob);
	key = box->has_agent ? book_agent_find(c->book, box->agent) : NULL;
	if (!chain_record_ok(r, e->f1))
		what = "body or header are not what was hashed";
	else if (box->upto > 0 && r->seq == box->upto + 1 && memcmp(r->prev_h, box->h, 32) != 0)
		what = "does not hang on the one before";
	else if (box->upto > 0 && r->seq > box->upto + 1)
		what = "records before it are missing";
	else if (key == NULL)
		what = "nobody knows its agent's key";
	else if (!crypt_verify(r->sig, key->sign_pk, span_of(r->h, 32)))
		what = "its agent did not sign it";
	if (what != NULL)
		bad_record(c, e, r->seq, r->ob, what);
	c->records++;
	check_evidence(c, e, r);
	if (r->seq > box->upto) {
		box->upto = r->seq;
		memcpy(box->h, r->h, sizeof(box->h));
	}
}

/* Entries are dense within an epoch, from segment to segment too. */
static const char *
check_entries(struct check *c, const struct segfile *s)
{
	struct log_id at = c->before.last;
	struct span rest = s->entries;
	struct segfile_entry x;
	uint32_t n = 0;
	int rc;

	while ((rc = segfile_next(&rest, &x, NULL)) == 1) {
		struct log_entry e;

		if ((x.at.epoch == at.epoch && x.at.no != at.no + 1) || x.at.epoch < at.epoch)
			return "entries are missing";
		if (n++ == 0 && log_id_cmp(x.at, s->first) != 0)
			return "it does not begin with what its head says";
		at = x.at;
		if (log_entry_decode(&e, x.raw.id, x.raw.pair, x.raw.n, NULL) != 0)
			continue;
		note_keys(c, &e);
		if (strcmp(e.type, "record") == 0)
			check_record(c, &e);
	}
	if (rc < 0)
		return "an entry does not read";
	return n != s->count || log_id_cmp(at, s->last) != 0 ? "it does not end as its head says"
	                                                     : NULL;
}

static const char *
check_segment(struct check *c, uint64_t number, struct span file)
{
	struct segfile s;
	const char *what;

	c->bad[0] = '\0';
	if (segfile_decode(&s, file, NULL) != 0)
		return "it is no segment of an archive";
	what = check_entries(c, &s);
	if (c->bad[0] != '\0')
		return c->bad;
	if (what != NULL)
		return what;
	if (s.number != number || s.number != c->before.number + 1)
		return "a segment before it is missing";
	if (memcmp(s.prev, c->before.hash, sizeof(s.prev)) != 0)
		return "it does not hang on the one before";
	if (c->before.number > 0 && strcmp(s.campaign, c->before.campaign) != 0)
		return "it is another campaign's";
	if (!segfile_signed(&s, c->sign_pk))
		return "the recorder did not sign it as it is";
	c->before = s;
	return NULL;
}

static int
is_segment(const struct dirent *e)
{
	size_t len = strlen(e->d_name);
	uint64_t n;

	return len > 4 && strcmp(e->d_name + len - 4, ".seg") == 0 &&
	       text_to_u64(e->d_name, len - 4, &n);
}

/* 0 good, 1 not, -1 cannot be read. */
static int
check_files(struct check *c, struct dirent **file, int n, struct err *err)
{
	for (int i = 0; i < n; i++) {
		struct buf data = BUF_INIT;
		char path[PATH_MAX];
		const char *what;
		uint64_t number = 0;

		(void)text_to_u64(file[i]->d_name, strlen(file[i]->d_name) - 4, &number);
		snprintf(path, sizeof(path), "%s/%s", c->dir, file[i]->d_name);
		if (file_read(&data, path, SEGFILE_MAX, err) != 0) {
			buf_done(&data);
			return -1;
		}
		what = check_segment(c, number, buf_span(&data));
		if (what != NULL)
			fprintf(c->out, "ALTERED %s: %s\n", path, what);
		buf_done(&data);
		if (what != NULL)
			return 1;
	}
	fprintf(c->out, "good: %d segments, %ju records, log up to %ju-%ju\n", n,
	    (uintmax_t)c->records, (uintmax_t)c->before.last.epoch, (uintmax_t)c->before.last.no);
	if (c->files + c->missing > 0)
		fprintf(c->out, "evidence: %ju files good, %ju not there yet\n",
		    (uintmax_t)c->files, (uintmax_t)c->missing);
	return 0;
}

static int
check_campaign(const char *dir, const uint8_t sign_pk[32], FILE *out, int *ret_n, struct err *err)
{
	struct check c = {.dir = dir, .sign_pk = sign_pk, .out = out};
	struct dirent **file;
	int n = scandir(dir, &file, is_segment, alphasort), rc = 0;

	*ret_n = n < 0 ? 0 : n;
	if (n < 0)
		return err_sys(err, "%s", dir);
	c.book = book_create("verify");
	if (n > 0)
		rc = check_files(&c, file, n, err);
	for (int i = 0; i < n; i++)
		free(file[i]);
	free(file);
	book_destroy(c.book);
	return rc;
}

static int
not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int
verify_archive(const char *dir, const uint8_t sign_pk[32], FILE *out, struct err *err)
{
	char top[PATH_MAX], path[2 * PATH_MAX];
	struct dirent **sub;
	int found, n, rc = check_campaign(dir, sign_pk, out, &found, err);

	if (rc != 0 || found > 0)
		return rc;
	snprintf(top, sizeof(top), "%s/records", dir);
	if ((n = scandir(top, &sub, not_hidden, alphasort)) < 0)
		return err_sys(err, "%s", top);
	for (int i = 0; i < n; i++) {
		int one = 0, segments;

		snprintf(path, sizeof(path), "%s/%s", top, sub[i]->d_name);
		if (rc >= 0) {
			one = check_campaign(path, sign_pk, out, &segments, err);
			found += segments;
		}
		rc = one < 0 ? -1 : rc | one;
		free(sub[i]);
	}
	free(sub);
	if (rc == 0 && found == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: no segment of an archive", dir);
	return rc;
}
