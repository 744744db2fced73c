/* everycase.c - a walk over all cases of the queue, a page of HSCAN after the other.
 *
 * Failures: Redis is away, or its user may not read; the walk ends there. */
#include "workers/link/everycase.h"

#include <stdio.h>
#include <string.h>

#include "proto/call.h"

int
everycase(
    struct rds_sync *redis, const char *campaign, everycase_fn *fn, void *arg, struct err *err)
{
	char key[128], cursor[32] = "0";

	do {
		struct span argv[5] = {span_str("HSCAN"),
		    span_str(call_key(key, sizeof(key), campaign, "cases")), span_str(cursor),
		    span_str("COUNT"), span_str("1000")};
		const struct rds_reply *r, *rows;
		struct span next;

		if (rds_sync_cmd(redis, argv, 5, &r, err) != 0)
			return err_wrap(err, "redis");
		if (rds_type(r) == RDS_ERROR) {
			rds_sync_free(r);
			return err_set(err, ERR_DENIED, "redis refused to list the cases");
		}
		rows = rds_at(r, 1);
		for (size_t i = 0; i + 1 < rds_len(rows); i += 2)
			fn(arg, rds_str(rds_at(rows, i)), rds_str(rds_at(rows, i + 1)));
		next = rds_str(rds_at(r, 0));
		(void)snprintf(
		    cursor, sizeof(cursor), "%.*s", (int)next.len, (const char *)next.data);
		rds_sync_free(r);
	} while (strcmp(cursor, "0") != 0);
	return 0;
}
