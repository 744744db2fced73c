-- A later run of the same night looks only at what is new: cases that moved, records that came, segments that were
-- sealed since the run before. And the fold of counts in one pass over what is new.
--
-- Failures: whatever is not clean makes the next run look at everything again.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE INDEX case_state_by_log ON case_state (campaign, log_epoch, log_no);

ALTER TABLE check_run ADD COLUMN whole boolean NOT NULL DEFAULT true,
	ADD COLUMN case_epoch bigint, ADD COLUMN case_no bigint;
COMMENT ON COLUMN check_run.whole IS 'It looked at everything; otherwise at what was new since the run before';
COMMENT ON COLUMN check_run.case_epoch IS 'With case_no: the place in the log up to which cases were compared, NULL when not known';

-- As before, but the newest outcome of a case comes with the same pass: the greatest of (no, outcome, time), as texts of which
-- the first sorts as the number does.
CREATE OR REPLACE VIEW v_uncounted WITH (security_barrier) AS
	SELECT c.campaign, n.case_ref, n.attempts, n.contacts, n.self_contacts, n.seconds, n.dayparts, n.first_at,
		n.last[1]::bigint AS last_no, n.last[2] COLLATE "default" AS last_outcome, n.last[3]::bigint AS last_at
	FROM (SELECT k.campaign, coalesce(u.ledger_no, 0) AS after_no, k.ledger_no AS upto_no
		FROM campaign k LEFT JOIN case_counted u ON u.campaign = k.campaign) c
	-- LATERAL, so that the bounds are known when the ledger is read: by its index, and nothing before them.
	CROSS JOIN LATERAL (
		SELECT e.case_ref, count(*) FILTER (WHERE is_attempt) AS attempts,
			count(*) FILTER (WHERE is_attempt AND spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			count(*) FILTER (WHERE is_attempt AND spoke = 'self') AS self_contacts,
			coalesce(sum(e.seconds) FILTER (WHERE is_attempt), 0)::bigint AS seconds,
			-- minute of the day in Shanghai; dayparts a to d end at 12:00, 13:00, 17:30 and in the evening
			coalesce(bit_or(1::bigint << width_bucket((campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050]))
				FILTER (WHERE is_attempt), 0) AS dayparts,
			min(campaign_at) FILTER (WHERE is_attempt) AS first_at,
			max(ARRAY[lpad(e.no::text, 19, '0'), e.outcome, e.campaign_at::text] COLLATE "C")
				FILTER (WHERE e.outcome IS NOT NULL AND verdict = 0) AS last
		FROM ledger e CROSS JOIN LATERAL (SELECT kind = 1 AND verdict IN (0, 1) AS is_attempt) a
		WHERE e.campaign = c.campaign AND e.no > c.after_no AND e.no <= c.upto_no AND e.case_ref IS NOT NULL
			AND e.flaw IS NULL AND (is_attempt OR e.outcome IS NOT NULL AND verdict = 0)
		GROUP BY e.case_ref) n;

-- As before, but gaps are looked for in what is new, not in all records of whoever said something new.
CREATE OR REPLACE FUNCTION night_findings(of_campaign text, now_at bigint, after_no bigint DEFAULT 0)
RETURNS TABLE (level text, kind text, case_ref bytea, here text, there text)
LANGUAGE sql STABLE AS $$
	WITH census AS (
		SELECT * FROM hf.v_census WHERE campaign = of_campaign
	), committed AS (
		SELECT coalesce(sum(rows), 0) AS most, coalesce(max(rows), 0) AS least FROM hf.ledger
		WHERE campaign = of_campaign AND kind = 15 AND verdict = 0 AND flaw IS NULL AND what IS NULL
	), cases AS (
		SELECT c.case_ref, c.lane, now_at - CASE WHEN c.lane LIKE 'own:%' AND NOT c.held THEN c.due ELSE c.changed_at END AS ms,
			CASE WHEN held THEN 'held-long' WHEN lane = 'triage' THEN 'stuck' WHEN lane LIKE 'team:%' THEN 'leader-late'
				WHEN lane = 'strike' THEN 'strike-late' WHEN lane = 'papers' THEN 'papers-late'
				WHEN lane LIKE 'own:%' THEN 'owner-late' WHEN lane IN ('doubt', 'parked') THEN lane END AS kind
		FROM hf.case_state c WHERE c.campaign = of_campaign
	), late AS (
		SELECT w.*, m.minutes, row_number() OVER (PARTITION BY w.kind ORDER BY w.ms DESC, w.case_ref) AS r FROM cases w
		JOIN (VALUES ('stuck', 10), ('held-long', 120), ('doubt', 60), ('parked', 0), ('leader-late', 1440),
			('strike-late', 1440), ('papers-late', 2880), ('owner-late', 2880)) m (kind, minutes) ON m.kind = w.kind
		WHERE w.ms > m.minutes * 60000
	), fresh AS (
		SELECT e.ob, count(*) AS rows, min(e.seq) AS least, max(e.seq) AS most, max(e.no) AS newest FROM hf.ledger e
		WHERE e.campaign = of_campaign AND e.no > after_no GROUP BY e.ob
	)
	SELECT 'difference', 'places', NULL::bytea, c.imported::text, (c.held + c.unreleased + c.pool + c.own + c.team
		+ c.strike + c.papers + c.supervision + c.triage + c.doubt + c.parked + c.resting + c.terminal)::text
		FROM census c
		WHERE c.elsewhere <> 0 OR c.imported <> c.held + c.unreleased + c.pool + c.own + c.team + c.strike + c.papers
			+ c.supervision + c.triage + c.doubt + c.parked + c.resting + c.terminal
	UNION ALL
	SELECT 'difference', 'imported', NULL, coalesce((SELECT imported FROM census), 0)::text,
		m.least || ' - ' || m.most FROM committed m
		WHERE coalesce((SELECT imported FROM census), 0) NOT BETWEEN m.least AND m.most
	UNION ALL
	SELECT 'difference', 'ledger-gap', NULL, (after_no + n.rows)::text, k.ledger_no::text
		FROM hf.campaign k CROSS JOIN (SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(max(newest), after_no) AS newest
			FROM fresh) n
		WHERE k.campaign = of_campaign AND (after_no + n.rows <> k.ledger_no OR n.newest <> k.ledger_no)
	UNION ALL
	-- Numbers since then follow each other and the one before; of an outbox without new ones the newest is there.
	SELECT 'difference', 'outbox-gap', NULL, encode(o.ob, 'hex') || ' ' || coalesce(f.rows, 0), o.recorded_upto::text
		FROM hf.outbox o LEFT JOIN fresh f ON f.ob = o.ob
		WHERE o.campaign = of_campaign AND o.recorded_upto > 0 AND (f.rows <> f.most - f.least + 1 OR f.most <> o.recorded_upto
			OR (f.least IS NULL OR f.least > 1) AND NOT EXISTS (SELECT FROM hf.ledger e WHERE e.campaign = of_campaign
				AND e.ob = o.ob AND e.seq = coalesce(f.least - 1, o.recorded_upto)))
	UNION ALL
	SELECT 'notice', l.kind, l.case_ref, l.lane || ' ' || l.ms / 60000, l.minutes::text FROM late l WHERE l.r <= 100
$$;
