/* watch.h - what an observer remembers: since when each lease has not been renewed. Pure.
 *
 * A lease may expire only if one and the same observer saw the same (token, rseq) for long
 * enough on a clock that neither stops nor jumps (guarantee 1.5). Anything that may have kept
 * renewals from getting through starts every observation over. */
#ifndef BROKER_WATCH_H
#define BROKER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch;
struct watch *watch_create(void);
void watch_destroy(struct watch *w); /* NULL-safe */
void watch_reset(struct watch *w);

/* A sweep reads all leases once: begin, see each, end (forgets those that are gone). asked_us:
 * when the question was sent, heard_us: when the answer came. True: unchanged for limit_us at
 * least. */
void watch_begin(struct watch *w);
bool watch_see(struct watch *w, const uint8_t case_id[16], uint64_t token, uint64_t rseq,
    int64_t asked_us, int64_t heard_us, int64_t limit_us);
void watch_end(struct watch *w);
size_t watch_count(const struct watch *w);

#endif
