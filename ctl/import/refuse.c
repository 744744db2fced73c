/* Words and texts of a refusal. Nothing here fails; a text too long is cut. */
#include "ctl/import/refuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "ctl/import/norm.h"

static const char *const words[] = {
#define REFUSE_WORD(code, word) [code] = word,
    REFUSE_TABLE(REFUSE_WORD)
#undef REFUSE_WORD
};

int
refuse(struct refusal *no, enum refuse_code code, const char *fmt, ...)
{
	va_list ap;
	int n;

	CHECK(code != REFUSE_NONE);
	if (no->code != REFUSE_NONE)
		return -1;
	no->code = code;
	va_start(ap, fmt);
	n = vsnprintf(no->text, sizeof(no->text), fmt, ap);
	va_end(ap);
	/* cut, but not within a character */
	if (n >= (int)sizeof(no->text))
		no->text[norm_cut(
		    (uint8_t *)no->text, sizeof(no->text) - 1, sizeof(no->text) - 4)] = '\0';
	return -1;
}

const char *
refuse_word(enum refuse_code code)
{
	CHECK((size_t)code < sizeof(words) / sizeof(words[0]));
	return words[code];
}
