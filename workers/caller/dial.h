/* dial.h - what to dial on the office's landline: 0 before a mobile number from elsewhere (domain.md C5). */
#ifndef CALLER_DIAL_H
#define CALLER_DIAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define DIAL_SIZE 64

/* Local prefixes of mobile numbers from a file: a prefix of 3 to 7 digits a line, # begins a comment. One table a
 * process, since its people sit in one place; without it every number is dialled as it stands. ERR_INVALID names file
 * and line; the table stays as it was. */
int dial_load(const char *path, struct err *err);
void dial_forget(void);
/* Returns out. */
char *dial_string(char out[DIAL_SIZE], struct span digits);

#endif
