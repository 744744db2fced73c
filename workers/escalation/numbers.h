/* numbers.h - the numbers of a task in the order in which they are offered, each with what became of it. */
#ifndef ESCALATION_NUMBERS_H
#define ESCALATION_NUMBERS_H

#include "proto/lists.h"
#include "workers/escalation/state.h"

#define NUMBER_NOTE 160

/* Notes that were written anew; the task borrows from here. */
struct number_notes {
	char text[TASK_NUMBERS][NUMBER_NOTE];
};

/* Puts the task's numbers in order: known to be good, not tried in this round, tried, and last those that are
 * of no use any more; and writes behind each note what it is and since when (at). found: digits and kind of a
 * number that somebody found; it is added once and comes first. Without digits: its note says why there is none of
 * its kind, and without a kind there is nothing to add. False: nothing changed. */
bool numbers_arrange(struct task *t, struct number_notes *notes, const struct law_case *c,
    const uint8_t case_key[32], const struct task_number *found, int64_t at);

#endif
