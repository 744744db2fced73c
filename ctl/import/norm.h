/* norm.h - one cell's text made comparable: full-width to half-width (NFKC), invisible characters
 * away, blanks trimmed. The one wrapper of libunistring.
 *
 * What was changed is returned as flags, so that the row can list it; trimming blanks at the ends
 * is not counted as a change. */
#ifndef CTL_IMPORT_NORM_H
#define CTL_IMPORT_NORM_H

#include <stdint.h>

#include "base/buf.h"

enum norm_mode {
	NORM_CODE, /* numbers, ids, fixed words: NFKC on everything, a leading apostrophe goes */
	NORM_NAME, /* as CODE; no blanks between Han characters, one middle dot */
	NORM_FREE, /* addresses and the like: only full-width letters, digits and blanks */
};

enum {
	NORM_WIDTH = 1,      /* full-width to half-width */
	NORM_INVISIBLE = 2,  /* zero-width and direction marks removed */
	NORM_APOSTROPHE = 4, /* the text mark of a sheet, or ="…", removed */
	NORM_BLANK = 8,      /* blanks inside a name removed */
	NORM_DOT = 16,       /* another dot made the middle dot of a name */
	NORM_CONTROL = 256,  /* not a change: control characters are in there */
	NORM_MISSING = 512,  /* not a change: a character could not be written by the sender */
};

/* Appends the result to out (well-formed UTF-8 in, well-formed UTF-8 out). */
unsigned norm_text(struct buf *out, struct span in, enum norm_mode mode);
/* Nothing but blanks, also full-width and invisible ones? */
int norm_is_blank(struct span text);
/* Cuts len so that no UTF-8 sequence is broken. */
size_t norm_cut(const uint8_t *text, size_t len, size_t max);

#endif
