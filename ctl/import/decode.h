/* decode.h - bytes of a known encoding to UTF-8; the one wrapper of iconv.
 *
 * Bytes that are no character become U+FFFD, which the rules report where it matters. Opening loads
 * the conversion table from disk: it must happen before the sandbox. */
#ifndef CTL_IMPORT_DECODE_H
#define CTL_IMPORT_DECODE_H

#include "base/buf.h"
#include "base/err.h"
#include "ctl/import/input.h"
#include "workers/link/gb18030.h"

struct decoder;

/* Knows both encodings; decoder_use chooses. */
int decoder_create(struct decoder **ret, struct err *err);
void decoder_destroy(struct decoder *d); /* NULL-safe */
/* is_valid: the input is known to be well-formed UTF-8 as a whole, so it is copied as it is, also
 * in the middle of a character. */
void decoder_use(struct decoder *d, enum input_encoding encoding, bool is_valid);
/* Appends to out. A character cut at the end of `in` waits for the next call. */
void decoder_add(struct decoder *d, struct buf *out, struct span in);
void decoder_end(struct decoder *d, struct buf *out); /* what still waits becomes U+FFFD */

#endif
