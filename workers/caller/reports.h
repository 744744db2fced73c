/* reports.h - shared by reports.c (what may be asked, and by whom) and report_run.c (the program's run). */
#ifndef CALLER_REPORTS_H
#define CALLER_REPORTS_H

#include "workers/caller/office_int.h"
#include "workers/link/child.h"

#define REPORT_WORDS 20
#define REPORT_ARGS  4
#define REPORT_TEXT  48

enum form { FORM_ID, FORM_NUMBER, FORM_DAY, FORM_TIME, FORM_WORD, FORM_CASE, FORM_TO };

struct arg_row {
	const char *name, *word; /* word: before it; NULL: it stands alone */
	enum form form;
	bool needed;
};
struct report_row {
	const char *name;
	uint32_t roles;
	bool own;                         /* and everybody, of oneself: ?person= is filled in */
	bool mine;                        /* of its rows only those of the person who asks */
	bool as;                          /* said as the person who asks: --as */
	const char *program;              /* hfctl or hf-reconcile */
	const char *words[5];             /* NULL at their end */
	struct arg_row args[REPORT_ARGS]; /* name NULL at their end */
};

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct http_later *later;
	name_t person; /* who asks */
};
TAILQ_HEAD(waiters, waiter);

struct run {
	TAILQ_ENTRY(run) link;
	struct reports *all;
	const struct report_row *row;
	char text[REPORT_WORDS][REPORT_TEXT]; /* of the values */
	const char *argv[REPORT_WORDS + 1];
	size_t n_text, n_argv;
	struct child *child;
	struct waiters waiters;
	size_t n_waiters;
	int64_t done_us; /* 0: not yet */
	int status;      /* of the answer */
	json_t *answer;
};
TAILQ_HEAD(runs, run);

struct reports {
	struct office *office;
	struct runs runs;
	size_t n_runs;
	bool has_home;
};

#define STORY_SIZE 200
/* What a program of ours said last in words, or that it said nothing. */
void run_story(char out[STORY_SIZE], struct span story);

/* report_run.c. A run is asked for with its words, and taken over. */
void run_word(struct run *r, const char *word);
void run_value(struct run *r, const char *value); /* copied */
void run_ask(struct reports *all, struct run *wanted, const char *person,
    const struct http_request *req, struct http_response *res);

#endif
