/* records.h - RECORD: is the chain right, who says it, and is it in? (PROTOCOL.md 7) */
#ifndef BROKER_RECORDS_H
#define BROKER_RECORDS_H

#include "base/buf.h"
#include "broker/session.h"
#include "proto/frame.h"

struct broker;

/* f0: the frame as it came; it goes into the log. */
void records_on(struct broker *b, struct session *s, const struct msg_record *m, struct span f0,
    struct span f1);

#endif
