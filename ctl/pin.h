/* pin.h - PINs of persons, and the record that enrols a person's key: shared by the verbs of people. */
#ifndef CTL_PIN_H
#define CTL_PIN_H

#include "ctl/act.h"
#include "workers/link/identity.h"

#define PIN_SIZE 64

/* The first line of a file. */
int pin_read(const char *path, char pin[PIN_SIZE], struct err *err);
/* Six digits, each as likely as another. */
void pin_make(char pin[PIN_SIZE]);
/* Shows it, once. */
void pin_say(const char *pin);
struct record_header pin_enrolment(const struct acts *a, const struct identity *id,
    const char *person, const uint8_t person_pk[32]);
/* ENROL: this agent, and this key of the person. Waits for the effect. */
int pin_enrol(struct ctl *c, const struct identity *id, const char *person,
    const uint8_t person_pk[32], struct err *err);

#endif
