/* watch.h - the two sources of the dashboard: Redis in the loop, PostgreSQL in a thread. */
#ifndef DASHBOARD_WATCH_H
#define DASHBOARD_WATCH_H

#include "base/loop.h"
#include "dashboard/state.h"
#include "workers/link/home.h"

struct watch;
typedef void watch_fn(void *arg, const struct state *s);
/* Looks at Redis each second and calls on_state with the whole picture, the ledger's part as the thread last
 * read it. Never fails: what is away is shown as away. */
struct watch *watch_create(struct loop *l, const struct home *home, watch_fn *on_state, void *arg);
void watch_destroy(struct watch *w); /* NULL-safe */

struct ledger_watch;
struct ledger_watch *ledger_watch_create(const struct home *home);
void ledger_watch_campaign(struct ledger_watch *l, const char *campaign);
void ledger_watch_read(struct ledger_watch *l, struct ledger_state *ret);
void ledger_watch_destroy(struct ledger_watch *l);

#endif
