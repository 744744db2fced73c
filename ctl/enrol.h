/* enrol.h - the keys of a person and of an agent, and the record about them: shared by the verbs of agents. */
#ifndef CTL_ENROL_H
#define CTL_ENROL_H

#include "ctl/ctl.h"
#include "ctl/pin.h"

struct enrolment {
	struct identity id;
	uint8_t person_pk[32];
	const char *person, *out;
	char pin[PIN_SIZE]; /* "" unattended */
	bool added;         /* the person's key was made now */
	bool again;         /* a key that is there gets this PIN, whatever it had */
};

/* The directory and the person's key; what is there already stays, so that a second try goes on. */
int enrol_keys(struct ctl *c, struct enrolment *e, struct err *err);

/* agent enrol --all: everybody who has no key yet, a directory each, one page with the PINs. */
int enrol_all(struct ctl *c, int argc, char **argv, struct err *err);

#endif
