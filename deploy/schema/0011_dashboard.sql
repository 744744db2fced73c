-- What the operators' page counts beside v_counts: staff, hands, outboxes, nights and exports, and two indexes that
-- keep "the last half hour" cheap however long the ledger is. Counts and ids only.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE INDEX ledger_wall ON ledger USING brin (wall_at) WITH (pages_per_range = 16);
CREATE INDEX lease_log_granted ON lease_log USING brin (granted_at) WITH (pages_per_range = 16);

CREATE VIEW v_staff WITH (security_barrier) AS
	SELECT campaign, person, team, roles, qualified FROM person WHERE active;
COMMENT ON VIEW v_staff IS 'Who may act, without keys';

CREATE VIEW v_lease WITH (security_barrier) AS
	SELECT campaign, person, pulled, split_part(from_lane, ':', 1) AS from_lane, granted_at, ended_at, ended_how
	FROM lease_log;
COMMENT ON VIEW v_lease IS 'Leases by person, without the cases; from_lane: the lane''s kind. Times: campaign ms';

CREATE VIEW v_outboxes WITH (security_barrier) AS
	SELECT campaign, count(*) AS outboxes, count(*) FILTER (WHERE frozen) AS frozen,
		coalesce(sum(recorded_upto), 0)::bigint AS recorded,
		coalesce(sum(recorded_upto - released_upto), 0)::bigint AS unreleased
	FROM outbox GROUP BY campaign;
COMMENT ON VIEW v_outboxes IS 'Outboxes added up; unreleased: records that wait for the archive';

CREATE VIEW v_nights WITH (security_barrier) AS
	SELECT n.campaign, n.night, n.late, n.records, n.ledger_no,
		(extract(epoch FROM r.ended_at) * 1000)::bigint AS ended_ms,
		(extract(epoch FROM r.ended_at - r.began_at) * 1000)::bigint AS took_ms,
		r.imported, r.differences, r.notices, r.mended, r.archive_segment
	FROM night n JOIN check_run r USING (campaign, run);
COMMENT ON VIEW v_nights IS 'Each night with the run that made it';

CREATE VIEW v_exports WITH (security_barrier) AS
	SELECT campaign, n, kind, row_count, ledger_no, masked, manifest,
		(extract(epoch FROM made_at) * 1000)::bigint AS made_ms
	FROM export_log;
COMMENT ON VIEW v_exports IS 'Exports with their rows and the hash of their manifest, without purpose and persons';

GRANT SELECT ON v_staff, v_lease, v_outboxes, v_nights, v_exports TO hf_dash, hf_reconcile, hf_read;
