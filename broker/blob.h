/* blob.h - BLOB: a piece of evidence for the store (PROTOCOL.md 9). */
#ifndef BROKER_BLOB_H
#define BROKER_BLOB_H

#include "broker/broker.h"
#include "broker/session.h"
#include "proto/frame.h"

void blob_on(struct broker *b, struct session *s, const struct msg_blob *m, struct span piece);

#endif
