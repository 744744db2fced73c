/* people.h - the people of an invented calling room, ready for `hf-import people`. */
#ifndef CTL_SAMPLE_PEOPLE_H
#define CTL_SAMPLE_PEOPLE_H

#include <stdint.h>

#include "ctl/sample/out.h"

/* 48 callers in 8 teams (the first of each leads, the second is deputy) and everybody else. */
int people_write(const char *path, enum out_format format, uint64_t seed, struct err *err);

#endif
