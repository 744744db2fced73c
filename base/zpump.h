/* zpump.h - wakes the loop for one ZeroMQ socket; for zsock.c and zap.c only. */
#ifndef BASE_ZPUMP_H
#define BASE_ZPUMP_H

#include "base/loop.h"

struct zpump;

/* socket: a ZeroMQ socket of this thread, borrowed. on_ready is called once a turn as long as the
 * socket has messages to read. */
struct zpump *zpump_create(struct loop *l, void *socket, loop_fn *on_ready, void *arg);
/* Before the socket is closed; NULL-safe, allowed inside on_ready. */
void zpump_destroy(struct zpump *p);

#endif
