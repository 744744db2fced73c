/* spotcheck.h - which records of a day are looked at again: a function of the seed and the records, nothing else. */
#ifndef CTL_SPOTCHECK_H
#define CTL_SPOTCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/frame.h"

/* What a commitment fixes beside the seed (practice.md 12), per cent and counts. */
struct spot_rates {
	int daily, first, short_seconds, verify_withdrawn, verify_confirmed;
};

/* Why a record is in the sample, the highest risk first. */
enum spot_stratum { SPOT_NONE, SPOT_WITHDRAW, SPOT_SHORT, SPOT_NEW, SPOT_RANDOM, SPOT_STRATA };

struct spot_row {
	int64_t no; /* of the ledger */
	name_t person;
	char outcome[25], case_hex[33];
	int64_t seconds;
	int64_t nth; /* of this person's attempts since the campaign began, 1 … */
	uint8_t ob[16];
	uint64_t seq;
	/* the answer */
	enum spot_stratum stratum;
	bool verify; /* by a call to the applicant */
	uint8_t score[32];
};

/* Sorts the rows by person and score and says of each whether and why it is drawn. Every withdrawal, every
 * confirmation that was too short, the first ones of a new caller; of each caller's other records the share, at
 * least one. */
void spot_select(struct spot_row *rows, size_t n, uint64_t seed, const struct spot_rates *rates);
/* What is published before the seed is: 24 hex digits. */
void spot_commitment(char out[25], uint64_t seed);
const char *spot_stratum_name(enum spot_stratum s); /* 中文 */

#endif
