-- Rates and pay as they stood at a row of the ledger (upto_no): counted again from the records up to it, not kept anywhere.
--
-- Happy path: contacts, papers, lists, findings and decisions are rows of the ledger and are read up to it; `arrived` are
-- the cases that had come by then, joined: arrivals are sealed, so hf-reconcile opens them. Whose a case is: the owner at
-- the freeze, if it was frozen by then. Failures: none of its own; whose a case was before the freeze, and who was released,
-- no record tells: they are as they are now.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE INDEX ledger_people ON ledger (campaign, kind, no) WHERE kind IN (10, 12, 18);

CREATE FUNCTION freeze_at(of_campaign text, upto_no bigint) RETURNS TABLE (no bigint, import bytea)
LANGUAGE sql STABLE AS $$
	SELECT c.no, c.import FROM hf.v_commit c
	JOIN hf.v_decision d ON d.campaign = c.campaign AND d.no = c.no AND d.ruling = 'give'
	WHERE c.campaign = of_campaign AND c.what = 'frozen' AND d.decision_no <= upto_no
	ORDER BY c.no DESC LIMIT 1
$$;
COMMENT ON FUNCTION freeze_at IS 'The frozen list that was in force at that row';

-- Whom no record names (a restored store) is as now; whom only a later record names was not there yet.
CREATE FUNCTION person_at(of_campaign text, upto_no bigint) RETURNS TABLE (person text, roles bigint, team text)
LANGUAGE sql STABLE AS $$
	WITH said AS (
		SELECT l.no, l.subject, l.roles, l.team FROM hf.ledger l
		WHERE l.campaign = of_campaign AND l.kind = 18 AND l.verdict = 0 AND l.flaw IS NULL AND l.subject IS NOT NULL
	)
	SELECT p.person, CASE WHEN EXISTS (SELECT FROM said s WHERE s.subject = p.person AND s.roles IS NOT NULL)
			THEN coalesce((SELECT s.roles FROM said s WHERE s.subject = p.person AND s.roles IS NOT NULL AND s.no <= upto_no
				ORDER BY s.no DESC LIMIT 1), 0) ELSE p.roles END,
		CASE WHEN EXISTS (SELECT FROM said s WHERE s.subject = p.person AND s.team IS NOT NULL)
			THEN (SELECT s.team FROM said s WHERE s.subject = p.person AND s.team IS NOT NULL AND s.no <= upto_no
				ORDER BY s.no DESC LIMIT 1) ELSE p.team END
	FROM hf.person p WHERE p.campaign = of_campaign
$$;
COMMENT ON FUNCTION person_at IS 'Roles and team as the records up to that row say';

CREATE FUNCTION figures_at(of_campaign text, upto_no bigint, upto_at bigint, arrived bytea)
RETURNS TABLE (campaign text, case_ref bytea, owner text, team text, attempts bigint, contacts bigint, seconds bigint,
	last_outcome text, withdrawn boolean, registered boolean, unreachable boolean, admitted boolean, paid boolean)
LANGUAGE sql STABLE AS $$
	WITH list AS MATERIALIZED (
		SELECT * FROM hf.freeze_at(of_campaign, upto_no)
	), frozen AS MATERIALIZED (
		SELECT u.case_ref, min(r.subject) AS owner FROM list f JOIN hf.ledger r ON r.campaign = of_campaign
			AND r.import = f.import AND r.kind = 14 AND r.what = 'frozen' AND r.verdict = 0 AND r.flaw IS NULL AND r.no < f.no
		CROSS JOIN LATERAL hf.refs(r.cases) u (case_ref) GROUP BY u.case_ref
	), came AS MATERIALIZED (
		SELECT DISTINCT u.case_ref FROM hf.refs(arrived) u (case_ref)
	), tried AS MATERIALIZED (
		SELECT c.case_ref, count(*) AS attempts,
			count(*) FILTER (WHERE spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			coalesce(sum(c.seconds), 0)::bigint AS seconds,
			count(DISTINCT width_bucket((campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050])) AS dayparts
		FROM hf.v_contact c WHERE c.campaign = of_campaign AND c.no <= upto_no AND c.case_ref IS NOT NULL GROUP BY c.case_ref
	), said AS MATERIALIZED (
		SELECT DISTINCT ON (e.case_ref) e.case_ref, e.outcome FROM hf.ledger e
		WHERE e.campaign = of_campaign AND e.no <= upto_no AND e.case_ref IS NOT NULL AND e.outcome IS NOT NULL
			AND e.verdict = 0 AND e.flaw IS NULL
		ORDER BY e.case_ref, e.no DESC
	), signed AS MATERIALIZED (
		SELECT e.case_ref, count(DISTINCT e.person) AS signers FROM hf.ledger e
		WHERE e.campaign = of_campaign AND e.no <= upto_no AND e.kind = 4 AND e.what = 'signed' AND e.items = 63 AND e.verdict = 0
			AND e.flaw IS NULL AND e.case_ref IS NOT NULL
			AND NOT EXISTS (SELECT FROM hf.ledger c WHERE c.campaign = e.campaign AND c.case_ref = e.case_ref AND c.no > e.no
				AND c.no <= upto_no AND c.outcome = 'withdraw-cancelled' AND c.verdict = 0 AND c.flaw IS NULL)
		GROUP BY e.case_ref
	), paid AS MATERIALIZED (
		SELECT n.case_ref FROM (
			SELECT DISTINCT ON (u.case_ref) u.case_ref, r.valid FROM hf.v_commit c JOIN hf.ledger r ON r.campaign = c.campaign
				AND r.import = c.import AND r.kind = 14 AND r.what = c.what AND r.person = c.person AND r.verdict = 0
				AND r.flaw IS NULL AND r.no < c.no
			CROSS JOIN LATERAL hf.refs(r.cases) u (case_ref)
			WHERE c.campaign = of_campaign AND c.what = 'payments' AND c.no <= upto_no
			ORDER BY u.case_ref, r.no DESC) n
		WHERE n.valid = 1
	)
	SELECT of_campaign, s.case_ref, o.owner, p.team, coalesce(t.attempts, 0), coalesce(t.contacts, 0), coalesce(t.seconds, 0),
		l.outcome, w.withdrawn, a.case_ref IS NOT NULL AND NOT w.withdrawn AND (f.no IS NULL OR z.case_ref IS NOT NULL),
		coalesce(t.attempts >= 3 AND t.dayparts >= 2 AND t.contacts = 0, false),
		CASE WHEN f.no IS NULL THEN NOT w.withdrawn ELSE z.case_ref IS NOT NULL END, m.case_ref IS NOT NULL
	FROM hf.case_state s
	LEFT JOIN list f ON true
	LEFT JOIN frozen z ON z.case_ref = s.case_ref
	LEFT JOIN came a ON a.case_ref = s.case_ref
	LEFT JOIN tried t ON t.case_ref = s.case_ref
	LEFT JOIN said l ON l.case_ref = s.case_ref
	LEFT JOIN signed g ON g.case_ref = s.case_ref
	LEFT JOIN paid m ON m.case_ref = s.case_ref
	CROSS JOIN LATERAL (SELECT CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END AS owner) o
	LEFT JOIN hf.person_at(of_campaign, upto_no) p ON p.person = o.owner
	CROSS JOIN LATERAL (SELECT coalesce(g.signers >= 2, false) OR coalesce(l.outcome = 'withdrawn', false) AS withdrawn) w
	WHERE s.campaign = of_campaign AND coalesce(s.created_at, 0) <= upto_at
$$;
COMMENT ON FUNCTION figures_at IS 'v_figure as it stood at that row of the ledger; upto_at: campaign ms, cases that came later are not there';

CREATE FUNCTION counts_at(of_campaign text, upto_no bigint, upto_at bigint, arrived bytea)
RETURNS TABLE (campaign text, owner text, team text, cases bigint, attempted bigint, attempts bigint, contacts bigint,
	seconds bigint, confirmed bigint, considering bigint, unreachable bigint, withdrawn bigint, admitted bigint,
	registered bigint, paid bigint, admitted_contacts bigint, admitted_seconds bigint)
LANGUAGE sql STABLE AS $$
	SELECT f.campaign, f.owner, f.team, count(*), count(*) FILTER (WHERE f.attempts > 0), sum(f.attempts)::bigint,
		sum(f.contacts)::bigint, sum(f.seconds)::bigint, count(*) FILTER (WHERE f.last_outcome = 'confirmed'),
		count(*) FILTER (WHERE f.last_outcome IN ('considering', 'will-not-say')), count(*) FILTER (WHERE f.unreachable),
		count(*) FILTER (WHERE f.withdrawn), count(*) FILTER (WHERE f.admitted), count(*) FILTER (WHERE f.registered),
		count(*) FILTER (WHERE f.paid), coalesce(sum(f.contacts) FILTER (WHERE f.admitted), 0)::bigint,
		coalesce(sum(f.seconds) FILTER (WHERE f.admitted), 0)::bigint
	FROM hf.figures_at(of_campaign, upto_no, upto_at, arrived) f GROUP BY f.campaign, f.owner, f.team
$$;
COMMENT ON FUNCTION counts_at IS 'v_counts as it stood at that row of the ledger';

CREATE FUNCTION pay_finding_at(of_campaign text, upto_no bigint)
RETURNS TABLE (person text, slack boolean, wrong_withdrawal boolean, deduction bigint)
LANGUAGE sql STABLE AS $$
	SELECT f.subject, bool_or(f.what = 'slack'), bool_or(f.what = 'wrong-withdrawal'),
		coalesce((array_agg(f.percent ORDER BY f.no DESC) FILTER (WHERE f.what = 'deduction'))[1], 0)
	FROM hf.v_finding f
	JOIN hf.v_decision d ON d.campaign = f.campaign AND d.no = f.no AND d.ruling = 'give' AND d.decision_no <= upto_no
	WHERE f.campaign = of_campaign AND f.what <> 'lifted'
		AND NOT EXISTS (SELECT FROM hf.v_finding t JOIN hf.v_decision td ON td.campaign = t.campaign AND td.no = t.no
			AND td.ruling = 'give' AND td.decision_no <= upto_no
			WHERE t.campaign = f.campaign AND t.what = 'lifted' AND t.ref_ob = f.ob AND t.ref_seq = f.seq)
	GROUP BY f.subject
$$;
COMMENT ON FUNCTION pay_finding_at IS 'v_pay_finding as it stood at that row of the ledger';

-- The second computation, said otherwise: from who is owed what, person by person, not from a row a case.
CREATE FUNCTION pay_sheet_at(of_campaign text, upto_no bigint, upto_at bigint, arrived bytea, set_minimum bigint DEFAULT NULL,
	q1 text DEFAULT 'literal', q2 text DEFAULT 'A', q3 text DEFAULT 'needs_min', q4 text DEFAULT 'row',
	q6 text DEFAULT 'per_paid', q7 text DEFAULT 'pooled', q18 text DEFAULT 'payable')
RETURNS TABLE (person text, team text, admitted bigint, registered bigint, called bigint, minimum bigint,
	standard bigint, amount bigint, bonus bigint)
LANGUAGE sql STABLE AS $$
	WITH list AS MATERIALIZED (
		SELECT c.import, c.no FROM hf.v_commit c WHERE c.campaign = of_campaign AND c.what = 'frozen' AND EXISTS (
			SELECT FROM hf.v_decision d WHERE d.campaign = c.campaign AND d.no = c.no AND d.ruling = 'give' AND d.decision_no <= upto_no)
		ORDER BY c.no DESC LIMIT 1
	), gone AS MATERIALIZED ( -- two signatures after the newest taking back, or the word of it as the last one
		SELECT e.case_ref FROM hf.ledger e WHERE e.campaign = of_campaign AND e.no <= upto_no AND e.verdict = 0 AND e.flaw IS NULL
			AND e.case_ref IS NOT NULL AND e.no > coalesce((SELECT max(b.no) FROM hf.ledger b WHERE b.campaign = of_campaign
				AND b.case_ref = e.case_ref AND b.no <= upto_no AND b.outcome = 'withdraw-cancelled' AND b.verdict = 0
				AND b.flaw IS NULL), 0) AND e.kind = 4 AND e.what = 'signed' AND e.items = 63
		GROUP BY e.case_ref HAVING count(DISTINCT e.person) > 1
		UNION
		SELECT e.case_ref FROM hf.ledger e WHERE e.campaign = of_campaign AND e.no <= upto_no AND e.verdict = 0 AND e.flaw IS NULL
			AND e.outcome = 'withdrawn' AND NOT EXISTS (SELECT FROM hf.ledger b WHERE b.campaign = of_campaign
				AND b.case_ref = e.case_ref AND b.no > e.no AND b.no <= upto_no AND b.outcome IS NOT NULL AND b.verdict = 0
				AND b.flaw IS NULL)
	), whose AS MATERIALIZED (
		SELECT substring(r.cases FROM 1 + 16 * i FOR 16) AS case_ref, r.subject AS owner, true AS counts
		FROM list JOIN hf.ledger r ON r.campaign = of_campaign AND r.import = list.import AND r.kind = 14 AND r.what = 'frozen'
			AND r.verdict = 0 AND r.flaw IS NULL AND r.no < list.no
		CROSS JOIN LATERAL generate_series(0, octet_length(r.cases) / 16 - 1) i
	), all_of AS MATERIALIZED (
		SELECT case_ref, owner, counts FROM whose
		UNION ALL
		SELECT s.case_ref, s.owner, NOT EXISTS (SELECT FROM list) AND NOT EXISTS (SELECT FROM gone g WHERE g.case_ref = s.case_ref)
		FROM hf.case_state s WHERE s.campaign = of_campaign AND coalesce(s.created_at, 0) <= upto_at
			AND NOT EXISTS (SELECT FROM whose w WHERE w.case_ref = s.case_ref)
	), own AS MATERIALIZED (
		SELECT a.owner, count(*) FILTER (WHERE a.counts) AS admitted,
			count(*) FILTER (WHERE a.counts AND a.case_ref IN (SELECT hf.refs(arrived))
				AND a.case_ref NOT IN (SELECT g.case_ref FROM gone g)) AS registered,
			count(*) FILTER (WHERE EXISTS (SELECT FROM hf.ledger c WHERE c.campaign = of_campaign AND c.case_ref = a.case_ref
				AND c.no <= upto_no AND c.kind = 1 AND c.verdict < 2 AND c.flaw IS NULL)) AS called
		FROM all_of a WHERE a.owner IS NOT NULL GROUP BY a.owner
	), given AS (
		SELECT f.subject, f.what, f.percent, row_number() OVER (PARTITION BY f.subject, f.what ORDER BY f.no DESC) AS newest
		FROM hf.v_finding f, hf.v_decision d
		WHERE f.campaign = of_campaign AND d.campaign = of_campaign AND d.no = f.no AND d.ruling = 'give' AND d.decision_no <= upto_no
			AND (f.ob, f.seq) NOT IN (SELECT t.ref_ob, t.ref_seq FROM hf.v_finding t, hf.v_decision x
				WHERE t.campaign = of_campaign AND t.what = 'lifted' AND t.ref_ob IS NOT NULL AND x.campaign = of_campaign
					AND x.no = t.no AND x.ruling = 'give' AND x.decision_no <= upto_no)
	), listed AS (
		SELECT p.person, p.team, p.roles & 2 = 2 AS leader, coalesce(o.admitted, 0) AS admitted,
			coalesce(o.registered, 0) AS registered, coalesce(o.called, 0) AS called,
			EXISTS (SELECT FROM given g WHERE g.subject = p.person AND g.what = 'slack') AS slack,
			EXISTS (SELECT FROM given g WHERE g.subject = p.person AND g.what = 'wrong-withdrawal') AS wrong,
			coalesce((SELECT g.percent FROM given g
				WHERE g.subject = p.person AND g.what = 'deduction' AND g.newest = 1), 0) AS deduction
		FROM hf.person_at(of_campaign, upto_no) p LEFT JOIN own o ON o.owner = p.person
		WHERE p.roles & 1 = 1 OR o.owner IS NOT NULL
	), least AS (
		SELECT coalesce(set_minimum, 8 * (SELECT count(*) FROM hf.case_state WHERE campaign = of_campaign AND lane <> 'unreleased'
			AND coalesce(created_at, 0) <= upto_at) / nullif(10 * count(*), 0), 0) AS minimum
		FROM listed
	)
	SELECT l.person, l.team, l.admitted, l.registered, l.called, least.minimum, w.standard, w.amount,
		CASE WHEN NOT l.leader THEN 0
			ELSE hf.pay_cut(CASE WHEN l.team IS NULL THEN hf.pay_bonus(ARRAY[l.registered], ARRAY[l.admitted], q7)
				ELSE (SELECT hf.pay_bonus(array_agg(m.registered), array_agg(m.admitted), q7)
					FROM listed m WHERE m.team = l.team) END, l.wrong, l.deduction, q18) END
	FROM listed l CROSS JOIN least
	CROSS JOIN LATERAL hf.pay_of(l.registered, l.admitted, l.called, least.minimum, l.slack, false, l.wrong,
		l.deduction, q1, q2, true, q3, q4, q6, q18) w
$$;
COMMENT ON FUNCTION pay_sheet_at IS 'pay_sheet as it stood at that row of the ledger';

GRANT EXECUTE ON FUNCTION freeze_at, person_at, figures_at, counts_at, pay_finding_at, pay_sheet_at TO hf_reconcile;
