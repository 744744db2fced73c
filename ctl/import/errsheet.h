/* errsheet.h - the sheet of bad rows, written by the parent from what the sandboxed child sends. */
#ifndef CTL_IMPORT_ERRSHEET_H
#define CTL_IMPORT_ERRSHEET_H

#include "base/err.h"

struct errsheet;

/* Reads frames from fd up to its end. Always empties the descriptor, also after an error, so that
 * the child is never blocked. */
int errsheet_collect(struct errsheet **ret, int fd, const char *path, struct err *err);
/* Both free. Keep makes the file visible, drop leaves none. Nothing was written if there was no
 * header. */
int errsheet_keep(struct errsheet *e, struct err *err);
void errsheet_drop(struct errsheet *e); /* NULL-safe */

#endif
