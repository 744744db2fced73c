/* book.h - what the router knows of the campaign as a whole, and the text of it that Redis keeps beside
 * the cursor. Made by folding the records that have no case; pure. */
#ifndef ESCALATION_BOOK_H
#define ESCALATION_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"

#define BOOK_ABSENCES 1000 /* also sign-offs: the people of one campaign */

/* A log id. */
struct logid {
	uint64_t epoch, no;
};
static inline bool
logid_after(struct logid a, struct logid b)
{
	return a.epoch != b.epoch ? a.epoch > b.epoch : a.no > b.no;
}

struct absence {
	name_t person;
	int64_t since, until; /* until 0: open */
};

struct book {
	struct logid at; /* records of the campaign are folded up to here */
	uint64_t stage;  /* 1-4 */
	int64_t stage_opened_at;
	uint64_t pass; /* open now, 0 none */
	int64_t pass_end;
	bool pass_seen; /* a pass was ever opened: from then on only an open pass opens the gate */
	int64_t released_at;
	uint64_t policy; /* version applied last */
	/* A policy that waits for its second person, by its record; and by whom the one in force is. */
	struct {
		uint8_t ob[16];
		uint64_t seq, version; /* seq 0: none waits */
		name_t person;
	} proposal;
	name_t policy_by, policy_second;
	int64_t policy_since;
	/* A release that is under way: its record, how many are left, the next place in the order. */
	struct logid release;
	uint64_t release_left, release_seed, release_order;
	/* A ruling over all cases needs two persons: the first of them. */
	name_t ruling_by;
	char ruling[25];
	uint32_t ruling_roles;
	/* Who signed the own list off in the pass that is open. */
	uint32_t n_signed;
	name_t signed_by[BOOK_ABSENCES];
	uint32_t n_absences;
	struct absence absences[BOOK_ABSENCES];
};

void book_init(struct book *b);
void book_print(struct buf *out, const struct book *b);
/* -1 ERR_CORRUPT; *ret untouched. */
int book_parse(struct book *ret, struct span text, struct err *err);

/* False when the book is full. */
bool book_sign(struct book *b, const char *person);
bool book_has_signed(const struct book *b, const char *person);
/* Sets or, with until <= since, ends an absence. False when the book is full. */
bool book_set_absence(struct book *b, const char *person, int64_t since, int64_t until);
/* Is the person away at `now`? ret_since may be NULL. */
bool book_is_absent(const struct book *b, const char *person, int64_t now, int64_t *ret_since);
/* Drops what is over. */
void book_tidy(struct book *b, int64_t now);

#endif
