/* message.h - the campaign's text for a message, filled for one applicant: {姓名}, {批次}, {专业}. */
#ifndef LINK_MESSAGE_H
#define LINK_MESSAGE_H

#include "base/buf.h"

/* What the case does not have is left out; another word in braces stays as it is. */
void message_fill(
    struct buf *out, const char *text, struct span name, struct span batch, struct span major);

#endif
