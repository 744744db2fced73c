/* What the queue store keeps only until the archive has it: pieces of evidence, and the log.
 *
 * Happy path: a whole file is read piece by piece and said to be kept; the log is cut behind what nobody
 * reads any more. Failures: a piece that is missing; an answer of another shape. A log that the store
 * does not let go (the router is behind) is cut the next time. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "workers/recorder/source_call.h"

#define TRIM_MAX 20000 /* entries a call: nobody waits for that long */

/* ---- evidence ------------------------------------------------------------------------------------- */

static void
file_begin(struct source *s, const char *entry)
{
	source_mark_begin(s, 0); /* of any epoch */
	call_entry(&s->call, entry);
}

/* The answer of the one entry; the caller frees *ret. 1 ok, 0 no. */
static int
file_ask(struct source *s, const struct rds_reply **ret, const struct rds_reply **ret_answer,
    struct err *err)
{
	size_t argc;
	const struct span *argv = call_argv(&s->call, &argc);
	int rc = source_ask(s, argv, argc, ret, err);
	struct span said;

	source_call_end(s);
	if (rc != 0)
		return -1;
	*ret_answer = rds_at(*ret, 4);
	said = rds_str(rds_at(*ret_answer, 0));
	if (span_eq_str(said, "ok"))
		return 1;
	if (span_eq_str(said, "no"))
		return 0;
	rds_sync_free(*ret);
	return err_set(err, ERR_CORRUPT, "redis: an entry about evidence was refused");
}

int
source_files(struct source *s, uint8_t ret[20][32], size_t *ret_n, struct err *err)
{
	const struct rds_reply *r, *a;
	int rc;

	*ret_n = 0;
	file_begin(s, "blobs");
	rc = file_ask(s, &r, &a, err);
	if (rc < 0)
		return -1;
	for (size_t i = 1; i < rds_len(a) && *ret_n < 20; i++) {
		struct span hex = rds_str(rds_at(a, i));

		*ret_n += hex_decode(ret[*ret_n], 32, (const char *)hex.data, hex.len);
	}
	rds_sync_free(r);
	return 0;
}

int
source_file(struct source *s, const uint8_t hash[32], struct buf *out, struct err *err)
{
	uint64_t size = 1;

	while (out->len < size) {
		const struct rds_reply *r, *a;
		struct span piece;
		int rc;

		file_begin(s, "blob_read");
		call_bytes(&s->call, hash, 32);
		call_u(&s->call, out->len);
		rc = file_ask(s, &r, &a, err);
		if (rc < 0)
			return -1;
		size = rc == 1 ? source_number(a, 1) : 0;
		piece = rds_str(rds_at(a, 2));
		if (rc == 1 && piece.len > 0)
			buf_add(out, piece.data, piece.len);
		rds_sync_free(r);
		if (rc == 0 || piece.len == 0)
			return err_set(err, ERR_NOT_FOUND, "a piece of evidence is missing");
	}
	return 0;
}

static int
file_say(struct source *s, struct err *err)
{
	const struct rds_reply *r, *a;

	if (file_ask(s, &r, &a, err) < 0)
		return -1;
	rds_sync_free(r);
	return 0;
}

int
source_file_done(struct source *s, const uint8_t hash[32], uint64_t size, struct err *err)
{
	file_begin(s, size > 0 ? "blob_kept" : "blob_drop");
	call_bytes(&s->call, hash, 32);
	if (size > 0)
		call_u(&s->call, size);
	return file_say(s, err);
}

int
source_files_stale(struct source *s, int64_t before_ms, struct err *err)
{
	file_begin(s, "blob_stale");
	call_u(&s->call, before_ms > 0 ? (uint64_t)before_ms : 0);
	return file_say(s, err);
}

/* ---- the log -------------------------------------------------------------------------------------- */

static int
first_in_log(struct source *s, struct log_id *ret, struct err *err)
{
	char key[80];
	struct span argv[] = {span_str("XRANGE"),
	    span_str(call_key(key, sizeof(key), s->campaign, "log")), span_str("-"), span_str("+"),
	    span_str("COUNT"), span_str("1")};
	const struct rds_reply *r;

	if (source_ask(s, argv, 6, &r, err) != 0)
		return -1;
	if (!log_id_parse(rds_str(rds_at(rds_at(r, 0), 0)), ret))
		*ret = (struct log_id){0, 0};
	rds_sync_free(r);
	return 0;
}

int
source_trim(struct source *s, struct log_id upto, uint64_t keep, struct err *err)
{
	struct log_id first;
	char id[48];

	if (upto.no <= keep)
		return 0;
	upto.no -= keep;
	if (first_in_log(s, &first, err) != 0)
		return -1;
	if (first.epoch == 0 || log_id_cmp(upto, first) <= 0 ||
	    (first.epoch == upto.epoch && upto.no - first.no <= keep / 10))
		return 0;
	if (first.epoch == upto.epoch && upto.no - first.no > TRIM_MAX)
		upto.no = first.no + TRIM_MAX;
	(void)snprintf(id, sizeof(id), "%ju-%ju", (uintmax_t)upto.epoch, (uintmax_t)upto.no);
	source_mark_begin(s, 0);
	call_entry(&s->call, "trim");
	call_str(&s->call, id);
	return source_call_send(s, err);
}
