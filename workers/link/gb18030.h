/* gb18030.h - the encoding of Chinese spreadsheets and of the authority's tables, for files that are written. */
#ifndef LINK_GB18030_H
#define LINK_GB18030_H

#include "base/buf.h"

/* Appends; text is well-formed UTF-8. */
void encode_gb18030(struct buf *out, struct span text);

#endif
