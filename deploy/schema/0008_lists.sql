-- Lists that move no case (who is admitted, who paid, the frozen denominator), findings and disputes that touch pay, and
-- what a head decided about them: all of it views over the ledger, so that a rebuilt ledger tells the same.
--
-- Happy path: an import counts when its COMMIT names as many rows as came; the newest row of a case holds. The first
-- decision by another person than the record's holds. Failures: none of its own; what is incomplete does not count.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

ALTER TABLE ledger ADD COLUMN cases bytea;
COMMENT ON COLUMN ledger.cases IS 'References of cases, 16 bytes each, joined';

-- Records of the office are few among the calls.
CREATE INDEX ledger_office ON ledger (campaign, kind, no) WHERE kind IN (6, 14, 15, 28, 31);
CREATE INDEX ledger_by_import ON ledger (campaign, import) WHERE kind = 14 AND import IS NOT NULL;

CREATE FUNCTION refs(joined bytea) RETURNS SETOF bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT substring(joined FROM 1 + 16 * i FOR 16) FROM generate_series(0, octet_length(joined) / 16 - 1) AS i
$$;
COMMENT ON FUNCTION refs(bytea) IS 'The references of a ledger.cases, one a row';

CREATE VIEW v_decision WITH (security_barrier) AS
	SELECT DISTINCT ON (l.campaign, l.no) l.campaign, l.no, l.ob, l.seq, d.ruling, d.person AS by_person,
		d.no AS decision_no, d.campaign_at
	FROM ledger d
	JOIN ledger l ON l.campaign = d.campaign AND l.ob = d.ref_ob AND l.seq = d.ref_seq
	WHERE d.kind = 31 AND d.verdict = 0 AND d.flaw IS NULL AND d.person <> l.person AND d.ruling IN ('give', 'refuse')
	ORDER BY l.campaign, l.no, d.no;
COMMENT ON VIEW v_decision IS 'What a head decided about the record no; the first decision by another person holds';

CREATE VIEW v_commit WITH (security_barrier) AS
	SELECT c.campaign, c.no, c.ob, c.seq, c.person, c.what, c.import, c.rows, c.until, c.policy, c.campaign_at
	FROM ledger c
	WHERE c.kind = 15 AND c.verdict = 0 AND c.flaw IS NULL AND c.what IN ('admitted', 'payments', 'frozen', 'pay', 'supplement')
		AND c.rows = (SELECT coalesce(sum(CASE WHEN c.what IN ('pay', 'supplement') THEN 1
				ELSE coalesce(octet_length(r.cases), 0) / 16 + (r.number_id IS NOT NULL)::int END), 0)
			FROM ledger r WHERE r.campaign = c.campaign AND r.import = c.import AND r.kind = 14 AND r.what = c.what
				AND r.person = c.person AND r.verdict = 0 AND r.flaw IS NULL AND r.no < c.no);
COMMENT ON VIEW v_commit IS 'Imports of lists that came whole';

CREATE VIEW v_list_row WITH (security_barrier) AS
	SELECT r.campaign, c.what, r.no, r.valid = 1 AS listed, r.cases, r.number_id, r.count AS sheet_row
	FROM v_commit c JOIN ledger r ON r.campaign = c.campaign AND r.import = c.import AND r.kind = 14 AND r.what = c.what
		AND r.person = c.person AND r.verdict = 0 AND r.flaw IS NULL AND r.no < c.no
	WHERE c.what IN ('admitted', 'payments');

CREATE VIEW v_listed WITH (security_barrier) AS
	SELECT campaign, what, case_ref FROM (
		SELECT DISTINCT ON (r.campaign, r.what, u.case_ref) r.campaign, r.what, u.case_ref, r.listed
		FROM v_list_row r CROSS JOIN LATERAL refs(r.cases) u (case_ref)
		ORDER BY r.campaign, r.what, u.case_ref, r.no DESC) newest
	WHERE listed;
COMMENT ON VIEW v_listed IS 'Cases that are on a list now (what: admitted, payments)';

CREATE VIEW v_listed_unknown WITH (security_barrier) AS
	SELECT campaign, what, number_id, sheet_row FROM (
		SELECT DISTINCT ON (r.campaign, r.what, r.number_id) r.campaign, r.what, r.number_id, r.sheet_row, r.listed
		FROM v_list_row r WHERE r.number_id IS NOT NULL
		ORDER BY r.campaign, r.what, r.number_id, r.no DESC) newest
	WHERE listed;
COMMENT ON VIEW v_listed_unknown IS 'Who is on a list and no case of ours: the index of the 考生号, and the row of the sheet';

CREATE VIEW v_freeze WITH (security_barrier) AS
	SELECT DISTINCT ON (c.campaign) c.campaign, c.no, c.import, c.rows, c.person, d.by_person, d.campaign_at
	FROM v_commit c JOIN v_decision d ON d.campaign = c.campaign AND d.no = c.no AND d.ruling = 'give'
	WHERE c.what = 'frozen' ORDER BY c.campaign, c.no DESC;
COMMENT ON VIEW v_freeze IS 'The frozen admitted list in force, and the two persons who froze it';

CREATE VIEW v_frozen_case WITH (security_barrier) AS
	SELECT f.campaign, u.case_ref, r.subject AS owner
	FROM v_freeze f
	JOIN ledger r ON r.campaign = f.campaign AND r.import = f.import AND r.kind = 14 AND r.what = 'frozen'
		AND r.verdict = 0 AND r.flaw IS NULL AND r.no < f.no
	CROSS JOIN LATERAL refs(r.cases) u (case_ref);
COMMENT ON VIEW v_frozen_case IS 'The denominator after the freeze, each case with its owner at the freeze (Q9)';

-- A withdrawal is two signatures under papers, which are no outcome of a call: the last outcome does not tell it. What
-- was signed before the applicant took it back does not count.
CREATE INDEX ledger_papers ON ledger (campaign, case_ref, no) WHERE kind = 4;
CREATE VIEW v_signed WITH (security_barrier) AS
	SELECT e.campaign, e.case_ref, count(DISTINCT e.person) AS signers
	FROM ledger e
	WHERE e.kind = 4 AND e.what = 'signed' AND e.items = 63 AND e.verdict = 0 AND e.flaw IS NULL AND e.case_ref IS NOT NULL
		AND NOT EXISTS (SELECT FROM ledger c WHERE c.campaign = e.campaign AND c.case_ref = e.case_ref AND c.no > e.no
			AND c.outcome = 'withdraw-cancelled' AND c.verdict = 0 AND c.flaw IS NULL)
	GROUP BY e.campaign, e.case_ref;
COMMENT ON VIEW v_signed IS 'How many persons signed the papers of a withdrawal that was not taken back';

CREATE OR REPLACE VIEW v_figure WITH (security_barrier) AS
	SELECT s.campaign, s.case_ref, CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END AS owner, p.team,
		s.lane, s.held,
		coalesce(a.attempts, 0) AS attempts, coalesce(a.contacts, 0) AS contacts,
		coalesce(a.self_contacts, 0) AS self_contacts, coalesce(a.seconds, 0) AS seconds,
		l.outcome AS last_outcome, l.campaign_at AS last_at,
		w.withdrawn,
		s.lane = 'terminal' AND s.why = 'registered' AND (f.campaign IS NULL OR z.case_ref IS NOT NULL) AS registered,
		coalesce(a.attempts >= 3 AND a.dayparts >= 2 AND a.contacts = 0, false) AS unreachable,
		CASE WHEN f.campaign IS NULL THEN NOT coalesce(w.withdrawn, false) ELSE z.case_ref IS NOT NULL END AS admitted,
		m.case_ref IS NOT NULL AS paid
	FROM case_state s
	LEFT JOIN v_freeze f ON f.campaign = s.campaign
	LEFT JOIN v_frozen_case z ON z.campaign = s.campaign AND z.case_ref = s.case_ref
	LEFT JOIN v_listed m ON m.campaign = s.campaign AND m.case_ref = s.case_ref AND m.what = 'payments'
	LEFT JOIN person p ON p.campaign = s.campaign
		AND p.person = CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END
	LEFT JOIN LATERAL (
		SELECT count(*) AS attempts,
			count(*) FILTER (WHERE spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			count(*) FILTER (WHERE spoke = 'self') AS self_contacts,
			sum(coalesce(seconds, 0)) AS seconds,
			count(DISTINCT width_bucket((campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050]))
				AS dayparts
		FROM v_contact c WHERE c.campaign = s.campaign AND c.case_ref = s.case_ref) a ON true
	LEFT JOIN LATERAL (
		SELECT outcome, campaign_at FROM ledger e
		WHERE e.campaign = s.campaign AND e.case_ref = s.case_ref AND e.outcome IS NOT NULL
			AND e.verdict = 0 AND e.flaw IS NULL
		ORDER BY e.no DESC LIMIT 1) l ON true
	LEFT JOIN v_signed g ON g.campaign = s.campaign AND g.case_ref = s.case_ref
	CROSS JOIN LATERAL (
		SELECT s.lane = 'terminal' AND s.why <> 'registered'
			AND (coalesce(l.outcome IN ('withdrawn', 'papers-received'), false) OR coalesce(g.signers >= 2, false))
			AS withdrawn) w;
COMMENT ON VIEW v_figure IS
	'One row a case: what was tried, what was reached, what came of it. admitted: counts in the denominator, which is the frozen list, and before the freeze every case that is not withdrawn; registered: counts above it; owner: at the freeze, if there was one';

-- The one place that says who counts.
CREATE VIEW v_counts WITH (security_barrier) AS
	SELECT campaign, owner, team, count(*) AS cases, count(*) FILTER (WHERE attempts > 0) AS attempted,
		coalesce(sum(attempts), 0)::bigint AS attempts, coalesce(sum(contacts), 0)::bigint AS contacts,
		coalesce(sum(seconds), 0)::bigint AS seconds,
		count(*) FILTER (WHERE last_outcome = 'confirmed') AS confirmed,
		count(*) FILTER (WHERE last_outcome IN ('considering', 'will-not-say')) AS considering,
		count(*) FILTER (WHERE unreachable) AS unreachable, count(*) FILTER (WHERE withdrawn) AS withdrawn,
		count(*) FILTER (WHERE admitted) AS admitted, count(*) FILTER (WHERE registered) AS registered,
		count(*) FILTER (WHERE paid) AS paid
	FROM v_figure GROUP BY campaign, owner, team;
COMMENT ON VIEW v_counts IS 'v_figure counted by owner: what rates, pay and the dashboard add up';

-- What differs between the authority's list and our cases. what: unknown, not-listed, withdrawn-but-listed.
CREATE VIEW v_list_difference WITH (security_barrier) AS
	SELECT campaign, 'unknown' AS what, NULL::bytea AS case_ref, NULL::text AS owner, sheet_row
	FROM v_listed_unknown WHERE what = 'admitted'
	UNION ALL
	SELECT g.campaign, CASE WHEN d.case_ref IS NULL THEN 'not-listed' ELSE 'withdrawn-but-listed' END, g.case_ref, g.owner,
		NULL
	FROM v_figure g
	LEFT JOIN v_listed d ON d.campaign = g.campaign AND d.case_ref = g.case_ref AND d.what = 'admitted'
	WHERE (d.case_ref IS NULL AND NOT coalesce(g.withdrawn, false)) OR (d.case_ref IS NOT NULL AND g.withdrawn);
COMMENT ON VIEW v_list_difference IS 'What is looked at before the freeze';

GRANT EXECUTE ON FUNCTION refs(bytea) TO hf_dash, hf_reconcile, hf_read;
GRANT SELECT ON v_decision, v_commit, v_listed, v_listed_unknown, v_freeze, v_frozen_case, v_counts, v_list_difference
	TO hf_dash, hf_reconcile, hf_read;

-- Findings that touch pay. lifted: a later finding took it back, and that was decided as well.
CREATE VIEW v_finding WITH (security_barrier) AS
	SELECT f.campaign, f.no, f.ob, f.seq, f.person, f.subject, f.what, coalesce(f.count, 0) AS percent, f.ref_ob, f.ref_seq,
		d.ruling, d.by_person,
		EXISTS (SELECT FROM ledger t JOIN v_decision td ON td.campaign = t.campaign AND td.no = t.no AND td.ruling = 'give'
			WHERE t.campaign = f.campaign AND t.kind = 6 AND t.what = 'lifted' AND t.ref_ob = f.ob AND t.ref_seq = f.seq
				AND t.verdict = 0 AND t.flaw IS NULL) AS lifted
	FROM ledger f LEFT JOIN v_decision d ON d.campaign = f.campaign AND d.no = f.no
	WHERE f.kind = 6 AND f.verdict = 0 AND f.flaw IS NULL AND f.subject IS NOT NULL
		AND f.what IN ('slack', 'wrong-withdrawal', 'deduction', 'lifted');
COMMENT ON VIEW v_finding IS 'Findings that touch pay: slack (N1), wrong-withdrawal (N3), deduction (N5, percent), lifted';

CREATE VIEW v_dispute WITH (security_barrier) AS
	SELECT l.campaign, l.no, l.ob, l.seq, l.person, l.what, l.campaign_at, d.ruling, d.by_person
	FROM ledger l LEFT JOIN v_decision d ON d.campaign = l.campaign AND d.no = l.no
	WHERE l.kind = 28 AND l.verdict = 0 AND l.flaw IS NULL;
COMMENT ON VIEW v_dispute IS 'What somebody disputes, and the answer (give: upheld)';

-- What the findings in force do to a person's pay; of several deductions the newest holds.
CREATE VIEW v_pay_finding WITH (security_barrier) AS
	SELECT campaign, subject AS person, bool_or(what = 'slack') AS slack, bool_or(what = 'wrong-withdrawal') AS wrong_withdrawal,
		coalesce((array_agg(percent ORDER BY no DESC) FILTER (WHERE what = 'deduction'))[1], 0) AS deduction
	FROM v_finding WHERE ruling = 'give' AND NOT lifted AND what <> 'lifted' GROUP BY campaign, subject;
COMMENT ON VIEW v_pay_finding IS 'Signed findings in force, one row a person';

CREATE VIEW v_undecided WITH (security_barrier) AS
	SELECT c.campaign, c.no, c.ob, c.seq, c.person, c.what, NULL::text AS subject, c.rows AS n, c.campaign_at
	FROM v_commit c
	WHERE c.what IN ('frozen', 'pay', 'supplement')
		AND NOT EXISTS (SELECT FROM v_decision d WHERE d.campaign = c.campaign AND d.no = c.no)
		AND NOT EXISTS (SELECT FROM v_commit newer
			WHERE newer.campaign = c.campaign AND newer.what = c.what AND newer.no > c.no)
	UNION ALL
	SELECT f.campaign, f.no, f.ob, f.seq, f.person, f.what, f.subject, f.percent, l.campaign_at
	FROM v_finding f JOIN ledger l ON l.campaign = f.campaign AND l.no = f.no WHERE f.ruling IS NULL
	UNION ALL
	SELECT campaign, no, ob, seq, person, 'dispute', NULL, NULL, campaign_at FROM v_dispute WHERE ruling IS NULL;
COMMENT ON VIEW v_undecided IS 'Records without a case that wait for a head';

GRANT SELECT ON v_finding, v_dispute, v_pay_finding, v_undecided TO hf_reconcile, hf_read;

-- The sheet of `hfctl pay show`, counted from the cases themselves, with the findings in force.
DROP FUNCTION pay_sheet(text);
CREATE FUNCTION pay_sheet(of_campaign text, set_minimum bigint DEFAULT NULL, q1 text DEFAULT 'literal', q2 text DEFAULT 'A',
	q3 text DEFAULT 'needs_min', q4 text DEFAULT 'row', q6 text DEFAULT 'per_paid', q7 text DEFAULT 'pooled',
	q18 text DEFAULT 'payable')
RETURNS TABLE (person text, team text, admitted bigint, registered bigint, called bigint, minimum bigint,
	standard bigint, amount bigint, bonus bigint)
LANGUAGE sql STABLE AS $$
	WITH owned AS (
		SELECT owner, sum(CASE WHEN admitted THEN 1 ELSE 0 END) AS admitted,
			sum(CASE WHEN registered THEN 1 ELSE 0 END) AS registered,
			sum(CASE WHEN attempts > 0 THEN 1 ELSE 0 END) AS called
		FROM hf.v_figure WHERE campaign = of_campaign AND owner IS NOT NULL GROUP BY owner
	), given AS (
		SELECT f.subject, f.what, f.percent,
			row_number() OVER (PARTITION BY f.subject, f.what ORDER BY f.no DESC) AS newest
		FROM hf.v_finding f WHERE f.campaign = of_campaign AND f.ruling = 'give' AND NOT f.lifted
	), listed AS (
		SELECT p.person::text AS person, p.team::text AS team, p.roles & 2 = 2 AS leader,
			coalesce(o.admitted, 0) AS admitted, coalesce(o.registered, 0) AS registered,
			coalesce(o.called, 0) AS called,
			EXISTS (SELECT FROM given g WHERE g.subject = p.person AND g.what = 'slack') AS slack,
			EXISTS (SELECT FROM given g WHERE g.subject = p.person AND g.what = 'wrong-withdrawal') AS wrong,
			coalesce((SELECT g.percent FROM given g
				WHERE g.subject = p.person AND g.what = 'deduction' AND g.newest = 1), 0) AS deduction
		FROM hf.person p LEFT JOIN owned o ON o.owner = p.person
		WHERE p.campaign = of_campaign AND (p.roles & 1 = 1 OR o.owner IS NOT NULL)
	), least AS (
		SELECT coalesce(set_minimum, 8 * (SELECT count(*) FROM hf.case_state
			WHERE campaign = of_campaign AND lane <> 'unreleased') / nullif(10 * count(*), 0), 0) AS minimum
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
GRANT EXECUTE ON FUNCTION pay_sheet TO hf_reconcile;

-- Pay sheets that two persons closed: the first one holds for ever, supplements follow it.
CREATE VIEW v_closed WITH (security_barrier) AS
	SELECT campaign, no, what, import, rows, until, policy, person, by_person, decision_no FROM (
		SELECT c.*, d.by_person, d.decision_no, row_number() OVER (PARTITION BY c.campaign, c.what ORDER BY d.decision_no)
			AS nth
		FROM v_commit c JOIN v_decision d ON d.campaign = c.campaign AND d.no = c.no AND d.ruling = 'give'
		WHERE c.what IN ('pay', 'supplement')) given
	WHERE what = 'supplement' OR nth = 1;
COMMENT ON VIEW v_closed IS 'Closed pay sheets; the sheet itself is sealed in the IMPORT records of the same import';

-- The newest moment at which something changed that pay is made of.
CREATE VIEW v_pay_moved WITH (security_barrier) AS
	SELECT campaign, max(campaign_at) AS campaign_at FROM (
		SELECT campaign, campaign_at FROM ledger
		WHERE (kind IN (6, 31) OR kind = 15 AND what IN ('arrivals', 'frozen')) AND verdict = 0 AND flaw IS NULL
		UNION ALL
		SELECT campaign, min(campaign_at) FROM v_contact GROUP BY campaign, case_ref) moved
	GROUP BY campaign;
COMMENT ON VIEW v_pay_moved IS 'Arrivals, freezes, findings, decisions, first attempts: a sheet as of an earlier time would not be these figures';

GRANT SELECT ON v_closed, v_pay_moved TO hf_reconcile, hf_read;
