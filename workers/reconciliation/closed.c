/* closed.c - opens the pieces of a pay sheet, joins them, and believes them only if their hash is the signed one.
 *
 * Happy path: the COMMIT's import is the hash; its IMPORT records carry the pieces in order. Failures: a key store that
 * does not answer, a body that does not open, a hash that does not fit: told, and nothing of the sheet is shown. */
#include "workers/reconciliation/closed.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypt.h"
#include "base/text.h"
#include "proto/chain.h"
#include "proto/keys.h"
#include "proto/lists.h"
#include "workers/link/keyclient.h"

static const char pieces_sql[] =
    "SELECT encode(r.ob, 'hex'), r.seq, r.body, encode(c.import, 'hex') FROM hf.v_commit c JOIN "
    "hf.ledger r ON r.campaign = c.campaign AND r.import = c.import AND r.kind = 14 AND r.what = "
    "c.what AND r.person = c.person AND r.verdict = 0 AND r.flaw IS NULL AND r.no < c.no WHERE "
    "c.campaign = $1 AND c.no = $2 AND c.what IN ('pay', 'supplement') ORDER BY r.count";

static int
open_piece(
    const struct pg_result *r, int i, const uint8_t key[32], struct buf *whole, struct err *err)
{
	static const uint8_t none[16];
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct span hex = pg_get(r, i, 0);
	uint8_t ob[16];
	struct body body;
	int got;

	if (!hex_decode(ob, 16, (const char *)hex.data, hex.len))
		return err_set(err, ERR_CORRUPT, "the ledger's ob does not read");
	got = pg_get_bytes(r, i, 2, &sealed, err);
	if (got == 0)
		got = chain_body_open(
		    &plain, key, none, ob, (uint64_t)pg_get_i64(r, i, 1), buf_span(&sealed), err);
	if (got == 0)
		got = body_decode(&body, buf_span(&plain), err);
	if (got == 0)
		buf_add(whole, body.text.data, body.text.len);
	buf_done(&sealed);
	buf_done(&plain);
	return got;
}

static int
check_hash(const struct pg_result *r, const struct buf *whole, struct err *err)
{
	struct span all = buf_span(whole), want = pg_get(r, 0, 3);
	uint8_t hash[HASH_LEN];
	char hex[33];

	crypt_hash(hash, &all, 1);
	hex_encode(hex, hash, 16);
	return span_eq_str(want, hex)
	           ? 0
	           : err_set(err, ERR_CORRUPT, "补贴表和签字时的校验值不一致, 请找管理员查验档案");
}

static int
read_one(struct pg *pg, const uint8_t key[32], const char *campaign, int64_t no, json_t **ret,
    struct err *err)
{
	struct pg_param p[2] = {pg_text(campaign), pg_i64(no)};
	struct buf whole = BUF_INIT;
	struct pg_result *r;
	int got = 0;

	if (pg_exec(pg, pieces_sql, p, 2, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 0)
		got = err_set(err, ERR_NOT_FOUND, "%" PRId64 " 不是一张补贴表", no);
	for (int i = 0; i < pg_rows(r) && got == 0; i++)
		got = open_piece(r, i, key, &whole, err);
	if (got == 0)
		got = check_hash(r, &whole, err);
	if (got == 0) {
		*ret = json_loadb((const char *)whole.data, whole.len, 0, NULL);
		if (*ret == NULL)
			got = err_set(err, ERR_CORRUPT, "补贴表读不出来");
	}
	buf_done(&whole);
	pg_free(r);
	return got;
}

int
closed_read(struct pg *pg, const char *keys, const char *campaign, int64_t no, json_t **ret,
    struct err *err)
{
	uint8_t key[32];
	int got;

	if (keyclient_campaign_key(keys, campaign, key, err) != 0)
		return -1;
	got = read_one(pg, key, campaign, no, ret, err);
	crypt_wipe(key, sizeof(key));
	return got;
}

int
closed_all(struct pg *pg, const char *keys, const char *campaign, json_t **ret, struct err *err)
{
	struct pg_param p = pg_text(campaign);
	struct pg_result *r;
	uint8_t key[32];
	json_t *all, *one;
	int got = 0;

	if (pg_exec(pg,
	        "SELECT no FROM hf.v_closed WHERE campaign = $1 ORDER BY what <> 'pay', "
	        "decision_no",
	        &p, 1, &r, err) != 0)
		return -1;
	all = json_array();
	if (pg_rows(r) > 0)
		got = keyclient_campaign_key(keys, campaign, key, err);
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		got = read_one(pg, key, campaign, pg_get_i64(r, i, 0), &one, err);
		if (got == 0)
			json_array_append_new(all, one);
	}
	crypt_wipe(key, sizeof(key));
	pg_free(r);
	if (got != 0) {
		json_decref(all);
		return -1;
	}
	*ret = all;
	return 0;
}
