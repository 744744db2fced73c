/* pay_rows.c - prints random rows of callers with the pay that the law of hf-reconcile gives them, as CSV without a
 * header, for a comparison with the law written in SQL.
 *
 *   pay_rows COUNT SEED
 *
 * Happy path: teams of 1 to 8 callers, every open question read at random, once a team; half of the rows stand on a
 * boundary or beside one. Failures: wrong arguments, 64. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "workers/reconciliation/pay.h"

#define TEAM 8

static const char *const q1[] = {"literal", "inclusive", "strict"}, *const q2[] = {"A", "B"},
                         *const q3[] = {"auto", "needs_min", "approved_only", "off"},
                         *const q4[] = {"row", "strict93"},
                         *const q6[] = {"per_paid", "per_short", "per_called"},
                         *const q7[] = {"pooled", "mean"}, *const q18[] = {"payable", "total"};

static uint64_t state;

static int64_t
below(int64_t n)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

static int64_t
random_admitted(void)
{
	switch (below(6)) {
	case 0: return below(4);
	case 1: return 100 * (1 + below(20));
	case 2: return below(PAY_COUNT_MAX + 1);
	default: return below(60);
	}
}

static int64_t
random_registered(int64_t admitted)
{
	int64_t n = admitted * (900 + below(101)) / 1000;

	if (below(2) == 0)
		n = admitted * (91 + below(10)) / 100 + below(3) - 1;
	else if (below(8) == 0)
		n = below(admitted + 1);
	return n < 0 ? 0 : n > admitted ? admitted : n;
}

static struct pay_row
random_row(void)
{
	struct pay_row row = {.rate = {0, random_admitted()}};

	row.rate.registered = random_registered(row.rate.admitted);
	row.minimum = below(3) == 0 ? below(80) : 0;
	row.called = below(4) == 0 ? below(80) : row.rate.admitted;
	row.slack = below(4) != 0;
	row.approved = below(2) == 0;
	row.wrong_withdrawal = below(5) == 0;
	row.deduction = below(3) == 0 ? (int)below(101) : 0;
	return row;
}

static struct pay_policy
random_policy(void)
{
	struct pay_policy p = pay_policy_default();

	if (below(4) == 0)
		return p;
	p.tier = (enum pay_tier)below(3);
	p.step_in = (enum pay_step_in)below(2);
	p.step = (enum pay_step)below(4);
	p.step_in_top = below(2) == 0;
	p.n2 = (enum pay_n2)below(2);
	p.n1 = (enum pay_n1)below(3);
	p.team_rate = (enum pay_team_rate)below(2);
	p.n5 = (enum pay_n5)below(2);
	return p;
}

static void
print_row(int64_t team, const struct pay_policy *p, const struct pay_row *row,
    const struct pay_team *bonus)
{
	struct pay pay = pay_of(p, row);

	printf("%" PRId64 ",%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%d,%d,%d,%d", team,
	    row->leader, row->rate.registered, row->rate.admitted, row->called, row->minimum,
	    row->slack, row->approved, row->wrong_withdrawal, row->deduction);
	printf(",%s,%s,%d,%s,%s,%s,%s,%s", q1[p->tier], q2[p->step_in], p->step_in_top, q3[p->step],
	    q4[p->n2], q6[p->n1], q7[p->team_rate], q18[p->n5]);
	printf(",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", pay.standard, pay.total,
	    pay.amount, pay_bonus(p, bonus, row));
}

int
main(int argc, char **argv)
{
	uint64_t count, done = 0;

	if (argc != 3 || !text_to_u64(argv[1], strlen(argv[1]), &count) ||
	    !text_to_u64(argv[2], strlen(argv[2]), &state)) {
		fputs("usage: pay_rows COUNT SEED\n", stderr);
		return EX_USAGE;
	}
	for (int64_t team = 0; done < count; team++) {
		struct pay_row rows[TEAM];
		struct pay_policy p = random_policy();
		struct pay_team bonus;
		size_t n = (size_t)below(TEAM) + 1;

		for (size_t i = 0; i < n; i++) {
			rows[i] = random_row();
			rows[i].leader = i == 0;
		}
		bonus = pay_team_of(rows, n);
		for (size_t i = 0; i < n && done < count + TEAM; i++, done++)
			print_row(team, &p, &rows[i], &bonus);
	}
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}
