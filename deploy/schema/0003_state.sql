-- Where things stand: the newest state of each case, who held what, and how far the log was read.
-- All of it is a fold of the log; the ledger is the truth of what was said.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE TABLE case_state (
	campaign text NOT NULL REFERENCES campaign,
	case_ref bytea NOT NULL CHECK (octet_length(case_ref) = 16),
	version bigint NOT NULL,
	owner text,
	hand text,
	lane text NOT NULL,
	due bigint NOT NULL,
	token bigint NOT NULL,
	given bigint NOT NULL,
	flags text NOT NULL,
	held boolean NOT NULL,
	ob bytea,
	law_at text NOT NULL,
	why text NOT NULL,
	blob bytea,
	task bytea,
	no_index bytea,
	imported_by text,
	stage smallint,
	pass smallint,
	created_at bigint,
	changed_at bigint NOT NULL,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	PRIMARY KEY (campaign, case_ref)
);
CREATE INDEX case_state_by_lane ON case_state (campaign, lane);
CREATE INDEX case_state_by_owner ON case_state (campaign, owner) WHERE owner IS NOT NULL;
CREATE INDEX case_state_by_no ON case_state (campaign, no_index) WHERE no_index IS NOT NULL;
COMMENT ON TABLE case_state IS 'The newest state of each case as the log tells it (ARCHITECTURE.md 3.1); task is sealed with the case key';
COMMENT ON COLUMN case_state.lane IS 'Where it is, or, while held, where it came from';
COMMENT ON COLUMN case_state.due IS 'Campaign time, ms; so are created_at and changed_at';
COMMENT ON COLUMN case_state.blob IS 'The law''s memory of the case, opaque here';
COMMENT ON COLUMN case_state.no_index IS 'Keyed index of the 考生号, NULL while unknown';

CREATE TABLE lease_log (
	campaign text NOT NULL REFERENCES campaign,
	case_ref bytea NOT NULL CHECK (octet_length(case_ref) = 16),
	token bigint NOT NULL,
	person text NOT NULL,
	ob bytea NOT NULL,
	pulled boolean,
	from_lane text,
	granted_opseq bigint,
	granted_at bigint,
	ended_opseq bigint,
	ended_at bigint,
	ended_how text,
	PRIMARY KEY (campaign, case_ref, token)
);
CREATE INDEX lease_log_open ON lease_log (campaign, ob) WHERE ended_how IS NULL;
COMMENT ON TABLE lease_log IS
	'Who was given which case under which token, and how that ended. Rows are only added; the end is written once';
COMMENT ON COLUMN lease_log.granted_at IS 'Campaign time, ms; NULL when the grant was lost with an earlier store';
COMMENT ON COLUMN lease_log.ended_how IS 'record, expire <reason>, giveback <reason>; NULL while open, or when a later token made it void';

CREATE FUNCTION lease_log_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = hf, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF OLD.ended_how IS NULL AND NEW.ended_how IS NOT NULL
			AND (NEW.campaign, NEW.case_ref, NEW.token, NEW.person, NEW.ob)
				= (OLD.campaign, OLD.case_ref, OLD.token, OLD.person, OLD.ob)
			AND (NEW.pulled, NEW.from_lane, NEW.granted_opseq, NEW.granted_at)
				IS NOT DISTINCT FROM (OLD.pulled, OLD.from_lane, OLD.granted_opseq, OLD.granted_at)
		THEN
			RETURN NEW;
		END IF;
	END IF;
	RAISE EXCEPTION 'lease_log: % refused, only the end of an open lease may be written', lower(TG_OP)
		USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION lease_log_guard() IS 'Trigger of lease_log: the end of a lease is written once, nothing else changes';
CREATE TRIGGER end_once BEFORE UPDATE OR DELETE ON lease_log
	FOR EACH ROW EXECUTE FUNCTION lease_log_guard();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON lease_log
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE lease_log ENABLE ALWAYS TRIGGER end_once;
ALTER TABLE lease_log ENABLE ALWAYS TRIGGER no_truncate;

CREATE TABLE cursor (
	campaign text NOT NULL REFERENCES campaign,
	reader text NOT NULL,
	epoch bigint NOT NULL,
	no bigint NOT NULL,
	opseq bigint NOT NULL DEFAULT 0,
	campaign_at bigint NOT NULL DEFAULT 0,
	moved_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (campaign, reader)
);
COMMENT ON TABLE cursor IS 'How far each reader has read the log: entries up to epoch-no are done. opseq: the newest seen, a witness against an older queue store';

GRANT SELECT, INSERT, UPDATE ON case_state, lease_log, cursor TO hf_recorder;
GRANT SELECT ON case_state, lease_log, cursor TO hf_reconcile;
GRANT SELECT ON case_state, lease_log, cursor TO hf_read;
