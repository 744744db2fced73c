/* guard.h - is the store, and is this host's clock, such that an answer means what it says?
 *
 * Looked at whenever the store connects, and every settings.check_us after that. */
#ifndef BROKER_GUARD_H
#define BROKER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

/* What INFO, CONFIG GET and TIME said. */
struct store_facts {
	char run_id[65];
	bool aof_on, aof_always, aof_kept_on_rewrite, last_write_ok, is_master, no_eviction;
	uint64_t used_memory, max_memory; /* max 0: no limit */
	int64_t redis_wall_ms;
};
/* text: the reply of INFO. Overwrites what INFO tells. */
void facts_info(struct store_facts *f, struct span text);
void facts_config(struct store_facts *f, struct span name, struct span value);
/* "" when what the store acknowledges is on its disk; else what is wrong, in words for the log. */
const char *facts_not_durable(const struct store_facts *f);
bool facts_too_full(const struct store_facts *f); /* used_memory beyond 60 % of maxmemory */

struct broker;
struct guard;
struct guard *guard_create(struct broker *b);
void guard_destroy(struct guard *g); /* NULL-safe */
/* Takes a fresh look; `done` is called once from the loop, ok false when the look failed. */
typedef void guard_fn(void *arg, bool ok);
void guard_look(struct guard *g, guard_fn *done, void *arg);
void guard_tick(struct guard *g); /* each second: the clock */
const char *guard_run_id(const struct guard *g);
bool guard_is_durable(const struct guard *g);
bool guard_clock_is_wrong(const struct guard *g);    /* then nothing ends by it either */
uint64_t guard_evidence_room(const struct guard *g); /* bytes for all pieces of evidence together */
/* "" or the reason word of NONE for which nothing is handed out. */
const char *guard_stops_grants(const struct guard *g);

#endif
