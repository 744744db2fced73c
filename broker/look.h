/* look.h - LOOK: what a person may see beyond the case in hand (PROTOCOL.md 10). */
#ifndef BROKER_LOOK_H
#define BROKER_LOOK_H

#include "base/buf.h"
#include "broker/session.h"
#include "proto/frame.h"

struct broker;

void look_on(struct broker *b, struct session *s, const struct msg_look *m, struct span f1);

#endif
