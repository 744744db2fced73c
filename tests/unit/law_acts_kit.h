/* law_acts_kit.h - short ways to say what is no call: rulings, signatures, passes, the strike team. */
#ifndef TESTS_LAW_ACTS_KIT_H
#define TESTS_LAW_ACTS_KIT_H

#include "tests/unit/law_kit.h"

static inline void
act(struct kit *k, enum law_kind kind, const char *person, const char *at)
{
	struct law_act a;

	law_act_init(&a, kind);
	a.person = person;
	kit_act(k, at, &a);
}

static inline void
ruled(struct kit *k, const char *at, const char *outcome, const char *what)
{
	struct law_act a;

	law_act_init(&a, LAW_RULING);
	a.person = "head";
	a.outcome = outcome;
	a.what = what;
	kit_act(k, at, &a);
}

static inline void
by_strike(struct kit *k, const char *at, const char *outcome)
{
	struct law_act a;

	law_act_init(&a, LAW_ATTEMPT);
	a.person = "max";
	a.strike_team = true;
	a.outcome = outcome;
	a.number = 1;
	a.ticks = 7;
	kit_act(k, at, &a);
}

static inline void
pass_or_stage(struct kit *k, enum law_kind kind, int n, const char *at, const char *until)
{
	struct law_act a;

	law_act_init(&a, kind);
	a.pass = a.stage = n;
	a.until = until == NULL ? 0 : when(until);
	if (kind == LAW_PASS) {
		k->ctx.pass = n;
		k->ctx.pass_end = a.until;
	} else {
		k->ctx.stage = n;
		k->ctx.pass = 0;
		k->ctx.pass_end = 0;
		k->ctx.stage_opened_at = when(at);
	}
	kit_act(k, at, &a);
}

/* Four tries without a soul: unreachable, with the leader since Tuesday 12:00. */
static inline void
make_unreachable(struct kit *k)
{
	kit_open(k);
	kit_say(k, "2026-03-02 09:00", "no-answer", 1);
	kit_say(k, "2026-03-02 11:00", "no-answer", 1);
	kit_say(k, "2026-03-02 12:00", "no-answer", 1);
	kit_say(k, "2026-03-03 12:00", "no-answer", 1);
}

static inline void
signs(struct kit *k, const char *person, const char *at)
{
	struct law_act a;

	law_act_init(&a, LAW_PAPER);
	a.outcome = "withdrawn";
	a.person = person;
	a.evidence = 1;
	a.items = PAPER_ALL;
	a.signer = true;
	kit_act(k, at, &a);
}

#endif
