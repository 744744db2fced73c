/* The statements that a batch is made of.
 *
 * Each is safe to repeat: rows are added ON CONFLICT DO NOTHING, states only replace older ones, and
 * what moves forward (outbox, cursor, counter) is a compare-and-set that must change exactly one row. */
#include "base/buf.h"
#include "workers/recorder/columns.h"
#include "workers/recorder/statements.h"

static const struct {
	const char *name, *sql;
} statements[] = {
    {STMT_QUARANTINE, "INSERT INTO hf.quarantine (campaign, log_epoch, log_no, ob, seq, flaw, raw) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"},
    {STMT_EQUIVOCATION,
        "INSERT INTO hf.equivocation (campaign, log_epoch, log_no, ob, seq, recorded_h, other_h, "
        "f0, f1) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"},
    {STMT_BOX_NEW, "INSERT INTO hf.outbox (campaign, ob) VALUES ($1, $2) ON CONFLICT DO NOTHING"},
    {STMT_BOX, "UPDATE hf.outbox SET agent = $3, recorded_upto = $4, recorded_h = $5, "
               "settled_upto = $6, released_upto = $7, frozen = $8 "
               "WHERE campaign = $1 AND ob = $2 AND recorded_upto = $9 AND recorded_h = $10"},
    {STMT_CASE,
        "INSERT INTO hf.case_state AS c (campaign, case_ref, version, owner, hand, lane, due, "
        "token, given, flags, held, ob, law_at, why, blob, task, created_at, changed_at, "
        "log_epoch, log_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15, $16, $17, $18, $19, $20) ON CONFLICT (campaign, case_ref) DO UPDATE SET "
        "version = EXCLUDED.version, owner = EXCLUDED.owner, hand = EXCLUDED.hand, "
        "lane = EXCLUDED.lane, due = EXCLUDED.due, token = EXCLUDED.token, "
        "given = EXCLUDED.given, flags = EXCLUDED.flags, held = EXCLUDED.held, "
        "ob = EXCLUDED.ob, law_at = EXCLUDED.law_at, why = EXCLUDED.why, "
        "blob = coalesce(EXCLUDED.blob, c.blob), task = coalesce(EXCLUDED.task, c.task), "
        "created_at = coalesce(c.created_at, EXCLUDED.created_at), "
        "changed_at = EXCLUDED.changed_at, log_epoch = EXCLUDED.log_epoch, "
        "log_no = EXCLUDED.log_no "
        "WHERE (c.log_epoch, c.log_no) < (EXCLUDED.log_epoch, EXCLUDED.log_no)"},
    {STMT_LEASE,
        "INSERT INTO hf.lease_log AS l (campaign, case_ref, token, person, ob, pulled, from_lane, "
        "granted_opseq, granted_at, ended_opseq, ended_at, ended_how) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        "ON CONFLICT (campaign, case_ref, token) DO UPDATE SET "
        "ended_opseq = EXCLUDED.ended_opseq, ended_at = EXCLUDED.ended_at, "
        "ended_how = EXCLUDED.ended_how "
        "WHERE l.ended_how IS NULL AND EXCLUDED.ended_how IS NOT NULL"},
    {STMT_AGENT,
        "INSERT INTO hf.agent AS a (campaign, agent, curve_pk, sign_pk, state, log_epoch, log_no) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (campaign, agent) DO UPDATE SET "
        "curve_pk = EXCLUDED.curve_pk, sign_pk = EXCLUDED.sign_pk, state = EXCLUDED.state, "
        "log_epoch = EXCLUDED.log_epoch, log_no = EXCLUDED.log_no "
        "WHERE (a.log_epoch, a.log_no) < (EXCLUDED.log_epoch, EXCLUDED.log_no)"},
    {STMT_PERSON,
        "INSERT INTO hf.person AS p (campaign, person, roles, team, qualified, sign_pk, active, "
        "log_epoch, log_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (campaign, person) DO UPDATE SET roles = EXCLUDED.roles, "
        "team = EXCLUDED.team, qualified = EXCLUDED.qualified, sign_pk = EXCLUDED.sign_pk, "
        "active = EXCLUDED.active, log_epoch = EXCLUDED.log_epoch, log_no = EXCLUDED.log_no "
        "WHERE (p.log_epoch, p.log_no) < (EXCLUDED.log_epoch, EXCLUDED.log_no)"},
    {STMT_EPOCH, "INSERT INTO hf.epoch (campaign, epoch, incarnation, opened_at, why, by_whom) "
                 "VALUES ($1, $2, $3, hf.ms($4), $5, 'log') ON CONFLICT DO NOTHING"},
    {STMT_CURSOR_NEW, "INSERT INTO hf.cursor (campaign, reader, epoch, no, opseq, campaign_at) "
                      "VALUES ($1, 'recorder', $2, $3, $4, $5)"},
    {STMT_CURSOR, "UPDATE hf.cursor SET epoch = $2, no = $3, opseq = $4, campaign_at = $5, "
                  "moved_at = now() "
                  "WHERE campaign = $1 AND reader = 'recorder' AND epoch = $6 AND no = $7"},
    {STMT_KEPT, "INSERT INTO hf.kept AS k (campaign, what, value, said, log_epoch, log_no) "
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (campaign, what) DO UPDATE SET "
                "value = EXCLUDED.value, said = EXCLUDED.said, log_epoch = EXCLUDED.log_epoch, "
                "log_no = EXCLUDED.log_no "
                "WHERE (k.log_epoch, k.log_no) < (EXCLUDED.log_epoch, EXCLUDED.log_no)"},
    {STMT_INDEX, "INSERT INTO hf.case_index (campaign, case_ref, indexes) VALUES ($1, $2, $3) "
                 "ON CONFLICT DO NOTHING"},
    {STMT_COUNT, "UPDATE hf.campaign SET ledger_no = $2 WHERE campaign = $1 AND ledger_no = $3"},
};

static int
prepare_ledger(struct pg *pg, struct err *err)
{
	struct buf sql = BUF_INIT;
	int rc;

	buf_adds(&sql, "INSERT INTO hf.ledger (");
	columns_names(&sql);
	buf_adds(&sql, ") VALUES (");
	for (int i = 1; i <= LEDGER_COLUMNS; i++)
		buf_addf(&sql, "%s$%d", i == 1 ? "" : ", ", i);
	buf_adds(&sql, ") ON CONFLICT (campaign, ob, seq) DO NOTHING");
	rc = pg_prepare(pg, STMT_LEDGER, (const char *)sql.data, err);
	buf_done(&sql);
	return rc;
}

int
statements_prepare(struct pg *pg, struct err *err)
{
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		if (pg_prepare(pg, statements[i].name, statements[i].sql, err) != 0)
			return err_wrap(err, "%s", statements[i].name);
	return prepare_ledger(pg, err);
}
