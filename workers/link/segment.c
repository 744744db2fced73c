/* segment.c - frames in, entries out; and the question of how a file ends.
 *
 * Happy path: every frame's crc holds and its entries fill it exactly. At the first frame that does
 * not hold, the rest of the file is searched for a whole frame: none means that the last write was
 * torn, and what it held was never promised to anybody; one means that the file was damaged after it
 * was written, which is never repaired here. Inner lengths are looked at before the crc, so that a
 * hostile file costs little. */
#include "workers/link/segment.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"

/* Do entries fill these bytes exactly? */
static bool
entries_fit(const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t payload;

		if (len < SEGMENT_ENTRY_HEAD || p[0] == 0 || p[0] >= ENTRY_TYPES)
			return false;
		payload = be32_get(p + 1);
		if (payload > len - SEGMENT_ENTRY_HEAD)
			return false;
		p += SEGMENT_ENTRY_HEAD + payload;
		len -= SEGMENT_ENTRY_HEAD + payload;
	}
	return true;
}

/* Length of the whole frame at `at`, 0 when there is none. */
static size_t
frame_at(struct span file, size_t at)
{
	const uint8_t *p = file.data + at;
	size_t len, room = file.len - at;
	uint32_t crc;

	if (room < SEGMENT_FRAME_HEAD)
		return 0;
	len = be32_get(p);
	if (len == 0 || len > SEGMENT_FRAME_MAX || len > room - SEGMENT_FRAME_HEAD)
		return 0;
	if (!entries_fit(p + SEGMENT_FRAME_HEAD, len))
		return 0;
	crc = crc32c(0, p, 4);
	crc = crc32c(crc, p + SEGMENT_FRAME_HEAD, len);
	return crc == be32_get(p + 4) ? SEGMENT_FRAME_HEAD + len : 0;
}

static enum segment_end
broken_at(struct span file, size_t at)
{
	for (size_t i = at + 1; i < file.len; i++)
		if (frame_at(file, i) != 0)
			return SEGMENT_DAMAGED;
	return SEGMENT_TORN;
}

struct segment_reader
segment_open(struct span file)
{
	struct segment_reader r = {.file = file, .end = SEGMENT_OPEN};

	if (file.len < SEGMENT_MAGIC_LEN ||
	    memcmp(file.data, SEGMENT_MAGIC, SEGMENT_MAGIC_LEN) != 0) {
		r.end = SEGMENT_DAMAGED;
		return r;
	}
	r.at = r.frame_end = r.good = SEGMENT_MAGIC_LEN;
	return r;
}

struct segment_reader
segment_open_frames(struct span frames)
{
	return (struct segment_reader){.file = frames, .end = SEGMENT_OPEN};
}

int
segment_next(struct segment_reader *r, struct entry *ret)
{
	const uint8_t *p;

	if (r->end != SEGMENT_OPEN)
		return 0;
	if (r->at == r->frame_end) {
		size_t len;

		r->good = r->frame_end;
		if (r->at == r->file.len) {
			r->end = SEGMENT_CLEAN;
			return 0;
		}
		len = frame_at(r->file, r->at);
		if (len == 0) {
			r->end = broken_at(r->file, r->at);
			return 0;
		}
		r->frame_end = r->at + len;
		r->at += SEGMENT_FRAME_HEAD;
	}
	p = r->file.data + r->at;
	ret->type = (enum entry_type)p[0];
	ret->at = r->at + SEGMENT_ENTRY_HEAD;
	ret->payload = span_of(p + SEGMENT_ENTRY_HEAD, be32_get(p + 1));
	r->at = ret->at + ret->payload.len;
	return 1;
}

size_t
segment_entry(struct buf *entries, enum entry_type type, struct span payload)
{
	CHECK(payload.len <= SEGMENT_FRAME_MAX - SEGMENT_ENTRY_HEAD);
	buf_addc(entries, (char)type);
	buf_add_be32(entries, (uint32_t)payload.len);
	buf_add(entries, payload.data, payload.len);
	return entries->len - payload.len;
}

static void
put_frame(struct buf *out, struct span entries)
{
	uint8_t head[SEGMENT_FRAME_HEAD];
	uint32_t crc;

	be32_put(head, (uint32_t)entries.len);
	crc = crc32c(crc32c(0, head, 4), entries.data, entries.len);
	be32_put(head + 4, crc);
	buf_add(out, head, sizeof(head));
	buf_add(out, entries.data, entries.len);
}

void
segment_frames(struct buf *out, struct span entries)
{
	CHECK(entries_fit(entries.data, entries.len));
	while (entries.len > 0) {
		size_t n = 0;

		while (n < entries.len) {
			size_t next = SEGMENT_ENTRY_HEAD + be32_get(entries.data + n + 1);

			if (n > 0 && n + next > SEGMENT_FRAME_MAX)
				break;
			n += next;
		}
		put_frame(out, span_of(entries.data, n));
		entries.data += n;
		entries.len -= n;
	}
}
