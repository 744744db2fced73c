/* lines.h - JSON lines on a descriptor; with lines.c the one place that sees jansson.
 *
 * A line is built value by value and then put; texts must be well-formed UTF-8. Inside an array key
 * is NULL. Puts are collected and written as whole lines. */
#ifndef CTL_IMPORT_LINES_H
#define CTL_IMPORT_LINES_H

#include <stdint.h>

#include "base/buf.h"
#include "ctl/import/refuse.h"

#define LINE_DEPTH 6

struct line {
	void *node[LINE_DEPTH]; /* node[depth] is being filled */
	int depth;
};

struct lines {
	int fd;
	char *pending; /* owned: whole lines, not yet written */
	size_t n, size;
	struct refusal failed; /* the first write that failed; later puts do nothing */
};

void lines_prepare(void); /* once, before the sandbox: jansson seeds itself from a file */
void lines_init(struct lines *l, int fd);
void lines_done(struct lines *l); /* forgets what was not flushed */
/* 0, or -1 with the reason of the first failed write. */
int lines_flush(struct lines *l, struct refusal *no);

void line_begin(struct line *line);
void line_str(struct line *line, const char *key, struct span text);
void line_int(struct line *line, const char *key, int64_t value);
void line_bool(struct line *line, const char *key, int value);
void line_object(struct line *line, const char *key);
void line_array(struct line *line, const char *key);
void line_close(struct line *line); /* the innermost object or array */
void line_drop(struct line *line);
void lines_put(struct lines *l, struct line *line); /* and drops it */

#endif
