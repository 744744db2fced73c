/* week.h - the hours of a week in which somebody is free: "mon-fri 12:00-13:00 18:00-21:00, sat 09:00-11:30". */
#ifndef PROTO_WEEK_H
#define PROTO_WEEK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define WEEK_SPANS 42
#define WEEK_TEXT  240 /* bytes of such a text at most */

struct week_span {
	uint8_t day;          /* 0 Monday … 6 Sunday */
	uint16_t from, until; /* minutes of the day */
};
struct week {
	uint32_t n; /* 0: always free */
	struct week_span at[WEEK_SPANS];
};

/* Empty text: always. -1 ERR_INVALID with what is wrong; *ret untouched. Spans come out rising. */
int week_parse(struct week *ret, struct span text, struct err *err);

#endif
