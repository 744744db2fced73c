-- What a lost queue store is filled again with, beyond the ledger and the states: the newest stretch of the log as it
-- lay there, what the router and operators had set, and the keyed indexes of numbers.

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE TABLE log_tail (
	campaign text NOT NULL REFERENCES campaign,
	epoch bigint NOT NULL,
	no bigint NOT NULL,
	raw bytea NOT NULL,
	PRIMARY KEY (campaign, epoch, no)
);
COMMENT ON TABLE log_tail IS
	'Entries of the log up to the recorder''s cursor that the archive does not hold yet, or the router has not done with; written in the transaction of the cursor. raw: fields as netstrings, as in quarantine';

CREATE TABLE kept (
	campaign text NOT NULL REFERENCES campaign,
	what text NOT NULL,
	value bytea NOT NULL,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	said text NOT NULL DEFAULT '',
	PRIMARY KEY (campaign, what)
);
COMMENT ON TABLE kept IS
	'The newest of what is one value a campaign: book, policy, closing (the router''s), pause; newest entry of the log';
COMMENT ON COLUMN kept.said IS 'What the entry said beside the value: the router''s cursor at that time; of pause, 0 or 1 and by whom';

CREATE TABLE case_index (
	campaign text NOT NULL REFERENCES campaign,
	case_ref bytea NOT NULL CHECK (octet_length(case_ref) = 16),
	indexes bytea NOT NULL CHECK (octet_length(indexes) % 8 = 0),
	PRIMARY KEY (campaign, case_ref, indexes)
);
COMMENT ON TABLE case_index IS 'Keyed indexes by which a case is found, 8 bytes each, as they were given together';

GRANT SELECT, INSERT, UPDATE, DELETE ON log_tail TO hf_recorder;
GRANT SELECT, INSERT, UPDATE ON kept TO hf_recorder;
GRANT SELECT, INSERT ON case_index TO hf_recorder;
