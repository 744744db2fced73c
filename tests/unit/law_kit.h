/* law_kit.h - what the tests of the law share: the shipped policy, a Monday, one case of ann in team t1,
 * and short ways to say "this happened then" and "it is there, due then, because". */
#ifndef TESTS_LAW_KIT_H
#define TESTS_LAW_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "workers/escalation/law.h"

#define DEFAULT_POLICY "deploy/policy/default.policy"

struct kit {
	struct policy *policy;
	struct calendar calendar;
	struct law_ctx ctx;
	struct law_case c;
	struct law_placement p;
	char owner[33];
};

static inline int64_t
when(const char *text)
{
	int64_t ms;

	if (text == NULL || strcmp(text, "never") == 0)
		return CALENDAR_NEVER;
	if (!clock_parse(text, &ms))
		fail_msg("not a time: %s", text);
	return ms;
}

static inline struct policy *
kit_policy(void)
{
	struct policy *p = NULL;
	struct buf problems = BUF_INIT;
	struct err err = ERR_INIT;

	if (policy_load(&p, DEFAULT_POLICY, &problems, &err) != 0)
		fail_msg("%s\n%s", err.text, problems.data == NULL ? "" : (char *)problems.data);
	buf_done(&problems);
	/* Most tests are about what comes before and after the search; test_law_ladder switches it on. */
	p->set_n[SET_LADDER_TASKS] = 0;
	return p;
}

/* Pass 2, which ends far away: delays stand as they are in the table. 2026-03-02 is a Monday. */
static inline void
kit_open(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	k->policy = kit_policy();
	calendar_init(&k->calendar, k->policy);
	k->ctx = (struct law_ctx){.policy = k->policy,
	    .calendar = &k->calendar,
	    .now = when("2026-03-02 09:00"),
	    .stage = 2,
	    .pass = 2,
	    .pass_end = when("2026-03-20 21:00"),
	    .owner = k->owner,
	    .team = "t1",
	    .reserved_for = ""};
	strcpy(k->owner, "ann");
	law_case_init(&k->c);
	k->c.place = PLACE_OWN;
	k->c.cls = CLASS_FIRST;
	k->c.due = k->ctx.now;
	k->c.pass = 2;
	k->c.pass_end = k->ctx.pass_end;
}

static inline void
kit_close(struct kit *k)
{
	policy_free(k->policy);
}

/* Folds the act, asks the law, and looks at what must hold always. */
static inline void
kit_act(struct kit *k, const char *at, struct law_act *a)
{
	struct err err = ERR_INIT;
	uint8_t blob[LAW_BLOB_MAX];
	struct law_case back;
	size_t len;

	k->ctx.now = when(at);
	if (a != NULL) {
		a->at = k->ctx.now;
		law_fold(&k->c, &k->ctx, a);
	}
	if (law_next(&k->c, &k->ctx, a, &k->p, &err) != 0)
		fail_msg("%s", err.text);
	strcpy(k->owner, k->p.owner);
	len = law_case_pack(blob, &k->c);
	assert_int_equal(law_case_unpack(&back, span_of(blob, len), NULL), 0);
	assert_memory_equal(&back, &k->c, sizeof(back));
}

/* An attempt by `person` on number n (0 none). */
static inline void
kit_say_by(struct kit *k, const char *person, const char *at, const char *outcome, uint64_t n)
{
	struct law_act a;

	law_act_init(&a, LAW_ATTEMPT);
	a.outcome = outcome;
	a.person = person;
	a.leader = strcmp(person, "lea") == 0;
	a.number = n;
	a.ticks = 7;
	a.evidence = 1;
	kit_act(k, at, &a);
}

static inline void
kit_say(struct kit *k, const char *at, const char *outcome, uint64_t n)
{
	kit_say_by(k, "ann", at, outcome, n);
}

static inline void
kit_tick(struct kit *k, const char *at)
{
	kit_act(k, at, NULL);
}

#define assert_placed(k, want_lane, want_due, want_reason)                                         \
	kit_placed(k, want_lane, want_due, want_reason, __FILE__, __LINE__)

static inline void
kit_placed(struct kit *k, const char *lane, const char *due, const char *reason, const char *file,
    int line)
{
	char is[32] = "never";

	if (k->p.due != CALENDAR_NEVER)
		clock_text(is, k->p.due);
	if (strcmp(k->p.lane, lane) != 0 || strcmp(is, due) != 0 ||
	    strcmp(reason_code(k->p.reason), reason) != 0)
		fail_msg("%s:%d: is %s %s %s, should be %s %s %s", file, line, k->p.lane, is,
		    reason_code(k->p.reason), lane, due, reason);
}

#define assert_timer(k, want) kit_timer(k, want, __FILE__, __LINE__)

static inline void
kit_timer(struct kit *k, const char *want, const char *file, int line)
{
	char is[32] = "never";

	if (k->p.timer_at != 0)
		clock_text(is, k->p.timer_at);
	if (strcmp(is, want) != 0)
		fail_msg("%s:%d: looks again %s, should be %s", file, line, is, want);
}

#endif
