/* explain.h - a row's pay as lines in Chinese, each naming its rule; the same for what-if and for pay show. */
#ifndef RECONCILIATION_EXPLAIN_H
#define RECONCILIATION_EXPLAIN_H

#include <jansson.h>

#include "workers/reconciliation/pay.h"

#define PAY_TEXT 32

/* "1633.50". out >= PAY_TEXT. Returns out. */
char *pay_text(char *out, int64_t fen);
/* {"person","rate","standard","pay","leader_bonus","explain":[…]} of design.md 9; a new reference. */
json_t *pay_json(const struct pay_policy *p, const char *person, const struct pay_row *row,
    const struct pay_team *team);

#endif
