/* ruling.h - was pass 3 closed, and if not, what is missing. */
#ifndef CTL_RULING_H
#define CTL_RULING_H

#include "ctl/ctl.h"

/* After the router has read a PASS that closes pass 3. Not closed: says who and which cases are missing. */
int ruling_closed(struct ctl *c, bool *ret, struct err *err);

#endif
