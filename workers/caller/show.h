/* show.h - a case, a list and the last records as JSON, opened with their keys.
 *
 * What is shown of an id number is its first six digits and the last two; the whole of it only after a
 * REVEAL record. Returned objects are new references. */
#ifndef CALLER_SHOW_H
#define CALLER_SHOW_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "workers/link/client.h"

/* {"case":…,"token":…,"name":…,"numbers":[…],"why":…,…}; NULL with ERR_CORRUPT when the task does not open. */
json_t *show_task(const struct lease *l, struct err *err);
/* The digits of number n (from 1) of a sealed task. ERR_NOT_FOUND: it has no such number. */
int show_digits(const struct hold *h, uint64_t n, char *ret, size_t size, struct err *err);
int show_id_no(const struct hold *h, char *ret, size_t size, struct err *err);
/* One page of SEEN as rows. Each row's key is given to on_key, so that notes can be sealed later. */
typedef void show_key_fn(void *arg, const uint8_t case_id[16], const uint8_t key[32]);
json_t *show_seen(const struct msg_seen *m, struct span f1, show_key_fn *on_key, void *arg);

#endif
