/* xlsx_strings.h - the shared strings of a workbook, and the text inside an <si> or <is>. */
#ifndef CTL_IMPORT_XLSX_STRINGS_H
#define CTL_IMPORT_XLSX_STRINGS_H

#include "ctl/import/sheet.h"
#include "ctl/import/xml.h"

#define XLSX_STRINGS_MAX (256LL << 20)

/* Collects <t> texts of rich or plain strings, without the phonetic ones; at most
 * SHEET_CELL_BYTES are kept. */
struct rich_text {
	struct buf text;
	bool inside;  /* <t> */
	int phonetic; /* depth of <rPh> */
	bool cut;
};

void rich_text_begin(struct rich_text *r);
void rich_text_open(struct rich_text *r, const char *name);
void rich_text_close(struct rich_text *r, const char *name);
void rich_text_add(struct rich_text *r, struct span text);
/* Undoes _xHHHH_ escapes and cuts at a character. */
void rich_text_end(struct rich_text *r);

struct xlsx_strings;

/* index < 0: the workbook has none; every look-up then fails. */
int xlsx_strings_read(struct xlsx_strings **ret, struct pack *p, int index, struct refusal *no);
void xlsx_strings_destroy(struct xlsx_strings *s); /* NULL-safe */
/* False if there is no such string. Text is borrowed for the life of s. */
bool xlsx_strings_get(const struct xlsx_strings *s, uint64_t index, struct cell *ret);

#endif
