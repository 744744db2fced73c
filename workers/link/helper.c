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

static _Noreturn void
run_import(const char *what, const char *file, const char *errors_out, int out)
{
	char path[PATH_MAX + 32];
	const char *argv[7] = {"hf-import", what, file, NULL, NULL, NULL, NULL};

	if (errors_out != NULL) {
		argv[3] = "--errors";
		argv[4] = errors_out;
	}
	dup2(out, STDOUT_FILENO);
	close(out);
	execv(helper_path(path, sizeof(path), "hf-import"), (char *const *)(uintptr_t)argv);
	_exit(EX_UNAVAILABLE);
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
	int fds[2], status, got;
	FILE *in;
	pid_t pid;

	if (pipe(fds) != 0)
		return err_sys(err, "pipe");
	pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0) {
		close(fds[0]);
		run_import(what, file, errors_out, fds[1]);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	got = read_lines(in, on_line, arg, err);
	fclose(in);
	if (waitpid(pid, &status, 0) != pid)
		return err_sys(err, "hf-import");
	if (got != 0)
		return -1;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_NOINPUT)
		return err_set(err, ERR_NOT_FOUND, "没有这个文件: %s", file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_UNAVAILABLE)
		return err_set(err, ERR_GONE, "hf-import cannot be run");
	return err_set(err, ERR_CORRUPT, "%s 不能用 (hf-import %s %d)", file,
	    WIFEXITED(status) ? "exit" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static _Noreturn void
run_sibling(char *const *argv, int out)
{
	char path[PATH_MAX + 32];

	dup2(out, STDOUT_FILENO);
	close(out);
	execv(helper_path(path, sizeof(path), argv[0]), argv);
	_exit(EX_UNAVAILABLE);
}

int
helper_json(char *const *argv, json_t **ret, int *ret_code, struct err *err)
{
	int fds[2], status;
	FILE *in;
	pid_t pid;

	if (pipe(fds) != 0)
		return err_sys(err, "pipe");
	pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0) {
		close(fds[0]);
		run_sibling(argv, fds[1]);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	*ret = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL);
	while (fgetc(in) != EOF)
		; /* so that it is not stopped by a full pipe */
	fclose(in);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		json_decref(*ret);
		return err_set(err, ERR_GONE, "%s did not come to its end", argv[0]);
	}
	*ret_code = WEXITSTATUS(status);
	return 0;
}
