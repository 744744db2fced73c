-- The nightly run holds what the archive does not have yet against the log as the recorder kept it.

SET LOCAL ROLE hf_owner;

GRANT SELECT ON hf.log_tail TO hf_reconcile;
