/* helper.h - runs a program that owns a matter and reads its JSON lines. */
#ifndef LINK_HELPER_H
#define LINK_HELPER_H

#include <jansson.h>

#include "base/err.h"

/* line is borrowed. -1 ends the reading with err. */
typedef int helper_line_fn(void *arg, json_t *line, struct err *err);

/* hf-import WHAT FILE [--errors OUT]: every line to on_line. 0 when it ran to its end (rows may be bad: its
 * lines say so); -1 when the file as a whole cannot be used, with the helper's own words. */
int helper_import(const char *what, const char *file, const char *errors_out,
    helper_line_fn *on_line, void *arg, struct err *err);
/* Runs a sibling program with these words and gives each line of its stdout, without its end, to on_line. *ret_code: its
 * exit code. -1 when it could not be run or was killed. */
typedef void helper_text_fn(void *arg, char *line);
int helper_text(
    char *const *argv, helper_text_fn *on_line, void *arg, int *ret_code, struct err *err);
/* Runs a sibling program with these words (argv[0] its name, NULL at the end) and reads one JSON value from its stdout:
 * *ret is NULL when it said none, *ret_code its exit code. -1 when it could not be run or was killed. */
int helper_json(char *const *argv, json_t **ret, int *ret_code, struct err *err);
/* The path of a sibling program of ours (hf-import, hf-reconcile …). Returns out. */
char *helper_path(char *out, unsigned long size, const char *program);

#endif
