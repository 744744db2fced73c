-- Who registered, and who cannot be reached. The law put a registered case in `terminal` with the reason `registered`,
-- out of the arrivals file: it is no outcome of a call, so the last outcome of the ledger does not tell it. Unreachable
-- (at least 3 attempts in at least 2 dayparts and no contact) is more than "tried once".

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE OR REPLACE VIEW v_figure WITH (security_barrier) AS
	SELECT s.campaign, s.case_ref, s.owner, p.team, s.lane, s.held,
		coalesce(a.attempts, 0) AS attempts, coalesce(a.contacts, 0) AS contacts,
		coalesce(a.self_contacts, 0) AS self_contacts, coalesce(a.seconds, 0) AS seconds,
		l.outcome AS last_outcome, l.campaign_at AS last_at,
		s.lane = 'terminal' AND s.why <> 'registered'
			AND l.outcome IN ('withdrawn', 'papers-received') AS withdrawn,
		s.lane = 'terminal' AND s.why = 'registered' AS registered,
		coalesce(a.attempts >= 3 AND a.dayparts >= 2 AND a.contacts = 0, false) AS unreachable
	FROM case_state s
	LEFT JOIN person p ON p.campaign = s.campaign AND p.person = s.owner
	LEFT JOIN LATERAL (
		SELECT count(*) AS attempts,
			count(*) FILTER (WHERE spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			count(*) FILTER (WHERE spoke = 'self') AS self_contacts,
			sum(coalesce(seconds, 0)) AS seconds,
			-- minute of the day in Shanghai; dayparts a to d end at 12:00, 13:00, 17:30 and in the evening
			count(DISTINCT width_bucket((campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050]))
				AS dayparts
		FROM v_contact c WHERE c.campaign = s.campaign AND c.case_ref = s.case_ref) a ON true
	LEFT JOIN LATERAL (
		SELECT outcome, campaign_at FROM ledger e
		WHERE e.campaign = s.campaign AND e.case_ref = s.case_ref AND e.outcome IS NOT NULL
			AND e.verdict = 0 AND e.flaw IS NULL
		ORDER BY e.no DESC LIMIT 1) l ON true;

-- The pay sheet needs who is there, also those without a case.
GRANT SELECT ON person, campaign TO hf_reconcile;
