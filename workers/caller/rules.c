/* rules.c - what a screen may know of a policy file (huifang-policy(5)): outcomes and the ladder's rungs; and the script,
 * which says what must be told and which concerns there are.
 *
 * Happy path: each row of the file is cut at its bars; of an outcome the screen gets code, name, whether a
 * next step is needed, what it must hold and what it leads to. It judges nothing: hf-router --check-policy
 * does, and what a record is worth is the router's to say. Failures: a file that is not there, or has
 * no outcome in it. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "workers/caller/office_int.h"

#define RULES_MAX ((size_t)256 * 1024)
#define CELLS     14

enum outcome_cell {
	O_CODE = 1,
	O_TEXT,
	O_NATURE,
	O_WHERE,
	O_HINTS = 8,
	O_NEEDS,
	O_TRY,
	O_CONTACT,
	O_CELLS
};
enum script_cell { S_VERSION = 1, S_DATE, S_BY, S_CELLS };
enum line_cell { L_STAGE = 1, L_TICK, L_TEXT, L_CELLS };
enum template_cell { T_WHAT = 1, T_TEXT, T_CELLS };
enum rung_cell { R_NUMBER = 1, R_TEXT, R_WHO, R_CELLS };

static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
		s[--len] = '\0';
	return s;
}

/* A full-width bar counts as well. */
static size_t
cut(char *line, char *cell[CELLS])
{
	size_t n = 0;
	char *at = line, *wide;

	while ((wide = strstr(line, "｜")) != NULL)
		memcpy(wide, "|  ", 3);
	while (at != NULL && n < CELLS) {
		char *bar = strchr(at, '|');

		if (bar != NULL)
			*bar++ = '\0';
		cell[n++] = trim(at);
		at = bar;
	}
	return n;
}

/* "ticks script spoke" -> a list; "-" is empty. */
static json_t *
words(char *cell)
{
	json_t *list = json_array();
	char *save = NULL;

	for (char *w = strtok_r(cell, " ,", &save); w != NULL; w = strtok_r(NULL, " ,", &save))
		if (strcmp(w, "-") != 0)
			(void)json_array_append_new(list, json_string(w));
	return list;
}

static json_t *
outcome_of(char *cell[CELLS])
{
	bool open = strcmp(cell[O_NATURE], "open") == 0;

	return json_pack("{s:s,s:s,s:b,s:b,s:s,s:o,s:o,s:b,s:s}", "code", cell[O_CODE], "text",
	    cell[O_TEXT], "final", !open, "needs_next", open && strcmp(cell[O_WHERE], "own") == 0,
	    "to", cell[O_WHERE], "next_steps", words(cell[O_HINTS]), "needs", words(cell[O_NEEDS]),
	    "attempt", strcmp(cell[O_TRY], "yes") == 0, "contact", cell[O_CONTACT]);
}

static void
take_row(json_t *ret, char *cell[CELLS], size_t n)
{
	json_t *o = NULL;
	uint64_t rung;

	if (strcmp(cell[0], "policy") == 0 && n >= 2) {
		(void)json_object_set_new(ret, "policy", json_string(cell[1]));
	} else if (strcmp(cell[0], "outcome") == 0 && n >= O_CELLS) {
		o = outcome_of(cell);
		(void)json_array_append_new(json_object_get(ret, "outcomes"), o);
	} else if (strcmp(cell[0], "rung") == 0 && n >= R_CELLS &&
	           text_to_u64(cell[R_NUMBER], strlen(cell[R_NUMBER]), &rung)) {
		o = json_pack("{s:I,s:s,s:s}", "n", (json_int_t)rung, "text", cell[R_TEXT], "who",
		    cell[R_WHO]);
		(void)json_array_append_new(json_object_get(ret, "rungs"), o);
	} else if (strcmp(cell[0], "template") == 0 && n >= T_CELLS) {
		(void)json_object_set_new(
		    json_object_get(ret, "templates"), cell[T_WHAT], json_string(cell[T_TEXT]));
	}
}

static void
take_script_row(json_t *ret, char *cell[CELLS], size_t n)
{
	uint64_t stage;

	if (strcmp(cell[0], "script") == 0 && n >= S_CELLS) {
		(void)json_object_set_new(ret, "version", json_string(cell[S_VERSION]));
		(void)json_object_set_new(ret, "date", json_string(cell[S_DATE]));
		(void)json_object_set_new(ret, "by", json_string(cell[S_BY]));
	} else if (strcmp(cell[0], "line") == 0 && n >= L_CELLS &&
	           text_to_u64(cell[L_STAGE], strlen(cell[L_STAGE]), &stage)) {
		(void)json_array_append_new(json_object_get(ret, "lines"),
		    json_pack("{s:I,s:s,s:s}", "stage", (json_int_t)stage, "tick",
		        strcmp(cell[L_TICK], "-") == 0 ? "" : cell[L_TICK], "text", cell[L_TEXT]));
	} else if (strcmp(cell[0], "concern") == 0 && n >= 3) {
		(void)json_array_append_new(json_object_get(ret, "concerns"),
		    json_pack("{s:s,s:s}", "code", cell[1], "text", cell[2]));
	}
}

typedef void row_fn(json_t *ret, char *cell[CELLS], size_t n);

static int
read_rows(json_t *ret, const char *path, row_fn *row, struct err *err)
{
	struct buf text = BUF_INIT;
	char *save = NULL, *cell[CELLS];

	if (file_read(&text, path, RULES_MAX, err) != 0)
		return -1;
	if (!utf8_valid(text.data, text.len)) {
		buf_done(&text);
		return err_set(err, ERR_INVALID, "%s: wants UTF-8", path);
	}
	buf_add(&text, "", 1);
	for (char *line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t n = cut(line, cell);

		if (cell[0][0] != '#')
			row(ret, cell, n);
	}
	buf_done(&text);
	return 0;
}

int
rules_load(json_t **ret, const char *path, struct err *err)
{
	json_t *o = json_pack("{s:[],s:[],s:{}}", "outcomes", "rungs", "templates");

	if (read_rows(o, path, take_row, err) != 0) {
		json_decref(o);
		return -1;
	}
	if (json_array_size(json_object_get(o, "outcomes")) == 0) {
		json_decref(o);
		return err_set(err, ERR_INVALID, "%s: no outcome row in it", path);
	}
	*ret = o;
	return 0;
}

int
rules_script(json_t **ret, const char *path, struct err *err)
{
	json_t *o = json_pack("{s:[],s:[]}", "lines", "concerns");

	if (read_rows(o, path, take_script_row, err) != 0) {
		json_decref(o);
		return -1;
	}
	if (json_object_get(o, "version") == NULL) {
		json_decref(o);
		return err_set(err, ERR_INVALID, "%s: no script row in it", path);
	}
	*ret = o;
	return 0;
}

/* The installed file is a help; one that was asked for must be there. */
int
rules_words(json_t **ret, const char *asked, const char *installed, rules_fn *load, struct err *err)
{
	char path[4096];

	if (asked != NULL)
		return load(ret, asked, err);
	if (file_share(path, sizeof(path), installed, NULL) == 0)
		(void)load(ret, path, NULL);
	return 0;
}
