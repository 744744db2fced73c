/* state.h - everything the dashboard shows, as it was a moment ago. Counts only: no name, no number. */
#ifndef DASHBOARD_STATE_H
#define DASHBOARD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define STATE_LANES    4096 /* eight a person, of five hundred */
#define STATE_PROBLEMS 32
#define STATE_MINUTES  30
#define STATE_NIGHTS   14
#define STATE_EXPORTS  10
#define STATE_FLOWS    16
#define STATE_TEAMS    64

struct lane_state {
	char name[80];
	int64_t n, first_due; /* campaign ms; -1 when empty */
};

struct night_state {
	char day[16]; /* YYYY-MM-DD */
	int64_t late, records, imported, differences, notices, mended, ended_ms, took_ms;
};

struct export_state {
	char kind[24], manifest[72]; /* hex */
	int64_t rows, ledger_no, made_ms, masked;
};

/* Cases handed out of the lanes of a kind (own, team, pool …), a minute of campaign time each, newest last. */
struct flow_state {
	char lane[24];
	int64_t per_minute[STATE_MINUTES];
};

/* What happened lately, from PostgreSQL's newest rows. */
struct ledger_state {
	bool up;
	int64_t records, quarantined;
	int64_t per_minute[STATE_MINUTES];    /* newest last */
	int64_t outboxes, frozen, unreleased; /* unreleased: records that wait for the archive */
	/* the newest reconciliation: when (wall ms, 0 never), records of that night, what it found */
	int64_t night_at, night_records, night_differences, night_notices;
	uint32_t n_nights, n_exports, n_flows;
	struct night_state nights[STATE_NIGHTS]; /* newest first, exports too */
	struct export_state exports[STATE_EXPORTS];
	struct flow_state flows[STATE_FLOWS];
};

/* A team's people: how many, how many with a record in the last half hour, and what is theirs. */
struct team_state {
	char name[40];
	int64_t people, working, records, held, due, cases, untouched, confirmed;
};

/* Counted over all cases, so less often the more there are. */
struct figures_state {
	int64_t at_ms; /* wall; 0 never */
	int64_t cases, attempted, contacts, confirmed, considering, unreachable, withdrawn,
	    admitted, registered;
	uint32_t n_teams;
	struct team_state teams[STATE_TEAMS];
};

struct state {
	int64_t wall, now; /* now: campaign ms */
	uint64_t seq;      /* of this picture; the page asks for the whole when it misses one */
	char campaign[40]; /* "" none yet */
	bool redis_up;
	int64_t mode, epoch, opseq, gate, paused;
	int64_t cases, leases, streams_log, agents, persons;
	int64_t lost;                /* applicants, by the router's count; -1 not known */
	int64_t brokers, brokers_up; /* asked by connecting; see reach.h */
	bool archive_beside;         /* the archive lies on the disk of the stores */
	char router_cursor[48], log_head[48];
	uint32_t n_lanes;
	struct lane_state lanes[STATE_LANES];
	struct ledger_state ledger;
	struct figures_state figures;
};

int64_t state_waiting(const struct state *s); /* sum of all lanes */
int64_t state_lane(const struct state *s, const char *name);
/* Milliseconds that the oldest due case of a lane has waited; 0 none due. */
int64_t lane_age(const struct state *s, const struct lane_state *l);

/* A thing to be dealt with: what, what it does, what to do now, whom to ring (a role, not a person). Static texts. */
struct problem {
	char what[160];
	const char *effect, *now, *who;
};
uint32_t state_problems(const struct state *s, struct problem out[STATE_PROBLEMS]);

void state_json(struct buf *out, const struct state *s);    /* one object, one line */
void state_metrics(struct buf *out, const struct state *s); /* Prometheus text 0.0.4 */
bool state_ready(const struct state *s);

#endif
