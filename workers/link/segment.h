/* segment.h - the bytes of one outbox file, without any I/O.
 *
 * A segment is the magic, then frames; a frame is what one fsync made durable:
 *
 *	frame = BE32(length) BE32(crc32c(length || entries)) entries
 *	entry = type(1) BE32(length) payload
 *
 * A frame is written with one write and the next one only after its fsync, so a valid frame behind
 * a broken one means damage, and a broken last one means a power cut while it was being written. */
#ifndef LINK_SEGMENT_H
#define LINK_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SEGMENT_MAGIC      "HFOUTBX1"
#define SEGMENT_MAGIC_LEN  8
#define SEGMENT_FRAME_HEAD 8
#define SEGMENT_ENTRY_HEAD 5
#define SEGMENT_FRAME_MAX  (8u << 20) /* bytes of entries in one frame */
#define SEGMENT_FILE_MAX   (64u << 20)

enum entry_type {
	ENTRY_OB = 1,   /* opens every segment: which outbox, and where its chain stands */
	ENTRY_HOLD,     /* a case in hand */
	ENTRY_HOLD_END, /* not any more */
	ENTRY_RECORD,
	ENTRY_MARK,   /* accepted, settled, released up to */
	ENTRY_NEXTNO, /* last number used for NEXT and TAKE by a person */
	ENTRY_DEDUP,  /* senders' ids whose records are forgotten already */
	ENTRY_KEY,    /* the campaign's own key */
	ENTRY_TYPES,
};

struct entry {
	enum entry_type type;
	struct span payload; /* borrowed */
	size_t at;           /* offset of the payload in the file */
};

/* How the reading ended. good: length of the file up to the last whole frame. */
enum segment_end {
	SEGMENT_OPEN,    /* not at the end yet */
	SEGMENT_CLEAN,   /* the last frame ends with the file */
	SEGMENT_TORN,    /* a broken frame, nothing valid behind it */
	SEGMENT_DAMAGED, /* a broken frame with a valid one behind it, or no magic */
};

struct segment_reader {
	struct span file; /* borrowed */
	size_t at;        /* next entry, inside the frame that ends at frame_end */
	size_t frame_end;
	size_t good;
	enum segment_end end;
};

struct segment_reader segment_open(struct span file);
struct segment_reader segment_open_frames(struct span frames); /* without the magic */
/* 1 and the next entry; 0 at the end: see end and good. */
int segment_next(struct segment_reader *r, struct entry *ret);

/* Appends one entry to a list of entries; returns the payload's offset in that list. */
size_t segment_entry(struct buf *entries, enum entry_type type, struct span payload);
/* Appends entries as frames: one, or several if they are many. CHECKs that they are entries. */
void segment_frames(struct buf *out, struct span entries);

#endif
