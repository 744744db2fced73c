/* rules.h - what a screen and a desk may know of a policy file and of a script. */
#ifndef CALLER_RULES_H
#define CALLER_RULES_H

#include <jansson.h>

#include "base/err.h"

typedef int rules_fn(json_t **ret, const char *path, struct err *err);
/* {"policy":…,"outcomes":[…],"rungs":[…],"templates":{sms, im}} of a policy file. */
int rules_load(json_t **ret, const char *path, struct err *err);
/* {"version":…,"date":…,"by":…,"lines":[{stage,tick,text}],"concerns":[{code,text}]} of a script file. */
int rules_script(json_t **ret, const char *path, struct err *err);
/* asked: its path, or NULL: the installed one; that one may be missing, and *ret stays as it is. */
int rules_words(
    json_t **ret, const char *asked, const char *installed, rules_fn *load, struct err *err);

#endif
