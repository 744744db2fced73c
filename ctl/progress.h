/* progress.h - one line on a terminal that says how far a long verb is; nothing where nobody looks. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool shown; /* stderr is a terminal, and words are wanted there */
	const char *what;
	size_t total; /* 0: not known */
	int64_t begun_us, said_us;
};

/* what: a word of this step, borrowed. */
void progress_begin(struct progress *p, const char *what, size_t total, bool wanted);
/* At most ten times a second. */
void progress_at(struct progress *p, size_t rows);
/* Clears the line, for other words to stand there. */
void progress_hide(struct progress *p);
/* The same, and nothing is shown any more. */
void progress_end(struct progress *p);

#endif
