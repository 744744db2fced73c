/* meters.h - the few counts of a case's memory that a screen shows. The memory (blob) is the router's, packed by
 * workers/escalation/state.c; these places in it stand still as long as its version does. */
#ifndef PROTO_METERS_H
#define PROTO_METERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct meters {
	uint64_t attempts, contacts, seconds; /* since ever */
	uint64_t since,
	    deadline; /* ms, 0 none: since when it is where it is; of a hand-up or question */
	bool asked;   /* a question to the leader is open */
};
/* False: no memory yet, or one of another version. */
bool meters_read(struct meters *ret, struct span blob);

#endif
