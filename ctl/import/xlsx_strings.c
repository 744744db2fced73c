/* Keeps the shared strings in blocks of 1 MiB that never move, so that cells can point into them.
 *
 * How many there are is counted, never believed. Failure: more than 256 MiB together. */

#include "ctl/import/xlsx_strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "ctl/import/norm.h"

#define BLOCK_BYTES (1u << 20)
#define CUT_BIT     0x8000u

/* A string in a block: two bytes of length (CUT_BIT: it was longer), then the bytes. */
struct xlsx_strings {
	uint8_t **blocks;
	size_t n_blocks, used; /* used: of the last block */
	const uint8_t **strings;
	size_t n, room;
	struct rich_text now;
	bool inside; /* <si> */
};

void
rich_text_begin(struct rich_text *r)
{
	buf_clear(&r->text);
	r->inside = false;
	r->phonetic = 0;
	r->cut = false;
}

void
rich_text_open(struct rich_text *r, const char *name)
{
	if (strcmp(name, "t") == 0)
		r->inside = r->phonetic == 0;
	else if (strcmp(name, "rPh") == 0)
		r->phonetic++;
}

void
rich_text_close(struct rich_text *r, const char *name)
{
	if (strcmp(name, "t") == 0)
		r->inside = false;
	else if (strcmp(name, "rPh") == 0 && r->phonetic > 0)
		r->phonetic--;
}

void
rich_text_add(struct rich_text *r, struct span text)
{
	/* some bytes more than a cell may have, so that cutting is seen and done once */
	size_t room = SHEET_CELL_BYTES + 8 - r->text.len;

	if (!r->inside || text.len == 0)
		return;
	if (text.len > room) {
		text.len = room;
		r->cut = true;
	}
	buf_add(&r->text, text.data, text.len);
}

/* _x000D_ and the like: how sheets write characters that XML cannot. */
static bool
escape_at(const uint8_t *s, size_t left, unsigned *ret)
{
	uint8_t bytes[2];

	if (left < 7 || s[0] != '_' || s[1] != 'x' || s[6] != '_' ||
	    !hex_decode(bytes, 2, (const char *)s + 2, 4))
		return false;
	*ret = (unsigned)bytes[0] << 8 | bytes[1];
	return *ret > 0 && *ret < 0x80;
}

void
rich_text_end(struct rich_text *r)
{
	uint8_t *s = r->text.data;
	size_t from = 0, to = 0;
	unsigned c;

	if (r->text.len > SHEET_CELL_BYTES) {
		r->text.len = norm_cut(s, r->text.len, SHEET_CELL_BYTES);
		r->cut = true;
	}
	if (r->text.len == 0 || memchr(s, '_', r->text.len) == NULL)
		return;
	while (from < r->text.len) {
		if (escape_at(s + from, r->text.len - from, &c)) {
			s[to++] = (uint8_t)c;
			from += 7;
		} else {
			s[to++] = s[from++];
		}
	}
	r->text.len = to;
}

static int
keep(struct xlsx_strings *s, struct refusal *no)
{
	size_t need = s->now.text.len + 2;
	uint8_t *at;

	if (s->n_blocks == 0 || BLOCK_BYTES - s->used < need) {
		if ((int64_t)(s->n_blocks * BLOCK_BYTES + s->room * sizeof(*s->strings)) >
		    XLSX_STRINGS_MAX)
			return refuse(no, REFUSE_TOO_BIG,
			    "表格里的文字超过 256 MiB；请分成几个文件，或存为 CSV 再导入");
		s->blocks = xrealloc(s->blocks, s->n_blocks + 1, sizeof(*s->blocks));
		s->blocks[s->n_blocks++] = xmalloc(BLOCK_BYTES);
		s->used = 0;
	}
	if (s->n == s->room) {
		s->room = s->room == 0 ? 1024 : s->room * 2;
		s->strings = xrealloc(s->strings, s->room, sizeof(*s->strings));
	}
	at = s->blocks[s->n_blocks - 1] + s->used;
	s->used += need;
	s->strings[s->n++] = at;
	at[0] = (uint8_t)((s->now.text.len | (s->now.cut ? CUT_BIT : 0)) >> 8);
	at[1] = (uint8_t)s->now.text.len;
	if (s->now.text.len > 0)
		memcpy(at + 2, s->now.text.data, s->now.text.len);
	return 0;
}

static int
on_open(void *arg, const struct xml_tag *tag, struct refusal *no)
{
	struct xlsx_strings *s = arg;

	(void)no;
	if (strcmp(tag->name, "si") == 0) {
		s->inside = true;
		rich_text_begin(&s->now);
	} else if (s->inside) {
		rich_text_open(&s->now, tag->name);
	}
	return 0;
}

static int
on_close(void *arg, const char *name, struct refusal *no)
{
	struct xlsx_strings *s = arg;

	if (!s->inside)
		return 0;
	if (strcmp(name, "si") != 0) {
		rich_text_close(&s->now, name);
		return 0;
	}
	s->inside = false;
	rich_text_end(&s->now);
	return keep(s, no);
}

static int
on_text(void *arg, struct span text, struct refusal *no)
{
	struct xlsx_strings *s = arg;

	(void)no;
	if (s->inside)
		rich_text_add(&s->now, text);
	return 0;
}

int
xlsx_strings_read(struct xlsx_strings **ret, struct pack *p, int index, struct refusal *no)
{
	static const struct xml_events events = {on_open, on_close, on_text};
	struct xlsx_strings *s = xcalloc(1, sizeof(*s));

	if (index >= 0 && xml_parse(p, index, &events, s, no) != 0) {
		xlsx_strings_destroy(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void
xlsx_strings_destroy(struct xlsx_strings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_blocks; i++)
		free(s->blocks[i]);
	free(s->blocks);
	free(s->strings);
	buf_done(&s->now.text);
	free(s);
}

bool
xlsx_strings_get(const struct xlsx_strings *s, uint64_t index, struct cell *ret)
{
	unsigned len;

	if (index >= s->n)
		return false;
	len = (unsigned)s->strings[index][0] << 8 | s->strings[index][1];
	ret->kind = len & CUT_BIT ? CELL_LONG : CELL_TEXT;
	ret->text = span_of(s->strings[index] + 2, len & ~CUT_BIT);
	return true;
}
