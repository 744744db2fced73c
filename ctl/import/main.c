/* hf-import: a roster, a list of people or of holidays, from a stranger's file to JSON lines.
 *
 * Happy path: the parent opens the file and forks; the child gives up everything but its open
 * descriptors and reads; the parent writes the error sheet from what the child sends, waits, and
 * exits with the child's code. Exit: 0 all rows good, 1 some bad, 64 usage, 65 file unusable, 66 no
 * such file, 70 the child died, 74 the error sheet could not be written (the rows stand). */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/import/errsheet.h"
#include "ctl/import/import.h"
#include "ctl/import/kinds.h"
#include "ctl/import/sandbox.h"

#define MEMORY_BYTES (512LL << 20)

struct options {
	struct import_job job;
	const char *path;
	const char *errors; /* NULL: none */
};

enum { OPT_ENCODING = 'e', OPT_ERRORS = 'o', OPT_TODAY = 't' };

static const struct argp_option argp_options[] = {
    {"encoding", OPT_ENCODING, "auto|utf-8|gb18030", 0, "of CSV and DBF files (auto)", 0},
    {"errors", OPT_ERRORS, "OUT", 0, "write the bad rows as a sheet with a column of errors", 0},
    {"today", OPT_TODAY, "YYYY-MM-DD", 0, "the day that ages are judged on", 0},
    {0},
};

static const struct table_kind *
kind_of(const char *word)
{
	if (strcmp(word, "roster") == 0)
		return &roster_kind;
	if (strcmp(word, "people") == 0)
		return &people_kind;
	if (strcmp(word, "arrivals") == 0)
		return &arrivals_kind;
	if (strcmp(word, "payments") == 0)
		return &payments_kind;
	if (strcmp(word, "admitted") == 0)
		return &admitted_kind;
	if (strcmp(word, "pay") == 0)
		return &pay_kind;
	if (strcmp(word, "records") == 0)
		return &records_kind;
	return strcmp(word, "holidays") == 0 ? &holidays_kind : NULL;
}

static void
take_encoding(struct argp_state *state, const char *arg, struct import_job *job)
{
	if (strcasecmp(arg, "auto") == 0)
		job->encoding = ENCODING_AUTO;
	else if (strcasecmp(arg, "utf-8") == 0 || strcasecmp(arg, "utf8") == 0)
		job->encoding = ENCODING_UTF8;
	else if (strcasecmp(arg, "gb18030") == 0 || strcasecmp(arg, "gbk") == 0)
		job->encoding = ENCODING_GB18030;
	else
		argp_error(state, "--encoding is one of auto, utf-8, gb18030");
}

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_ENCODING: take_encoding(state, arg, &o->job); return 0;
	case OPT_ERRORS: o->errors = arg; return 0;
	case OPT_TODAY:
		if (!day_parse(span_str(arg), &o->job.today))
			argp_error(state, "--today wants a day such as 2026-10-01");
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0) {
			o->job.kind = kind_of(arg);
			if (o->job.kind == NULL && strcmp(arg, "cells") != 0)
				argp_error(state,
				    "the first word is one of roster, people, "
				    "arrivals, payments, admitted, pay, records, holidays, cells");
		} else if (state->arg_num == 1) {
			o->path = arg;
		} else {
			argp_error(state, "one file at a time");
		}
		return 0;
	case ARGP_KEY_END:
		if (o->path == NULL)
			argp_error(state, "what, and which file?");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* 30 s do for any roster of a college; beyond, the time grows with the file. */
static int64_t
cpu_seconds(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return 30;
	return 30 + st.st_size / (2 << 20);
}

static _Noreturn void
child(struct options *o)
{
	struct sandbox_limits limits = {MEMORY_BYTES, cpu_seconds(o->job.input_fd)};
	struct refusal no = REFUSAL_INIT;
	struct err err = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (import_prepare(&o->job, &err) != 0 || sandbox_enter(&limits, &err) != 0) {
		refuse(&no, REFUSE_CRASH, "导入程序无法进入隔离状态：%s", err.text);
		import_fatal(o->job.out_fd, &no);
		_exit(EX_SOFTWARE);
	}
	_exit(import_run(&o->job));
}

/* What became of the child. A line of our own follows a line that it may have left half-written. */
static int
judge_child(int status, const struct options *o)
{
	struct refusal no = REFUSAL_INIT;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGXCPU)
		refuse(&no, REFUSE_TIME, "读取用时过长，已停止；请把名单分成几个文件再导入");
	else
		refuse(&no, REFUSE_CRASH,
		    "读取时出错停止（信号 %d），文件没有导入；请另存为新的 .xlsx 再试",
		    WTERMSIG(status));
	(void)!write(o->job.out_fd, "\n", 1);
	import_fatal(o->job.out_fd, &no);
	return no.code == REFUSE_TIME ? EX_DATAERR : EX_SOFTWARE;
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static int
parent(struct options *o, pid_t pid, int bad_rows_fd)
{
	struct errsheet *sheet = NULL;
	struct err err = ERR_INIT;
	int rc = 0, code;

	if (o->errors != NULL)
		rc = errsheet_collect(&sheet, bad_rows_fd, o->errors, &err);
	code = judge_child(wait_for(pid), o);
	if (rc == 0 && sheet != NULL && (code == IMPORT_GOOD || code == IMPORT_SOME_BAD))
		rc = errsheet_keep(sheet, &err);
	else
		errsheet_drop(sheet);
	if (rc != 0) {
		log_error("import.no_error_sheet", "cause=\"%s\"", err.text);
		return code == IMPORT_GOOD || code == IMPORT_SOME_BAD ? EX_IOERR : code;
	}
	return code;
}

static int
open_input(struct options *o)
{
	struct refusal no = REFUSAL_INIT;

	/* O_NONBLOCK: a FIFO of that name shall be refused, not waited for */
	o->job.input_fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (o->job.input_fd >= 0)
		return 0;
	refuse(&no, REFUSE_NO_FILE, "打不开文件 %.200s：%s", o->path,
	    errno == ENOENT ? "没有这个文件；请检查文件名" : strerror(errno));
	import_fatal(o->job.out_fd, &no);
	return -1;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {argp_options, on_option,
	    "roster|people|arrivals|payments|admitted|pay|records|holidays|cells FILE",
	    "Read a sheet (.xlsx, .csv, .dbf, told apart by content) and write JSON lines.", NULL,
	    NULL, NULL};
	struct options o = {
	    .job = {.out_fd = STDOUT_FILENO, .bad_rows_fd = -1, .today = day_today()}};
	int fds[2] = {-1, -1};
	pid_t pid;

	log_init("hf-import", LOG_LVL_INFO);
	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) !=
	    0) { /* its own words end the program: no memory */
		(void)fputs("hf-import: no memory for the options\n", stderr);
		return EX_OSERR;
	}
	umask(077);
	if (open_input(&o) != 0)
		return IMPORT_NO_FILE;
	if (o.errors != NULL && pipe2(fds, O_CLOEXEC) != 0) {
		log_error("import.no_pipe", "cause=\"%s\"", strerror(errno));
		return EX_OSERR;
	}
	o.job.bad_rows_fd = fds[1];
	pid = fork();
	if (pid < 0) {
		log_error("import.no_fork", "cause=\"%s\"", strerror(errno));
		return EX_OSERR;
	}
	if (pid == 0) {
		if (fds[0] >= 0)
			close(fds[0]);
		child(&o);
	}
	if (fds[1] >= 0)
		close(fds[1]);
	return parent(&o, pid, fds[0]);
}
