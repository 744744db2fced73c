/* say.h - one record as one verb: what most acts of hfctl come down to, and the checks they share. */
#ifndef CTL_SAY_H
#define CTL_SAY_H

#include "ctl/act.h"

/* Opens the outbox, adds this one record without a body, waits for its effect. h->person is filled in. */
int say_one(struct ctl *c, struct record_header *h, struct err *err);
/* The same with a note (1 to 4000 bytes; NULL: none) in its body, sealed with the case's key or the campaign's. */
int say_noted(struct ctl *c, struct record_header *h, const char *note, struct err *err);
void say_case(struct record_header *h, const uint8_t case_id[16]);
/* A reason's text: 1 to 48 bytes; NULL takes what stands for it. */
int say_reason(struct record_header *h, const char *text, const char *instead, struct err *err);
/* Who acts: --as, else the only person of hfctl's agent directory. */
int say_actor(struct ctl *c, name_t person, struct err *err);

/* A person as the queue knows them. */
struct say_person {
	name_t person, team; /* team "": none */
	uint64_t roles;
	bool qualified, active, enrolled; /* enrolled: has a key */
};
/* ERR_NOT_FOUND when there is none. */
int say_person(struct ctl *c, const char *person, struct say_person *ret, struct err *err);
/* Calls fn for every person of the campaign. */
typedef void say_person_fn(void *arg, const struct say_person *p);
int say_people(struct ctl *c, say_person_fn *fn, void *arg, struct err *err);
/* One line (or one object) about a case after an act. */
int say_where(struct ctl *c, const uint8_t case_id[16], const char *done, struct err *err);

#endif
