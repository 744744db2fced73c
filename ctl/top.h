/* top.h - the operators' picture as lines of text: the same figures and names as the dashboard's page. Pure. */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/* state: the answer of the dashboard's /state; age_s: how old it is, below 0 unknown. Lines end with \n; by_age
 * puts the lane that has waited longest first, else the fullest. What is missing in state is shown as 0. */
void top_text(struct buf *out, const json_t *state, long age_s, bool by_age);

#endif
