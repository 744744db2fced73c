/* cmd_evidence.c - case evidence: which photos and papers a case has, and what they show.
 *
 * Happy path: the ledger names the files; without --out they are listed. With --out the look is a record first
 * (REVEAL, with its purpose), then each file is unsealed with the case's key into DIR. Failures: no purpose (64), a
 * file that the archive has not (yet) is said and exit 1; one that does not open is altered, or the case shredded. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "workers/link/evidence.h"
#include "workers/link/keyclient.h"

#define SEALED_MAX ((size_t)EVIDENCE_PLAIN_MAX + 40)

struct look {
	struct ctl *c;
	const char *no, *out; /* out: NULL lists */
	uint8_t case_id[16], key[32];
	json_t *list;
	size_t n, missing;
};

static void
path_in_archive(const struct look *l, const char *hex, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/evidence/%s/%s", l->c->home.archive, l->c->campaign, hex);
}

static int
unseal(struct look *l, const char *from, struct err *err)
{
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	char to[PATH_MAX];
	int rc = file_read(&sealed, from, SEALED_MAX, err);

	if (rc == 0)
		rc = evidence_unseal(&plain, l->case_id, l->key, buf_span(&sealed), err);
	if (rc == 0) {
		const char *type = evidence_type(buf_span(&plain));

		snprintf(to, sizeof(to), "%s/%s_%zu.%s", l->out, l->no, l->n,
		    type != NULL ? type : "bin");
		rc = file_replace(to, buf_span(&plain), 0600, err);
	}
	if (plain.len > 0)
		crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
	buf_done(&sealed);
	return rc;
}

static int
one_file(struct look *l, const struct pg_result *r, int row, struct span hash, struct err *err)
{
	struct span person = pg_get(r, row, 1);
	char hex[65], path[PATH_MAX], at[32];
	struct buf probe = BUF_INIT;
	bool here;

	hex_encode(hex, hash.data, 32);
	path_in_archive(l, hex, path);
	here = file_read(&probe, path, SEALED_MAX, NULL) == 0;
	buf_done(&probe);
	l->n++;
	l->missing += !here;
	clock_text(at, pg_get_i64(r, row, 3));
	json_array_append_new(
	    l->list, json_pack("{s:I s:s s:s% s:s s:b}", "n", (json_int_t)l->n, "hash", hex,
	                 "person", person.data, person.len, "at", at, "here", (int)here));
	if (!l->c->json)
		printf("%3zu  %s  %.*s  %s  %s\n", l->n, at, (int)person.len,
		    (const char *)person.data, show_kind((unsigned)pg_get_i64(r, row, 2)),
		    here ? "已归档" : "还没有归档");
	return l->out != NULL && here ? unseal(l, path, err) : 0;
}

static int
each_file(struct look *l, const struct pg_result *r, struct err *err)
{
	for (int row = 0; row < pg_rows(r); row++) {
		struct buf header = BUF_INIT;
		struct record_header h;
		const struct field *f = &h.f[F_evidence];
		int rc = pg_get_bytes(r, row, 0, &header, err);

		if (rc == 0 && record_header_decode(&h, buf_span(&header), NULL) == 0)
			for (size_t i = 0; rc == 0 && f->set && i < f->n; i++)
				rc = one_file(l, r, row, f->list[i], err);
		buf_done(&header);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
read_ledger(struct look *l, struct err *err)
{
	static const char sql[] = "SELECT header, person, kind, campaign_at FROM hf.ledger WHERE "
	                          "campaign = $1 AND case_ref = $2 "
	                          "AND kind IN (1, 2, 4) ORDER BY no";
	struct pg_param p[2] = {pg_text(l->c->campaign), pg_bytes(l->case_id, 16)};
	struct pg_result *r;
	int rc;

	if (ctl_pg(l->c, "hf_read", err) != 0 || pg_exec(l->c->pg, sql, p, 2, &r, err) != 0)
		return -1;
	rc = each_file(l, r, err);
	pg_free(r);
	return rc;
}

/* The look is recorded before anything is shown. */
static int
reveal(struct look *l, const char *purpose, struct err *err)
{
	struct record_header h = {.kind = REC_REVEAL};
	struct keyclient *k;
	int rc;

	if (say_reason(&h, purpose, NULL, err) != 0)
		return -1;
	say_case(&h, l->case_id);
	if (say_one(l->c, &h, err) != 0 || file_mkdirs(l->out, 0700, err) != 0)
		return -1;
	k = keyclient_create(l->c->home.keys);
	rc = keyclient_get(k, l->c->campaign, l->case_id, l->key, err);
	keyclient_destroy(k);
	return rc;
}

static int
case_evidence(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *out = opt_take(&argc, argv, "--out", true),
	           *purpose = opt_take(&argc, argv, "--purpose", true);
	struct look l = {.c = c, .out = out};
	int rc;

	if (argc != 1 || (out == NULL) != (purpose == NULL))
		return ctl_usage(err, verbs_evidence, "case", "evidence");
	l.no = argv[0];
	if (strchr(l.no, '/') != NULL || show_resolve(c, l.no, l.case_id, err) != 0 ||
	    (out != NULL && reveal(&l, purpose, err) != 0))
		return -1;
	l.list = json_array();
	rc = read_ledger(&l, err);
	crypt_wipe(l.key, sizeof(l.key));
	if (rc == 0 && c->json) {
		json_dumpf(l.list, stdout, JSON_COMPACT);
		printf("\n");
	} else if (rc == 0) {
		printf("%zu 份凭据%s%s\n", l.n, out != NULL ? ", 已写到 " : "",
		    out != NULL ? out : "");
	}
	json_decref(l.list);
	return rc != 0 ? -1 : l.missing > 0 ? EXIT_FOUND : 0;
}

const struct verb verbs_evidence[] = {
    {"case", "evidence", case_evidence, "NO [--out DIR --purpose TEXT]",
        "个案的照片和材料; --out 打开它们, 用途记录在案"},
    {NULL, NULL, NULL, NULL, NULL},
};
