/* state.h - everything the dashboard shows, as it was a moment ago. Counts only: no name, no number. */
#ifndef DASHBOARD_STATE_H
#define DASHBOARD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define STATE_LANES    256
#define STATE_PROBLEMS 32
#define STATE_MINUTES  30

struct lane_state {
	char name[80];
	int64_t n, first_due; /* campaign ms; -1 when empty */
};

/* What PostgreSQL knows, read by a thread of its own. */
struct ledger_state {
	bool up;
	int64_t at_ms; /* wall */
	int64_t cases, attempted, contacts, confirmed, considering, unreachable, withdrawn,
	    admitted, registered;
	int64_t records, quarantined, moved_at; /* moved_at: wall ms of the recorder's last step */
	int64_t per_minute[STATE_MINUTES];      /* newest last */
	/* the newest reconciliation: when (wall ms, 0 never), records of that night, what it found */
	int64_t night_at, night_records, night_differences, night_notices;
};

struct state {
	int64_t wall, now; /* now: campaign ms */
	uint64_t seq;      /* of this picture; the page asks for the whole when it misses one */
	char campaign[40]; /* "" none yet */
	bool redis_up;
	int64_t mode, epoch, opseq, gate, paused;
	int64_t cases, leases, streams_log, agents, persons;
	int64_t brokers, brokers_up; /* asked by connecting; see reach.h */
	char router_cursor[48], log_head[48];
	uint32_t n_lanes;
	struct lane_state lanes[STATE_LANES];
	struct ledger_state ledger;
};

int64_t state_waiting(const struct state *s); /* sum of all lanes */
int64_t state_lane(const struct state *s, const char *name);
/* Milliseconds that the oldest due case of a lane has waited; 0 none due. */
int64_t lane_age(const struct state *s, const struct lane_state *l);

/* A thing to be dealt with: what, what it does, what to do now. Texts are static or in `buf`. */
struct problem {
	char what[160];
	const char *effect, *now;
};
uint32_t state_problems(const struct state *s, struct problem out[STATE_PROBLEMS]);

void state_json(struct buf *out, const struct state *s);    /* one object, one line */
void state_metrics(struct buf *out, const struct state *s); /* Prometheus text 0.0.4 */
bool state_ready(const struct state *s);

#endif
