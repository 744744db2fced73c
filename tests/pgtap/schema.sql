-- The schema: what is there, who may do what, what can never change.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

SELECT has_table('hf', t, 'table ' || t) FROM unnest(ARRAY['campaign', 'epoch', 'agent', 'person', 'outbox', 'ledger', 'equivocation',
	'quarantine', 'case_state', 'lease_log', 'cursor', 'check_run', 'check_found', 'mend', 'night', 'night_rate', 'night_pay',
	'export_log', 'log_tail', 'kept', 'case_index', 'case_count', 'case_counted', 'migration']) t;
SELECT has_view('hf', v, 'view ' || v) FROM unnest(ARRAY['v_lane_counts', 'v_census', 'v_case', 'v_contact', 'v_recorder', 'v_problem',
	'v_figure', 'v_counts', 'v_decision', 'v_commit', 'v_listed', 'v_listed_unknown', 'v_freeze', 'v_frozen_case', 'v_signed',
	'v_finding', 'v_dispute', 'v_pay_finding', 'v_undecided', 'v_closed', 'v_pay_moved', 'v_night', 'v_uncounted',
	'v_recounted', 'v_list_difference']) v;
SELECT has_role(r::name) FROM unnest(ARRAY['hf_owner', 'hf_migrate', 'hf_recorder', 'hf_dash', 'hf_reconcile', 'hf_read']) r;
SELECT isnt_superuser(r::name, r || ' is no superuser') FROM unnest(ARRAY['hf_owner', 'hf_recorder', 'hf_dash', 'hf_reconcile', 'hf_read']) r;

SELECT col_is_pk('hf', 'ledger', ARRAY['campaign', 'ob', 'seq'], 'a record is in the ledger once');
SELECT col_is_unique('hf', 'ledger', ARRAY['campaign', 'no'], 'a ledger number is given once');
SELECT col_is_pk('hf', 'case_state', ARRAY['campaign', 'case_ref'], 'a case has one state');
SELECT col_is_pk('hf', 'night', ARRAY['campaign', 'night'], 'a night is kept once');
SELECT col_is_pk('hf', 'lease_log', ARRAY['campaign', 'case_ref', 'token'], 'a token is granted once');
SELECT has_index('hf', 'ledger', 'ledger_by_case', 'records of a case are found');
SELECT is_empty($$SELECT table_name FROM information_schema.columns c WHERE table_schema = 'hf'
	AND data_type IN ('real', 'double precision', 'money')$$, 'no column holds a floating point number');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'hf'::regnamespace AND relkind = 'v'
	AND NOT coalesce(reloptions::text LIKE '%security_barrier=true%', false)$$, 'every view is a security barrier');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'hf'::regnamespace AND relkind IN ('r', 'v')
	AND pg_get_userbyid(relowner) <> 'hf_owner' AND relname <> 'migration'$$, 'hf_owner owns it all');

-- Who may do what.
SELECT table_privs_are('hf', 'ledger', 'hf_dash', ARRAY[]::text[], 'the dashboard cannot read the ledger itself');
SELECT table_privs_are('hf', 'case_state', 'hf_dash', ARRAY[]::text[], 'nor tasks, which are sealed');
SELECT table_privs_are('hf', 'ledger', 'hf_reconcile', ARRAY['SELECT'], 'reconciliation reads the ledger and no more');
SELECT table_privs_are('hf', 'ledger', 'hf_recorder', ARRAY['SELECT', 'INSERT'], 'the recorder only adds');
SELECT table_privs_are('hf', 'ledger', 'hf_read', ARRAY['SELECT'], 'readers read');
SELECT table_privs_are('hf', 'case_count', 'hf_reconcile', ARRAY['SELECT'], 'counts are folded by fold_cases alone');
SELECT table_privs_are('hf', t, 'hf_reconcile', ARRAY['SELECT', 'INSERT'], t || ' is only added to')
	FROM unnest(ARRAY['check_run', 'check_found', 'night', 'night_rate', 'night_pay', 'export_log']) t;
SELECT table_privs_are('hf', v, 'hf_dash', ARRAY['SELECT'], 'the dashboard reads ' || v)
	FROM unnest(ARRAY['v_figure', 'v_counts', 'v_census', 'v_problem', 'v_night']) v;
SELECT function_privs_are('hf', 'mend_case', ARRAY['text', 'bytea', 'bigint', 'bigint', 'bigint', 'text', 'text', 'text', 'bigint',
	'bigint', 'bigint', 'text', 'boolean', 'bytea', 'text', 'text'], 'hf_reconcile', ARRAY['EXECUTE'], 'mends by rule');
SELECT function_privs_are('hf', f, ARRAY['text'], 'hf_dash', ARRAY[]::text[], f || ' is not for the dashboard')
	FROM unnest(ARRAY['fold_cases', 'recount_cases']) f;
SELECT schema_privs_are('public', 'hf_read', ARRAY[]::text[], 'nobody has rights on public');

-- What never changes.
INSERT INTO hf.campaign (campaign) VALUES ('tap');
INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, log_epoch, log_no, opseq, campaign_at, wall_at)
VALUES ('tap', 1, decode(repeat('01', 16), 'hex'), 1, decode(repeat('02', 32), 'hex'), decode(repeat('00', 32), 'hex'), '', '', '', '',
	0, 1, 1, 1, 0, 0);
INSERT INTO hf.check_run (campaign, run, night, began_at, campaign_at, host, ledger_no, imported, leases, behind, differences, notices,
	mended) VALUES ('tap', 1, '2026-03-09', now(), 0, 'h', 1, 0, 0, 0, 0, 0, 0);
INSERT INTO hf.night VALUES ('tap', '2026-03-09', 1, false, 0, 1, 1);
INSERT INTO hf.lease_log (campaign, case_ref, token, person, ob) VALUES ('tap', decode(repeat('03', 16), 'hex'), 1, 'p01',
	decode(repeat('01', 16), 'hex'));
SELECT throws_like(format('UPDATE hf.%I SET campaign = campaign', t), '%append-only%', t || ' refuses UPDATE')
	FROM unnest(ARRAY['ledger', 'check_run', 'night']) t;
SELECT throws_like(format('DELETE FROM hf.%I', t), '%append-only%', t || ' refuses DELETE')
	FROM unnest(ARRAY['ledger', 'check_run', 'night']) t;
SELECT throws_like(format('TRUNCATE hf.%I CASCADE', t), '%append-only%', t || ' refuses TRUNCATE')
	FROM unnest(ARRAY['ledger', 'equivocation', 'quarantine', 'check_run', 'check_found', 'mend', 'night', 'night_rate', 'night_pay',
		'export_log']) t;
SELECT is_empty($$SELECT tgname FROM pg_trigger WHERE tgname IN ('append_only', 'no_truncate', 'end_once') AND tgenabled <> 'A'$$,
	'these triggers fire for replication sessions too');
SELECT throws_like('UPDATE hf.lease_log SET person = ''p02''', '%lease_log%', 'a lease keeps its person');
SELECT lives_ok('UPDATE hf.lease_log SET ended_how = ''record'' WHERE campaign = ''tap''', 'its end is written');
SELECT throws_like('UPDATE hf.lease_log SET ended_how = ''expire''', '%lease_log%', 'once');
SELECT throws_ok($$INSERT INTO hf.ledger SELECT * FROM hf.ledger WHERE campaign = 'tap'$$, '23505', NULL, 'no record twice');
SELECT throws_ok($$INSERT INTO hf.campaign (campaign) VALUES ('Not A Name')$$, '23514', NULL, 'a campaign has a plain name');
SELECT throws_ok($$INSERT INTO hf.export_log (campaign, n, kind, ledger_no, head_no, masked, purpose, first_person, second_person,
	row_count, manifest, by_user) VALUES ('tap', 1, 'cases', 1, 1, false, 'x', 'p01', 'p01', 0, repeat('0', 64), 'u')$$, '23514', NULL,
	'unmasked needs two persons');
SELECT * FROM finish();
ROLLBACK;
