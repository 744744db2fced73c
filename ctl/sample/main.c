/* hf-sample: rosters and lists of people that nobody is in, for demos, tests and measurements.
 *
 * Happy path: options, one file, exit 0. Without any word: var/sample/roster.xlsx and people.xlsx.
 * Failures: usage (64), a file that cannot be written (73). */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/import/lines.h"
#include "ctl/sample/people.h"
#include "ctl/sample/roster.h"

#define DEFAULT_FOLDER "var/sample/"

struct options {
	bool people;
	bool warts;
	bool has_format;
	enum out_format format;
	const char *out;
	struct inventor inventor;
};

enum {
	OPT_ROWS = 'n',
	OPT_SEED = 's',
	OPT_FORMAT = 'f',
	OPT_OUT = 'o',
	OPT_WARTS = 'w',
	OPT_TODAY = 't'
};

static const struct argp_option argp_options[] = {
    {"rows", OPT_ROWS, "N", 0, "applicants (1403)", 0},
    {"seed", OPT_SEED, "N", 0, "the same seed makes the same people (7)", 0},
    {"format", OPT_FORMAT, "xlsx|csv|csv-nobom|csv-gb18030|dbf", 0,
        "(by the name of OUT, else xlsx)", 0},
    {"out", OPT_OUT, "FILE", 0, "where to", 0},
    {"warts", OPT_WARTS, NULL, 0, "with the faults of real rosters, and FILE.expect.json", 0},
    {"today", OPT_TODAY, "YYYY-MM-DD", 0, "the day on which they are 17 to 20 years old", 0},
    {0},
};

static uint64_t
number(struct argp_state *state, const char *name, const char *arg, uint64_t min, uint64_t max)
{
	uint64_t value = 0;

	if (!text_to_u64(arg, strlen(arg), &value) || value < min || value > max)
		argp_error(state, "--%s wants a number from %ju to %ju", name, (uintmax_t)min,
		    (uintmax_t)max);
	return value;
}

static void
finish(struct argp_state *state, struct options *o)
{
	const char *dot = o->out == NULL ? NULL : strrchr(o->out, '.');

	if (!o->has_format && (dot == NULL || out_format_of(dot + 1, &o->format) != 0))
		o->format = OUT_XLSX;
	if (o->out == NULL && state->argc > 1)
		argp_error(state, "--out FILE is missing");
	if (o->warts && o->inventor.rows < roster_warts_min())
		argp_error(state, "--warts wants at least %jd rows", (intmax_t)roster_warts_min());
	if (o->format == OUT_XLSX && o->inventor.rows > 1048000)
		argp_error(state, "an XLSX sheet has no room for so many rows");
}

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_ROWS:
		o->inventor.rows = (int64_t)number(state, "rows", arg, 1, INVENT_ROWS_MAX);
		return 0;
	case OPT_SEED: o->inventor.seed = number(state, "seed", arg, 0, UINT32_MAX); return 0;
	case OPT_FORMAT:
		if (out_format_of(arg, &o->format) != 0)
			argp_error(
			    state, "--format is one of xlsx, csv, csv-nobom, csv-gb18030, dbf");
		o->has_format = true;
		return 0;
	case OPT_OUT: o->out = arg; return 0;
	case OPT_WARTS: o->warts = true; return 0;
	case OPT_TODAY:
		if (!day_parse(span_str(arg), &o->inventor.today))
			argp_error(state, "--today wants a day such as 2026-10-01");
		return 0;
	case ARGP_KEY_ARG:
		if (strcmp(arg, "people") != 0 && strcmp(arg, "roster") != 0)
			argp_error(state, "roster or people?");
		o->people = arg[0] == 'p';
		return 0;
	case ARGP_KEY_END: finish(state, o); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int
write_defaults(struct options *o, struct err *err)
{
	if (file_mkdirs(DEFAULT_FOLDER, 0700, err) != 0 ||
	    roster_write(DEFAULT_FOLDER "roster.xlsx", OUT_XLSX, &o->inventor, false, err) != 0 ||
	    people_write(DEFAULT_FOLDER "people.xlsx", OUT_XLSX, o->inventor.seed, err) != 0)
		return -1;
	fprintf(stderr, "%sroster.xlsx, %speople.xlsx\n", DEFAULT_FOLDER, DEFAULT_FOLDER);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {argp_options, on_option, "[roster|people]",
	    "Write invented applicants, or the people of an invented calling room.", NULL, NULL,
	    NULL};
	struct options o = {.inventor = {.seed = 7, .rows = 1403, .today = day_today()}};
	struct err err = ERR_INIT;
	int rc;

	log_init("hf-sample", LOG_LVL_INFO);
	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) !=
	    0) { /* its own words end the program: no memory */
		(void)fputs("hf-sample: no memory for the options\n", stderr);
		return EX_OSERR;
	}
	lines_prepare();
	if (o.out == NULL)
		rc = write_defaults(&o, &err);
	else if (o.people)
		rc = people_write(o.out, o.format, o.inventor.seed, &err);
	else
		rc = roster_write(o.out, o.format, &o.inventor, o.warts, &err);
	if (rc == 0)
		return 0;
	log_error("sample.not_written", "cause=\"%s\"", err.text);
	return EX_CANTCREAT;
}
