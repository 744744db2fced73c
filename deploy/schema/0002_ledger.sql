-- What was said, once and for all: campaigns, epochs, outboxes, the ledger, and what did not fit it.
--
-- Every primary key begins with the campaign, so that a table can become LIST-partitioned by campaign
-- without a new key. References and hashes are bytea; times of the log are bigint ms (view them with
-- hf.ms()); tokens fit a bigint (epoch <= 8191).

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE TABLE campaign (
	campaign text PRIMARY KEY CHECK (campaign ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
	incarnation bytea NOT NULL DEFAULT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
		CHECK (octet_length(incarnation) = 16),
	ledger_no bigint NOT NULL DEFAULT 0 CHECK (ledger_no >= 0),
	catch_up boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE campaign IS 'One row a campaign, made by hfctl campaign create';
COMMENT ON COLUMN campaign.incarnation IS 'Which life of this ledger: random, new when the ledger was rebuilt; part of receipts';
COMMENT ON COLUMN campaign.ledger_no IS 'Counter: the newest ledger.no';
COMMENT ON COLUMN campaign.catch_up IS
	'Set by hfctl recover postgres: the recorder may go on although Redis has settled marks beyond the ledger; it clears the flag when it has caught up';

CREATE TABLE epoch (
	campaign text NOT NULL REFERENCES campaign,
	epoch bigint NOT NULL CHECK (epoch BETWEEN 1 AND 8191),
	incarnation bytea NOT NULL CHECK (octet_length(incarnation) = 16),
	opened_at timestamptz NOT NULL DEFAULT now(),
	why text NOT NULL,
	by_whom text NOT NULL,
	PRIMARY KEY (campaign, epoch)
);
COMMENT ON TABLE epoch IS 'Lives of the queue store; the row is there before the store serves';

CREATE TABLE agent (
	campaign text NOT NULL REFERENCES campaign,
	agent bytea NOT NULL CHECK (octet_length(agent) = 16),
	curve_pk bytea NOT NULL CHECK (octet_length(curve_pk) = 32),
	sign_pk bytea NOT NULL CHECK (octet_length(sign_pk) = 32),
	state text NOT NULL CHECK (state IN ('active', 'revoked')),
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	PRIMARY KEY (campaign, agent)
);
COMMENT ON TABLE agent IS 'Enrolled installations and their public keys; newest entry of the log';

CREATE TABLE person (
	campaign text NOT NULL REFERENCES campaign,
	person text NOT NULL CHECK (person ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
	roles bigint NOT NULL CHECK (roles >= 0),
	team text,
	qualified boolean NOT NULL,
	sign_pk bytea CHECK (octet_length(sign_pk) = 32),
	active boolean NOT NULL,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	PRIMARY KEY (campaign, person)
);
COMMENT ON TABLE person IS 'Who may act, by id (no names here); newest entry of the log. roles: bits of PROTOCOL.md 13';

CREATE TABLE outbox (
	campaign text NOT NULL REFERENCES campaign,
	ob bytea NOT NULL CHECK (octet_length(ob) = 16),
	agent bytea CHECK (octet_length(agent) = 16),
	recorded_upto bigint NOT NULL DEFAULT 0 CHECK (recorded_upto >= 0),
	recorded_h bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(recorded_h) = 32),
	settled_upto bigint NOT NULL DEFAULT 0,
	released_upto bigint NOT NULL DEFAULT 0,
	frozen boolean NOT NULL DEFAULT false,
	PRIMARY KEY (campaign, ob)
);
COMMENT ON TABLE outbox IS 'Outboxes and how far each is recorded; moved by compare-and-set in the transaction of the rows';
COMMENT ON COLUMN outbox.settled_upto IS 'The mark that Redis has, as the log told; lags behind recorded_upto, which is what SETTLED means';
COMMENT ON COLUMN outbox.released_upto IS 'The same for the archive';

CREATE TABLE ledger (
	campaign text NOT NULL REFERENCES campaign,
	no bigint NOT NULL,
	ob bytea NOT NULL,
	seq bigint NOT NULL,
	h bytea NOT NULL,
	prev_h bytea NOT NULL,
	bc bytea NOT NULL,
	sig bytea NOT NULL,
	header bytea NOT NULL,
	body bytea NOT NULL,
	verdict smallint NOT NULL,
	why text,
	flaw text,
	kind smallint,
	person text,
	case_ref bytea,
	token bigint,
	expect bigint,
	id bytea,
	again boolean,
	boot bytea,
	t_start bigint,
	t_end bigint,
	t_entry bigint,
	server_wall bigint,
	server_boot bigint,
	pc_wall bigint,
	quality smallint,
	outcome text,
	channel text,
	number_id bytea,
	seconds bigint,
	next_at bigint,
	next_do text,
	spoke text,
	ticks bigint,
	script text,
	concerns text[],
	decide_by bigint,
	rung bigint,
	evidence bytea[],
	line text,
	direction text,
	reason text,
	to_person text,
	to_team text,
	count bigint,
	n bigint,
	until bigint,
	import bytea,
	rows bigint,
	ref_ob bytea,
	ref_seq bigint,
	credit bigint,
	subject text,
	roles bigint,
	team text,
	qualified bigint,
	agent bytea,
	seed bigint,
	policy bigint,
	what text,
	source text,
	valid bigint,
	items bigint,
	open bigint,
	ruling text,
	case_version bigint,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	opseq bigint NOT NULL,
	campaign_at bigint NOT NULL,
	wall_at bigint NOT NULL,
	PRIMARY KEY (campaign, ob, seq),
	UNIQUE (campaign, no),
	CHECK (seq >= 1 AND octet_length(ob) = 16 AND octet_length(h) = 32 AND octet_length(prev_h) = 32
		AND verdict BETWEEN 0 AND 2)
);
CREATE INDEX ledger_by_case ON ledger (campaign, case_ref, no) WHERE case_ref IS NOT NULL;
CREATE INDEX ledger_quarantined ON ledger (campaign, no) WHERE verdict = 2;
COMMENT ON TABLE ledger IS
	'Every accepted record, exactly once, in the order of the log. Append-only. body is sealed; header is the signed original of the typed columns';
COMMENT ON COLUMN ledger.no IS 'Ledger number: 1, 2, 3 … per campaign without gaps';
COMMENT ON COLUMN ledger.verdict IS 'What the broker answered: 0 effective, 1 late (counts as what was said, moved nothing), 2 quarantined (does not count)';
COMMENT ON COLUMN ledger.why IS 'The word that came with the verdict, NULL for none';
COMMENT ON COLUMN ledger.flaw IS
	'What the recorder found wrong, NULL for nothing: header, agent (no such key), signature, chain, database (refused the open fields). A row with a flaw does not count; its raw bytes are in quarantine';
COMMENT ON COLUMN ledger.id IS 'The sender''s id of the record';
COMMENT ON COLUMN ledger.number_id IS 'Keyed hash of the number, BLAKE2b-64 under the case key';
COMMENT ON COLUMN ledger.next_at IS 'Campaign time, ms; so are decide_by and until';
COMMENT ON COLUMN ledger.to_person IS 'Header field 17, to';
COMMENT ON COLUMN ledger.ruling IS 'Header field 41, verdict (of an approval or ruling)';
COMMENT ON COLUMN ledger.case_version IS 'Header field 42, version';
COMMENT ON COLUMN ledger.log_epoch IS 'With log_no the id of the log entry';
COMMENT ON COLUMN ledger.campaign_at IS 'Campaign time of acceptance, ms';
COMMENT ON COLUMN ledger.wall_at IS 'Server wall time of acceptance, ms';

CREATE TABLE equivocation (
	campaign text NOT NULL REFERENCES campaign,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	ob bytea NOT NULL,
	seq bigint NOT NULL,
	recorded_h bytea,
	other_h bytea,
	f0 bytea NOT NULL,
	f1 bytea NOT NULL,
	noted_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (campaign, log_epoch, log_no)
);
COMMENT ON TABLE equivocation IS
	'A second record under a sequence number that is in the ledger with another hash: a cloned or altered outbox, or an altered log. Append-only';

CREATE TABLE quarantine (
	campaign text NOT NULL REFERENCES campaign,
	log_epoch bigint NOT NULL,
	log_no bigint NOT NULL,
	ob bytea,
	seq bigint,
	flaw text NOT NULL,
	raw bytea NOT NULL,
	noted_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (campaign, log_epoch, log_no)
);
COMMENT ON TABLE quarantine IS
	'Log entries with a flaw, kept as they came for a person to look at: those of ledger.flaw, frame (no RECORD: there is no ledger row), entry (of no known shape). Append-only';
COMMENT ON COLUMN quarantine.raw IS 'The entry''s fields as netstrings: <length>:<bytes>, for name and value in turn';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['ledger', 'equivocation', 'quarantine'] LOOP
		EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW '
			'EXECUTE FUNCTION refuse_change()', t);
		EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
			'EXECUTE FUNCTION refuse_change()', t);
		EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
		EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER no_truncate', t);
	END LOOP;
END
$$;

GRANT SELECT ON campaign TO hf_recorder;
GRANT SELECT, INSERT ON epoch, agent, person, outbox, ledger, equivocation, quarantine TO hf_recorder;
GRANT UPDATE (ledger_no, catch_up) ON campaign TO hf_recorder;
GRANT UPDATE ON agent, person, outbox TO hf_recorder;
GRANT SELECT ON campaign, epoch, agent, person, outbox, ledger, equivocation, quarantine TO hf_reconcile;
GRANT SELECT ON campaign, epoch, person, outbox, ledger TO hf_read;
