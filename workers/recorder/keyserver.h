/* keyserver.h - serves the key store on its socket, in a process of its own. */
#ifndef RECORDER_KEYSERVER_H
#define RECORDER_KEYSERVER_H

#include "base/err.h"
#include "workers/link/home.h"

#define KEY_FOLLOWERS_MAX 256
#define KEY_TURN          64 /* messages read before others get their turn */

/* Opens HF_HOME/keys/store (and archive/keys/store if with_copy), waits while another process holds it,
 * binds home->keys, calls on_ready once it stands by, and serves until SIGTERM. 0 after a clean end. */
int keyserver_run(
    const struct home *h, bool with_copy, void (*on_ready)(void *), void *arg, struct err *err);

#endif
