/* The order of work as lanes, and how much of the pool a person may take (practice.md 3). */
#include "tests/unit/law_kit.h"

#include "proto/roles.h"
#include "workers/escalation/offer.h"

static struct policy *policy;
static struct calendar cal;

static int
setup(void **state)
{
	(void)state;
	policy = kit_policy();
	calendar_init(&cal, policy);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static void
offered(uint32_t roles, int pass, enum gate gate, int own, const char *want)
{
	struct offer_campaign x = {pass, gate, when("2026-03-02 08:30"), 1403, 48};
	struct offer_person who = {"ann", "t1", roles, true, own, 0};
	char is[600] = "";
	struct offer o;

	offer_lanes(&o, policy, &cal, when("2026-03-02 09:00"), &x, &who);
	for (int i = 0; i < o.n; i++) {
		strcat(is, i == 0 ? "" : " ");
		strcat(is, o.lanes[i]);
	}
	assert_string_equal(is, want);
}

static void
work_comes_in_the_order_of_the_room(void **state)
{
	(void)state;
	offered(ROLE_CALLER, 1, GATE_OPEN, 0,
	    "own:ann:promise own:ann:asked own:ann:first pool own:ann:retry own:ann:due");
	offered(ROLE_CALLER, 2, GATE_OPEN, 0,
	    "own:ann:promise own:ann:asked own:ann:first own:ann:due own:ann:retry pool");
	offered(ROLE_LEADER, 1, GATE_OPEN, 0,
	    "own:ann:promise own:ann:asked team:t1:hot own:ann:first pool own:ann:retry "
	    "own:ann:due "
	    "team:t1");
	offered(ROLE_STRIKE, 3, GATE_OPEN, 0,
	    "own:ann:promise own:ann:asked strike:hot own:ann:first own:ann:due own:ann:retry "
	    "strike");
	offered(ROLE_CALLER | ROLE_DATA, 3, GATE_OPEN, 0,
	    "own:ann:promise own:ann:asked own:ann:first own:ann:due own:ann:retry papers pool");
	/* A full plate: no more from the pool. */
	offered(ROLE_CALLER, 1, GATE_OPEN, 37,
	    "own:ann:promise own:ann:asked own:ann:first own:ann:retry own:ann:due");
	/* After the hours only what was asked for. */
	offered(ROLE_LEADER, 1, GATE_ASKED, 0, "own:ann:asked");
	offered(ROLE_SUPERVISOR | ROLE_OPERATOR, 1, GATE_OPEN, 0, "");
}

static void
nobody_unqualified_is_offered_anything(void **state)
{
	struct offer_campaign x = {1, GATE_OPEN, 0, 10, 1};
	struct offer_person who = {"ann", "t1", ROLE_CALLER, false, 0, 0};
	struct offer o;

	(void)state;
	offer_lanes(&o, policy, &cal, when("2026-03-02 09:00"), &x, &who);
	assert_int_equal(o.n, 0);
	/* Qualified but in no team: own work, nothing from the pool. */
	who.qualified = true;
	who.team = "";
	offer_lanes(&o, policy, &cal, when("2026-03-02 09:00"), &x, &who);
	assert_int_equal(o.n, 5);
	assert_int_equal(o.pulls, 0);
}

static void
the_pool_is_shared_out(void **state)
{
	static const struct {
		const char *at;
		int volume, callers, own, unfirst, pulls;
		const char *until;
	} rows[] = {
	    /* 1403/48 x 1.25 = 36.5: 37. At most 15 without a first result. */
	    {"2026-03-02 09:00", 1403, 48, 0, 0, 15, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 1403, 48, 30, 10, 5, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 1403, 48, 36, 0, 1, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 1403, 48, 37, 0, 0, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 1403, 48, 20, 15, 0, "2026-03-02 17:30"},
	    /* 56 people, should the leaders come on top of the 48 (Q10): 25.05 x 1.25 = 31.3 */
	    {"2026-03-02 09:00", 1403, 56, 31, 0, 1, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 1403, 56, 32, 0, 0, "2026-03-02 17:30"},
	    /* 8 calling hours after the release the share ends, the fifteen do not. */
	    {"2026-03-02 17:30", 1403, 48, 37, 4, 11, "never"},
	    {"2026-03-02 17:30", 1403, 48, 90, 20, 0, "never"},
	    {"2026-03-02 09:00", 1, 48, 0, 0, 1, "2026-03-02 17:30"},
	    {"2026-03-02 09:00", 0, 0, 0, 0, 15, "never"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct offer_campaign x = {
		    1, GATE_OPEN, when("2026-03-02 08:30"), rows[i].volume, rows[i].callers};
		struct offer_person who = {
		    "ann", "t1", ROLE_CALLER, true, rows[i].own, rows[i].unfirst};
		int64_t until;

		assert_int_equal(
		    offer_caps(policy, &cal, when(rows[i].at), &x, &who, &until), rows[i].pulls);
		assert_int_equal(until, when(rows[i].until));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(work_comes_in_the_order_of_the_room),
	    cmocka_unit_test(nobody_unqualified_is_offered_anything),
	    cmocka_unit_test(the_pool_is_shared_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
