/* walk.h - cases that somebody asks about, each with its team and what the law remembers of it. */
#ifndef CTL_WALK_H
#define CTL_WALK_H

#include <jansson.h>

#include "ctl/show.h"

/* Is this case one of them? */
typedef bool walk_fn(void *arg, const struct case_state *s);
/* *ret: [{case, owner, team, lane, held, why, law}, ...], each case once, owned. law: as hf-router --law says. */
int walk_cases(struct ctl *c, walk_fn *fn, void *arg, json_t **ret, struct err *err);

#endif
