-- The law of pay a second time, in plain SQL with integers only, from the words of the plan and not from the C
-- of hf-reconcile: `hf-reconcile pay` computes with both and lists every fen in which they differ.
--
-- Happy path: tier, step, N1, times registered, N3, N5, floor, one rounding half up. Failures: a reading of a
-- question that is not known takes the default of that question.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

-- N3 and N5. Counted in ten-thousandths of a fen, in which a half and a percent are whole.
CREATE FUNCTION pay_cut(fen bigint, halved boolean, deduction bigint, q18 text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (greatest(CASE
		WHEN q18 = 'total' THEN (CASE WHEN halved THEN fen * 5000 ELSE fen * 10000 END) - fen * 100 * deduction
		WHEN halved THEN fen * 5000 - fen * 50 * deduction
		ELSE fen * 10000 - fen * 100 * deduction END, 0) + 5000) / 10000
$$;

CREATE FUNCTION pay_of(
	registered bigint, admitted bigint, called bigint, minimum bigint, slack boolean, approved boolean,
	wrong_withdrawal boolean, deduction bigint,
	q1 text DEFAULT 'literal', q2 text DEFAULT 'A', q2_top boolean DEFAULT true, q3 text DEFAULT 'needs_min',
	q4 text DEFAULT 'row', q6 text DEFAULT 'per_paid', q18 text DEFAULT 'payable')
RETURNS TABLE (standard bigint, total bigint, amount bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT m.standard, z.total, hf.pay_cut(z.total, wrong_withdrawal, deduction, q18)
	FROM (SELECT slack AND called < minimum AS below, registered * 100 >= 93 * admitted AS has_task) b
	LEFT JOIN LATERAL (
		SELECT v.percent, v.fen
		FROM (VALUES (92::bigint, true, 5500::bigint), (93, false, 6000), (94, false, 6500), (95, false, 7000),
			(96, false, 7500), (97, false, 8000), (98, false, 8500), (99, true, 10000)) v (percent, includes, fen)
		WHERE admitted > 0 AND (q4 <> 'strict93' OR b.has_task)
			AND (registered * 100 > v.percent * admitted
				OR registered * 100 = v.percent * admitted AND (q1 = 'inclusive' OR v.includes AND q1 <> 'strict'))
		ORDER BY v.percent DESC LIMIT 1) t ON true
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN t.percent IS NULL OR q3 = 'off' THEN 0
			WHEN t.percent = 99 AND NOT q2_top THEN 0
			WHEN q2 = 'B' AND NOT b.has_task THEN 0
			WHEN q3 = 'approved_only' AND NOT approved THEN 0
			WHEN q3 = 'needs_min' AND b.below THEN 0
			ELSE (1000 * registered - 10 * t.percent * admitted) / admitted END AS steps) s
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN t.percent IS NULL THEN 0
			WHEN b.below AND q6 = 'per_paid' THEN greatest(t.fen + 50 * s.steps - 500, 0)
			ELSE t.fen + 50 * s.steps END AS standard) m
	CROSS JOIN LATERAL (
		SELECT greatest(m.standard * registered - CASE
			WHEN NOT b.below THEN 0
			WHEN q6 = 'per_short' THEN 500 * (minimum - called)
			WHEN q6 = 'per_called' THEN 500 * called
			ELSE 0 END, 0) AS total) z
$$;
COMMENT ON FUNCTION pay_of IS 'What one caller gets, in fen; q1 … q18 are the readings of the open questions';

-- The mean of rates is compared over a common denominator, in whole numbers of any length.
CREATE AGGREGATE pay_lcm (numeric) (SFUNC = lcm, STYPE = numeric, INITCOND = '1');

CREATE FUNCTION pay_bonus(registered bigint[], admitted bigint[], q7 text DEFAULT 'pooled') RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	WITH member AS (
		SELECT r::numeric AS r, a::numeric AS a FROM unnest(registered, admitted) u (r, a) WHERE a > 0
	), whole AS (
		SELECT hf.pay_lcm(a) AS l, sum(r) AS r, sum(a) AS a, count(*) AS n FROM member
	), mean AS (
		SELECT w.r, w.a, w.l * w.n AS over, (SELECT sum(m.r * div(w.l, m.a)) FROM member m) AS of FROM whole w
	)
	SELECT CASE
		WHEN a IS NULL THEN 0
		WHEN q7 = 'mean' THEN
			CASE WHEN of * 100 >= over * 95 THEN 150000 WHEN of * 100 >= over * 93 THEN 100000 ELSE 0 END
		WHEN r * 100 >= a * 95 THEN 150000
		WHEN r * 100 >= a * 93 THEN 100000
		ELSE 0 END::bigint
	FROM mean
$$;
COMMENT ON FUNCTION pay_bonus IS 'The bonus of a team''s leader before N3 and N5, in fen; one element a member';

-- The sheet of `hfctl pay show`. Nobody's slackness is signed yet, so that N1 takes nothing off.
CREATE FUNCTION pay_sheet(of_campaign text)
RETURNS TABLE (person text, team text, admitted bigint, registered bigint, called bigint, minimum bigint,
	standard bigint, amount bigint, bonus bigint)
LANGUAGE sql STABLE AS $$
	WITH owned AS (
		SELECT owner, sum(CASE WHEN withdrawn THEN 0 ELSE 1 END) AS admitted,
			sum(CASE WHEN registered THEN 1 ELSE 0 END) AS registered,
			sum(CASE WHEN attempts > 0 THEN 1 ELSE 0 END) AS called
		FROM hf.v_figure WHERE campaign = of_campaign AND owner IS NOT NULL GROUP BY owner
	), listed AS (
		SELECT p.person::text AS person, p.team::text AS team, p.roles & 2 = 2 AS leader,
			coalesce(o.admitted, 0) AS admitted, coalesce(o.registered, 0) AS registered,
			coalesce(o.called, 0) AS called
		FROM hf.person p LEFT JOIN owned o ON o.owner = p.person
		WHERE p.campaign = of_campaign AND (p.roles & 1 = 1 OR o.owner IS NOT NULL)
	), least AS (
		SELECT coalesce(8 * (SELECT count(*) FROM hf.case_state
			WHERE campaign = of_campaign AND lane <> 'unreleased') / nullif(10 * count(*), 0), 0) AS minimum
		FROM listed
	)
	SELECT l.person, l.team, l.admitted, l.registered, l.called, least.minimum, w.standard, w.amount,
		CASE WHEN NOT l.leader THEN 0
			WHEN l.team IS NULL THEN hf.pay_bonus(ARRAY[l.registered], ARRAY[l.admitted])
			ELSE (SELECT hf.pay_bonus(array_agg(m.registered), array_agg(m.admitted))
				FROM listed m WHERE m.team = l.team) END
	FROM listed l CROSS JOIN least
	CROSS JOIN LATERAL hf.pay_of(l.registered, l.admitted, l.called, least.minimum, false, false, false, 0) w
$$;

GRANT EXECUTE ON FUNCTION pay_cut, pay_of, pay_lcm, pay_bonus, pay_sheet TO hf_reconcile;
