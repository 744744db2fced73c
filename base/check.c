/* check.c - what happens when the impossible happens: say where, abort.
 *
 * The text goes to stderr with one write, without the log (which may be what is broken). Memory that
 * cannot be had is treated the same way: sizes that come from outside were limited by the decoders,
 * so running out means the machine is out, and a restart from the stores is the way back. */
#include "base/check.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void
check_failed(const char *file, int line, const char *cond)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s:%d: CHECK(%s) failed\n", file, line, cond);
	size_t len = n < 0 ? 0 : (size_t)n;
	ssize_t written;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	written = write(STDERR_FILENO, text, len);
	(void)written;
	abort();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size);

	CHECK(p != NULL || size == 0);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	CHECK(p != NULL || n == 0 || size == 0);
	return p;
}

void *
xrealloc(void *old, size_t n, size_t size)
{
	size_t total;
	void *p;

	CHECK(!__builtin_mul_overflow(n, size, &total));
	if (total == 0) {
		free(old);
		return NULL;
	}
	p = realloc(old, total);
	CHECK(p != NULL);
	return p;
}

char *
xstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = xmalloc(size);

	memcpy(copy, s, size);
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	CHECK(n >= 0);
	return text;
}
