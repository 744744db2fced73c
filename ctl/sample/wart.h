/* wart.h - what real rosters look like: one row, one fault, and what the importer must make of it. */
#ifndef CTL_SAMPLE_WART_H
#define CTL_SAMPLE_WART_H

#include "ctl/sample/invent.h"

#define WART_NUMBERS 2

struct wart_effect {
	int64_t row; /* of the file, filled in by the caller */
	int column;  /* where the wart is */
	/* What must be reported about the column, or NULL: the row is taken without a word. */
	const char *code;
	bool is_error;
	bool is_change; /* listed in "changed" of the good row */
	/* What the good row must hold: a text field, or numbers. */
	const char *field; /* "key", "name", "id_no", "numbers"; NULL: nothing to check */
	struct buf value;  /* owned */
	struct {
		const char *kind;
		char digits[16];
	} numbers[WART_NUMBERS];
	size_t n;
};

int wart_count(void);
/* Spoils the cells of row `index`, which must not be row 0: that one is there to be repeated. */
void wart_plant(
    int wart, const struct inventor *v, int64_t index, struct buf *cells, struct wart_effect *ret);
void wart_effect_done(struct wart_effect *e);

#endif
