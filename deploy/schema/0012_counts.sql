-- What each case has been through, folded once and kept: v_figure reads a row a case and what the ledger got since, not
-- six records a case every time. A ledger row never changes and its numbers have no gaps, so a fold up to a number holds.
--
-- Happy path: the nightly run calls fold_cases; readers add what is newer themselves, so that they are never behind.
-- Failures: a fold that differs from the ledger is found by recount_cases, told, and made anew.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE TABLE case_counted (
	campaign text PRIMARY KEY REFERENCES campaign,
	ledger_no bigint NOT NULL CHECK (ledger_no >= 0)
);
COMMENT ON TABLE case_counted IS 'Up to which row of the ledger case_count has counted';

CREATE TABLE case_count (
	campaign text NOT NULL REFERENCES campaign,
	case_ref bytea NOT NULL CHECK (octet_length(case_ref) = 16),
	attempts bigint NOT NULL,
	contacts bigint NOT NULL,
	self_contacts bigint NOT NULL,
	seconds bigint NOT NULL,
	dayparts bigint NOT NULL,
	first_at bigint,
	last_no bigint,
	last_outcome text,
	last_at bigint,
	PRIMARY KEY (campaign, case_ref)
) WITH (fillfactor = 80);
COMMENT ON TABLE case_count IS 'A fold of the ledger by case, up to case_counted.ledger_no; made anew by recount_cases';
COMMENT ON COLUMN case_count.dayparts IS 'A bit for each daypart with an attempt, a to d of the working day';
COMMENT ON COLUMN case_count.first_at IS 'Campaign time of the first attempt, ms; last_no, last_outcome, last_at: of the newest outcome';

-- The rows of the ledger that are not in it yet, counted the same way; a view, so that who may read it needs no ledger.
CREATE VIEW v_uncounted WITH (security_barrier) AS
	SELECT c.campaign, n.case_ref, n.attempts, n.contacts, n.self_contacts, n.seconds, n.dayparts, n.first_at, n.last_no,
		l.outcome AS last_outcome, l.campaign_at AS last_at
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
			max(e.no) FILTER (WHERE e.outcome IS NOT NULL AND verdict = 0) AS last_no
		FROM ledger e CROSS JOIN LATERAL (SELECT kind = 1 AND verdict IN (0, 1) AS is_attempt) a
		WHERE e.campaign = c.campaign AND e.no > c.after_no AND e.no <= c.upto_no AND e.case_ref IS NOT NULL
			AND e.flaw IS NULL AND (is_attempt OR e.outcome IS NOT NULL AND verdict = 0)
		GROUP BY e.case_ref) n
	LEFT JOIN LATERAL (SELECT e.outcome, e.campaign_at FROM ledger e WHERE e.campaign = c.campaign AND e.no = n.last_no LIMIT 1) l
		ON true;
COMMENT ON VIEW v_uncounted IS 'What case_count does not count yet, one row a case';

CREATE FUNCTION fold_cases(of_campaign text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hf, pg_temp SET jit = off SET work_mem = '128MB' AS $$
DECLARE
	have bigint;
	upto bigint;
BEGIN
	INSERT INTO case_counted SELECT campaign, 0 FROM campaign WHERE campaign = of_campaign ON CONFLICT DO NOTHING;
	SELECT ledger_no INTO have FROM case_counted WHERE campaign = of_campaign FOR UPDATE;
	-- One statement sees one ledger.
	WITH folded AS (
		INSERT INTO case_count AS k SELECT * FROM v_uncounted WHERE campaign = of_campaign
		ON CONFLICT (campaign, case_ref) DO UPDATE SET attempts = k.attempts + excluded.attempts,
			contacts = k.contacts + excluded.contacts, self_contacts = k.self_contacts + excluded.self_contacts,
			seconds = k.seconds + excluded.seconds, dayparts = k.dayparts | excluded.dayparts,
			first_at = least(k.first_at, excluded.first_at), last_no = coalesce(excluded.last_no, k.last_no),
			last_outcome = coalesce(excluded.last_outcome, k.last_outcome), last_at = coalesce(excluded.last_at, k.last_at)
	)
	UPDATE case_counted u SET ledger_no = c.ledger_no FROM campaign c
		WHERE u.campaign = of_campaign AND c.campaign = of_campaign AND c.ledger_no >= u.ledger_no RETURNING u.ledger_no INTO upto;
	RETURN coalesce(upto - have, 0);
END
$$;
COMMENT ON FUNCTION fold_cases IS 'Counts what the ledger got since the last fold; how many rows of it';

-- Said otherwise than above, on purpose.
CREATE VIEW v_recounted WITH (security_barrier) AS
	SELECT coalesce(t.campaign, s.campaign) AS campaign, coalesce(t.case_ref, s.case_ref) AS case_ref, coalesce(t.attempts, 0) AS attempts, coalesce(t.contacts, 0) AS contacts,
		coalesce(t.self_contacts, 0) AS self_contacts, coalesce(t.seconds, 0)::bigint AS seconds,
		coalesce(t.dayparts, 0)::bigint AS dayparts, t.first_at, s.no AS last_no, e.outcome AS last_outcome,
		e.campaign_at AS last_at
	FROM (
		SELECT c.campaign, c.case_ref, count(*) AS attempts,
			sum(CASE WHEN c.spoke IN ('self', 'father', 'mother', 'parent', 'guardian') THEN 1 ELSE 0 END) AS contacts,
			sum(CASE WHEN c.spoke = 'self' THEN 1 ELSE 0 END) AS self_contacts, sum(coalesce(c.seconds, 0)) AS seconds,
			bit_or(CASE WHEN m.minute < 720 THEN 1 WHEN m.minute < 780 THEN 2 WHEN m.minute < 1050 THEN 4 ELSE 8 END)
				AS dayparts, min(c.campaign_at) AS first_at
		FROM case_counted u JOIN v_contact c ON c.campaign = u.campaign AND c.no <= u.ledger_no
		CROSS JOIN LATERAL (SELECT (c.campaign_at / 60000 + 480) % 1440 AS minute) m
		WHERE c.case_ref IS NOT NULL GROUP BY c.campaign, c.case_ref) t
	FULL JOIN (
		SELECT e.campaign, e.case_ref, max(e.no) AS no
		FROM case_counted u JOIN ledger e ON e.campaign = u.campaign AND e.no <= u.ledger_no
		WHERE e.case_ref IS NOT NULL AND e.outcome IS NOT NULL AND e.verdict = 0 AND e.flaw IS NULL
		GROUP BY e.campaign, e.case_ref) s USING (campaign, case_ref)
	LEFT JOIN LATERAL (SELECT l.outcome, l.campaign_at FROM ledger l WHERE l.campaign = s.campaign AND l.no = s.no LIMIT 1) e
		ON true;
COMMENT ON VIEW v_recounted IS 'What case_count should be, counted from the first row of the ledger';

CREATE FUNCTION recount_cases(of_campaign text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hf, pg_temp SET jit = off SET work_mem = '128MB' AS $$
DECLARE
	differ bigint;
BEGIN
	PERFORM FROM case_counted WHERE campaign = of_campaign FOR UPDATE;
	SELECT count(*) INTO differ FROM (SELECT * FROM case_count WHERE campaign = of_campaign) k
		FULL JOIN (SELECT * FROM v_recounted WHERE campaign = of_campaign) n USING (case_ref)
		WHERE (k.attempts, k.contacts, k.self_contacts, k.seconds, k.dayparts, k.first_at, k.last_no, k.last_outcome, k.last_at)
			IS DISTINCT FROM (n.attempts, n.contacts, n.self_contacts, n.seconds, n.dayparts, n.first_at, n.last_no,
				n.last_outcome, n.last_at);
	IF differ > 0 THEN
		DELETE FROM case_count WHERE campaign = of_campaign;
		INSERT INTO case_count SELECT * FROM v_recounted WHERE campaign = of_campaign;
	END IF;
	RETURN differ;
END
$$;
COMMENT ON FUNCTION recount_cases IS 'Counts all of the ledger again and makes case_count so; how many cases differed';

CREATE OR REPLACE VIEW v_figure WITH (security_barrier) AS
	SELECT s.campaign, s.case_ref, CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END AS owner, p.team,
		s.lane, s.held,
		a.attempts, a.contacts, a.self_contacts, a.seconds::numeric AS seconds, a.last_outcome, a.last_at,
		w.withdrawn,
		s.lane = 'terminal' AND s.why = 'registered' AND (f.campaign IS NULL OR z.case_ref IS NOT NULL) AS registered,
		a.attempts >= 3 AND a.dayparts & (a.dayparts - 1) <> 0 AND a.contacts = 0 AS unreachable,
		CASE WHEN f.campaign IS NULL THEN NOT coalesce(w.withdrawn, false) ELSE z.case_ref IS NOT NULL END AS admitted,
		m.case_ref IS NOT NULL AS paid
	FROM case_state s
	LEFT JOIN v_freeze f ON f.campaign = s.campaign
	LEFT JOIN v_frozen_case z ON z.campaign = s.campaign AND z.case_ref = s.case_ref
	LEFT JOIN v_listed m ON m.campaign = s.campaign AND m.case_ref = s.case_ref AND m.what = 'payments'
	LEFT JOIN person p ON p.campaign = s.campaign
		AND p.person = CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END
	LEFT JOIN case_count k ON k.campaign = s.campaign AND k.case_ref = s.case_ref
	LEFT JOIN v_uncounted t ON t.campaign = s.campaign AND t.case_ref = s.case_ref
	CROSS JOIN LATERAL (
		SELECT coalesce(k.attempts, 0) + coalesce(t.attempts, 0) AS attempts,
			coalesce(k.contacts, 0) + coalesce(t.contacts, 0) AS contacts,
			coalesce(k.self_contacts, 0) + coalesce(t.self_contacts, 0) AS self_contacts,
			coalesce(k.seconds, 0) + coalesce(t.seconds, 0) AS seconds,
			coalesce(k.dayparts, 0) | coalesce(t.dayparts, 0) AS dayparts,
			coalesce(t.last_outcome, k.last_outcome) AS last_outcome, coalesce(t.last_at, k.last_at) AS last_at) a
	LEFT JOIN v_signed g ON g.campaign = s.campaign AND g.case_ref = s.case_ref
	CROSS JOIN LATERAL (
		SELECT s.lane = 'terminal' AND s.why <> 'registered'
			AND (coalesce(a.last_outcome IN ('withdrawn', 'papers-received'), false) OR coalesce(g.signers >= 2, false))
			AS withdrawn) w;

CREATE OR REPLACE VIEW v_pay_moved WITH (security_barrier) AS
	SELECT campaign, max(campaign_at) AS campaign_at FROM (
		SELECT campaign, campaign_at FROM ledger
		WHERE kind IN (6, 15, 31) AND (kind <> 15 OR what IN ('arrivals', 'frozen')) AND verdict = 0 AND flaw IS NULL
		UNION ALL
		SELECT campaign, first_at FROM case_count
		UNION ALL
		SELECT t.campaign, t.first_at FROM v_uncounted t
		WHERE NOT EXISTS (SELECT FROM case_count k
			WHERE k.campaign = t.campaign AND k.case_ref = t.case_ref AND k.first_at <= t.first_at)) moved
	GROUP BY campaign;

-- As before, but one pass over the cases; after_no: rows of the ledger up to it were looked at by an earlier run.
DROP FUNCTION night_findings(text, bigint);
CREATE FUNCTION night_findings(of_campaign text, now_at bigint, after_no bigint DEFAULT 0)
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
	), touched AS (
		SELECT o.ob, o.recorded_upto FROM hf.outbox o WHERE o.campaign = of_campaign AND (after_no = 0
			OR EXISTS (SELECT FROM hf.ledger e WHERE e.campaign = of_campaign AND e.ob = o.ob AND e.seq = o.recorded_upto
				AND e.no > after_no)
			OR NOT EXISTS (SELECT FROM hf.ledger e WHERE e.campaign = of_campaign AND e.ob = o.ob AND e.seq = o.recorded_upto))
			AND o.recorded_upto > 0
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
		FROM hf.campaign k CROSS JOIN LATERAL (SELECT count(*) AS rows, coalesce(max(no), after_no) AS newest FROM hf.ledger e
			WHERE e.campaign = of_campaign AND e.no > after_no) n
		WHERE k.campaign = of_campaign AND (after_no + n.rows <> k.ledger_no OR n.newest <> k.ledger_no)
	UNION ALL
	SELECT 'difference', 'outbox-gap', NULL, encode(o.ob, 'hex') || ' ' || count(e.seq), o.recorded_upto::text
		FROM touched o LEFT JOIN hf.ledger e ON e.campaign = of_campaign AND e.ob = o.ob
		GROUP BY o.ob, o.recorded_upto
		HAVING count(e.seq) <> o.recorded_upto OR coalesce(max(e.seq), 0) <> o.recorded_upto
	UNION ALL
	SELECT 'notice', l.kind, l.case_ref, l.lane || ' ' || l.ms / 60000, l.minutes::text FROM late l WHERE l.r <= 100
$$;
COMMENT ON FUNCTION night_findings IS 'here and there of a notice: lane and minutes that it waits, and how many are allowed';

REVOKE EXECUTE ON FUNCTION fold_cases, recount_cases FROM PUBLIC;
GRANT SELECT ON case_counted, case_count, v_uncounted TO hf_reconcile, hf_read;
GRANT EXECUTE ON FUNCTION fold_cases, recount_cases, night_findings TO hf_reconcile;
