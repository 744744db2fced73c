/* err.c - how the story of a failure is written.
 *
 * A setter replaces code and text, a wrapper puts its words before the text and keeps the code. A
 * story too long for the field loses its oldest part, cut between characters. errno survives all of
 * them, so that a caller may still look at it. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set
#undef err_sys
#undef err_wrap

/* Cut a half character off the end of a text that vsnprintf truncated. */
static void
trim_utf8(char *text)
{
	size_t len = strlen(text), back = 0;
	unsigned char c;

	while (back < len && back < 4 && ((unsigned char)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == len)
		return;
	c = (unsigned char)text[len - 1 - back];
	if ((c >= 0xf0 && back < 3) || (c >= 0xe0 && c < 0xf0 && back < 2) ||
	    (c >= 0xc0 && c < 0xe0 && back < 1))
		text[len - 1 - back] = '\0';
}

/* Appends at *used; answers whether everything fitted. */
static void __attribute__((format(printf, 3, 0)))
append(struct err *err, size_t *used, const char *fmt, va_list ap)
{
	size_t room = sizeof(err->text) - *used;
	int n = vsnprintf(err->text + *used, room, fmt, ap);

	if (n < 0) {
		err->text[*used] = '\0';
	} else if ((size_t)n >= room) {
		trim_utf8(err->text);
		*used = sizeof(err->text) - 1;
	} else {
		*used += (size_t)n;
	}
}

static void __attribute__((format(printf, 3, 4)))
appendf(struct err *err, size_t *used, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(err, used, fmt, ap);
	va_end(ap);
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	size_t used = 0;
	va_list ap;

	if (err == NULL)
		return -1;
	err->code = code;
	va_start(ap, fmt);
	append(err, &used, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

static enum err_code
code_of_errno(int num)
{
	switch (num) {
	case ENOENT: return ERR_NOT_FOUND;
	case EEXIST: return ERR_EXISTS;
	case EACCES:
	case EPERM: return ERR_DENIED;
	case ENOSPC:
	case EDQUOT: return ERR_FULL;
	default: return ERR_IO;
	}
}

int
err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	size_t used = 0;
	char reason[128];
	va_list ap;

	if (err == NULL)
		return -1;
	err->code = code_of_errno(saved);
	va_start(ap, fmt);
	append(err, &used, fmt, ap);
	va_end(ap);
	if (used < sizeof(err->text) - 1)
		appendf(err, &used, ": %s", strerror_r(saved, reason, sizeof(reason)));
	errno = saved;
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	char story[sizeof(err->text)];
	size_t used = 0;
	va_list ap;

	if (err == NULL)
		return -1;
	memcpy(story, err->text, sizeof(story));
	va_start(ap, fmt);
	append(err, &used, fmt, ap);
	va_end(ap);
	if (used < sizeof(err->text) - 1)
		appendf(err, &used, ": %s", story);
	errno = saved;
	return -1;
}

const char *
err_code_text(enum err_code code)
{
	switch (code) {
#define ERR_CASE(name, text)                                                                       \
	case name: return text;
		ERR_TABLE(ERR_CASE)
#undef ERR_CASE
	}
	return "unknown error";
}
