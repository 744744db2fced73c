/* rights.h - who may say what (PROTOCOL.md 13, 14.3), decided from roles alone. Pure. */
#ifndef BROKER_RIGHTS_H
#define BROKER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/roster.h"
#include "proto/record.h"
#include "proto/roles.h"

#define RECORD_OWNER_ONLY 32 /* flag of `record`: quarantined unless the person owns the case */

enum next_right { NEXT_YES, NEXT_UNQUALIFIED, NEXT_DENIED };
enum next_right rights_next(const struct person *p);

/* The lanes, separated by spaces, from which this person may take a case that is not the own one;
 * empty: own cases only. False: this person takes nothing at all. */
bool rights_take(const struct person *p, char *out, size_t size);

/* Flags for the store's `record`. p NULL: not known. ret_why: "" or why it is quarantined. */
uint32_t rights_record(const struct person *p, const struct record_header *h, const char **ret_why);

/* May p see this case, and its key? lane: where it is; owner, hand: "" for none; owner_team:
 * team of the owner, "" for none or unknown; why: the reason of its place. */
bool rights_see(const struct person *p, const char *lane, const char *owner, const char *hand,
    const char *why, const char *owner_team);

#endif
