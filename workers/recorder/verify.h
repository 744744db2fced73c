/* verify.h - is an archive what the recorder and the agents signed? Nothing but public keys is needed. */
#ifndef RECORDER_VERIFY_H
#define RECORDER_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* A file with 64 hex digits. */
int verify_key(const char *path, uint8_t ret_pk[32], struct err *err);
/* dir: an installation's archive, or the records of one campaign. Says on out what was found, the first
 * thing that is wrong included. 0 all good, 1 something is not, -1 it cannot be read. */
int verify_archive(const char *dir, const uint8_t sign_pk[32], FILE *out, struct err *err);

#endif
