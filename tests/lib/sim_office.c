/* sim_office.c - what people do: the result of a call, a day off, the leaders' and the office's acts, and the plan
 * of the campaign up to the ruling after pass 3. What comes later is in sim_late.c.
 *
 * An applicant has a chance to be reached and a mind; the rest is drawn. A liar writes down what was not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "proto/roles.h"
#include "tests/lib/sim_office.h"

#define TICK_US (5 * SIM_MINUTE)

static struct sim_person *data, *head, *sup;

static void
about(struct record_header *h, enum record_kind kind, uint64_t i)
{
	*h = (struct record_header){.kind = kind, .has_case = true};
	sim_case_id(h->case_id, i);
}

/* ---- the result of a call ---- */

static const char *const talks[] = {"confirmed", "confirmed", "confirmed", "confirmed",
    "considering", "considering", "will-not-say", "withdraw-asked", "needs-help", "ask-leader",
    "call-later", "call-later", "do-not-call", "data-error", "sms-sent", "im-requested",
    "third-party"};
static const char *const fails[] = {"no-answer", "no-answer", "no-answer", "busy", "rejected",
    "powered-off", "suspended", "no-signal", "screened", "empty-number", "wrong-number",
    "school-closed", "rung-empty", "number-found"};
static const char *const rare[] = {"incident", "papers-incomplete", "withdraw-cancelled",
    "wavering", "regret", "deferred", "not-coming", "persuaded", "withdrawn", "registered",
    "no-such-word", "following", "late-arrival", "on-the-way"};
#define PICK(list) (list)[sim_rnd(sizeof(list) / sizeof((list)[0]))]

static const char *
draw(const struct sim_person *p, const struct sim_case *c)
{
	bool strike = (p->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;
	int reach = c->reach + (strike ? 30 : 0);

	if (sim_chance(15))
		return PICK(rare);
	if (sim->stage >= 3 && sim_rnd(100) < (uint64_t)reach)
		return sim_late_draw(p, c);
	if (p->is_liar && sim_chance(500))
		return sim_chance(500) ? "confirmed" : "no-answer";
	if (sim_rnd(100) >= (uint64_t)reach)
		return PICK(fails);
	return c->mind == 0 ? "confirmed" : PICK(talks);
}

static void
attempt(struct sim_person *p, bool again)
{
	struct sim_case *c = &sim->cases[p->hold];
	struct record_header h;
	const char *o = draw(p, c);
	uint8_t number[8], hash[32];
	uint64_t end = (uint64_t)(1000000000LL + sim->now);

	about(&h, REC_ATTEMPT, p->hold);
	h.token = p->token;
	h.again = again;
	h.t_start = end - 20000000;
	h.t_end = end;
	be64_put(number, 1 + p->hold * 4 + sim_rnd(2));
	memset(hash, 7, sizeof(hash));
	field_set_s(&h, F_outcome, o);
	field_set_b(&h, F_number, number, 8);
	field_set_u(&h, F_seconds, sim_rnd(400));
	field_set_u(&h, F_ticks, sim_chance(900) ? 7 : 3);
	if (sim_chance(strcmp(o, "call-later") == 0 ? 800 : 60))
		field_set_u(&h, F_next_at,
		    (uint64_t)(sim_ms() + (int64_t)sim_rnd(36 * HOUR_MS) - HOUR_MS / 2));
	if (sim_chance(30))
		field_set_s(&h, F_next_do, sim_chance(500) ? "they-call" : "hand-up");
	if (strcmp(o, "considering") == 0)
		field_set_u(&h, F_decide_by, (uint64_t)(sim_ms() + (int64_t)sim_rnd(48 * HOUR_MS)));
	if (strcmp(o, "rung-empty") == 0)
		field_set_u(&h, F_rung, 4 + sim_rnd(4));
	if (strcmp(o, "withdraw-asked") == 0)
		field_add(&h, F_evidence, hash, 32);
	sim_say(p, &h);
}

static void
hand_over(struct sim_person *p, uint64_t i, const char *to, const char *to_team)
{
	struct record_header h;

	about(&h, REC_HANDOVER, i);
	field_set_s(&h, F_reason, "work");
	if (to != NULL)
		field_set_s(&h, F_to, to);
	if (to_team != NULL)
		field_set_s(&h, F_to_team, to_team);
	sim_say(p, &h);
}

static const struct sim_person *
some_caller(void)
{
	return &sim->people[sim_rnd(sim->n_callers)];
}

bool
sim_call_result(struct sim_person *p)
{
	const struct sim_case *c = &sim->cases[p->hold];
	bool again = !p->is_last_try && sim_chance(80), up = c->s.lane[0] == 't';

	if (sim_chance(30)) {
		sim_give_back(p);
		return false;
	}
	if (up && sim_chance(600)) {
		bool strike = sim_chance(600);

		hand_over(
		    p, p->hold, strike ? NULL : some_caller()->name, strike ? "strike" : NULL);
		sim_give_back(p);
		return false;
	}
	attempt(p, again);
	return again;
}

bool
sim_day_off(struct sim_person *p)
{
	struct record_header h = {.kind = REC_ABSENCE};

	if (!sim_chance(p->is_lazy ? 12 : 1))
		return false;
	p->away_until = sim->now + (int64_t)(2 + sim_rnd(30)) * 60 * SIM_MINUTE;
	if (sim_chance(500)) {
		field_set_s(&h, F_subject, p->name);
		field_set_u(&h, F_until, (uint64_t)(sim_ms() + (p->away_until - sim->now) / 1000));
		sim_say(p, &h);
	}
	sim_wake_soon(p);
	return true;
}

/* ---- acts beside the calls ---- */

/* The first case of a lane; false: none. */
static bool
first_in(const char *lane, uint64_t *ret)
{
	char key[160], name[100];
	struct span argv[4] = {span_str("ZRANGE"), {NULL, 0}, span_str("0"), span_str("0")};
	struct fv r;
	bool any;

	snprintf(name, sizeof(name), "lane:%s", lane);
	argv[1] = span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, name));
	sim_cmd(argv, 4, &r);
	any = r.n == 1 && sim_case_no(r.at[0].s.data, ret);
	fv_done(&r);
	return any;
}

void
sim_rule(struct sim_person *p, bool has_case, uint64_t i, const char *verdict)
{
	struct record_header h;

	about(&h, REC_RULING, i);
	h.has_case = has_case;
	if (!has_case)
		memset(h.case_id, 0, 16);
	field_set_s(&h, F_verdict, verdict);
	sim_say(p, &h);
	sim_wake_soon(p);
}

static void
paper(struct sim_person *p, uint64_t i, const char *what)
{
	struct record_header h;
	uint8_t hash[32] = {9};

	about(&h, REC_PAPER, i);
	field_set_s(&h, F_what, what);
	field_set_u(&h, F_items, PAPER_ALL);
	field_add(&h, F_evidence, hash, 32);
	sim_say(p, &h);
	sim_wake_soon(p);
}

static struct sim_person *
some_leader(void)
{
	size_t leaders = (sim->n_callers + 11) / 12;

	return &sim->people[sim->n_callers + sim_rnd(leaders)];
}

static void
act_on_any(uint64_t i)
{
	struct record_header h;
	struct sim_person *p;

	switch (sim_rnd(6)) {
	case 0: /* somebody rang in */
		p = &sim->people[sim_rnd(sim->n_callers)];
		about(&h, REC_NOTE, i);
		field_set_s(&h, F_direction, "in");
		sim_say(p, &h);
		break;
	case 1:
		p = some_leader();
		hand_over(p, i, some_caller()->name, NULL);
		break;
	case 2:
		p = some_leader();
		hand_over(p, i, NULL, "strike");
		break;
	case 3: paper(data, i, "received"); return;
	case 4:
		p = some_leader();
		about(&h, REC_REOPEN, i);
		field_set_s(&h, F_reason, "free");
		sim_say(p, &h);
		break;
	default:
		p = some_leader();
		about(&h, REC_NOTE, i);
		sim_say(p, &h);
	}
	sim_wake_soon(p);
}

static void
office_acts(void)
{
	struct record_header h;
	uint64_t i, n = 1 + sim->o.cases / 500;

	if (first_in("supervision", &i) && sim_chance(300))
		sim_rule(sup, true, i, sim_chance(500) ? "resume" : "strike");
	if (first_in("papers", &i) && sim_chance(400)) {
		paper(data, i, sim_chance(300) ? "incomplete" : "signed");
		paper(some_leader(), i, "signed");
	}
	if (first_in("parked", &i)) {
		about(&h, REC_REOPEN, i);
		field_set_s(&h, F_reason, "free");
		sim_say(data, &h);
		sim_wake_soon(data);
	}
	for (; n > 0; n--)
		if (sim_chance(250))
			act_on_any(sim_rnd(sim->o.cases));
}

/* ---- the plan ---- */

void
sim_open_pass(int n, bool open)
{
	struct record_header h = {.kind = REC_PASS};

	field_set_u(&h, F_n, (uint64_t)n);
	field_set_u(&h, F_open, open);
	if (open) {
		sim->pass = n;
		sim->pass_end = calendar_step(&sim->calendar,
		    calendar_open(&sim->calendar, HOURS_CALLING, sim_ms()),
		    sim->policy->pass_length[n], 0);
		field_set_u(&h, F_until, (uint64_t)sim->pass_end);
	}
	sim_say(data, &h);
	sim_wake_soon(data);
}

static void
begin(void)
{
	struct record_header h = {.kind = REC_STAGE};
	struct record_header release = {.kind = REC_RELEASE};

	sim->stage = 2;
	field_set_u(&h, F_n, 2);
	field_set_u(&h, F_open, 1);
	sim_say(data, &h);
	sim_open_pass(1, true);
	field_set_u(&release, F_count, 0);
	field_set_u(&release, F_seed, sim->o.seed);
	sim_say(data, &release);
}

static void
office(void *arg, uint64_t n)
{
	(void)arg;
	if (n == 0)
		begin();
	else if (sim->pass < 3 && sim_ms() >= sim->pass_end)
		sim_open_pass(sim->pass + 1, true);
	else if (sim->pass == 3 && sim_ms() >= sim->pass_end && sim_ms() >= sim->not_before)
		sim_late();
	else if (n > 3 && !sim->is_quiet && (sim->stage == 2 || sim_chance(60)))
		office_acts();
	if (!sim->is_over)
		sim_after(TICK_US, office, NULL, n + 1);
}

void
sim_office_make(struct sim_person *d, struct sim_person *h, struct sim_person *s)
{
	data = d;
	head = h;
	sup = s;
	sim_late_make(d, h);
	sim_after(20 * SIM_MINUTE, office, NULL, 0);
}
