/* reach.h - do the brokers take connections? Asked by connecting, nothing is said. */
#ifndef DASHBOARD_REACH_H
#define DASHBOARD_REACH_H

#include <stdint.h>

#include "base/loop.h"

struct reach;
/* endpoints: tcp://ADDRESS:PORT, separated by spaces; one of another form is not asked. */
struct reach *reach_create(struct loop *loop, const char *endpoints);
void reach_destroy(struct reach *r); /* NULL-safe */
/* How many are asked, and how many of them took the last connection. */
void reach_read(const struct reach *r, int64_t *ret_known, int64_t *ret_up);

#endif
