/* ruling.h - was pass 3 closed, and if not, what is missing; the router's own words. */
#ifndef CTL_RULING_H
#define CTL_RULING_H

#include "ctl/ctl.h"

/* A text that the router keeps beside its cursor (book, closing), with a NUL behind it; "" when there is none. */
int ruling_field(struct ctl *c, const char *field, struct buf *out, struct err *err);
/* After the router has read a PASS that closes pass 3. Not closed: says who and which cases are missing. */
int ruling_closed(struct ctl *c, bool *ret, struct err *err);

#endif
