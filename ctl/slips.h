/* slips.h - a page of A4 slips, one a person, for the first morning: who, the PIN, the office's address. */
#ifndef CTL_SLIPS_H
#define CTL_SLIPS_H

#include "base/buf.h"
#include "base/err.h"

struct slip {
	const char *person, *name, *team, *roles, *pin; /* name, team, roles may be "" */
};

/* The whole page as HTML: nothing outside of it is needed to print it. url: the office's address. */
int slips_page(struct buf *out, const char *campaign, const char *url, const struct slip *slips,
    size_t n, struct err *err);

#endif
