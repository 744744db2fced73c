/* phone.h - the numbers in one cell: mobiles (11 digits, 1[3-9]…) and landlines with area code. */
#ifndef CTL_IMPORT_PHONE_H
#define CTL_IMPORT_PHONE_H

#include "base/buf.h"

#define PHONE_MAX    8
#define PHONE_DIGITS 12

struct phone {
	char digits[PHONE_DIGITS + 1];
};

enum phone_verdict { PHONE_OK, PHONE_LENGTH, PHONE_AREA, PHONE_CHAR, PHONE_MANY };

enum {
	PHONE_SPACING = 1, /* blanks, dashes and brackets removed */
	PHONE_COUNTRY = 2, /* +86, 0086 or 86 removed */
	PHONE_TRUNK = 4,   /* the 0 before a mobile removed */
	PHONE_SPLIT = 8,   /* the cell held several numbers */
};

struct phone_list {
	struct phone phones[PHONE_MAX];
	size_t n;
	unsigned changes;
};

/* text: one cell after norm_text(NORM_CODE). An empty text is an empty list. */
enum phone_verdict phone_parse(struct span text, struct phone_list *ret);

#endif
