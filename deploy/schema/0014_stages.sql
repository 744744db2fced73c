-- Rates by stage, and by pass in stage 2: what was said between the STAGE and PASS records that opened it.
--
-- Happy path: the ledger is cut at each record that opens a stage or a pass; a call belongs to the newest one opened before
-- it, a case to every stage in which it was called. Failures: none of its own; before any stage was opened it is stage 0.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE INDEX ledger_stages ON ledger (campaign, no) WHERE kind IN (8, 9);

CREATE VIEW v_stage_span WITH (security_barrier) AS
	WITH opened AS (
		SELECT campaign, no, n, kind FROM ledger
		WHERE kind IN (8, 9) AND open = 1 AND n IS NOT NULL AND verdict = 0 AND flaw IS NULL
		UNION ALL SELECT campaign, 0, 0, 8 FROM campaign
	)
	SELECT o.campaign, o.no AS from_no,
		coalesce(lead(o.no) OVER (PARTITION BY o.campaign ORDER BY o.no), 9223372036854775807) AS before_no, s.n AS stage,
		-- A pass is one of stage 2; whatever opens a stage ends it.
		CASE WHEN s.n = 2 THEN coalesce((SELECT p.n FROM opened p WHERE p.campaign = o.campaign AND p.kind = 9
			AND p.no > s.no AND p.no <= o.no ORDER BY p.no DESC LIMIT 1), 0) ELSE 0 END AS pass
	FROM opened o CROSS JOIN LATERAL (
		SELECT t.no, t.n FROM opened t WHERE t.campaign = o.campaign AND t.kind = 8 AND t.no <= o.no
		ORDER BY t.no DESC LIMIT 1) s;
COMMENT ON VIEW v_stage_span IS 'Which rows of the ledger belong to which stage and pass: from_no <= no < before_no; pass 0: none';

-- The columns are those of v_figure; what was tried and reached is of that stage alone.
CREATE VIEW v_stage_figure WITH (security_barrier) AS
	SELECT s.campaign, s.stage, s.pass, s.case_ref, f.owner, f.team, s.attempts, s.contacts, s.seconds, s.last_outcome, f.withdrawn,
		f.registered, s.attempts >= 3 AND s.dayparts & (s.dayparts - 1) <> 0 AND s.contacts = 0 AS unreachable, f.admitted,
		f.paid
	FROM (
		SELECT c.campaign, z.stage, CASE WHEN grouping(z.pass) = 1 THEN 0 ELSE z.pass END AS pass, c.case_ref,
			count(*) AS attempts,
			count(*) FILTER (WHERE c.spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			coalesce(sum(c.seconds), 0) AS seconds,
			bit_or(1::bigint << width_bucket((c.campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050])) AS dayparts,
			(array_agg(c.outcome ORDER BY c.no DESC) FILTER (WHERE c.outcome IS NOT NULL AND c.verdict = 0))[1]
				AS last_outcome
		FROM v_stage_span z JOIN v_contact c ON c.campaign = z.campaign AND c.no >= z.from_no AND c.no < z.before_no
		WHERE c.case_ref IS NOT NULL
		GROUP BY GROUPING SETS ((c.campaign, z.stage, c.case_ref), (c.campaign, z.stage, z.pass, c.case_ref))
		HAVING grouping(z.pass) = 1 OR z.pass > 0) s
	JOIN v_figure f ON f.campaign = s.campaign AND f.case_ref = s.case_ref;
COMMENT ON VIEW v_stage_figure IS
	'One row a case and stage in which it was called (pass 0), and one a pass of stage 2; admitted and registered as v_figure has them';

GRANT SELECT ON v_stage_span, v_stage_figure TO hf_reconcile, hf_read;
