-- What the nightly run found, and what it keeps: nights with their rates and pay, which never change afterwards, the
-- findings of every run, what was mended by rule, and which exports left the house.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE TABLE check_run (
	campaign text NOT NULL REFERENCES campaign,
	run bigint NOT NULL CHECK (run >= 1),
	night date NOT NULL,
	began_at timestamptz NOT NULL,
	ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	campaign_at bigint NOT NULL,
	host text NOT NULL,
	ledger_no bigint NOT NULL,
	archive_segment bigint,
	archive_log text,
	imported bigint NOT NULL,
	leases bigint NOT NULL,
	behind bigint NOT NULL,
	differences bigint NOT NULL,
	notices bigint NOT NULL,
	mended bigint NOT NULL,
	PRIMARY KEY (campaign, run)
);
COMMENT ON TABLE check_run IS 'One row a run of hf-reconcile night. Append-only';
COMMENT ON COLUMN check_run.night IS 'The day in Shanghai, by the campaign''s clock, on which it ran';
COMMENT ON COLUMN check_run.differences IS 'Differences that were found and not mended; notices are cases that wait too long';
COMMENT ON COLUMN check_run.archive_segment IS 'The newest segment of the archive that was read, NULL for none';

CREATE TABLE check_found (
	campaign text NOT NULL,
	run bigint NOT NULL,
	n bigint NOT NULL,
	level text NOT NULL CHECK (level IN ('difference', 'notice')),
	kind text NOT NULL,
	case_ref bytea CHECK (octet_length(case_ref) = 16),
	here text,
	there text,
	mended boolean NOT NULL,
	PRIMARY KEY (campaign, run, n),
	FOREIGN KEY (campaign, run) REFERENCES check_run
);
COMMENT ON TABLE check_found IS 'What a run found, at most 100 of a kind. No names: cases by reference, persons by id. Append-only';
COMMENT ON COLUMN check_found.here IS 'What is; there: what should be, or what the other side says';

CREATE TABLE mend (
	campaign text NOT NULL REFERENCES campaign,
	case_ref bytea NOT NULL,
	mended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	rule text NOT NULL,
	before jsonb NOT NULL,
	after jsonb NOT NULL,
	PRIMARY KEY (campaign, case_ref, mended_at)
);
COMMENT ON TABLE mend IS 'What was mended by rule, as it was and as it is. Append-only';

CREATE TABLE night (
	campaign text NOT NULL REFERENCES campaign,
	night date NOT NULL,
	run bigint NOT NULL,
	late boolean NOT NULL,
	upto_at bigint NOT NULL,
	ledger_no bigint NOT NULL,
	records bigint NOT NULL,
	PRIMARY KEY (campaign, night),
	FOREIGN KEY (campaign, run) REFERENCES check_run
);
COMMENT ON TABLE night IS 'Each night once, whoever ran it. Append-only';
COMMENT ON COLUMN night.late IS 'Made up for by a later night''s run: rates of the ledger as it stood then, no pay';
COMMENT ON COLUMN night.upto_at IS 'Campaign time, ms, up to which records were counted; ledger_no is the last of them';
COMMENT ON COLUMN night.records IS 'Records of the ledger since the night before';

CREATE TABLE night_rate (
	campaign text NOT NULL,
	night date NOT NULL,
	scope text NOT NULL CHECK (scope IN ('caller', 'team', 'campaign')),
	who text NOT NULL,
	team text NOT NULL,
	cases bigint NOT NULL,
	attempted bigint NOT NULL,
	attempts bigint NOT NULL,
	contacts bigint NOT NULL,
	seconds bigint NOT NULL,
	confirmed bigint NOT NULL,
	considering bigint NOT NULL,
	unreachable bigint NOT NULL,
	withdrawn bigint NOT NULL,
	admitted bigint NOT NULL,
	registered bigint NOT NULL,
	PRIMARY KEY (campaign, night, scope, who, team),
	FOREIGN KEY (campaign, night) REFERENCES night
);
COMMENT ON TABLE night_rate IS 'The counts that rates are made of, by caller, team and campaign; who is empty for cases nobody owns. Append-only';

CREATE TABLE night_pay (
	campaign text NOT NULL,
	night date NOT NULL,
	person text NOT NULL,
	team text,
	admitted bigint NOT NULL,
	registered bigint NOT NULL,
	called bigint NOT NULL,
	minimum bigint NOT NULL,
	standard bigint NOT NULL,
	amount bigint NOT NULL,
	bonus bigint NOT NULL,
	PRIMARY KEY (campaign, night, person),
	FOREIGN KEY (campaign, night) REFERENCES night
);
COMMENT ON TABLE night_pay IS 'The pay sheet of that night in fen; only written when both computations agreed. Append-only';

CREATE TABLE export_log (
	campaign text NOT NULL REFERENCES campaign,
	n bigint NOT NULL,
	made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	kind text NOT NULL,
	ledger_no bigint NOT NULL,
	head_no bigint NOT NULL,
	masked boolean NOT NULL,
	purpose text,
	first_person text,
	second_person text,
	row_count bigint NOT NULL,
	manifest text NOT NULL CHECK (manifest ~ '^[0-9a-f]{64}$'),
	by_user text NOT NULL,
	PRIMARY KEY (campaign, n),
	CHECK (masked OR (purpose IS NOT NULL AND first_person IS NOT NULL AND second_person IS NOT NULL
		AND first_person <> second_person))
);
COMMENT ON TABLE export_log IS 'Every export: what, as of which row of the ledger, for whom and why. Append-only';
COMMENT ON COLUMN export_log.head_no IS 'The newest row of the ledger when it was made; ledger_no is the row it shows';
COMMENT ON COLUMN export_log.manifest IS 'SHA-256 of manifest.json';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['check_run', 'check_found', 'mend', 'night', 'night_rate', 'night_pay', 'export_log'] LOOP
		EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW '
			'EXECUTE FUNCTION refuse_change()', t);
		EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
			'EXECUTE FUNCTION refuse_change()', t);
		EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
		EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER no_truncate', t);
	END LOOP;
END
$$;

GRANT SELECT, INSERT ON check_run, check_found, night, night_rate, night_pay, export_log TO hf_reconcile;
GRANT SELECT ON mend TO hf_reconcile;
GRANT SELECT ON check_run, check_found, mend, night, night_rate, export_log TO hf_read;

-- v_figure as it stood when the ledger had `upto_no` rows. Owners are today's, or those of the freeze. A case
-- that moved after `upto_at` counts as neither withdrawn nor registered: where it was then is not kept.
CREATE FUNCTION figures_then(of_campaign text, upto_no bigint, upto_at bigint)
RETURNS TABLE (case_ref bytea, owner text, team text, lane text, attempts bigint, contacts bigint, seconds bigint, last_outcome text,
	withdrawn boolean, registered boolean, unreachable boolean, admitted boolean)
LANGUAGE sql STABLE AS $$
	SELECT s.case_ref, CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END, p.team, s.lane, coalesce(a.attempts, 0), coalesce(a.contacts, 0), coalesce(a.seconds, 0)::bigint, l.outcome,
		o.withdrawn, s.changed_at <= upto_at AND s.lane = 'terminal' AND s.why = 'registered'
			AND (f.campaign IS NULL OR z.case_ref IS NOT NULL),
		coalesce(a.attempts >= 3 AND a.dayparts >= 2 AND a.contacts = 0, false),
		CASE WHEN f.campaign IS NULL THEN NOT o.withdrawn ELSE z.case_ref IS NOT NULL END
	FROM hf.case_state s
	LEFT JOIN hf.v_freeze f ON f.campaign = s.campaign AND f.no <= upto_no
	LEFT JOIN hf.v_frozen_case z ON f.campaign IS NOT NULL AND z.campaign = s.campaign AND z.case_ref = s.case_ref
	LEFT JOIN hf.person p ON p.campaign = s.campaign
		AND p.person = CASE WHEN z.case_ref IS NULL THEN s.owner ELSE z.owner END
	LEFT JOIN LATERAL (
		SELECT count(*) AS attempts,
			count(*) FILTER (WHERE spoke IN ('self', 'father', 'mother', 'parent', 'guardian')) AS contacts,
			sum(coalesce(c.seconds, 0)) AS seconds,
			count(DISTINCT width_bucket((campaign_at / 60000 + 480) % 1440, ARRAY[720, 780, 1050])) AS dayparts
		FROM hf.v_contact c WHERE c.campaign = s.campaign AND c.case_ref = s.case_ref AND c.no <= upto_no) a ON true
	LEFT JOIN LATERAL (
		SELECT e.outcome FROM hf.ledger e
		WHERE e.campaign = s.campaign AND e.case_ref = s.case_ref AND e.outcome IS NOT NULL AND e.verdict = 0
			AND e.flaw IS NULL AND e.no <= upto_no
		ORDER BY e.no DESC LIMIT 1) l ON true
	LEFT JOIN hf.v_signed w ON w.campaign = s.campaign AND w.case_ref = s.case_ref
	CROSS JOIN LATERAL (SELECT s.changed_at <= upto_at AND s.lane = 'terminal' AND s.why <> 'registered'
		AND (coalesce(l.outcome IN ('withdrawn', 'papers-received'), false) OR coalesce(w.signers >= 2, false))
		AS withdrawn) o
	WHERE s.campaign = of_campaign AND coalesce(s.created_at, 0) <= upto_at
$$;
COMMENT ON FUNCTION figures_then IS 'The counts of v_figure for a night that is made up for';

-- What PostgreSQL alone can say: sums, chains, and who waits too long. now_at: campaign ms.
CREATE FUNCTION night_findings(of_campaign text, now_at bigint)
RETURNS TABLE (level text, kind text, case_ref bytea, here text, there text)
LANGUAGE sql STABLE AS $$
	WITH census AS (
		SELECT * FROM hf.v_census WHERE campaign = of_campaign
	), committed AS (
		SELECT coalesce(sum(rows), 0) AS most, coalesce(max(rows), 0) AS least FROM hf.ledger
		WHERE campaign = of_campaign AND kind = 15 AND verdict = 0 AND flaw IS NULL AND what IS NULL
	), cases AS (
		SELECT c.case_ref, c.lane, c.held, now_at - c.changed_at AS still, now_at - c.due AS late FROM hf.case_state c
		WHERE c.campaign = of_campaign
	), waits AS (
		SELECT 'stuck' AS kind, c.case_ref, c.lane || ' ' || c.still / 60000 AS here, 10 AS minutes, c.still AS ms
			FROM cases c WHERE NOT held AND lane = 'triage'
		UNION ALL SELECT 'held-long', c.case_ref, c.lane || ' ' || c.still / 60000, 120, c.still FROM cases c WHERE held
		UNION ALL SELECT 'doubt', c.case_ref, c.lane || ' ' || c.still / 60000, 60, c.still
			FROM cases c WHERE NOT held AND lane = 'doubt'
		UNION ALL SELECT 'parked', c.case_ref, c.lane || ' ' || c.still / 60000, 0, c.still
			FROM cases c WHERE NOT held AND lane = 'parked'
		UNION ALL SELECT 'leader-late', c.case_ref, c.lane || ' ' || c.still / 60000, 1440, c.still
			FROM cases c WHERE NOT held AND lane LIKE 'team:%'
		UNION ALL SELECT 'strike-late', c.case_ref, c.lane || ' ' || c.still / 60000, 1440, c.still
			FROM cases c WHERE NOT held AND lane = 'strike'
		UNION ALL SELECT 'papers-late', c.case_ref, c.lane || ' ' || c.still / 60000, 2880, c.still
			FROM cases c WHERE NOT held AND lane = 'papers'
		UNION ALL SELECT 'owner-late', c.case_ref, c.lane || ' ' || c.late / 60000, 2880, c.late
			FROM cases c WHERE NOT held AND lane LIKE 'own:%'
	), late AS (
		SELECT w.*, row_number() OVER (PARTITION BY w.kind ORDER BY w.ms DESC, w.case_ref) AS r FROM waits w
		WHERE w.ms > w.minutes * 60000
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
	SELECT 'difference', 'ledger-gap', NULL, count(*)::text, k.ledger_no::text
		FROM hf.campaign k LEFT JOIN hf.ledger e ON e.campaign = k.campaign
		WHERE k.campaign = of_campaign GROUP BY k.ledger_no
		HAVING count(e.no) <> k.ledger_no OR coalesce(max(e.no), 0) <> k.ledger_no
	UNION ALL
	SELECT 'difference', 'outbox-gap', NULL, encode(o.ob, 'hex') || ' ' || count(e.seq), o.recorded_upto::text
		FROM hf.outbox o LEFT JOIN hf.ledger e ON e.campaign = o.campaign AND e.ob = o.ob
		WHERE o.campaign = of_campaign GROUP BY o.ob, o.recorded_upto
		HAVING count(e.seq) <> o.recorded_upto OR coalesce(max(e.seq), 0) <> o.recorded_upto
	UNION ALL
	SELECT 'notice', l.kind, l.case_ref, l.here, (l.minutes)::text FROM late l WHERE l.r <= 100
$$;
COMMENT ON FUNCTION night_findings IS 'here and there of a notice: lane and minutes that it waits, and how many are allowed';

-- A case_state row is a fold of the log. Where the recorder has read all of the log, and Redis is not older, what
-- Redis says is what the fold should have given: it may be put right. Nothing else may.
CREATE FUNCTION mend_case(of_campaign text, of_case bytea, seen_version bigint, seen_no bigint, to_version bigint,
	to_owner text, to_hand text, to_lane text, to_due bigint, to_token bigint, to_given bigint, to_flags text,
	to_held boolean, to_ob bytea, to_law_at text, to_why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hf, pg_temp AS $$
DECLARE
	was case_state;
	is_now case_state;
BEGIN
	SELECT * INTO was FROM case_state WHERE campaign = of_campaign AND case_ref = of_case
		AND version = seen_version AND log_no = seen_no AND version <= to_version FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE case_state SET version = to_version, owner = to_owner, hand = to_hand, lane = to_lane, due = to_due,
		token = to_token, given = to_given, flags = to_flags, held = to_held, ob = to_ob, law_at = to_law_at, why = to_why
		WHERE campaign = of_campaign AND case_ref = of_case RETURNING * INTO is_now;
	INSERT INTO mend (campaign, case_ref, rule, before, after) VALUES (of_campaign, of_case, 'case_state from Redis',
		to_jsonb(was) - 'blob' - 'task', to_jsonb(is_now) - 'blob' - 'task');
	RETURN true;
END
$$;
COMMENT ON FUNCTION mend_case IS 'Puts one row of case_state right, if it is still as it was seen and not newer; false when not';

CREATE VIEW v_night WITH (security_barrier) AS
	SELECT DISTINCT ON (r.campaign) r.campaign, r.night, r.ended_at, r.ledger_no, r.differences, r.notices, r.mended,
		(extract(epoch FROM r.ended_at) * 1000)::bigint AS ended_ms,
		(SELECT records FROM night n WHERE n.campaign = r.campaign AND n.night = r.night) AS records
	FROM check_run r ORDER BY r.campaign, r.run DESC;
COMMENT ON VIEW v_night IS 'The newest run of each campaign';

CREATE OR REPLACE VIEW v_problem WITH (security_barrier) AS
	SELECT campaign, 'flaw' AS what, flaw AS why, ob, seq, log_epoch, log_no, noted_at FROM quarantine
	UNION ALL
	SELECT campaign, 'equivocation', 'equivocation', ob, seq, log_epoch, log_no, noted_at FROM equivocation
	UNION ALL
	SELECT campaign, 'quarantined', coalesce(why, '-'), ob, seq, log_epoch, log_no, ms(wall_at) FROM ledger
		WHERE verdict = 2 AND flaw IS NULL
	UNION ALL
	SELECT f.campaign, 'night', f.level || ' ' || f.kind, NULL, NULL, NULL, f.n, r.ended_at
		FROM check_found f JOIN check_run r USING (campaign, run)
		WHERE NOT f.mended AND f.run = (SELECT max(m.run) FROM check_run m WHERE m.campaign = f.campaign);
COMMENT ON VIEW v_problem IS
	'What a person must look at, without the bytes: what the recorder found, what the broker quarantined, and (night) what the newest reconciliation found';

GRANT SELECT ON v_night, v_signed TO hf_dash, hf_reconcile, hf_read;
GRANT EXECUTE ON FUNCTION figures_then, night_findings, mend_case TO hf_reconcile;
