/* watch.h - the two sources of the dashboard: Redis in the loop, PostgreSQL in threads. */
#ifndef DASHBOARD_WATCH_H
#define DASHBOARD_WATCH_H

#include "base/loop.h"
#include "base/pg.h"
#include "dashboard/state.h"
#include "workers/link/home.h"

struct watch;
typedef void watch_fn(void *arg, const struct state *s);
/* Looks at Redis each second and calls on_state with the whole picture, PostgreSQL's part as the threads last
 * read it. Never fails: what is away is shown as away. */
struct watch *watch_create(struct loop *l, const struct home *home, watch_fn *on_state, void *arg);
void watch_destroy(struct watch *w); /* NULL-safe */

/* reader_fn of struct ledger_state and struct figures_state. */
int ledger_read(struct pg *pg, const char *campaign, void *ret);
int figures_read(struct pg *pg, const char *campaign, void *ret);

#endif
