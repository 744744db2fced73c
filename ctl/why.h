/* why.h - one line: why a case is where it is, why a person gets nothing. */
#ifndef CTL_WHY_H
#define CTL_WHY_H

#include <stdint.h>

#include "ctl/ctl.h"

int why_case(struct ctl *c, const uint8_t id[16], struct err *err);
/* 1 (EXIT_FOUND): nobody of that name. */
int why_person(struct ctl *c, const char *person, struct err *err);

#endif
