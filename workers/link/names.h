/* names.h - what a person is called, beside the own key in an agent's directory; nowhere else. */
#ifndef LINK_NAMES_H
#define LINK_NAMES_H

#include "base/err.h"

#define NAME_TEXT 61 /* 60 bytes and a NUL */

/* "" takes it away. ERR_INVALID: longer, no UTF-8, with a control character. */
int names_put(const char *dir, const char *person, const char *name, struct err *err);
/* "" when there is none. Returns out. */
char *names_get(char out[NAME_TEXT], const char *dir, const char *person);

#endif
