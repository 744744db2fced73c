/* outcome.c - the fixed half of the outcome table: code, family and series by number. A number that
 * has no row is impossible (numbers come from this table or were checked when read): CHECKed. */
#include "workers/escalation/outcome.h"

#include <string.h>

#include "base/check.h"

static const struct {
	const char *code;
	enum family family;
	enum series series;
} rows[OUT_COUNT] = {
#define OUTCOME_ROW(no, name, text, family, series)                                                \
	[OUT_##name] = {text, FAMILY_##family, SERIES_##series},
    OUTCOME_TABLE(OUTCOME_ROW)
#undef OUTCOME_ROW
};

enum outcome
outcome_by_code(const char *code, size_t len)
{
	for (int o = OUT_NONE + 1; o < OUT_COUNT; o++)
		if (strlen(rows[o].code) == len && memcmp(rows[o].code, code, len) == 0)
			return (enum outcome)o;
	return OUT_NONE;
}

const char *
outcome_code(enum outcome o)
{
	CHECK(o < OUT_COUNT);
	return o == OUT_NONE ? "" : rows[o].code;
}

enum family
outcome_family(enum outcome o)
{
	CHECK(o > OUT_NONE && o < OUT_COUNT);
	return rows[o].family;
}

enum series
outcome_series(enum outcome o)
{
	CHECK(o > OUT_NONE && o < OUT_COUNT);
	return rows[o].series;
}
