/* JSON lines. A write that fails is remembered and told at the next flush, so that those who report
 * a problem need not ask after each line whether the reader is still there. */
#include "ctl/import/lines.h"

#include <jansson.h>
#include <string.h>

#include "base/check.h"
#include "base/err.h"
#include "base/file.h"

#define FLUSH_BYTES 65536

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
}

void
lines_done(struct lines *l)
{
	buf_done(&l->pending);
}

int
lines_flush(struct lines *l, struct refusal *no)
{
	struct err err = ERR_INIT;

	if (l->failed.code == REFUSE_NONE && l->pending.len > 0 &&
	    file_write_all(l->fd, buf_span(&l->pending), &err) != 0)
		refuse(&l->failed, REFUSE_IO, "写不出结果：%s", err.text);
	buf_clear(&l->pending);
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

static int
on_text(const char *text, size_t len, void *arg)
{
	buf_add(arg, text, len);
	return 0;
}

void
lines_put(struct lines *l, struct line *line)
{
	CHECK(json_dump_callback(line->node[0], on_text, &l->pending, JSON_COMPACT) == 0);
	buf_addc(&l->pending, '\n');
	line_drop(line);
	if (l->pending.len >= FLUSH_BYTES) {
		struct refusal ignored = REFUSAL_INIT;

		lines_flush(l, &ignored);
	}
}
