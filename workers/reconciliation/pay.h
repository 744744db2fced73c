/* pay.h - the law of pay (domain.md a.11 to a.13, practice.md 13): pure, int64 fen, integers only.
 *
 * One row is one caller; a team's rows make its leader's bonus. Where the policy left a reading open, it is a
 * field of pay_policy, named after its question; the default reading is pay_policy_default(). Nothing is rounded
 * before the end; what is paid is rounded half up to a fen, once. */
#ifndef RECONCILIATION_PAY_H
#define RECONCILIATION_PAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/reconciliation/rate.h"

#define PAY_COUNT_MAX 1000000 /* of each count of a row */
#define PAY_TEAM_MAX  1024    /* rows of a team */

enum pay_tier {
	PAY_TIER_LITERAL,
	PAY_TIER_INCLUSIVE,
	PAY_TIER_STRICT
};                                                        /* Q1: as written; all >=; all > */
enum pay_step_in { PAY_STEP_ANY_TIER, PAY_STEP_FROM_93 }; /* Q2: readings A and B */
enum pay_step { PAY_STEP_AUTO, PAY_STEP_NEEDS_MIN, PAY_STEP_APPROVED, PAY_STEP_OFF }; /* Q3 */
enum pay_n2 { PAY_N2_ROW, PAY_N2_STRICT93 };                                          /* Q4 */
enum pay_n1 { PAY_N1_PER_PAID, PAY_N1_PER_SHORT, PAY_N1_PER_CALLED };                 /* Q6 */
enum pay_team_rate { PAY_TEAM_POOLED, PAY_TEAM_MEAN };                                /* Q7 */
enum pay_n5 { PAY_N5_OF_PAYABLE, PAY_N5_OF_TOTAL };                                   /* Q18 */

struct pay_policy {
	enum pay_tier tier;
	enum pay_step_in step_in;
	enum pay_step step;
	bool step_in_top; /* Q2: also at 99 and above */
	enum pay_n2 n2;
	enum pay_n1 n1;
	enum pay_team_rate team_rate;
	enum pay_n5 n5;
};

struct pay_row {
	struct rate rate;
	int64_t called, minimum; /* called is held against minimum */
	bool slack;              /* a signed finding: below the minimum counts (practice.md 5) */
	bool approved;           /* for PAY_STEP_APPROVED */
	bool leader;
	bool wrong_withdrawal; /* N3 */
	int deduction;         /* N5, percent 0 to 100 */
};

struct pay {
	int64_t base;     /* fen a person, by the tier */
	int steps;        /* of 0.5 yuan */
	int64_t standard; /* fen a person, N1 included where it is per person */
	int64_t penalty;  /* fen, N1 where it is a sum */
	bool below_minimum;
	int64_t total;  /* fen, before N3 and N5 */
	int64_t amount; /* fen, what is paid */
};

struct pay_team {
	struct rate pooled;
	int64_t by_pooled, by_mean; /* fen: the bonus by either reading, before N3 and N5 */
	bool differ;                /* the readings fall on different sides of 93 or 95 */
};

struct pay_policy pay_policy_default(void);
/* Counts are within PAY_COUNT_MAX, registered <= admitted: CHECKed. */
struct pay pay_of(const struct pay_policy *p, const struct pay_row *row);
/* All rows of one team, the leader's own with them; those without admitted candidates have no rate of their own. */
struct pay_team pay_team_of(const struct pay_row *rows, size_t n);
/* The leader's bonus after that leader's own N3 and N5, in fen. */
int64_t pay_bonus(
    const struct pay_policy *p, const struct pay_team *team, const struct pay_row *leader);
/* What one more registration would add, in fen; 0 when all have registered. */
int64_t pay_one_more(const struct pay_policy *p, const struct pay_row *row);

#endif
