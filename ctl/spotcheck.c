/* spotcheck.c - the draw itself. Whoever has the seed and the ledger gets the same sample.
 *
 * Happy path: each record has a score, the hash of the seed and its own place in its outbox; of each caller the
 * lowest scores are drawn. Nobody can know a score before the seed is told, and the seed is fixed before the
 * records are made. Failures: none. */
#include "ctl/spotcheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypt.h"
#include "base/text.h"

static const char *const names[SPOT_STRATA] = {"", "退档", "确认太短", "新人", "随机"};

const char *
spot_stratum_name(enum spot_stratum s)
{
	return names[s];
}

void
spot_commitment(char out[25], uint64_t seed)
{
	static const char label[] = "hf1-spot-seed";
	uint8_t bytes[8], hash[32];
	struct span parts[2] = {span_of(label, sizeof(label) - 1), span_of(bytes, 8)};

	be64_put(bytes, seed);
	crypt_hash(hash, parts, 2);
	hex_encode(out, hash, 12);
}

static void
score(struct spot_row *row, uint64_t seed)
{
	uint8_t head[16];
	struct span parts[2] = {span_of(head, 16), span_of(row->ob, 16)};

	be64_put(head, seed);
	be64_put(head + 8, row->seq);
	crypt_hash(row->score, parts, 2);
}

static int
by_person_and_score(const void *a, const void *b)
{
	const struct spot_row *x = a, *y = b;
	int d = strcmp(x->person, y->person);

	return d != 0 ? d : memcmp(x->score, y->score, sizeof(x->score));
}

static enum spot_stratum
must(const struct spot_row *row, const struct spot_rates *rates)
{
	if (strcmp(row->outcome, "withdraw-asked") == 0)
		return SPOT_WITHDRAW;
	if (strcmp(row->outcome, "confirmed") == 0 && row->seconds < rates->short_seconds)
		return SPOT_SHORT;
	return row->nth <= rates->first ? SPOT_NEW : SPOT_NONE;
}

/* The share of n, rounded up: at least one of any. */
static size_t
share(size_t n, int percent)
{
	return (n * (size_t)percent + 99) / 100;
}

/* One caller's records: what must be seen, and of the rest the lowest scores. */
static void
of_caller(struct spot_row *rows, size_t n, const struct spot_rates *rates)
{
	size_t want = share(n, rates->daily);

	for (size_t i = 0; i < n; i++)
		rows[i].stratum = must(&rows[i], rates);
	for (size_t i = 0; i < n && want > 0; i++) {
		if (rows[i].stratum != SPOT_NONE)
			continue;
		rows[i].stratum = SPOT_RANDOM;
		want--;
	}
}

/* Of those with this outcome the lowest scores of all callers are verified by a call, once per case. */
static void
verify(struct spot_row *rows, size_t n, const char *outcome, int percent)
{
	size_t all = 0, want;

	for (size_t i = 0; i < n; i++)
		all += strcmp(rows[i].outcome, outcome) == 0;
	for (want = share(all, percent); want > 0; want--) {
		struct spot_row *best = NULL;

		for (size_t i = 0; i < n; i++) {
			bool taken = rows[i].verify || strcmp(rows[i].outcome, outcome) != 0;

			for (size_t j = 0; j < n && !taken; j++)
				taken = rows[j].verify &&
				        strcmp(rows[j].case_hex, rows[i].case_hex) == 0;
			if (!taken && (best == NULL || memcmp(rows[i].score, best->score, 32) < 0))
				best = &rows[i];
		}
		if (best == NULL)
			return;
		best->verify = true;
		if (best->stratum == SPOT_NONE)
			best->stratum = SPOT_RANDOM;
	}
}

void
spot_select(struct spot_row *rows, size_t n, uint64_t seed, const struct spot_rates *rates)
{
	for (size_t i = 0; i < n; i++) {
		rows[i].stratum = SPOT_NONE;
		rows[i].verify = false;
		score(&rows[i], seed);
	}
	qsort(rows, n, sizeof(*rows), by_person_and_score);
	for (size_t from = 0, i = 1; i <= n; i++) {
		if (i < n && strcmp(rows[i].person, rows[from].person) == 0)
			continue;
		of_caller(rows + from, i - from, rates);
		from = i;
	}
	verify(rows, n, "withdraw-asked", rates->verify_withdrawn);
	verify(rows, n, "confirmed", rates->verify_confirmed);
}
