/* stats.c - the one place that knows the names of the counters: the table in stats.h. */
#include "broker/stats.h"

#include <inttypes.h>

void
stats_print(struct buf *out, const struct stats *s)
{
#define STAT_PRINT(name) buf_addf(out, "%s" #name "=%" PRIu64, out->len == 0 ? "" : " ", s->name);
	STAT_TABLE(STAT_PRINT)
#undef STAT_PRINT
}
