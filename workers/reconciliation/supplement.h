/* supplement.h - what a new pay sheet differs by from what was closed. Pure. */
#ifndef RECONCILIATION_SUPPLEMENT_H
#define RECONCILIATION_SUPPLEMENT_H

#include <jansson.h>
#include <stdint.h>

#define SUPPLEMENT_TEXT 32

/* "1633.50", "-536.50" -> fen; 0 when it is no amount of this form (*ret_ok false). */
int64_t supplement_fen(const char *text, int *ret_ok);
char *supplement_text(char out[SUPPLEMENT_TEXT], int64_t fen);
/* closed: the close and the supplements after it, each with "rows"; now: a sheet. A new list of
 * {"person","team","pay_was","pay_now","pay_difference","bonus_was","bonus_now","bonus_difference","explain"}, only of
 * persons with a difference, in the order of `now`, those who are not on it any more behind. NULL: a sheet has an
 * amount that does not read. */
json_t *supplement_rows(const json_t *closed, const json_t *now);

#endif
