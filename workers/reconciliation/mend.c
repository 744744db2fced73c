/* mend.c - the one repair that is safe by rule: a row of case_state, which is a fold of the log, from Redis, which
 * the log describes.
 *
 * Only while the recorder has read all of the log, only if Redis is not older, and only if the row is still as it
 * was seen (hf.mend_case compares and keeps both versions). A case that only one side has is never mended: one of
 * the stores lost something, and a person must know. Failures: a store away. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "proto/call.h"
#include "workers/reconciliation/finding.h"

static const char seen_sql[] =
    "SELECT version, log_no FROM hf.case_state WHERE campaign = $1 AND case_ref = $2";
static const char mend_sql[] =
    "SELECT hf.mend_case($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

static void
flags_text(char out[8], const struct case_state *s)
{
	size_t n = 0;

	if (s->held)
		out[n++] = 'h';
	if (s->pulled)
		out[n++] = 'p';
	if (s->triage_after)
		out[n++] = 't';
	if (s->moved)
		out[n++] = 'm';
	if (s->ended != 0)
		out[n++] = s->ended;
	out[n] = '\0';
}

static struct pg_param
text_or_null(const char *s)
{
	return pg_text(s[0] != '\0' ? s : NULL);
}

static int
put(struct pg *pg, const char *campaign, const uint8_t id[16], int64_t version, int64_t no,
    const struct case_state *s, bool *ret, struct err *err)
{
	char flags[8], law_at[48];
	uint8_t ob[16];
	bool has_ob = hex_decode(ob, sizeof(ob), s->ob, strlen(s->ob));
	struct pg_result *r;

	flags_text(flags, s);
	(void)snprintf(law_at, sizeof(law_at), "%" PRIu64 "-%" PRIu64, s->law_epoch, s->law_no);
	{
		struct pg_param v[16] = {pg_text(campaign), pg_bytes(id, 16), pg_i64(version),
		    pg_i64(no), pg_i64((int64_t)s->version), text_or_null(s->owner),
		    text_or_null(s->hand), pg_text(s->lane), pg_i64(s->due),
		    pg_i64((int64_t)s->token), pg_i64((int64_t)s->given), pg_text(flags),
		    pg_bool(s->held), has_ob ? pg_bytes(ob, sizeof(ob)) : pg_null(),
		    pg_text(law_at), pg_text(s->why)};

		if (pg_exec(pg, mend_sql, v, 16, &r, err) != 0)
			return -1;
	}
	*ret = span_eq_str(pg_get(r, 0, 0), "t");
	pg_free(r);
	return 0;
}

/* What Redis says is read here, in one command with its version, and not taken from the finding. */
static int
mend_one(struct pg *pg, struct rds_sync *redis, const char *campaign, const uint8_t id[16],
    bool *ret, struct err *err)
{
	struct pg_param p[2] = {pg_text(campaign), pg_bytes(id, 16)};
	char key[80];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), campaign, "cases")), span_of(id, 16)};
	const struct rds_reply *r;
	struct pg_result *seen;
	struct case_state s;
	int got = 0;

	*ret = false;
	if (pg_exec(pg, seen_sql, p, 2, &seen, err) != 0)
		return -1;
	if (rds_sync_cmd(redis, argv, 3, &r, err) != 0) {
		pg_free(seen);
		return -1;
	}
	if (pg_rows(seen) == 1 && rds_type(r) == RDS_STR &&
	    case_state_decode(&s, rds_str(r), NULL) == 0)
		got = put(
		    pg, campaign, id, pg_get_i64(seen, 0, 0), pg_get_i64(seen, 0, 1), &s, ret, err);
	pg_free(seen);
	rds_sync_free(r);
	return got;
}

int
mend_cases(
    struct pg *pg, struct rds_sync *redis, const char *campaign, json_t *findings, struct err *err)
{
	json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
	{
		const char *kind = json_string_value(json_object_get(f, "kind"));
		const char *hex = json_string_value(json_object_get(f, "case"));
		uint8_t id[16];
		bool done;

		if (strcmp(kind, "redis-pg") != 0 || hex == NULL || !hex_decode(id, 16, hex, 32))
			continue;
		if (mend_one(pg, redis, campaign, id, &done, err) != 0)
			return err_wrap(err, "mending a row of case_state");
		if (done)
			json_object_set_new(f, "mended", json_true());
	}
	return 0;
}
