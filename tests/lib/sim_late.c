/* sim_late.c - the office and the callers from the end of pass 3 to the last no-show: the lists are signed off, what
 * is open is ruled, the pass is closed; stage 3 with its follow-ups, stage 4 with the registration, files of
 * arrivals of which the first has mistakes, and a ruling for whoever did not come.
 *
 * A step is done once; the next one comes when it may. Whatever hangs fails the check all_ruled. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "proto/codec.h"
#include "proto/lists.h"
#include "proto/roles.h"
#include "tests/lib/sim_loss.h"
#include "tests/lib/sim_office.h"

#define WAITS_MOST 600 /* steps of five minutes */
#define PIECE      500 /* rows of one record */

static struct sim_person *data, *head;

void
sim_late_make(struct sim_person *d, struct sim_person *h)
{
	data = d;
	head = h;
}

/* ---- the result of a call ---- */

#define PICK(list) (list)[sim_rnd(sizeof(list) / sizeof((list)[0]))]

const char *
sim_late_draw(const struct sim_person *p, const struct sim_case *c)
{
	static const char *const admitted[] = {"following", "following", "following", "following",
	    "confirmed", "wavering", "call-later", "third-party", "needs-help", "data-error",
	    "do-not-call", "ask-leader"};
	static const char *const gone[] = {
	    "regret", "wavering", "following", "withdraw-asked", "not-coming", "will-not-say"};
	static const char *const coming[] = {
	    "on-the-way", "on-the-way", "following", "confirmed", "late-arrival", "call-later"};
	static const char *const not [] = {"not-coming", "not-coming", "not-coming", "deferred",
	    "on-the-way", "late-arrival", "regret", "no-answer"};
	bool strike = (p->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;

	sim->n_followed++;
	if (strike && sim_chance(300))
		return "persuaded";
	if (sim->stage == 3)
		return c->comes ? PICK(admitted) : PICK(gone);
	return c->comes ? PICK(coming) : PICK(not );
}

/* ---- lists ---- */

/* Everybody who owns or leads says that the own list is done. */
static void
sign_off(void)
{
	for (size_t i = 0; i < sim->n_people; i++) {
		struct record_header h = {.kind = REC_SIGNOFF};

		if (!sim->people[i].works)
			continue;
		field_set_u(&h, F_n, 3);
		sim_say(&sim->people[i], &h);
		sim_wake_soon(&sim->people[i]);
	}
}

static void
commit(const uint8_t id[16], uint64_t rows)
{
	struct record_header h = {.kind = REC_COMMIT};

	field_set_b(&h, F_import, id, 16);
	field_set_s(&h, F_what, "arrivals");
	field_set_u(&h, F_rows, rows);
	sim_say(data, &h);
	sim_wake_soon(data);
}

/* A file of arrivals; the first one has mistakes, the last one none. */
static void
arrivals(int no)
{
	uint8_t id[16];

	memset(id, 'A', sizeof(id));
	id[0] = (uint8_t)no;
	for (uint64_t i = 0; i < sim->o.cases; i += PIECE) {
		struct record_header h = {.kind = REC_IMPORT};
		uint64_t end = i + PIECE < sim->o.cases ? i + PIECE : sim->o.cases;
		struct buf rows = BUF_INIT;

		enc_array(&rows, (uint32_t)(end - i));
		for (uint64_t k = i; k < end; k++) {
			struct sim_case *c = &sim->cases[k];
			struct arrival_row row = {.at = (uint64_t)sim_ms()};

			sim_case_id(row.case_id, k);
			c->in_file = c->comes;
			if (no == 1) /* half of them come later, and some names were mixed up */
				c->in_file =
				    sim_chance(20) ? !c->comes : c->comes && sim_chance(500);
			row.came = c->in_file;
			arrival_row_encode(&rows, &row);
		}
		field_set_b(&h, F_import, id, 16);
		field_set_s(&h, F_what, "arrivals");
		sim_say_rows(data, &h, buf_span(&rows));
		buf_done(&rows);
	}
	commit(id, sim->o.cases);
}

static void
open_stage(int n)
{
	struct record_header h = {.kind = REC_STAGE};

	sim->stage = n;
	field_set_u(&h, F_n, (uint64_t)n);
	field_set_u(&h, F_open, 1);
	sim_say(data, &h);
	sim_wake_soon(data);
}

/* Those who said to the strike team that they will not come, are ruled; all: every open case is. */
static void
rule_open(bool all)
{
	for (uint64_t i = 0; i < sim->o.cases; i++) {
		const struct law_case *m = &sim->cases[i].law;
		bool says = m->strike != STRIKE_NONE && m->state == STATE_NOT_COMING;

		if (m->place == PLACE_TERMINAL || m->state == STATE_DEFERRED)
			continue;
		if (says && (all || sim_chance(100)))
			sim_rule(head, true, i, "not-coming");
		else if (all)
			sim_rule(head, true, i, "deferred");
	}
}

/* ---- the plan ---- */

enum late_step {
	STOP,
	SIGN,
	RULE,
	RULED,
	CLOSE_PASS,
	ADMISSION,
	FOLLOW_UP,
	REGISTRATION,
	FIRST_FILE,
	SECOND_FILE,
	LAST_CALLS,
	LAST_STOP,
	LAST_FILE,
	LAST_RULING,
	LAST_LOOK,
	OVER
};

static bool
all_is_quiet(void)
{
	bool done;

	sim_people_done(&done);
	return done && sim_loss_is_over() && sim_zcard("leases") == 0 && sim->is_router_up &&
	       sim->is_connected && sim->router->read.epoch == sim->log_epoch &&
	       sim->router->read.no == sim->log_no && !sim->router->is_inflight;
}

/* What a step waits for; false: not yet. */
static bool
may(enum late_step s)
{
	switch (s) {
	case SIGN:
	case RULE:
	case RULED:
	case CLOSE_PASS:
	case LAST_FILE:
	case LAST_RULING:
	case LAST_LOOK:
	case OVER: return all_is_quiet();
	case ADMISSION: return all_is_quiet() && sim->router->book.pass == 0;
	case STOP:
	case FOLLOW_UP:
	case REGISTRATION:
	case FIRST_FILE:
	case SECOND_FILE:
	case LAST_CALLS:
	case LAST_STOP: break;
	}
	return true;
}

static void
act(enum late_step s)
{
	int64_t from = sim->policy->registration_from;

	switch (s) {
	case STOP: sim->is_quiet = true; break;
	case SIGN: sign_off(); break;
	case RULE:
		sim_rule(head, false, 0, "admitted-unconfirmed");
		if (sim->o.fault != BREAK_RULED)
			sim_rule(data, false, 0, "admitted-unconfirmed");
		break;
	case RULED: break; /* the router has its time */
	case CLOSE_PASS: sim_open_pass(3, false); break;
	case ADMISSION:
		sim_check_closed();
		sim->is_over = sim->o.to_pass_3;
		if (sim->is_over)
			break;
		open_stage(3);
		sim->is_quiet = false;
		break;
	case FOLLOW_UP: sim->not_before = from + 6 * HOUR_MS; break;
	case REGISTRATION:
		open_stage(4);
		sim->not_before = from + 20 * HOUR_MS;
		break;
	case FIRST_FILE:
		arrivals(1);
		sim->not_before = from + 34 * HOUR_MS;
		break;
	case SECOND_FILE:
		arrivals(2);
		sim->not_before = from + 44 * HOUR_MS;
		break;
	case LAST_CALLS: rule_open(false); break;
	case LAST_STOP: sim->is_quiet = true; break;
	case LAST_FILE: arrivals(3); break;
	case LAST_RULING: rule_open(true); break;
	case LAST_LOOK: sim->is_closing = true; break;
	case OVER: sim->is_over = true; break;
	}
}

void
sim_late(void)
{
	enum late_step s = (enum late_step)sim->step;

	if (!may(s)) {
		if (++sim->waited > WAITS_MOST)
			sim_fail("all_ruled", "step %d after pass 3 cannot be done", sim->step);
		return;
	}
	sim->waited = 0;
	sim->step++;
	act(s);
}
