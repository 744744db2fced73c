/* rate.c - integer arithmetic on registered and admitted; input out of range is CHECKed by callers of
 * SQL counts, which cannot give it. */
#include <stdio.h>

#include "base/check.h"
#include "workers/reconciliation/rate.h"

static void
check_range(struct rate r)
{
	CHECK(r.registered >= 0 && r.registered <= r.admitted && r.admitted < (1LL << 40));
}

bool
rate_defined(struct rate r)
{
	check_range(r);
	return r.admitted > 0;
}

bool
rate_reaches(struct rate r, int64_t percent)
{
	return rate_defined(r) && r.registered * 100 >= percent * r.admitted;
}

int64_t
rate_permille(struct rate r)
{
	return rate_defined(r) ? 1000 * r.registered / r.admitted : 0;
}

int64_t
rate_missing(struct rate r, int64_t percent)
{
	int64_t need;

	check_range(r);
	need = (percent * r.admitted + 99) / 100;
	return need > r.registered ? need - r.registered : 0;
}

char *
rate_text(char *out, struct rate r)
{
	int64_t thousandths;

	if (!rate_defined(r)) {
		out[0] = '\0';
		return out;
	}
	thousandths = 100000 * r.registered / r.admitted;
	(void)snprintf(
	    out, 24, "%jd.%03jd", (intmax_t)(thousandths / 1000), (intmax_t)(thousandths % 1000));
	return out;
}

/* a < b, by cross multiplication. */
static bool
is_lower(struct rate a, struct rate b)
{
	return a.registered * b.admitted < b.registered * a.admitted;
}

void
rate_last_three(const struct rate *rates, size_t n, bool *out)
{
	size_t defined = 0;

	for (size_t i = 0; i < n; i++)
		defined += rate_defined(rates[i]);
	for (size_t i = 0; i < n; i++) {
		size_t lower = 0; /* how many are worse */

		out[i] = false;
		if (!rate_defined(rates[i]) || defined < 4)
			continue;
		for (size_t j = 0; j < n; j++)
			lower += rate_defined(rates[j]) && is_lower(rates[j], rates[i]);
		out[i] = lower < 3;
	}
}
