/* observer.h - lets leases expire that nobody renewed, and lifts RECOVERING when nobody can hold
 * anything unknown any more. Each broker is one; the store's compare-and-set makes them agree. */
#ifndef BROKER_OBSERVER_H
#define BROKER_OBSERVER_H

struct broker;
struct observer;

struct observer *observer_create(struct broker *b);
void observer_destroy(struct observer *o); /* NULL-safe */
/* Renewals may not have got through: every observation starts over. */
void observer_restart(struct observer *o, const char *why);

#endif
