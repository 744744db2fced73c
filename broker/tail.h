/* tail.h - a second connection that follows the log: who is enrolled, what came free, what is
 * settled.
 *
 * On each connection the tables of agents and persons are read afresh, then the log is followed
 * from where it stood before that. While it does not follow, nobody is served: a revoked key
 * might be. */
#ifndef BROKER_TAIL_H
#define BROKER_TAIL_H

#include <stdbool.h>

struct broker;
struct tail;

struct tail *tail_create(struct broker *b);
void tail_destroy(struct tail *t); /* NULL-safe */
bool tail_is_following(const struct tail *t);

#endif
