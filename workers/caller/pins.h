/* pins.h - opens persons' keys with their PINs, in threads of its own: argon2id takes a good part of a
 * second, and 64 MiB.
 *
 * A PIN is proved by opening the key that it seals: nothing else is kept of it anywhere. */
#ifndef CALLER_PINS_H
#define CALLER_PINS_H

#include "base/loop.h"
#include "workers/link/identity.h"

#define PIN_MAX 64

struct pin_job;
/* done is called from the loop for every job, and from pins_destroy with ERR_BUSY for what waits still;
 * afterwards the job is gone. */
typedef void pins_done_fn(struct pin_job *job);

struct pin_job {
	bool is_nobody; /* no such person: refused, but as slowly */
	struct person_seal seal;
	char pin[PIN_MAX];
	int rc;             /* 0: key is open */
	enum err_code code; /* of rc -1 */
	struct person_key key;
	pins_done_fn *done; /* NULL: that of pins_create */
	void *arg;
	struct pin_job *next;
};

struct pins;
int pins_create(struct pins **ret, struct loop *l, pins_done_fn *done, struct err *err);
void pins_destroy(struct pins *p); /* NULL-safe; waits for the one that is being tried */
/* Copies job; all of it is wiped at its end. False: too many wait already, and nothing was done. */
bool pins_try(struct pins *p, const struct pin_job *job);

#endif
