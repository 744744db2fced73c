/* invent.h - applicants that do not exist: everything about row i follows from (seed, i) alone.
 *
 * Names are put together from syllables, ids carry the unassigned region 999xxx, numbers lie in the
 * block 199 0000 xxxx (1990 xxx xxxx for large rosters), places do not exist. */
#ifndef CTL_SAMPLE_INVENT_H
#define CTL_SAMPLE_INVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "ctl/import/day.h"

enum {
	COL_KEY,
	COL_NAME,
	COL_SEX,
	COL_ID_NO,
	COL_PROVINCE,
	COL_AREA,
	COL_RURAL,
	COL_SCHOOL,
	COL_CHOICE,
	COL_MAJOR,
	COL_ADDRESS,
	COL_SELF,
	COL_FATHER,
	COL_MOTHER,
	COL_OTHER,
	COL_REPORTER,
	COL_BATCH,
	INVENT_COLUMNS
};

#define INVENT_ROWS_MAX 2000000

extern const char *const invent_headers[INVENT_COLUMNS];

struct inventor {
	uint64_t seed;
	int64_t rows;
	struct day today;
};

/* Fills cells[INVENT_COLUMNS]; what was in them is forgotten. */
void invent_row(const struct inventor *v, int64_t index, struct buf *cells);
/* A name alone, for people of the calling room; index chooses it. */
void invent_name(uint64_t seed, int64_t index, struct buf *out);
/* An id number with that birth day; serial: 0-999, even for women. */
void invent_id(struct buf *out, unsigned region, struct day birth, unsigned serial);
/* Number n of the roster's block. */
void invent_number(const struct inventor *v, int64_t n, struct buf *out);

#endif
