-- Views for readers. None shows what is sealed; persons are ids.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE VIEW v_lane_counts WITH (security_barrier) AS
	SELECT campaign, lane, count(*) FILTER (WHERE NOT held) AS waiting, count(*) FILTER (WHERE held) AS held,
		min(due) FILTER (WHERE NOT held) AS first_due
	FROM case_state GROUP BY campaign, lane;
COMMENT ON VIEW v_lane_counts IS
	'Cases a lane: waiting there, and held (counted by the lane they came from). first_due: campaign ms';

CREATE VIEW v_census WITH (security_barrier) AS
	SELECT campaign, count(*) AS imported, count(*) FILTER (WHERE held) AS held,
		count(*) FILTER (WHERE NOT held AND lane = 'unreleased') AS unreleased,
		count(*) FILTER (WHERE NOT held AND lane = 'pool') AS pool,
		count(*) FILTER (WHERE NOT held AND lane LIKE 'own:%') AS own,
		count(*) FILTER (WHERE NOT held AND lane LIKE 'team:%') AS team,
		count(*) FILTER (WHERE NOT held AND lane = 'strike') AS strike,
		count(*) FILTER (WHERE NOT held AND lane = 'papers') AS papers,
		count(*) FILTER (WHERE NOT held AND lane = 'supervision') AS supervision,
		count(*) FILTER (WHERE NOT held AND lane = 'triage') AS triage,
		count(*) FILTER (WHERE NOT held AND lane = 'doubt') AS doubt,
		count(*) FILTER (WHERE NOT held AND lane = 'parked') AS parked,
		count(*) FILTER (WHERE NOT held AND lane = 'resting') AS resting,
		count(*) FILTER (WHERE NOT held AND lane = 'terminal') AS terminal,
		count(*) FILTER (WHERE NOT held AND lane NOT IN ('unreleased', 'pool', 'strike', 'papers',
			'supervision', 'triage', 'doubt', 'parked', 'resting', 'terminal')
			AND lane NOT LIKE 'own:%' AND lane NOT LIKE 'team:%') AS elsewhere
	FROM case_state GROUP BY campaign;
COMMENT ON VIEW v_census IS 'imported = held + the sum of all that follows; elsewhere is 0 unless a lane is unknown';

CREATE VIEW v_case WITH (security_barrier) AS
	SELECT campaign, case_ref, encode(case_ref, 'hex') AS case_hex, version, owner, hand, lane, due, ms(due) AS due_time,
		token, given, flags, held, law_at, why, stage, pass, changed_at, log_epoch, log_no
	FROM case_state;
COMMENT ON VIEW v_case IS 'case_state without what is sealed';

CREATE VIEW v_contact WITH (security_barrier) AS
	SELECT campaign, no, ob, seq, person, case_ref, token, verdict, outcome, channel, direction, number_id, seconds,
		spoke, ticks, script, concerns, decide_by, next_at, next_do, rung, evidence, line, again,
		t_start, t_end, t_entry, quality, ms(campaign_at) AS at, campaign_at, wall_at
	FROM ledger WHERE kind = 1 AND verdict IN (0, 1) AND flaw IS NULL;
COMMENT ON VIEW v_contact IS
	'ATTEMPTs that count: effective ones (verdict 0) and late ones (verdict 1: said, but moved nothing). Corrections are rows of their own (kind 13)';

CREATE VIEW v_recorder WITH (security_barrier) AS
	SELECT c.campaign, c.ledger_no, k.epoch, k.no, k.opseq, k.campaign_at, k.moved_at, c.catch_up
	FROM campaign c LEFT JOIN cursor k ON k.campaign = c.campaign AND k.reader = 'recorder';
COMMENT ON VIEW v_recorder IS 'How far the ledger is';

CREATE VIEW v_problem WITH (security_barrier) AS
	SELECT campaign, 'flaw' AS what, flaw AS why, ob, seq, log_epoch, log_no, noted_at FROM quarantine
	UNION ALL
	SELECT campaign, 'equivocation', 'equivocation', ob, seq, log_epoch, log_no, noted_at FROM equivocation
	UNION ALL
	SELECT campaign, 'quarantined', coalesce(why, '-'), ob, seq, log_epoch, log_no, ms(wall_at) FROM ledger
		WHERE verdict = 2 AND flaw IS NULL;
COMMENT ON VIEW v_problem IS 'What a person must look at, without the bytes: what the recorder found, and what the broker quarantined';

GRANT SELECT ON v_lane_counts, v_census, v_case, v_contact, v_recorder, v_problem TO hf_dash, hf_reconcile, hf_read;
