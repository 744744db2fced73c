-- The views over a small ledger: who counts, what holds, what does not; and each boundary of the law of pay in SQL.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();
SET LOCAL search_path = hf, public, pg_temp;

INSERT INTO campaign (campaign) VALUES ('tap');
INSERT INTO person (campaign, person, roles, team, qualified, active, log_epoch, log_no)
VALUES ('tap', 'p01', 3, 't1', true, true, 1, 1), ('tap', 'p02', 1, 't1', true, true, 1, 1), ('tap', 'h01', 8, NULL, true, true, 1, 1),
	('tap', 'h02', 8, NULL, true, true, 1, 1);
CREATE FUNCTION pg_temp.ref(i int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT decode(md5('case ' || i), 'hex') $$;
INSERT INTO case_state (campaign, case_ref, version, owner, lane, due, token, given, flags, held, law_at, why, created_at, changed_at,
	log_epoch, log_no)
SELECT 'tap', pg_temp.ref(i), 1, CASE WHEN i < 6 THEN 'p01' ELSE 'p02' END, CASE WHEN i IN (1, 2) THEN 'terminal' ELSE 'resting' END, 0, i, 1,
	'', false, '0-0', CASE i WHEN 1 THEN 'registered' ELSE 'again' END, 0, 0, 1, i FROM generate_series(1, 8) i;

CREATE SEQUENCE pg_temp.said;
CREATE FUNCTION pg_temp.say(of_case int, by_person text, of_outcome text, spoken text, at bigint, v int DEFAULT 0,
	f text DEFAULT NULL, k int DEFAULT 1, of_what text DEFAULT NULL, ref bigint DEFAULT NULL, rule text DEFAULT NULL,
	about text DEFAULT NULL, n bigint DEFAULT NULL, list bytea DEFAULT NULL, imp bytea DEFAULT NULL, of_rows bigint DEFAULT NULL,
	on_list bigint DEFAULT NULL, six bigint DEFAULT NULL, stg bigint DEFAULT NULL, opens bigint DEFAULT NULL,
	role bigint DEFAULT NULL, in_team text DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, flaw, kind, person, case_ref, outcome, spoke,
		seconds, what, ref_ob, ref_seq, ruling, subject, count, cases, import, rows, valid, items, n, open, roles, team, log_epoch, log_no, opseq, campaign_at,
		wall_at)
	SELECT 'tap', x, decode(repeat('01', 16), 'hex'), x, sha256(int8send(x)), sha256(''), '', '', '', '', v, f, k, by_person,
		CASE WHEN of_case > 0 THEN pg_temp.ref(of_case) END, of_outcome, spoken, CASE WHEN k = 1 THEN 10 END, of_what,
		CASE WHEN ref IS NOT NULL THEN decode(repeat('01', 16), 'hex') END, ref, rule, about, n, list, imp, of_rows, on_list, six, stg, opens, role, in_team,
		1, x, x, at, at FROM nextval('pg_temp.said') x;
	UPDATE hf.campaign SET ledger_no = currval('pg_temp.said') WHERE campaign = 'tap';
	SELECT currval('pg_temp.said')
$$;
CREATE FUNCTION pg_temp.at(hours numeric) RETURNS bigint LANGUAGE sql AS $$ SELECT (1773018000000 + hours * 3600000)::bigint $$; -- after 9:00

CREATE TEMP TABLE sink AS
SELECT pg_temp.say(1, 'p01', 'confirmed', 'self', pg_temp.at(0)) UNION ALL
SELECT pg_temp.say(2, 'p01', 'withdrawn', 'father', pg_temp.at(0)) UNION ALL
SELECT pg_temp.say(3, 'p01', 'no-answer', NULL, pg_temp.at(0)) UNION ALL
SELECT pg_temp.say(3, 'p01', 'no-answer', NULL, pg_temp.at(1)) UNION ALL
SELECT pg_temp.say(3, 'p01', 'no-answer', NULL, pg_temp.at(2.99)) UNION ALL -- 11:59, all in the morning
SELECT pg_temp.say(4, 'p01', 'no-answer', NULL, pg_temp.at(0)) UNION ALL
SELECT pg_temp.say(4, 'p01', 'no-answer', NULL, pg_temp.at(1)) UNION ALL
SELECT pg_temp.say(4, 'p01', 'no-answer', NULL, pg_temp.at(3)) UNION ALL -- 12:00, the next daypart
SELECT pg_temp.say(5, 'p01', 'confirmed', 'self', pg_temp.at(0)) UNION ALL
SELECT pg_temp.say(5, 'p01', 'considering', 'self', pg_temp.at(1), 1) UNION ALL -- late: counts as said, is not the last word
SELECT pg_temp.say(6, 'p02', 'confirmed', 'self', pg_temp.at(0), 2) UNION ALL -- quarantined
SELECT pg_temp.say(7, 'p02', 'confirmed', 'self', pg_temp.at(0), 0, 'signature') UNION ALL -- with a flaw
SELECT pg_temp.say(8, 'p02', 'confirmed', 'friend', pg_temp.at(0)); -- reached somebody else

PREPARE figures AS SELECT i, attempts, contacts, last_outcome, withdrawn, registered, unreachable, admitted FROM v_figure
	JOIN generate_series(1, 8) i ON case_ref = pg_temp.ref(i) WHERE campaign = 'tap' ORDER BY i;
PREPARE wanted AS VALUES (1, 1::bigint, 1::bigint, 'confirmed', false, true, false, true), (2, 1, 1, 'withdrawn', true, false, false, false),
	(3, 3, 0, 'no-answer', false, false, false, true), (4, 3, 0, 'no-answer', false, false, true, true),
	(5, 2, 2, 'confirmed', false, false, false, true), (6, 0, 0, NULL, false, false, false, true),
	(7, 0, 0, NULL, false, false, false, true), (8, 1, 0, 'confirmed', false, false, false, true);
SELECT results_eq('figures', 'wanted', 'v_figure before any fold');
SELECT is(fold_cases('tap'), 13::bigint, 'the fold takes all rows');
SELECT results_eq('figures', 'wanted', 'v_figure after the fold');
SELECT is_empty('SELECT * FROM v_uncounted WHERE campaign = ''tap''', 'nothing is left to count');
SELECT is(recount_cases('tap'), 0::bigint, 'and it is what a recount says');
SELECT is(fold_cases('tap'), 0::bigint, 'a second fold takes nothing');
INSERT INTO sink SELECT pg_temp.say(3, 'p01', 'confirmed', 'mother', pg_temp.at(9));
SELECT results_eq('SELECT attempts, contacts, last_outcome, unreachable FROM v_figure WHERE campaign = ''tap'' AND case_ref = pg_temp.ref(3)',
	$$VALUES (4::bigint, 1::bigint, 'confirmed', false)$$, 'what is newer than the fold counts at once');
SELECT is(fold_cases('tap'), 1::bigint, 'the next fold takes one');
SELECT is(recount_cases('tap'), 0::bigint, 'and is right again');
SELECT results_eq('SELECT owner, cases, attempted, admitted, registered, withdrawn FROM v_counts WHERE campaign = ''tap'' ORDER BY owner',
	$$VALUES ('p01', 5::bigint, 5::bigint, 4::bigint, 1::bigint, 1::bigint), ('p02', 3, 1, 3, 0, 0)$$, 'v_counts adds it up');
SELECT results_eq('SELECT count(*) FROM v_contact WHERE campaign = ''tap''', 'VALUES (12::bigint)', 'v_contact: what counts');
SELECT results_eq('SELECT what, count(*) FROM v_problem WHERE campaign = ''tap'' GROUP BY what', $$VALUES ('quarantined', 1::bigint)$$,
	'v_problem names what was quarantined');

-- Stages: cut where one is opened; a pass belongs to stage 2, and what opens a stage ends it.
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 8, stg => 2, opens => 1);
INSERT INTO sink SELECT pg_temp.say(7, 'p02', 'no-answer', NULL, pg_temp.at(24));
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 9, stg => 1, opens => 1);
INSERT INTO sink SELECT pg_temp.say(7, 'p02', 'considering', 'mother', pg_temp.at(25));
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 9, stg => 1, opens => 0);
INSERT INTO sink SELECT pg_temp.say(8, 'p02', 'confirmed', 'self', pg_temp.at(26)); -- closed and the next not open yet
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 9, stg => 2, opens => 1);
INSERT INTO sink SELECT pg_temp.say(7, 'p02', 'confirmed', 'self', pg_temp.at(27));
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, 2, k => 8, stg => 4, opens => 1); -- quarantined
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 8, stg => 3, opens => 1);
INSERT INTO sink SELECT pg_temp.say(1, 'p01', 'following', 'self', pg_temp.at(28));
SELECT results_eq('SELECT stage, pass, count(*), sum(attempts)::bigint, sum(contacts)::bigint, count(*) FILTER (WHERE last_outcome '
	'= ''confirmed''), count(*) FILTER (WHERE registered) FROM v_stage_figure WHERE campaign = ''tap'' GROUP BY stage, pass ORDER BY 1, 2',
	$$VALUES (0::bigint, 0::bigint, 6::bigint, 12::bigint, 5::bigint, 4::bigint, 1::bigint), (2, 0, 2, 4, 3, 2, 0), (2, 1, 2, 2, 2, 1, 0),
	(2, 2, 1, 1, 1, 1, 0), (3, 0, 1, 1, 1, 0, 1)$$, 'v_stage_figure: a case in every stage and pass in which it was called');
SELECT results_eq('SELECT pass, last_outcome FROM v_stage_figure WHERE campaign = ''tap'' AND stage = 2 AND case_ref = pg_temp.ref(7) ORDER BY 1',
	$$VALUES (0::bigint, 'confirmed'), (1, 'considering'), (2, 'confirmed')$$, 'with the last word of each');

-- Findings: one person says, another decides; lifted the same way.
CREATE TEMP TABLE f AS SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 6, of_what => 'deduction', about => 'p02', n => 20) AS no;
SELECT is_empty('SELECT * FROM v_pay_finding WHERE campaign = ''tap''', 'a finding alone does nothing');
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 31, ref => (SELECT no FROM f), rule => 'give');
SELECT is_empty('SELECT * FROM v_pay_finding WHERE campaign = ''tap''', 'nor does a decision of the same person');
SELECT results_eq('SELECT what FROM v_undecided WHERE campaign = ''tap''', $$VALUES ('deduction')$$, 'it waits for a head');
INSERT INTO sink SELECT pg_temp.say(0, 'h02', NULL, NULL, 0, k => 31, ref => (SELECT no FROM f), rule => 'give');
INSERT INTO sink SELECT pg_temp.say(0, 'h02', NULL, NULL, 0, k => 31, ref => (SELECT no FROM f), rule => 'refuse');
SELECT results_eq('SELECT person, deduction FROM v_pay_finding WHERE campaign = ''tap''', $$VALUES ('p02', 20::bigint)$$,
	'the first decision of another holds');
CREATE TEMP TABLE l AS SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 6, of_what => 'lifted', about => 'p02', ref => (SELECT no FROM f)) AS no;
INSERT INTO sink SELECT pg_temp.say(0, 'h02', NULL, NULL, 0, k => 31, ref => (SELECT no FROM l), rule => 'give');
SELECT is_empty('SELECT * FROM v_pay_finding WHERE campaign = ''tap''', 'until it is lifted');

-- Lists: whole or not at all; the newest row of a case holds.
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 14, of_what => 'payments', list => pg_temp.ref(1) || pg_temp.ref(2),
	imp => '\x01', on_list => 1);
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 15, of_what => 'payments', imp => '\x01', of_rows => 3);
SELECT is_empty('SELECT * FROM v_listed WHERE campaign = ''tap''', 'a list that came in part does not count');
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 15, of_what => 'payments', imp => '\x01', of_rows => 2);
SELECT is((SELECT count(*) FROM v_figure WHERE campaign = 'tap' AND paid), 2::bigint, 'a whole one does');
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 14, of_what => 'payments', list => pg_temp.ref(2), imp => '\x02', on_list => 0);
INSERT INTO sink SELECT pg_temp.say(0, 'h01', NULL, NULL, 0, k => 15, of_what => 'payments', imp => '\x02', of_rows => 1);
SELECT results_eq('SELECT case_ref FROM v_figure WHERE campaign = ''tap'' AND paid', 'SELECT pg_temp.ref(1)', 'a later row takes it back');

-- Pay: at each boundary one in a thousand below, exactly, and above; then the same with the other readings.
CREATE FUNCTION pg_temp.tier(r bigint, a bigint, reading text) RETURNS bigint LANGUAGE sql AS $$
	SELECT standard FROM hf.pay_of(r, a, a, 0, false, false, false, 0, q1 => reading, q3 => 'off') $$;
SELECT is(pg_temp.tier(b.at * 10 - 1, 1000, 'literal'), b.under::bigint, b.at || ' % less one'), is(pg_temp.tier(b.at * 10, 1000, 'literal'), b.exact::bigint, b.at || ' %'),
	is(pg_temp.tier(b.at * 10 + 1, 1000, 'literal'), b.over::bigint, b.at || ' % and one')
FROM (VALUES (92, 0, 5500, 5500), (93, 5500, 5500, 6000), (94, 6000, 6000, 6500), (95, 6500, 6500, 7000), (96, 7000, 7000, 7500),
	(97, 7500, 7500, 8000), (98, 8000, 8000, 8500), (99, 8500, 10000, 10000)) b (at, under, exact, over);
SELECT is(pg_temp.tier(1000, 1000, 'literal'), 10000::bigint, '100 %');
SELECT is(pg_temp.tier(990, 1000, 'strict'), 8500::bigint, '99 % read strictly'), is(pg_temp.tier(920, 1000, 'strict'), 0::bigint, '92 % read strictly'),
	is(pg_temp.tier(930, 1000, 'inclusive'), 6000::bigint, '93 % read inclusively');
-- With steps there is no jump but at 92 and 99.
SELECT is((SELECT standard FROM pay_of(b.at * 10, 1000, 1000, 0, false, false, false, 0)), b.fen::bigint, b.at || ' % with steps')
FROM (VALUES (92, 5500), (93, 6000), (94, 6500), (95, 7000), (96, 7500), (97, 8000), (98, 8500), (99, 10000), (100, 10500)) b (at, fen);
-- Where binary floating point gives one step less.
SELECT is((SELECT standard FROM pay_of(t.r, t.a, t.a, 0, false, false, false, 0)), t.fen::bigint, t.r || '/' || t.a)
FROM (VALUES (47, 50, 6500), (94, 100, 6500), (141, 150, 6500), (118, 125, 6700)) t (r, a, fen);
SELECT is((SELECT amount FROM pay_of(95, 96, 96, 0, false, false, false, 0)), 850250::bigint, '95/96 is not 99.0 %');
SELECT is((SELECT standard FROM pay_of(930, 1000, c, 800, true, false, false, 0, q3 => 'auto')), s, c || ' called of 800')
FROM (VALUES (799::bigint, 5500::bigint), (800, 6000), (801, 6000)) n (c, s);
SELECT is(pay_bonus(ARRAY[r], ARRAY[1000::bigint]), b, 'a team at ' || r || ' of 1000')
FROM (VALUES (929::bigint, 0::bigint), (930, 100000), (949, 100000), (950, 150000), (1000, 150000)) t (r, b);
SELECT is(pay_cut(fen, h, d, 'payable'), w, 'cut of ' || fen || ' ' || h || ' ' || d)
FROM (VALUES (1::bigint, true, 0::bigint, 1::bigint), (3, true, 0, 2), (100, false, 100, 0), (149, false, 1, 148), (50, false, 1, 50),
	(51, false, 1, 50), (0, true, 50, 0)) c (fen, h, d, w);
-- The past: as of row 13 the figures are those of the beginning, whatever was said since; those of the newest row are v_figure.
SELECT results_eq('SELECT i, attempts, contacts, last_outcome, withdrawn, registered, unreachable, admitted FROM '
	'figures_at(''tap'', 13, 9000000000000, pg_temp.ref(1)) JOIN generate_series(1, 8) i ON case_ref = pg_temp.ref(i) ORDER BY i',
	'wanted', 'figures_at row 13');
SELECT results_eq('SELECT case_ref, owner, attempts, contacts, last_outcome, withdrawn, registered, unreachable, admitted, paid FROM '
	'figures_at(''tap'', (SELECT ledger_no FROM campaign WHERE campaign = ''tap''), 9000000000000, pg_temp.ref(1)) ORDER BY 1',
	'SELECT case_ref, owner, attempts, contacts, last_outcome, withdrawn, registered, unreachable, admitted, paid FROM v_figure '
	'WHERE campaign = ''tap'' ORDER BY 1', 'figures_at the newest row is v_figure');
SELECT results_eq('SELECT (c.*)::text FROM counts_at(''tap'', (SELECT ledger_no FROM campaign WHERE campaign = ''tap''), 9000000000000, '
	'pg_temp.ref(1)) c ORDER BY 1', 'SELECT (c.*)::text FROM v_counts c WHERE campaign = ''tap'' ORDER BY 1', 'counts_at is v_counts');
SELECT is_empty('SELECT * FROM figures_at(''tap'', 0, 9000000000000, '''') WHERE attempts > 0 OR registered', 'before all of it nothing');
SELECT results_eq('SELECT person, deduction FROM pay_finding_at(''tap'', (SELECT d.decision_no FROM v_decision d JOIN f USING (no) '
	'WHERE d.campaign = ''tap''))', $$VALUES ('p02', 20::bigint)$$, 'a finding was in force');
SELECT is_empty('SELECT * FROM pay_finding_at(''tap'', (SELECT d.decision_no - 1 FROM v_decision d JOIN f USING (no) WHERE d.campaign '
	'= ''tap''))', 'and a row before it not yet');
-- Persons: whom no record names are as now, whom a later one names were not there, a record changes what it says.
SELECT set_eq('SELECT person, roles, team FROM person_at(''tap'', 99999)', 'SELECT person, roles, team FROM person WHERE campaign = ''tap''',
	'person_at without records');
CREATE TEMP TABLE n AS SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 18, about => 'p02', role => 3, in_team => 'tx') AS no;
INSERT INTO sink SELECT pg_temp.say(0, 'd01', NULL, NULL, 0, k => 18, about => 'p02', in_team => 'ty');
SELECT results_eq('SELECT u.at, roles, team FROM n, LATERAL (VALUES (0), (1), (2)) u (at), LATERAL person_at(''tap'', n.no - 1 + u.at) '
	'WHERE person = ''p02'' ORDER BY 1', $$VALUES (0, 0::bigint, NULL::text), (1, 3, 'tx'), (2, 3, 'ty')$$, 'person_at by records');
-- Withdrawn by two signatures, taken back, signed again by one.
INSERT INTO sink SELECT pg_temp.say(6, 'p02', NULL, NULL, 0, k => 4, of_what => 'signed', six => 63);
INSERT INTO sink SELECT pg_temp.say(6, 'h01', NULL, NULL, 0, k => 4, of_what => 'signed', six => 63);
CREATE TEMP TABLE w AS SELECT pg_temp.say(6, 'p02', 'withdraw-cancelled', 'self', pg_temp.at(30)) AS no;
INSERT INTO sink SELECT pg_temp.say(6, 'h01', NULL, NULL, 0, k => 4, of_what => 'signed', six => 63);
SELECT results_eq('SELECT u.d, withdrawn FROM w, LATERAL (VALUES (-2), (-1), (0), (1)) u (d), LATERAL figures_at(''tap'', w.no + u.d, '
	'9000000000000, '''') WHERE case_ref = pg_temp.ref(6) ORDER BY 1', $$VALUES (-2, false), (-1, true), (0, false), (1, false)$$,
	'papers as of each row');
SELECT results_eq('SELECT a.person, a.admitted, a.registered, a.called, a.amount FROM w, LATERAL pay_sheet_at(''tap'', w.no - 1, '
	'9000000000000, pg_temp.ref(1) || pg_temp.ref(6)) a WHERE admitted > 0 ORDER BY 1',
	$$VALUES ('p01', 4::bigint, 1::bigint, 5::bigint, 0::bigint), ('p02', 2, 0, 2, 0)$$,
	'pay_sheet_at counts the same by itself: who withdrew is neither admitted nor registered');
SELECT * FROM finish();
ROLLBACK;
