/* dispatch.h - one message in, to whoever serves its kind. */
#ifndef BROKER_DISPATCH_H
#define BROKER_DISPATCH_H

struct incoming;

void dispatch_on_message(void *broker, const struct incoming *in); /* for front_create */

#endif
