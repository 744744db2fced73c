/* stats.h - counters: logged every minute and on SIGUSR1 as one logfmt line. They only grow, apart
 * from the gauges at the end, which are set just before the line is printed. */
#ifndef BROKER_STATS_H
#define BROKER_STATS_H

#include <stdint.h>

#include "base/buf.h"

#define STAT_TABLE(X)                                                                              \
	X(frames_in)                                                                               \
	X(frames_out)                                                                              \
	X(send_dropped)                                                                            \
	X(bad_shape)                                                                               \
	X(cut)                                                                                     \
	X(over_budget)                                                                             \
	X(too_many_waiting)                                                                        \
	X(refused_keys)                                                                            \
	X(nacks)                                                                                   \
	X(hellos)                                                                                  \
	X(logins_refused)                                                                          \
	X(granted)                                                                                 \
	X(none)                                                                                    \
	X(lost)                                                                                    \
	X(renewed)                                                                                 \
	X(accepted)                                                                                \
	X(late)                                                                                    \
	X(quarantined)                                                                             \
	X(no_key)                                                                                  \
	X(batches)                                                                                 \
	X(requests)                                                                                \
	X(batches_unknown)                                                                         \
	X(entries_err)                                                                             \
	X(woken)                                                                                   \
	X(expired)                                                                                 \
	X(observer_restarts)                                                                       \
	X(receipts)                                                                                \
	X(sessions)                                                                                \
	X(waiting)                                                                                 \
	X(keys)

struct stats {
#define STAT_FIELD(name) uint64_t name;
	STAT_TABLE(STAT_FIELD)
#undef STAT_FIELD
};

/* Appends "name=value name=value …". */
void stats_print(struct buf *out, const struct stats *s);

#endif
