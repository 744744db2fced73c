/* pay.c - tier, steps, minimum workload, the two cuts, one rounding; and the team's two average rates.
 *
 * Happy path: tier -> step -> N1 -> x registered -> N3 -> N5 -> not below 0 -> fen, in the order of domain.md a.12.
 * Failures: none; counts out of range are a bug of the caller and CHECKed. */
#include "workers/reconciliation/pay.h"

#include <stdlib.h>

#include "base/check.h"

#define STEP_FEN     50  /* each further 0.1 % */
#define SHORT_FEN    500 /* N1, a student */
#define BONUS_BASIC  100000
#define BONUS_TARGET 150000

/* Keyed by threshold, never by the number of a row in the plan (Q14). */
static const struct tier {
	int percent;
	bool includes; /* >=, not > */
	int64_t fen;
} tiers[] = {
    {99, true, 10000},
    {98, false, 8500},
    {97, false, 8000},
    {96, false, 7500},
    {95, false, 7000},
    {94, false, 6500},
    {93, false, 6000},
    {92, true, 5500},
};

struct pay_policy
pay_policy_default(void)
{
	return (struct pay_policy){
	    .tier = PAY_TIER_LITERAL,
	    .step_in = PAY_STEP_ANY_TIER,
	    .step = PAY_STEP_NEEDS_MIN,
	    .step_in_top = true,
	    .n2 = PAY_N2_ROW,
	    .n1 = PAY_N1_PER_PAID,
	    .team_rate = PAY_TEAM_POOLED,
	    .n5 = PAY_N5_OF_PAYABLE,
	};
}

static const struct tier *
tier_of(const struct pay_policy *p, struct rate r)
{
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
		int64_t have = r.registered * 100, need = tiers[i].percent * r.admitted;

		bool includes =
		    p->tier == PAY_TIER_LITERAL ? tiers[i].includes : p->tier == PAY_TIER_INCLUSIVE;

		if (have > need || (have == need && includes))
			return &tiers[i];
	}
	return NULL;
}

static bool
has_steps(const struct pay_policy *p, const struct pay_row *row, const struct tier *t, bool below)
{
	if (t->percent == 99 && !p->step_in_top)
		return false;
	if (p->step_in == PAY_STEP_FROM_93 && !rate_reaches(row->rate, 93))
		return false;
	switch (p->step) {
	case PAY_STEP_AUTO: return true;
	case PAY_STEP_NEEDS_MIN: return !below;
	case PAY_STEP_APPROVED: return row->approved;
	case PAY_STEP_OFF: return false;
	}
	return false;
}

static void
check_row(const struct pay_row *row)
{
	CHECK(row->rate.admitted <= PAY_COUNT_MAX && row->rate.registered >= 0);
	CHECK(row->rate.registered <= row->rate.admitted);
	CHECK(row->called >= 0 && row->called <= PAY_COUNT_MAX);
	CHECK(row->minimum >= 0 && row->minimum <= PAY_COUNT_MAX);
	CHECK(row->deduction >= 0 && row->deduction <= 100);
}

/* N3 halves; N5 takes its percentage of what is still payable, or of the original total (Q18). Half up, once. */
static int64_t
cut(const struct pay_policy *p, const struct pay_row *row, int64_t total)
{
	int64_t half = row->wrong_withdrawal ? 50 : 100, parts;

	if (p->n5 == PAY_N5_OF_TOTAL)
		parts = (half - row->deduction) * 100;
	else
		parts = half * (100 - row->deduction);
	if (parts <= 0 || total <= 0)
		return 0;
	return (total * parts + 5000) / 10000;
}

static int64_t
at_least_0(int64_t fen)
{
	return fen > 0 ? fen : 0;
}

struct pay
pay_of(const struct pay_policy *p, const struct pay_row *row)
{
	struct pay pay = {.below_minimum = row->called < row->minimum && row->slack};
	const struct tier *t;

	check_row(row);
	t = rate_defined(row->rate) ? tier_of(p, row->rate) : NULL;
	if (t == NULL || (p->n2 == PAY_N2_STRICT93 && !rate_reaches(row->rate, 93)))
		return pay;
	pay.base = t->fen;
	if (has_steps(p, row, t, pay.below_minimum))
		pay.steps = (int)(rate_permille(row->rate) - 10 * t->percent);
	pay.standard = pay.base + pay.steps * STEP_FEN;
	if (pay.below_minimum) {
		switch (p->n1) {
		case PAY_N1_PER_PAID: pay.standard = at_least_0(pay.standard - SHORT_FEN); break;
		case PAY_N1_PER_SHORT:
			pay.penalty = SHORT_FEN * (row->minimum - row->called);
			break;
		case PAY_N1_PER_CALLED: pay.penalty = SHORT_FEN * row->called; break;
		}
	}
	pay.total = at_least_0(pay.standard * row->rate.registered - pay.penalty);
	pay.amount = cut(p, row, pay.total);
	return pay;
}

int64_t
pay_one_more(const struct pay_policy *p, const struct pay_row *row)
{
	struct pay_row more = *row;

	if (row->rate.registered >= row->rate.admitted)
		return 0;
	more.rate.registered++;
	return pay_of(p, &more).amount - pay_of(p, row).amount;
}

/* ---- the mean of the members' rates, exactly: sum(reg_i / adm_i) against percent x n ---- */

#define LIMBS (PAY_TEAM_MAX + 4)

/* Little-endian, base 2^32; n limbs in use. */
struct big {
	uint32_t limb[LIMBS];
	size_t n;
};

static void
big_mul(struct big *b, uint32_t by)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < b->n; i++) {
		carry += (uint64_t)b->limb[i] * by;
		b->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry != 0) {
		CHECK(b->n < LIMBS);
		b->limb[b->n++] = (uint32_t)carry;
	}
}

/* b += other x by */
static void
big_add(struct big *b, const struct big *other, uint32_t by)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < other->n || carry != 0; i++) {
		if (i == b->n) {
			CHECK(b->n < LIMBS);
			b->limb[b->n++] = 0;
		}
		carry += b->limb[i] + (uint64_t)(i < other->n ? other->limb[i] : 0) * by;
		b->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static int
big_compare(const struct big *a, const struct big *b)
{
	size_t i = a->n > b->n ? a->n : b->n;

	while (i-- > 0) {
		uint32_t x = i < a->n ? a->limb[i] : 0, y = i < b->n ? b->limb[i] : 0;

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* Adds the fractions one by one over the product of all denominators so far. */
static bool
mean_reaches(const struct pay_row *rows, size_t n, uint32_t percent)
{
	struct big *sum = calloc(2, sizeof(*sum)), *product = sum + 1;
	uint32_t members = 0;
	bool reaches;

	CHECK(sum != NULL);
	product->limb[0] = 1;
	product->n = 1;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].rate.admitted == 0)
			continue;
		members++;
		big_mul(sum, (uint32_t)rows[i].rate.admitted);
		big_add(sum, product, (uint32_t)rows[i].rate.registered);
		big_mul(product, (uint32_t)rows[i].rate.admitted);
	}
	big_mul(sum, 100);
	big_mul(product, percent * members);
	reaches = members > 0 && big_compare(sum, product) >= 0;
	free(sum);
	return reaches;
}

static int64_t
bonus_for(bool basic, bool target)
{
	return target ? BONUS_TARGET : basic ? BONUS_BASIC : 0;
}

struct pay_team
pay_team_of(const struct pay_row *rows, size_t n)
{
	struct pay_team team = {.pooled = {0, 0}};

	CHECK(n <= PAY_TEAM_MAX);
	for (size_t i = 0; i < n; i++) {
		check_row(&rows[i]);
		team.pooled.registered += rows[i].rate.registered;
		team.pooled.admitted += rows[i].rate.admitted;
	}
	team.by_pooled = bonus_for(rate_reaches(team.pooled, 93), rate_reaches(team.pooled, 95));
	team.by_mean = bonus_for(mean_reaches(rows, n, 93), mean_reaches(rows, n, 95));
	team.differ = team.by_pooled != team.by_mean;
	return team;
}

int64_t
pay_bonus(const struct pay_policy *p, const struct pay_team *team, const struct pay_row *leader)
{
	if (!leader->leader)
		return 0;
	return cut(p, leader, p->team_rate == PAY_TEAM_MEAN ? team->by_mean : team->by_pooled);
}
