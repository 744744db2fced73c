/* holidays.h - a calendar file of the State Council's days off, as .ics or .csv, read into days. */
#ifndef CTL_HOLIDAYS_H
#define CTL_HOLIDAYS_H

#include "base/buf.h"
#include "base/err.h"
#include "proto/days.h"

#define HOLIDAYS_FILE_MAX (1 << 20)

/* On failure every problem stands in `problems`, one a line: "FILE:LINE: what is wrong; how to mend it", and
 * *ret is untouched. A file that begins with BEGIN:VCALENDAR is .ics, any other .csv. */
int holidays_read(
    struct days *ret, const char *file, struct span text, struct buf *problems, struct err *err);

#endif
