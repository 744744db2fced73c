/* roster.h - a whole roster of invented applicants, clean or with warts. */
#ifndef CTL_SAMPLE_ROSTER_H
#define CTL_SAMPLE_ROSTER_H

#include "ctl/sample/invent.h"
#include "ctl/sample/out.h"

/* With warts: columns reordered, two unknown ones, blank rows, one row for every wart; and
 * path.expect.json says what the importer must report. Wants at least roster_warts_min() rows. */
int roster_write(const char *path, enum out_format format, const struct inventor *v, bool warts,
    struct err *err);
int64_t roster_warts_min(void);

#endif
