/* decide.h - records without a case that wait for a head: frozen lists, pay sheets, findings, disputes. */
#ifndef CTL_DECIDE_H
#define CTL_DECIDE_H

#include <jansson.h>

#include "ctl/ctl.h"

struct undecided {
	int64_t no, n, at; /* n: cases, persons or percent; -1 none */
	name_t person, subject;
	char what[64];
	uint8_t ob[16];
	uint64_t seq;
};
/* Calls fn for each, or for the one of this number (0: all). */
typedef void undecided_fn(void *arg, const struct undecided *u);
int decide_each(struct ctl *c, int64_t no, undecided_fn *fn, void *arg, struct err *err);
/* Adds {"no","person","what","subject","n","at"} to rows, and prints lines unless --json. */
int decide_list(struct ctl *c, json_t *rows, struct err *err);
/* *ret false: no such record waits. verdict give or refuse. */
int decide_say(struct ctl *c, int64_t no, const char *verdict, bool *ret, struct err *err);
/* The number of the newest undecided record of this word; 0 none. */
int decide_newest(struct ctl *c, const char *what, int64_t *ret, struct err *err);
/* Waits until the ledger has a decision of this record. */
int decide_wait(struct ctl *c, int64_t no, struct err *err);

#endif
