/* pack.h - a zip that a stranger sent, read with limits; the one wrapper of libzip.
 *
 * At most 200 entries, none encrypted, stored or deflated only; all that is unpacked together is
 * at most 100 times the file (16 MiB are always free) and 2 GiB, counted as it comes out, whatever
 * the directory says. Nothing is ever written to a name found in it. */
#ifndef CTL_IMPORT_PACK_H
#define CTL_IMPORT_PACK_H

#include "ctl/import/input.h"

#define PACK_ENTRIES 200
#define PACK_RATIO   100
#define PACK_FREE    (16LL << 20)
#define PACK_TOTAL   (2LL << 30)

struct pack;
struct pack_stream;

int pack_open(struct pack **ret, const struct input *in, struct refusal *no);
void pack_close(struct pack *p); /* NULL-safe */
int pack_count(const struct pack *p);
const char *pack_name(const struct pack *p, int index); /* never NULL; borrowed */
/* The entry of that name, or -1. Case counts, except that a second look ignores it. */
int pack_find(const struct pack *p, const char *name);

int pack_stream_open(struct pack_stream **ret, struct pack *p, int index, struct refusal *no);
void pack_stream_close(struct pack_stream *s); /* NULL-safe */
/* *ret_n 0: the end, and the checksum was right. */
int pack_stream_read(struct pack_stream *s, void *out, size_t n, size_t *ret_n, struct refusal *no);

#endif
