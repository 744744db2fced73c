/* store.h - the command connection to Redis: its life from "connected" to "attached".
 *
 * down -> looking (settings, run_id) -> attaching -> ready; whatever fails goes back to down and is
 * tried again after a second. While ready, the batch's calls run over it. */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct broker;
struct store;
struct rds;

struct store *store_create(struct broker *b);
void store_destroy(struct store *s); /* NULL-safe */
struct rds *store_link(const struct store *s);
bool store_is_ready(const struct store *s);
bool store_is_connected(const struct store *s);
void store_send_batch(void *store, const struct span *argv, size_t argc); /* for batch_create */
/* The newest entry of the log that was read: its id and its `e`. */
void store_saw(struct store *s, struct span id, struct span e);
/* Somebody claims to have seen this epoch and opseq: asks the store, which halts itself if it is
 * older than that (guarantee 1.6). */
void store_witness(struct store *s, uint64_t epoch, uint64_t opseq);

#endif
