/* vouch.h - did the agent say all this? (guarantee: the last signature of a chain covers the rest) */
#ifndef RECORDER_VOUCH_H
#define RECORDER_VOUCH_H

#include "workers/recorder/batch.h"

/* Gives the rows of this outbox in the batch that nobody vouches for their flaw. */
void vouch_box(struct batch *b, struct box *box);

#endif
