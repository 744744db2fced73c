/* idno.h - resident id numbers (GB 11643): 17 digits and a check character, the birth date inside. */
#ifndef CTL_IMPORT_IDNO_H
#define CTL_IMPORT_IDNO_H

#include "base/buf.h"
#include "ctl/import/day.h"

enum idno_verdict { IDNO_OK, IDNO_SHAPE, IDNO_OLD, IDNO_CHECK, IDNO_BIRTH };

/* text: 18 characters, the last one 0-9 or X. A birth date must exist and not lie after today; it is
 * given back when the verdict is IDNO_OK. */
enum idno_verdict idno_check(struct span text, struct day today, struct day *ret_birth);
/* The 18th character for 17 digits. */
char idno_check_char(const char digits[17]);

#endif
