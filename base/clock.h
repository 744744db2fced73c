/* clock.h - the only place that asks what time it is (design section 7).
 *
 * Lease time: CLOCK_BOOTTIME, always real, never jumps.
 * Wall time: CLOCK_REALTIME; a hint and a record's stamp, never a rule's input.
 * Campaign time: hours, due dates, passes. T0 + rate x (BOOTTIME - B0). T0 and B0 are taken from the
 * wall clock at clock_open; only an installation whose directory holds a file `clock` (written by the
 * demo alone: "T0_MS B0_US RATE_MILLI HALTED\n") runs at another rate, and only if that installation
 * is marked as a demo (file `demo` beside it).
 *
 * All in int64: _us microseconds, _ms milliseconds since the Unix epoch. Asia/Shanghai is UTC+8
 * without daylight saving; local broken-down times are computed here with that fixed offset. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CLOCK_SHANGHAI_MS (8 * 3600 * 1000LL)

int64_t clock_boot_us(void);
int64_t clock_wall_ms(void);

/* Load campaign time for the installation in `home` (its HF_HOME). Refuses a rate other than 1 in
 * an installation that is not a demo. Call again to notice that the demo halted or resumed it. */
int clock_open(const char *home, struct err *err);
int64_t clock_campaign_ms(void);
/* Real microseconds until campaign time reaches at_ms; 0 if it did; INT64_MAX while halted. */
int64_t clock_until_us(int64_t at_ms);
/* The wall clock against BOOTTIME, and against a store's. What a program draws from a wall clock that was wrong stays
 * wrong in it: it stops what depends on time, and is begun again when the clock is right. */
struct clock_watch {
	int64_t offset_ms; /* wall - BOOTTIME when we started */
	bool is_set;
};
/* "" or what is wrong. theirs_ms: the store's wall clock now, 0 when not known. */
const char *clock_watch_check(
    struct clock_watch *c, int64_t wall_ms, int64_t boot_us, int64_t theirs_ms);

/* The host's boot id (16 bytes from /proc/sys/kernel/random/boot_id), zeros when unknown. */
void clock_boot_id(uint8_t out[16]);

struct civil {
	int year, month, day; /* 2026, 1-12, 1-31 */
	int hour, minute, second;
	int weekday; /* 0 Monday … 6 Sunday */
};
struct civil clock_civil(int64_t ms);      /* Asia/Shanghai */
int64_t clock_from_civil(struct civil at); /* weekday is ignored */
/* "2026-11-23 14:05" (out >= 17) and RFC 3339 "2026-11-23T14:05:00+08:00" (out >= 26). */
void clock_text(char *out, int64_t ms);
void clock_rfc3339(char *out, int64_t ms);
/* Reads "YYYY-MM-DD HH:MM", "YYYY-MM-DDTHH:MM[:SS][+08:00]" as Asia/Shanghai. */
bool clock_parse(const char *text, int64_t *ret_ms);

#endif
