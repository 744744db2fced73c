/* watch.h - processor time of other processes and of ours between two moments.
 *
 * Rates depend on who else is at work on the machine; microseconds a cycle hardly do. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include <stdint.h>

/* pids: numbers separated by commas; "" for none. */
void watch_set(const char *pids);
void watch_begin(void);
void watch_end(void);
/* " cpu0=… cpu1=… own=…": µs a cycle, in the order of watch_set. */
void watch_print(uint64_t cycles);

#endif
