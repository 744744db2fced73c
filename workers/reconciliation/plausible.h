/* plausible.h - what in a caller's own figures a person should look at (anchors.md c 13, domain.md D3: there is no
 * telephone system). Flags, not accusations. Pure. */
#ifndef RECONCILIATION_PLAUSIBLE_H
#define RECONCILIATION_PLAUSIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One ATTEMPT as its caller told it. */
struct call_told {
	int64_t at;      /* saved, campaign ms */
	int64_t granted; /* the case was handed out, campaign ms; -1 unknown */
	int64_t seconds; /* told; 0 none */
	bool phone, confirmed, inbound;
	uint8_t case_id[16];
	uint8_t note[16]; /* a hash of the note's text; all zeros: none, or too short to tell */
};

enum flag_kind {
	FLAG_OVERLAP, /* began before the call before it had ended: value is by how many seconds */
	FLAG_CLOCK, /* the day's calls took longer than the day: seconds too many, at its last call */
	FLAG_QUICK,      /* confirmed in so many seconds */
	FLAG_COPIED,     /* the same note in so many cases that day */
	FLAG_HOURS,      /* a call out at this minute of the day */
	FLAG_LATE_TYPED, /* saved so many seconds after the call that could have been */
	FLAG_KINDS
};

struct flag {
	enum flag_kind kind;
	size_t call;
	int64_t value;
};

struct plausible_rules {
	int64_t slack_s;      /* of clocks and typing: 5 */
	int64_t quick_s;      /* 5 */
	int64_t copies;       /* 3 cases */
	int64_t from, until;  /* minutes of the day: 8:30, 21:30 */
	int64_t late_typed_s; /* 2 h */
};
extern const struct plausible_rules plausible_default;

/* The calls of one person on one day in Shanghai, in the order in which they were saved. At most FLAG_KINDS flags a
 * call: out has room for n * FLAG_KINDS. Returns how many; in the order of the calls. */
size_t plausible_day(
    const struct call_told *calls, size_t n, const struct plausible_rules *rules, struct flag *out);
const char *flag_code(enum flag_kind kind);
const char *flag_zh(enum flag_kind kind);

#endif
