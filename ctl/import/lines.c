/* JSON lines. A write that fails is remembered and told at the next flush, so that those who report
 * a problem need not ask after each line whether the reader is still there. */
#include "ctl/import/lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/err.h"
#include "base/file.h"

#define BLOCK_BYTES 131072

void
lines_prepare(void)
{
	json_object_seed(0);
}

void
lines_init(struct lines *l, int fd)
{
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->size = BLOCK_BYTES;
	l->pending = xmalloc(l->size);
}

void
lines_done(struct lines *l)
{
	free(l->pending);
	l->pending = NULL;
}

int
lines_flush(struct lines *l, struct refusal *no)
{
	struct err err = ERR_INIT;

	if (l->failed.code == REFUSE_NONE &&
	    file_write_all(l->fd, span_of(l->pending, l->n), &err) != 0)
		refuse(&l->failed, REFUSE_IO, "写不出结果：%s", err.text);
	l->n = 0;
	if (l->failed.code != REFUSE_NONE)
		return refuse(no, l->failed.code, "%s", l->failed.text);
	return 0;
}

void
line_begin(struct line *line)
{
	line->depth = 0;
	line->node[0] = json_object();
	CHECK(line->node[0] != NULL);
}

static void
add(struct line *line, const char *key, json_t *value)
{
	json_t *in = line->node[line->depth];

	CHECK(value != NULL);
	if (key == NULL)
		CHECK(json_array_append_new(in, value) == 0);
	else
		CHECK(json_object_set_new_nocheck(in, key, value) == 0);
}

void
line_str(struct line *line, const char *key, struct span text)
{
	add(line, key, json_stringn_nocheck((const char *)text.data, text.len));
}

void
line_int(struct line *line, const char *key, int64_t value)
{
	add(line, key, json_integer(value));
}

void
line_bool(struct line *line, const char *key, int value)
{
	add(line, key, json_boolean(value));
}

static void
nest(struct line *line, const char *key, json_t *inner)
{
	CHECK(line->depth + 1 < LINE_DEPTH);
	add(line, key, inner);
	line->node[++line->depth] = inner;
}

void
line_object(struct line *line, const char *key)
{
	nest(line, key, json_object());
}

void
line_array(struct line *line, const char *key)
{
	nest(line, key, json_array());
}

void
line_close(struct line *line)
{
	CHECK(line->depth > 0);
	line->depth--;
}

void
line_drop(struct line *line)
{
	json_decref(line->node[0]);
	line->node[0] = NULL;
}

void
lines_put(struct lines *l, struct line *line)
{
	struct refusal kept = REFUSAL_INIT; /* it stays in l->failed */
	size_t need = json_dumpb(line->node[0], l->pending + l->n, l->size - l->n, JSON_COMPACT);

	CHECK(need > 0);
	if (need >= l->size - l->n) {
		lines_flush(l, &kept);
		if (need >= l->size) {
			l->size = need + 1;
			l->pending = xrealloc(l->pending, l->size, 1);
		}
		CHECK(json_dumpb(line->node[0], l->pending, l->size, JSON_COMPACT) == need);
	}
	l->n += need;
	l->pending[l->n++] = '\n';
	line_drop(line);
}
