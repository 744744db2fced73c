/* lists.h - the lists in F1 of HELLO, WELCOME, GRANT and SEEN, and the plain text of tasks and
 * bodies (PROTOCOL.md 4, 5.3, 10, 14.2). Readers borrow from the bytes given; counts are bounded
 * by wire.h. */
#ifndef PROTO_LISTS_H
#define PROTO_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/meters.h"

struct login {
	name_t person;
	uint64_t from, until;
	uint8_t sig[64];
};
struct hello_lists {
	uint32_t n_persons, n_tickets;
	struct login persons[PERSONS_MAX];
	struct span tickets[LEASES_MAX];
};
int hello_lists_decode(struct hello_lists *ret, struct span f1, struct err *err);
void hello_lists_encode(struct buf *out, const struct hello_lists *l);

struct welcome_person {
	name_t person;
	uint64_t ok, roles;
	name_t team; /* "" none */
	word_t why;
};
struct welcome_ticket {
	uint8_t case_id[16];
	uint64_t token, verdict;
};
struct welcome_lease {
	uint8_t case_id[16];
	uint64_t token, rseq;
	name_t person;
	uint64_t pulled;
};
struct welcome_key {
	uint8_t case_id[16], key[32];
};
struct welcome_lists {
	uint32_t n_persons, n_tickets, n_leases, n_receipts, n_keys;
	struct welcome_person persons[PERSONS_MAX];
	struct welcome_ticket tickets[LEASES_MAX];
	struct welcome_lease leases[LEASES_MAX];
	struct span receipts[2];
	struct welcome_key keys[4];
};
int welcome_lists_decode(struct welcome_lists *ret, struct span f1, struct err *err);
void welcome_lists_encode(struct buf *out, const struct welcome_lists *l);

struct last_record {
	uint8_t ob[16];
	uint64_t seq;
	struct span header, body;
};
struct grant_lists {
	struct span task, ticket;
	uint32_t n_last;
	struct last_record last[LAST_MAX];
};
int grant_lists_decode(struct grant_lists *ret, struct span f1, struct err *err);
/* Drops the oldest of `last` until the result fits F1_MAX. A task and a ticket alone must fit. */
void grant_lists_encode(struct buf *out, const struct grant_lists *l);

/* One row of SEEN own, team, strike, case, number; with more, if LOOK asked for it: why it is where it is, the
 * counts of its memory, and its newest record. */
struct seen_row {
	uint8_t case_id[16];
	char lane[80];
	uint64_t due, version;
	uint8_t key[32];
	struct span task;
	bool more, has_meters, has_last;
	uint32_t unknown; /* elements behind them that were passed over */
	char why[48];
	struct meters meters;
	struct last_record last;
};
#define LOOK_MORE "more" /* the argument of LOOK own, team, strike that asks for it */
/* Reading: rows one by one. count = seen_rows_open(...); then seen_row_next for each. */
uint32_t seen_rows_open(struct dec *d, struct span f1);
bool seen_row_next(struct dec *d, struct seen_row *ret);
void seen_row_encode(struct buf *out, const struct seen_row *row);
/* F1 of SEEN case: one row and its newest records. */
struct seen_case {
	struct seen_row row;
	uint32_t n_last;
	struct last_record last[LAST_MAX];
};
int seen_case_decode(struct seen_case *ret, struct span f1, struct err *err);
void seen_case_encode(struct buf *out, const struct seen_case *s); /* drops like GRANT */

/* The plain text of tasks and bodies is in task.c. A text has at most 1000 bytes, note
 * 4000, text 60000; a writer cuts what is longer. A key that is not known is passed over. */
#define TASK_NUMBERS 12
#define TASK_EXTRAS  48
struct task_number {
	struct span kind, digits, note;
};
struct task { /* all spans borrowed; empty = absent */
	struct span no, name, sex, id_no, province, area, school, major, address, reporter, batch;
	uint64_t rural, choice, minor;
	uint32_t n_numbers, n_extra;
	struct task_number numbers[TASK_NUMBERS];
	struct span extra[TASK_EXTRAS]; /* header, value, … */
};
int task_decode(struct task *ret, struct span plain, struct err *err);
void task_encode(struct buf *out, const struct task *t);
/* What was known of a case's numbers stays, in its order, with its notes: t gets old's numbers, and behind them
 * its own that old has not, as far as they fit. */
void task_keep_numbers(struct task *t, const struct task *old);
/* Complete is a case with an own number and a parent's that are of use, or with a reason why there is none: a number
 * without digits, the reason being its note. What is missing, 0: nothing. */
enum { TASK_NO_SELF = 1, TASK_NO_PARENT = 2 };
unsigned task_missing(const struct task *t);

struct body { /* all borrowed; empty = absent; rows is an encoded array (14.5) */
	struct span note, digits, kind, words, answered, name, rows, text;
};
int body_decode(struct body *ret, struct span plain, struct err *err);
void body_encode(struct buf *out, const struct body *b); /* writes nothing when all is empty */

/* One row of an IMPORT body. Writing: enc_array, then each row, into what becomes body.rows. */
struct import_row {
	uint8_t case_id[16], no_index[8];
	struct span task, indexes; /* indexes: 8 bytes each */
	name_t reporter;           /* "" none */
};
uint32_t import_rows_open(struct dec *d, struct span rows);
bool import_row_next(struct dec *d, struct import_row *ret);
void import_row_encode(struct buf *out, const struct import_row *row);

/* One row of an IMPORT body whose record says what = "arrivals". */
struct arrival_row {
	uint8_t case_id[16];
	uint64_t came; /* 1 registered, 0 not (any more) */
	uint64_t at;   /* ms, 0 unknown */
};
bool arrival_row_next(struct dec *d, struct arrival_row *ret); /* after import_rows_open */
void arrival_row_encode(struct buf *out, const struct arrival_row *row);

#endif
