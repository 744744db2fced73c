/* helper.c - fork, exec, one JSON object a line from its stdout; its stderr goes to ours.
 *
 * Failures: the program is missing, a line is no JSON (the helper died in the middle of one), an exit code
 * that says the file is unusable; a helper that was killed never counts as an end. */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "workers/link/helper.h"

#include "base/check.h"

char *
helper_path(char *out, unsigned long size, const char *program)
{
	char exe[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash != NULL)
		*slash = '\0';
	snprintf(out, size, "%s/%s", exe, program);
	return out;
}

/* A sibling program that runs, and what it says. */
struct running {
	const char *name;
	FILE *out;
	pid_t pid;
};

static int
start(struct running *x, char *const *argv, struct err *err)
{
	char path[PATH_MAX + 32];
	int fds[2];

	if (pipe(fds) != 0)
		return err_sys(err, "pipe");
	x->name = argv[0];
	x->pid = fork();
	if (x->pid < 0)
		return err_sys(err, "fork");
	if (x->pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(helper_path(path, sizeof(path), argv[0]), argv);
		_exit(EX_UNAVAILABLE);
	}
	close(fds[1]);
	x->out = fdopen(fds[0], "r");
	CHECK(x->out != NULL); /* no memory */
	return 0;
}

/* Its exit code; -1 when it was killed. What it still says is read, so that a full pipe does not stop it. */
static int
end(struct running *x, struct err *err)
{
	int status;

	while (fgetc(x->out) != EOF)
		;
	fclose(x->out);
	if (waitpid(x->pid, &status, 0) != x->pid || !WIFEXITED(status))
		return err_set(err, ERR_GONE, "%s did not come to its end", x->name);
	return WEXITSTATUS(status);
}

static bool
is_missing(const json_t *fatal)
{
	const char *code = json_string_value(json_object_get(fatal, "code"));

	return code != NULL && strcmp(code, "no-such-file") == 0;
}

static int
read_lines(FILE *in, helper_line_fn *on_line, void *arg, struct err *err)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int got = 0;

	while (got == 0 && (n = getline(&line, &cap, in)) > 0) {
		json_error_t why;
		json_t *j = json_loadb(line, (size_t)n, 0, &why);
		const json_t *fatal = json_object_get(j, "fatal");

		if (j == NULL)
			got = err_set(err, ERR_CORRUPT, "hf-import: an unreadable line");
		else if (fatal != NULL)
			got = err_set(err, is_missing(fatal) ? ERR_NOT_FOUND : ERR_CORRUPT, "%s",
			    json_string_value(json_object_get(fatal, "text")));
		else
			got = on_line(arg, j, err);
		json_decref(j);
	}
	free(line);
	return got;
}

int
helper_import(const char *what, const char *file, const char *errors_out, helper_line_fn *on_line,
    void *arg, struct err *err)
{
	const char *argv[] = {
	    "hf-import", what, file, errors_out != NULL ? "--errors" : NULL, errors_out, NULL};
	struct err why = ERR_INIT;
	struct running x;
	int got, code;

	if (start(&x, (char *const *)(uintptr_t)argv, err) != 0)
		return -1;
	got = read_lines(x.out, on_line, arg, err);
	code = end(&x, &why);
	if (got != 0)
		return -1;
	switch (code) {
	case 0:
	case 1: return 0;
	case -1: *err = why; return -1;
	case EX_NOINPUT: return err_set(err, ERR_NOT_FOUND, "没有这个文件: %s", file);
	case EX_UNAVAILABLE: return err_set(err, ERR_GONE, "hf-import cannot be run");
	default: break;
	}
	return err_set(err, ERR_CORRUPT, "%s 不能用 (hf-import exit %d)", file, code);
}

int
helper_text(char *const *argv, helper_text_fn *on_line, void *arg, int *ret_code, struct err *err)
{
	struct running x;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (start(&x, argv, err) != 0)
		return -1;
	while ((n = getline(&line, &cap, x.out)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		on_line(arg, line);
	}
	free(line);
	*ret_code = end(&x, err);
	return *ret_code < 0 ? -1 : 0;
}

int
helper_json(char *const *argv, json_t **ret, int *ret_code, struct err *err)
{
	struct running x;

	if (start(&x, argv, err) != 0)
		return -1;
	*ret = json_loadf(x.out, JSON_DISABLE_EOF_CHECK, NULL);
	*ret_code = end(&x, err);
	if (*ret_code >= 0)
		return 0;
	json_decref(*ret);
	return -1;
}
