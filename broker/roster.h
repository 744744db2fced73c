/* roster.h - who is enrolled: agents (installations, by key) and persons, as the store lists them.
 *
 * In memory, so that ZAP is answered at once and with every store down. Filled from the hashes
 * `agents` and `persons`, then kept by the log's entries. Pure. */
#ifndef BROKER_ROSTER_H
#define BROKER_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct agent {
	uint8_t id[16], curve_pk[32], sign_pk[32];
	bool active;
};

struct person {
	char name[33];
	uint32_t roles;
	char team[33]; /* "" none */
	bool qualified, active, has_pk;
	uint8_t pk[32];
};

struct roster;
struct roster *roster_create(void);
void roster_destroy(struct roster *r); /* NULL-safe */

/* id: hex32; row: "<curve pk hex> <sign pk hex> <active|revoked>". false: the row does not read. */
bool roster_put_agent(struct roster *r, struct span id, struct span row);
/* row: "<roles> <team or -> <qualified> <sign pk hex or -> <active 0/1>". */
bool roster_put_person(struct roster *r, struct span name, struct span row);

/* Borrowed until the next put of the same one, or destroy. NULL when unknown. */
const struct agent *roster_agent(const struct roster *r, const uint8_t id[16]);
const struct agent *roster_agent_by_key(const struct roster *r, const uint8_t curve_pk[32]);
const struct person *roster_person(const struct roster *r, const char *name);
size_t roster_agents(const struct roster *r);

#endif
