-- The 4 contacts and 20 minutes are a caller's average over the own admitted cases; who withdrew leaves it (Q8).

SET LOCAL ROLE hf_owner;
SET LOCAL search_path = hf, pg_temp;

CREATE OR REPLACE VIEW v_counts WITH (security_barrier) AS
	SELECT campaign, owner, team, count(*) AS cases, count(*) FILTER (WHERE attempts > 0) AS attempted,
		coalesce(sum(attempts), 0)::bigint AS attempts, coalesce(sum(contacts), 0)::bigint AS contacts,
		coalesce(sum(seconds), 0)::bigint AS seconds,
		count(*) FILTER (WHERE last_outcome = 'confirmed') AS confirmed,
		count(*) FILTER (WHERE last_outcome IN ('considering', 'will-not-say')) AS considering,
		count(*) FILTER (WHERE unreachable) AS unreachable, count(*) FILTER (WHERE withdrawn) AS withdrawn,
		count(*) FILTER (WHERE admitted) AS admitted, count(*) FILTER (WHERE registered) AS registered,
		count(*) FILTER (WHERE paid) AS paid,
		coalesce(sum(contacts) FILTER (WHERE admitted), 0)::bigint AS admitted_contacts,
		coalesce(sum(seconds) FILTER (WHERE admitted), 0)::bigint AS admitted_seconds
	FROM v_figure GROUP BY campaign, owner, team;
COMMENT ON VIEW v_counts IS
	'v_figure counted by owner: what rates, pay and the dashboard add up. admitted_…: of the cases in the denominator alone, for the averages';
