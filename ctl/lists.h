/* lists.h - a sheet of applicants with a yes or no each: arrivals, payments, admitted. All of it or nothing. */
#ifndef CTL_LISTS_H
#define CTL_LISTS_H

#include "ctl/act.h"

struct list_kind {
	const char *what;     /* the sheet's and the records' word */
	const char *on, *off; /* names of the counts in JSON */
	const char *zh_on, *zh_off;
	bool
	    is_whole; /* who is not in the file is off the list, and who is no case of ours is on it */
	bool
	    moves; /* its records move cases: rows are sealed, what is known is in the queue store */
};

extern const struct list_kind list_arrivals, list_payments, list_admitted;

/* FILE [--dry-run] [--partial]: the verb `import` of a list. */
int lists_import(struct ctl *c, const struct list_kind *kind, int argc, char **argv,
    const struct verb *table, struct err *err);

/* Open rows: cases with an owner or a yes or no, in as many IMPORT records as they need; then the COMMIT. */
struct list_say {
	struct acts *a;
	const char *what;
	uint8_t import[16];
	uint64_t rows;
};
void list_say_begin(struct list_say *s, struct acts *a, const char *what);
/* cases: n x 16 bytes. valid 0 or 1; subject NULL: none. */
int list_say_cases(struct list_say *s, const uint8_t *cases, size_t n, bool valid,
    const char *subject, struct err *err);
int list_say_commit(struct list_say *s, struct err *err);
/* Waits until the ledger has the import: ERR_LATE when it does not come within 30 s. */
int list_wait(struct ctl *c, const uint8_t import[16], struct err *err);

#endif
