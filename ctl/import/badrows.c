/* Encoder (sandboxed) and decoder (parent) of bad rows. The encoder cannot fail but in writing; the
 * decoder checks every length against what is there. */
#include "ctl/import/badrows.h"

#include <string.h>

#include "base/file.h"

#define FLUSH_BYTES 65536

void
badrows_init(struct badrows *b, int fd)
{
	memset(b, 0, sizeof(*b));
	b->fd = fd;
}

void
badrows_done(struct badrows *b)
{
	buf_done(&b->pending);
}

static void
add_text(struct buf *out, struct span text)
{
	buf_add_be32(out, (uint32_t)text.len);
	buf_add(out, text.data, text.len);
}

/* Reserves the length, which end() fills in. */
static size_t
begin(struct buf *out, char kind)
{
	size_t at = out->len;

	buf_add_be32(out, 0);
	buf_addc(out, kind);
	return at;
}

static void
end(struct buf *out, size_t at)
{
	be32_put(out->data + at, (uint32_t)(out->len - at - 4));
}

void
badrows_header(struct badrows *b, const char *format, const struct sheet_row *header)
{
	size_t at;

	if (b->fd < 0)
		return;
	at = begin(&b->pending, 'H');
	add_text(&b->pending, span_str(format));
	for (size_t i = 0; i < header->n; i++)
		add_text(&b->pending, header->cells[i].text);
	end(&b->pending, at);
}

int
badrows_add(struct badrows *b, const struct sheet_row *row, struct span wrong, struct refusal *no)
{
	size_t at;

	if (b->fd < 0)
		return 0;
	at = begin(&b->pending, 'R');
	for (size_t i = 0; i < row->n; i++)
		add_text(&b->pending, row->cells[i].text);
	add_text(&b->pending, wrong);
	end(&b->pending, at);
	return b->pending.len >= FLUSH_BYTES ? badrows_flush(b, no) : 0;
}

int
badrows_flush(struct badrows *b, struct refusal *no)
{
	struct err err = ERR_INIT;

	if (b->fd >= 0 && b->pending.len > 0 &&
	    file_write_all(b->fd, buf_span(&b->pending), &err) != 0)
		return refuse(no, REFUSE_IO, "写不出错误表：%s", err.text);
	buf_clear(&b->pending);
	return 0;
}

int
badrows_decode(struct span frame, struct badrows_frame *ret, struct err *err)
{
	size_t at = 1;

	if (frame.len == 0 || (frame.data[0] != 'H' && frame.data[0] != 'R'))
		return err_set(err, ERR_CORRUPT, "bad row frame of unknown kind");
	ret->kind = (char)frame.data[0];
	ret->n = 0;
	while (at < frame.len) {
		uint32_t len;

		if (frame.len - at < 4 || ret->n == BADROWS_TEXTS)
			return err_set(err, ERR_CORRUPT, "bad row frame is cut or too wide");
		len = be32_get(frame.data + at);
		at += 4;
		if (len > frame.len - at)
			return err_set(err, ERR_CORRUPT, "bad row frame is cut");
		ret->texts[ret->n++] = span_of(frame.data + at, len);
		at += len;
	}
	if (ret->n == 0)
		return err_set(err, ERR_CORRUPT, "bad row frame is empty");
	return 0;
}
