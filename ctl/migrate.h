/* migrate.h - hfctl db migrate: bring a database to the newest schema. */
#ifndef CTL_MIGRATE_H
#define CTL_MIGRATE_H

#include "base/err.h"

/* Applies the files NNNN_name.sql of schema_dir that hf.migration does not list, in order, each in a
 * transaction of its own, while an advisory lock keeps others out (two at once: the second waits up to
 * a minute, then finds nothing to do). Repeating it is harmless.
 *
 * -1 and nothing further is applied: ERR_STALE when an applied file was changed or is missing (the
 * program is older than the database), ERR_INVALID when the files are not numbered 0001, 0002 … or a
 * file's SQL fails (that file leaves no trace), ERR_BUSY when the lock was not to be had, ERR_GONE
 * when the database cannot be reached.
 *
 * conninfo: as role hf_migrate, or as a superuser; deploy/schema/README.md says what it needs. */
int migrate_run(const char *conninfo, const char *schema_dir, struct err *err);

#endif
