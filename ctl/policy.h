/* policy.h - a setting of the policy in force, as hfctl reads it. */
#ifndef CTL_POLICY_H
#define CTL_POLICY_H

#include "base/buf.h"
#include "ctl/ctl.h"

/* The number in front of `set | name | 5% | …`; *ret stays when the policy has no such line. */
int policy_setting(struct ctl *c, const char *name, int *ret, struct err *err);

/* The text in force: the campaign's own, else the shipped one. The caller frees it. */
int policy_text(struct ctl *c, struct buf *ret, struct err *err);

#endif
