/* Who is enrolled, who may say what, what a login is worth, when a lease may expire, when a store or a
 * clock is not to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypt.h"
#include "broker/guard.h"
#include "broker/hello.h"
#include "broker/rights.h"
#include "broker/roster.h"
#include "broker/watch.h"
#include "proto/chain.h"

#define HEX64_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX64_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX32_1 "11111111111111111111111111111111"
#define HEX32_2 "22222222222222222222222222222222"

/* ---- roster ---- */

static bool
agent(struct roster *r, const char *id, const char *row)
{
	return roster_put_agent(r, span_str(id), span_str(row));
}

static bool
person(struct roster *r, const char *name, const char *row)
{
	return roster_put_person(r, span_str(name), span_str(row));
}

static void
rows_are_read_whole_or_not_at_all(void **state)
{
	struct roster *r = roster_create();
	static const char *const bad[] = {"", "1", "1 t1", "1 t1 1 -", "1 t1 1 - 2", "1 t1 2 - 1",
	    "x t1 1 - 1", "1 T1 1 - 1", "1 t1 1 aa 1", "1 t1 1 - 1 more", "4294967296 t1 1 - 1"};
	const struct person *p;

	(void)state;
	assert_true(person(r, "ann", "3 t1 1 " HEX64_A " 1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(person(r, "ann", bad[i]));
	assert_false(person(r, "Ann", "3 t1 1 - 1"));
	p = roster_person(r, "ann");
	assert_non_null(p);
	assert_int_equal(p->roles, 3);
	assert_string_equal(p->team, "t1");
	assert_true(p->qualified && p->active && p->has_pk && p->pk[31] == 0xaa);
	assert_true(person(r, "ann", "1 - 0 - 0"));
	p = roster_person(r, "ann");
	assert_string_equal(p->team, "");
	assert_false(p->qualified || p->active || p->has_pk);
	assert_null(roster_person(r, "bob"));
	assert_false(agent(r, HEX32_1, HEX64_A " " HEX64_A));
	assert_false(agent(r, HEX32_1, HEX64_A " " HEX64_A " maybe"));
	assert_false(agent(r, "11", HEX64_A " " HEX64_A " active"));
	assert_int_equal(roster_agents(r), 0);
	roster_destroy(r);
}

static void
a_key_belongs_to_its_active_agent(void **state)
{
	struct roster *r = roster_create();
	uint8_t a[32], b[32], id1[16];

	(void)state;
	memset(a, 0xaa, sizeof(a));
	memset(b, 0xbb, sizeof(b));
	memset(id1, 0x11, sizeof(id1));
	assert_true(agent(r, HEX32_1, HEX64_A " " HEX64_B " active"));
	assert_true(roster_agent_by_key(r, a)->active);
	assert_null(roster_agent_by_key(r, b));
	/* enrolled anew under another id, the old row read afterwards */
	assert_true(agent(r, HEX32_2, HEX64_A " " HEX64_B " active"));
	assert_true(agent(r, HEX32_1, HEX64_A " " HEX64_B " revoked"));
	assert_true(roster_agent_by_key(r, a)->active);
	assert_int_equal(roster_agent_by_key(r, a)->id[0], 0x22);
	assert_false(roster_agent(r, id1)->active);
	assert_true(agent(r, HEX32_2, HEX64_A " " HEX64_B " revoked"));
	assert_false(roster_agent_by_key(r, a)->active);
	/* a new key of the same agent: the old one is nobody's */
	assert_true(agent(r, HEX32_2, HEX64_B " " HEX64_B " active"));
	assert_null(roster_agent_by_key(r, a));
	assert_true(roster_agent_by_key(r, b)->active);
	roster_destroy(r);
}

/* ---- rights ---- */

static struct person
make(uint32_t roles, const char *team)
{
	struct person p = {.roles = roles, .qualified = true, .active = true};

	(void)snprintf(p.name, sizeof(p.name), "ann");
	(void)snprintf(p.team, sizeof(p.team), "%s", team);
	return p;
}

static void
next_is_for_qualified_workers_of_a_team(void **state)
{
	struct person p = make(ROLE_CALLER, "t1");

	(void)state;
	assert_int_equal(rights_next(&p), NEXT_YES);
	p.qualified = false;
	assert_int_equal(rights_next(&p), NEXT_UNQUALIFIED);
	p = make(ROLE_CALLER | ROLE_LEADER, "");
	assert_int_equal(rights_next(&p), NEXT_UNQUALIFIED);
	p = make(ROLE_STRIKE, ""); /* a team by itself */
	assert_int_equal(rights_next(&p), NEXT_YES);
	p = make(ROLE_SUPERVISOR | ROLE_DATA | ROLE_ADMIN, "t1");
	assert_int_equal(rights_next(&p), NEXT_DENIED);
}

static void
lanes_to_take_from_follow_the_roles(void **state)
{
	static const struct {
		uint32_t roles;
		const char *team, *lanes;
		bool may;
	} rows[] = {
	    {ROLE_CALLER, "t1", "", true},
	    {ROLE_LEADER, "t1", "team:t1 team:t1:*", true},
	    {ROLE_DEPUTY, "", "", true},
	    {ROLE_STRIKE, "t1", "strike strike:*", true},
	    {ROLE_LEADER | ROLE_STRIKE_HEAD | ROLE_SUPERVISOR | ROLE_DESIGNATED, "t1",
	        "team:t1 team:t1:* strike strike:* supervision papers", true},
	    {ROLE_DATA, "", "papers", true},
	    {ROLE_ADMIN | ROLE_FINANCE | ROLE_LEADING | ROLE_OPERATOR, "t1", "", false},
	};
	char lanes[160];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct person p = make(rows[i].roles, rows[i].team);

		assert_int_equal(rights_take(&p, lanes, sizeof(lanes)), rows[i].may);
		assert_string_equal(lanes, rows[i].lanes);
	}
}

static void
record_is(uint32_t roles, int kind, uint64_t token, bool has_case, uint32_t want, const char *why)
{
	struct person p = make(roles, "t1");
	struct record_header h;
	const char *got;

	memset(&h, 0, sizeof(h));
	h.kind = (enum record_kind)kind;
	h.token = token;
	h.has_case = has_case;
	assert_int_equal(rights_record(&p, &h, &got), want);
	assert_string_equal(got, why);
}

static void
records_without_a_token_ask_for_a_role(void **state)
{
	const uint32_t moves = RECORD_MOVES, binds = RECORD_BINDS, quarantined = RECORD_QUARANTINED;

	(void)state;
	record_is(ROLE_CALLER, REC_ATTEMPT, 7, true, moves | binds, "");
	record_is(ROLE_CALLER, REC_ATTEMPT, 0, true, moves | binds | RECORD_OWNER_ONLY, "");
	record_is(ROLE_LEADER, REC_ATTEMPT, 0, true, moves | binds, "");
	record_is(ROLE_CALLER, REC_RELEASE, 0, false, quarantined, "role");
	record_is(ROLE_DATA, REC_RELEASE, 0, false, 0, "");
	record_is(ROLE_CALLER, REC_ENROL, 0, false, quarantined, "role");
	record_is(ROLE_ADMIN, REC_ENROL, 0, false, 0, "");
	record_is(ROLE_FINANCE, REC_NOTE, 0, false, 0, "");
	record_is(ROLE_CALLER, REC_WAIVER, 0, true, moves | quarantined, "role");
	record_is(ROLE_CALLER, 99, 0, false, quarantined, "schema");
}

static void
a_person_who_is_gone_or_unknown_is_quarantined(void **state)
{
	struct person p = make(ROLE_CALLER, "t1");
	struct record_header h = {.kind = REC_NOTE, .again = 1};
	const char *why;

	(void)state;
	p.active = false;
	assert_int_equal(rights_record(&p, &h, &why), RECORD_QUARANTINED | RECORD_AGAIN);
	assert_string_equal(why, "person");
	assert_int_equal(rights_record(NULL, &h, &why), RECORD_QUARANTINED | RECORD_AGAIN);
	assert_string_equal(why, "person");
}

static void
seeing_follows_owner_team_and_lane(void **state)
{
	struct person caller = make(ROLE_CALLER, "t1"), leader = make(ROLE_LEADER, "t1"),
	              strike = make(ROLE_STRIKE, "t2"), finance = make(ROLE_FINANCE, "t1"),
	              papers = make(ROLE_DESIGNATED, ""), office = make(ROLE_BACK_OFFICE, "");

	(void)state;
	assert_true(rights_see(&caller, "resting", "ann", "", "retry", "t1"));
	assert_true(rights_see(&caller, "hand:ann", "bob", "ann", "retry", "t2"));
	assert_true(rights_see(&caller, "own:ann:due", "", "", "retry", ""));
	assert_false(rights_see(&caller, "own:annie:due", "annie", "", "retry", "t1"));
	assert_false(rights_see(&caller, "pool", "", "", "retry", ""));
	assert_true(rights_see(&leader, "resting", "bob", "", "retry", "t1"));
	assert_true(rights_see(&leader, "team:t1", "", "", "retry", ""));
	assert_false(rights_see(&leader, "team:t11", "bob", "", "retry", "t2"));
	assert_false(rights_see(&leader, "pool", "", "", "retry", ""));
	assert_true(rights_see(&strike, "strike", "bob", "", "retry", "t1"));
	assert_false(rights_see(&strike, "resting", "bob", "", "retry", "t1"));
	assert_false(rights_see(&finance, "strike", "bob", "", "retry", "t1"));
	assert_true(rights_see(&papers, "papers", "bob", "", "retry", "t1"));
	assert_false(rights_see(&papers, "pool", "bob", "", "retry", "t1"));
	assert_true(rights_see(&office, "own:bob:due", "bob", "", "rung-4", "t1"));
	assert_true(rights_see(&office, "own:bob:due", "bob", "", "rung-5", "t1"));
	assert_false(rights_see(&office, "own:bob:due", "bob", "", "rung-6", "t1"));
	assert_false(rights_see(&office, "own:bob:due", "bob", "", "new-number", "t1"));
}

/* ---- logins ---- */

static void
a_login_holds_for_its_person_outbox_and_time(void **state)
{
	uint8_t pk[32], sk[64], id[16] = {1}, ob[16] = {2}, other[16] = {3};
	struct login_facts facts = {"c1", id, ob, 1000000};
	struct person p = make(ROLE_CALLER, "t1");
	struct login l = {.from = 999000, .until = 2000000};
	struct buf bytes = BUF_INIT;
	bool right;

	(void)state;
	crypt_sign_keypair(pk, sk);
	memcpy(l.person, "ann", 4);
	memcpy(p.pk, pk, sizeof(p.pk));
	p.has_pk = true;
	chain_login_bytes(&bytes, "c1", "ann", id, ob, l.from, l.until);
	crypt_sign(l.sig, sk, buf_span(&bytes));
	buf_done(&bytes);
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "");
	assert_true(right);
	assert_string_equal(login_check(&l, NULL, &facts, false, &right), "unknown");
	assert_false(right);
	facts.ob = other;
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "signature");
	assert_false(right);
	facts.ob = ob;
	facts.wall_ms = 2000000;
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "expired");
	assert_true(right);
	facts.wall_ms = 999000 - 10 * 60 * 1000; /* clocks may differ by so much */
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "");
	facts.wall_ms--;
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "expired");
	facts.wall_ms = 1000000;
	p.active = false;
	assert_string_equal(login_check(&l, &p, &facts, false, &right), "revoked");
	l.until = l.from + 12 * 3600 * 1000;
	p.active = true;
	assert_string_equal(login_check(&l, &p, &facts, true, &right), "");
	l.until++;
	assert_string_equal(login_check(&l, &p, &facts, true, &right), "expired");
}

/* ---- watch ---- */

static void
a_lease_expires_only_after_it_was_seen_unchanged_long_enough(void **state)
{
	struct watch *w = watch_create();
	uint8_t a[16] = {1}, b[16] = {2};

	(void)state;
	watch_begin(w);
	assert_false(watch_see(w, a, 7, 0, 100, 110, 1000));
	assert_false(watch_see(w, b, 8, 0, 100, 110, 1000));
	watch_end(w);
	watch_begin(w);
	/* counted from the answer of the first look to the question of this one */
	assert_false(watch_see(w, a, 7, 0, 1109, 1200, 1000));
	assert_true(watch_see(w, a, 7, 0, 1110, 1200, 1000));
	assert_false(watch_see(w, b, 8, 1, 1110, 1200, 1000)); /* renewed */
	watch_end(w);
	watch_begin(w);
	assert_false(watch_see(w, a, 9, 0, 3000, 3010, 1000)); /* granted on */
	assert_false(watch_see(w, b, 8, 1, 2199, 3010, 1000));
	assert_true(watch_see(w, b, 8, 1, 2200, 3010, 1000));
	watch_end(w);
	assert_int_equal(watch_count(w), 2);
	watch_begin(w);
	watch_end(w);
	assert_int_equal(watch_count(w), 0);
	watch_begin(w);
	assert_false(watch_see(w, a, 9, 0, 9000, 9010, 1000)); /* away in between: starts over */
	watch_reset(w);
	assert_false(watch_see(w, a, 9, 0, 99000, 99010, 1000));
	watch_destroy(w);
}

/* ---- guard ---- */

static const char info[] =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:0123456789abcdef\r\n"
    "# Memory\r\nused_memory:600\r\nused_memory_rss:5\r\nmaxmemory:1000\r\n"
    "# Persistence\r\naof_last_write_status:ok\r\n# Replication\r\nrole:master\r\n";

static struct store_facts
good_facts(void)
{
	static const char *const rows[][2] = {{"appendonly", "yes"}, {"appendfsync", "always"},
	    {"no-appendfsync-on-rewrite", "no"}, {"maxmemory-policy", "noeviction"}};
	struct store_facts f;

	memset(&f, 0, sizeof(f));
	facts_info(&f, span_str(info));
	for (size_t i = 0; i < 4; i++)
		facts_config(&f, span_str(rows[i][0]), span_str(rows[i][1]));
	return f;
}

static void
only_a_store_that_keeps_what_it_says_is_trusted(void **state)
{
	struct store_facts f = good_facts(), none;

	(void)state;
	assert_string_equal(f.run_id, "0123456789abcdef");
	assert_string_equal(facts_not_durable(&f), "");
	facts_config(&f, span_str("appendfsync"), span_str("everysec"));
	assert_string_not_equal(facts_not_durable(&f), "");
	f = good_facts();
	facts_config(&f, span_str("appendonly"), span_str("no"));
	assert_string_not_equal(facts_not_durable(&f), "");
	f = good_facts();
	facts_config(&f, span_str("no-appendfsync-on-rewrite"), span_str("yes"));
	assert_string_not_equal(facts_not_durable(&f), "");
	f = good_facts();
	facts_config(&f, span_str("maxmemory-policy"), span_str("allkeys-lru"));
	assert_string_not_equal(facts_not_durable(&f), "");
	f = good_facts();
	facts_info(&f, span_str("run_id:x\r\nrole:slave\r\naof_last_write_status:ok\r\n"));
	assert_string_not_equal(facts_not_durable(&f), "");
	f = good_facts();
	facts_info(&f, span_str("run_id:x\r\nrole:master\r\naof_last_write_status:err\r\n"));
	assert_string_not_equal(facts_not_durable(&f), "");
	memset(&none, 0, sizeof(none));
	assert_string_not_equal(facts_not_durable(&none), "");
}

static void
a_store_is_too_full_from_60_percent_on(void **state)
{
	struct store_facts f = good_facts();

	(void)state;
	f.used_memory = 6000000;
	f.max_memory = 10000000;
	assert_true(facts_too_full(&f));
	f.used_memory = 5999000;
	assert_false(facts_too_full(&f));
	f.max_memory = 0;
	assert_false(facts_too_full(&f));
}

static void
a_wall_clock_that_jumps_or_differs_is_noticed(void **state)
{
	struct clock_watch c = {.is_set = false};

	(void)state;
	assert_string_equal(clock_watch_check(&c, 1000000, 0, 0), "");
	assert_string_equal(clock_watch_check(&c, 1100000, 100000000, 1100000 + 30000), "");
	assert_string_equal(clock_watch_check(&c, 1105000, 100000000, 0), "");
	assert_string_not_equal(clock_watch_check(&c, 1105001, 100000000, 0), "");
	assert_string_not_equal(clock_watch_check(&c, 1094999, 100000000, 0), "");
	assert_string_not_equal(clock_watch_check(&c, 1100000, 100000000, 1130001), "");
	assert_string_not_equal(clock_watch_check(&c, 1100000, 100000000, 1069999), "");
	assert_string_equal(clock_watch_check(&c, 1100000, 100000000, 0), "");
}

static int
start(void **state)
{
	(void)state;
	return crypt_init(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_read_whole_or_not_at_all),
	    cmocka_unit_test(a_key_belongs_to_its_active_agent),
	    cmocka_unit_test(next_is_for_qualified_workers_of_a_team),
	    cmocka_unit_test(lanes_to_take_from_follow_the_roles),
	    cmocka_unit_test(records_without_a_token_ask_for_a_role),
	    cmocka_unit_test(a_person_who_is_gone_or_unknown_is_quarantined),
	    cmocka_unit_test(seeing_follows_owner_team_and_lane),
	    cmocka_unit_test(a_login_holds_for_its_person_outbox_and_time),
	    cmocka_unit_test(a_lease_expires_only_after_it_was_seen_unchanged_long_enough),
	    cmocka_unit_test(only_a_store_that_keeps_what_it_says_is_trusted),
	    cmocka_unit_test(a_store_is_too_full_from_60_percent_on),
	    cmocka_unit_test(a_wall_clock_that_jumps_or_differs_is_noticed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
