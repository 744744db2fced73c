/* badrows.h - the bad rows on their way from the sandbox to the parent that writes the sheet.
 *
 * Frame: length (BE32, of what follows), kind ('H' header with the format first, 'R' row), then
 * texts: each BE32 length and bytes. A row's last text is what is wrong with it. The parent trusts
 * nothing in it: the sandboxed side has read a stranger's file. */
#ifndef CTL_IMPORT_BADROWS_H
#define CTL_IMPORT_BADROWS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ctl/import/refuse.h"
#include "ctl/import/sheet.h"

#define BADROWS_FRAME_MAX (1u << 20)
#define BADROWS_TEXTS     (SHEET_COLUMNS + 1)

struct badrows {
	int fd; /* -1: nobody wants them */
	struct buf pending;
};

void badrows_init(struct badrows *b, int fd);
void badrows_done(struct badrows *b);
/* format: "xlsx", "csv" or "dbf". */
void badrows_header(struct badrows *b, const char *format, const struct sheet_row *header);
int badrows_add(
    struct badrows *b, const struct sheet_row *row, struct span wrong, struct refusal *no);
int badrows_flush(struct badrows *b, struct refusal *no);

struct badrows_frame {
	char kind;
	size_t n;
	struct span texts[BADROWS_TEXTS]; /* borrowed from the frame */
};
/* frame: what stands behind the length. ERR_CORRUPT if it is no frame. */
int badrows_decode(struct span frame, struct badrows_frame *ret, struct err *err);

#endif
