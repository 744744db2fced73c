/* print.c - the state as JSON for the page and as Prometheus text 0.0.4. Pure. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "dashboard/state.h"

static json_t *
lanes_json(const struct state *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->n_lanes; i++) {
		const struct lane_state *l = &s->lanes[i];

		if (l->n > 0)
			json_array_append_new(
			    list, json_pack("{s:s s:I s:I s:I}", "lane", l->name, "cases",
			              (json_int_t)l->n, "due", (json_int_t)l->first_due, "age",
			              (json_int_t)(lane_age(s, l) / 1000)));
	}
	return list;
}

static json_t *
problems_json(const struct state *s)
{
	struct problem p[STATE_PROBLEMS];
	uint32_t n = state_problems(s, p);
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(
		    list, json_pack("{s:s s:s s:s s:s}", "what", p[i].what, "effect", p[i].effect,
		              "now", p[i].now, "who", p[i].who));
	return list;
}

static json_t *
minutes_json(const int64_t per_minute[STATE_MINUTES])
{
	json_t *list = json_array();

	for (int i = 0; i < STATE_MINUTES; i++)
		json_array_append_new(list, json_integer(per_minute[i]));
	return list;
}

/* null: never yet. */
static json_t *
night_json(const struct ledger_state *l)
{
	if (l->night_at == 0)
		return json_null();
	return json_pack("{s:I s:I s:I s:I}", "at", (json_int_t)l->night_at, "records",
	    (json_int_t)l->night_records, "differences", (json_int_t)l->night_differences,
	    "notices", (json_int_t)l->night_notices);
}

static json_t *
nights_json(const struct ledger_state *l)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < l->n_nights; i++) {
		const struct night_state *n = &l->nights[i];

		json_array_append_new(
		    list, json_pack("{s:s s:b s:I s:I s:I s:I s:I s:I s:I}", "day", n->day, "late",
		              n->late != 0, "records", (json_int_t)n->records, "imported",
		              (json_int_t)n->imported, "differences", (json_int_t)n->differences,
		              "notices", (json_int_t)n->notices, "mended", (json_int_t)n->mended,
		              "at", (json_int_t)n->ended_ms, "took", (json_int_t)n->took_ms));
	}
	return list;
}

static json_t *
exports_json(const struct ledger_state *l)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < l->n_exports; i++) {
		const struct export_state *e = &l->exports[i];

		json_array_append_new(list,
		    json_pack("{s:s s:I s:I s:I s:b s:s}", "kind", e->kind, "rows",
		        (json_int_t)e->rows, "ledger_no", (json_int_t)e->ledger_no, "at",
		        (json_int_t)e->made_ms, "masked", e->masked != 0, "manifest", e->manifest));
	}
	return list;
}

static json_t *
flows_json(const struct ledger_state *l)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < l->n_flows; i++)
		json_object_set_new(o, l->flows[i].lane, minutes_json(l->flows[i].per_minute));
	return o;
}

static json_t *
teams_json(const struct figures_state *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < f->n_teams; i++) {
		const struct team_state *t = &f->teams[i];

		json_array_append_new(
		    list, json_pack("{s:s s:I s:I s:I s:I s:I s:I s:I s:I}", "team", t->name,
		              "people", (json_int_t)t->people, "working", (json_int_t)t->working,
		              "records", (json_int_t)t->records, "held", (json_int_t)t->held, "due",
		              (json_int_t)t->due, "cases", (json_int_t)t->cases, "untouched",
		              (json_int_t)t->untouched, "confirmed", (json_int_t)t->confirmed));
	}
	return list;
}

static json_t *
ledger_json(const struct ledger_state *l)
{
	return json_pack("{s:b s:I s:I s:I s:I s:I s:o s:o s:o s:o s:o}", "up", (int)l->up,
	    "records", (json_int_t)l->records, "quarantined", (json_int_t)l->quarantined,
	    "outboxes", (json_int_t)l->outboxes, "frozen", (json_int_t)l->frozen, "unreleased",
	    (json_int_t)l->unreleased, "per_minute", minutes_json(l->per_minute), "night",
	    night_json(l), "nights", nights_json(l), "exports", exports_json(l), "flows",
	    flows_json(l));
}

static json_t *
figures_json(const struct figures_state *f)
{
	return json_pack("{s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:o}", "at",
	    (json_int_t)f->at_ms, "cases", (json_int_t)f->cases, "attempted",
	    (json_int_t)f->attempted, "contacts", (json_int_t)f->contacts, "confirmed",
	    (json_int_t)f->confirmed, "considering", (json_int_t)f->considering, "unreachable",
	    (json_int_t)f->unreachable, "withdrawn", (json_int_t)f->withdrawn, "admitted",
	    (json_int_t)f->admitted, "registered", (json_int_t)f->registered, "teams",
	    teams_json(f));
}

void
state_json(struct buf *out, const struct state *s)
{
	json_t *o = json_pack("{s:I s:I s:I s:s s:b s:I s:I s:I s:I s:I s:I s:I s:I s:s s:s s:s "
	                      "s:o s:o s:o s:o s:I s:I s:I}",
	    "seq", (json_int_t)s->seq, "wall", (json_int_t)s->wall, "now", (json_int_t)s->now,
	    "campaign", s->campaign, "redis", (int)s->redis_up, "mode", (json_int_t)s->mode,
	    "epoch", (json_int_t)s->epoch, "gate", (json_int_t)s->gate, "paused",
	    (json_int_t)s->paused, "cases", (json_int_t)s->cases, "leases", (json_int_t)s->leases,
	    "agents", (json_int_t)s->agents, "persons", (json_int_t)s->persons, "router",
	    s->router_cursor, "log", s->log_head, "version", HF_VERSION, "lanes", lanes_json(s),
	    "problems", problems_json(s), "ledger", ledger_json(&s->ledger), "figures",
	    figures_json(&s->figures), "brokers", (json_int_t)s->brokers, "brokers_up",
	    (json_int_t)s->brokers_up, "lost", (json_int_t)s->lost);
	char *text = json_dumps(o, JSON_COMPACT);

	buf_adds(out, text == NULL ? "{}" : text);
	free(text);
	json_decref(o);
}

static void
gauge(struct buf *out, const char *name, const char *help, int64_t v)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRId64 "\n", name, help, name, name, v);
}

/* Persons' lanes are summed: a label a person would be a label that grows. */
static void
lane_metrics(struct buf *out, const struct state *s)
{
	static const char *const groups[] = {"own:", "team:"};
	int64_t n[2] = {0, 0}, age[2] = {0, 0};

	buf_adds(
	    out, "# HELP hf_lane_cases Cases waiting in a lane.\n# TYPE hf_lane_cases gauge\n");
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		const struct lane_state *l = &s->lanes[i];
		int g = strncmp(l->name, "own:", 4) == 0    ? 0
		        : strncmp(l->name, "team:", 5) == 0 ? 1
		                                            : -1;

		if (g < 0) {
			buf_addf(out, "hf_lane_cases{lane=\"%s\"} %" PRId64 "\n", l->name, l->n);
			continue;
		}
		n[g] += l->n;
		age[g] = lane_age(s, l) > age[g] ? lane_age(s, l) : age[g];
	}
	for (int g = 0; g < 2; g++)
		buf_addf(out, "hf_lane_cases{lane=\"%.*s\"} %" PRId64 "\n",
		    (int)strcspn(groups[g], ":"), groups[g], n[g]);
	buf_adds(out,
	    "# HELP hf_lane_oldest_due_age_seconds How long the oldest due case of a lane waits.\n"
	    "# TYPE hf_lane_oldest_due_age_seconds gauge\n");
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		const struct lane_state *l = &s->lanes[i];

		if (strncmp(l->name, "own:", 4) != 0 && strncmp(l->name, "team:", 5) != 0)
			buf_addf(out, "hf_lane_oldest_due_age_seconds{lane=\"%s\"} %" PRId64 "\n",
			    l->name, lane_age(s, l) / 1000);
	}
	for (int g = 0; g < 2; g++)
		buf_addf(out, "hf_lane_oldest_due_age_seconds{lane=\"%.*s\"} %" PRId64 "\n",
		    (int)strcspn(groups[g], ":"), groups[g], age[g] / 1000);
}

void
state_metrics(struct buf *out, const struct state *s)
{
	struct problem p[STATE_PROBLEMS];

	buf_addf(out,
	    "# HELP hf_build_info The program's version.\n# TYPE hf_build_info gauge\n"
	    "hf_build_info{version=\"%s\"} 1\n",
	    HF_VERSION);
	buf_addf(out,
	    "# HELP hf_dependency_up Whether a store answers.\n# TYPE hf_dependency_up gauge\n"
	    "hf_dependency_up{dep=\"redis\"} %d\nhf_dependency_up{dep=\"postgresql\"} %d\n",
	    s->redis_up, s->ledger.up);
	gauge(out, "hf_brokers", "Brokers that env.conf names by address.", s->brokers);
	gauge(out, "hf_brokers_up", "Of these, how many take connections.", s->brokers_up);
	gauge(out, "hf_problems", "Things an operator should look at now.", state_problems(s, p));
	gauge(out, "hf_cases", "Cases imported.", s->cases);
	gauge(out, "hf_cases_lost",
	    "Lost applicants: looked for by every rung and not found; 0 is the aim, -1 not known.",
	    s->lost);
	gauge(out, "hf_leases", "Cases in somebody's hands.", s->leases);
	gauge(out, "hf_cases_unaccounted", "Cases neither in a lane nor in a hand; 0 is right.",
	    s->cases - state_waiting(s) - s->leases);
	gauge(out, "hf_mode", "0 normal, 1 recovering, 2 halted.", s->mode);
	gauge(out, "hf_epoch", "Which life of the queue store this is.", s->epoch);
	gauge(out, "hf_ledger_records", "Records in the ledger.", s->ledger.records);
	gauge(out, "hf_ledger_quarantined", "Records put aside for a person to look at.",
	    s->ledger.quarantined);
	gauge(out, "hf_outboxes", "Agents' outboxes known.", s->ledger.outboxes);
	gauge(out, "hf_outboxes_frozen",
	    "Outboxes with two records of one number: no more is taken.", s->ledger.frozen);
	gauge(out, "hf_records_unreleased", "Records in the ledger that wait for the archive.",
	    s->ledger.unreleased);
	gauge(out, "hf_figures_timestamp_seconds", "When the figures were counted; 0 never.",
	    s->figures.at_ms / 1000);
	gauge(out, "hf_night_last_timestamp_seconds",
	    "When the newest reconciliation ended; 0 never.", s->ledger.night_at / 1000);
	gauge(out, "hf_night_differences",
	    "Differences that the newest reconciliation found and did not mend.",
	    s->ledger.night_differences);
	gauge(out, "hf_cases_confirmed", "Cases whose newest outcome is confirmed.",
	    s->figures.confirmed);
	gauge(out, "hf_cases_admitted",
	    "The rate's denominator: the frozen list, before it the cases not withdrawn.",
	    s->figures.admitted);
	gauge(out, "hf_cases_registered", "Cases registered: the rate's numerator.",
	    s->figures.registered);
	lane_metrics(out, s);
}
