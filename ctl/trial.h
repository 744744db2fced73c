/* trial.h - what a policy file would change, before anybody says yes to it. */
#ifndef CTL_TRIAL_H
#define CTL_TRIAL_H

#include <jansson.h>

#include "ctl/ctl.h"

struct trial {
	long was, next, cases, concerned;
	json_t *removed, *added, *persons;
	json_t *
	    pay; /* hf-reconcile try-policy; NULL: no reading of a question changes, or it could not be had */
	bool asks; /* a reading changes */
};

/* 0, or the exit code of a file that cannot be used; its problems stand on stderr. */
int trial_run(struct ctl *c, char *file, struct trial *t, struct err *err);
/* t->pay, when a reading changes. */
int trial_pay(struct ctl *c, char *file, struct trial *t, struct err *err);
void trial_print(const struct ctl *c, const struct trial *t, bool dry);

#endif
