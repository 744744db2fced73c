-- Roles, the schema hf, and the list of applied migrations.
--
-- Run as hf_migrate (CREATEROLE, owner of the database) or as a superuser. Where an administrator has
-- made the roles beforehand, they are taken as they are.

DO $$
DECLARE
	may boolean;
	r record;
BEGIN
	SELECT rolsuper OR rolcreaterole INTO may FROM pg_roles WHERE rolname = current_user;
	FOR r IN SELECT * FROM (VALUES
		('hf_owner', 'NOLOGIN'), ('hf_migrate', 'LOGIN'), ('hf_recorder', 'LOGIN'),
		('hf_dash', 'LOGIN'), ('hf_reconcile', 'LOGIN'), ('hf_read', 'LOGIN')) AS t (name, login)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name) THEN
			EXECUTE format('CREATE ROLE %I %s', r.name, r.login);
		END IF;
	END LOOP;
	IF may THEN
		IF NOT pg_has_role('hf_migrate', 'hf_owner', 'MEMBER') THEN
			GRANT hf_owner TO hf_migrate;
		END IF;
		FOR r IN SELECT * FROM (VALUES
			('hf_migrate', 'statement_timeout', '10min'),
			('hf_migrate', 'lock_timeout', '1min'),
			('hf_recorder', 'statement_timeout', '30s'),
			('hf_recorder', 'lock_timeout', '5s'),
			('hf_recorder', 'idle_in_transaction_session_timeout', '1min'),
			('hf_recorder', 'synchronous_commit', 'on'),
			('hf_dash', 'statement_timeout', '3s'),
			('hf_dash', 'default_transaction_read_only', 'on'),
			('hf_reconcile', 'statement_timeout', '10min'),
			('hf_reconcile', 'lock_timeout', '5s'),
			('hf_reconcile', 'idle_in_transaction_session_timeout', '1min'),
			('hf_read', 'statement_timeout', '5s'),
			('hf_read', 'default_transaction_read_only', 'on')) AS t (role, key, value)
		LOOP
			EXECUTE format('ALTER ROLE %I SET %I = %L', r.role, r.key, r.value);
		END LOOP;
		FOR r IN SELECT unnest(ARRAY['hf_owner', 'hf_migrate', 'hf_recorder', 'hf_dash',
			'hf_reconcile', 'hf_read']) AS role
		LOOP
			EXECUTE format('ALTER ROLE %I SET search_path = hf, pg_temp', r.role);
		END LOOP;
	END IF;
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO hf_migrate, hf_recorder, hf_dash, hf_reconcile, '
		'hf_read', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA hf AUTHORIZATION hf_owner;
GRANT USAGE ON SCHEMA hf TO hf_recorder, hf_dash, hf_reconcile, hf_read;

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

ALTER DEFAULT PRIVILEGES FOR ROLE hf_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TABLE migration (
	number integer PRIMARY KEY,
	name text NOT NULL,
	checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
	applied_at timestamptz NOT NULL DEFAULT now(),
	by_whom text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE migration IS
	'Files of deploy/schema that were applied, with the BLAKE2b-256 of their bytes; written by hfctl db migrate';
GRANT SELECT ON migration TO hf_recorder, hf_dash, hf_reconcile, hf_read;

-- What is written once stays as it was written, for the owner as well.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = hf, pg_temp AS $$
BEGIN
	RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, lower(TG_OP)
		USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Trigger of the append-only tables';

-- A time of the log in ms as a timestamp, without floating point.
CREATE FUNCTION ms(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN timestamptz '1970-01-01 00:00:00+00' + $1 * interval '1 millisecond';
COMMENT ON FUNCTION ms(bigint) IS 'Milliseconds since 1970 (UTC) as timestamptz';
GRANT EXECUTE ON FUNCTION ms(bigint) TO hf_recorder, hf_dash, hf_reconcile, hf_read;
