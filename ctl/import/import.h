/* import.h - one file from its descriptor to JSON lines. IMPORT.md has the shapes of the lines.
 *
 * import_prepare does everything that needs the file system, so that import_run can run in a
 * sandbox that has none. */
#ifndef CTL_IMPORT_IMPORT_H
#define CTL_IMPORT_IMPORT_H

#include "base/err.h"
#include "ctl/import/day.h"
#include "ctl/import/decode.h"
#include "ctl/import/table.h"

enum { IMPORT_GOOD = 0, IMPORT_SOME_BAD = 1, IMPORT_UNUSABLE = 65, IMPORT_NO_FILE = 66 };

struct import_job {
	const struct table_kind *kind; /* NULL: no rules, each row's cells as they stand */
	int input_fd;
	int out_fd;
	int bad_rows_fd; /* -1: no error sheet */
	enum input_encoding encoding;
	struct day today;

	struct decoder *decoder; /* owned; import_prepare, import_done */
	uint64_t seed;
};

int import_prepare(struct import_job *job, struct err *err);
void import_done(struct import_job *job);
/* Answers the exit code. Every way out but a failed write ends the output with a summary or a
 * fatal line. */
int import_run(struct import_job *job);
/* The fatal line alone. */
void import_fatal(int fd, const struct refusal *no);

#endif
