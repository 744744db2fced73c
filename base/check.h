/* check.h - what cannot be false. CHECK stays on in release builds: it prints where it failed and
 * aborts, and the supervisor restarts us; truth lives in the stores. Input from outside is never
 * CHECKed. Memory that cannot be had aborts as well, so decoders look at limits first. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			check_failed(__FILE__, __LINE__, #cond);                                   \
	} while (0)

_Noreturn void check_failed(const char *file, int line, const char *cond);

/* Never NULL, except that size 0 may give NULL. xcalloc and xrealloc check n * size. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
